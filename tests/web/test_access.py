"""`viewer.can` and `explainAccess`: what one may do, and which rule, group and role decide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from identity.principals import Kind
from storage.engine import Database
from tests.databases import fresh_url
from tests.web.real import Desk, open_desk, sign_in

ROOM = """\
module: {name: room, plural_name: rooms, table: room, description: Where people meet}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
  - {name: rent, type: int, label: Rent}
access:
  agent:
    view: {group: users}
    create: {role: Planners}
    update: {group: users, key: rw, rows: {name: {ne: Vault}}}
    rows: {name: {ne: Bunker}}
  fields:
    rent: {agent: {group: stats}}
"""
EXPLAIN = """
query ($op: AccessRight!, $field: String, $row: ID, $agent: String) {
  explainAccess(module: "room", operation: $op, field: $field, row: $row, agent: $agent) {
    allowed steps { about allowed rule role grants { group key role } }
  }
}
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as opened:
            await fill(opened.live.database)  # type: ignore[arg-type] # the real one
            yield opened


async def fill(database: Database) -> None:
    """An agent with a role: it gives `rw` of users, and the right to make rooms."""
    when = datetime(2026, 1, 1)  # noqa: DTZ001 - wall clock
    audit = {"create_time": when, "create_by": 1, "change_time": when, "change_by": 1}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("users", {"id": 7, "login": "ada", "pw": "x", "first_name": "A", "last_name": "L", "valid_id": 1}),
        ("roles", {"id": 3, "name": "Planners", "valid_id": 1}),
        ("role_user", {"user_id": 7, "role_id": 3}),
        ("group_role", {"role_id": 3, "group_id": 1, "permission_key": "rw", "permission_value": 1}),
        *(("room", {"name": name, "rent": 5}) for name in ("Hall", "Vault", "Bunker")),
    ]
    async with database.transaction() as transaction:
        for name, row in rows:
            given = {**row, **audit}
            table = sa.table(name, *(sa.column(column) for column in given))
            await transaction.execute(sa.insert(table).values(given))


async def as_ada(desk: Desk, query: str, **variables: Any) -> Any:
    pair = await sign_in(desk.live, "ada", Kind.AGENT)
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        return (await client.post("/graphql", json={"query": query, "variables": variables})).json()


async def test_the_viewer_is_told_what_it_may_do(desk: Desk) -> None:
    answer = await as_ada(
        desk,
        """{ viewer {
          view: can(module: "room", operation: VIEW) create: can(module: "room", operation: CREATE)
          delete: can(module: "room", operation: DELETE) rent: can(module: "room", operation: VIEW, field: "rent")
          nowhere: can(module: "nothing", operation: VIEW) } }""",
    )
    assert answer["data"]["viewer"] == {"view": True, "create": True, "delete": False, "rent": False, "nowhere": False}


async def test_rows_are_asked_about_by_their_id(desk: Desk) -> None:
    ids = {row["name"]: row["id"] for row in (await desk.data("{ rooms { nodes { id name } } }"))["rooms"]["nodes"]}
    assert set(ids) == {"Hall", "Vault"}, "the bunker is nobody's"
    found = {}
    for name, row in ids.items():
        answer = await as_ada(
            desk, 'query ($row: ID) { viewer { can(module: "room", operation: UPDATE, row: $row) } }', row=row
        )
        found[name] = answer["data"]["viewer"]["can"]
    assert found == {"Hall": True, "Vault": False}


async def test_an_explanation_names_rule_group_key_and_role(desk: Desk) -> None:
    found = (await as_ada(desk, EXPLAIN, op="UPDATE"))["data"]["explainAccess"]
    step = {"about": "module", "allowed": True, "rule": "{group: users, key: rw}", "role": None}
    assert found == {
        "allowed": True,
        "steps": [{**step, "grants": [{"group": "users", "key": "rw", "role": "Planners"}]}],
    }
    found = (await as_ada(desk, EXPLAIN, op="CREATE"))["data"]["explainAccess"]
    assert found["steps"] == [{**step, "rule": "{role: Planners}", "role": "Planners", "grants": []}]


async def test_an_explanation_of_a_field_names_what_is_missing(desk: Desk) -> None:
    found = (await as_ada(desk, EXPLAIN, op="VIEW", field="rent"))["data"]["explainAccess"]
    assert found["allowed"] is False
    assert found["steps"][1] == {
        "about": "field",
        "allowed": False,
        "rule": "{group: stats, key: ro}",
        "role": None,
        "grants": [],
    }


