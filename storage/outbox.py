"""The outbox: what lambdas are to be told of what was written, noted with the write itself and worked off afterwards.

An entry is open until it is done, has failed for good, or was given up. Whoever takes an open one has it until `due`; when
its process ends meanwhile, somebody else takes it then. It is settled in the transaction that does what its lambda asked
for, and only by the one who has it: so it takes effect once, or not at all.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from storage.direct import Kept
from storage.engine import Database
from storage.own_tables import OUTBOX, SCHEDULE
from storage.transaction import Transaction

SWEEP_ROWS = 1_000  # in one transaction: writers must not wait for the broom
FAILURE_LETTERS = 1_000

_C = OUTBOX.c


class State(StrEnum):
    """What became of an entry; the words are stored."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"  # by its own fault, so that trying again would change nothing
    DEAD = "dead"  # tried too often


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an entry took no effect: a code of `lambdas.errors` or of a fault, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CallerNote:
    """As whom an entry is worked off. The id 0 of an agent stands for whoever has the login then."""

    kind: str
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What a lambda is to be told. With `trouble` it is over before it begins."""

    module: str
    row_key: str
    hook: str
    code: str
    payload: str
    caller: CallerNote
    request_id: str | None = None
    depth: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An entry that this worker has. `delivery` is the same for every attempt."""

    id: int
    delivery: str
    module: str
    row_key: str
    hook: str
    code: str
    payload: str
    caller: CallerNote
    request_id: str | None
    depth: int
    attempts: int
    worker: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: `log` are the lines of the lambda."""

    state: State
    trouble: Trouble | None = None
    log: Sequence[str] = field(default=())
    took_ms: int = 0


class ClaimLost(Exception):
    """Somebody else has the entry by now, or has settled it: nothing of this attempt may stay."""


def now_ms() -> int:
    """Return the time as `due` has it."""
    return time.time_ns() // 1_000_000


async def append(transaction: Transaction, entries: Sequence[NewEntry]) -> int:
    """Note what lambdas are to be told, and return the id of the last entry."""
    now = now_ms()
    return await transaction.insert(OUTBOX, [_values(entry, now) for entry in entries])


async def claim(database: Database, worker: str, count: int, lease_s: float) -> list[Claimed]:
    """Take up to `count` open entries that are due, the oldest first, and of one row the first only."""
    found = await database.fetch_kept(_candidates(count), {"now": now_ms()})
    if not found:
        return []
    until = now_ms() + round(lease_s * 1_000)
    async with database.transaction() as transaction:
        # In the order of their ids, so that two who take the same ones never wait for each other in a circle.
        return [
            _claimed(row, worker)
            for row in sorted(found)
            if await transaction.change(_TAKE, {"number": row[0], "tried": row[10], "who": worker, "until": until})
        ]


async def settle(transaction: Transaction, entry: Claimed, ending: Ending) -> None:
    """Say what became of an entry, last before the commit of what it did. Raises `ClaimLost`."""
    trouble = ending.trouble
    values = {
        "number": entry.id,
        "who": entry.worker,
        "how": str(ending.state),
        "what": trouble.code if trouble else None,
        "why": trouble.message[:FAILURE_LETTERS] if trouble else None,
        "lines": _log(ending.log),
        "now": int(time.time()),
        "took": ending.took_ms,
    }
    if not await transaction.change(_DONE if ending.state is State.DONE else _SETTLE, values):
        raise ClaimLost


async def postpone(database: Database, entry: Claimed, pause_s: float, ending: Ending) -> None:
    """Give an entry back to be tried again later; nothing happens where somebody else has it by now."""
    trouble = ending.trouble or Trouble("", "")
    values = {
        "number": entry.id,
        "who": entry.worker,
        "what": trouble.code,
        "why": trouble.message[:FAILURE_LETTERS],
        "until": now_ms() + round(pause_s * 1_000),
        "took": ending.took_ms,
    }
    async with database.transaction() as transaction:
        await transaction.change(_POSTPONE, values)


async def reopen(transaction: Transaction, number: int) -> bool:
    """Let an entry that has failed or was given up be tried again, as if for the first time; answer whether it was one."""
    over = _C.state.in_([State.FAILED, State.DEAD])
    values = {"state": State.OPEN, "attempts": 0, "due": now_ms(), "worker": None, "ended": None, "took_ms": None}
    return bool(await transaction.change(sa.update(OUTBOX).where(_C.id == number, over).values(values)))


async def sweep(database: Database, done_s: float, failed_s: float) -> int:
    """Remove what was done so long ago, and what failed so long ago; the last run of a schedule stays. Return how many."""
    now = time.time()
    removed = 0
    for states, seconds in (([State.DONE], done_s), ([State.FAILED, State.DEAD], failed_s)):
        runs = sa.select(SCHEDULE.c.entry).where(SCHEDULE.c.entry.is_not(None))
        old = sa.select(_C.id).where(_C.ended < int(now - seconds), _C.state.in_(states), _C.id.not_in(runs))
        removed += await _remove(database, old.order_by(_C.ended).limit(SWEEP_ROWS))
    return removed


async def _remove(database: Database, old: sa.Select[Any]) -> int:
    removed = 0
    while True:
        numbers = [row[0] for row in await database.fetch(old)]
        if numbers:
            async with database.transaction() as transaction:
                removed += await transaction.change(sa.delete(OUTBOX).where(_C.id.in_(numbers)))
        if len(numbers) < SWEEP_ROWS:
            return removed


# --- statements ---

_OTHER = OUTBOX.alias("other")
# One look into an index for each, in the order in which they are due. As NOT EXISTS PostgreSQL makes a join of all of it.
_FIRST = (
    sa.select(sa.func.min(_OTHER.c.id))
    .where(
        _OTHER.c.module == _C.module,
        _OTHER.c.row_key == _C.row_key,
        _OTHER.c.state == sa.literal_column(f"'{State.OPEN}'"),
    )
    .scalar_subquery()
)
_OPEN = _C.state == sa.literal_column(f"'{State.OPEN}'")
_OURS = (_C.id == sa.bindparam("number"), _OPEN, _C.worker == sa.bindparam("who"))
_READ = (
    _C.id, _C.delivery, _C.module, _C.row_key, _C.hook, _C.code, _C.payload, _C.request_id, _C.depth, _C.due, _C.attempts,
    _C.caller_kind, _C.caller_id, _C.caller_login,
)  # fmt: skip
_NULL: Any = sa.null()
_TAKE = Kept(
    sa.update(OUTBOX)
    .where(_C.id == sa.bindparam("number"), _OPEN, _C.attempts == sa.bindparam("tried"))
    .values(worker=sa.bindparam("who"), due=sa.bindparam("until"), attempts=_C.attempts + sa.literal_column("1"))
)
_ENDED = (
    sa.update(OUTBOX)
    .where(*_OURS)
    .values(
        state=sa.bindparam("how"),
        failure_code=sa.bindparam("what"),
        failure=sa.bindparam("why"),
        log=sa.bindparam("lines"),
        ended=sa.bindparam("now"),
        took_ms=sa.bindparam("took"),
        worker=_NULL,
    )
)
_SETTLE = Kept(_ENDED)
# What will not be tried again needs no row any more, which others may have a right to forget.
_DONE = Kept(_ENDED.values(payload=sa.literal_column("'{}'")))
_POSTPONE = Kept(
    sa.update(OUTBOX)
    .where(*_OURS)
    .values(
        failure_code=sa.bindparam("what"),
        failure=sa.bindparam("why"),
        due=sa.bindparam("until"),
        took_ms=sa.bindparam("took"),
        worker=_NULL,
    )
)
_CANDIDATES: dict[int, Kept] = {}


def _candidates(count: int) -> Kept:
    """Ask for the entries that may be taken; the number of them is part of the statement."""
    known = _CANDIDATES.get(count)
    if known is None:
        due = sa.select(*_READ).where(_OPEN, _C.due <= sa.bindparam("now"), _C.id == _FIRST).order_by(_C.due, _C.id)
        known = _CANDIDATES[count] = Kept(due.limit(sa.literal_column(str(count))))
    return known


def _values(entry: NewEntry, now: int) -> dict[str, Any]:
    trouble = entry.trouble
    return {
        "delivery": uuid.uuid4().hex,
        "module": entry.module,
        "row_key": entry.row_key,
        "hook": entry.hook,
        "code": entry.code,
        "payload": entry.payload,
        "caller_kind": entry.caller.kind,
        "caller_id": entry.caller.id,
        "caller_login": entry.caller.login,
        "request_id": entry.request_id,
        "depth": entry.depth,
        "state": str(State.FAILED if trouble else State.OPEN),
        "attempts": 0,
        "due": now,
        "failure_code": trouble.code if trouble else None,
        "failure": trouble.message[:FAILURE_LETTERS] if trouble else None,
        "created": now // 1_000,
        "ended": now // 1_000 if trouble else None,
    }


def _claimed(row: tuple[Any, ...], worker: str) -> Claimed:
    number, delivery, module, row_key, hook, code, payload, request_id, depth, _due, attempts, *caller = row
    note = CallerNote(*caller)
    return Claimed(
        number, delivery, module, row_key, hook, code, payload, note, request_id, depth, attempts + 1, worker
    )


def _log(lines: Sequence[str]) -> str | None:
    return json.dumps(list(lines), ensure_ascii=False) if lines else None
