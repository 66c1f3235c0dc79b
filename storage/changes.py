"""The changes of rows as they are kept: written with the rows themselves, read as history and as a feed.

The feed goes by ids. Where several write at once an id may become visible after a greater one; `storage.settling` says up
to where nothing comes any more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from storage.direct import Kept
from storage.engine import Database
from storage.own_tables import CHANGE
from storage.settling import Settling
from storage.transaction import Transaction

HEADS = 2_000  # ids looked at with one statement when only some modules are asked for
ROUNDS = 20  # of those, for one answer


@dataclass(frozen=True, slots=True)
class NewChange:
    """What happened to one row. `row_key` comes from `make_key`, `kind` is 1 created, 2 updated, 3 deleted.

    `fields` holds what JSON can: field → [before, after]. `source` is the newest row of ticket_history written along;
    `origin` names what OTRS wrote and we found.
    """

    module: str
    row_key: str
    kind: int
    actor_kind: str
    actor_id: int
    actor_login: str
    request_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None
    source: int | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Change(NewChange):
    """A change as it is kept. `at` is in milliseconds since 1970."""

    id: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes in the order of their ids.

    `upto` is where to go on: nothing up to it will ever be added. `settled` is False where a greater id is there already
    but a smaller one may still come; `more` says that there is more to read right now.
    """

    changes: tuple[Change, ...]
    upto: int
    settled: bool = True
    more: bool = False


_APPEND = Kept(sa.insert(CHANGE).inline())
_COLUMNS = CHANGE.c
_READ = (
    _COLUMNS.module,
    _COLUMNS.row_key,
    _COLUMNS.kind,
    _COLUMNS.actor_kind,
    _COLUMNS.actor_id,
    _COLUMNS.actor_login,
    _COLUMNS.request_id,
    _COLUMNS.fields,
    _COLUMNS.undoes,
    _COLUMNS.source,
    _COLUMNS.origin,
    _COLUMNS.id,
    _COLUMNS.at,
)


