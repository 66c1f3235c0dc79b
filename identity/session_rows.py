"""The rows of `lambdesk_session`: made, read, touched, ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from identity.accounts import Fetch, Standing, read_standing
from identity.principals import Kind, Person
from identity.texts import clean
from storage.direct import Kept
from storage.own_tables import SESSION
from storage.transaction import Transaction

COLUMNS = SESSION.c
ADDRESS_LETTERS = 45
CLIENT_LETTERS = 250


class SessionKind(StrEnum):
    """What a session is held by."""

    PAGE = "page"  # a browser, with a cookie
    API = "api"  # a client, with refresh tokens


class Why(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"  # by its owner, from another session, or by an administrator
    REUSED = "reused"  # a refresh token of it came back that had been exchanged
    CHANGED = "changed"  # the account's password, login, groups, roles or validity did


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts without use, and at the longest, in seconds."""

    idle_s: float
    longest_s: float

    def ends_at(self, created: float, now: float) -> int:
        """Return the moment at which a session ends that was made then and is used now."""
        return int(min(now + self.idle_s, created + self.longest_s))


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it in a list; times are seconds since 1970."""

    id: str
    kind: SessionKind
    created: int
    seen: int
    expires: int
    address: str
    client: str


@dataclass(frozen=True, slots=True)
class Row:
    """What decides whether a session counts."""

    id: str
    account_kind: Kind
    account_id: int
    stamp: str
    created: int
    seen: int
    expires: int
    ended: int | None


ROW_COLUMNS = (
    COLUMNS.id,
    COLUMNS.account_kind,
    COLUMNS.account_id,
    COLUMNS.stamp,
    COLUMNS.created,
    COLUMNS.seen,
    COLUMNS.expires,
    COLUMNS.ended,
)
_INSERT = Kept(sa.insert(SESSION).inline())
_END = Kept(
    sa.update(SESSION)
    .where(COLUMNS.id == sa.bindparam("of"), COLUMNS.ended.is_(None))
    .values(ended=sa.bindparam("at"), why=sa.bindparam("reason"))
)


def read_row(row: tuple[Any, ...]) -> Row:
    """Make a row from the values of `ROW_COLUMNS`."""
    number, kind, *rest = row
    return Row(number, Kind(kind), *rest)


async def insert_session(
    transaction: Transaction,
    kind: SessionKind,
    standing: Standing,
    *,
    now: float,
    expires: int,
    address: str,
    client: str,
    cookie_digest: str | None = None,
) -> str:
    """Insert a session of an account as it stood when its password was checked; return the session's id."""
    made = secrets.token_hex(16)
    values = {
        "id": made,
        "kind": str(kind),
        "account_kind": str(standing.person.kind),
        "account_id": standing.person.id,
        "stamp": standing.stamp,
        "cookie_digest": cookie_digest,
        "newest": 1,
        "rotated": 0,
        "created": int(now),
        "seen": int(now),
        "expires": expires,
        "address": clean(address, ADDRESS_LETTERS),
        "client": clean(client, CLIENT_LETTERS),
    }
    await transaction.execute(_INSERT, values)
    return made


async def end_session(transaction: Transaction, session_id: str, why: Why, now: float) -> bool:
    """End a session; answer whether it had not ended before. Whoever changes it at the same time comes before or after."""
    return await transaction.change(_END, {"of": session_id, "at": int(now), "reason": str(why)}) == 1


async def find_owner(fetch: Fetch, key: bytes, row: Row | None, now: float) -> Person | None:
    """Return whose session it is, if it counts now: not ended, not expired, and its account as it was at sign-in."""
    if row is None or row.ended is not None or row.expires <= now:
        return None
    standing = await read_standing(fetch, key, row.account_kind, row.account_id)
    return standing.person if standing is not None and standing.is_valid and standing.stamp == row.stamp else None
