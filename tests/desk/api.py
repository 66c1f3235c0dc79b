"""A desk with its API in the test's own process: operations are executed without HTTP, as the server would."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graphql import DocumentNode, parse, validate

from desk.conducts import make_conducts
from desk.desk import make_desk
from desk.hands import make_hands
from desk.notes import NOTE
from desk.permission_hands import HANDS
from identity.principals import Principal
from identity.rights import Rights, unbounded
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hooks import HookEvent, HookOutcome
from resolvers.text_sources import NoTexts, Texts
from resolvers.writing import Writing
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.spec import Audience, Field
from storage.engine import Database
from storage.file_claims import Owner
from storage.files import Files
from storage.install import install
from storage.library import Library
from tests.callers import SYSTEM
from web.lifecycle import build

MODULES = Path(__file__).parent.parent.parent / "modules"
DEADLINE_S = 30.0  # of one operation; a busy machine is no failure
POOL_SIZE = 20
# What a site adds to tickets and what belongs to them: a field beside OTRS's table, and hooks, which the tests play.
SITE = {
    "ticket": """\
module: {extend: ticket}
fields: [{name: contract_no, type: string, label: Contract}]
hooks: [{on: before_create, lambda: "null"}, {on: before_update, lambda: "null"}]
""",
    "article": """\
module: {extend: article}
hooks: [{on: before_create, lambda: "null"}]
""",
    "watcher": """\
