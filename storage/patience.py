"""How long one waits for what may never come: `asyncio.timeout` for very many waits that are mostly short.

A timer for every statement, or several for every request, cost as much as some statements do. Here one timer stays armed and
looks at what is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol, TypeVar

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


class Within:
    """`async with Within(seconds):` is `async with asyncio.timeout(seconds):`, with one timer for all of an event loop."""

    __slots__ = ("_cancelling", "_clock", "_expired", "due", "seconds", "task")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def __aenter__(self) -> None:
        """Begin to wait."""
        clock = clock_of_loop()
        task = asyncio.current_task(clock.loop)
        if task is None:
            raise RuntimeError("Only a task can be kept from waiting.")
        self._clock, self.task = clock, task
        self._cancelling, self._expired = task.cancelling(), False
        self.due = clock.loop.time() + self.seconds
        clock.add(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop waiting. Raises TimeoutError where what was waited for has been cancelled for its time."""
        self._clock.waiting.pop(self, None)
        if self._expired and self.task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Cancel what is waited for: the time is up."""
        self._expired = True
        self.task.cancel()


class Due(Protocol):
    """What expires at an instant of the event loop's clock."""

    due: float

    def expire(self) -> None:
        """Do what is to be done then."""


class Clock:
    """What may expire in an event loop. Its timer is never later than the first of it is due."""

    __slots__ = ("_next", "_timer", "loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: dict[Due, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = _NEVER

    def add(self, awaited: Due) -> None:
        """Let something expire when it is due, unless it is taken out before."""
        self.waiting[awaited] = None
        if awaited.due < self._next:
            self._arm(awaited.due)

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = due
        self._timer = self.loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer, self._next = None, _NEVER
        now = self.loop.time()
        for late in [awaited for awaited in self.waiting if awaited.due <= now]:
            del self.waiting[late]
            late.expire()
        next_due = min((awaited.due for awaited in self.waiting), default=_NEVER)
        if next_due < self._next:
            self._arm(next_due)


_latest: Clock | None = None


def clock_of_loop() -> Clock:
    """Return the clock of the running loop; whoever waits with one of another loop keeps it alive."""
    global _latest  # noqa: PLW0603 - a process mostly has one loop, and finding it in a table costs more than the wait
    loop, clock = asyncio.get_running_loop(), _latest
    if clock is None or clock.loop is not loop:
        clock = _latest = Clock(loop)
    return clock
