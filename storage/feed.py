"""The changes of all rows as they are committed, for whoever listens in this process.

One task reads for all subscribers. It starts with the first and ends with the last. It is woken by our own writes; on
PostgreSQL by those of other processes too (`storage.bell`); and it looks twice a second anyway.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from storage.bell import Bell, pause
from storage.changes import Batch, Change, ids_since, newest_id, read_since, recent
from storage.engine import Database
from storage.errors import StorageError, TooSlow
from storage.settling import Settling

POLL_S = 0.5
GAP_POLL_S = 0.05  # while a smaller id may still come
TAIL_S = 1.0
QUEUE_LENGTH = 1_000  # changes that a subscriber may be behind
BATCH = 500
RECENT = 500  # changes from before that a subscriber may be told of
LOOK_BACK = 1_000  # ids before the newest one that may still be missing when the first subscriber comes

Tail = Callable[[], Awaitable[int]]

_log = logging.getLogger("lambdesk.feed")


class Subscription:
    """What one subscriber has not taken yet; iterate over it. Raises `TooSlow` instead of keeping more than it may."""

    def __init__(self, modules: Collection[str] | None, length: int) -> None:
        self.modules = modules
        self._length = length
        self._waiting: deque[Change] = deque()
        self._came = asyncio.Event()
        self._failure: BaseException | None = None

    def __aiter__(self) -> Subscription:
        """Iterate over the changes as they come."""
        return self

    async def __anext__(self) -> Change:
        """Wait for the next change."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()

    def offer(self, change: Change) -> None:
        """Keep a change for the subscriber, if it is one of its modules."""
        if self._failure is not None or (self.modules is not None and change.module not in self.modules):
            return
        if len(self._waiting) >= self._length:
            self.fail(TooSlow())
            return
        self._waiting.append(change)
        self._came.set()

    def fail(self, error: BaseException) -> None:
        """End the subscription with an error."""
        self._waiting.clear()
        self._failure = error
        self._came.set()


@dataclass(slots=True)
class _Reading:
    """One stretch of reading, from a first subscriber to a last."""

    position: int
    known: frozenset[int]  # beyond the position, and committed before it began
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class Feed:
    """The hub of one process. Its writers call `notify` after every COMMIT.

    `tail`, while somebody listens, is called every second: it looks for what OTRS wrote, and returns how much it noted.
    """

    def __init__(self, database: Database, tail: Tail | None = None, *, queue_length: int = QUEUE_LENGTH) -> None:
        self._database = database
        self._tail = tail
        self._queue_length = queue_length
        self._settling = Settling(database.statement_timeout_s)
        self._bell = Bell(database)
        self._subscriptions: set[Subscription] = set()
        self._starting = asyncio.Lock()
        self._wake = asyncio.Event()
        self._reading: _Reading | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether anybody listens."""
        return self._reading is not None

    def notify(self) -> None:
        """Say that a change has been committed here; other processes are told."""
        self._wake.set()
        self._bell.ring()

    async def read_since(self, after_id: int, limit: int, modules: Sequence[str] | None = None) -> Batch:
        """Read what was committed since, remembering what this process knows of ids that may still come."""
        return await read_since(self._database, after_id, limit, modules, settling=self._settling)

    @asynccontextmanager
    async def subscribe(
        self, modules: Collection[str] | None = None, since_ms: int | None = None
    ) -> AsyncIterator[Subscription]:
        """Follow what is committed from now on, of some modules or of all; iterate over what this lends.

        Whatever is committed after this has been entered comes, once, in the order of ids; what was committed just
        before may come to a subscriber who is not the first. With `since_ms` the changes of these modules from that moment on come
        first, up to `RECENT` of them; the last of them may come twice. Raises `Unavailable` when the database is away now; later
        that is waited out.
        """
        subscription = Subscription(None if modules is None else frozenset(modules), self._queue_length)
        async with self._starting:
            if self._reading is None:
                self._reading = await self._start()
            self._subscriptions.add(subscription)
        try:
            if since_ms is not None and modules:
                for change in await recent(self._database, tuple(modules), since_ms, RECENT):
                    subscription.offer(change)
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions:
                self._stop()

    async def close(self) -> None:
        """End every subscription, and wait until nothing runs any more."""
        for subscription in self._subscriptions:
            subscription.fail(StopAsyncIteration())
        self._stop()
        await asyncio.gather(*self._ending)
        await self._bell.close()

    # --- inside ---

    async def _start(self) -> _Reading:
        newest = await newest_id(self._database)
        batch = await self.read_since(max(0, newest - LOOK_BACK), LOOK_BACK, ())
        # Not always the newest: something older may still be being committed, and that is news.
        reading = _Reading(batch.upto, frozenset(await ids_since(self._database, batch.upto)))
        loops = [self._follow(reading), self._bell.listen(self._wake.set, reading.stop)]
        if self._tail is not None:
            loops.append(self._follow_tail(self._tail, reading.stop))
        reading.tasks = [asyncio.create_task(self._guard(loop)) for loop in loops]
        return reading

    def _stop(self) -> None:
        """Let the tasks end. They are not cancelled: a connection that is being opened would not be closed again."""
        reading, self._reading = self._reading, None
        if reading is None:
            return
        reading.stop.set()
        self._wake.set()
        for task in reading.tasks:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _guard(self, loop: Awaitable[None]) -> None:
        """Let nobody wait for a task that has ended by a mistake of ours."""
        try:
            await loop
        except Exception as error:  # noqa: BLE001 - it is logged and handed on
            _log.exception("the feed of changes has stopped")
            for subscription in self._subscriptions:
                subscription.fail(error)

    async def _follow(self, reading: _Reading) -> None:
        while not reading.stop.is_set():
            self._wake.clear()
            wanted = self._wanted()
            try:
                batch = await self.read_since(reading.position, BATCH, wanted)
            except StorageError:  # away: what is committed meanwhile is read afterwards
                await pause(reading.stop, POLL_S)
                continue
            if wanted != self._wanted():  # somebody came meanwhile, for whom this has left something out
                continue
            if reading.stop.is_set():  # and whoever has come since reads for themselves
                return
            for change in batch.changes:
                if change.id not in reading.known:
                    for subscription in self._subscriptions:
                        subscription.offer(change)
            reading.position = batch.upto
            if not batch.more:
                await pause(self._wake, POLL_S if batch.settled else GAP_POLL_S)

    async def _follow_tail(self, tail: Tail, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if await tail():
                    self.notify()
            except StorageError as error:
                _log.debug("what OTRS writes cannot be followed now: %s", error)
            await pause(stop, TAIL_S)

    def _wanted(self) -> tuple[str, ...] | None:
        """Name the modules that anybody wants; None is all."""
        wanted: set[str] = set()
        for subscription in self._subscriptions:
            if subscription.modules is None:
                return None
            wanted |= set(subscription.modules)
        return tuple(sorted(wanted))
