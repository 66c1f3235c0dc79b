"""A transaction as a whole, again where another one was in the way, and never where it may be there already."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.engine import Database
from storage.errors import OutcomeUnknown, TransactionConflict, Unavailable
from storage.transaction import Transaction

ATTEMPTS = 6
FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.25

Result = TypeVar("Result")


async def run(
    database: Database,
    work: Callable[[Transaction], Awaitable[Result]],
    *,
    deadline: float,
    attempts: int = ATTEMPTS,
    at_once: bool = False,
) -> Result:
    """Run `work` in a transaction and return its result. `deadline` is an instant of `time.monotonic()`.

    `work` may run several times, each in a transaction of its own of which nothing remains: after a deadlock, a
    serialization failure or a lock that was waited for too long; and once more after a connection that broke before COMMIT
    was sent, as one does that broke while nobody used it. With `at_once` it writes with one statement, until another
    transaction is in the way. Raises `OutcomeUnknown` when it broke at COMMIT: only whoever
    left a mark in the transaction (`storage.idempotency`) can tell what became of it.
    """
    conflicts = 0
    is_lost = False
    while True:
        try:
            async with database.transaction(deadline=deadline, at_once=at_once and not conflicts) as transaction:
                return await work(transaction)
        except TransactionConflict:
            conflicts += 1
            # At random, so that the two that met do not meet again.
            pause_s = random.uniform(0, min(FIRST_PAUSE_S * 2**conflicts, LONGEST_PAUSE_S))  # noqa: S311 - no secret
            if conflicts >= attempts or time.monotonic() + pause_s >= deadline:
                raise
            await asyncio.sleep(pause_s)
        except Unavailable as error:
            if is_lost or not error.lost or isinstance(error, OutcomeUnknown):
                raise
            is_lost = True
