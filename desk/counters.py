"""OTRS's own table of counters: reserve some so that an OTRS writing at the same time never gives out the same.

OTRS inserts a row with counter 0, waits, and fills every unset row up to its own from the row before it. So a row whose
counter is the last of a block makes the whole block used. What must not happen is that a row with a smaller id appears
after we looked; each database prevents that in its own way (OTRS sleeps 50 ms and hopes).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from desk.tables import COUNTER
from storage.direct import Kept
from storage.errors import TransactionConflict
from storage.keeping import insert_into
from storage.transaction import Transaction

FEW_ROWS = 10  # of SQLite, which has one writer: hardly anything is left unset there for others to fill
LOOK_BACK_ROWS = 200  # unset rows of others that may stand between the last filled one and ours
KEPT_ROWS = 10  # as OTRS's own clean-up
KEPT_MINUTES = 10
LOCK_TIMEOUT_S = 2
PAUSE_S = 0.05
_LOCK_NAME = "CONCAT('lambdesk_number_', LEFT(MD5(DATABASE()), 16))"

_COLUMNS = COUNTER.c
Floor = Callable[[Transaction], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Period:
    """When counters are given out: `now` is stored with them; only those since `start` count (None: all).

    Both are as the database stores them (`storage.values.wall_clock`).
    """

    now: Any
    start: Any = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table; `counts` says that it is of the period."""

    id: int
    counter: int
    counts: bool


async def reserve(transaction: Transaction, period: Period, wanted: int, floor: Floor, least: int = 0) -> range:
    """Reserve up to so many counters that follow each other, beyond `least`; the caller asks again for missing ones.

    `floor` finds the highest counter of the tickets themselves, for a period that has no row yet.
    """
    return await _RESERVE[transaction.dialect.name](transaction, period, wanted, floor, least)


async def clean_up(transaction: Transaction, older: Callable[[timedelta], Any]) -> None:
    """Remove rows that nobody looks at any more: all but the newest, and those of the last minutes."""
    newest = await transaction.execute(
        sa.select(_COLUMNS.id).order_by(_COLUMNS.id.desc()).limit(1).offset(KEPT_ROWS - 1)
    )
    if newest:
        await transaction.execute(
            sa.delete(COUNTER).where(
                _COLUMNS.id < newest[0][0], _COLUMNS.create_time < older(timedelta(minutes=KEPT_MINUTES))
            )
        )


# --- inside ---


async def _when_alone(transaction: Transaction, period: Period, wanted: int, floor: Floor, least: int) -> range:
    """Insert the filled row at once, for nobody else can write."""
    rows = await _rows(transaction, period)
    last = max(await _fill(transaction, rows, floor), least)
    await transaction.execute(insert_into(COUNTER), _row(period, last + wanted))
    return range(last + 1, last + wanted + 1)


async def _behind_table_lock(transaction: Transaction, period: Period, wanted: int, floor: Floor, least: int) -> range:
    """PostgreSQL: wait for every running insert and keep new ones away for a moment.

    The commit needs no flush of its own: the ticket's, which comes later, flushes this one's log with it.
    """
    await transaction.execute("SET LOCAL synchronous_commit = off")
    await transaction.execute("LOCK TABLE ticket_number_counter IN SHARE ROW EXCLUSIVE MODE")
    return await _when_alone(transaction, period, wanted, floor, least)


async def _as_otrs_does(transaction: Transaction, period: Period, wanted: int, floor: Floor, least: int) -> range:
    """MariaDB, every statement a transaction of its own: insert the unset row, then fill up to it.

    A lock inside a transaction would hold the gap at the end of the table, and OTRS's inserts would get their ids
    before ours but appear after it. So Lambdesk's own processes wait for each other by name, and for OTRS's there are
    the locking read, which waits for rows that are being inserted, and OTRS's pause where an id is missing. Where an
    OTRS was quicker to fill our row, the block is what it left us: one counter.
    """
    if await transaction.execute(f"SELECT GET_LOCK({_LOCK_NAME}, {LOCK_TIMEOUT_S})") != [(1,)]:
        raise TransactionConflict
    try:
        number = await transaction.insert(COUNTER, [_row(period, 0)])
        rows = await _rows(transaction, period, up_to=number)
        if len(rows) > 1 and rows[-2].id != number - 1:
            await asyncio.sleep(PAUSE_S)
            rows = await _rows(transaction, period, up_to=number)
        last = max(await _fill(transaction, rows[:-1], floor), least)
        if await _set(transaction, number, last + wanted):
            return range(last + 1, last + wanted + 1)
        stored = await _stored(transaction, number)
        return range(stored, stored + 1)
    finally:
        await transaction.execute(f"SELECT RELEASE_LOCK({_LOCK_NAME})")


_RESERVE: dict[str, Callable[[Transaction, Period, int, Floor, int], Awaitable[range]]] = {
    "sqlite": _when_alone,
    "postgresql": _behind_table_lock,
    "mysql": _as_otrs_does,
}


async def _rows(transaction: Transaction, period: Period, up_to: int | None = None) -> list[_Row]:
    """Return the newest rows, oldest first."""
    given = {name: value for name, value in (("start", period.start), ("up_to", up_to)) if value is not None}
    # SQLite has one writer: hardly anything is left unset there for others to fill.
    look_back = FEW_ROWS if transaction.dialect.name == "sqlite" else LOOK_BACK_ROWS
    statement = _newest_rows(look_back, of_period="start" in given, bounded="up_to" in given)
    return [_Row(row[0], row[1], bool(row[2])) for row in reversed(await transaction.execute(statement, given or None))]


@lru_cache
def _newest_rows(look_back: int, *, of_period: bool, bounded: bool) -> Kept:
    counts: Any = _COLUMNS.create_time >= sa.bindparam("start") if of_period else sa.literal_column("1")
    counts = sa.type_coerce(counts, sa.Integer)
    statement = sa.select(_COLUMNS.id, _COLUMNS.counter, counts).order_by(_COLUMNS.id.desc()).limit(look_back)
    if bounded:
        statement = statement.where(_COLUMNS.id <= sa.bindparam("up_to")).with_for_update(read=True)
    return Kept(statement)


async def _fill(transaction: Transaction, rows: list[_Row], floor: Floor) -> int:
    """Give the period's unset rows their counters as OTRS does, and return the last one's."""
    current = [row for row in rows if row.counts]
    last = 0 if any(row.counter for row in current) else await floor(transaction)
    for row in current:
        if row.counter:
            last = row.counter
        else:
            filled = await _set(transaction, row.id, last + 1)
            last = last + 1 if filled else await _stored(transaction, row.id)
    return last


async def _set(transaction: Transaction, number: int, counter: int) -> bool:
    """Fill a row, unless somebody else did."""
    unset = sa.and_(_COLUMNS.id == number, _COLUMNS.counter == 0)
    return bool(await transaction.change(sa.update(COUNTER).where(unset).values(counter=counter)))


async def _stored(transaction: Transaction, number: int) -> int:
    rows = await transaction.execute(sa.select(_COLUMNS.counter).where(_COLUMNS.id == number))
    return int(rows[0][0])


def _row(period: Period, counter: int) -> dict[str, Any]:
    return {"counter": counter, "counter_uid": secrets.token_hex(16), "create_time": period.now}


def day_start(now: datetime) -> datetime:
    """Return the midnight before a moment, in its own zone."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
