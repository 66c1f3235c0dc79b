"""What a caller holds: groups by key, roles, companies. The access rules of the modules are decided by it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sa

from identity.memory import Memory
from identity.principals import Agent, Customer, Kind, Principal, Token, audience_of, person_of
from storage.direct import Kept
from storage.engine import Database

# OTRS's keys to a group; whoever has the last one has them all.
KEYS = ("ro", "move_into", "create", "note", "owner", "priority", "rw")
ALL_KEYS = KEYS[-1]
# The other context of OTRS (`…::Other`) is about tickets of other companies, which is another right.
_SAME_COMPANY: Any = sa.literal_column("'Ticket::CustomerID::Same'")
_VALID: Any = sa.literal_column("1")


@dataclass(frozen=True, slots=True)
class Grant:
    """A key to a group, held directly or by a role."""

    group_id: int
    group: str
    key: str
    role: str | None = None


@dataclass(frozen=True)
class Rights:
    """A principal and what it holds now.

    `companies` are the customer ids that a customer stands for, his own first. Who is `unbounded` (Lambdesk itself) passes
    every rule. `own` and `now` override what rules read of the caller (`identity.access.OWN`) and of the clock: where
    statements are kept, they are made with marks in these places.
    """

    principal: Principal
    grants: tuple[Grant, ...] = ()
    roles: frozenset[str] = frozenset()
    companies: tuple[str, ...] = ()
    email: str = ""
    unbounded: bool = False
    own: tuple[Any, ...] | None = field(default=None, compare=False)
    now: str | None = field(default=None, compare=False)

    @cached_property
    def groups(self) -> Mapping[str, frozenset[int]]:
        """The ids of groups by key; the key to everything counts as each."""
        return {key: frozenset(item.group_id for item in self.holding(key)) for key in KEYS}

    @cached_property
    def group_names(self) -> Mapping[str, frozenset[str]]:
        """The names of groups by key."""
        return {key: frozenset(item.group for item in self.holding(key)) for key in KEYS}

    def holding(self, key: str) -> list[Grant]:
        """Return the grants that hold a key."""
        return [item for item in self.grants if item.key in (key, ALL_KEYS)]

    @cached_property
    def memo(self) -> dict[object, Any]:
        """What others make of these rights and want to find again."""
        return {}

    @cached_property
    def shape(self) -> str:
        """Name everything but who it is: callers with the same shape may do the same, each with rows of his own."""
        if self.unbounded:
            return f"everything {audience_of(self.principal)}"
        scope = self.principal.scope if isinstance(self.principal, Token) else None
        held = sorted({(item.group_id, item.group, item.key) for item in self.grants})
        told = [] if scope is None else [_sorted(scope.modules), _sorted(scope.operations)]
        has = (len(self.companies), bool(getattr(person_of(self.principal), "company", "")), bool(self.email))
        parts = (audience_of(self.principal), held, sorted(self.roles), has, told)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _sorted(names: frozenset[Any] | None) -> list[str] | None:
    return None if names is None else sorted(map(str, names))


def unbounded(principal: Principal) -> Rights:
    """Return rights to everything, for Lambdesk itself."""
    return Rights(principal, unbounded=True)


class RightsReader:
    """Reads what callers hold, remembered for up to a second. `group_table` names the table of groups of this database."""

    def __init__(
        self, database: Database, group_table: Callable[[], str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._group_table = group_table
        self._known: Memory[tuple[Principal, str], Rights] = Memory(monotonic)

    async def of(self, principal: Principal) -> Rights:
        """Return what somebody holds. Raises `StorageError` while the database is away."""
        person = person_of(principal)
        if person is None:
            return unbounded(principal)
        table = self._group_table()
        return await self._known.get((principal, table), lambda: self._read(principal, person, table))

    async def _read(self, principal: Principal, person: Agent | Customer, table: str) -> Rights:
        fetch = self._database.fetch_kept
        ask = _questions(person.kind, table)
        if isinstance(person, Agent):
            rows = await fetch(ask[0], {"number": person.id})
            told = await fetch(ask[1], {"number": person.id})
            roles = frozenset(row[3] for row in rows if row[3] is not None)
            return Rights(principal, _grants(rows), roles, email=_text(told[0][0]) if told else "")
        rows = await fetch(ask[0], {"login": person.login, "company": person.company})
        others = await fetch(ask[1], {"login": person.login, "number": person.id})
        own = [person.company] if person.company else []
        companies = dict.fromkeys([*own, *sorted(str(row[1]) for row in others if row[0] == 0 and row[1])])
        mail = next((str(row[1] or "") for row in others if row[0] != 0), "")
        return Rights(principal, _grants(rows), companies=tuple(companies), email=mail)


def _grants(rows: Sequence[tuple[Any, ...]]) -> tuple[Grant, ...]:
    found = {Grant(int(row[0]), str(row[1]), str(row[2]), row[3]) for row in rows if row[0] > 0}
    return tuple(sorted(found, key=lambda item: (item.group, item.key, item.role or "")))


def _text(value: Any) -> str:
    """Read a preference: bytes on some databases, a text on others."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _table(name: str, *columns: str) -> Any:
    return sa.table(sa.sql.quoted_name(name, quote=True), *map(sa.column, columns))


