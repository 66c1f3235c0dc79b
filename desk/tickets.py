"""One ticket as a row: read it to change it, change it with everything that belongs to the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.desk import Desk
from desk.history import Event, changed_events, write_events
from desk.index import index_changed
from desk.stamps import touched
from desk.tables import TICKET
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What happened to a ticket: its columns before and after, and the newest history row that was written along."""

    before: Columns
    after: Columns
    history: int | None


async def lock_tickets(work: Work, *ids: int) -> list[dict[str, Any]]:
    """Read tickets as they are now and keep others from changing them, in the order asked for.

    Raises `Faulty` NOT_FOUND where one is missing.
    """
    columns = list(TICKET.c)
    statement = sa.select(*columns).where(TICKET.c.id.in_(set(ids))).order_by(TICKET.c.id).with_for_update()
    found = {
        row[0]: dict(zip((column.name for column in columns), row, strict=True))
        for row in await work.transaction.execute(statement)
    }
    if any(number not in found for number in ids):
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found"))
    return [found[number] for number in ids]


async def change_ticket(
    desk: Desk, work: Work, before: Columns, values: Mapping[str, Any], events: Sequence[Event] = ()
) -> TicketChange:
    """Write columns of a locked ticket with their history and index rows; `events` come first in the history."""
    stamp = touched(work)
    after = {**before, **values, **stamp}
    await work.transaction.execute(sa.update(TICKET).where(TICKET.c.id == before["id"]).values(**values, **stamp))
    zone = work.context.database.zone
    changes = await changed_events(desk.names, work.transaction, zone, before, after)
    history = await write_events(desk.names, work, after, [*events, *changes])
    await index_changed(desk.names, work, before, after)
    return TicketChange(before, after, history)
