"""Up to where the ids of changes are settled: nothing will become visible below, so a reader may go on.

An id is given out by the INSERT and becomes visible with the COMMIT. So a missing id below a visible one is either still
to come or never will (a rollback). SQLite has one writer, and none are missing.

PostgreSQL can be asked exactly. An INSERT locks the table, in a mode that keeps nobody out, before it takes its id, and
until its transaction ends. Who holds that lock now, after a row was seen, is everybody whose smaller id may still come:
when they have all ended, none can.

MariaDB can be asked nearly. A row that is written but not committed is locked, so a locking read that does not wait (NOWAIT)
finds out whether there is one in a range of ids. Only an id that is given out and not written yet escapes it. Both are done
by one INSERT, usually within microseconds, and the server stops an INSERT that takes longer than the statement timeout; so
after that time the answer counts.

A server that answers neither is given 10 seconds. Transactions that idle for a minute are ended by the servers (`storage.urls`,
`storage.session`), so nothing waits for ever; and next to rows older than two minutes nothing can still come.
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import StatementFailed, TransactionConflict
from storage.own_tables import CHANGE

GAP_GRACE_S = 10.0  # where the server cannot tell
WRITING_S = 2.0  # MariaDB: how long an INSERT may take; the statement timeout unless told otherwise
OLD_S = 120.0  # twice what a transaction may idle: the clocks of several machines differ

_HOLDERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' "
    "AND relation = 'lambdesk_change'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_COLUMNS = CHANGE.c


class _Watch:
    """What was seen when a gap was met: up to which id, since when, and who might still fill it."""

    def __init__(self, gap: int, horizon: int, writing_s: float) -> None:
        self.writing_s = writing_s
        self.gap = gap  # the last id before the first gap, of all who asked
        self.horizon = horizon
        self.since = time.monotonic()
        self.holders: frozenset[str] | None = None

    @property
    def age_s(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self.since


class Settling:
    """What one process knows of ids that may still come. Its readers share one."""

    def __init__(self, writing_s: float = WRITING_S) -> None:
        self._writing_s = writing_s
        self._span = (0, 0)  # from an id (exclusive) to another, nothing will become visible any more
        self._watch: _Watch | None = None

    async def heads(self, database: Database, after: int, count: int) -> tuple[list[int], bool]:
        """Read up to `count` visible ids after one, as far as they are settled, and whether that is all there are."""
        while True:
            # Before the read: what others find out meanwhile says nothing about what this read has seen.
            span = self._span
            rows = await database.fetch(
                sa.select(_COLUMNS.id, _COLUMNS.at).where(_COLUMNS.id > after).order_by(_COLUMNS.id).limit(count)
            )
            ids = [row[0] for row in rows]
            settled = len(ids) if database.dialect.name == "sqlite" else _settled(rows, after, span)
            if settled == len(ids):
                return ids, True
            gap = ids[settled - 1] if settled else after
            if not await self._find_out(database, gap, ids[-1]):
                return ids[:settled], False

    async def _find_out(self, database: Database, gap: int, horizon: int) -> bool:
        """Find out whether more is settled than was."""
        watch = self._watch
        if watch is None or watch.horizon <= gap:
            watch = self._watch = _Watch(gap, horizon, self._writing_s)
        watch.gap = min(watch.gap, gap)
        if not await _IS_OVER[database.dialect.name](database, watch):
            return False
        first, last = self._span
        joins = first <= watch.gap <= last
        self._span = (first if joins else watch.gap, max(last, watch.horizon) if joins else watch.horizon)
        if self._watch is watch:
            self._watch = None
        return True


def _settled(rows: list[tuple[int, int]], after: int, span: tuple[int, int]) -> int:
    """Count the rows before the first gap that may still be filled."""
    first, last = span
    old = int((time.time() - OLD_S) * 1000)
    for place, (number, at) in enumerate(rows):
        if number != after + 1 and not first <= after <= number <= last and at > old:
            return place
        after = number
    return len(rows)


async def _is_over_on_postgresql(database: Database, watch: _Watch) -> bool:
    holders = frozenset(row[0] for row in await database.fetch(_HOLDERS))
    watch.holders = holders if watch.holders is None else watch.holders & holders
    return not watch.holders


async def _is_over_on_mysql(database: Database, watch: _Watch) -> bool:
    if watch.age_s < watch.writing_s:
        return False
    # Less than the horizon, not equal: the read locks where it ends, and beyond there is always somebody writing.
    between = sa.select(sa.func.count(_COLUMNS.id)).where(_COLUMNS.id > watch.gap, _COLUMNS.id < watch.horizon)
    try:
        await database.fetch(between.with_for_update(read=True, nowait=True))
    except TransactionConflict:
        return False
    except StatementFailed:  # a server that does not know NOWAIT
        return watch.age_s >= GAP_GRACE_S
    return True


_IS_OVER = {"postgresql": _is_over_on_postgresql, "mysql": _is_over_on_mysql}
