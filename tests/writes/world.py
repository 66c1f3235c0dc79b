"""A desk on which rows are written through the API, in process: the shipped modules and those of these tests."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from graphql import ExecutionResult, parse, validate

from identity.principals import Agent, Principal
from identity.rights import Rights, unbounded
from lambdas.contract import Runner
from resolvers.context import Ask, Context
from resolvers.execute import execute
from resolvers.hooks import HookRunner
from resolvers.lambda_outside import Outside
from resolvers.writing import Writing
from schema.registry import Registry
from schema.snapshot import Snapshot
from storage.engine import Database
from storage.install import install
from storage.library import Library
from storage.values import wall_clock
from tests.databases import NOW
from tests.writes.modules_under_test import DYNAMIC, FILES, strange_tables
from web.lifecycle import build

MODULES = Path(__file__).parent.parent.parent / "modules"
SECRET = b"a secret of these tests, 32 bytes"
AGENT = Agent(1, "root@localhost")
ERRORS = "errors { code message path messageKey params }"
_numbers = count(1)


@dataclass(frozen=True, repr=False)  # pytest writes the arguments of fixtures down, and a snapshot is long
class Place:
    """A database with what serves on it."""

    url: str
    snapshot: Snapshot


async def make_place(url: str, folder: Path) -> Place:
    """Give a database its tables, dynamic fields and the tests' modules."""
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    database = Database(url)
    try:
        await install(database)
        async with database.transaction() as transaction:
            for statement in strange_tables(database.dialect.name):
                await transaction.execute(statement)
            for number, name, kind, owner, config in DYNAMIC:
                row: dict[str, Any] = {
                    "id": number,
                    "name": name,
                    "label": name,
                    "field_order": number,
                    "field_type": kind,
                }
                row |= {"object_type": owner, "config": config, "internal_field": 0, "valid_id": 1}
                row |= {f"{verb}_time": wall_clock(NOW, database.dialect.name, UTC) for verb in ("create", "change")}
                row |= {"create_by": 1, "change_by": 1}
                table = sa.table("dynamic_field", *map(sa.column, row))
                await transaction.execute(sa.insert(table).values(row))
        registry = Registry([MODULES, folder], Library(database), build)
        await registry.start()
        problems = [item for item in registry.snapshot.problems if item.level == "error"]
        assert not problems, problems
        return Place(url, registry.snapshot)
    finally:
        await database.close()


@dataclass(repr=False)
class Desk:
    """Asks as an agent. `seen` holds the text of every statement."""

    database: Database
    snapshot: Snapshot
    seen: list[str] = field(default_factory=list)

    async def run(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        languages: Sequence[str] = (),
        hooks: HookRunner | None = None,
        caller: Principal = AGENT,
        rights: Rights | None = None,
        lambdas: Runner | None = None,
        asks: Mapping[str, Ask] | None = None,
        outside: Outside | None = None,
    ) -> ExecutionResult:
        """Run a valid document; without `rights` the caller may do everything."""
        context = self.context(rights or unbounded(caller), lambdas, languages)
        context.asks = asks or {}
        document = parse(query)
        assert validate(context.schema, document) == []
        writing = Writing(hooks=hooks, outside=outside, idempotency_key=key)
        return await execute(context, document, None, variables, writing=writing)

    def context(self, rights: Rights, lambdas: Runner | None = None, languages: Sequence[str] = ()) -> Context:
        """Begin a request."""
        found = Context(self.snapshot, self.database, SECRET, rights, languages=tuple(languages))
        found.lambdas = lambdas or found.lambdas
        return found

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, **how: Any) -> dict[str, Any]:
        """Run a document that succeeds, and return its data."""
        result = await self.run(query, variables, **how)
        assert result.errors is None, [(error.message, error.original_error) for error in result.errors]
        assert result.data is not None
        return result.data

    async def code(self, query: str, variables: Mapping[str, Any] | None = None, **how: Any) -> str:
        """Run a document that fails as a whole, and return the code of its error."""
        result = await self.run(query, variables, **how)
        assert result.errors, result.data
        return str((result.errors[0].extensions or {})["code"])

    async def write(self, name: str, given: Mapping[str, Any], select: str = "", **how: Any) -> dict[str, Any]:
        """Carry out one mutation and return its payload."""
        data = await self.ask(mutation(name, select), {"i": given}, **how)
        payload: dict[str, Any] = data[name]
        return payload

    async def refused(self, name: str, given: Mapping[str, Any], **how: Any) -> list[tuple[str, str | None]]:
        """Carry out a mutation that is refused, and return the codes with the paths."""
        return faults(await self.write(name, given, **how))

    async def made(self, name: str, given: Mapping[str, Any], select: str = "id", **how: Any) -> dict[str, Any]:
        """Make a row and return what is selected of it."""
        record = name[0].lower() + name[1:]
        payload = await self.write(f"create{name}", {record: given}, f"{record} {{ {select} }}", **how)
        assert payload["errors"] == [], payload["errors"]
        row: dict[str, Any] = payload[record]
        return row

    async def rows(self, table: str, where: str = "1 = 1", columns: str = "*") -> list[tuple[Any, ...]]:
        """Read rows as they are stored, sorted."""
        text = f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608 - the tests' own words
        return sorted(await self.database.fetch(text), key=repr)


def mutation(name: str, select: str = "") -> str:
    """Write a document with one mutation."""
    return f"mutation($i: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $i) {{ {select} {ERRORS} }} }}"


def faults(payload: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return the codes of a payload's errors with their paths."""
    return [(item["code"], ".".join(item["path"]) if item["path"] is not None else None) for item in payload["errors"]]


def fresh(word: str = "n") -> str:
    """Make a name that no other test uses."""
    return f"{word}{next(_numbers)}"


def queue(name: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the input of a new queue."""
    needed = {name: {"databaseId": 1} for name in ("systemAddress", "salutation", "signature")}
    return {"name": name or fresh("Queue"), "group": {"name": "users"}, **needed, **more}


def customer(login: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the input of a new customer user."""
    login = login or fresh("customer")
    return {
        "login": login,
        "email": f"{login}@example.com",
        "companyId": "acme",
        "firstName": "Ada",
        "lastName": "Ames",
        **more,
    }


def run_alone(url: str, folder: Path) -> Place:
    """Make a place outside of any event loop."""
    return asyncio.run(make_place(url, folder))
