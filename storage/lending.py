"""Lending the engine's connections, and keeping those that nobody uses at hand.

SQLAlchemy's pool opens and counts connections. Asking it for one costs a switch between greenlets and an object or two each
time, half of what a short statement takes; so connections stay lent while they are idle, and only go back when they break.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from storage.direct import DirectWire
from storage.errors import PoolExhausted, Unavailable
from storage.faults import translate
from storage.patience import Within
from storage.places import Places
from storage.session import Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(slots=True, eq=False)
class Loan:
    """A connection that is open, with what every use of it needs; finding it anew through SQLAlchemy takes as long as a short wait.

    `wire` is the short way over it for statements that only read, `lent` what the pool lent.
    """

    connection: AsyncConnection
    lent: Any
    session: Session
    wire: DirectWire
    age: int = 0


# Makes the short way over what the pool lent.
MakeWire = Callable[[Any], DirectWire]


class Lender:
    """Lends up to `size` connections of an engine, those first that were used last. Times are in seconds."""

    def __init__(
        self,
        engine: AsyncEngine,
        size: int,
        make_wire: MakeWire,
        *,
        acquire_timeout_s: float,
        connect_timeout_s: float,
    ) -> None:
        self._engine = engine
        self._make_wire = make_wire
        self._acquire_timeout_s = acquire_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._places = Places(size)
        self._idle: list[Loan] = []
        self._age = 0  # connections of an older one are not lent again

    async def lend(self, deadline: float | None) -> Loan:
        """Return a connection; the limit covers waiting for a free one and connecting. `give_back` or `put_back` must follow."""
        if not self._places.take():
            await self._wait(deadline)
        try:
            while self._idle:
                loan = self._idle.pop()
                if loan.age == self._age:
                    return loan
                await _end(loan.connection, broken=True)
            return await self._open(self._limit(deadline))
        except BaseException:
            self._places.give_back()
            raise

    async def _wait(self, deadline: float | None) -> None:
        try:
            async with Within(self._limit(deadline)):
                await self._places.wait()
        except TimeoutError:
            raise PoolExhausted from None

    def _limit(self, deadline: float | None) -> float:
        """Return for how many seconds one waits for a connection."""
        limit = self._acquire_timeout_s + self._connect_timeout_s
        return limit if deadline is None else min(limit, deadline - time.monotonic())

    async def _open(self, limit: float) -> Loan:
        try:
            async with asyncio.timeout(limit):
                return self._loan(await self._engine.connect())
        except TimeoutError:
            raise Unavailable("no answer") from None
        except (SQLAlchemyError, OSError) as error:
            raise translate(error) from None

    def _loan(self, connection: AsyncConnection) -> Loan:
        opened = connection.sync_connection
        assert opened is not None  # noqa: S101 - it is open
        lent = opened.connection
        return Loan(connection, lent, lent.info["session"], self._make_wire(lent))

    def put_back(self, loan: Loan) -> None:
        """Take a connection back that has just answered."""
        loan.age = self._age
        self._idle.append(loan)
        self._places.give_back()

    async def give_back(self, loan: Loan, *, broken: bool) -> None:
        """Take a connection back; one that is broken is closed."""
        if not broken and not loan.connection.closed:
            self.put_back(loan)
            return
        try:
            await _end(loan.connection, broken=True)
        finally:
            self._places.give_back()

    async def let_go(self, loan: Loan) -> None:
        """Give a connection away for good: it counts no longer, and whoever has it must close it."""
        await loan.connection.run_sync(lambda lent: lent.detach())
        self._places.give_back()

    def forget_idle(self) -> None:
        """Lend none again of those that are idle: one that was lent has broken, and probably so have they."""
        self._age += 1

    async def close(self) -> None:
        """Close what is idle: as if it were broken, for otherwise SQLAlchemy rolls back first, and a database may not answer."""
        while self._idle:
            await _end(self._idle.pop().connection, broken=True)


async def _end(connection: AsyncConnection, *, broken: bool) -> None:
    with suppress(SQLAlchemyError, OSError):
        if broken:
            await connection.invalidate()
        await connection.close()
