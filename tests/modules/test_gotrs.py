"""Files of GOTRS as their administrators write them: they load unchanged, and their lambdas run and give right values."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from identity.principals import Agent
from identity.rights import RightsReader
from lambdas.pool import Sandbox
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.lambda_check import codes_of
from resolvers.sql_answers import VERBS, answer
from schema.catalog import GROUP_TABLES, group_table
from schema.check import check_module
from schema.check_sql import check_sql
from schema.problems import Level, Problem
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.source import read
from storage.engine import Database
from storage.install import install
from storage.library import Library
from tests.databases import DIALECTS, foreign_url
from web.lifecycle import build

FILES = Path(__file__).parent / "gotrs"
SHIPPED = Path(__file__).parents[2] / "modules"
ROOT = Agent(1, "root@localhost")
TICKETS = 80


@dataclass
class Desk:
    """An OTRS database at work, served with the shipped modules and the files of GOTRS beside them."""

    database: Database
    snapshot: Snapshot
    sandbox: Sandbox

    async def ask(self, query: str, *, sql: bool = True) -> tuple[Any, Sequence[Any]]:
        """Run a query as the first administrator; return its data, and the errors of its fields."""
        rights = await RightsReader(
            self.database, lambda: group_table(self.snapshot.catalog.tables) or GROUP_TABLES[0]
        ).of(ROOT)
        asks = dict.fromkeys(VERBS, answer) if sql else {}
        context = Context(self.snapshot, self.database, b"secret", rights, lambdas=self.sandbox, asks=asks)
        document = parse(query)
        assert validate(context.schema, document) == []
        result = await execute(context, document)
        return result.data, [error.formatted for error in result.errors or ()]

    async def rows(self, text: str) -> list[tuple[Any, ...]]:
        return await self.database.fetch(text)


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database as an OTRS leaves it, taken over."""
    with foreign_url(request.param, "znuny65", tickets=TICKETS) as found:
        asyncio.run(adopt(found))
        yield found


async def adopt(url: str) -> None:
    database = Database(url)
    try:
        await install(database)
    finally:
        await database.close()


@pytest.fixture
async def desk(url: str) -> AsyncIterator[Desk]:
    database = Database(url)
    sandbox = Sandbox(size=1)
    await sandbox.start()
    try:
        registry = Registry([SHIPPED, FILES], Library(database), build)
        await registry.start()
        yield Desk(database, registry.snapshot, sandbox)
    finally:
        await sandbox.close()
        await database.close()


def by(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> dict[Any, Any]:
    return {row[key]: row[value] for row in rows}


async def test_they_load_unchanged_and_what_has_no_effect_is_said(desk: Desk) -> None:
    found = {status.name: status for status in desk.snapshot.status if status.name in ("board", "staff")}
    assert {name: status.state for name, status in found.items()} == {"board": "LIVE", "staff": "LIVE"}
    problems = [problem for status in found.values() for problem in status.problems]
    assert {problem.level for problem in problems} == {Level.INFO}
    assert sorted(problem.path or "" for problem in problems) == [
        "features.color_picker",
        "features.filters",
        "features.group_assignment",
        "features.password_reset",
        "fields.create_time.format",
        "module.route_prefix",
        "module.route_prefix",
        "permissions.[4]",
        "permissions.[5]",
        "ui.form_sections.Groups.type",
    ]


async def test_their_lambdas_give_what_stands_in_the_database(desk: Desk) -> None:
    data, errors = await desk.ask(
        """{ boards(first: 100) { nodes { databaseId name marks since waiting newest unlockTimeout followUpLock groupId { name } } } }"""
    )
    assert errors == []
    boards = data["boards"]["nodes"]
    counts = Counter(queue for (queue,) in await desk.rows("SELECT queue_id FROM ticket"))
    tickets = await desk.rows(
        "SELECT t.queue_id, t.tn, p.name FROM ticket t JOIN ticket_priority p ON p.id = t.ticket_priority_id ORDER BY t.id DESC"
    )
    assert len(boards) > 3
    assert sum(counts.values()) >= TICKETS
    for board in boards:
        count = counts[board["databaseId"]]
        told = f"{count} ticket{'' if count == 1 else 's'}" if count else "None"
        assert f">{told}</span>" in board["waiting"]
        newest = [f"{number} ({priority})" for queue, number, priority in tickets if queue == board["databaseId"]]
        assert board["newest"] == (", ".join(newest[:2]) or "No tickets")
        assert ("⏱" in board["marks"]) == bool(board["unlockTimeout"])
        assert "Edit" in board["marks"]
        assert "onclick" not in board["marks"]  # HTML of lambdas is made harmless
        assert "days" in board["since"] or "Today" in board["since"]


async def test_rows_read_as_objects_and_as_values_and_mistakes_can_be_caught(desk: Desk) -> None:
    data, errors = await desk.ask(
        "{ staff: staffList(first: 100) { nodes { databaseId login fullName groupNames badgeOfTable isOwner } } }"
    )
    assert errors == []
    people = data["staff"]["nodes"]
    assert by(people, "login", "fullName")["root@localhost"] != ""
    assert {person["badgeOfTable"] for person in people} == {"-"}  # there is no such table
    owners = {owner for (owner,) in await desk.rows("SELECT user_id FROM ticket")}
    assert {person["databaseId"] for person in people if person["isOwner"] == "yes"} == owners & {
        p["databaseId"] for p in people
    }
    members = await desk.rows(
        "SELECT u.login, g.name FROM users u JOIN group_user m ON m.user_id = u.id JOIN permission_groups g ON g.id = m.group_id"
        " WHERE g.valid_id = 1"
    )
    for person in people:
        groups = sorted({group for login, group in members if login == person["login"]})
        shown = person["groupNames"]
        assert all(f">{group}</span>" in shown for group in groups) if groups else "No groups" in shown


async def test_a_page_of_rows_takes_one_statement_for_each_text(desk: Desk) -> None:
    await desk.ask("{ boards { nodes { waiting newest } } }")
    sent: list[str] = []
    desk.database.statements = sent.append
    _, errors = await desk.ask("{ boards { nodes { waiting newest } } }")
    assert errors == []
    assert len([text for text in sent if "FROM" in text and " AS q" in text]) == 2
    desk.database.statements = None


async def test_without_the_setting_they_say_so_and_the_rest_works(desk: Desk) -> None:
    data, errors = await desk.ask("{ boards(first: 1) { nodes { name waiting newest marks } } }", sql=False)
    board = data["boards"]["nodes"][0]
    assert board["waiting"] == "Error: Error: db is not available here: the operator has to allow it."
    assert board["newest"] is None
    assert [(error["path"][-1], error["extensions"]["code"]) for error in errors] == [("newest", "LAMBDA_FAILED")]
    assert "Edit" in board["marks"]


def test_which_lambdas_need_the_setting_is_found_in_their_code() -> None:
    found: list[Problem] = []
    for file in sorted(FILES.glob("*.yaml")):
        module, _ = check_module([read(file.name, file.read_bytes())])
        assert module is not None
        found += check_sql(codes_of(module), "LAMBDESK_LAMBDA_SQL")
    assert [f"{problem.place} {problem.message.split('`')[1]}" for problem in found] == [
        "board.yaml:123:21 board.waiting",
        "board.yaml:139:18 board.newest",
        "staff.yaml:76:24 staff.group_names",
        "staff.yaml:86:22 staff.badge_of_table",
        "staff.yaml:93:18 staff.is_owner",
    ]
