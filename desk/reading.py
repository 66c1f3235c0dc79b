"""Who has something to read in a ticket, and whose turn it was last."""

from __future__ import annotations

import sqlalchemy as sa

from desk.names import Names
from desk.tables import ARTICLE, TICKET_FLAG
from resolvers.conduct import Work


async def mark_unread(work: Work, ticket_id: int) -> None:
    """Let everybody have something new to read in a ticket."""
    columns = TICKET_FLAG.c
    await work.transaction.execute(
        sa.delete(TICKET_FLAG).where(columns.ticket_id == ticket_id, columns.ticket_key == "Seen")
    )


async def agent_wrote_last(names: Names, work: Work, ticket_id: int) -> bool:
    """Answer whether the newest article that no system wrote is an agent's."""
    system, agent = [
        await names.known_id(work.transaction, "article_sender_type", name) for name in ("system", "agent")
    ]
    sender = ARTICLE.c.article_sender_type_id
    rows = await work.transaction.execute(
        sa.select(sender)
        .where(ARTICLE.c.ticket_id == ticket_id, sender != system)
        .order_by(ARTICLE.c.id.desc())
        .limit(1)
    )
    return bool(rows) and rows[0][0] == agent