module: {extend: watcher}
hooks: [{on: before_create, lambda: "null"}, {on: before_delete, lambda: "null"}]
""",
}


def agree(_event: HookEvent) -> dict[str, Any]:
    """Set nothing, refuse nothing."""
    return {}


@dataclass
class Rules:
    """Plays the hooks: `say` returns what they set, or raises; `seen` are the events that they were shown."""

    say: Callable[[HookEvent], dict[str, Any]] = agree
    seen: list[HookEvent] = field(default_factory=list)

    def of(self, module: str) -> list[HookEvent]:
        """Return the events of one module."""
        return [event for event in self.seen if event.module.name == module]

    async def before(self, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        return [self._answer(event) for event in events]

    async def default(self, field: Field, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        raise AssertionError(f"No default of {field.name} is made by a lambda for {events}.")

    def _answer(self, event: HookEvent) -> HookOutcome:
        self.seen.append(event)
        try:
            return HookOutcome(self.say(event))
        except Faulty as faulty:
            return HookOutcome(faults=faulty.faults)


def reject(text: str) -> Faulty:
    """Refuse as a hook does."""
    return Faulty(Fault(FaultCode.LAMBDA_REJECTED, "lambda-rejected", None, {"text": text}))


@dataclass
class Api:
    """Executes operations. What is set here holds from the next one on."""

    database: Database
    files: Files
    snapshot: Snapshot
    writing: Writing
    rules: Rules
    caller: Principal = SYSTEM
    languages: tuple[str, ...] = ()
    deadline_s: float = DEADLINE_S
    texts: Texts = field(default_factory=NoTexts)
    rights: Rights | None = None  # of the caller; without them he may do everything

    def __post_init__(self) -> None:
        self._documents: dict[tuple[str, Audience], DocumentNode] = {}

    async def ask(self, query: str, *, once: str | None = None, **variables: Any) -> dict[str, Any]:
        """Execute an operation; `once` is an Idempotency-Key."""
        rights = self.rights or unbounded(self.caller)
        deadline = time.monotonic() + self.deadline_s
        context = Context(self.snapshot, self.database, b"secret", rights, deadline=deadline, languages=self.languages)
        context.texts = self.texts
        document = self._documents.get((query, context.audience))
        if document is None:
            document = self._documents[query, context.audience] = parse(query)
            assert validate(context.schema, document) == []
        writing = replace(self.writing, idempotency_key=once)
        result = await execute(context, document, None, variables, writing=writing)
        return {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}

    async def data(self, query: str, *, once: str | None = None, **variables: Any) -> Any:
        """Execute an operation that must have an answer without top-level errors."""
        answer = await self.ask(query, once=once, **variables)
        assert answer["errors"] == [], answer
        return answer["data"]

    async def do(self, name: str, shown: str, *, once: str | None = None, **given: Any) -> Any:
        """Carry out a mutation and return its payload: `shown` of it, and its errors."""
        type_name = f"{name[0].upper()}{name[1:]}Input!"
        query = f"mutation ($in: {type_name}) {{ {name}(input: $in) {{ {shown} errors {{ code path messageKey }} }} }}"
        return (await self.data(query, once=once, **{"in": given}))[name]

    async def done(self, name: str, shown: str, **given: Any) -> Any:
        """Carry out a mutation that must succeed."""
        payload = await self.do(name, shown, **given)
        assert payload["errors"] == [], payload
        return payload

    async def refused(self, name: str, **given: Any) -> list[tuple[str, str, list[str] | None]]:
        """Carry out a mutation that must not succeed; return code, key and path of its errors."""
        payload = await self.do(name, "clientMutationId", **given)
        return [(error["code"], error["messageKey"], error["path"]) for error in payload["errors"]]

    async def ticket(self, title: str = "Printer", **more: Any) -> int:
        """Make a ticket and return its key."""
        given = {"title": title, "queue": {"name": "Raw"}, **more}
        found: int = (await self.done("createTicket", "ticket { databaseId }", ticket=given))["ticket"]["databaseId"]
        return found

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file and return its id."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        owner = Owner(str(self.caller.kind), self.caller.id)
        return (await self.files.store(chunks(), name=name, owner=owner, sniff=lambda _: "text/plain")).id

    async def rows(self, table: str, where: str = "1 = 1", columns: str = "*") -> list[tuple[Any, ...]]:
        """Read rows of a table, sorted."""
        text = f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608 - the tests' own words
        return sorted(await self.database.fetch(text), key=repr)

    async def history(self, ticket: int) -> list[tuple[str, str]]:
        """Read the history of a ticket past its first row as OTRS does: type and name of every row, oldest first."""
        text = (
            "SELECT t.name, h.name FROM ticket_history h JOIN ticket_history_type t ON t.id = h.history_type_id "  # noqa: S608 - our words
            f"WHERE h.ticket_id = {ticket} ORDER BY h.create_time, h.id"
        )
        return [(kind, name) for kind, name in await self.database.fetch(text)][1:]

    async def newest_history(self, ticket: int) -> int:
        """Return the id of the newest row of a ticket's history."""
        return int((await self.rows("ticket_history", f"ticket_id = {ticket}", "MAX(id)"))[0][0])

    async def changes(self, module: str, *key: int) -> list[tuple[Any, ...]]:
        """Read what the ledger says of a row: kind, source and fields of every change."""
        where = f"module = '{module}' AND row_key = '{list(key)}'".replace(", ", ",")
        text = f"SELECT kind, source, fields FROM lambdesk_change WHERE {where} ORDER BY id"  # noqa: S608 - our words
        return [tuple(row) for row in await self.database.fetch(text)]


_SNAPSHOTS: dict[str, Snapshot] = {}  # by database: loading a hundred modules takes longer than a test


async def load(database: Database, folders: list[Path]) -> Snapshot:
    """Load modules as a server does."""
    registry = Registry(folders, Library(database), build)
    await registry.start()
    return registry.snapshot


def make_api(database: Database, snapshot: Snapshot) -> Api:
    """Make what executes operations on a database, with the tools of tickets."""
    files, rules = Files(database), Rules()
    desk = make_desk(database, files)
    writing = Writing(make_conducts(desk), {**make_hands(desk), **HANDS}, rules, NOTE)
    return Api(database, files, snapshot, writing, rules)


@asynccontextmanager
async def open_api(url: str, site: Path) -> AsyncIterator[Api]:
    """Open a desk with the shipped modules and the site's."""
    database = Database(url, pool_size=POOL_SIZE)
    try:
        if url not in _SNAPSHOTS:
            await install(database)
            for name, text in SITE.items():
                (site / f"{name}.yaml").write_text(text)
            _SNAPSHOTS[url] = await load(database, [MODULES, site])
        yield make_api(database, _SNAPSHOTS[url])
    finally:
        await database.close()
