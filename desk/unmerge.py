"""Taking a merge back. What happened to the target after the merge stays with the target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from desk.desk import Desk
from desk.history import Event, parts
from desk.links import PARENT_CHILD, unlink_tickets
from desk.merge import MergeResult
from desk.moving import return_articles, return_links, return_times, return_watchers
from desk.stamps import epoch_now
from desk.states import is_merged
from desk.tables import (
    ARTICLE,
    ARTICLE_FLAG,
    ARTICLE_MIME,
    ARTICLE_SEARCH,
    TICKET_HISTORY,
)
from desk.tickets import change_ticket, lock_tickets
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty
from storage.own_tables import MERGE


async def find_merge(work: Work, source_id: int) -> tuple[int, int, str]:
    """Return the number, the target and what was kept of a ticket's newest merge; raises `Faulty` where there is none."""
    columns = MERGE.c
    rows = await work.transaction.execute(
        sa.select(columns.id, columns.target_ticket, columns.details)
        .where(columns.source_ticket == source_id, columns.undone.is_(None))
        .order_by(columns.id.desc())
        .limit(1)
    )
    if not rows:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "unmerge-nothing", ("ticket",)))
    number, target, stored = rows[0]
    return int(number), int(target), stored


async def unmerge_tickets(desk: Desk, work: Work, source_id: int) -> MergeResult:
    """Take a ticket's newest merge back: what moved returns, and so do its state and lock, if it is merged still.

    Raises `Faulty`: there is no such merge, or the target was merged itself since then.
    """
    columns = MERGE.c
    number, target_id, stored = await find_merge(work, source_id)
    source, target = await lock_tickets(work, source_id, target_id)
    if is_merged(await desk.names.state(work.transaction, target["ticket_state_id"])):
        raise Faulty(Fault(FaultCode.CONFLICT, "unmerge-chained", ("ticket",)))
    # Whoever came first has the record; another transaction that waited for the lock finds it undone.
    taken = await work.transaction.change(
        sa.update(MERGE).where(columns.id == number, columns.undone.is_(None)).values(undone=epoch_now(work))
    )
    if not taken:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "unmerge-nothing", ("ticket",)))
    details = json.loads(stored)
    if details["linked"]:
        await unlink_tickets(desk, work, target, source, PARENT_CHILD)
    returned = await return_articles(work, details["articles"], source_id, target_id)
    await return_times(work, details["times"], source_id, target_id)
    await return_watchers(work, details["watchers"], source_id, target_id)
    await return_links(work, details["links"])
    await _remove_note(work, details["note"])
    merged = is_merged(await desk.names.state(work.transaction, source["ticket_state_id"]))
    values: Mapping[str, Any] = details["ticket"] if merged else {}
    told = Event("Misc", parts(f"Unmerged Ticket#{source['tn']} from Ticket#{target['tn']}."))
    return MergeResult(
        number,
        await change_ticket(desk, work, source, values, [told]),
        await change_ticket(desk, work, target, {}, [told]),
        returned,
        removed=details["note"],
    )


async def _remove_note(work: Work, article: int) -> None:
    """Remove what told the customer of the merge; the history still knows that it was there."""
    await work.transaction.execute(
        sa.update(TICKET_HISTORY).where(TICKET_HISTORY.c.article_id == article).values(article_id=None)
    )
    for table in (ARTICLE_FLAG, ARTICLE_SEARCH, ARTICLE_MIME):
        await work.transaction.execute(sa.delete(table).where(table.c.article_id == article))
    await work.transaction.execute(sa.delete(ARTICLE).where(ARTICLE.c.id == article))
