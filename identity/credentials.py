"""Passwords in `lambdesk_credential`: argon2id of what somebody signed in with, for as long as OTRS's own column is the same."""

from __future__ import annotations

import sqlalchemy as sa

from identity.accounts import Standing
from identity.principals import Kind
from storage.engine import Database
from storage.once import insert_once
from storage.own_tables import CREDENTIAL
from storage.transaction import Transaction

_COLUMNS = CREDENTIAL.c


async def find_hash(database: Database, standing: Standing | None) -> str | None:
    """Return the hash of an account that counts: one made from another `pw` than today's does not.

    The question is asked for no account too, so that it takes as long.
    """
    kind, number = (standing.person.kind, standing.person.id) if standing else ("", 0)
    rows = await database.fetch(
        sa.select(_COLUMNS.hash, _COLUMNS.fingerprint).where(
            _COLUMNS.account_kind == str(kind), _COLUMNS.account_id == number
        )
    )
    return str(rows[0][0]) if rows and standing and rows[0][1] == standing.fingerprint else None


async def keep_hash(database: Database, standing: Standing, made: str, now: float) -> None:
    """Keep a hash of an account's password; `standing` is what it was checked against."""
    person = standing.person
    values = {"hash": made, "fingerprint": standing.fingerprint, "changed": int(now)}
    own = (_COLUMNS.account_kind == str(person.kind), _COLUMNS.account_id == person.id)
    async with database.transaction() as transaction:
        if not await transaction.change(sa.update(CREDENTIAL).where(*own).values(values)):
            # Where another sign-in was quicker, its hash is as good.
            await insert_once(
                transaction, CREDENTIAL, {"account_kind": str(person.kind), "account_id": person.id, **values}
            )


async def drop_hash(transaction: Transaction, kind: Kind, account_id: int) -> None:
    """Forget the hash of an account that is given another password; it counts no more in any case."""
    own = (_COLUMNS.account_kind == str(kind), _COLUMNS.account_id == account_id)
    await transaction.change(sa.delete(CREDENTIAL).where(*own))
