"""Slow hashes in threads of their own, few at a time: each takes memory and a processor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from identity.errors import Throttled

AT_ONCE = 2
WAITING = 64  # so many may wait, two or three seconds' worth; more are sent away

Result = TypeVar("Result")


class Hashing:
    """A few threads for slow hashes. A caller that goes away does not set its place free before the hash has ended."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._limit = at_once + waiting
        self._count = 0
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="lambdesk-hash")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a slow function in a thread. Raises `Throttled` when too many others wait already."""
        if self._count >= self._limit:
            raise Throttled(1)
        with self._lock:
            self._count += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more work; what runs comes to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:  # this runs in the thread
            self._count -= 1