def make_key(values: Sequence[int | str]) -> str:
    """Write the values of a row's key columns as `row_key`."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


async def append(transaction: Transaction, changes: Sequence[NewChange]) -> None:
    """Keep changes, with one statement. Do it last before COMMIT: readers wait for ids that are given out and not visible."""
    if not changes:
        return
    at = now_ms()
    rows = [row_values(change, at) for change in changes]
    await transaction.execute(_APPEND, rows if len(rows) > 1 else rows[0])


def append_along(written: sa.CTE, key: sa.ColumnElement[Any] | None) -> sa.Insert:
    """Keep a change by the statement that writes its row, if it does.

    `written` is what that gives back, `key` the number that the database gave a new row; without it `row_key` is among the
    values, which are named as in `values_along`.
    """
    values: dict[str, sa.ColumnElement[Any]] = {
        column.name: sa.bindparam(f"change_{column.name}", type_=column.type)
        for column in CHANGE.columns
        if column is not _COLUMNS.id
    }
    if key is not None:
        values["row_key"] = sa.literal_column("'['").concat(sa.cast(key, sa.Text)).concat(sa.literal_column("']'"))
    question = sa.select(*values.values()).select_from(written)
    return sa.insert(CHANGE).from_select(list(values), question, include_defaults=False)


def values_along(change: NewChange) -> dict[str, Any]:
    """Write a change as the values of `append_along`."""
    return {f"change_{name}": value for name, value in row_values(change, now_ms()).items()}


async def read_since(
    database: Database,
    after_id: int,
    limit: int,
    modules: Sequence[str] | None = None,
    *,
    settling: Settling | None = None,
) -> Batch:
    """Read up to `limit` changes after an id, of all modules or of some.

    `settling` remembers what this process has seen of ids that may still come; hand the same one in every time
    (`storage.feed.Feed` has one), or wait longer.
    """
    memory = settling or Settling()
    found: list[Change] = []
    upto, settled, more = after_id, True, True
    for _ in range(ROUNDS):
        left = limit - len(found)
        count = left if modules is None else HEADS
        heads, settled = await memory.heads(database, upto, count)
        if not heads:
            more = False
            break
        changes = await _between(database, upto, heads[-1], left, modules)
        found += changes
        more = len(heads) == count or len(changes) == left
        upto = changes[-1].id if len(changes) == left else heads[-1]
        if len(found) >= limit or not settled or not more:
            break
    return Batch(tuple(found), upto, settled, more and settled)


async def newest_id(database: Database) -> int:
    """Return the greatest id that is visible, 0 if there is none. Smaller ones may still come."""
    return int((await database.fetch(sa.select(sa.func.max(_COLUMNS.id))))[0][0] or 0)


async def recent(database: Database, modules: Sequence[str], since_ms: int, limit: int) -> tuple[Change, ...]:
    """Return the newest changes of some modules that were written at a moment or later, oldest first; no more than `limit`."""
    question = sa.select(*_READ).where(
        _COLUMNS.id > await newest_id(database) - HEADS, _COLUMNS.module.in_(modules), _COLUMNS.at >= since_ms
    )
    rows = await database.fetch(question.order_by(_COLUMNS.id.desc()).limit(limit))
    return tuple(map(_change, reversed(rows)))


async def ids_since(database: Database, after_id: int) -> list[int]:
    """Return the ids that are visible after one."""
    return [row[0] for row in await database.fetch(sa.select(_COLUMNS.id).where(_COLUMNS.id > after_id))]


async def history(
    database: Database, module: str, row_key: str, before_id: int | None = None, limit: int = 50
) -> tuple[Change, ...]:
    """Return the changes of one row, newest first: the newest, or those before one."""
    question = sa.select(*_READ).where(_COLUMNS.module == module, _COLUMNS.row_key == row_key)
    if before_id is not None:
        question = question.where(_COLUMNS.id < before_id)
    rows = await database.fetch(question.order_by(_COLUMNS.id.desc()).limit(limit))
    return tuple(map(_change, rows))


async def one(reader: Database | Transaction, change_id: int) -> Change | None:
    """Return a change by its id."""
    fetch = reader.fetch if isinstance(reader, Database) else reader.execute
    rows = await fetch(sa.select(*_READ).where(_COLUMNS.id == change_id))
    return _change(rows[0]) if rows else None


def now_ms() -> int:
    """Return the time as changes note it."""
    return time.time_ns() // 1_000_000


def row_values(change: NewChange, at: int) -> dict[str, Any]:
    """Write a change as the values of its columns."""
    return {
        "origin": change.origin,
        "module": change.module,
        "row_key": change.row_key,
        "kind": int(change.kind),
        "at": at,
        "actor_kind": change.actor_kind,
        "actor_id": change.actor_id,
        "actor_login": change.actor_login,
        "request_id": change.request_id,
        "undoes": change.undoes,
        "source": change.source,
        "fields": _json(change.fields),
    }


async def _between(
    database: Database, after: int, upto: int, limit: int, modules: Sequence[str] | None
) -> list[Change]:
    question = sa.select(*_READ).where(_COLUMNS.id > after, _COLUMNS.id <= upto)
    if modules is not None:
        question = question.where(_COLUMNS.module.in_(modules))
    return [_change(row) for row in await database.fetch(question.order_by(_COLUMNS.id).limit(limit))]


def _change(row: tuple[Any, ...]) -> Change:
    module, row_key, kind, actor_kind, actor_id, actor_login, request_id, fields, *numbers = row
    return Change(
        module, row_key, kind, actor_kind, actor_id, actor_login, request_id, json.loads(_text(fields)), *numbers
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _json(fields: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(dict(fields)).decode()
    except (
        TypeError
    ):  # half of a surrogate pair, which a database may give us and none takes, or a number beyond 64 bits
        return json.dumps(dict(fields), separators=(",", ":"))
