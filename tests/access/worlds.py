"""Databases that differ only in what a role may not see: the rows of `base`, then changed at random as long as it shows nothing."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from graphql import GraphQLSchema
from sqlalchemy.schema import CreateTable

from identity.principals import Agent, Customer, Person, Principal, Scope, Token
from identity.rights import Grant, Rights
from schema.build import HandWritten, build_schema
from schema.history import history_extension
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.spec import Audience, Module, Operation
from storage.engine import Database
from storage.library import Library
from storage.values import wall_clock
from tests.access.model import COLUMNS, GROUPS, TABLES, Desk, Model, Role, Row, empty_desk
from tests.access.modules_under_test import DYNAMIC, FILES, TABLE
from tests.access.modules_under_test import TABLES as OWN_TABLES
from tests.databases import NOW, PATIENCE_S

SECRET = b"a secret of these tests, 32 bytes"
TRIES = 400  # changes that are tried for one world
NEXT_ID = 5_000  # of new rows, the same in every world
_COMPANIES = ("acme", "bolt", "hidden-co", "gone-co", None)
_LOGINS = ("carla", "cyril", "lena", "dora", "emil", "nobody-there", None)
_STATES = ("open", "shut", "secret", None)
_CODES = ("acme", "bolt", "cord", "dusk", None)
_WORDS = ("red", "blue", "green", "printer", "night", "Zebra", "äpfel", None)
_ZONES = ("dark", "cellar 3", "roof", "hall", None)
_AGENTS = (1, 11, 12, 13, 99, None)
_TAXES = ("t1", "t2", "t3", None)


def base(seed: int = 1) -> Desk:
    """Make the rows of the first world."""
    chance = random.Random(seed)
    desk = empty_desk()
    for number, name in ((11, "rita"), (12, "sofia"), (13, "nils")):
        desk.of("person")[number] = {"id": number, "login": name}
    for name, number in GROUPS.items():
        desk.of("grp")[number] = {"id": number, "name": name}
    sizes = {"tray": 9, "job": 45, "note": 35, "firm": 12, "watch": 14, "label": 9, "memo": 5, "gear": 12, "client": 10}
    for module, size in sizes.items():
        for number in range(1, size + 1):
            desk.of(module)[number] = new_row(chance, module, number)
    for number, login in ((21, "carla"), (22, "cyril"), (23, "lena")):
        company = {21: "acme", 22: "bolt", 23: ""}[number]
        desk.of("client")[number] = {**new_row(chance, "client", number), "login": login, "customer_id": company}
    desk.lines = [new_line(chance) for _ in range(24)]
    desk.pairs = [(chance.randint(1, 45), chance.randint(1, 9)) for _ in range(60)]
    number = 0
    for module in ("tray", "job", "firm", "note", "gear"):
        for key, row in list(desk.of(module).items())[:14]:
            number += 2
            desk.changes[number] = change(module, key, 1, created(module, row))
            number += 2
            desk.changes[number] = change(module, key, 2, updated(chance, module, row))
    for module in ("tray", "firm"):
        for key in range(200, 208):
            row = new_row(chance, module, key)
            number += 2
            desk.changes[number] = {**change(module, key, 3, removed(module, row)), "gone": row}
    number += 2
    desk.changes[number] = change("grp", 1, 2, {"name": ["persons", "users"]})
    return desk


def new_row(chance: random.Random, module: str, number: int) -> Row:
    """Make a row with anything in it."""
    return {"id": number, **{column: value(chance, module, column, number) for column in COLUMNS[module].values()}}


def new_line(chance: random.Random) -> Row:
    return {name: value(chance, "line", name, 0) for name in COLUMNS["line"].values()}


def value(chance: random.Random, module: str, column: str, number: int) -> Any:
    """Choose what a column may hold."""
    picks: Mapping[str, Sequence[Any]] = {
        "group_id": (1, 101, 102, 103, 103),
        "budget": (None, 5, 10, 250),
        "remark": _WORDS,
        "open": (0, 1, 1),
        "title": _WORDS,
        "tray_id": (*range(1, 10), 77),
        "owner_id": _AGENTS,
        "buyer_login": _LOGINS,
        "company": _COMPANIES,
        "firm_code": _CODES,
        "tax_code": _TAXES,
        "reviewer_id": _AGENTS,
        "parent_id": (*range(1, 46), None),
        "memo_id": (1, 2, 3, None),
        "state": _STATES,
        "hot": (0, 1, None),
        "internal": (0, 0, 1, None),
        "price": (None, "1.50", "20.00", "300.25"),
        "due": (None, datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        "secret_note": _WORDS,
        "valid_id": (1, 1, 2),
        "job_id": (*range(1, 46), None),
        "text": _WORDS,
        "is_inner": (0, 1, None),
        "create_by": _AGENTS,
        "code": _CODES,
        "tax": _TAXES,
        "rating": (1, 2, 3, None),
        "agent_id": (1, 11, 12, 13),
        "shared": (0, 1, None),
        "zone": _ZONES,
        "pin_code": _WORDS,
        "customer_id": tuple(item for item in _COMPANIES if item),
        "hidden_rank": (1, 2, 3, 4, None),
        "Note": _WORDS,
        "Vip": (0, 1, None),
        "Tags": ((), ("a",), ("b",), ("a", "b")),
    }
    if column == "name" and module == "tray":
        return f"Tray {number}"
    if column == "number":
        return f"J{number:04}"
    if column == "login":
        return f"client{number}"
    if column == "email":
        return f"{chance.choice(('post', 'mail', 'desk'))}{number}@example.com"
    if column == "name":
        return chance.choice([word for word in _WORDS if word])
    return chance.choice(picks[column])


# --- the past ---


def change(module: str, key: int, kind: int, fields: Mapping[str, Any]) -> Row:
    return {"module": module, "key": key, "kind": kind, "fields": dict(fields), "gone": None}


_TRUTHS = frozenset({"open", "hot", "internal", "is_inner", "shared", "Vip"})


def _stored(column: str, found: Any) -> Any:
    if isinstance(found, datetime):
        return found.isoformat()
    return bool(found) if column in _TRUTHS and found is not None else found


def _kept(module: str, row: Row) -> dict[str, Any]:
    found = {name: _stored(column, row.get(column)) for name, column in COLUMNS[module].items()}
    return {name: item for name, item in found.items() if item is not None and name != "created_by"}


def created(module: str, row: Row) -> dict[str, Any]:
    return {name: [None, item] for name, item in _kept(module, row).items()}


def removed(module: str, row: Row) -> dict[str, Any]:
    return {name: [item, None] for name, item in _kept(module, row).items()}


def updated(chance: random.Random, module: str, row: Row) -> dict[str, Any]:
    kept = _kept(module, row)
    names = chance.sample(sorted(kept), min(3, len(kept)))
    columns = COLUMNS[module]
    return {
        name: [_stored(columns[name], value(chance, module, columns[name], row["id"])), kept[name]] for name in names
    }


# --- other worlds ---


def other(role: Role, desk: Desk, seed: int) -> Desk:
    """Return a desk that shows a role the same, and differs in as much else as can be."""
    chance = random.Random(seed)
    shown = repr(Model(role, desk).shown())
    found = copy.deepcopy(desk)
    for attempt in range(TRIES):
        tried = _Trial(found)
        tried.alter(chance, attempt)
        if repr(Model(role, found).shown()) != shown:
            tried.undo()
    return found


def _drop(rows: dict[int, Row], key: int) -> None:
    del rows[key]


class _Trial:
    """One change of a desk that can be taken back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.undo: Callable[[], None] = lambda: None

    def alter(self, chance: random.Random, attempt: int) -> None:
        desk = self.desk
        what = chance.random()
        if what < 0.7:
            module = chance.choice(
                ["tray", "job", "job", "job", "note", "firm", "watch", "label", "memo", "gear", "client"]
            )
            self._alter_row(chance, desk.of(module), module, 300 + attempt)
        elif what < 0.8:
            before = list(desk.lines)
            self.undo = lambda: desk.lines.__setitem__(slice(None), before)
            if desk.lines and chance.random() < 0.7:
                place = chance.randrange(len(desk.lines))
                name = chance.choice(["hidden_rank", "text", "tray_id"])
                desk.lines[place] = {**desk.lines[place], name: value(chance, "line", name, 0)}
            else:
                desk.lines.insert(0, new_line(chance))
        elif what < 0.85:
            pairs = list(desk.pairs)
            self.undo = lambda: desk.pairs.__setitem__(slice(None), pairs)
            desk.pairs.append((chance.randint(1, 60), chance.randint(1, 12)))
            if chance.random() < 0.5:
                desk.pairs.pop(chance.randrange(len(desk.pairs)))
        else:
            self._alter_past(chance)

    def _alter_row(self, chance: random.Random, rows: dict[int, Row], module: str, number: int) -> None:
        how = chance.random()
        key = chance.choice(list(rows)) if rows else number
        before = rows.get(key)
        if how < 0.2 and before is not None:
            del rows[key]
            self.undo = lambda: rows.__setitem__(key, before)
        elif how < 0.4 or before is None:
            rows[number] = new_row(chance, module, number)
            self.undo = lambda: _drop(rows, number)
        else:
            column = chance.choice([name for name in COLUMNS[module].values() if name not in ("login", "number")])
            if module == "tray" and column == "name":
                return
            rows[key] = {**before, column: value(chance, module, column, key)}
            self.undo = lambda: rows.__setitem__(key, before)

    def _alter_past(self, chance: random.Random) -> None:
        changes = self.desk.changes
        number = chance.choice(list(changes))
        before = changes[number]
        how = chance.random()
        if how < 0.3:
            del changes[number]
            self.undo = lambda: changes.__setitem__(number, before)
        elif how < 0.6:
            new = number + 1  # those of the first world are even
            if new in changes or new > max(changes):
                return
            module = chance.choice(["tray", "job", "firm", "note", "memo"])
            key = chance.choice(list(self.desk.of(module)) or [1])
            row = self.desk.of(module).get(key) or new_row(chance, module, key)
            changes[new] = change(module, key, 2, updated(chance, module, row))
            self.undo = lambda: _drop(changes, new)
        else:
            names = list(before["fields"])
            if not names:
                return
            name = chance.choice(names)
            column = COLUMNS[before["module"]][name]
            pair = list(before["fields"][name])
            side = 1 if pair[0] is None else 0
            pair[side] = _stored(column, value(chance, before["module"], column, before["key"]))
            if pair[side] is None:
                return
            gone = {**before["gone"], column: before["gone"][column]} if before["gone"] else None
            if gone is not None:
                raw = pair[0]
                gone[column] = int(raw) if isinstance(raw, bool) else raw
            changes[number] = {**before, "fields": {**before["fields"], name: pair}, "gone": gone}
            self.undo = lambda: changes.__setitem__(number, before)


