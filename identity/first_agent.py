"""The agent that every new database has, `root@localhost`, and the password `root` that OTRS seeds it with."""

from __future__ import annotations

import secrets
from functools import partial

import sqlalchemy as sa

from identity.hashing import Hashing
from identity.passwords import check_password, hash_password
from storage.engine import Database

LOGIN = "root@localhost"
SEED = "roK20XGbWEsSM"  # DES crypt of `root`, in every OTRS and Znuny since 2002
GENERATED_BYTES = 15  # 120 bits, 20 letters

_USERS = sa.table("users", sa.column("login", sa.String()), sa.column("pw", sa.String()), sa.column("valid_id"))


async def has_seed_password(database: Database) -> bool:
    """Whether anybody can sign in as an agent with OTRS's own first password."""
    question = sa.select(_USERS.c.login).where(_USERS.c.pw == SEED, _USERS.c.valid_id == 1)
    return bool(await database.fetch(question.limit(1)))


async def give_password(database: Database, hashing: Hashing, wanted: str = "") -> str | None:
    """Give the first agent a password, in OTRS's strongest form, if it has the seeded one still.

    `wanted` is the operator's choice; without one, a password is generated. Returns the password that was set, for the
    operator to see it once, or None when there was nothing to do: of several processes that start at once, one sets it.
    Raises `PasswordTooLong`, and `StorageError`.
    """
    check_password(wanted)
    if not await database.fetch(sa.select(_USERS.c.login).where(_USERS.c.login == LOGIN, _USERS.c.pw == SEED)):
        return None
    password = wanted or secrets.token_urlsafe(GENERATED_BYTES)
    made = await hashing.run(partial(hash_password, password))
    change = sa.update(_USERS).where(_USERS.c.login == LOGIN, _USERS.c.pw == SEED).values(pw=made)
    async with database.transaction() as transaction:
        return password if await transaction.change(change) else None
