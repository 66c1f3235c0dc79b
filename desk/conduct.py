"""What tickets ask of every write of theirs: a number, the rules of states, history and index, the first article."""

from __future__ import annotations

from typing import Any

from desk.articles import NewArticle, check_article, write_article
from desk.desk import Desk
from desk.fields import field_events
from desk.history import changed_events, created_events, write_events
from desk.index import index_changed, index_new
from desk.stamps import epoch_now, wall_now
from desk.states import apply_states
from desk.tables import TICKET
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import Faulty

TABLE = TICKET.name
ARTICLE = "article"  # the extra of a new ticket: a `NewArticle`

_FIRST_USER = 1
_FIRST_TYPE = 1
# What a new ticket has where nobody says otherwise, as OTRS writes it.
_DEFAULTS: dict[str, Any] = {
    "type_id": _FIRST_TYPE,
    "user_id": _FIRST_USER,
    "responsible_user_id": _FIRST_USER,
    "timeout": 0,
    "until_time": 0,
    "escalation_time": 0,
    "escalation_update_time": 0,
    "escalation_response_time": 0,
    "escalation_solution_time": 0,
    "archive_flag": 0,
}
_NULLABLE = ("title", "service_id", "sla_id", "customer_id", "customer_user_id")


class TicketConduct:
    """The conduct of the table `ticket`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def prepare(self, work: Work, change: RowChange) -> None:
        """Give a new ticket what it needs, its number too, and hold a change to the rules of states; raises `Faulty`."""
        if change.kind is ChangeKind.CREATED:
            await self._prepare_new(work, change)
        elif change.kind is ChangeKind.UPDATED:
            await apply_states(self._desk.names, work, change)

    async def written(self, work: Work, change: RowChange) -> None:
        """Write history and index rows, and the first article of a new ticket."""
        if change.kind is ChangeKind.CREATED:
            change.source = await self._finish_new(work, change)
        elif change.kind is ChangeKind.UPDATED:
            change.source = await self._finish_change(work, change)

    # --- inside ---

    async def _prepare_new(self, work: Work, change: RowChange) -> None:
        names, transaction, values = self._desk.names, work.transaction, change.values
        article: NewArticle | None = change.extras.get(ARTICLE)
        faults = check_article(article) if article else []
        if faults:
            raise Faulty(*(fault.under(ARTICLE) for fault in faults))
        for column, default in _DEFAULTS.items():
            if values.get(column) is None:
                values[column] = default
        if values.get("ticket_lock_id") is None:
            values["ticket_lock_id"] = await names.known_id(transaction, "ticket_lock_type", "unlock")
        await apply_states(names, work, change)
        if article and article.by_agent:
            values["timeout"] = epoch_now(work)
        values["tn"] = await self._desk.numbers.take(transaction)

    async def _finish_new(self, work: Work, change: RowChange) -> int | None:
        names = self._desk.names
        ticket = {
            **dict.fromkeys(_NULLABLE),
            "create_time": wall_now(work),
            **change.values,
            "id": int(change.key[0]),
        }
        zone = work.context.database.zone
        events = await created_events(names, work.transaction, zone, ticket)
        events += field_events(change, zone)
        article: NewArticle | None = change.extras.get(ARTICLE)
        if article:
            events += (await write_article(names, work, ticket, article)).events
        await index_new(names, work, ticket)
        return await write_events(names, work, ticket, events)

    async def _finish_change(self, work: Work, change: RowChange) -> int | None:
        names, before = self._desk.names, change.before
        after = {**before, **change.values}
        zone = work.context.database.zone
        events = await changed_events(names, work.transaction, zone, before, after)
        events += field_events(change, zone)
        await index_changed(names, work, before, after)
        return await write_events(names, work, after, events)
