"""One ticket as a row: read it to change it, change it with everything that belongs to the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.articles import NewArticle, write_article
from desk.desk import Desk
from desk.history import Event, changed_events, write_events
from desk.index import index_changed
from desk.stamps import epoch_now, touched
from desk.tables import ARTICLE, TICKET, TICKET_FLAG
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


async def add_article(desk: Desk, work: Work, ticket: Columns, article: NewArticle) -> tuple[int, TicketChange]:
    """Add a checked article to a locked ticket; return its id. Everybody has something new to read in it.

    The unlock time counts anew when an agent wrote, or when a customer answered one.
    """
    reset = article.by_agent or await _agent_wrote_last(desk, work, ticket["id"])
    written = await write_article(desk.names, work, ticket, article)
    await work.transaction.execute(
        sa.delete(TICKET_FLAG).where(TICKET_FLAG.c.ticket_id == ticket["id"], TICKET_FLAG.c.ticket_key == "Seen")
    )
    values = {"timeout": epoch_now(work)} if reset else {}
    return written.id, await change_ticket(desk, work, ticket, values, written.events)


async def _agent_wrote_last(desk: Desk, work: Work, ticket_id: int) -> bool:
    """Answer whether the newest article that no system wrote is an agent's."""
    system, agent = [
        await desk.names.known_id(work.transaction, "article_sender_type", name) for name in ("system", "agent")
    ]
    sender = ARTICLE.c.article_sender_type_id
    rows = await work.transaction.execute(
        sa.select(sender)
        .where(ARTICLE.c.ticket_id == ticket_id, sender != system)
        .order_by(ARTICLE.c.id.desc())
        .limit(1)
    )
    return bool(rows) and rows[0][0] == agent
