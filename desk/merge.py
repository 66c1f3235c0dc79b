"""Merging a ticket into another one, as OTRS does, with a record of what moved: so a merge can be taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.articles import NewArticle, WrittenArticle, write_article
from desk.desk import Desk
from desk.history import Event, parts
from desk.links import PARENT_CHILD, link_tickets
from desk.moving import move_articles, move_links, move_times, move_watchers
from desk.reading import mark_unread
from desk.stamps import epoch_now
from desk.states import MERGED, is_merged
from desk.tickets import TicketChange, change_ticket, lock_tickets
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty
from storage.own_tables import MERGE

# What the source gets back when the merge is taken back.
KEPT = ("ticket_state_id", "ticket_lock_id", "until_time", "timeout", "archive_flag")
_SUBJECT = "Ticket Merged"

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A merge, or one that was taken back: its record, what happened to both tickets, and the articles that moved.

    `note` is the article that a merge left behind, `removed` the one that went when it was taken back.
    """

    id: int
    source: TicketChange
    target: TicketChange
    articles: Sequence[int]
    note: WrittenArticle | None = None
    removed: int | None = None


async def merge_tickets(desk: Desk, work: Work, source_id: int, target_id: int) -> MergeResult:
    """Merge the source into the target: articles with their history, times, watchers and links move.

    The source keeps a note, becomes merged and unlocked, and a child of the target. Raises `Faulty`.
    """
    if source_id == target_id:
        raise Faulty(Fault(FaultCode.INVALID, "merge-self", ("into",)))
    source, target = await lock_tickets(work, source_id, target_id)
    for ticket, path in ((source, ("ticket",)), (target, ("into",))):
        if is_merged(await desk.names.state(work.transaction, ticket["ticket_state_id"])):
            raise Faulty(Fault(FaultCode.INVALID, "merge-merged", path))
    state = await desk.names.state_of_type(work.transaction, MERGED)
    if state is None:
        raise Faulty(Fault(FaultCode.REFERENCE, "merge-no-state"))
    details: dict[str, Any] = {
        "articles": await move_articles(work, source_id, target_id),
        "times": await move_times(work, source_id, target_id),
        "watchers": await move_watchers(work, source_id, target_id),
        "links": await move_links(work, source_id, target_id),
        "ticket": {column: source[column] for column in KEPT},
    }
    text = f"Merged Ticket#{source['tn']} to Ticket#{target['tn']}."
    note = await write_article(desk.names, work, source, NewArticle(_SUBJECT, text, is_visible=True))
    details |= {"note": note.id, "linked": await link_tickets(desk, work, target, source, PARENT_CHILD) is not None}
    merged = Event("Merged", parts(source["tn"], source_id, target["tn"], target_id))
    unlock = await desk.names.known_id(work.transaction, "ticket_lock_type", "unlock")
    values = {"ticket_state_id": state.id, "ticket_lock_id": unlock, "until_time": 0}
    left = await change_ticket(desk, work, source, values, [*note.events, merged])
    gained = await change_ticket(desk, work, target, {}, [merged])
    await mark_unread(work, target_id)
    return MergeResult(await _record(work, source_id, target_id, details), left, gained, details["articles"], note)


async def _record(work: Work, source: int, target: int, details: Mapping[str, Any]) -> int:
    caller = work.context.caller
    row = {
        "source_ticket": source,
        "target_ticket": target,
        "actor_kind": caller.kind.value,
        "actor_id": caller.id,
        "details": json.dumps(details, separators=(",", ":")),
        "created": epoch_now(work),
    }
    return await work.transaction.insert(MERGE, [row])
