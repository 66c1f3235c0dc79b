"""How long one waits for what may never come: `asyncio.timeout` for very many waits that are mostly short.

A timer for every statement, or several for every request, cost as much as some statements do. Here one timer of the event
loop stays armed and looks at what is due.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Protocol

_NEVER = float("inf")


class Within:
    """`async with Within(seconds):` is `async with asyncio.timeout(seconds):`, with one timer for all of an event loop.

    Endless seconds (`inf`) arm nothing.
    """

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
