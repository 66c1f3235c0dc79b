"""Many rows at once: by list with both policies, and by filter with a limit; the statements are as many for 3 rows as for 30."""

import pytest

from tests.writes.world import Desk, customer, faults, fresh, queue

ROWS = "rows { index queue { name } errors { code path } } affected"


async def test_a_list_is_written_as_a_whole_or_not_at_all(desk: Desk) -> None:
    names = [fresh("Queue") for _ in range(3)]
    done = await desk.write("createQueues", {"queues": [queue(name) for name in names]}, ROWS)
    assert done["affected"] == 3
    assert [(row["index"], row["queue"]["name"]) for row in done["rows"]] == list(enumerate(names))
    other = fresh("Queue")
    given = [queue(other), queue(names[0]), queue(fresh(), group={"name": "nobody"})]
    payload = await desk.write("createQueues", {"queues": given}, ROWS)
    assert payload["affected"] == 0
    assert [row["queue"] for row in payload["rows"]] == [None] * 3
    assert [row["errors"] for row in payload["rows"]] == [
        [],
        [{"code": "UNIQUE", "path": ["queues", "1", "name"]}],
        [{"code": "REFERENCE", "path": ["queues", "2", "group"]}],
    ]
    assert [item["messageKey"] for item in payload["errors"]] == ["not-written"]
    assert await desk.rows("queue", f"name = '{other}'") == []


async def test_rows_that_the_database_refuses_are_named_in_a_list_that_is_not_written(desk: Desk) -> None:
    taken = (await desk.made("Queue", queue(), "name"))["name"]
    twice = fresh("Queue")
    given = [queue(), queue(taken), queue(twice), queue(twice)]
    payload = await desk.write("createQueues", {"queues": given}, ROWS)
    assert [[item["code"] for item in row["errors"]] for row in payload["rows"]] == [[], ["UNIQUE"], [], ["UNIQUE"]]


async def test_with_the_other_policy_the_good_rows_of_a_list_are_written(desk: Desk) -> None:
    taken = (await desk.made("Queue", queue(), "name"))["name"]
    good, twice = fresh("Queue"), fresh("Queue")
    given = [
        queue(good),
        queue(taken),
        queue(fresh(), group={"name": "nobody"}),
        queue("a::::b"),
        queue(twice),
        queue(twice),
        queue(comment="x" * 251),
    ]
    payload = await desk.write("createQueues", {"queues": given, "policy": "SKIP_FAILED"}, ROWS)
    assert payload["errors"] == []
    assert payload["affected"] == 2
    found = [
        row["queue"]["name"] if row["queue"] else [(e["code"], e["path"][2]) for e in row["errors"]]
        for row in payload["rows"]
    ]
    assert found == [
        good,
        [("UNIQUE", "name")],
        [("REFERENCE", "group")],
        [("INVALID", "name")],
        twice,
        [("UNIQUE", "name")],
        [("INVALID", "comment")],
    ]
    history = await desk.rows("lambdesk_change", "module = 'queue'", "fields")
    assert sum(f'"{twice}"' in _text(row[0]) for row in history) == 1


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def test_a_list_that_is_too_long_is_refused_before_anything_is_written(desk: Desk) -> None:
    given = {"gadgets": [{"name": fresh()} for _ in range(501)]}
    text = "mutation($i: CreateGadgetsInput!) { createGadgets(input: $i) { affected } }"
    assert await desk.code(text, {"i": given}) == "BAD_REQUEST"


async def make(desk: Desk, count: int) -> str:
    """Make so many gadgets whose story is the word that is returned."""
    word = fresh("story")
    given = {"gadgets": [{"name": fresh(), "story": word} for _ in range(count)]}
    assert (await desk.write("createGadgets", given, "affected"))["affected"] == count
    return word


async def test_rows_of_a_filter_are_changed_and_removed_together(desk: Desk) -> None:
    word = await make(desk, 3)
    where = {"filter": {"story": {"eq": word}}, "maxAffected": 3}
    changed = await desk.write("updateGadgets", {**where, "patch": {"amount": 7, "extra": {"a": 1}}}, "affected ids")
    assert (changed["affected"], len(set(changed["ids"])), changed["errors"]) == (3, 3, [])
    assert await desk.rows("gadget", f"story = '{word}'", "amount") == [(7,)] * 3
    gone = await desk.write("deleteGadgets", where, "affected ids")
    assert (gone["affected"], sorted(gone["ids"])) == (3, sorted(changed["ids"]))
    assert await desk.rows("gadget", f"story = '{word}'") == []
    nobody = await desk.write("deleteGadgets", where, "affected ids")
    assert nobody == {"affected": 0, "ids": [], "errors": []}


