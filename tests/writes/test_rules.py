"""What the module file demands of values, told where it stands and in the reader's language."""

import asyncio
from typing import Any

import pytest

from tests.writes.world import Desk, customer, faults, fresh, queue

WRONG: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("Ruled", {"short": "x"}, "short", "INVALID"),
    ("Ruled", {"short": "xxxxx"}, "short", "INVALID"),
    ("Ruled", {"plain": "abc"}, "plain", "INVALID"),
    ("Ruled", {"seats": 0}, "seats", "INVALID"),
    ("Ruled", {"seats": 501}, "seats", "INVALID"),
    ("Ruled", {"weight": "10.5"}, "weight", "INVALID"),
    ("Ruled", {"grade": "UNKNOWN"}, "grade", "INVALID"),
    ("Ruled", {"marks": ["RED", "UNKNOWN"]}, "marks", "INVALID"),
    ("Ruled", {"keeper": {"databaseId": 4711}}, "keeper", "REFERENCE"),
    ("Gadget", {"name": " "}, "name", "REQUIRED"),
    ("Gadget", {"name": "x" * 251}, "name", "INVALID"),
    ("Gadget", {"mail": "nobody"}, "mail", "INVALID"),
    ("Gadget", {"site": "javascript:alert(1)"}, "site", "INVALID"),
    ("Gadget", {"call": "call me"}, "call", "INVALID"),
    ("Gadget", {"tint": "#12345"}, "tint", "INVALID"),
    ("Gadget", {"pass": ""}, "pass", "INVALID"),
    ("Gadget", {"due": "1969-12-31T23:59:59Z"}, "due", "INVALID"),
    ("Gadget", {"story": "a\x00b"}, "story", "INVALID"),
    ("CustomerUser", {"tier": "tin"}, "tier", "INVALID"),
    ("CustomerUser", {"tags": ["a", "c"]}, "tags", "INVALID"),
    ("CustomerUser", {"note": "x" * 3801}, "note", "INVALID"),
)


@pytest.mark.parametrize(("module", "given", "name", "code"), WRONG, ids=lambda value: str(value)[:20])
async def test_a_wrong_value_is_told_at_its_field(
    desk: Desk, module: str, given: dict[str, Any], name: str, code: str
) -> None:
    usual: dict[str, Any] = customer() if module == "CustomerUser" else {"name": fresh()}
    usual = {"code": fresh("C").upper()} if module == "Ruled" else usual
    record = module[0].lower() + module[1:]
    assert await desk.refused(f"create{module}", {record: {**usual, **given}}) == [(code, f"{record}.{name}")]
    made = await desk.made(module, usual)
    assert await desk.refused(f"update{module}", {"key": made, "patch": given}) == [(code, f"patch.{name}")]


async def test_all_mistakes_of_an_input_are_told_at_once(desk: Desk) -> None:
    given = {"code": "low", "short": "x", "seats": 0}
    found = await desk.refused("createRuled", {"ruled": given})
    assert found == [("INVALID", f"ruled.{name}") for name in ("code", "short", "seats")]


@pytest.mark.parametrize(
    ("languages", "texts"),
    [
        ((), ["Capitals please", "Seats must be 1 or more."]),
        (("de", "en"), ["Bitte Großbuchstaben", "Seats muss mindestens 1 sein."]),
        (("fr",), ["Capitals please", "Seats must be 1 or more."]),
    ],
)
async def test_messages_are_in_the_language_of_the_reader(
    desk: Desk, languages: tuple[str, ...], texts: list[str]
) -> None:
    payload = await desk.write("createRuled", {"ruled": {"code": "low", "seats": 0}}, languages=languages)
    assert [item["message"] for item in payload["errors"]] == texts
    assert [item["messageKey"] for item in payload["errors"]] == ["custom", "too-small"]
    assert payload["errors"][1]["params"] == {"field": "Seats", "limit": "1"}


async def test_a_value_that_another_row_has_is_told_at_its_field(desk: Desk) -> None:
    one, two = (
        await desk.made("Gadget", {"name": fresh()}, "id name"),
        await desk.made("Gadget", {"name": fresh()}, "id name"),
    )
    assert await desk.refused("createGadget", {"gadget": {"name": one["name"]}}) == [("UNIQUE", "gadget.name")]
    key = {"key": {"id": two["id"]}}
    assert await desk.refused("updateGadget", {**key, "patch": {"name": one["name"]}}) == [("UNIQUE", "patch.name")]
    assert (await desk.write("updateGadget", {**key, "patch": {"name": two["name"]}}))["errors"] == []


