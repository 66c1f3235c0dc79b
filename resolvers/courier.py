"""Who looks for entries of the outbox and has them worked off, as long as a server runs.

It is woken by the writes of its own process, and looks by itself for those of others, for what is to be tried again, and
for what a server had that is gone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from resolvers.deliveries import LEASE_S, Attempt, Post, deliver
from resolvers.outbox import has_hooks_after
from schema.snapshot import Snapshot
from storage.bell import pause
from storage.errors import StorageError
from storage.outbox import claim

AT_ONCE = 4
POLL_S = 1.0
IDLE_POLL_S = 30.0  # where no module has such lambdas: there may be entries of one that had
STOP_S = 4.0  # to finish what is running when the server stops

_log = logging.getLogger("lambdesk.deliveries")


class Courier:
    """Works off the outbox in one process. `snapshot` is what serves now, or None while nothing does."""

    def __init__(self, post: Post, snapshot: Callable[[], Snapshot | None], *, lease_s: float = LEASE_S) -> None:
        self._post = post
        self._snapshot = snapshot
        self._lease_s = lease_s
        self._name = uuid.uuid4().hex
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def wake(self) -> None:
        """Say that something may have been noted here."""
        snapshot = self._snapshot()
        if snapshot is not None and is_busy(snapshot):
            self._wake.set()

    async def run(self) -> None:
        """Work until told to stop."""
        while not self._is_stopping:
            self._wake.clear()
            snapshot = self._snapshot()
            if snapshot is None or not await self.step(snapshot):
                await pause(self._wake, POLL_S if snapshot is None or is_busy(snapshot) else IDLE_POLL_S)

    async def step(self, snapshot: Snapshot) -> bool:
        """Take what is due, as much as may run at once; answer whether there may be more right now."""
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return False  # the end of one wakes us
        try:
            taken = await claim(self._post.database, self._name, free, self._lease_s)
        except StorageError as error:
            _log.debug("the outbox cannot be looked at now: %s", error)
            return False
        except Exception:  # noqa: BLE001 - it is told, and looked at again
            _log.exception("the outbox cannot be looked at")
            return False
        for entry in taken:
            task = asyncio.create_task(deliver(self._post, Attempt(entry, snapshot)), name=f"delivery {entry.id}")
            self._running.add(task)
            task.add_done_callback(self._over)
        return len(taken) == free

    async def stop(self) -> None:
        """Let what runs come to its end, but not for long; what does not is taken up by another server, or after the start."""
        self._is_stopping = True
        self._wake.set()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=STOP_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()


def is_busy(snapshot: Snapshot) -> bool:
    """Answer whether lambdas of any module run after writes or by the clock."""
    found: bool | None = snapshot.memo.get(is_busy)
    if found is None:
        modules = snapshot.modules.values()
        found = snapshot.memo[is_busy] = any(has_hooks_after(module) or module.schedules for module in modules)
    return found