# --- on a database ---

# Where `fill` writes; those who came with the installation stay.
FILLED = (
    *(table.name for table in OWN_TABLES),
    "lambdesk_ext_w_gear",
    "lambdesk_change",
    "dynamic_field_value",
    "dynamic_field_obj_id_name",
    "customer_user",
    "users WHERE id > 1",
    "permission_groups WHERE id > 100",
)


@dataclass(frozen=True, repr=False)
class Place:
    """A database with what serves on it."""

    url: str
    snapshot: Snapshot


def patient(url: str) -> Database:
    """Open a database for proofs: what is answered counts, not how fast."""
    return Database(url, statement_timeout_s=PATIENCE_S, acquire_timeout_s=PATIENCE_S, connect_timeout_s=PATIENCE_S)


def build(modules: Mapping[str, Module], before: Mapping[Audience, GraphQLSchema]) -> Mapping[Audience, GraphQLSchema]:
    return {
        audience: build_schema(
            modules, audience, HandWritten(extensions=(history_extension,)), before.get(audience)
        ).mortal()
        for audience in Audience
    }


async def make_tables(url: str, folder: Path) -> Snapshot:
    """Make the tables and load the modules on an installed database."""
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    database = patient(url)
    try:
        async with database.transaction() as transaction:
            for table in OWN_TABLES:
                await transaction.execute(CreateTable(table))
            for number, name, kind, owner, config in DYNAMIC:
                row: Row = {"id": number, "name": name, "label": name, "field_order": number, "field_type": kind}
                row |= {"object_type": owner, "config": config, "internal_field": 0}
                await _insert(transaction, "dynamic_field", [{**row, **_audit(database)}])
        registry = Registry([folder], Library(database), build)
        await registry.start()
        problems = [item for item in registry.snapshot.problems if item.level != "info"]
        assert not problems, problems
        return registry.snapshot
    finally:
        await database.close()


