"""Changing one's own password: in OTRS's column, so that an OTRS beside us takes it too, and in Lambdesk's own form.

Only the owner's old password lets a new one in, through the same throttle as signing in: whoever finds an open browser
must not try passwords there. What sessions there were end with the change, for they were begun with the old one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import sqlalchemy as sa

from identity.accounts import PASSWORD_COLUMN, TABLES, Standing, read_standing
from identity.argon import Argon
from identity.credentials import keep_hash
from identity.errors import NotSignedIn
from identity.hashing import Hashing
from identity.keys import Keys
from identity.password_rules import Weakness, weakness
from identity.passwords import BCRYPT_BYTES, SHORTEST, PasswordTooLong, check_password, hash_password
from identity.principals import Person
from identity.sessions import Sessions
from identity.sign_in import SignIn
from storage.engine import Database


class BadPassword(ValueError):
    """A new password that nobody should have; `reason` is a stable word, the message says it."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


_REFUSALS: Mapping[Weakness, tuple[str, str]] = {
    Weakness.SHORT: ("short", f"A password has {SHORTEST} letters at least."),
    Weakness.COMMON: ("common", "The new password is one of the first that anybody would try."),
    Weakness.LOGIN: ("same", "The new password is the old one, or little more than the login."),
    Weakness.UNREADABLE: ("letters", "A password holds characters that are none."),
}


def check_new(login: str, old: str, new: str) -> None:
    """Check a new password. Raises `BadPassword`."""
    found = weakness(new, login)
    if found is not None:
        raise BadPassword(*_REFUSALS[found])
    try:
        check_password(new)
    except PasswordTooLong:
        raise BadPassword("long", f"A password has {BCRYPT_BYTES} bytes at most.") from None
    if new == old:
        raise BadPassword(*_REFUSALS[Weakness.LOGIN])


class OwnPassword:
    """Changes passwords. `clock` gives seconds since 1970."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        hashing: Hashing,
        sign_in: SignIn,
        sessions: Sessions,
        *,
        argon: Argon | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._hashing = hashing
        self._sign_in = sign_in
        self._sessions = sessions
        self._argon = argon or Argon()
        self._clock = clock

    async def change(self, person: Person, old: str, new: str, address: str) -> Standing:
        """Change a person's password and end all sessions; return the account to start another for.

        Raises `BadPassword`, `SignInRefused` for a wrong old one, `Throttled`, `NotSignedIn` when somebody else changed
        the account at the same moment, and `StorageError`.
        """
        check_new(person.login, old, new)
        standing = await self._sign_in.check(person.kind, person.login, old, address)
        if standing.person.id != person.id:
            raise NotSignedIn
        stored = await self._hashing.run(partial(hash_password, new))
        own = await self._hashing.run(partial(self._argon.make, check_password(new)))
        users = sa.table(TABLES[person.kind], sa.column("id", sa.BigInteger()), sa.column(PASSWORD_COLUMN, sa.String()))
        known = users.c[PASSWORD_COLUMN] == standing.stored
        change = sa.update(users).where(users.c.id == person.id, known).values({PASSWORD_COLUMN: stored})
        async with self._database.transaction() as transaction:
            if not await transaction.change(change):
                raise NotSignedIn
        now = await read_standing(self._database.fetch_kept, self._keys.account, person.kind, person.id)
        if now is None or now.stored != stored:
            raise NotSignedIn
        await keep_hash(self._database, now, own, self._clock())
        await self._sessions.end_all(person.kind, person.id)
        return now
