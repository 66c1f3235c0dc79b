"""The filters that a module file names, ready above its list: one click chooses a value. Fields with few values, and stretches of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from web.pages.cells import now
from web.pages.filters import Condition, choices_of, offer_of
from web.pages.list_state import ListState
from web.pages.texts import Texts
from web.pages.view import Member

MOST = 8  # beside each other
MOST_CHOICES = 20
DAYS: Sequence[tuple[str, int]] = (("ready-today", 0), ("ready-week", 7), ("ready-month", 30))


@dataclass(frozen=True, slots=True)
class Ready:
    """A filter with its choices: what people read, and the address of the list with it."""

    label: str
    choices: Sequence[tuple[str, str]]


def ready_filters(state: ListState, texts: Texts, zone: ZoneInfo) -> Sequence[Ready]:
    """Return the filters of the file that are not in use."""
    used = {item.member.name for item in state.conditions}
    named = [str(item["field"]) for item in state.view.module.filters]
    by_file = {member.item.name: member for member in state.view.members.values() if member.item is not None}
    found = []
    for member in (by_file[name] for name in dict.fromkeys(named) if name in by_file):
        if member.name not in used and offer_of(member) is not None:
            choices = [(text, _with(state, made)) for text, made in _choices(member, texts, now().astimezone(zone))]
            if 0 < len(choices) <= MOST_CHOICES:
                found.append(Ready(member.label.in_language(texts.language), choices))
    return found[:MOST]


def _choices(member: Member, texts: Texts, moment: datetime) -> Iterator[tuple[str, Condition]]:
    offer = offer_of(member)
    widget = offer.widget if offer else ""
    if widget == "options":
        operator = offer.default if offer else ""
        yield from ((text, Condition(member, operator, (name,))) for name, text in choices_of(member, texts))
    elif widget == "flag" and member.kind == "bool":
        yield from ((texts(key), Condition(member, "eq", (value,))) for key, value in (("yes", "1"), ("no", "0")))
    elif widget in {"date", "datetime-local"}:
        for key, days in DAYS:
            first = (moment - timedelta(days=days)).strftime("%Y-%m-%d")
            yield texts(key), Condition(member, "gte", (first if widget == "date" else f"{first}T00:00",))


def _with(state: ListState, condition: Condition) -> str:
    return state.address(conditions=(*state.conditions, condition))
