"""The outbox and the schedules as people look at them: without what the lambdas are given, which holds rows of others."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.outbox import CallerNote, State
from storage.own_tables import OUTBOX, SCHEDULE

_C = OUTBOX.c
_READ = (
    _C.id, _C.delivery, _C.module, _C.row_key, _C.hook, _C.caller_kind, _C.caller_id, _C.caller_login, _C.depth, _C.state,
    _C.worker, _C.attempts, _C.due, _C.failure_code, _C.failure, _C.log, _C.created, _C.ended, _C.took_ms,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry of the outbox. `due` is set for one that waits: when it is tried next."""

    id: int
    delivery: str
    module: str
    row_key: str
    hook: str
    caller: CallerNote
    depth: int
    state: State
    is_running: bool
    attempts: int
    due: datetime | None
    code: str | None
    message: str | None
    log: Sequence[str]
    created: datetime
    ended: datetime | None
    took_ms: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """A schedule with its last run."""

    module: str
    name: str
    next: datetime | None
    last: datetime | None
    delivery: Delivery | None


async def list_deliveries(
    database: Database,
    limit: int,
    *,
    states: Collection[tuple[State, bool]] | None = None,
    module: str | None = None,
    row_key: str | None = None,
    before: int | None = None,
) -> list[Delivery]:
    """Return entries, the newest first: those before one, of a module, of a row, in these states, each with whether it runs."""
    question = sa.select(*_READ)
    if states is not None:
        question = question.where(sa.or_(sa.false(), *(_is(state, runs) for state, runs in states)))
    if module is not None:
        question = question.where(_C.module == module)
    if row_key is not None:
        question = question.where(_C.row_key == row_key)
    if before is not None:
        question = question.where(_C.id < before)
    return [_delivery(row) for row in await database.fetch(question.order_by(_C.id.desc()).limit(limit))]


async def find_delivery(database: Database, number: int) -> Delivery | None:
    """Return one entry."""
    rows = await database.fetch(sa.select(*_READ).where(_C.id == number))
    return _delivery(rows[0]) if rows else None


async def list_runs(database: Database) -> list[Run]:
    """Return all schedules with their last runs, by module and name."""
    columns = SCHEDULE.c
    question = sa.select(columns.module, columns.name, columns.next, columns.last, *_READ)
    joined = question.outerjoin_from(SCHEDULE, OUTBOX, columns.entry == _C.id)
    rows = await database.fetch(joined.order_by(columns.module, columns.name))
    return [
        Run(row[0], row[1], _from_ms(row[2]), _from_ms(row[3]), None if row[4] is None else _delivery(row[4:]))
        for row in rows
    ]


def _is(state: State, runs: bool) -> sa.ColumnElement[bool]:
    return sa.and_(_C.state == str(state), _C.worker.is_not(None) if runs else _C.worker.is_(None))


def _delivery(row: Sequence[Any]) -> Delivery:
    number, delivery, module, row_key, hook, *rest = row
    kind, caller_id, login, depth, state, worker, attempts, due, code, message, log, created, ended, took = rest
    is_waiting = state == State.OPEN and worker is None
    return Delivery(
        number,
        delivery,
        module,
        row_key,
        hook,
        CallerNote(kind, caller_id, login),
        depth,
        State(state),
        state == State.OPEN and worker is not None,
        attempts,
        _from_ms(due) if is_waiting else None,
        code,
        message,
        json.loads(log) if log else [],
        datetime.fromtimestamp(created, UTC),
        None if ended is None else datetime.fromtimestamp(ended, UTC),
        took,
    )


def _from_ms(moment: int | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1_000, UTC)
