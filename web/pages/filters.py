"""Filters of a list as an address says them (`f.title.contains=printer`), as chips, and as the API takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from schema.kinds import KINDS, VALIDITY
from schema.outline import has_options, scalar_of
from schema.spec import Computed, Field
from web.pages.cells import option_label
from web.pages.texts import Texts
from web.pages.values import Unreadable, read_value
from web.pages.view import Member, View

PREFIX = "f."
MOST = 20  # conditions in one address
MOST_VALUES = 100
_LISTS = frozenset({"in", "notIn", "hasSome", "hasEvery"})


@dataclass(frozen=True, slots=True)
class Offer:
    """How a kind of filter is offered: the operator where an address names none, and the inputs of the panel.

    `panel` is a list of (operator, text key of its label); `widget` says how values are entered.
    """

    default: str
    operators: frozenset[str]
    panel: tuple[tuple[str, str], ...]
    widget: str


_SAME = ("eq", "ne", "in", "notIn", "isNull")
_ORDERED = ("lt", "lte", "gt", "gte")
_SPAN = (("gte", "from"), ("lte", "until"))
_NUMERIC = Offer("eq", frozenset({*_SAME, *_ORDERED}), _SPAN, "number")
_MOMENTS = frozenset({"eq", *_ORDERED, "isNull"})

# By the operator input of the API; what has none here cannot be filtered on a page.
OFFERS: Mapping[str, Offer] = {
    "StringFilter": Offer(
        "contains", frozenset({*_SAME, "contains", "startsWith", "endsWith"}), (("contains", "contains"),), "text"
    ),
    "IntFilter": _NUMERIC,
    "BigIntFilter": _NUMERIC,
    "FloatFilter": _NUMERIC,
    "DecimalFilter": _NUMERIC,
    "DurationFilter": Offer("eq", frozenset({*_SAME, *_ORDERED}), _SPAN, "text"),
    "BooleanFilter": Offer("eq", frozenset({"eq", "ne", "isNull"}), (("eq", "is"),), "flag"),
    "DateFilter": Offer("eq", _MOMENTS, _SPAN, "date"),
    "TimeFilter": Offer("eq", _MOMENTS, _SPAN, "time"),
    "DateTimeFilter": Offer("eq", _MOMENTS, _SPAN, "datetime-local"),
    "FileFilter": Offer("isNull", frozenset({"isNull"}), (("isNull", "is-empty"),), "flag"),
    "ValidityFilter": Offer("in", frozenset({"eq", "in"}), (("in", "one-of"),), "options"),
    "enum": Offer("in", frozenset(_SAME), (("in", "one-of"),), "options"),
    "list": Offer("hasSome", frozenset({"hasSome", "hasEvery", "isEmpty"}), (("hasSome", "one-of"),), "options"),
    "reference": Offer("in", frozenset({"eq", "ne", "in", "notIn", "isNull"}), (("in", "one-of"),), "reference"),
}
FLAGS = frozenset({"isNull", "isEmpty"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter of an address: its values are texts, as they were typed."""

    member: Member
    operator: str
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """Its name in an address."""
        return f"{PREFIX}{self.member.name}.{self.operator}"


def offer_of(member: Member) -> Offer | None:
    """Return how a member can be filtered; None where it cannot."""
    if not member.filters:
        return None
    name = filter_name(member)
    if name == "list" and not (member.field and has_options(member.field)):
        return None
    return OFFERS.get(name)


def filter_name(member: Member) -> str:
    """Name the operator input of a member: of the table of kinds, or of the column where the kind has no scalar of its own."""
    if member.target is not None:
        return "reference"
    item = member.item
    if isinstance(item, Field) and item.to is None and item.traits.filter == "enum" and not has_options(item):
        return f"{scalar_of(item)}Filter"
    if isinstance(item, Computed) or item is None or item.to is not None:
        return KINDS[member.kind].filter if member.kind in KINDS else ""
    return item.traits.filter


def read_conditions(view: View, pairs: Sequence[tuple[str, str]]) -> tuple[list[Condition], list[str]]:
    """Read the filters of an address; also return the names of those that nobody understands."""
    given: dict[tuple[str, str], list[str]] = {}
    wrong: list[str] = []
    for name, value in pairs:
        if not name.startswith(PREFIX) or not value.strip():
            continue
        api_name, _, operator = name.removeprefix(PREFIX).partition(".")
        member = view.members.get(api_name)
        offer = offer_of(member) if member else None
        operator = operator or (offer.default if offer else "")
        if offer is None or operator not in offer.operators:
            wrong.append(name)
        else:
            given.setdefault((api_name, operator), []).append(value)
    found = [
        Condition(view.members[name], operator, tuple(values if operator in _LISTS else values[-1:])[:MOST_VALUES])
        for (name, operator), values in given.items()
    ]
    return found[:MOST], wrong


def write_filter(conditions: Sequence[Condition], zone: ZoneInfo) -> tuple[Any, list[str]]:
    """Make the API's filter, joined by *and*; also return what cannot be read. None: no filter."""
    made: list[Any] = []
    wrong: list[str] = []
    for condition in conditions:
        try:
            made.append(_write(condition, zone))
        except Unreadable:
            wrong.append(condition.parameter)
    return (None if not made else made[0] if len(made) == 1 else {"and": made}), wrong


def _write(condition: Condition, zone: ZoneInfo) -> Any:
    member, operator = condition.member, condition.operator
    if operator in FLAGS:
        value: Any = condition.values[0] in {"1", "true"}
    else:
        kind = condition_kind(member)
        read = [read_value(kind, text, zone) for text in condition.values]
        value = read if operator in _LISTS else read[0]
    if member.target is None:
        return {member.name: {operator: value}}
    return {member.name: {member.shown: {operator: value}}}


def condition_kind(member: Member) -> str:
    """Return the kind that values of a condition are read as; of a reference, of what its rows are called by."""
    if member.target is None:
        return member.kind if filter_name(member) not in {"enum", "list", "ValidityFilter"} else "string"
    key = next((key for key in member.target.row_keys if key.api_name == member.shown), None)
    return _SCALAR_KINDS.get(key.scalar, "string") if key is not None else "string"


_SCALAR_KINDS: Mapping[str, str] = {"Int": "int", "BigInt": "bigint", "Float": "float", "Decimal": "decimal"}


def chip_text(condition: Condition, texts: Texts) -> str:
    """Say a condition in words."""
    label = condition.member.label.in_language(texts.language)
    if condition.operator in FLAGS:
        said = texts("is-empty" if condition.values[0] in {"1", "true"} else "is-filled")
        return f"{label} {said}"
    values = ", ".join(_said(condition.member, value, texts) for value in condition.values)
    return f"{label} {texts(f'op-{condition.operator}')} {values}"


def _said(member: Member, value: str, texts: Texts) -> str:
    if member.kind == "bool":
        return texts("yes" if value in {"1", "true"} else "no")
    if member.target is None and member.field is not None and filter_name(member) in {"enum", "list", "ValidityFilter"}:
        return option_label(member.field, value, texts).text
    return value.replace("T", " ") if member.kind in {"datetime", "epoch"} else value


def choices_of(member: Member, texts: Texts) -> list[tuple[str, str]]:
    """Return the values that a filter or an input with options offers, with their labels."""
    if member.field is None:
        return []
    names = VALIDITY if member.kind == "validity" else [option.name for option in member.field.options]
    return [(name, option_label(member.field, name, texts).text) for name in names]
