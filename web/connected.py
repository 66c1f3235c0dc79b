"""Doing something for a client only as long as it is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from storage.patience import clock_of_loop

# Most requests are answered before, and a task of its own for each costs more than their statement.
WATCH_AFTER_S = 0.02

Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Return what the work returns, or None when the client went away first: then the work is cancelled.

    Whether the client is still there is looked at once the work has taken `WATCH_AFTER_S`.
    """
    watch = _Watch(request)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.is_gone and watch.task.uncancel() == 0:
            return None
        raise
    finally:
        await watch.end()


class _Watch:
    """Cancels the task that made it when the client goes away.

    That task waits inside the work for as long as there is a watch, so that is where it is cancelled.
    """

    def __init__(self, request: Request) -> None:
        self._clock = clock_of_loop()
        task = asyncio.current_task(self._clock.loop)
        if task is None:
            raise RuntimeError("A request is answered by a task.")
        self.task = task
        self.is_gone = False
        self.due = self._clock.loop.time() + WATCH_AFTER_S
        self._request = request
        self._watching: asyncio.Task[None] | None = None
        self._clock.add(self)

    def expire(self) -> None:
        """Begin to watch."""
        self._watching = self._clock.loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self.task.cancel()

    async def end(self) -> None:
        """Stop watching."""
        self._clock.waiting.pop(self, None)
        if self._watching is not None and not self._watching.done():
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
