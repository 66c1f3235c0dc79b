"""The short way to SQLite: a statement and its rows are one trip to the connection's thread."""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from storage.direct import Answer, Driver, Ready

if TYPE_CHECKING:
    from storage.one_trip import OneTripConnection


# At DEBUG it writes down every statement with its values, those of passwords and tokens too.
logging.getLogger("aiosqlite").setLevel(logging.INFO)


async def _run(driver: OneTripConnection, ready: Ready) -> Answer:
    answer: Answer = await driver.short_trip(ready.text, partial(_in_thread, driver, ready))
    return answer


def _in_thread(driver: OneTripConnection, ready: Ready) -> Answer:
    cursor = driver.opened().cursor()
    try:
        if isinstance(ready.values, list):
            cursor.executemany(ready.text, ready.values)
        else:
            cursor.execute(ready.text, ready.values)
        shows = cursor.description is not None
        return Answer(
            cursor.fetchall() if shows else [], cursor.rowcount, returns_rows=shows, lastrowid=cursor.lastrowid or 0
        )
    finally:
        cursor.close()


DRIVER = Driver(_run, (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError))
