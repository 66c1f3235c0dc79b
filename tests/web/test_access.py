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
