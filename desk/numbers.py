"""Ticket numbers: never twice, also while an OTRS numbers tickets of the same database.

Counters are reserved in a short transaction of their own, so that no ticket waits for another one's commit. Everybody who
waits while a reservation runs is served by the next one: under load a block for many, otherwise a single counter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from desk.counters import Period, clean_up, day_start, reserve
from desk.names import Names
from desk.number_forms import FORMS, random_number, write_number
from desk.settings import NumberSettings
from desk.tables import TICKET
from storage.engine import Database
from storage.transaction import Transaction
from storage.values import wall_clock

BLOCK_LIMIT = 200
TRIES = 100  # numbers that are used already, or blocks of one, before we give up
CLEAN_EVERY = 50  # reservations
_COUNTER_DIGITS = 8  # of AutoIncrement: a longer rest is a number of another generator
_CANDIDATES = 50

_Waiting = asyncio.Future[str]


def _now() -> datetime:
    return datetime.now(UTC)


class NumbersExhausted(RuntimeError):
    """No free ticket number was found: the counters and the tickets contradict each other."""


class Numbers:
    """Numbers for the tickets of one database.

    `settings` replaces what OTRS's administrators have set; `clock` tells the moment.
    """

    def __init__(
        self,
        database: Database,
        names: Names,
        *,
        settings: NumberSettings | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._database = database
        self._names = names
        self._settings = settings
        self._clock = clock
        self._own: Database | None = None
        self._waiting: list[_Waiting] = []
        self._server: asyncio.Task[None] | None = None
        self._reserved = 0

    async def take(self, transaction: Transaction) -> str:
        """Return a number that no ticket has. On SQLite it comes from the ticket's own transaction, the only writer's."""
        if self._database.dialect.name == "sqlite":
            return (await self._reserve(transaction, 1))[0]
        place: _Waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        return await place

    # --- inside ---

    async def _serve(self) -> None:
        """Serve those who wait, as long as there are any."""
        while self._waiting:
            served, self._waiting = self._waiting[:BLOCK_LIMIT], self._waiting[BLOCK_LIMIT:]
            try:
                numbers = await self._reserve_beside(len(served))
            except Exception as error:  # noqa: BLE001 - it is raised where the number was asked for
                for place in served:
                    if not place.done():
                        place.set_exception(error)
                continue
            for place, number in zip(served, numbers, strict=True):
                if not place.done():  # whoever went away leaves a gap
                    place.set_result(number)

    async def _reserve_beside(self, wanted: int) -> list[str]:
        if self._own is None:
            self._own = self._database.beside()
        if self._own.dialect.name == "mysql":
            async with self._own.connection(writes=True) as connection:
                return await self._reserve(Transaction(connection, self._own.dialect), wanted)
        async with self._own.transaction() as transaction:
            return await self._reserve(transaction, wanted)

    async def _reserve(self, transaction: Transaction, wanted: int) -> list[str]:
        settings = self._settings or (await self._names.settings(transaction)).numbers
        numbers: list[str] = []
        least = 0
        for _ in range(TRIES):
            batch = await self._batch(transaction, settings, wanted - len(numbers), least)
            free = await _unused(transaction, list(batch))
            numbers += free
            if len(numbers) >= wanted:
                await self._tidy(transaction)
                return numbers[:wanted]
            if len(free) < len(batch) and settings.generator in FORMS:
                least = max(*batch.values(), await _highest(transaction, settings, self._today()))
        raise NumbersExhausted(f"No free ticket number was found in {TRIES} tries.")

    async def _batch(
        self, transaction: Transaction, settings: NumberSettings, wanted: int, least: int
    ) -> dict[str, int]:
        """Make numbers, with their counters."""
        if settings.generator not in FORMS:
            return {random_number(settings): 0 for _ in range(wanted)}
        today = self._today()
        start = self._wall(day_start(today)) if FORMS[settings.generator].counts_days else None

        async def floor(inside: Transaction) -> int:
            return await _highest(inside, settings, today)

        counters = await reserve(transaction, Period(self._wall(today), start), wanted, floor, least)
        return {write_number(settings, today.date(), counter): counter for counter in counters}

    async def _tidy(self, transaction: Transaction) -> None:
        self._reserved += 1
        if self._reserved % CLEAN_EVERY == 0:
            await clean_up(transaction, lambda age: self._wall(self._today() - age))

    def _today(self) -> datetime:
        return self._clock().astimezone(self._database.zone).replace(microsecond=0)

    def _wall(self, moment: datetime) -> Any:
        return wall_clock(moment, self._database.dialect.name, self._database.zone)


async def _unused(transaction: Transaction, numbers: Sequence[str]) -> list[str]:
    """Leave out the numbers that tickets have."""
    rows = await transaction.execute(sa.select(TICKET.c.tn).where(TICKET.c.tn.in_(numbers)))
    used = {row[0] for row in rows}
    return [number for number in numbers if number not in used]


async def _highest(transaction: Transaction, settings: NumberSettings, today: datetime) -> int:
    """Return the highest counter that a ticket's number shows: of today, or of all where the counter never restarts.

    A database whose counters were kept elsewhere (before OTRS 6 in a file), or lost, goes on above it.
    """
    form = FORMS[settings.generator]
    prefix = form.prefix(settings, today.date())
    number, size = TICKET.c.tn, sa.func.length(TICKET.c.tn)
    statement = sa.select(number).where(number >= prefix, number < _successor(prefix))
    if not form.counts_days:
        statement = statement.where(size <= len(prefix) + _COUNTER_DIGITS)
    rows = await transaction.execute(statement.order_by(size.desc(), number.desc()).limit(_CANDIDATES))
    rests = [row[0][len(prefix) :] for row in rows if row[0].startswith(prefix)]
    return max((form.read(rest) for rest in rests if rest.isdecimal()), default=0)


def _successor(prefix: str) -> str:
    """Return the first text after all that begin with these digits; an index finds such a range in any collation."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
