"""SQLite statements in one trip to the connection's thread.

aiosqlite asks its thread once for each step of a statement: open, execute, fetch, close, roll back. Every trip takes
Python's lock twice, and beside a busy thread each waits for it. Here a statement and its rows are one trip.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Self

import aiosqlite


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

    async def rollback(self) -> None:
        """Roll back, if there is anything."""
        if self.in_transaction:
            await super().rollback()


def connect(database: str, **options: Any) -> OneTripConnection:
    """Open a connection; SQLAlchemy calls this in place of `aiosqlite.connect`."""

    def connector() -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(database, **options)
        return opened

    connection = OneTripConnection(connector, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy itself does: a server must be able to end
    return connection