@lru_cache(maxsize=8)
def _questions(kind: Kind, group_table: str) -> tuple[Kept, ...]:
    groups = _table(group_table, "id", "name", "valid_id")
    return _of_agents(groups) if kind is Kind.AGENT else _of_customers(groups)


def _of_agents(groups: Any) -> tuple[Kept, ...]:
    """Ask for an agent's groups, those of the roles, and the roles under the number of no group; then for the address."""
    own: sa.BindParameter[int] = sa.bindparam("number")
    none: Any = sa.literal_column("NULL")
    users = _table("group_user", "user_id", "group_id", "permission_key").c
    held = _table("role_user", "user_id", "role_id").c
    roles = _table("roles", "id", "name", "valid_id").c
    given = _table("group_role", "role_id", "group_id", "permission_key", "permission_value").c
    told = _table("user_preferences", "user_id", "preferences_key", "preferences_value").c
    valid = groups.c.valid_id == _VALID
    direct = sa.select(groups.c.id, groups.c.name, users.permission_key, none).where(
        users.group_id == groups.c.id, users.user_id == own, valid
    )
    by_role = sa.select(groups.c.id, groups.c.name, given.permission_key, roles.name).where(
        given.group_id == groups.c.id,
        given.role_id == roles.id,
        held.role_id == roles.id,
        held.user_id == own,
        given.permission_value == _VALID,
        roles.valid_id == _VALID,
        valid,
    )
    empty: Any = sa.literal_column("''")
    named = sa.select(sa.literal_column("0"), empty, empty, roles.name).where(
        held.role_id == roles.id, held.user_id == own, roles.valid_id == _VALID
    )
    address = sa.select(told.preferences_value).where(
        told.user_id == own, told.preferences_key == sa.literal_column("'UserEmail'")
    )
    return Kept(sa.union_all(direct, by_role, named)), Kept(address)


def _of_customers(groups: Any) -> tuple[Kept, ...]:
    """Ask for a customer's groups, his own and his company's; then for his other companies and his address."""
    login: sa.BindParameter[str] = sa.bindparam("login")
    none: Any = sa.literal_column("NULL")
    own = _table("group_customer_user", "user_id", "group_id", "permission_key", "permission_value").c
    company = _table(
        "group_customer", "customer_id", "group_id", "permission_key", "permission_value", "permission_context"
    ).c
    valid = groups.c.valid_id == _VALID
    direct = sa.select(groups.c.id, groups.c.name, own.permission_key, none).where(
        own.group_id == groups.c.id, own.user_id == login, own.permission_value == _VALID, valid
    )
    by_company = sa.select(groups.c.id, groups.c.name, company.permission_key, none).where(
        company.group_id == groups.c.id,
        company.customer_id == sa.bindparam("company"),
        company.permission_value == _VALID,
        company.permission_context == _SAME_COMPANY,
        valid,
    )
    more = _table("customer_user_customer", "user_id", "customer_id").c
    users = _table("customer_user", "id", "email").c
    others = sa.select(sa.literal_column("0"), more.customer_id).where(more.user_id == login)
    address = sa.select(users.id, users.email).where(users.id == sa.bindparam("number"))
    return Kept(sa.union_all(direct, by_company)), Kept(sa.union_all(others, address))
