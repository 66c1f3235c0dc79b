"""The history of tickets as OTRS writes it: what happened, in parts that OTRS's own screens translate.

Names are made from the columns before and after a change, so that a change of the API and one of an OTRS look the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from desk.names import Names
from desk.stamps import audit
from desk.tables import TICKET_HISTORY
from resolvers.conduct import Work
from storage.transaction import Transaction

NAME_LIMIT = 200  # as OTRS cuts them
TITLE_LIMIT = 50  # of the new title in its history row
UNCLASSIFIED = 1  # the type of tickets that have none: history rows must have one

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One row to be: the name of its history type, and its text with `%%` before every part."""

    kind: str
    name: str
    article: int | None = None


def parts(*texts: Any) -> str:
    """Join the parts of a name as OTRS does."""
    return "".join(f"%%{'' if text is None else text}" for text in texts)


async def write_events(names: Names, work: Work, ticket: Columns, events: Sequence[Event]) -> int | None:
    """Write rows for a ticket, whose columns are as the change leaves them; return the id of the newest."""
    if not events:
        return None
    shared = {
        "ticket_id": ticket["id"],
        "type_id": ticket["type_id"] or UNCLASSIFIED,
        "queue_id": ticket["queue_id"],
        "owner_id": ticket["user_id"],
        "priority_id": ticket["ticket_priority_id"],
        "state_id": ticket["ticket_state_id"],
        **audit(work),
    }
    rows = [
        {
            "name": event.name[:NAME_LIMIT],
            "history_type_id": await names.known_id(work.transaction, "ticket_history_type", event.kind),
            "article_id": event.article,
            **shared,
        }
        for event in events
    ]
    return await work.transaction.insert(TICKET_HISTORY, rows)


async def created_events(names: Names, transaction: Transaction, zone: tzinfo, ticket: Columns) -> list[Event]:
    """Say how a new ticket came to be."""
    queue = await names.queue(transaction, ticket["queue_id"])
    priority = await names.name(transaction, "ticket_priority", ticket["ticket_priority_id"])
    state = await names.state(transaction, ticket["ticket_state_id"])
    events = [Event("NewTicket", parts(ticket["tn"], queue.name, priority, state.name, ticket["id"]))]
    change = _Change(names, transaction, zone, {}, ticket)
    first = [columns[0] for columns in _AT_FIRST if any(ticket[column] for column in columns)]
    return [*events, *[await _WRITERS[column](change) for column in first]]


async def changed_events(
    names: Names, transaction: Transaction, zone: tzinfo, before: Columns, after: Columns
) -> list[Event]:
    """Say what a change did, from a ticket's columns before and after it; in OTRS's usual order."""
    change = _Change(names, transaction, zone, before, after)
    events: list[Event] = []
    told: set[Any] = set()
    for column, write in _WRITERS.items():
        if before[column] != after[column] and write not in told:
            told.add(write)  # both customer columns make one row
            events.append(await write(change))
    return events


# --- one column each ---

_Writer = Callable[["_Change"], Awaitable[Event]]
# What of a new ticket has a row of its own, so that the first value can be seen.
_AT_FIRST = (("service_id",), ("sla_id",), ("customer_id", "customer_user_id"), ("until_time",))


@dataclass(frozen=True, slots=True)
class _Change:
    names: Names
    transaction: Transaction
    zone: tzinfo
    before: Columns
    after: Columns

    async def called(self, table: str, columns: Columns, column: str) -> str:
        return await self.names.name(self.transaction, table, columns.get(column))


async def _title(change: _Change) -> Event:
    title = change.after["title"] or ""
    short = title if len(title) < TITLE_LIMIT else title[:TITLE_LIMIT] + "..."
    return Event("TitleUpdate", parts(change.before["title"], short))


def _reference(kind: str, table: str, column: str) -> _Writer:
    """Make the writer of a reference whose rows say: new, its id, old, its id."""

    async def write(change: _Change) -> Event:
        new = await change.called(table, change.after, column)
        old = await change.called(table, change.before, column)
        return Event(kind, parts(new or "NULL", change.after[column], old or "NULL", change.before.get(column)))

    return write


async def _customer(change: _Change) -> Event:
    company, user = change.after["customer_id"] or "", change.after["customer_user_id"] or ""
    return Event("CustomerUpdate", f"%%CustomerID={company};CustomerUser={user};")


async def _queue(change: _Change) -> Event:
    new = await change.names.queue(change.transaction, change.after["queue_id"])
    old = await change.names.queue(change.transaction, change.before["queue_id"])
    return Event("Move", parts(new.name, new.id, old.name, old.id))


def _person(kind: str, column: str) -> _Writer:
    async def write(change: _Change) -> Event:
        agent = await change.names.agent(change.transaction, change.after[column])
        return Event(kind, parts(agent.login, agent.id))

    return write


async def _priority(change: _Change) -> Event:
    column = "ticket_priority_id"
    old = await change.called("ticket_priority", change.before, column)
    new = await change.called("ticket_priority", change.after, column)
    return Event("PriorityUpdate", parts(old, change.before[column], new, change.after[column]))


async def _state(change: _Change) -> Event:
    old = await change.names.state(change.transaction, change.before["ticket_state_id"])
    new = await change.names.state(change.transaction, change.after["ticket_state_id"])
    return Event("StateUpdate", parts(old.name, new.name, ""))


async def _pending(change: _Change) -> Event:
    until = change.after["until_time"]
    if not until:
        return Event("SetPendingTime", "%%00-00-00 00:00")  # as OTRS writes that there is none any more
    return Event(
        "SetPendingTime", parts(f"{datetime.fromtimestamp(until, UTC).astimezone(change.zone):%Y-%m-%d %H:%M}")
    )


async def _lock(change: _Change) -> Event:
    name = await change.called("ticket_lock_type", change.after, "ticket_lock_id")
    return Event({"lock": "Lock", "unlock": "Unlock"}.get(name, "Misc"), parts(name))


async def _timeout(_: _Change) -> Event:
    return Event("Misc", "Reset of unlock time.")


async def _archive(change: _Change) -> Event:
    return Event("ArchiveFlagUpdate", parts("y" if change.after["archive_flag"] else "n"))


_WRITERS: Mapping[str, _Writer] = {
    "title": _title,
    "type_id": _reference("TypeUpdate", "ticket_type", "type_id"),
    "service_id": _reference("ServiceUpdate", "service", "service_id"),
    "sla_id": _reference("SLAUpdate", "sla", "sla_id"),
    "customer_id": _customer,
    "customer_user_id": _customer,
    "queue_id": _queue,
    "user_id": _person("OwnerUpdate", "user_id"),
    "responsible_user_id": _person("ResponsibleUpdate", "responsible_user_id"),
    "ticket_priority_id": _priority,
    "ticket_state_id": _state,
    "until_time": _pending,
    "ticket_lock_id": _lock,
    "timeout": _timeout,
    "archive_flag": _archive,
}