async def test_more_rows_than_allowed_are_all_left_alone(desk: Desk) -> None:
    word = await make(desk, 3)
    where = {"filter": {"story": {"eq": word}}, "maxAffected": 2}
    for name, more in (("updateGadgets", {"patch": {"amount": 1}}), ("deleteGadgets", {})):
        payload = await desk.write(name, {**where, **more}, "affected ids")
        assert faults(payload) == [("LIMIT", "maxAffected")]
        assert (payload["affected"], payload["ids"]) == (0, [])
    assert await desk.rows("gadget", f"story = '{word}'", "amount") == [(None,)] * 3


async def test_a_unique_value_for_several_rows_is_refused(desk: Desk) -> None:
    word = await make(desk, 2)
    given = {"filter": {"story": {"eq": word}}, "maxAffected": 5, "patch": {"name": fresh()}}
    assert [item["code"] for item in (await desk.write("updateGadgets", given))["errors"]] == ["UNIQUE"]
    labels = [fresh("l"), fresh("l")]
    await desk.write("createStrangers", {"strangers": [{"label": label} for label in labels]})
    given = {"filter": {"label": {"in": labels}}, "maxAffected": 5, "patch": {"label": fresh("l")}}
    assert [item["code"] for item in (await desk.write("updateStrangers", given))["errors"]] == ["UNIQUE"]


async def test_deleting_many_softly_leaves_what_is_gone_already_as_it_is(desk: Desk) -> None:
    codes = [fresh("S").upper() for _ in range(3)]
    await desk.write("createRules", {"rules": [{"code": code} for code in codes]}, "affected")
    await desk.write("deleteRuled", {"key": {"code": codes[0]}})
    gone = await desk.write("deleteRules", {"filter": {"code": {"in": codes}}, "maxAffected": 9}, "affected")
    assert gone["affected"] == 3
    assert await desk.rows("ruled", f"code IN {tuple(codes)}", "valid_id") == [(2,)] * 3
    numbers = [row[0] for row in await desk.rows("ruled", f"code IN {tuple(codes)}", "id")]
    kept = await desk.rows(
        "lambdesk_change", f"module = 'ruled' AND row_key IN {tuple(f'[{n}]' for n in numbers)}", "kind"
    )
    assert kept == [(1,)] * 3 + [(2,)] * 3


@pytest.mark.parametrize(
    "deed", ["create", "update", "soft", "delete", "unbacked", "beside", "dynamic", "dynamic_delete", "keyless"]
)
async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(desk: Desk, deed: str) -> None:
    assert await _statements(desk, deed, 6) == await _statements(desk, deed, 30)


async def _statements(desk: Desk, deed: str, size: int) -> int:
    word = fresh("w")
    names = [fresh(word).upper() for _ in range(size)]
    if deed == "create":
        return await _count(
            desk, "createGadgets", {"gadgets": [{"name": name, "owner": {"login": "root@localhost"}} for name in names]}
        )
    if deed == "unbacked":
        return await _count(desk, "createStrangers", {"strangers": [{"label": name} for name in names]})
    if deed == "keyless":
        groups = {"groups": [{"name": name} for name in names]}
        made = [
            row["group"]["databaseId"]
            for row in (await desk.write("createGroups", groups, "rows { group { databaseId } }"))["rows"]
        ]
        given = [{"user": {"databaseId": 1}, "group": {"databaseId": number}, "permission": "RO"} for number in made]
        return await _count(desk, "createGroupUsers", {"groupUsers": given}, lookups=True)
    if deed == "beside":
        await desk.write("createQueues", {"queues": [queue(name) for name in names]})
        change = {"filter": {"name": {"in": names}}, "maxAffected": 99, "patch": {"floor": 3, "comment": word}}
        return await _count(desk, "updateQueues", change)
    if deed in {"soft", "update", "delete"}:
        await desk.write("createRules", {"rules": [{"code": name} for name in names]})
        where = {"filter": {"code": {"in": names}}, "maxAffected": 99}
        if deed == "soft":
            return await _count(desk, "deleteRules", where)
        if deed == "update":
            return await _count(desk, "updateRules", {**where, "patch": {"seats": 9, "open": False}})
        await desk.write("createGadgets", {"gadgets": [{"name": name} for name in names]})
        return await _count(desk, "deleteGadgets", {"filter": {"name": {"in": names}}, "maxAffected": 99})
    rows = [customer(name, note=name, tags=["a", "b"]) for name in names]
    if deed == "dynamic":
        return await _count(desk, "createCustomerUsers", {"customerUsers": rows})
    await desk.write("createCustomerUsers", {"customerUsers": rows})
    return await _count(desk, "deleteClients", {"filter": {"login": {"in": names}}, "maxAffected": 99})


async def _count(desk: Desk, name: str, given: dict[str, object], *, lookups: bool = False) -> int:
    """Count the statements of a mutation that succeeds; lookups one by one (up to fifty at once) are left out."""
    desk.seen.clear()
    payload = await desk.write(name, given, "affected")
    assert payload["errors"] == []
    assert payload["affected"] in {6, 30}
    return len(desk.seen) - (sum(text.startswith("SELECT (SELECT") for text in desk.seen) if lookups else 0)
