"""How many operations run at once: the rest wait in line for a while, and are told to come again after it."""

from __future__ import annotations

import asyncio
from types import TracebackType

from web.errors import unavailable

BUSY = "The server is busy. Try again."


class Admission:
    """`async with admission:` takes one of the places. Raises `Refused` (503) when the line is full or stands too long."""

    def __init__(self, places: int, line: int, wait_s: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._line = line
        self._wait_s = wait_s
        self.waiting = 0

    async def __aenter__(self) -> None:
        """Take a place."""
        if not self._free.locked():
            await self._free.acquire()
            return
        if self.waiting >= self._line:
            raise unavailable(BUSY)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise unavailable(BUSY) from None
        finally:
            self.waiting -= 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back."""
        self._free.release()
