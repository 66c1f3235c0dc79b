"""No operation of a role changes a row that it may not write, on any path; and what it is refused tells it nothing.

What a database holds is compared before and after every operation, and every difference is held against `model`. What the role
may know of it must stay the same in both worlds: so no answer and no effect hangs on what is hidden, nor does anything that
hangs on an effect. What `uncovered` tells is excepted.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, get_named_type, get_nullable_type, parse, validate
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from resolvers.conduct import ChangeKind
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.past import write_change_id
from resolvers.writing import Writing
from schema.bindings import WriteRoot
from schema.spec import Field, Module
from schema.writes import Deed, record_name, records_name
from storage.engine import Database
from tests.access.model import COLUMNS, ROLES, TABLES, Desk, Model, Role, Row, empty_desk
from tests.access.modules_under_test import DYNAMIC
from tests.access.modules_under_test import TABLES as OWN_TABLES
from tests.access.operations import Ground, Maker, Name, literal
from tests.access.uncovered import shown, told
from tests.access.worlds import SECRET, Place, base, fill, other, patient, rights_of, run_alone
from tests.counts import count
from tests.databases import PATIENCE_S, fresh_url

AT_ONCE = 20  # operations of one example
IN_ONE_WORLD = 1_000  # operations at most: in the end nearly all that a role sees would be of its own making
OPERATIONS = {"sqlite": count(480, 60_000), "postgresql": count(120, 6_000), "mysql": count(120, 6_000)}
FEW = ("supervisor", "twice")
WRITING = ("administrator", "supervisor", "reader", "customer", "twice", "token")
CASES = [(dialect, name) for dialect in OPERATIONS for name in (WRITING if dialect == "sqlite" else FEW)]
# What a value of a reference must be a visible row of, by module and column; texts are anybody's to write.
LINKS = {
    ("tray", "group_id"): "grp",
    ("job", "tray_id"): "tray",
    ("job", "owner_id"): "person",
    ("job", "reviewer_id"): "person",
    ("job", "parent_id"): "job",
    ("job", "memo_id"): "memo",
    ("note", "job_id"): "job",
    ("watch", "job_id"): "job",
}
UNIQUE = frozenset({("tray", "name"), ("job", "number"), ("client", "login")})
_BY_TABLE = {table: module for module, table in TABLES.items()}


async def read(database: Database) -> Desk:
    """Read everything that there is."""
    desk = empty_desk()
    for table in OWN_TABLES:
        names = [column.name for column in table.columns]
        rows = await database.fetch(f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608 - our own words
        found = [dict(zip(names, row, strict=True)) for row in rows]
        if table.name == "w_line":
            desk.lines = sorted(found, key=repr)
        elif table.name == "w_job_label":
            desk.pairs = sorted((row["job_id"], row["label_id"]) for row in found)
        else:
            desk.rows[table.name] = {row["id"]: row for row in found}
    for key, zone, pin in await database.fetch("SELECT id, zone, pin_code FROM lambdesk_ext_w_gear"):
        desk.of("gear").setdefault(key, {"id": key, "name": None}).update(zone=zone, pin_code=pin)
    for module, columns in (
        ("person", ("id", "login")),
        ("grp", ("id", "name")),
        ("client", ("id", "login", "email", "customer_id")),
    ):
        rows = await database.fetch(f"SELECT {', '.join(columns)} FROM {TABLES[module]}")  # noqa: S608
        desk.rows[TABLES[module]] = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    await _read_clients(database, desk)
    await _read_changes(database, desk)
    return desk


async def _read_clients(database: Database, desk: Desk) -> None:
    called = {number: name for number, name, *_ in DYNAMIC}
    values = await database.fetch(
        "SELECT object_id, field_id, value_text, value_int FROM dynamic_field_value ORDER BY id"
    )
    for key, field, text, number in values:
        row = desk.of("client").get(key)
        if row is not None:
            row[called[field]] = (*row.get(called[field], ()), text if text is not None else number)


async def _read_changes(database: Database, desk: Desk) -> None:
    """Read the ledger, and from it what rows were like that are gone."""
    gone: dict[tuple[str, int], Row] = {}
    rows = await database.fetch("SELECT id, module, row_key, kind, fields FROM lambdesk_change ORDER BY id")
    for number, module, text, kind, fields in rows:
        key, pairs = json.loads(text)[0], json.loads(fields)
        desk.changes[number] = {"module": module, "key": key, "kind": kind, "fields": pairs}
        if kind == ChangeKind.DELETED:
            before = {COLUMNS[module][name]: pair[0] for name, pair in pairs.items() if name in COLUMNS[module]}
            gone[module, key] = {**dict.fromkeys(COLUMNS[module].values()), **before, "id": key}
    for entry in desk.changes.values():
        entry["gone"] = gone.get((entry["module"], entry["key"]))


class Judge:
    """Holds what has changed against the rules."""

    def __init__(self, role: Role, before: Desk, after: Desk) -> None:
        self.before = Model(role, before)
        self.after = Model(role, after)
        self.changed: set[tuple[str, int]] = set()
        self.wrong: list[str] = []

    def judge(self) -> list[str]:
        """Return what should not have happened."""
        one, two = self.before.desk, self.after.desk
        if one.lines != two.lines or one.pairs != two.pairs:
            self.wrong.append("rows without a key changed")
        for table, module in _BY_TABLE.items():
            before, after = one.rows[table], two.rows[table]
            for key in {*before, *after}:
                if before.get(key) != after.get(key):
                    self.changed.add((module, key))
                    self._row(module, before.get(key), after.get(key))
        for number in {*two.changes} - {*one.changes}:
            entry = two.changes[number]
            if (entry["module"], entry["key"]) not in self.changed:
                self.wrong.append(f"the ledger has {entry}")
        for number, entry in one.changes.items():
            if {**two.changes.get(number, {}), "gone": None} != {**entry, "gone": None}:
                self.wrong.append(f"the ledger had {entry}")
        return self.wrong

    def _row(self, module: str, before: Row | None, after: Row | None) -> None:
        if before is None and after is not None:
            fine = self.before.may(module, "create") and self.after.may_leave(module, "create", after)
            self._columns(module, {}, after)
        elif after is None and before is not None:
            fine = self.before.may_write(module, "delete", before)
        else:
            assert before is not None
            assert after is not None
            fine = self.before.may_write(module, "update", before) and self.after.may_leave(module, "update", after)
            names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
            fine = fine or (names == {"valid_id"} and self.before.may_write(module, "delete", before))
            self._columns(module, before, after)
        if not fine:
            self.wrong.append(f"{module}: {before} became {after}")

    def _columns(self, module: str, before: Row, after: Row) -> None:
        columns = COLUMNS[module]
        for name, column in columns.items():
            value = after.get(column)
            if before.get(column) == value:
                continue
            if name in self.before.hidden(module) and value not in (None, 0, 1) and name != "created_by":
                self.wrong.append(f"{module}.{name} was written: {before} became {after}")
            target = LINKS.get((module, column))
            if target is not None and value is not None:
                row = self.before.desk.of(target).get(value)
                if row is None or not self.before.sees(target, row):
                    self.wrong.append(f"{module}.{name} was led to {target} {value}")


class Inputs(Maker):
    """Makes mutations."""

    def __init__(self, ground: Ground, chance: random.Random, numbers: Iterator[int]) -> None:
        super().__init__(ground, chance)
        self.numbers = numbers
        self.target: tuple[str, int] | None = None  # the row that it names by its key
        self.own = _own(ground.model.role)

    def mutation(self) -> str:
        """Make a mutation of any module that has one."""
        schema = self.ground.schema
        fields = schema.mutation_type.fields if schema.mutation_type else {}
        found = [
            (name, item)
            for name, item in fields.items()
            if isinstance(self._binding(item), WriteRoot) and self._wants(item)
        ]
        if not found or ("undo" in fields and self.chance.random() < 0.15):
            return self._undo() if "undo" in fields else "__typename"
        name, item = self.chance.choice(found)
        root = self._binding(item)
        self.made.traits[root.deed.name] += 1
        written = self.deed(root.module, root.deed)
        return f"{name}(input: {literal(written)}) {{ errors {{ code path }} {self._shown(root.module, root.deed)} }}"

    def _wants(self, item: Any) -> bool:
        """Whether to try a mutation: mostly those that the role may have."""
        root = self._binding(item)
        rights = {Deed.DELETE: "delete", Deed.DELETE_MANY: "delete", Deed.RESTORE: "delete"}
        right = rights.get(root.deed, "create" if "CREATE" in root.deed.name else "update")
        return self.ground.model.may(root.module.name, right) or self.chance.random() < 0.04

    def _shown(self, module: Module, deed: Deed) -> str:
        if deed in (Deed.CREATE, Deed.UPDATE, Deed.UPSERT):
            return f"{record_name(module)} {{ id version }}"
        return "affected" if deed in (Deed.UPDATE_MANY, Deed.DELETE_MANY) else ""

    def _undo(self) -> str:
        self.made.traits["UNDO"] += 1
        changes = self.ground.model.desk.changes
        number = self.chance.choice([*changes, 1, 10**6])
        kind = self.chance.choice((1, 2, 3))
        module = changes.get(number, {}).get("module", "job")
        if number in changes and self.chance.random() < 0.9:
            kind = changes[number].get("kind", kind)
        change = write_change_id(self.ground.modules[module].type_name, number, kind)
        return f"undo(input: {{change: {literal(change)}}}) {{ errors {{ code path }} node {{ id }} }}"

    def deed(self, module: Module, deed: Deed) -> dict[str, Any]:
        """Make the input of a mutation."""
        if deed is Deed.CREATE:
            return {record_name(module): self.record(module, "Create")}
        if deed is Deed.CREATE_MANY:
            rows = [self.record(module, "Create") for _ in range(self.chance.randint(1, 3))]
            policy = {"policy": Name("SKIP_FAILED")} if self.chance.random() < 0.5 else {}
            return {records_name(module): rows, **policy}
        if deed is Deed.UPDATE:
            return {"key": self.key(module), "patch": self.record(module, "Patch")}
        if deed is Deed.UPSERT:
            return {"key": self.key(module), record_name(module): self.record(module, "Create")}
        if deed in (Deed.UPDATE_MANY, Deed.DELETE_MANY):
            many: dict[str, Any] = {"filter": self.filter(module, 1) or {}, "maxAffected": self.chance.choice((2, 50))}
            return {**many, "patch": self.record(module, "Patch")} if deed is Deed.UPDATE_MANY else many
        return {"key": self.key(module)}

    def key(self, module: Module) -> dict[str, Any]:
        number = self._number(module)
        self.target = (module.name, number)
        return {"databaseId": number}

    def record(self, module: Module, kind: str) -> dict[str, Any]:
        """Make what a row is given: what must be there, and a few of the rest."""
        type_ = self.ground.schema.get_type(f"{module.type_name}{kind}")
        assert isinstance(type_, GraphQLInputObjectType)
        found: dict[str, Any] = {}
        chosen = self._some(list(type_.fields), 3)
        for name, item in type_.fields.items():
            member = module.members.get(name)
            needed = kind == "Create" and get_nullable_type(item.type) is not item.type
            if not needed and name not in chosen:
                continue
            if (
                not needed
                and member is not None
                and not self._may_name(module, member.name, raw=name == getattr(member, "raw_name", None))
            ):
                continue
            found[name] = self.given(module, name, item.type)
        raws = [item for item in module.fields if item.raw_name and item.raw_name in found]
        for item in raws:  # a row is named in one way
            found.pop(item.api_name, None)
        return found

    def given(self, module: Module, name: str, type_: Any) -> Any:
        member = module.members.get(name)
        if (module.name, name) in UNIQUE:
            return f"{module.name} {next(self.numbers)}"
        named = get_named_type(type_)
        if (module.name, name) in self.own and self.chance.random() < 0.5:
            return self.chance.choice(self.own[module.name, name])
        if isinstance(named, GraphQLInputObjectType) and isinstance(member, Field) and member.to:
            target = self.ground.modules[member.to]
            return {"databaseId": self._number(target)} if self.chance.random() < 0.8 else {"id": self.id(target)}
        if self.chance.random() < 0.08 and get_nullable_type(type_) is type_ and not isinstance(type_, GraphQLList):
            return None
        return self.value(type_, module, 0, name)


def _own(role: Role) -> Mapping[tuple[str, str], Sequence[Any]]:
    """Return what rules of customers ask of a row, which chance alone seldom gives it."""
    if not role.is_customer:
        return {}
    return {
        ("job", "buyer"): [{"databaseId": role.id}],
        ("job", "buyerLogin"): [role.login],
        ("job", "company"): role.companies,
    }


class Both:
    """Writes into two worlds alike, as one role."""

    def __init__(self, role: Role, dialect: str, one: Place, two: Place) -> None:
        self.role = role
        self.dialect = dialect
        self.snapshot = one.snapshot
        self.runner = asyncio.Runner()
        self.urls = [place.url for place in (one, two)]
        self.databases = [patient(url) for url in self.urls]
        self.schema = Context(self.snapshot, self.databases[0], SECRET, rights_of(role)).schema
        self.met: Counter[str] = Counter()
        self.numbers = iter(range(1, 10**9))
        self.worlds = 0
        self.fresh_until = 0  # so many operations
        self.wrote: list[str] = []  # in these worlds
        self.renew()

    def close(self) -> None:
        for database in self.databases:
            self.runner.run(database.close())
        self.runner.close()

    def renew(self) -> None:
        """Make two worlds that differ in other hidden data than those before."""
        first = base(2 + self.worlds)
        self.start(first, other(self.role, first, seed=7 + self.worlds))

    def start(self, *desks: Desk) -> None:
        """Begin with these rows."""
        for url, desk in zip(self.urls, desks, strict=True):
            self.runner.run(fill(url, desk))
        self.desks = self._read()
        assert shown(self.role, self.desks[0]) == shown(self.role, self.desks[1])
        self.worlds += 1
        self.fresh_until = self.met["operations"] + IN_ONE_WORLD
        self.wrote = []

    def ground(self) -> Ground:
        models = [Model(self.role, desk) for desk in self.desks]
        return Ground(self.schema, self.snapshot.modules, models[0], models[1])

    def write(self, chance: random.Random) -> None:
        """Write anything."""
        made = Inputs(self.ground(), chance, self.numbers)
        text = f"mutation {{ m: {made.mutation()} }}"
        codes = self.send(text)
        self._told(made, text, codes)
        self.met["operations"] += 1
        self.met.update(made.made.traits.keys())
        self.met.update(set(codes))

    def send(self, text: str) -> list[str]:
        """Write into both worlds, hold what is answered and what becomes of them against each other, and return the codes."""
        answers = [self.runner.run(self._ask(database, text)) for database in self.databases]
        assert answers[0] == answers[1], self._tell(text, *answers)
        after = self._read()
        judges = [Judge(self.role, *desks) for desks in zip(self.desks, after, strict=True)]
        for judge in judges:
            assert judge.judge() == [], self._tell(text, answers[0])
        if any(judge.changed for judge in judges):
            self.met["wrote"] += 1
            self.compare(text, after)
        return self._codes(answers[0])

    def _read(self) -> list[Desk]:
        return [self.runner.run(read(database)) for database in self.databases]

    def compare(self, text: str, after: list[Desk]) -> None:
        """Refuse worlds that show the role anything else since a write, but for rows that the write brought into sight.

        Those may differ, and so may all that is answered from then on: only worlds that show the same can be compared.
        """
        pairs = [told(self.role, *desks) for desks in zip(self.desks, after, strict=True)]
        assert pairs[0] == pairs[1], self._tell(text, *sorted({*pairs[0]} ^ {*pairs[1]}))
        self.desks = after
        self.wrote.append(text)
        if shown(self.role, after[0]) != shown(self.role, after[1]):
            self.met["uncovered"] += 1
            self.renew()

    def _tell(self, text: str, *found: str) -> str:
        return "\n".join((f"{self.role.name}, world {self.worlds}", *self.wrote, text, *found))

    async def _ask(self, database: Database, text: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        context = Context(self.snapshot, database, SECRET, rights_of(self.role), request_id="same", deadline=deadline)
        document = parse(text)
        assert validate(context.schema, document) == [], text
        result = await execute(context, document, writing=Writing())
        return json.dumps(
            {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}, default=str
        )

    def _codes(self, answer: str) -> list[str]:
        found = json.loads(answer)
        payload = (found["data"] or {}).get("m")
        payload = payload if isinstance(payload, dict) else {}
        return [item["extensions"]["code"] for item in found["errors"]] + [
            item["code"] for item in payload.get("errors") or ()
        ]

    def _told(self, made: Inputs, text: str, codes: list[str]) -> None:
        """A row that the role does not see is not there for it."""
        assert "INTERNAL" not in codes, text
        if made.target is None or made.bold or "upsert" in text:
            return
        module, number = made.target
        if number >= 5_000 or not made.ground.model.may(module, "view"):
            return
        row = made.ground.model.desk.of(module).get(number)
        if row is None or not made.ground.model.sees(module, row):
            assert codes, text
            assert "FORBIDDEN" not in codes or not self._may(made, text), (text, codes)

    def _may(self, made: Inputs, text: str) -> bool:
        """Whether the role may do this with any row of the module."""
        module = made.target[0] if made.target else ""
        right = "update" if ": update" in text else "delete"
        return made.ground.model.may(module, right)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Make two databases for one role, which writes into both."""
    with ExitStack() as stack:

        def pair(dialect: str) -> list[Place]:
            return [
                run_alone(stack.enter_context(fresh_url(dialect)), tmp_path_factory.mktemp("modules"), empty_desk())
                for _ in range(2)
            ]

        yield pair


@pytest.mark.parametrize(("dialect", "name"), CASES)
def test_nobody_writes_what_he_may_not(places: Any, dialect: str, name: str) -> None:
    both = Both(ROLES[name], dialect, *places(dialect))
    failures: list[Exception] = []
    roles = len(WRITING) if dialect == "sqlite" else len(FEW)

    @settings(
        max_examples=-(-OPERATIONS[dialect] // AT_ONCE // roles), deadline=None, database=None, phases=[Phase.generate]
    )
    @given(st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        try:
            if not failures and both.met["operations"] >= both.fresh_until:
                both.renew()
            for _ in range(AT_ONCE if not failures else 0):
                both.write(chance)
        except Exception as error:  # noqa: BLE001 - told again when it is tried again: the worlds have moved on
            failures.append(error)
        if failures:
            raise failures[0]

    try:
        run()
        assert (
            both.met["wrote"] > (0.2 if name in ("administrator", "supervisor") else 0.02) * both.met["operations"]
        ), both.met
    finally:
        both.close()
