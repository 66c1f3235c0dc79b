"""Create, update, upsert, delete and restore of one row: what is answered, what is stored, what is refused."""

from datetime import UTC, datetime, timedelta

from graphql import parse, validate

from schema.spec import Audience
from tests.writes.conftest import open_desk
from tests.writes.world import Desk, Place, customer, faults, fresh, queue


async def test_a_new_row_comes_back_as_it_reads_with_an_edge_whose_cursor_works(desk: Desk) -> None:
    name = fresh("Queue")
    select = "queue { id name group { name } followUp validity } queueEdge { cursor node { name } }"
    made = await desk.write(
        "createQueue", {"queue": queue(name), "clientMutationId": "c1"}, f"{select} clientMutationId"
    )
    assert made["clientMutationId"] == "c1"
    shown = {"name": name, "group": {"name": "users"}, "followUp": "POSSIBLE", "validity": "VALID"}
    assert made["queue"] == {"id": made["queue"]["id"], **shown}
    assert made["queueEdge"]["node"] == {"name": name}
    later = await desk.made("Queue", queue(), "name")
    after = await desk.ask(
        "query($c: String) { queues(after: $c) { nodes { name } } }", {"c": made["queueEdge"]["cursor"]}
    )
    names = [row["name"] for row in after["queues"]["nodes"]]
    assert later["name"] in names
    assert name not in names


async def test_absent_stays_and_null_empties(desk: Desk) -> None:
    made = await desk.made("Queue", queue(comment="old", unlockTimeout=5), "id")
    select = "queue { comment unlockTimeout }"
    kept = await desk.write("updateQueue", {"key": made, "patch": {"unlockTimeout": 6}}, select)
    assert kept["queue"] == {"comment": "old", "unlockTimeout": 6}
    emptied = await desk.write("updateQueue", {"key": made, "patch": {"comment": None}}, select)
    assert emptied["queue"] == {"comment": None, "unlockTimeout": 6}


async def test_null_is_not_absent_where_a_default_would_stand(desk: Desk) -> None:
    given = {"code": fresh("N").upper(), "seats": None, "marks": None}
    assert await desk.made("Ruled", given, "seats marks") == {"seats": None, "marks": None}
    refused = await desk.refused("createRuled", {"ruled": {"code": "A", "grade": None}})
    assert refused == [("REQUIRED", "ruled.grade")]


async def test_defaults_of_every_kind_fill_in_what_is_left_out(desk: Desk) -> None:
    select = "seats weight grade marks day span open keeper { login } validity"
    assert await desk.made("Ruled", {"code": fresh("D").upper()}, select) == {
        "seats": 4,
        "weight": "2.5",
        "grade": "LOW",
        "marks": ["RED"],
        "day": "2026-01-31",
        "span": "PT1M30S",
        "open": True,
        "keeper": {"login": "root@localhost"},
        "validity": "VALID",
    }


async def test_a_version_must_be_the_one_of_the_row_as_it_is(desk: Desk) -> None:
    made = await desk.made("Queue", queue(), "id version")
    key, first = {"id": made["id"]}, made["version"]
    changed = await desk.write(
        "updateQueue", {"key": key, "ifVersion": first, "patch": {"comment": "one"}}, "queue { version }"
    )
    assert changed["queue"]["version"] != first
    for name, more in (("updateQueue", {"patch": {"comment": "two"}}), ("deleteQueue", {}), ("restoreQueue", {})):
        payload = await desk.write(name, {"key": key, "ifVersion": first, **more}, "current { comment version }")
        assert faults(payload) == [("CONFLICT", None)]
        assert payload["current"] == {"comment": "one", "version": changed["queue"]["version"]}
    assert await desk.rows("queue", f"name = '{(await read_name(desk, key))}'", "comments, valid_id") == [("one", 1)]