def _audit(database: Database) -> Row:
    now = wall_clock(NOW, database.dialect.name, UTC)
    return {"create_time": now, "change_time": now, "create_by": 1, "change_by": 1, "valid_id": 1}


async def _insert(transaction: Any, table: str, rows: Sequence[Row]) -> None:
    if rows:
        made = TABLE.get(table)
        target = made if made is not None else sa.table(table, *map(sa.column, rows[0]))
        for start in range(0, len(rows), 50):
            await transaction.execute(sa.insert(target).values(list(rows[start : start + 50])))


async def fill(url: str, desk: Desk) -> None:
    """Write a desk's rows into a database, in place of those that an earlier one left there."""
    database = patient(url)
    dialect = database.dialect.name
    audit = _audit(database)
    try:
        async with database.transaction() as transaction:
            for emptied in FILLED:
                await transaction.execute(f"DELETE FROM {emptied}")  # noqa: S608 - the tests' own words
            people = list(desk.of("person").values())
            named = {"pw": "x", "title": "", "first_name": "A", "last_name": "B"}
            await _insert(transaction, "users", [{**row, **named, **audit} for row in people])
            groups = [row for row in desk.of("grp").values() if row["id"] > 100]
            await _insert(transaction, "permission_groups", [{**row, **audit} for row in groups])
            for module in ("tray", "job", "note", "firm", "watch", "label", "memo"):
                rows = [_written(row, dialect) for row in desk.of(module).values()]
                await _insert(transaction, TABLES[module], rows)
            gears = desk.of("gear").values()
            await _insert(transaction, "w_gear", [{"id": row["id"], "name": row["name"]} for row in gears])
            beside = [{"id": row["id"], "zone": row["zone"], "pin_code": row["pin_code"]} for row in gears]
            await _insert(transaction, "lambdesk_ext_w_gear", beside)
            await _fill_clients(transaction, desk, {**named, **audit})
            await _insert(transaction, "w_line", desk.lines)
            await _insert(transaction, "w_job_label", [{"job_id": job, "label_id": label} for job, label in desk.pairs])
            await _insert(
                transaction, "lambdesk_change", [_change(number, item) for number, item in sorted(desk.changes.items())]
            )
            for table in OWN_TABLES:
                if "id" in table.columns:
                    await _start_at(transaction, dialect, table.name)
            await _start_at(transaction, dialect, "lambdesk_change")
    finally:
        await database.close()


