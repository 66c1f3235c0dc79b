"""What ids are called, and which id a name has: OTRS's history, index and rules speak in names.

Small tables are read as a whole, rows of big ones by their id. What was read serves for a second: under load most writes
read nothing, and what an administrator renames is seen at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from desk.settings import DeskSettings, read_settings
from desk.tables import QUEUE, USER_PREFERENCES, USERS
from storage.direct import Kept
from storage.transaction import Transaction

AGE_LIMIT_S = 1.0

_LISTS = (
    "ticket_history_type",
    "ticket_state_type",
    "ticket_priority",
    "ticket_lock_type",
    "ticket_type",
    "article_sender_type",
    "communication_channel",
)
_NAMED = {
    name: sa.table(name, sa.column("id", sa.BigInteger), sa.column("name")) for name in (*_LISTS, "service", "sla")
}
_STATE = sa.table("ticket_state", sa.column("id", sa.BigInteger), sa.column("name"), sa.column("type_id"))


@dataclass(frozen=True, slots=True)
class State:
    """A ticket state with the name of its type, which decides what it means."""

    id: int
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, the group whose agents work in it, and what becomes of answers to closed tickets (`possible`, `reject`, …)."""

    id: int
    name: str
    group_id: int
    follow_up: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as histories and articles name him."""

    id: int
    login: str
    name: str
    email: str


@dataclass(slots=True)
class _Page:
    """What was read within a second."""

    read: float
    lists: dict[str, dict[int, str]] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)
    rows: dict[tuple[str, int], Any] = field(default_factory=dict)
    settings: DeskSettings | None = None


class Names:
    """The names of one database. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._page = _Page(clock())

    async def name(self, transaction: Transaction, table: str, number: Any) -> str:
        """Return what a row is called; "" where there is none, as a null reference has none."""
        if number is None:
            return ""
        if table not in _LISTS:
            found = await self._row(transaction, table, int(number), _read_name)
            return str(found or "")
        return (await self._list(transaction, table, int(number))).get(int(number), "")

    async def id(self, transaction: Transaction, table: str, name: str) -> int | None:
        """Return the id that a name has in one of the small tables."""
        for again in (False, True):
            listed = await self._list(transaction, table, again=again)
            for number, text in listed.items():
                if text == name:
                    return number
        return None

    async def known_id(self, transaction: Transaction, table: str, name: str) -> int:
        """Return the id of a name that every OTRS database has; raises LookupError where somebody removed it."""
        found = await self.id(transaction, table, name)
        if found is None:
            raise LookupError(f"The table {table} lacks the row {name!r}, which every OTRS database has.")
        return found

    async def state(self, transaction: Transaction, number: Any) -> State:
        """Return a state; one that is not there (a foreign key would not allow it) has no name and no type."""
        states = await self._states(transaction, int(number))
        return states.get(int(number), State(int(number), "", ""))

    async def state_of_type(self, transaction: Transaction, kind: str) -> State | None:
        """Return the first state of a type."""
        states = await self._states(transaction)
        return min((state for state in states.values() if state.type == kind), key=lambda state: state.id, default=None)

    async def queue(self, transaction: Transaction, number: Any) -> Queue:
        """Return a queue."""
        found: Queue | None = await self._row(transaction, "queue", int(number), _read_queue)
        return found or Queue(int(number), "", 0)

    async def agent(self, transaction: Transaction, number: Any) -> Agent:
        """Return an agent."""
        found: Agent | None = await self._row(transaction, "users", int(number), _read_agent)
        return found or Agent(int(number), "", "", "")

    async def settings(self, transaction: Transaction) -> DeskSettings:
        """Return what OTRS's administrators have set."""
        page = self._fresh()
        if page.settings is None:
            page.settings = await read_settings(transaction)
        return page.settings

    # --- inside ---

    def _fresh(self) -> _Page:
        now = self._clock()
        if now - self._page.read > AGE_LIMIT_S:
            self._page = _Page(now)
        return self._page

    async def _list(
        self, transaction: Transaction, table: str, number: int | None = None, *, again: bool = False
    ) -> Mapping[int, str]:
        page = self._fresh()
        if again or not page.lists or (number is not None and number not in page.lists[table]):
            page.lists = await _read_lists(transaction)
        return page.lists[table]

    async def _states(self, transaction: Transaction, number: int | None = None) -> Mapping[int, State]:
        page = self._fresh()
        if not page.states or (number is not None and number not in page.states):
            page.states = await _read_states(transaction)
        return page.states

    async def _row(
        self, transaction: Transaction, table: str, number: int, read: Callable[[Transaction, str, int], Any]
    ) -> Any:
        page = self._fresh()
        key = (table, number)
        if key not in page.rows:
            page.rows[key] = await read(transaction, table, number)
        return page.rows[key]


async def _read_lists(transaction: Transaction) -> dict[str, dict[int, str]]:
    parts = [
        sa.select(sa.literal_column(f"'{name}'").label("kind"), _NAMED[name].c.id, _NAMED[name].c.name)
        for name in _LISTS
    ]
    lists: dict[str, dict[int, str]] = {name: {} for name in _LISTS}
    for kind, number, text in await transaction.execute(sa.union_all(*parts)):
        lists[kind][int(number)] = text
    return lists


async def _read_states(transaction: Transaction) -> dict[int, State]:
    kinds = _NAMED["ticket_state_type"]
    statement = sa.select(_STATE.c.id, _STATE.c.name, kinds.c.name).join_from(
        _STATE, kinds, _STATE.c.type_id == kinds.c.id
    )
    return {row[0]: State(*row) for row in await transaction.execute(statement)}


_FOLLOW_UP = sa.table("follow_up_possible", sa.column("id", sa.BigInteger), sa.column("name"))
_FIND_QUEUE = Kept(
    sa.select(QUEUE.c.id, QUEUE.c.name, QUEUE.c.group_id, sa.func.coalesce(_FOLLOW_UP.c.name, ""))
    .select_from(QUEUE.outerjoin(_FOLLOW_UP, _FOLLOW_UP.c.id == QUEUE.c.follow_up_id))
    .where(QUEUE.c.id == sa.bindparam("number"))
)


async def _read_name(transaction: Transaction, table: str, number: int) -> str | None:
    named = _NAMED[table]
    rows = await transaction.execute(sa.select(named.c.name).where(named.c.id == number))
    return rows[0][0] if rows else None


async def _read_queue(transaction: Transaction, _: str, number: int) -> Queue | None:
    rows = await transaction.execute(_FIND_QUEUE, {"number": number})
    return Queue(*rows[0]) if rows else None


async def _read_agent(transaction: Transaction, _: str, number: int) -> Agent | None:
    mail = sa.select(USER_PREFERENCES.c.preferences_value).where(
        USER_PREFERENCES.c.user_id == USERS.c.id, USER_PREFERENCES.c.preferences_key == "UserEmail"
    )
    columns = USERS.c
    rows = await transaction.execute(
        sa.select(
            columns.id, columns.login, columns.first_name, columns.last_name, mail.limit(1).scalar_subquery()
        ).where(columns.id == number)
    )
    if not rows:
        return None
    key, login, first, last, email = rows[0]
    text = email.decode("utf-8", "replace") if isinstance(email, bytes) else email
    return Agent(key, login, f"{first} {last}".strip(), text or "")
