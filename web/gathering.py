"""Changes taken in batches: who shows rows to people needs to hear of them about once a second, and not of each.

What is checked for a subscriber then costs him a few statements a second, however much is written meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from storage.changes import Change

BATCH = 50  # rows that are held against a filter at once
WAITING = 2_000  # rows that a batch may leave for later ones; beyond them the oldest are let go
GATHER_S = 1.0


class Gathered:
    """The changes that came since the last batch, the rows' latest; a row that changed twice is as it was before the first.

    `key` is that of the one row that matters, where there is one: changes of others cost nothing then.
    """

    def __init__(self, changes: AsyncIterator[Change], key: str | None = None, seconds: float = GATHER_S) -> None:
        self._changes = changes
        self._key = key
        self._seconds = seconds
        self._waiting: dict[str, Change] = {}
        self._came = asyncio.Event()
        self._has_ended = False
        self._failure: Exception | None = None

    async def batches(self) -> AsyncGenerator[list[Change]]:
        """Yield batches, oldest change first: the first at once, others a while after the one before."""
        async with self._reading():
            while True:
                await self._came.wait()
                batch = list(self._waiting.values())[-BATCH:]
                if not batch:
                    if self._failure is not None:
                        raise self._failure
                    if self._has_ended:
                        return
                    self._came.clear()
                    continue
                for change in batch:
                    del self._waiting[change.row_key]
                yield batch
                await asyncio.sleep(self._seconds)

    def settle(self) -> None:
        """Let go of what waits: the subscriber has been told, and will look at all of it."""
        self._waiting.clear()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._read())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _read(self) -> None:
        try:
            async for change in self._changes:
                if self._key is None or change.row_key == self._key:
                    self._keep(change)
        except Exception as error:  # noqa: BLE001 - it is raised where batches are taken
            self._failure = error
        self._has_ended = True
        self._came.set()

    def _keep(self, change: Change) -> None:
        before = self._waiting.pop(change.row_key, None)
        self._waiting[change.row_key] = change if before is None else replace(change, fields=_since(before, change))
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._came.set()


def _since(first: Change, then: Change) -> Mapping[str, object]:
    """Return what two changes of a row changed: from before the first to after the second."""
    both = {name: [pair[0], then.fields[name][1]] for name, pair in first.fields.items() if name in then.fields}
    return {**first.fields, **then.fields, **both}
