"""What tickets ask of every write of theirs: a number, the rules of states, history and index, articles along with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.article_input import read_article
from desk.articles import NewArticle, WrittenArticle, write_article
from desk.customers import name_customer
from desk.desk import Desk
from desk.fields import field_events
from desk.history import Event, changed_events, created_events, write_events
from desk.index import index_changed, index_new
from desk.permits import permit_change
from desk.reading import agent_wrote_last, mark_unread
from desk.roles import Role, find_role
from desk.stamps import epoch_now, wall_now
from desk.states import apply_states
from desk.tables import TICKET
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import Faulty
from resolvers.noted import change_of

TABLE = TICKET.name
ARTICLE = "article"  # the extra of a ticket: an article to be written along: as the API is given it, or checked already

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
            await permit_change(self._desk, work, change)
            await apply_states(self._desk.names, work, change)
            article = await self._read_article(work, change)
            # The unlock time counts anew when an agent wrote, or when a customer answered one.
            if article and (article.by_agent or await agent_wrote_last(self._desk.names, work, int(change.key[0]))):
                change.values["timeout"] = epoch_now(work)

    async def written(self, work: Work, change: RowChange) -> None:
        """Write history and index rows, and the article that comes along."""
        if change.kind is ChangeKind.CREATED:
            change.source = await self._finish_new(work, change)
        elif change.kind is ChangeKind.UPDATED:
            change.source = await self._finish_change(work, change)

    # --- inside ---

    async def _read_article(self, work: Work, change: RowChange) -> NewArticle | None:
        """Make the article of the input, and keep it for when the row is written.

        It comes after everything that may refuse the row: other rows of the transaction may go on, and the uploads of a
        refused one stay unused.
        """
        given = change.extras.get(ARTICLE)
        if given is None or isinstance(given, NewArticle):
            return given
        try:
            article = await read_article(self._desk, work, given, is_first=change.kind is ChangeKind.CREATED)
        except Faulty as faulty:
            raise Faulty(*(fault.under(ARTICLE) for fault in faulty.faults)) from None
        change.extras = {**change.extras, ARTICLE: article}
        return article

    async def _prepare_new(self, work: Work, change: RowChange) -> None:
        names, transaction, values = self._desk.names, work.transaction, change.values
        for column, default in _DEFAULTS.items():
            if values.get(column) is None:
                values[column] = default
        name_customer(work, values)
        if values.get("ticket_lock_id") is None:
            values["ticket_lock_id"] = await names.known_id(transaction, "ticket_lock_type", "unlock")
        await apply_states(names, work, change)
        article = await self._read_article(work, change)
        if article and article.by_agent:
            values["timeout"] = epoch_now(work)
        values["tn"] = await self._desk.numbers.take(transaction)

    async def _finish_new(self, work: Work, change: RowChange) -> int | None:
        names, zone = self._desk.names, work.context.database.zone
        ticket = {
            **dict.fromkeys(_NULLABLE),
            "create_time": wall_now(work),
            **change.values,
            "id": int(change.key[0]),
        }
        events = await created_events(names, work.transaction, zone, ticket)
        events += field_events(change, zone)
        article: NewArticle | None = change.extras.get(ARTICLE)
        if article:
            events += await self._write_along(work, change, ticket, article)
        await index_new(names, work, ticket)
        return await write_events(names, work, ticket, events)

    async def _finish_change(self, work: Work, change: RowChange) -> int | None:
        names, before, zone = self._desk.names, change.before, work.context.database.zone
        after = {**before, **change.values}
        events: list[Event] = []
        article: NewArticle | None = change.extras.get(ARTICLE)
        if article:
            events += await self._write_along(work, change, after, article)
            await mark_unread(work, int(change.key[0]))
        events += await changed_events(names, work.transaction, zone, before, after)
        events += field_events(change, zone)
        await index_changed(names, work, before, after)
        return await write_events(names, work, after, events)

    async def _write_along(
        self, work: Work, change: RowChange, ticket: Mapping[str, Any], article: NewArticle
    ) -> tuple[Event, ...]:
        written = await write_article(self._desk.names, work, ticket, article)
        note = article_change(work, written)
        change.along += [note] if note else []
        return written.events


def article_change(work: Work, written: WrittenArticle) -> RowChange | None:
    """Return a new article as a change of its module; None where there is no such module."""
    module = find_role(work.context.snapshot.modules, Role.ARTICLE)
    if module is None:
        return None
    change = change_of(work, module, ChangeKind.CREATED, (written.id,), after=written.columns)
    change.beside = written.content
    return change
