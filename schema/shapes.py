"""Shapes of values in a module file. Each reads a value or says what is wrong, and describes itself as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from schema.problems import Level, suggest
from schema.spot import Entry, Findings, Spot, listed, shown
from schema.tree import Map, Seq

JsonSchema = dict[str, Any]

LAMBDA_LIMIT_BYTES = 64 * 1024
TEXT_LIMIT_CHARACTERS = 10_000


class _Wrong:
    """What a shape returns for a value that it has reported."""

    def __repr__(self) -> str:
        return "WRONG"


WRONG: Any = _Wrong()


class Shape(Protocol):
    """Reads one value of a module file."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the value as ours, or note a problem and return WRONG."""

    def describe(self) -> JsonSchema:
        """Return the JSON Schema of the value."""


def wrong_type(spot: Spot, findings: Findings, wanted: str, value: Any, hint: str | None = None) -> Any:
    """Note that a value is of the wrong type."""
    what = f"`{spot.key}`" if isinstance(spot.key, str) else "An entry"
    findings.add(spot, "bad-type", f"{what} must be {wanted}; found {shown(value)}.", hint)
    return WRONG


@dataclass(frozen=True, slots=True)
class Text:
    """A text. Numbers are taken as they are written, since labels and values often look like numbers."""

    limit: int = TEXT_LIMIT_CHARACTERS
    may_be_empty: bool = True

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the text."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return wrong_type(spot, findings, "a text", value)
        if len(value) > self.limit:
            findings.add(
                spot, "too-long", f"`{spot.key}` has {len(value)} characters; {self.limit} are allowed.", "Shorten it."
            )
            return WRONG
        if not value and not self.may_be_empty:
            findings.add(spot, "bad-value", f"`{spot.key}` is empty.", "Write a text or leave the key out.")
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": ["string", "number"], "maxLength": self.limit}


@dataclass(frozen=True, slots=True)
class Word:
    """A text of a fixed form, such as a column name."""

    pattern: re.Pattern[str]
    wanted: str
    code: str = "bad-value"
    hint: str | None = None

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the word."""
        if not isinstance(value, str):
            return wrong_type(spot, findings, self.wanted, value, self.hint)
        if self.pattern.fullmatch(value) is None:
            findings.add(spot, self.code, f"`{spot.key}` must be {self.wanted}; found {shown(value)}.", self.hint)
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": f"^(?:{self.pattern.pattern})$"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words. `idle` words are known from GOTRS and have no effect."""

    words: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    code: str = "bad-value"
    idle: tuple[str, ...] = ()

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the word, with aliases resolved."""
        if isinstance(value, str):
            if value in self.words:
                return value
            if value in self.aliases:
                return self.aliases[value]
            if value in self.idle:
                findings.add(spot, "no-effect", f"`{value}` is known but has no effect here.", level=Level.INFO)
                return WRONG
        near = suggest(value, (*self.words, *self.aliases)) if isinstance(value, str) else None
        name = f"`{spot.key}` must be" if isinstance(spot.key, str) else "An entry must be"
        findings.add(spot, self.code, f"{name} one of {listed(self.words)}; found {shown(value)}.", near)
        return WRONG

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"enum": [*self.words, *self.aliases, *self.idle]}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the truth value."""
        if isinstance(value, bool):
            return value
        hint = None
        if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
            hint = f"Write `{'true' if value.lower() in ('yes', 'on') else 'false'}`; `{value}` is a text in a module file."
        return wrong_type(spot, findings, "true or false", value, hint)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds."""

    low: float | None = None
    high: float | None = None
    whole: bool = False

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (self.whole and isinstance(value, float)):
            return wrong_type(spot, findings, "a whole number" if self.whole else "a number", value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            low = "" if self.low is None else f"at least {self.low:g}"
            high = "" if self.high is None else f"at most {self.high:g}"
            wanted = " and ".join(part for part in (low, high) if part)
            findings.add(spot, "bad-value", f"`{spot.key}` must be {wanted}; found {shown(value)}.")
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        made: JsonSchema = {"type": "integer" if self.whole else "number"}
        if self.low is not None:
            made["minimum"] = self.low
        if self.high is not None:
            made["maximum"] = self.high
        return made


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, as plain data: dicts and lists that know no positions."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:  # noqa: ARG002 - the protocol's arguments
        """Return the value as plain data."""
        return plain(value)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {}


@dataclass(frozen=True, slots=True)
class Raw:
    """Any value, kept with its positions for a check of its own."""

    schema: JsonSchema = field(default_factory=dict)

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:  # noqa: ARG002 - the protocol's arguments
        """Return the value as it is."""
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return self.schema


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number, true or false."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the value."""
        if value is None or isinstance(value, (Map, Seq)):
            return wrong_type(spot, findings, "a text or a number", value)
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. Where `lone` is set, a single value stands for a list of one."""

    item: Shape
    lone: bool = False
    limit: int = 1000

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the items that are right."""
        if not isinstance(value, Seq):
            if self.lone and value is not None and not isinstance(value, Map):
                found = self.item.read(value, spot, findings)
                return WRONG if found is WRONG else [found]
            return wrong_type(spot, findings, "a list", value)
        if len(value) > self.limit:
            findings.add(spot, "too-long", f"`{spot.key}` has {len(value)} entries; {self.limit} are allowed.")
            return WRONG
        items = []
        read = self.item.read
        for index, item in enumerate(value):
            found = read(item, spot.under(value, index), findings)
            if found is not WRONG:
                items.append(found)
        return items

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        made: JsonSchema = {"type": "array", "items": self.item.describe(), "maxItems": self.limit}
        return {"anyOf": [self.item.describe(), made]} if self.lone else made


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names of the author's choice to values of one shape, returned as an Entry."""

    item: Shape
    key: re.Pattern[str] | None = None

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return an entry with the values that are right."""
        if not isinstance(value, Map):
            return wrong_type(spot, findings, "a mapping", value)
        made = Entry(spot, value)
        for key, item in value.items():
            under = spot.under(value, key)
            if self.key is not None and self.key.fullmatch(key) is None:
                findings.add(
                    under,
                    "bad-name",
                    f"{shown(key)} is not a name.",
                    "Use a-z, 0-9 and _, a letter first.",
                    at_key=True,
                )
                continue
            found = self.item.read(item, under, findings)
            if found is not WRONG:
                made[key] = found
        return made

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "object", "additionalProperties": self.item.describe()}


@dataclass(frozen=True, slots=True)
class OneOf:
    """The first shape whose Python types hold the value; `wanted` says what is allowed when none does."""

    choices: tuple[tuple[tuple[type, ...], Shape], ...]
    wanted: str

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return what the fitting shape returns."""
        for types, shape in self.choices:
            if type(value) in types:
                return shape.read(value, spot, findings)
        return wrong_type(spot, findings, self.wanted, value)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"anyOf": [shape.describe() for _, shape in self.choices]}


def plain(value: Any) -> Any:
    """Turn a value with positions into plain dicts and lists."""
    if isinstance(value, Map):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [plain(item) for item in value]
    if isinstance(value, Entry):
        return {key: plain(item) for key, item in value.items()}
    return value


def shape_of_names(what: str) -> ListOf:
    """Return the shape of a list of field names."""
    return ListOf(Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}"), f"the name of a {what}", "bad-name"))
