"""Agents and customers as OTRS's tables have them now: who they are, what they sign in with, and which groups they are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from identity.keys import mark
from identity.principals import Agent, Customer, Kind, Person
from storage.direct import Kept

VALID = 1
LOGIN_LETTERS = 200  # of the columns
TABLES: Mapping[Kind, str] = {Kind.AGENT: "users", Kind.CUSTOMER: "customer_user"}
PASSWORD_COLUMN = "pw"  # noqa: S105 - the column's name
LOGIN_COLUMN = "login"

# `Database.fetch_kept`, or `Transaction.execute` of one that is running.
Fetch = Callable[[Kept, Mapping[str, Any]], Awaitable[list[tuple[Any, ...]]]]

_NUMBER = sa.BigInteger()
_NUMBERS = frozenset({"id", "valid_id", "group_id", "role_id", "permission_value"})


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, _NUMBER if column in _NUMBERS else sa.String()) for column in columns))


@dataclass(frozen=True, slots=True)
class _Questions:
    """The statements of one kind of account."""

    by_login: Kept
    by_id: Kept
    grants: Kept


def _questions(table: sa.TableClause, company: Any, grants: Any) -> _Questions:
    columns = table.c
    rows = sa.select(columns.id, columns.login, columns.pw, columns.valid_id, company)
    by_login = sa.or_(columns.login == sa.bindparam("typed"), columns.login == sa.bindparam("lowered"))
    return _Questions(Kept(rows.where(by_login)), Kept(rows.where(columns.id == sa.bindparam("number"))), Kept(grants))


def _agents() -> _Questions:
    users = _table("users", "id", "login", "pw", "valid_id")
    groups = sa.table("group_user", sa.column("user_id", _NUMBER), sa.column("group_id"), sa.column("permission_key"))
    roles = sa.table("role_user", sa.column("user_id", _NUMBER), sa.column("role_id"))
    own: sa.BindParameter[int] = sa.bindparam("number")
    grants = sa.union_all(
        sa.select(groups.c.group_id, groups.c.permission_key, sa.literal_column("1")).where(groups.c.user_id == own),
        sa.select(roles.c.role_id, sa.literal_column("''"), sa.literal_column("0")).where(roles.c.user_id == own),
    )
    return _questions(users, sa.literal_column("''"), grants)


def _customers() -> _Questions:
    users = _table("customer_user", "id", "login", "pw", "valid_id", "customer_id")
    # Where agents stand with their number, customers stand with their login.
    held = _table("group_customer_user", "user_id", "group_id", "permission_key", "permission_value").c
    grants = sa.select(held.group_id, held.permission_key, held.permission_value)
    return _questions(users, users.c.customer_id, grants.where(held.user_id == sa.bindparam("login")))


# What rights a group or a role has is no part of it: the access rules read those anew.
_QUESTIONS = {Kind.AGENT: _agents(), Kind.CUSTOMER: _customers()}


@dataclass(frozen=True, slots=True)
class Standing:
    """An account at one moment. `stamp` is another as soon as its login, password, groups, roles or company are."""

    person: Person
    is_valid: bool
    stamp: str
    stored: str = field(repr=False)  # OTRS's `pw`, empty for none
    fingerprint: str = field(repr=False)  # of it


def account_key(key: bytes, kind: Kind, login: str) -> str:
    """Name what somebody wants to sign in as, whether there is such an account or not; letter case makes no difference."""
    return mark(key, "login", kind, unicodedata.normalize("NFC", login).strip().casefold())


async def find_standing(fetch: Fetch, key: bytes, kind: Kind, login: str) -> Standing | None:
    """Find the account of a login that somebody typed, in two statements, also where there is none.

    A login that is written in small letters in the database may be typed in others; what merely looks alike to a collation
    (accents, blanks at the end) is another login. `key` makes the stamp.
    """
    ask = _QUESTIONS[kind]
    typed = unicodedata.normalize("NFC", login) if len(login) <= LOGIN_LETTERS and _is_text(login) else ""
    rows = await fetch(ask.by_login, {"typed": typed, "lowered": typed.lower()})
    rows = [row for row in rows if str(row[1]).casefold() == typed.casefold()]
    row = next((row for row in rows if row[1] == typed), rows[0] if rows else None)
    grants = await fetch(ask.grants, _owner(kind, row))
    return _standing(key, kind, row, grants) if row is not None else None


async def read_standing(fetch: Fetch, key: bytes, kind: Kind, account_id: int) -> Standing | None:
    """Read how an account stands now, in two statements; None where there is no such row any more."""
    ask = _QUESTIONS[kind]
    rows = await fetch(ask.by_id, {"number": account_id})
    return _standing(key, kind, rows[0], await fetch(ask.grants, _owner(kind, rows[0]))) if rows else None


def _owner(kind: Kind, row: tuple[Any, ...] | None) -> Mapping[str, Any]:
    """Name whose groups are asked for; nobody's where there is no row."""
    number, login = row[:2] if row else (0, "")
    return {"number": number} if kind is Kind.AGENT else {"login": login}


def _standing(key: bytes, kind: Kind, row: tuple[Any, ...], grants: list[tuple[Any, ...]]) -> Standing:
    number, login, stored, valid, company = row
    person = Agent(number, login) if kind is Kind.AGENT else Customer(number, login, company or "")
    held = sorted({(int(group), str(right), int(value)) for group, right, value in grants})
    fingerprint = mark(key, "password", kind, number, stored)
    stamp = mark(key, "stamp", fingerprint, login, company, *(part for grant in held for part in grant))
    return Standing(person, valid == VALID, stamp, stored or "", fingerprint)


def _is_text(login: str) -> bool:
    """Whether a database can be asked for it: PostgreSQL takes no zeros, and lone surrogates cannot be sent."""
    return "\0" not in login and not any("\ud800" <= letter <= "\udfff" for letter in login)