async def read_name(desk: Desk, key: dict[str, str]) -> str:
    found: str = (await desk.ask("query($k: QueueKey!) { queue(by: $k) { name } }", {"k": key}))["queue"]["name"]
    return found


async def test_a_row_that_is_not_there_is_not_found(desk: Desk) -> None:
    key = {"name": "no such queue"}
    assert await desk.refused("updateQueue", {"key": key, "patch": {"comment": "x"}}) == [("NOT_FOUND", "key")]
    assert await desk.refused("deleteQueue", {"key": key}) == [("NOT_FOUND", "key")]
    assert await desk.refused("restoreQueue", {"key": key}) == [("NOT_FOUND", "key")]
    assert await desk.refused("updateQueue", {"key": {"id": "nonsense"}, "patch": {}}) == [("NOT_FOUND", "key")]


async def test_deleting_softly_keeps_the_row_and_restoring_brings_it_back(desk: Desk) -> None:
    made = await desk.made("Queue", queue(), "id name")
    key = {"key": {"name": made["name"]}}
    gone = await desk.write("deleteQueue", key, "deletedQueueId")
    assert gone == {"deletedQueueId": made["id"], "errors": []}
    assert await desk.rows("queue", f"name = '{made['name']}'", "valid_id") == [(2,)]
    back = await desk.write("restoreQueue", key, "queue { validity }")
    assert back["queue"] == {"validity": "VALID"}


async def test_deleting_for_good_removes_the_row(desk: Desk) -> None:
    made = await desk.made("Gadget", {"name": fresh()}, "id name")
    assert (await desk.write("deleteGadget", {"key": {"id": made["id"]}}, "deletedGadgetId"))[
        "deletedGadgetId"
    ] == made["id"]
    assert await desk.rows("gadget", f"name = '{made['name']}'") == []
    assert await desk.refused("deleteGadget", {"key": {"id": made["id"]}}) == [("NOT_FOUND", "key")]


async def test_a_row_that_others_refer_to_stays_and_no_name_of_a_constraint_is_told(desk: Desk) -> None:
    payload = await desk.write("deleteClient", {"key": {"login": await loved(desk)}})
    assert [item["code"] for item in payload["errors"]] == ["REFERENCE"]
    assert "lover" not in str(payload)


async def loved(desk: Desk) -> str:
    """Make a customer whom a row of a foreign table refers to."""
    row = await desk.made("Client", client(), "databaseId login")
    async with desk.database.transaction() as transaction:
        await transaction.execute(
            "CREATE TABLE IF NOT EXISTS lover (customer INTEGER, CONSTRAINT fk_lover_secret FOREIGN KEY (customer)"
            " REFERENCES customer_user (id))"
        )
        await transaction.execute(f"INSERT INTO lover (customer) VALUES ({row['databaseId']})")  # noqa: S608
    login: str = row["login"]
    return login


def client(**more: object) -> dict[str, object]:
    login = fresh("client")
    names = {"customer": "acme", "firstName": "A", "lastName": "B"}
    return {"login": login, "email": f"{login}@example.com", **names, **more}


async def test_upsert_makes_a_row_once_and_changes_only_what_is_given_afterwards(desk: Desk) -> None:
    name = fresh("acme")
    select = "company { databaseId name city } companyEdge { cursor } created"
    given = {"key": {"databaseId": name}, "company": {"databaseId": name, "name": name, "city": "Bonn"}}
    first = await desk.write("upsertCompany", given, select)
    assert (first["created"], first["errors"], first["company"]["city"]) == (True, [], "Bonn")
    await desk.write("deleteCompany", {"key": {"databaseId": name}})
    again = await desk.write(
        "upsertCompany",
        {**given, "company": {"databaseId": name, "name": f"{name} AG"}},
        f"{select} company {{ validity }}",
    )
    # What the input leaves out stays as it is, also where a new row would have a default.
    assert again["company"] == {"databaseId": name, "name": f"{name} AG", "city": "Bonn", "validity": "INVALID"}
    assert again["created"] is False
    assert again["companyEdge"]["cursor"]


