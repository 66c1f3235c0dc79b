"""Where passwords are checked: an interface, and the database as the provider behind it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from identity.accounts import Standing, find_standing
from identity.argon import Argon
from identity.credentials import find_hash, keep_hash
from identity.hashing import Hashing
from identity.keys import Keys
from identity.passwords import read_password
from identity.principals import Kind
from identity.stored_forms import is_right
from storage.engine import Database
from storage.errors import StorageError

log = logging.getLogger("lambdesk.identity")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a provider says. `standing` is the account that was meant, if there is one, also for a wrong password."""

    standing: Standing | None
    is_right: bool


class Provider(Protocol):
    """Checks the password of an agent or a customer. LDAP and single sign-on are others than the database."""

    async def check(self, kind: Kind, login: str, password: str) -> Checked:
        """Check a password. It takes as long, and does as much, for a login that nobody has.

        `is_right` only for an account that may sign in now. Raises `StorageError` while the database is away, and
        `Throttled` when too much is being checked at once.
        """


class DatabaseProvider:
    """Agents of `users` and customers of `customer_user`, by Lambdesk's own hash where it counts, else by OTRS's `pw`.

    `plain` takes a stored text of no known form for the password itself.
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        hashing: Hashing,
        *,
        plain: bool = False,
        argon: Argon | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._hashing = hashing
        self._plain = plain
        self._argon = argon or Argon()
        self._clock = clock

    async def check(self, kind: Kind, login: str, password: str) -> Checked:
        """Check a password against the database, and keep its hash when OTRS's own was needed."""
        secret = read_password(password)
        standing = await find_standing(self._database.fetch_kept, self._keys.account, kind, login)
        may = standing is not None and standing.is_valid and standing.stored != "" and secret is not None
        kept = await find_hash(self._database, standing)
        if secret is None:  # refused by its length alone, which whoever sent it knows
            return Checked(standing, is_right=False)
        if standing is None or not may:
            await self._hashing.run(lambda: self._argon.is_right(secret, self._argon.decoy))
            return Checked(standing, is_right=False)
        right, made = await self._hashing.run(lambda: self._compare(secret, standing.stored, kept))
        if right and made is not None:
            await self._keep(standing, made)
        return Checked(standing, is_right=right)

    def _compare(self, secret: bytes, stored: str, kept: str | None) -> tuple[bool, str | None]:
        """Compare, with one argon2 in every case; return also the hash that is to be kept from now on."""
        if kept is not None:
            right = self._argon.is_right(secret, kept)
            return right, self._argon.make(secret) if right and self._argon.is_dated(kept) else None
        if is_right(secret, stored, plain=self._plain):
            return True, self._argon.make(secret)
        self._argon.is_right(secret, self._argon.decoy)
        return False, None

    async def _keep(self, standing: Standing, made: str) -> None:
        try:
            await keep_hash(self._database, standing, made, self._clock())
        except StorageError as error:  # a full disk keeps nobody out
            log.warning("A password hash could not be kept: %s", error)
