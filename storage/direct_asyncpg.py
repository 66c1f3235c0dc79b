"""The short way to PostgreSQL: asyncpg keeps the text of every statement prepared."""

from __future__ import annotations

from typing import Any

import asyncpg

from storage.direct import Answer, Driver, Ready


async def _run(driver: Any, ready: Ready) -> Answer:
    values = ready.values
    if isinstance(values, list):
        await driver.executemany(ready.text, values)
        return Answer([], -1, returns_rows=False)
    if ready.shows:
        rows = list(map(tuple, await driver.fetch(ready.text, *values)))
        return Answer(rows, len(rows), returns_rows=True)
    count = (await driver.execute(ready.text, *values)).rpartition(" ")[2]
    return Answer([], int(count) if count.isdecimal() else -1, returns_rows=False)


DRIVER = Driver(_run, (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError))