async def test_administrators_ask_about_others_and_nobody_else_does(desk: Desk) -> None:
    found = (await desk.data(EXPLAIN, op="CREATE", agent="ada"))["explainAccess"]
    assert found["allowed"] is True
    refused = await as_ada(desk, EXPLAIN, op="CREATE", agent="root@localhost")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_overview_tells_every_right_with_what_gives_it(desk: Desk) -> None:
    query = """query ($agent: String) { accessOverview(agent: $agent) { isAdministrator roles grants { group key role }
      rights { module operation allowed rule rows role grants { group key role } } } }"""
    found = (await desk.data(query, agent="ada"))["accessOverview"]
    held = {"group": "users", "key": "rw", "role": "Planners"}
    assert (found["isAdministrator"], found["roles"], found["grants"]) == (False, ["Planners"], [held])
    told = {(item["module"], item["operation"]): item for item in found["rights"]}
    assert {right: told["room", right]["allowed"] for right in ("VIEW", "CREATE", "UPDATE", "DELETE")} == {
        "VIEW": True,
        "CREATE": True,
        "UPDATE": True,
        "DELETE": False,
    }
    assert told["room", "CREATE"]["role"] == "Planners"
    assert told["room", "UPDATE"]["grants"] == [held]
    assert told["room", "VIEW"]["rows"] == '{"name": {"ne": "Bunker"}}'
    assert told["room", "UPDATE"]["rows"] == '{"and": [{"name": {"ne": "Bunker"}}, {"name": {"ne": "Vault"}}]}'
    own = (await as_ada(desk, query))["data"]["accessOverview"]
    assert own == found
    refused = await as_ada(desk, query, agent="root@localhost")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


PARTS = """query ($agent: String, $named: String, $row: ID, $op: AccessRight!) {
  explainAccess(module: "room", operation: $op, agent: $agent, named: $named, row: $row) {
    allowed steps { about parts { operation allowed rule grants { group key role } } } } }"""
GUARDED = ROOM.replace(
    "rows: {name: {ne: Bunker}}",
    "rows: {or: [{rent: {in: $me.groups.rw}}, {name: {eq: $me.login}}]}",
)


async def test_an_alternative_of_a_rule_is_told_with_the_keys_that_make_it_hold(desk: Desk) -> None:
    (desk.site / "room.yaml").write_text(GUARDED)
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one has it
    async with desk.live.database.transaction() as transaction:  # type: ignore[attr-defined] # the real one
        await transaction.execute("UPDATE room SET rent = 1 WHERE name = 'Hall'")
    ways = ['{"rent": {"in": "$me.groups.rw"}}', '{"name": {"eq": "$me.login"}}']
    found = (await desk.data(PARTS, agent="ada", named="Hall", op="VIEW"))["explainAccess"]
    none = {"operation": "VIEW", "allowed": False, "grants": []}
    by_role = {"group": "users", "key": "rw", "role": "Planners"}
    assert found["allowed"] is True
    assert found["steps"][1]["parts"] == [
        {"operation": "VIEW", "allowed": True, "rule": ways[0], "grants": [by_role]},
        {**none, "rule": ways[1]},
    ]
    other = (await desk.data(PARTS, agent="ada", named="Vault", op="UPDATE"))["explainAccess"]
    assert other["allowed"] is False
    # What the rule for changing says of a row that she does not see is not told.
    assert other["steps"][1]["parts"] == [{**none, "rule": ways[0]}, {**none, "rule": ways[1]}]


async def test_rows_are_named_by_administrators_alone(desk: Desk) -> None:
    refused = await as_ada(desk, PARTS, named="Bunker", op="VIEW")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    nowhere = await desk.ask(PARTS, agent="ada", named="Attic", op="VIEW")
    assert nowhere["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    by_number = (await desk.data(PARTS, agent="ada", named="1", op="VIEW"))["explainAccess"]
    assert by_number["allowed"] is True


async def test_a_field_that_is_not_the_caller_s_is_forbidden_before_anything_is_read(desk: Desk) -> None:
    for query in (
        "{ rooms { nodes { rent } } }",
        "{ rooms(filter: {rent: {gt: 1}}) { totalCount } }",
        "{ rooms(orderBy: [{rent: ASC}]) { totalCount } }",
        "{ roomAggregate { sum: sumRent } }",
        "{ x: rooms { edges { node { y: rent } } } }",
    ):
        answer = await as_ada(desk, query)
        assert answer.get("data") is None, query
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], query


async def test_module_files_and_their_problems_are_for_administrators(desk: Desk) -> None:
    source = (desk.site / "room.yaml").read_text()
    check = "query ($s: String!) { checkModule(source: $s) { problems { code } } }"
    publish = "mutation ($s: String!) { publishModule(input: {source: $s}) { errors { code } } }"
    for query in (check, publish):
        answer = await as_ada(desk, query, s=source)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await desk.data(check, s=source))["checkModule"]["problems"] == []
    seen = (await as_ada(desk, "{ modules { name files problems { code } } }"))["data"]["modules"]
    assert seen == [{"name": "room", "files": [], "problems": []}]


async def test_a_token_that_only_reads_keeps_nothing(desk: Desk) -> None:
    made = """mutation ($until: DateTime!) {
      createApiToken(input: {name: "robot", operations: [VIEW], expiresAt: $until}) { secret } }"""
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    secret = (await desk.data(made, until=until))["createApiToken"]["secret"]
    async with desk.connect(authorization=f"Bearer {secret}") as client:
        save = 'mutation { saveView(input: {module: "room", name: "x"}) { errors { code } } }'
        answer = (await client.post("/graphql", json={"query": save})).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (await client.post("/files?name=a.txt", content=b"x")).status_code == 403
        assert (await client.post("/graphql", json={"query": "{ rooms { totalCount } }"})).json()["data"] is not None
