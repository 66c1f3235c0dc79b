"""Lending the engine's connections, and keeping those that nobody uses at hand.

SQLAlchemy's pool opens and counts connections. Asking it for one costs a switch between greenlets and an object or two each
time, half of what a short statement takes; so connections stay lent while they are idle, and only go back when they break.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from storage.errors import PoolExhausted, Unavailable
from storage.faults import translate

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Lender:
    """Lends up to `size` connections of an engine, those first that were used last. Times are in seconds."""

    def __init__(self, engine: AsyncEngine, size: int, *, acquire_timeout_s: float, connect_timeout_s: float) -> None:
        self._engine = engine
        self._acquire_timeout_s = acquire_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._places = asyncio.Semaphore(size)
        self._idle: list[tuple[AsyncConnection, int]] = []
        self._age = 0  # connections of an older one are not lent again

    async def lend(self, deadline: float | None) -> AsyncConnection:
        """Return a connection; the limit covers waiting for a free one and connecting. `give_back` must follow."""
        left = None if deadline is None else deadline - time.monotonic()
        if self._places.locked():
            await self._wait(left)
            left = None if deadline is None else deadline - time.monotonic()
        else:
            await self._places.acquire()
        try:
            return await self._at_hand() or await self._open(left)
        except BaseException:
            self._places.release()
            raise

    async def _wait(self, left: float | None) -> None:
        limit = self._acquire_timeout_s + self._connect_timeout_s
        try:
            async with asyncio.timeout(limit if left is None else min(limit, left)):
                await self._places.acquire()
        except TimeoutError:
            raise PoolExhausted from None

    async def _at_hand(self) -> AsyncConnection | None:
        while self._idle:
            connection, age = self._idle.pop()
            if age == self._age:
                return connection
            await _end(connection, broken=True)
        return None

    async def _open(self, left: float | None) -> AsyncConnection:
        limit = self._acquire_timeout_s + self._connect_timeout_s
        try:
            async with asyncio.timeout(limit if left is None else min(limit, left)):
                return await self._engine.connect()
        except TimeoutError:
            raise Unavailable("no answer") from None
        except (SQLAlchemyError, OSError) as error:
            raise translate(error) from None

    async def give_back(self, connection: AsyncConnection, *, broken: bool) -> None:
        """Take a connection back; one that is broken is closed."""
        try:
            if broken or connection.closed:
                await _end(connection, broken=True)
            else:
                self._idle.append((connection, self._age))
        finally:
            self._places.release()

    async def let_go(self, connection: AsyncConnection) -> None:
        """Give a connection away for good: it counts no longer, and whoever has it must close it."""
        await connection.run_sync(lambda lent: lent.detach())
        self._places.release()

    def forget_idle(self) -> None:
        """Lend none again of those that are idle: one that was lent has broken, and probably so have they."""
        self._age += 1

    async def close(self) -> None:
        """Close what is idle: as if it were broken, for otherwise SQLAlchemy rolls back first, and a database may not answer."""
        while self._idle:
            await _end(self._idle.pop()[0], broken=True)


async def _end(connection: AsyncConnection, *, broken: bool) -> None:
    with suppress(SQLAlchemyError, OSError):
        if broken:
            await connection.invalidate()
        await connection.close()