async def test_upsert_tells_which_value_another_row_has(desk: Desk) -> None:
    one, two = fresh("acme"), fresh("acme")
    await desk.made("Company", {"databaseId": one, "name": one})
    given = {"key": {"databaseId": two}, "company": {"databaseId": two, "name": one}}
    assert await desk.refused("upsertCompany", given) == [("UNIQUE", "company.name")]


async def test_upsert_refuses_a_new_row_that_is_not_the_one_its_key_names(desk: Desk) -> None:
    given = {"key": {"name": fresh("Other")}, "queue": queue()}
    assert await desk.refused("upsertQueue", given) == [("INVALID", "key")]
    assert await desk.rows("queue", f"name = '{given['queue']['name']}'") == []


async def test_audit_columns_hold_who_and_when_in_the_zone_of_the_database(place: Place) -> None:
    desk = await open_desk(place, "Asia/Tokyo")
    try:
        begun = datetime.now(UTC).replace(microsecond=0)
        made = await desk.made("Queue", queue(), "id name createdAt changedAt createdBy { login } changedBy { login }")
        created = datetime.fromisoformat(made["createdAt"])
        assert begun <= created <= begun + timedelta(seconds=30)
        assert made["createdAt"] == made["changedAt"]
        assert made["createdBy"] == made["changedBy"] == {"login": "root@localhost"}
        ((stored, by),) = await desk.rows("queue", f"name = '{made['name']}'", "create_time, create_by")
        clock = created.replace(tzinfo=None) + timedelta(hours=9)
        assert (str(stored), by) == (str(clock), 1)
    finally:
        await desk.database.close()


async def test_a_moment_that_the_zone_of_the_database_pushes_out_of_the_calendar_is_invalid(place: Place) -> None:
    desk = await open_desk(place, "Asia/Tokyo")
    try:
        payload = await desk.write("createGadget", {"gadget": {"name": fresh(), "moment": "9999-12-31T23:59:59Z"}})
        assert [item["code"] for item in payload["errors"]] == ["INVALID"]
    finally:
        await desk.database.close()


async def test_a_change_that_changes_nothing_leaves_the_row_and_its_history_alone(desk: Desk) -> None:
    made = await desk.made("Queue", queue(comment="same"), "id databaseId version")
    history = f"module = 'queue' AND row_key = '[{made['databaseId']}]'"
    before = await desk.rows("lambdesk_change", history)
    same = await desk.write(
        "updateQueue", {"key": {"id": made["id"]}, "patch": {"comment": "same"}}, "queue { version }"
    )
    assert same["queue"]["version"] == made["version"]
    assert await desk.rows("lambdesk_change", history) == before


async def test_rows_with_keys_of_several_columns_are_made_and_removed(desk: Desk) -> None:
    login = fresh("agent")
    agent = {"login": login, "password": "zebras plough", "firstName": "A", "lastName": "B"}
    await desk.made("User", agent)
    given = {"groupUser": {"user": {"login": login}, "group": {"name": "stats"}, "permission": "RO"}}
    made = await desk.write("createGroupUser", given, "groupUser { id permission user { login } }")
    assert made["groupUser"]["user"] == {"login": login}
    assert await desk.refused("createGroupUser", given) == [("UNIQUE", "groupUser")]
    gone = await desk.write("deleteGroupUser", {"key": {"id": made["groupUser"]["id"]}}, "deletedGroupUserId")
    assert gone == {"deletedGroupUserId": made["groupUser"]["id"], "errors": []}


