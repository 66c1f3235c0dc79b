"""What the explanations say is what operations give: for every role, module, right and row of the world."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import parse, validate

from identity.access import Right, access_of
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.explain_access import Question, entitlements, explain
from resolvers.ids import write_id
from resolvers.writing import Writing
from schema.outline import visible
from schema.spec import Home, Module, Operation
from storage.engine import Database
from tests.access.model import ROLES, TABLES, Role
from tests.access.worlds import SECRET, Place, base, fill, patient, rights_of, run_alone
from tests.databases import PATIENCE_S, fresh_url

BASE = base(5)
REFUSED = {"FORBIDDEN", "NOT_FOUND"}
EVERY = {"sqlite": 2}  # row is asked about; of other databases every fifth
VALUES = {"string": '"green"', "text": '"green"', "int": "5"}  # of a patch, by the kind of its field
CASES = [("sqlite", name) for name in ROLES] + [("postgresql", "supervisor"), ("mysql", "supervisor")]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made: dict[str, Place] = {}
    opened = []

    def place(dialect: str) -> Place:
        if dialect not in made:
            url = fresh_url(dialect)
            opened.append(url)
            made[dialect] = run_alone(url.__enter__(), tmp_path_factory.mktemp("why"), BASE)
        return made[dialect]

    yield place
    for url in opened:
        url.__exit__(None, None, None)


class Person:
    """Somebody of a role, in a world that is as it was made."""

    def __init__(self, role: Role, place: Place, database: Database) -> None:
        self.rights = rights_of(role)
        self.access = access_of(self.rights)
        self.place = place
        self.database = database
        self.step = EVERY.get(database.dialect.name, 5)
        self.modules = visible(place.snapshot.modules, self.access.audience)

    @property
    def context(self) -> Context:
        deadline = time.monotonic() + PATIENCE_S
        return Context(self.place.snapshot, self.database, SECRET, self.rights, request_id="why", deadline=deadline)

    async def ask(self, text: str) -> tuple[Any, set[str]]:
        """Send an operation; return its data and the codes of its errors. What the schema has not is refused too."""
        context, document = self.context, parse(text)
        if validate(context.schema, document):
            return None, {"FORBIDDEN"}
        result = await execute(context, document, writing=Writing())
        found = json.loads(json.dumps({"data": result.data, "errors": [e.formatted for e in result.errors or ()]}))
        payload = (found["data"] or {}).get("m") or {}
        codes = {item["extensions"]["code"] for item in found["errors"]}
        return found["data"], codes | {item["code"] for item in payload.get("errors") or ()}

    async def sees(self, module: Module) -> set[str] | None:
        """Return the ids of the rows that a list gives, or None where it is refused."""
        wanted = "nodes { id }" if module.has_id else "totalCount"
        data, codes = await self.ask(f"{{ r: {module.many_root}(first: 100) {{ {wanted} }} }}")
        return None if codes & REFUSED else {row["id"] for row in data["r"].get("nodes", ())}


@pytest.mark.parametrize(("dialect", "name"), CASES)
def test_a_yes_is_what_an_operation_gives_and_a_no_what_it_refuses(places: Any, dialect: str, name: str) -> None:
    place = places(dialect)
    met: Counter[str] = Counter()

    async def run() -> None:
        await fill(place.url, BASE)
        database = patient(place.url)
        try:
            await _hold(Person(ROLES[name], place, database), met)
        finally:
            await database.close()

    asyncio.run(run())
    assert met["view"] > (0 if name in ("nobody", "lonely") else 5), met


async def _hold(person: Person, met: Counter[str]) -> None:
    told = {(item.module.name, item.right): item for item in entitlements(person.access, person.modules)}
    for module in person.modules.values():
        seen = await person.sees(module)
        assert told[module.name, Right.VIEW].reason.allowed is (seen is not None), module.name
        for row_id in _ids(module)[:: person.step]:
            steps = await explain(person.context, person.rights, Question(module, Right.VIEW, None, row_id))
            assert all(step.allowed for step in steps) is (row_id in (seen or set())), (module.name, row_id, steps)
            met["view"] += steps[-1].about == "row" and steps[-1].allowed
            _check_parts(steps[-1])
    for right in (Right.UPDATE, Right.DELETE):
        for module in person.modules.values():
            if Operation(right) in module.operations and not module.access.of(person.access.audience).update.check:
                await _write(person, module, right, met)


def _check_parts(step: Any) -> None:
    """A row is to be seen exactly where an alternative holds, and what is said of keys is about the ones that are held."""
    if step.parts:
        assert step.allowed is any(part.allowed for part in step.parts)
    assert all(part.allowed for part in step.parts if part.grants)
    assert all(part.grants for part in step.parts if part.allowed and _only_groups(part.rule))


def _only_groups(rule: str) -> bool:
    return "$me.groups" in rule and " not" not in rule


def _ids(module: Module) -> list[str]:
    table = next((name for name, kept in TABLES.items() if kept == module.table), "")
    rows = BASE.rows.get(module.table) or (BASE.of(table) if table else {})
    return [write_id(module, (key,)) for key in rows] if module.has_id and len(module.key_columns) == 1 else []


async def _write(person: Person, module: Module, right: Right, met: Counter[str]) -> None:
    patch = _patch(person, module) if right is Right.UPDATE else ""
    if right is Right.UPDATE and not patch:
        return
    for row_id in _ids(module)[:: person.step]:
        steps = await explain(person.context, person.rights, Question(module, right, None, row_id))
        name = f"{right.value}{module.type_name}"
        more = f", patch: {{{patch}}}" if patch else ""
        _, codes = await person.ask(
            f'mutation {{ m: {name}(input: {{key: {{id: "{row_id}"}}{more}}}) {{ errors {{ code }} }} }}'
        )
        assert all(step.allowed for step in steps) is not bool(codes & REFUSED), (name, row_id, codes, steps)
        met[right.value] += not codes


def _patch(person: Person, module: Module) -> str:
    """Write a patch of one field that no rule of rows names."""
    rules = json.dumps([person.access.unfilled(module, right, after=False) for right in Right], default=str)
    for item in module.fields:
        named = f'"{item.api_name}"' in rules or item.required or item.unique or item.readonly
        if item.home is Home.TABLE and item.kind in VALUES and not named and person.access.gives(module, item):
            return f"{item.api_name}: {VALUES[item.kind]}"
    return ""
