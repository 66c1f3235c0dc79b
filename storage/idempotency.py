"""What mutations with an Idempotency-Key did, noted in their own transactions, so that each is done once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.direct import Kept
from storage.engine import Database
from storage.errors import AlreadyDone
from storage.once import insert_once
from storage.own_tables import IDEMPOTENCY
from storage.transaction import Transaction

_COLUMNS = IDEMPOTENCY.c
_ASKED = sa.select(_COLUMNS.fingerprint, _COLUMNS.result).where(_COLUMNS.digest == sa.bindparam("name"))
_LOOK = Kept(_ASKED)
# FOR SHARE: on MariaDB an ordinary read may see a time before the other's COMMIT.
_FIND = Kept(_ASKED.with_for_update(read=True))
_NOTE = Kept(
    sa.update(IDEMPOTENCY)
    .where(_COLUMNS.digest == sa.bindparam("name"), _COLUMNS.fingerprint == "")
    .values(fingerprint=sa.bindparam("of"), result=sa.bindparam("what"))
)
SWEEP_ROWS = 1_000  # in one transaction: writers must not wait for the broom


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for a digest: the fingerprint of the field with its input, and its result as JSON."""

    fingerprint: str
    result: str


def digest(caller_kind: str, caller_id: int, key: str, response_name: str) -> str:
    """Name one root field of one caller's request: two of them are the same exactly when all four are."""
    text = json.dumps([caller_kind, caller_id, key, response_name])
    return hashlib.sha256(text.encode()).hexdigest()


async def find(transaction: Transaction, name: str) -> Done | None:
    """Return what was done for a digest, or take it for this transaction and return None.

    While another transaction has it, this waits for its end. So call it first: whoever comes second must not run into
    what the first one has just written. Nothing stays taken when the transaction is rolled back.
    """
    values = {"digest": name, "fingerprint": "", "result": "", "created": int(time.time())}
    if await insert_once(transaction, IDEMPOTENCY, values):
        return None
    return _done(await transaction.execute(_FIND, {"name": name}))


async def look(database: Database, name: str, deadline: float | None = None) -> Done | None:
    """Return what was done for a digest and is committed, without taking it; `find` decides in the transaction."""
    return _done(await database.fetch_kept(_LOOK, {"name": name}, deadline=deadline))


def _done(rows: Sequence[tuple[Any, ...]]) -> Done | None:
    """Read what was done; who has only taken a digest has done nothing yet."""
    return Done(*rows[0]) if rows and rows[0][0] else None


async def note(transaction: Transaction, name: str, fingerprint: str, result_json: str) -> None:
    """Note what is done for a digest, at the end of the transaction that does it.

    Raises `AlreadyDone` if it was not taken by `find` and another transaction has noted it meanwhile.
    """
    if await transaction.change(_NOTE, {"name": name, "of": fingerprint, "what": result_json}):
        return
    values = {"digest": name, "fingerprint": fingerprint, "result": result_json, "created": int(time.time())}
    if not await insert_once(transaction, IDEMPOTENCY, values):
        raise AlreadyDone


async def sweep(database: Database, older_than_s: float) -> int:
    """Forget what was done longer ago than that; return how many were forgotten."""
    before = int(time.time() - older_than_s)
    forgotten = 0
    while True:
        old = sa.select(_COLUMNS.digest).where(_COLUMNS.created < before).order_by(_COLUMNS.created).limit(SWEEP_ROWS)
        names = [row[0] for row in await database.fetch(old)]
        if names:
            async with database.transaction() as transaction:
                forgotten += await transaction.change(sa.delete(IDEMPOTENCY).where(_COLUMNS.digest.in_(names)))
        if len(names) < SWEEP_ROWS:
            return forgotten
