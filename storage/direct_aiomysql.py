"""The short way to MariaDB and MySQL, without a cursor: its warnings, which nobody reads, would take a trip of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiomysql
import pymysql

from storage.direct import Answer, Driver, Ready

if TYPE_CHECKING:
    from storage.lean_mysql import LeanConnection


class _QuietCursor(aiomysql.Cursor):  # type: ignore[misc] # aiomysql has no types
    """A cursor for many rows, which it writes into one statement."""

    async def _show_warnings(self, _connection: object) -> None:
        """Ask nothing."""


async def _run(driver: LeanConnection, ready: Ready) -> Answer:
    if isinstance(ready.values, list):
        return await _run_many(driver, ready)
    escape = driver.escape
    # Also without values: SQLAlchemy writes every percent sign twice.
    await driver.query(ready.text % tuple([escape(value) for value in ready.values]))
    result = driver._result  # noqa: SLF001 - what a cursor reads, too
    shows = result.description is not None
    return Answer(
        list(result.rows) if shows else [], result.affected_rows, returns_rows=shows, lastrowid=result.insert_id or 0
    )


async def _run_many(driver: LeanConnection, ready: Ready) -> Answer:
    cursor = _QuietCursor(driver)
    try:
        await cursor.executemany(ready.text, ready.values)
        return Answer([], cursor.rowcount, returns_rows=False, lastrowid=cursor.lastrowid or 0)
    finally:
        await cursor.close()


DRIVER = Driver(_run, (pymysql.err.MySQLError, RuntimeError, OSError))
