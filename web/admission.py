"""How many operations run at once: the rest wait in line for a while, and are told to come again after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType

from storage.places import Places
from web.errors import unavailable

BUSY = "The server is busy. Try again."


@dataclass(slots=True)
class Place:
    """The place of one operation, while it has one."""

    free: Places
    is_held: bool = True
    absent: int = 0  # how many of its parts wait for something that takes no place
    returning: asyncio.Lock | None = None

    async def take_again(self) -> None:
        """Wait for a place, unless the operation has one. Only one of its parts stands in line for it: others would wait for each other."""
        if self.returning is None:
            self.returning = asyncio.Lock()
        async with self.returning:
            if self.is_held:
                return
            if not self.free.take():
                await self.free.wait()
            self.is_held = True


_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


@asynccontextmanager
async def outside() -> AsyncIterator[None]:
    """Give the operation's place to others while all of its parts wait here, and take one again afterwards."""
    place = _PLACE.get()
    if place is None:
        yield
        return
    place.absent += 1
    if place.absent == 1 and place.is_held:
        place.is_held = False
        place.free.give_back()
    try:
        yield
    finally:
        place.absent -= 1
        if not place.absent and not place.is_held:
            await place.take_again()


class Admission:
    """`async with admission:` takes one of the places. Raises `Refused` (503) when the line is full or stands too long."""

    def __init__(self, places: int, line: int, wait_s: float) -> None:
        self._free = Places(places)
        self._line = line
        self._wait_s = wait_s
        self.waiting = 0

    async def __aenter__(self) -> None:
        """Take a place."""
        if not self._free.take():
            await self._stand_in_line()
        _PLACE.set(Place(self._free))

    async def _stand_in_line(self) -> None:
        if self.waiting >= self._line:
            raise unavailable(BUSY)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.wait()
        except TimeoutError:
            raise unavailable(BUSY) from None
        finally:
            self.waiting -= 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back, unless it was lent and its operation given up meanwhile."""
        place = _PLACE.get()
        _PLACE.set(None)
        if place is None or place.is_held:
            self._free.give_back()