async def test_text_keys_come_from_the_client_and_are_there_once(desk: Desk) -> None:
    name = fresh("firm")
    given = {"company": {"databaseId": name, "name": name}}
    assert (await desk.write("createCompany", given, "company { databaseId }"))["company"] == {"databaseId": name}
    again = {"company": {"databaseId": name, "name": fresh("firm")}}
    assert await desk.refused("createCompany", again) == [("UNIQUE", "company.databaseId")]
    assert await desk.refused("createCompany", {"company": {"databaseId": " ", "name": "x"}}) == [
        ("REQUIRED", "company.databaseId")
    ]


def test_what_nobody_may_set_is_not_part_of_the_inputs(place: Place) -> None:
    schema = place.snapshot.schema_for(Audience.AGENT)
    for extra in ("id: 1", "databaseId: 1", "createdBy: {databaseId: 2}", "changedAt: null", 'version: "x"'):
        for text in (
            f'mutation {{ createRuled(input: {{ruled: {{code: "A", {extra}}}}}) {{ errors {{ code }} }} }}',
            f'mutation {{ updateQueue(input: {{key: {{name: "Raw"}}, patch: {{{extra}}}}}) {{ errors {{ code }} }} }}',
        ):
            assert [error for error in validate(schema, parse(text)) if "unknown field" in error.message], text


async def test_customers_of_the_desk_are_written_as_rows(desk: Desk) -> None:
    login = fresh("customer")
    made = await desk.made("CustomerUser", customer(login, password="zebras pflügen"), "login companyId fullName")
    assert made == {"login": login, "companyId": "acme", "fullName": "Ada Ames"}


async def test_mutations_of_one_request_run_in_order_and_a_refused_one_leaves_the_others(desk: Desk) -> None:
    first, last = fresh("Queue"), fresh("Queue")
    text = """mutation($a: QueueCreate!, $b: QueueCreate!, $c: QueueCreate!, $n: String!) {
      a: createQueue(input: {queue: $a}) { queue { name } errors { code } }
      b: createQueue(input: {queue: $b}) { queue { name } errors { code } }
      d: updateQueue(input: {key: {name: $n}, patch: {comment: "seen"}}) { queue { comment } errors { code } }
      c: createQueue(input: {queue: $c}) { queue { name } errors { code } }
    }"""
    data = await desk.ask(text, {"a": queue(first), "b": queue(first), "c": queue(last), "n": first})
    assert data == {
        "a": {"queue": {"name": first}, "errors": []},
        "b": {"queue": None, "errors": [{"code": "UNIQUE"}]},
        "d": {"queue": {"comment": "seen"}, "errors": []},
        "c": {"queue": {"name": last}, "errors": []},
    }


async def test_a_mistake_in_any_input_is_found_before_anything_is_written(desk: Desk) -> None:
    name = fresh("Queue")
    text = """mutation($a: QueueCreate!) {
      a: createQueue(input: {queue: $a}) { errors { code } }
      b: deleteQueues(input: {filter: {name: {eq: "x"}}, maxAffected: -1}) { affected }
    }"""
    assert await desk.code(text, {"a": queue(name)}) == "BAD_REQUEST"
    assert await desk.rows("queue", f"name = '{name}'") == []


async def test_rows_of_an_adopted_otrs_are_written_as_those_of_an_own_database(adopted: Desk) -> None:
    made = await adopted.made("Queue", queue(costCenter=fresh("c"), floor=2), "id group { name } floor")
    assert (made["group"], made["floor"]) == ({"name": "users"}, 2)
    changed = await adopted.write(
        "updateQueue", {"key": {"id": made["id"]}, "patch": {"floor": 3, "comment": "x"}}, "queue { floor comment }"
    )
    assert changed["queue"] == {"floor": 3, "comment": "x"}
    login = fresh("customer")
    shown = "login note tags vip since seen"
    dynamic = {"note": "n", "tags": ["a"], "vip": True, "since": "2026-01-01", "seen": "2026-01-01T10:00:00Z"}
    assert await adopted.made("CustomerUser", customer(login, **dynamic), shown) == {"login": login, **dynamic}
