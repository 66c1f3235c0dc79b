"""Who signed in, who was refused, and what was amiss: the rows of `lambdesk_sign_in`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from identity.principals import Kind, Person
from identity.texts import clean
from storage.direct import Kept
from storage.engine import Database
from storage.own_tables import SIGN_IN
from storage.transaction import Transaction

ADDRESS_LETTERS = 45
SWEEP_ROWS = 1_000


class Outcome(StrEnum):
    """What came of it."""

    OK = "ok"
    REFUSED = "refused"
    THROTTLED = "throttled"  # noted once for each pause, not for each attempt: attempts cost an attacker nothing
    REUSED = "reused"  # a refresh token came back that had been exchanged: it was stolen, and its session is over


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at the door. `person` is None where no account has the login; then `account_key` alone tells which it was."""

    outcome: Outcome
    kind: Kind
    account_key: str
    person: Person | None
    address: str
    session: str | None = None


_NOTE = Kept(sa.insert(SIGN_IN).inline())


async def note(transaction: Transaction, attempt: Attempt, now: float) -> None:
    """Note an attempt; `now` is in seconds since 1970."""
    person = attempt.person
    values: dict[str, Any] = {
        "at": round(now * 1_000),
        "outcome": str(attempt.outcome),
        "account_kind": str(attempt.kind),
        "account_id": person.id if person else None,
        "login": person.login if person else None,
        "account_key": attempt.account_key,
        "address": clean(attempt.address, ADDRESS_LETTERS),
        "session": attempt.session,
    }
    await transaction.execute(_NOTE, values)


async def sweep(database: Database, before: float) -> int:
    """Remove what is older than a moment (seconds since 1970); return how many rows that were."""
    gone = 0
    while True:
        old = sa.select(SIGN_IN.c.id).where(SIGN_IN.c.at < round(before * 1_000)).limit(SWEEP_ROWS)
        ids = [row[0] for row in await database.fetch(old)]
        if ids:
            async with database.transaction() as transaction:
                gone += await transaction.change(sa.delete(SIGN_IN).where(SIGN_IN.c.id.in_(ids)))
        if len(ids) < SWEEP_ROWS:
            return gone
