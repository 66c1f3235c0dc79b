"""Sessions of browsers and of API clients: started, checked, listed and ended. Refresh tokens are in `identity.refresh`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa

from identity.accounts import Standing, read_standing
from identity.errors import NotSignedIn
from identity.keys import Keys, digest, make_token
from identity.memory import Memory
from identity.principals import Kind, Person
from identity.session_rows import (
    COLUMNS,
    ROW_COLUMNS,
    Lifetime,
    Row,
    Session,
    SessionKind,
    Why,
    end_session,
    find_owner,
    insert_session,
    read_row,
)
from storage.direct import Kept
from storage.engine import Database
from storage.errors import StorageError
from storage.own_tables import REFRESH_TOKEN, SESSION

# OTRS's own figures for agents in a browser (SessionMaxIdleTime, SessionMaxTime).
PAGE = Lifetime(idle_s=7_200, longest_s=57_600)
TOUCH_S = 60  # a session that was touched within this time is not written again
COOKIE_PREFIX = "lds_"
SWEEP_ROWS = 500

_BY_ID = Kept(sa.select(*ROW_COLUMNS).where(COLUMNS.id == sa.bindparam("of")))
_BY_COOKIE = Kept(sa.select(*ROW_COLUMNS).where(COLUMNS.cookie_digest == sa.bindparam("name")))


class Sessions:
    """Sessions in `lambdesk_session`.

    `clock` gives seconds since 1970; `monotonic` seconds that never go back, by which answers are remembered for up to a
    second. What ends a session through this object is forgotten at once; what ends it elsewhere (another process, OTRS, a
    changed password, group or role) is seen within that second.
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        page: Lifetime = PAGE,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._page = page
        self._clock = clock
        self._by_id: Memory[str, tuple[Person, int] | None] = Memory(monotonic)
        self._by_cookie: Memory[str, tuple[Row, Person] | None] = Memory(monotonic)

    # --- of browsers ---

    async def start_page(self, standing: Standing, *, address: str, client: str) -> str:
        """Start a session for a browser; return the secret of its cookie, 256 random bits, which is stored hashed only.

        Always a new one, whatever cookie the browser came with. Raises `StorageError`.
        """
        secret, now = make_token(COOKIE_PREFIX), self._clock()
        async with self._database.transaction() as transaction:
            await insert_session(
                transaction,
                SessionKind.PAGE,
                standing,
                now=now,
                expires=self._page.ends_at(now, now),
                address=address,
                client=client,
                cookie_digest=digest(secret),
            )
        return secret

    async def check_page(self, secret: str) -> tuple[str, Person]:
        """Return the session's id and who is calling with a cookie. Raises `NotSignedIn`."""
        name = digest(secret)
        found = await self._by_cookie.get(name, lambda: self._read_page(name))
        if found is None or found[0].expires <= self._clock():
            raise NotSignedIn
        return found[0].id, found[1]

    async def renew_page(self, secret: str) -> str:
        """Give a browser's session a new secret, and void the old one: for a change of what it may do.

        Raises `NotSignedIn` when the old one does not count (any more): of two at once, one gets the new secret.
        """
        await self.check_page(secret)
        made, old = make_token(COOKIE_PREFIX), digest(secret)
        change = sa.update(SESSION).where(COLUMNS.cookie_digest == old, COLUMNS.ended.is_(None))
        async with self._database.transaction() as transaction:
            count = await transaction.change(change.values(cookie_digest=digest(made)))
        self._by_cookie.forget(old)
        if not count:
            raise NotSignedIn
        return made

    # --- of everybody ---

    async def check(self, session_id: str) -> Person:
        """Return whose session it is. Raises `NotSignedIn` when it has ended or expired, or its account changed."""
        found = await self._by_id.get(session_id, lambda: self._read(session_id))
        if found is None or found[1] <= self._clock():
            raise NotSignedIn
        return found[0]

    async def end(self, session_id: str, why: Why = Why.LOGOUT) -> bool:
        """End a session; answer whether it was still going on."""
        async with self._database.transaction() as transaction:
            ended = await end_session(transaction, session_id, why, self._clock())
        self.forget(session_id)
        return ended

    async def end_own(self, owner: Person, session_id: str) -> bool:
        """End a session if it is one of this person; a stranger's is answered like one that does not exist."""
        own = COLUMNS.id == session_id, COLUMNS.account_kind == str(owner.kind), COLUMNS.account_id == owner.id
        if not await self._database.fetch(sa.select(COLUMNS.id).where(*own)):
            return False
        return await self.end(session_id, Why.REVOKED)

    async def end_all(self, kind: Kind, account_id: int, *, but: str | None = None) -> int:
        """End all sessions of an account, but for one perhaps; return how many went on until now."""
        where = [COLUMNS.account_kind == str(kind), COLUMNS.account_id == account_id, COLUMNS.ended.is_(None)]
        if but is not None:
            where.append(COLUMNS.id != but)
        values = {"ended": int(self._clock()), "why": str(Why.REVOKED)}
        async with self._database.transaction() as transaction:
            count = await transaction.change(sa.update(SESSION).where(*where).values(values))
        self._by_id.forget_all()
        self._by_cookie.forget_all()
        return count

    async def list_of(self, owner: Person) -> list[Session]:
        """Return the sessions of a person that count, those used last first."""
        standing = await read_standing(self._database.fetch_kept, self._keys.account, owner.kind, owner.id)
        if standing is None or not standing.is_valid:
            return []
        columns = (COLUMNS.id, COLUMNS.kind, COLUMNS.created, COLUMNS.seen, COLUMNS.expires)
        rows = await self._database.fetch(
            sa.select(*columns, COLUMNS.address, COLUMNS.client)
            .where(COLUMNS.account_kind == str(owner.kind), COLUMNS.account_id == owner.id, COLUMNS.ended.is_(None))
            .where(COLUMNS.expires > int(self._clock()), COLUMNS.stamp == standing.stamp)
            .order_by(COLUMNS.seen.desc(), COLUMNS.id)
        )
        return [Session(row[0], SessionKind(row[1]), *row[2:]) for row in rows]

    async def sweep(self, older_than_s: float) -> int:
        """Remove sessions that expired longer ago than that, with their refresh tokens; return how many they were."""
        before, gone = int(self._clock() - older_than_s), 0
        while True:
            old = sa.select(COLUMNS.id).where(COLUMNS.expires < before).limit(SWEEP_ROWS)
            ids = [row[0] for row in await self._database.fetch(old)]
            if ids:
                async with self._database.transaction() as transaction:
                    await transaction.change(sa.delete(REFRESH_TOKEN).where(REFRESH_TOKEN.c.session.in_(ids)))
                    gone += await transaction.change(sa.delete(SESSION).where(COLUMNS.id.in_(ids)))
            if len(ids) < SWEEP_ROWS:
                return gone

    def forget(self, session_id: str) -> None:
        """Read the database anew when this session is checked next: it has ended."""
        self._by_id.forget(session_id)
        self._by_cookie.forget_all()  # kept by cookie, and logging out is rare

    # --- inside ---

    async def _read(self, session_id: str) -> tuple[Person, int] | None:
        rows = await self._database.fetch_kept(_BY_ID, {"of": session_id})
        row = read_row(rows[0]) if rows else None
        now = self._clock()
        person = await find_owner(self._database.fetch_kept, self._keys.account, row, now)
        if row is None or person is None:
            await self._settle(row, now)
            return None
        return person, row.expires

    async def _read_page(self, name: str) -> tuple[Row, Person] | None:
        rows = await self._database.fetch_kept(_BY_COOKIE, {"name": name})
        row = read_row(rows[0]) if rows else None
        now = self._clock()
        person = await find_owner(self._database.fetch_kept, self._keys.account, row, now)
        if row is None or person is None:
            await self._settle(row, now)
            return None
        if now >= row.seen + TOUCH_S:
            await self._touch(row, now)
        return row, person

    async def _settle(self, row: Row | None, now: float) -> None:
        """End a session whose account is not what it was: changing it back, or enabling it again, does not bring it back."""
        if row is None or row.ended is not None or row.expires <= now:
            return
        with suppress(StorageError):  # it does not count as it is
            async with self._database.transaction() as transaction:
                await end_session(transaction, row.id, Why.CHANGED, now)

    async def _touch(self, row: Row, now: float) -> None:
        """Let a session last from now on; one that ended meanwhile stays as it is."""
        values = {"seen": int(now), "expires": self._page.ends_at(row.created, now)}
        change = sa.update(SESSION).where(COLUMNS.id == row.id, COLUMNS.ended.is_(None))
        with suppress(StorageError):  # a full or busy database keeps nobody out who only reads
            async with self._database.transaction() as transaction:
                await transaction.change(change.values(values))
