"""The agent that every database has, `root@localhost`: without a password where Lambdesk made the database, with `root` where OTRS did."""

from __future__ import annotations

import secrets
from functools import partial

import sqlalchemy as sa

from identity.hashing import Hashing
from identity.passwords import check_password, hash_password
from storage.engine import Database

LOGIN = "root@localhost"
NONE_YET = "!"  # in `storage/rows.yaml`: no password, as in /etc/shadow
SEED = "roK20XGbWEsSM"  # DES crypt of `root`, in every database that an OTRS or a Znuny made
GENERATED_BYTES = 15  # 120 bits, 20 letters

_USERS = sa.table("users", sa.column("login", sa.String()), sa.column("pw", sa.String()), sa.column("valid_id"))
_LACKS = sa.and_(_USERS.c.login == LOGIN, _USERS.c.pw == NONE_YET)


async def has_seed_password(database: Database) -> bool:
    """Whether anybody can sign in as an agent with OTRS's own first password."""
    question = sa.select(_USERS.c.login).where(_USERS.c.pw == SEED, _USERS.c.valid_id == 1)
    return bool(await database.fetch(question.limit(1)))


async def give_password(database: Database, hashing: Hashing, wanted: str = "") -> str | None:
    """Give the first agent of a database that Lambdesk made its first password, in OTRS's strongest form.

    `wanted` is the operator's choice; without one, a password is generated. Returns the password that was set, for the
    operator to see it once, or None when there was nothing to do: of several processes that start at once, one sets it.
    Raises `PasswordTooLong`, and `StorageError`.
    """
    check_password(wanted)
    if not await database.fetch(sa.select(_USERS.c.login).where(_LACKS)):
        return None
    password = wanted or secrets.token_urlsafe(GENERATED_BYTES)
    made = await hashing.run(partial(hash_password, password))
    async with database.transaction() as transaction:
        return password if await transaction.change(sa.update(_USERS).where(_LACKS).values(pw=made)) else None
