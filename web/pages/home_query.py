"""What somebody does next, as the API's filters: own tickets, reminders that are due, what is new in the queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from web.pages.otrs_tables import NEW, REMINDER, VIEWABLE, member_on, target_on
from web.pages.values import write_value
from web.pages.view import Member, View
from web.pages.work_piles import MOST_STATES, Bench, Pile

ROWS = 6  # of each list
DRAFTS = 5


@dataclass(frozen=True, slots=True)
class Shelf:
    """A short list: its pile, and what it is ordered by (a column, and whether the last comes first)."""

    pile: Pile
    column: str
    descends: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """What is shown of a ticket, as far as the caller sees it."""

    title: Member | None
    number: Member | None
    made: Member | None
    queue: Member | None = None

    def selection(self) -> str:
        """Return what is asked for of a ticket."""
        named = {"title": self.title, "number": self.number, "made": self.made}
        parts = [f"{alias}: {member.name}" for alias, member in named.items() if member is not None]
        if self.queue is not None:
            parts.append(f"queue: {self.queue.name} {{ name: {self.queue.shown} }}")
        return " ".join(["id", *parts])


def columns_of(view: View) -> Columns:
    """Find the columns."""
    return Columns(
        member_on(view, "title"), member_on(view, "tn"), member_on(view, "create_time"), target_on(view, "queue_id")
    )


def shelves_of(
    bench: Bench, login: str, queues: Mapping[str, Any] | None, moment: datetime, zone: ZoneInfo
) -> list[Shelf]:
    """Return the lists of an agent: what is due first."""
    owner, until = target_on(bench.view, "user_id"), member_on(bench.view, "until_time")
    found = []
    if owner is not None:
        mine, said = {owner.name: {owner.shown: {"eq": login}}}, (owner.name, login)
        if until is not None:
            past = {until.name: {"lte": moment.isoformat()}}
            told = (f"{until.name}.lte", write_value(until.kind, moment.isoformat(), zone))
            due = Pile("due", bench.of_types((REMINDER,), mine, past), (REMINDER,), (said, told))
            found.append(Shelf(due, "until_time", descends=False))
        found.append(
            Shelf(Pile("mine", bench.of_types(VIEWABLE, mine), VIEWABLE, (said,)), "change_time", descends=True)
        )
    others = [{bench.queue.name: dict(queues)}] if queues else []
    found.append(Shelf(Pile("newest", bench.of_types((NEW,), *others), (NEW,)), "create_time", descends=True))
    return found


def write_home(bench: Bench, shelves: Sequence[Shelf], counted: Sequence[Pile], *, drafts: bool) -> str:
    """Write the operation: the same for everybody who sees the same."""
    module, columns = bench.view.module, columns_of(bench.view)
    piles = [shelf.pile for shelf in shelves] + list(counted)
    declared = ", ".join(f"${pile.name}: {module.type_name}Filter" for pile in piles)
    roots = [
        (
            f"states: {bench.states.many_root}(first: {MOST_STATES}) "
            f"{{ nodes {{ name: {bench.state.shown} kind: {bench.kind.name} {{ name: {bench.kind.shown} }} }} }}"
        ),
        *(_shelf(bench.view, shelf, columns) for shelf in shelves),
        *(f"{pile.name}: {module.many_root}(filter: ${pile.name}, first: 0) {{ totalCount }}" for pile in counted),
    ]
    if drafts:
        roots.append("drafts { place content changedAt }")
    return f"query Home({declared}) {{ {' '.join(roots)} }}"


def _shelf(view: View, shelf: Shelf, columns: Columns) -> str:
    name = shelf.pile.name
    order = _ordered(view, shelf.column, descends=shelf.descends)
    root = f"{name}: {view.module.many_root}(filter: ${name}, first: {ROWS}{order})"
    return f"{root} {{ totalCount nodes {{ {columns.selection()} }} }}"


def _ordered(view: View, column: str, *, descends: bool) -> str:
    member = member_on(view, column)
    if member is None or not member.sorts:
        return ""
    return f", orderBy: [{{{member.name}: {'DESC' if descends else 'ASC'}}}]"
