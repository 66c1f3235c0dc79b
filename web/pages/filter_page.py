"""The panel with a list's filters: one input for each field that can be filtered, by its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from web.pages.choices import Choices, choice_roots, read_choices
from web.pages.filters import PREFIX, Condition, choices_of, offer_of
from web.pages.list_page import read_list
from web.pages.list_state import ListState
from web.pages.view import Member
from web.pages.visit import Visit

MOST_REFERENCES = 10  # whose rows are asked for


@dataclass(frozen=True, slots=True)
class Entry:
    """One input of the panel."""

    name: str
    label: str
    widget: str
    values: tuple[str, ...]
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The inputs of one field."""

    label: str
    entries: tuple[Entry, ...]


async def show_filter(visit: Visit) -> Response:
    """Show the panel; without htmx as a page of its own."""
    state = read_list(visit)
    members = filter_members(state)
    first = [member for member in members if _is_first(state, member)]
    rest = [member for member in members if member not in first]
    references = [member for member in first if member.target is not None][:MOST_REFERENCES]
    choices: Mapping[str, Choices] = {}
    if references:
        roots = " ".join(choice_roots(references, visit.schema))
        answer = await visit.ask(f"query {state.view.module.type_name}Filters {{ {roots} }}")
        choices = read_choices(references, answer.data)
    values: dict[str, Any] = {
        "state": state,
        "view": state.view,
        "groups": [_group(visit, state, member, choices) for member in first],
        "more": [_group(visit, state, member, {}) for member in rest],
        "kept": [
            (name, said)
            for name, said in state.pairs()
            if not name.startswith(PREFIX) and name not in {"after", "before", "offset"}
        ],
    }
    return visit.page("filter.html", block="panel" if visit.is_htmx else "", **values)


def filter_members(state: ListState) -> list[Member]:
    """Return what a list can be filtered by."""
    return [member for member in state.view.members.values() if offer_of(member) is not None]


def _is_first(state: ListState, member: Member) -> bool:
    """Answer whether a filter is offered without asking for more: named by the file, in use, or a column with few values."""
    if any(item.member.name == member.name for item in state.conditions):
        return True
    named = [str(item["field"]) for item in state.view.module.filters]
    if named:
        return member.item is not None and member.item.name in named
    return member in state.columns and member.name != "databaseId"


def _group(visit: Visit, state: ListState, member: Member, choices: Mapping[str, Choices]) -> Group:
    offer = offer_of(member)
    if offer is None:
        raise TypeError("only what can be filtered is in the panel")
    given = {item.operator: item for item in state.conditions if item.member.name == member.name}
    entries = [
        _entry(visit, member, (offer.widget, operator, label), given, choices) for operator, label in offer.panel
    ]
    extra = [_extra(item) for operator, item in given.items() if operator not in dict(offer.panel)]
    return Group(member.label.in_language(visit.look.lang), (*entries, *(entry for items in extra for entry in items)))


def _entry(
    visit: Visit,
    member: Member,
    told: tuple[str, str, str],
    given: Mapping[str, Condition],
    choices: Mapping[str, Choices],
) -> Entry:
    widget, operator, label = told
    values = given[operator].values if operator in given else ()
    name = f"{PREFIX}{member.name}.{operator}"
    options = choices_of(member, visit.texts)
    if widget == "reference":
        found = choices.get(member.name)
        widget = "options" if found is not None and not found.is_cut else "text"
        named = dict(found.options if found else ())
        options = [*named.items(), *((value, value) for value in values if value not in named)]
    return Entry(name, visit.texts(label), widget, values, options)


def _extra(condition: Condition) -> list[Entry]:
    """Keep a filter that only an address can say."""
    return [Entry(condition.parameter, "", "hidden", (value,)) for value in condition.values]
