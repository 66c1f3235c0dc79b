"""The passwords that a new database begins with, and what must not be reached from elsewhere with one that everybody knows."""

from __future__ import annotations

import os
import secrets
from functools import partial

import sqlalchemy as sa

from identity.first_agent import LOGIN, give_password, has_seed_password
from identity.hashing import Hashing
from identity.passwords import hash_password
from storage.engine import Database
from storage.own_tables import META
from web.settings import PREFIX, Settings

DEMO_FILE = "demo.password"
DEMO_BYTES = 9  # 72 bits, 12 letters
MADE = "The first agent is {login} with the password {password} - it is shown this once."
DEMO = "Demo: sign in as {people}. Everybody's password is {password}"
SEEDED = (
    f"{PREFIX}HOST is {{host}}, which other machines can reach, but an agent of the database still has the password that every "
    f"new OTRS begins with ({LOGIN}, root).\nChange it, for example here with {PREFIX}HOST=127.0.0.1, and start again."
)


class KnownPassword(Exception):
    """An agent has a password that everybody knows, and other machines can reach the server."""


async def check_reach(settings: Settings, database: Database) -> None:
    """Raise `KnownPassword` where other machines could sign in with OTRS's first password. Raises `StorageError`."""
    if not settings.is_loopback and await has_seed_password(database):
        raise KnownPassword(SEEDED.format(host=settings.host))


async def give_passwords(settings: Settings, database: Database, hashing: Hashing) -> list[str]:
    """Fill a new database with demo data where that is wanted, and give the first agent a password.

    Returns the lines that are to be shown to whoever started the server, and never logged. Raises `StorageError`.
    """
    lines = await _fill_demo(settings, database, hashing) if settings.demo else []
    wanted = settings.admin_password or (demo_password(settings) if lines else "")
    made = await give_password(database, hashing, wanted)
    return lines or ([MADE.format(login=LOGIN, password=made)] if made and not wanted else [])


async def _fill_demo(settings: Settings, database: Database, hashing: Hashing) -> list[str]:
    """Fill a new database; say who may sign in where the database has demo data."""
    if not await _has_demo(database):
        from storage.demo import fill  # noqa: PLC0415 - most servers never need it

        hashed = await hashing.run(partial(hash_password, demo_password(settings)))
        if not await fill(database, password_hash=hashed) and not await _has_demo(database):
            return []
    root = "" if settings.admin_password else f"{LOGIN} (administrator), "
    agents = await database.fetch("SELECT min(login) FROM users WHERE id > 1")
    customers = await database.fetch("SELECT min(login) FROM customer_user")
    people = f"{root}{agents[0][0]} (agent) or {customers[0][0]} (customer)"
    return [DEMO.format(people=people, password=demo_password(settings))]


async def _has_demo(database: Database) -> bool:
    return bool(await database.fetch(sa.select(META.c.name).where(META.c.name == "demo")))


def demo_password(settings: Settings) -> str:
    """Return the password of everybody in the demo, made at its first use and kept in `VAR_DIR` with mode 0600."""
    path = settings.var_dir / DEMO_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(DEMO_BYTES) + "\n")
        draft.replace(path)
    return path.read_text().strip()
