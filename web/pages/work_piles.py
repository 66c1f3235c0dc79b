"""What an overview counts: piles of tickets as the API's filters, and as addresses of the lists that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode
from zoneinfo import ZoneInfo

from schema.bindings import GroupValue
from schema.outline import group_value_name
from schema.spec import Module
from web.pages.filters import PREFIX
from web.pages.otrs_tables import NEW, OPEN, PENDING, UNLOCKED, VIEWABLE, member_on, target_on
from web.pages.values import write_value
from web.pages.view import Member, View

MOST_QUEUES = 500  # that one answer has
MOST_STATES = 200


@dataclass(frozen=True, slots=True)
class Pile:
    """Tickets that belong together: the API's filter, and what an address says beside the types of their states."""

    name: str
    filter: Mapping[str, Any]
    types: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """The columns of tickets that an overview is made of, as the caller sees them."""

    view: View
    queue: Member
    queues: Module
    state: Member
    states: Module
    kind: Member  # the type of a state

    def of_types(self, types: Sequence[str], *others: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the filter for states of these types, and what else must be so."""
        kinds = {self.state.name: {self.kind.name: {self.kind.shown: {"in": list(types)}}}}
        return {"and": [kinds, *others]} if others else kinds


def column_piles(bench: Bench, moment: datetime, zone: ZoneInfo) -> list[Pile]:
    """Return the piles of every queue: by what the states mean, overdue, and nobody's."""
    named = (("new", (NEW,)), ("open", (OPEN,)), ("pending", PENDING))
    piles = [Pile(name, bench.of_types(types), types) for name, types in named]
    late = member_on(bench.view, "escalation_time")
    if late is not None:
        until = {late.name: {"lte": moment.isoformat()}}
        told = write_value(late.kind, moment.isoformat(), zone)
        piles.append(Pile("late", bench.of_types(VIEWABLE, until), VIEWABLE, ((f"{late.name}.lte", told),)))
    lock = target_on(bench.view, "ticket_lock_id")
    if lock is not None:
        free = {lock.name: {lock.shown: {"eq": UNLOCKED}}}
        piles.append(Pile("free", bench.of_types(VIEWABLE, free), VIEWABLE, ((lock.name, UNLOCKED),)))
    return piles


def own_piles(bench: Bench, login: str) -> list[Pile]:
    """Return what waits for somebody: all that he owns, of these what he has locked, and what he is responsible for."""
    lock = target_on(bench.view, "ticket_lock_id")
    piles = []
    for name, column in (("mine", "user_id"), ("responsible", "responsible_user_id")):
        owner = target_on(bench.view, column)
        if owner is None:
            continue
        mine, said = {owner.name: {owner.shown: {"eq": login}}}, (owner.name, login)
        piles.append(Pile(name, bench.of_types(VIEWABLE, mine), VIEWABLE, (said,)))
        if name == "mine" and lock is not None:
            held = {lock.name: {lock.shown: {"ne": UNLOCKED}}}
            conditions = (said, (f"{lock.name}.ne", UNLOCKED))
            piles.append(Pile("locked", bench.of_types(VIEWABLE, mine, held), VIEWABLE, conditions))
    return piles


def write_document(bench: Bench, columns: Sequence[Pile], own: Sequence[Pile]) -> str:
    """Write the operation. It is the same for everybody who sees the same, so that it is planned once."""
    module, queue, state, kind = bench.view.module, bench.queue, bench.state, bench.kind
    declared = " ".join(f"${pile.name}: {module.type_name}Filter" for pile in (*columns, *own))
    group = group_value_name(GroupValue(queue.name, queue.field, "")) if queue.field is not None else ""
    roots = [
        f"queues: {bench.queues.many_root}(first: {MOST_QUEUES}, filter: $queues) {{ nodes {{ name: {queue.shown} }} }}",
        (
            f"states: {bench.states.many_root}(first: {MOST_STATES}) "
            f"{{ nodes {{ name: {state.shown} kind: {kind.name} {{ name: {kind.shown} }} }} }}"
        ),
    ]
    roots += [
        f"{pile.name}: {module.aggregate_root}(filter: ${pile.name}, groupBy: [{group}], first: {MOST_QUEUES}) "
        f"{{ key {{ queue: {queue.name} {{ name: {queue.shown} }} }} count }}"
        for pile in columns
    ]
    roots += [f"{pile.name}: {module.many_root}(filter: ${pile.name}, first: 0) {{ totalCount }}" for pile in own]
    return f"query Overview($queues: {bench.queues.type_name}Filter {declared}) {{ {' '.join(roots)} }}"


def states_by_type(nodes: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """Return the names of the states of each type: a list is filtered by states."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        found.setdefault(str(node["kind"]["name"]) if node["kind"] else "", []).append(str(node["name"]))
    return found


def counts_by_queue(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
    """Return the numbers of an aggregate, by the names of queues."""
    return {str(row["key"]["queue"]["name"]): int(row["count"]) for row in rows if row["key"]["queue"]}


def list_address(bench: Bench, pile: Pile, states: Mapping[str, Sequence[str]], queue: str = "") -> str:
    """Return the list of the tickets that a number counts."""
    pairs = [(bench.state.name, state) for kind in pile.types for state in states.get(kind, ())]
    query = urlencode([(PREFIX + name, value) for name, value in (*pairs, *pile.conditions)])
    address = f"/modules/{bench.view.module.name}?{query}"
    return of_queue(bench, address, queue) if queue else address


def of_queue(bench: Bench, address: str, queue: str) -> str:
    """Return a list's address for the tickets of one queue. There are many queues: the rest is written once for all."""
    return f"{address}&{PREFIX}{bench.queue.name}={quote_plus(queue)}"
