"""How long one waits for a database that may never answer: `asyncio.timeout` for many short waits in a row.

A timer for every statement costs as much as some statements do. Here one timer stays armed and looks at what is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")
_NEVER = float("inf")


class Patience:
    """Bounds waits that follow each other. `end` must be called when there are no more."""

    __slots__ = ("_due", "_expired", "_loop", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = _NEVER
        self._task: asyncio.Task[object] | None = None
        self._expired = False

    async def wait(self, awaited: Awaitable[Result], seconds: float) -> Result:
        """Wait for something at most so many seconds. Raises TimeoutError, and what is waited for is cancelled then."""
        task = asyncio.current_task()
        if task is None or seconds == _NEVER:
            return await awaited
        self._task, self._expired = task, False
        cancelling = task.cancelling()
        self._arm(self._loop.time() + seconds)
        try:
            return await awaited
        except asyncio.CancelledError:
            if self._expired and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._due = _NEVER
            self._task = None

    def end(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float) -> None:
        self._due = due
        if self._timer is not None:
            if self._timer.when() <= due:
                return  # it looks earlier, and sees then what is due
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due == _NEVER:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        elif self._task is not None:
            self._expired = True
            self._task.cancel()
