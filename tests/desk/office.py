"""A desk at work without GraphQL: tickets are written as the write path does, one transaction each."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy as sa

from desk.conduct import TicketConduct
from desk.desk import Desk, make_desk
from desk.stamps import audit, touched
from desk.tables import TICKET, TICKET_HISTORY
from desk.tickets import lock_tickets
from identity.principals import Principal
from identity.rights import unbounded
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.context import Context
from schema.catalog import Catalog
from schema.snapshot import Snapshot
from schema.spec import Module
from storage.engine import Database
from storage.files import Files
from tests.callers import ROOT

NOW = datetime(2026, 1, 15, 9, 30, 15, tzinfo=UTC)
RAW, JUNK, MISC = 2, 3, 4
NEW, CLOSED, OPEN, REMINDER, AUTO, MERGED = 1, 2, 4, 6, 7, 9
UNLOCK, LOCK, TMP_LOCK = 1, 2, 3
NO_MODULE = cast("Module", SimpleNamespace(fields=()))  # the conduct asks it for dynamic fields only


@dataclass
class Office:
    """Writes tickets. `now` is the moment of every write."""

    database: Database
    desk: Desk
    catalog: Catalog
    now: datetime = NOW
    caller: Principal = ROOT

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open one transaction of a write."""
        snapshot = Snapshot("v", 1, {}, (), {}, self.catalog)
        async with self.database.transaction() as transaction:
            yield Work(Context(snapshot, self.database, b"s", unbounded(self.caller)), transaction, self.now)

    async def create(self, *, extras: Mapping[str, Any] | None = None, **values: Any) -> int:
        """Make a ticket and return its id."""
        async with self.work() as work:
            return (await self.write_new(work, extras=extras, **values)).key[0]  # type: ignore[return-value] # an int

    async def write_new(self, work: Work, *, extras: Mapping[str, Any] | None = None, **values: Any) -> RowChange:
        """Make a ticket inside a transaction."""
        usual = {"title": "Printer", "queue_id": RAW, "ticket_state_id": NEW, "ticket_priority_id": 3}
        change = RowChange(NO_MODULE, ChangeKind.CREATED, values={**usual, **values}, extras=extras or {})
        conduct = TicketConduct(self.desk)
        await conduct.prepare(work, change)
        change.key = (await work.transaction.insert(TICKET, [{**change.values, **audit(work)}]),)
        await conduct.written(work, change)
        return change

    async def update(self, ticket: int, *, extras: Mapping[str, Any] | None = None, **values: Any) -> RowChange:
        """Change a ticket."""
        async with self.work() as work:
            before = (await lock_tickets(work, ticket))[0]
            change = RowChange(NO_MODULE, ChangeKind.UPDATED, (ticket,), before, dict(values), extras=extras or {})
            conduct = TicketConduct(self.desk)
            await conduct.prepare(work, change)
            written = {**change.values, **touched(work)}
            await work.transaction.execute(sa.update(TICKET).where(TICKET.c.id == ticket).values(**written))
            await conduct.written(work, change)
            return change

    async def ticket(self, number: int) -> dict[str, Any]:
        """Read a ticket."""
        async with self.work() as work:
            return (await lock_tickets(work, number))[0]

    async def history(self, ticket: int, after: int = 0) -> list[tuple[str, str]]:
        """Read the history of a ticket: type and name of every row, oldest first."""
        kinds = sa.table("ticket_history_type", sa.column("id"), sa.column("name"))
        columns = TICKET_HISTORY.c
        return [
            (row[0], row[1])
            for row in await self.database.fetch(
                sa.select(kinds.c.name, columns.name)
                .join_from(TICKET_HISTORY, kinds, kinds.c.id == columns.history_type_id)
                .where(columns.ticket_id == ticket, columns.id > after)
                .order_by(columns.id)
            )
        ]

    async def rows(self, table: str, where: str = "1 = 1", columns: str = "*") -> list[tuple[Any, ...]]:
        """Read rows of a table, sorted."""
        text = f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608 - the tests' own words
        return sorted(await self.database.fetch(text), key=repr)

    def later(self, **span: float) -> datetime:
        """Return a moment after now."""
        return self.now + timedelta(**span)


def open_office(database: Database, catalog: Catalog) -> Office:
    """Make an office in an installed database."""
    return Office(database, make_desk(database, Files(database)), catalog)