async def _fill_clients(transaction: Any, desk: Desk, more: Row) -> None:
    clients = desk.of("client").values()
    own = [{name: row[name] for name in ("id", "login", "email", "customer_id")} for row in clients]
    await _insert(transaction, "customer_user", [{**row, **more} for row in own])
    names = [{"object_id": row["id"], "object_name": row["login"], "object_type": "CustomerUser"} for row in clients]
    await _insert(transaction, "dynamic_field_obj_id_name", names)
    empty = {"value_text": None, "value_date": None, "value_int": None}
    values = []
    for row in clients:
        for number, name, *_ in DYNAMIC:
            given = row[name] if isinstance(row[name], tuple) else (row[name],)
            column = "value_int" if name == "Vip" else "value_text"
            values += [
                {"field_id": number, "object_id": row["id"], **empty, column: item}
                for item in given
                if item is not None
            ]
    await _insert(transaction, "dynamic_field_value", values)


def _written(row: Row, dialect: str) -> Row:
    return {name: wall_clock(item, dialect, UTC) if isinstance(item, datetime) else item for name, item in row.items()}


def _change(number: int, item: Row) -> Row:
    return {
        "id": number,
        "module": item["module"],
        "row_key": f"[{item['key']}]",
        "kind": item["kind"],
        "at": 1_780_000_000_000 + number,
        "actor_kind": "agent",
        "actor_id": 1,
        "actor_login": "root@localhost",
        "request_id": None,
        "fields": json.dumps(item["fields"]),
    }


async def _start_at(transaction: Any, dialect: str, table: str) -> None:
    """Let the database number new rows alike in every world."""
    statements = {
        "sqlite": [
            f"DELETE FROM sqlite_sequence WHERE name = '{table}'",  # noqa: S608 - the tests' own words
            f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {NEXT_ID})",  # noqa: S608
        ],
        "mysql": [f"ALTER TABLE {table} AUTO_INCREMENT = {NEXT_ID + 1}"],
        "postgresql": [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {NEXT_ID})"],
    }
    for statement in statements[dialect]:
        await transaction.execute(statement)


def run_alone(url: str, folder: Path, desk: Desk) -> Place:
    """Make a place in an event loop of its own."""

    async def make() -> Place:
        snapshot = await make_tables(url, folder)
        await fill(url, desk)
        return Place(url, snapshot)

    with ThreadPoolExecutor(1) as pool:  # also inside a test that has an event loop of its own
        return pool.submit(asyncio.run, make()).result()


# --- callers ---


def rights_of(role: Role) -> Rights:
    """Return the rights that a role has, as the tables of OTRS would give them."""
    customer, agent = Customer(role.id, role.login, role.company), Agent(role.id, f"agent{role.id}")
    person: Person = customer if role.is_customer else agent
    principal: Principal = person
    if role.scope is not None:
        modules, operations = role.scope
        principal = Token(7, "machine", person, Scope(modules, frozenset(map(Operation, operations))))
    grants = tuple(Grant(GROUPS[group], group, key) for group, key in role.held)
    return Rights(principal, grants, role.roles, role.companies)
