"""The short way to MariaDB and MySQL."""

from __future__ import annotations

from typing import Any

import aiomysql
import pymysql

from storage.direct import Answer, Driver, Ready


class _QuietCursor(aiomysql.Cursor):  # type: ignore[misc] # aiomysql has no types
    """A cursor that does not ask for warnings, which nobody reads and which take a trip of their own."""

    async def _show_warnings(self, _connection: Any) -> None:
        """Ask nothing."""


async def _run(driver: Any, ready: Ready) -> Answer:
    cursor = _QuietCursor(driver)
    try:
        if isinstance(ready.values, list):
            await cursor.executemany(ready.text, ready.values)
        else:
            await cursor.execute(ready.text, ready.values)
        shows = cursor.description is not None
        rows = await cursor.fetchall() if shows else ()
        return Answer(rows, cursor.rowcount, returns_rows=shows, lastrowid=cursor.lastrowid or 0)
    finally:
        await cursor.close()


DRIVER = Driver(_run, (pymysql.err.MySQLError, RuntimeError, OSError))
