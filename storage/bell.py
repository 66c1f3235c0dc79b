"""How processes tell each other on PostgreSQL that something was committed: LISTEN and NOTIFY.

The bell is rung after COMMIT, not inside the transaction: there it would make every COMMIT wait for all others, because
PostgreSQL delivers notifications in the order of commits and holds a lock of the whole server from before one is written to
disk until after it. A ring that is lost, with the process that should have rung, costs the others half a second.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from storage.engine import Database
from storage.errors import StorageError

CHANNEL = "lambdesk_change"
REST_S = 0.05  # between two rings: a thousand commits a second are twenty
AGAIN_S = 1.0
CHECK_S = 10.0  # a connection behind a broken route never says that it is lost
PATIENCE_S = 2.0


class Bell:
    """One process's end of the wire; nothing on databases that have none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_wired = database.dialect.name == "postgresql"
        self._name = uuid.uuid4().hex  # our own rings are no news to us
        self._rings = False
        self._ringing: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Tell the other processes, soon."""
        if not self._is_wired:
            return
        self._rings = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.get_running_loop().create_task(self._ring())

    async def listen(self, heard: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `heard` whenever another process rings, until told to stop; a lost connection is made again."""
        while self._is_wired and not stop.is_set():
            with suppress(StorageError, OSError, TimeoutError, *_driver_errors()):
                await self._listen(heard, stop)
            heard()  # who knows what was missed
            await pause(stop, AGAIN_S)

    async def close(self) -> None:
        """Ring no more."""
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)

    async def _ring(self) -> None:
        while self._rings:
            self._rings = False
            with suppress(StorageError):  # the others look by themselves, too
                await self._database.fetch(f"SELECT pg_notify('{CHANNEL}', '{self._name}')")
            await asyncio.sleep(REST_S)

    async def _listen(self, heard: Callable[[], None], stop: asyncio.Event) -> None:
        ends = asyncio.Event()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: ends.set())

        def hear(_connection: Any, _process: int, _channel: str, name: str) -> None:
            if name != self._name:
                heard()

        try:
            async with self._database.apart() as driver:
                driver.add_termination_listener(lambda _: ends.set())
                async with asyncio.timeout(PATIENCE_S):
                    await driver.add_listener(CHANNEL, hear)
                heard()
                while not ends.is_set():
                    await pause(ends, CHECK_S)
                    async with asyncio.timeout(PATIENCE_S):
                        await driver.execute("SELECT 1")
        finally:
            stopping.cancel()


async def pause(wake: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but no longer than that.

    Not with `wait_for`: in Python 3.11 it forgets that it was cancelled when what it waits for happens just then.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()


def _driver_errors() -> tuple[type[Exception], ...]:
    import asyncpg  # noqa: PLC0415 - a driver is loaded where it is used

    return (asyncpg.PostgresError, asyncpg.InterfaceError)
