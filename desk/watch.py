"""Agents who watch a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from desk.desk import Desk
from desk.history import Event, parts, write_events
from desk.stamps import audit
from desk.tables import TICKET_WATCHER
from resolvers.conduct import Work

Columns = Mapping[str, Any]


async def watch(desk: Desk, work: Work, ticket: Columns, agent_id: int) -> int | None:
    """Let an agent watch a locked ticket; return the history row, None where he does so already."""
    rows = await work.transaction.execute(sa.select(TICKET_WATCHER.c.user_id).where(_is(ticket, agent_id)))
    if rows:
        return None
    row = {"ticket_id": ticket["id"], "user_id": agent_id, **audit(work)}
    await work.transaction.execute(sa.insert(TICKET_WATCHER), row)
    return await _tell(desk, work, ticket, agent_id, "Subscribe")


async def unwatch(desk: Desk, work: Work, ticket: Columns, agent_id: int) -> int | None:
    """Let an agent watch a locked ticket no more; return the history row, None where he did not."""
    if not await work.transaction.change(sa.delete(TICKET_WATCHER).where(_is(ticket, agent_id))):
        return None
    return await _tell(desk, work, ticket, agent_id, "Unsubscribe")


def _is(ticket: Columns, agent_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(TICKET_WATCHER.c.ticket_id == ticket["id"], TICKET_WATCHER.c.user_id == agent_id)


async def _tell(desk: Desk, work: Work, ticket: Columns, agent_id: int, kind: str) -> int | None:
    agent = await desk.names.agent(work.transaction, agent_id)
    return await write_events(desk.names, work, ticket, [Event(kind, parts(agent.name))])
