"""Refresh tokens: one that is used gives way to its successor, and one that comes back afterwards ends the session.

Only hashes are stored, and the successor is derived from the token it follows. So a client whose answer was lost may ask
again within `GRACE_S`, and gets the same successor; after that, or once the successor was used, asking again means that
somebody else has the token too. All of it happens under a lock of the session's row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from identity.accounts import Standing, account_key
from identity.audit import Attempt, Outcome, note
from identity.errors import NotSignedIn
from identity.keys import Keys, digest, make_token, succeed
from identity.principals import Person
from identity.session_rows import (
    COLUMNS,
    ROW_COLUMNS,
    Lifetime,
    Row,
    SessionKind,
    Why,
    end_session,
    find_owner,
    insert_session,
    read_row,
)
from storage.direct import Kept
from storage.engine import Database
from storage.own_tables import REFRESH_TOKEN, SESSION
from storage.retry import run
from storage.transaction import Transaction

GRACE_S = 5.0
PATIENCE_S = 5.0
PREFIX = "ldr_"
API = Lifetime(idle_s=14 * 86_400, longest_s=90 * 86_400)

_TOKENS = REFRESH_TOKEN.c
_FIND = Kept(
    sa.select(_TOKENS.number, COLUMNS.newest, COLUMNS.rotated, *ROW_COLUMNS)
    .join_from(REFRESH_TOKEN, SESSION, COLUMNS.id == _TOKENS.session)
    .where(_TOKENS.digest == sa.bindparam("name"))
    .with_for_update()  # both rows: whoever refreshes or ends this session waits here, and then reads what was done
)
_ADD = Kept(sa.insert(REFRESH_TOKEN).inline())
_MOVE_ON = Kept(
    sa.update(SESSION)
    .where(COLUMNS.id == sa.bindparam("of"))
    .values(
        newest=sa.bindparam("number"),
        rotated=sa.bindparam("ms"),
        seen=sa.bindparam("at"),
        expires=sa.bindparam("until"),
    )
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Who is calling, with which session, and the refresh token to use next."""

    session_id: str
    person: Person
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Found:
    number: int
    newest: int
    rotated: int
    session: Row

    def has_grace(self, now: float) -> bool:
        """Whether it is the token directly before the newest, used a moment ago."""
        return self.number == self.newest - 1 and now * 1_000 - self.rotated <= GRACE_S * 1_000


class RefreshTokens:
    """Refresh tokens in `lambdesk_refresh_token`. `clock` gives seconds since 1970.

    `forget` is told the id of a session that ended here (`Sessions.forget`).
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        forget: Callable[[str], None],
        *,
        lifetime: Lifetime = API,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._forget = forget
        self._lifetime = lifetime
        self._clock = clock

    async def start(self, standing: Standing, *, address: str, client: str) -> Refreshed:
        """Start a session for a client of the API, with its first refresh token. Raises `StorageError`."""
        token, now = make_token(PREFIX), self._clock()
        async with self._database.transaction() as transaction:
            session_id = await insert_session(
                transaction,
                SessionKind.API,
                standing,
                now=now,
                expires=self._lifetime.ends_at(now, now),
                address=address,
                client=client,
            )
            await transaction.execute(_ADD, {"digest": digest(token), "session": session_id, "number": 1})
        return Refreshed(session_id, standing.person, token)

    async def refresh(self, token: str, *, address: str) -> Refreshed:
        """Exchange a refresh token for its successor.

        Raises `NotSignedIn` for one that was never given out, whose session is over, or that came back: then its session
        ends, and the audit says so with `address`, from where it came.
        """

        async def work(transaction: Transaction) -> Refreshed | Row | None:
            return await self._exchange(transaction, token, address)

        made = await run(self._database, work, deadline=time.monotonic() + PATIENCE_S)
        if isinstance(made, Row):
            self._forget(made.id)  # the session has just ended
        if not isinstance(made, Refreshed):
            raise NotSignedIn
        return made

    async def log_out(self, token: str) -> bool:
        """End the session of any of its refresh tokens; answer whether it was still going on."""

        async def work(transaction: Transaction) -> str | None:
            found = await self._find(transaction, token)
            if found is None or not await end_session(transaction, found.session.id, Why.LOGOUT, self._clock()):
                return None
            return found.session.id

        ended = await run(self._database, work, deadline=time.monotonic() + PATIENCE_S)
        if ended is not None:
            self._forget(ended)
        return ended is not None

    async def _exchange(self, transaction: Transaction, token: str, address: str) -> Refreshed | Row | None:
        """Return the successor; the session if it ends now; None for what does not count anyway."""
        found = await self._find(transaction, token)
        now = self._clock()
        if found is None or found.session.ended is not None or found.session.expires <= now:
            return None
        person = await find_owner(transaction.execute, self._keys.account, found.session, now)
        if person is None:
            await end_session(transaction, found.session.id, Why.CHANGED, now)
            return found.session
        successor = succeed(self._keys.successor, PREFIX, token)
        if found.number == found.newest:
            await self._move_on(transaction, found, successor, now)
        elif not found.has_grace(now):
            await end_session(transaction, found.session.id, Why.REUSED, now)
            name = account_key(self._keys.account, person.kind, person.login)
            await note(transaction, Attempt(Outcome.REUSED, person.kind, name, person, address, found.session.id), now)
            return found.session
        return Refreshed(found.session.id, person, successor)

    async def _find(self, transaction: Transaction, token: str) -> _Found | None:
        rows = await transaction.execute(_FIND, {"name": digest(token)})
        if not rows:
            return None
        number, newest, rotated, *session = rows[0]
        return _Found(number, newest, rotated, read_row(tuple(session)))

    async def _move_on(self, transaction: Transaction, found: _Found, successor: str, now: float) -> None:
        session, number = found.session, found.number + 1
        await transaction.execute(_ADD, {"digest": digest(successor), "session": session.id, "number": number})
        until = self._lifetime.ends_at(session.created, now)
        values = {"number": number, "ms": round(now * 1_000), "at": int(now), "until": until}
        await transaction.execute(_MOVE_ON, {"of": session.id, **values})
