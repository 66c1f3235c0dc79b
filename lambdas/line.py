"""Who waits for a worker: one line a caller, served in turn, so that nobody who asks for much keeps the others waiting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

LINE_LIMIT = 256  # in all
CALLER_LIMIT = 64

T = TypeVar("T")


class LineFull(Exception):
    """More wait than may wait."""


@dataclass(slots=True)
class Line(Generic[T]):
    """A bounded, fair line of futures for things of one sort."""

    _callers: OrderedDict[str, deque[asyncio.Future[T]]] = field(default_factory=OrderedDict)
    length: int = 0

    def join(self, caller: str) -> asyncio.Future[T]:
        """Stand in line.

        Raises LineFull.
        """
        waiting = self._callers.setdefault(caller, deque())
        if self.length >= LINE_LIMIT or len(waiting) >= CALLER_LIMIT:
            if not waiting:
                del self._callers[caller]
            raise LineFull
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiting.append(future)
        self.length += 1
        return future

    def serve(self, thing: T) -> bool:
        """Give a thing to whose turn it is; False when nobody waits any more."""
        while self._callers:
            caller, waiting = self._callers.popitem(last=False)
            future = waiting.popleft()
            self.length -= 1
            if waiting:
                self._callers[caller] = waiting  # at the end: the others come first
            if not future.done():
                future.set_result(thing)
                return True
        return False

    def refuse(self, error: Exception) -> None:
        """Send everybody away."""
        while self._callers:
            _, waiting = self._callers.popitem()
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
        self.length = 0