async def test_only_the_value_that_is_taken_is_told(desk: Desk) -> None:
    """The row's own other unique values, sent along unchanged, are nobody else's."""
    one = await desk.made("Stranger", {"label": fresh(), "second": fresh()}, "id label second")
    two = await desk.made("Stranger", {"label": fresh(), "second": fresh()}, "id label second")
    patch = {"label": two["label"], "second": one["second"]}
    assert await desk.refused("updateStranger", {"key": {"id": two["id"]}, "patch": patch}) == [
        ("UNIQUE", "patch.second")
    ]
    name = fresh("acme")
    await desk.made("Company", {"databaseId": name, "name": name})
    given = {"databaseId": name, "name": fresh("acme")}
    assert await desk.refused("createCompany", {"company": given}) == [("UNIQUE", "company.databaseId")]


@pytest.mark.parametrize("module", ["Gadget", "Stranger"])
async def test_what_a_collation_takes_for_the_same_is_taken(desk: Desk, module: str) -> None:
    """MariaDB compares without regard to case, in its keys too; the others compare exactly."""
    field, record = ("name" if module == "Gadget" else "label"), module.lower()
    word = fresh("Word")
    await desk.made(module, {field: word})
    found = await desk.refused(f"create{module}", {record: {field: word.upper()}})
    assert found == ([("UNIQUE", f"{record}.{field}")] if desk.database.dialect.name == "mysql" else [])


@pytest.mark.parametrize(("module", "many"), [("gadget", "Gadgets"), ("stranger", "Strangers")])
async def test_so_is_what_two_rows_of_one_list_want(desk: Desk, module: str, many: str) -> None:
    field, word = ("name" if module == "gadget" else "label"), fresh("Word")
    payload = await desk.write(f"create{many}", {f"{module}s": [{field: word}, {field: word.upper()}]}, "affected")
    assert payload["affected"] == (0 if desk.database.dialect.name == "mysql" else 2)


async def test_unique_values_beside_a_foreign_table_are_kept_apart_too(desk: Desk) -> None:
    taken = fresh("cost")
    await desk.made("Queue", queue(costCenter=taken))
    assert await desk.refused("createQueue", {"queue": queue(costCenter=taken)}) == [("UNIQUE", "queue.costCenter")]


@pytest.mark.parametrize(("module", "field"), [("Gadget", "name"), ("Stranger", "label")])
async def test_of_many_who_want_the_same_value_at_once_one_gets_it(desk: Desk, module: str, field: str) -> None:
    record = module.lower()
    given = {record: {field: fresh("race"), "owner": {"login": "root@localhost"}}}
    payloads = await asyncio.gather(*(desk.write(f"create{module}", given, f"{record} {{ id }}") for _ in range(8)))
    refused = [faults(payload) for payload in payloads if payload["errors"]]
    assert len(await desk.rows(record, f"{field} = '{given[record][field]}'", "id")) == 1
    assert refused == [[("UNIQUE", f"{record}.{field}")]] * 7


async def test_of_many_who_make_the_same_row_at_once_one_does_where_only_the_file_knows_the_key(desk: Desk) -> None:
    login = fresh("agent")
    await desk.made("User", {"login": login, "password": "zebras plough", "firstName": "A", "lastName": "B"})
    given = {"groupUser": {"user": {"login": login}, "group": {"name": "stats"}, "permission": "RO"}}
    payloads = await asyncio.gather(*(desk.write("createGroupUser", given) for _ in range(6)))
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1, 1, 1, 1]


async def test_a_password_that_two_letters_make_too_long_is_refused(desk: Desk) -> None:
    login = fresh("agent")
    given = {"login": login, "password": ("üöäßéç" * 7)[:37], "firstName": "A", "lastName": "B"}
    assert await desk.refused("createUser", {"user": given}) == [("INVALID", "user.password")]
    assert await desk.refused("createUser", {"user": {**given, "password": ""}}) == [("REQUIRED", "user.password")]
