"""When lambdas by the clock run next, for all servers of a database; their runs are entries of the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from storage.engine import Database
from storage.once import insert_once
from storage.outbox import NewEntry, State, append
from storage.own_tables import OUTBOX, SCHEDULE
from storage.transaction import Transaction

Name = tuple[str, str]  # of the module, and of the schedule

_C = SCHEDULE.c


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a schedule follows, as a text that differs when it is another one, and when it is to run next (None: never)."""

    text: str
    next: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule as it stands: times are milliseconds since 1970; `entry` is its last run's in the outbox."""

    module: str
    name: str
    next: int | None
    last: int | None
    entry: int | None


async def follow(database: Database, wanted: Mapping[Name, Rhythm]) -> None:
    """Keep exactly these schedules; one with another rhythm than before starts anew, all others go on as they stand."""
    known = {row[:2]: row[2] for row in await database.fetch(sa.select(_C.module, _C.name, _C.rhythm))}
    if known == {name: rhythm.text for name, rhythm in wanted.items()}:
        return
    async with database.transaction() as transaction:
        for name in sorted(known.keys() - wanted.keys()):
            await transaction.execute(sa.delete(SCHEDULE).where(*_is(name)))
        for name, rhythm in sorted(wanted.items()):
            values = {"rhythm": rhythm.text, "next": rhythm.next}
            if name not in known:
                await insert_once(transaction, SCHEDULE, {"module": name[0], "name": name[1], **values})
            elif known[name] != rhythm.text:
                other = _C.rhythm != rhythm.text  # somebody else may have been first
                await transaction.change(sa.update(SCHEDULE).where(*_is(name), other).values(values))


async def due(database: Database, now: int) -> list[Planned]:
    """Return the schedules whose time has come."""
    columns = (_C.module, _C.name, _C.next, _C.last, _C.entry)
    question = sa.select(*columns).where(_C.next <= now).order_by(_C.next)
    return [Planned(*row) for row in await database.fetch(question)]


async def soonest(database: Database) -> int | None:
    """Return when a schedule is to run next."""
    found: int | None = (await database.fetch(sa.select(sa.func.min(_C.next))))[0][0]
    return found


async def begin(database: Database, planned: Planned, next_: int | None, make: Callable[[], NewEntry]) -> bool:
    """Note a run that is due, once among all servers, and when the next one is; a run that is still open is not overtaken.

    Answers whether a run was noted here.
    """
    async with database.transaction() as transaction:
        turn = sa.update(SCHEDULE).where(*_is((planned.module, planned.name)), _C.next == planned.next)
        if not await transaction.change(turn.values(next=next_, last=planned.next)):
            return False
        return await _note(transaction, planned, make)


async def begin_now(transaction: Transaction, planned: Planned, now: int, make: Callable[[], NewEntry]) -> bool:
    """Note a run that somebody asks for; False where one is still open."""
    if not await _note(transaction, planned, make):
        return False
    await transaction.change(sa.update(SCHEDULE).where(*_is((planned.module, planned.name))).values(last=now))
    return True


async def find(transaction: Transaction, name: Name) -> Planned | None:
    """Return a schedule, and keep others from beginning a run of it."""
    columns = (_C.module, _C.name, _C.next, _C.last, _C.entry)
    rows = await transaction.execute(sa.select(*columns).where(*_is(name)).with_for_update())
    return Planned(*rows[0]) if rows else None


async def _note(transaction: Transaction, planned: Planned, make: Callable[[], NewEntry]) -> bool:
    if planned.entry is not None:
        open_ = sa.select(OUTBOX.c.id).where(OUTBOX.c.id == planned.entry, OUTBOX.c.state == str(State.OPEN))
        if await transaction.execute(open_):
            return False
    number = await append(transaction, [make()])
    name = (planned.module, planned.name)
    await transaction.change(sa.update(SCHEDULE).where(*_is(name)).values(entry=number))
    return True


def _is(name: Name) -> tuple[sa.ColumnElement[bool], ...]:
    return _C.module == name[0], _C.name == name[1]
