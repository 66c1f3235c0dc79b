"""SQLite statements in one trip to the connection's thread.

aiosqlite asks its thread once for each step of a statement: open, execute, fetch, close, roll back. Every trip takes
Python's lock twice, and beside a busy thread each waits for it. Here a statement and its rows are one trip.

Within the trip Python lets go of its lock for every row, and gets it back from a busy event loop only after a whole switch
interval: fifty rows that are read in a millisecond took a hundred. So the loop stands still for a statement, for a moment.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import aiosqlite

STILL_S = 0.002  # for which the event loop stands still for a statement: nearly all that a page asks end within it
TURNS = 4  # in which it does so, before a statement is a long one and not one that the machine had no time for
SLOW_FOR_S = 0.5  # for which it does not for a text that was long
SLOW_KEPT = 1_000  # texts

_slow: dict[str, float] = {}  # text → when the loop stands still for it again


class OneTripCursor:
    """What SQLAlchemy's adapter asks of a cursor. All rows are fetched with the statement: reads here are pages."""

    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Open, which takes nothing."""
        return self

    async def execute(self, text: str, parameters: Any = ()) -> OneTripCursor:
        """Run a statement and take its rows along."""
        await self._connection.trip(self._run, "execute", text, parameters)
        return self

    async def executemany(self, text: str, parameters: Any) -> OneTripCursor:
        """Run a statement for many rows of parameters."""
        await self._connection.trip(self._run, "executemany", text, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows, which are here already."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Close, which happened with the statement."""

    def _run(self, method: str, text: str, parameters: Any) -> None:
        cursor = self._connection.opened().cursor()
        try:
            getattr(cursor, method)(text, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class OneTripConnection(aiosqlite.Connection):
    """aiosqlite's connection with cursors of one trip, and no trip at all to roll back what was never begun."""

    def cursor(self) -> Any:
        """Return a cursor of one trip."""
        return OneTripCursor(self)

    def opened(self) -> sqlite3.Connection:
        """Return SQLite's own connection, for use in its thread."""
        return self._conn

    async def trip(self, work: Any, *arguments: Any) -> Any:
        """Run something in the connection's thread."""
        return await self._execute(work, *arguments)  # type: ignore[no-untyped-call] # aiosqlite leaves it unannotated

    async def short_trip(self, text: str, work: Callable[[], Any]) -> Any:
        """Run what is probably short, a statement with this text: the event loop stands still for it, and gets it in its way no more.

        What takes longer goes on in the thread while the loop does other things, as in `trip`; at first the loop comes back to it.
        """
        until = _slow.get(text)
        if until is not None and time.monotonic() < until:
            return await self.trip(work)
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        short = _Short(work)
        self._tx.put_nowait((None, short))
        for _ in range(TURNS):
            has_ended = short.ended.acquire(timeout=STILL_S)
            await asyncio.sleep(0)  # whoever has many statements, or a longer one, lets others run in between
            if has_ended:
                return short.answer()
        _note_slow(text)
        await short.wait()
        return short.answer()

    async def rollback(self) -> None:
        """Roll back, if there is anything."""
        if self.in_transaction:
            await super().rollback()


class _Short:
    """Work in the thread that the event loop stands still for, and waits for as usual if that was not enough."""

    __slots__ = ("_answer", "_error", "_late", "_work", "ended")

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._answer: Any = None
        self._error: BaseException | None = None
        self._late: asyncio.Future[None] | None = None
        self.ended = threading.Lock()
        self.ended.acquire()  # the thread releases it

    def __call__(self) -> None:
        """Work; in the thread."""
        try:
            self._answer = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is taken
            self._error = error
        self.ended.release()
        late = self._late
        if late is not None:
            late.get_loop().call_soon_threadsafe(_wake, late)

    async def wait(self) -> None:
        """Wait until the thread is through, without standing still."""
        late = self._late = asyncio.get_running_loop().create_future()
        # It may have ended before it could know who waits: then nobody wakes us.
        if self.ended.locked():
            await late

    def answer(self) -> Any:
        """Return what came of it, once: the thread keeps this until its next work."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        answer, self._answer = self._answer, None
        return answer


def _wake(late: asyncio.Future[None]) -> None:
    if not late.done():
        late.set_result(None)


def _note_slow(text: str) -> None:
    if len(_slow) >= SLOW_KEPT:
        _slow.clear()
    _slow[text] = time.monotonic() + SLOW_FOR_S


def connect(database: str, **options: Any) -> OneTripConnection:
    """Open a connection; SQLAlchemy calls this in place of `aiosqlite.connect`."""

    def connector() -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(database, **options)
        return opened

    connection = OneTripConnection(connector, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy itself does: a server must be able to end
    return connection
