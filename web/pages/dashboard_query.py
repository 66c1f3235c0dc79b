"""What the dashboard counts: aggregates of the API, and the lists behind their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from schema.bindings import GroupValue
from schema.outline import group_value_name, groups
from schema.spec import Field, Module
from web.pages.filters import PREFIX
from web.pages.otrs_tables import CLOSED, VIEWABLE, member_on, target_on
from web.pages.values import write_value
from web.pages.view import Member, View
from web.pages.work_piles import MOST_STATES, Bench, Pile

DAYS = 30
MOST_QUEUES = 12  # with the most tickets; the rest is a sum
DAY = "day"
CLOSING = "StateUpdate"  # OTRS's type of the entry of a ticket's history that says so
# How old open tickets are: the key of the words, and days from (included) until (excluded).
AGES: tuple[tuple[str, int, int | None], ...] = (
    ("age-1", 0, 1),
    ("age-3", 1, 3),
    ("age-7", 3, 7),
    ("age-30", 7, 30),
    ("age-90", 30, 90),
    ("age-more", 90, None),
)


@dataclass(frozen=True, slots=True)
class Days:
    """Rows of a module by the day of a moment: its filter for the API, and the same as conditions of a list."""

    view: View
    moment: Member
    filter: Mapping[str, Any]
    types: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    state: str = ""  # the field that `types` are about

    @property
    def group(self) -> GroupValue | None:
        """The day as something that rows are grouped by."""
        values = groups(self.view.outline, self.view.modules)
        return next((item for item in values if item.field is self.moment.item and item.bucket == DAY), None)


def created_days(bench: Bench, since: datetime) -> Days | None:
    """Return tickets by the day on which they were made."""
    moment = member_on(bench.view, "create_time")
    if moment is None:
        return None
    return Days(bench.view, moment, {moment.name: {"gte": since.isoformat()}})


def closed_days(bench: Bench, history: View | None, since: datetime) -> Days | None:
    """Return by day how often tickets were closed: changes of state in their history that led to a closed one."""
    if history is None:
        return None
    moment, kind, state = (
        member_on(history, "create_time"),
        target_on(history, "history_type_id"),
        target_on(history, "state_id"),
    )
    if moment is None or kind is None or state is None:
        return None
    filter_ = {
        "and": [
            {moment.name: {"gte": since.isoformat()}},
            {kind.name: {kind.shown: {"eq": CLOSING}}},
            {state.name: {bench.kind.name: {bench.kind.shown: {"eq": CLOSED}}}},
        ]
    }
    return Days(history, moment, filter_, (CLOSED,), ((kind.name, CLOSING),), state.name)


def age_piles(bench: Bench, now: datetime, zone: ZoneInfo) -> list[Pile]:
    """Return the open tickets by their age."""
    moment = member_on(bench.view, "create_time")
    if moment is None:
        return []
    piles = []
    for name, young, old in AGES:
        spans = [("lte", now - timedelta(days=young))] if young else []
        spans += [("gt", now - timedelta(days=old))] if old else []
        filters = [{moment.name: {operator: at.isoformat()}} for operator, at in spans]
        said = tuple(
            (f"{moment.name}.{operator}", write_value(moment.kind, at.isoformat(), zone)) for operator, at in spans
        )
        piles.append(Pile(name.replace("-", "_"), bench.of_types(VIEWABLE, *filters), VIEWABLE, said))
    return piles


def write_dashboard(bench: Bench, ages: Sequence[Pile], days: Mapping[str, Days]) -> str:
    """Write the operation."""
    module = bench.view.module
    declared = [f"$open: {module.type_name}Filter", *(f"${pile.name}: {module.type_name}Filter" for pile in ages)]
    declared += [f"${name}: {item.view.module.type_name}Filter" for name, item in days.items()]
    roots = [
        (
            f"states: {bench.states.many_root}(first: {MOST_STATES}) "
            f"{{ nodes {{ name: {bench.state.shown} kind: {bench.kind.name} {{ name: {bench.kind.shown} }} }} }}"
        ),
        _counted(module, "open"),
        *(_counted(module, pile.name) for pile in ages),
    ]
    if bench.queue.field is not None:
        group = group_value_name(GroupValue(bench.queue.name, bench.queue.field, ""))
        roots.append(
            f"queues: {module.aggregate_root}(filter: $open, groupBy: [{group}], first: {MOST_QUEUES}) "
            f"{{ key {{ queue: {bench.queue.name} {{ name: {bench.queue.shown} }} }} count }}"
        )
    for name, item in days.items():
        if (value := item.group) is not None:
            roots.append(
                f"{name}: {item.view.module.aggregate_root}(filter: ${name}, groupBy: [{group_value_name(value)}], "
                f"first: {DAYS + 2}) {{ key {{ day: {value.api_name} }} count }}"
            )
    return f"query Dashboard({', '.join(declared)}) {{ {' '.join(roots)} }}"


def _counted(module: Module, name: str) -> str:
    return f"{name}: {module.many_root}(filter: ${name}, first: 0) {{ totalCount }}"


def day_address(item: Days, day: datetime, states: Mapping[str, Sequence[str]], zone: ZoneInfo) -> str:
    """Return the list of what was counted on a day."""
    start, end = day.astimezone(UTC), (day + timedelta(days=1)).astimezone(UTC)
    field = item.moment.item
    kind = field.kind if isinstance(field, Field) else item.moment.kind
    pairs = [
        (f"{item.moment.name}.gte", write_value(kind, start.isoformat(), zone)),
        (f"{item.moment.name}.lt", write_value(kind, end.isoformat(), zone)),
        *item.conditions,
        *((item.state, state) for type_ in item.types for state in states.get(type_, ())),
    ]
    return f"/modules/{item.view.module.name}?{urlencode([(PREFIX + name, value) for name, value in pairs])}"
