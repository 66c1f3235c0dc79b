"""What an operation is given: of its variables, what decides how it is carried out, and what is only a value in its statements.

Operations of one form share a plan. A value of `by` or `filter`, or an id, may stand in a statement; everything else a variable is used for (how
many rows, in which order, with which fields) is part of the form.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails

from resolvers.filters import PATTERNS
from resolvers.ids import read_id, write_id
from resolvers.templates import are_small, is_plain
from schema.spec import Module
from storage.quick import quick

_CONDITIONS = frozenset({"by", "filter"})
_IDS = frozenset({"id", "ids"})  # of `node` and `nodes`
CURSORS = frozenset({"after", "before"})
_ID = "id"  # below it stand global ids


@dataclass(frozen=True, slots=True)
class Usage:
    """How an operation uses its variables.

    `values` are only compared with, `ids` of them name rows by their global ids, and `cursors` say where a page starts.
    """

    values: frozenset[str]
    ids: frozenset[str]
    cursors: frozenset[str]


@dataclass(slots=True)
class _Found:
    values: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    cursors: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)


@quick
class Given:
    """The variables of a request: their form, and the values in it, in its order."""

    form: Hashable
    values: tuple[Any, ...]


def find_usage(selections: SelectionSetNode, fragments: Mapping[str, FragmentDetails]) -> Usage:
    """Find out how an operation uses its variables. What is used in two ways is no mere value."""
    found = _Found()
    _walk(selections, fragments, found)
    values = frozenset(found.values - found.others - found.cursors)
    cursors = frozenset(found.cursors - found.others - found.values)
    return Usage(values, frozenset(found.ids), cursors)


def _walk(selections: SelectionSetNode, fragments: Mapping[str, FragmentDetails], found: _Found) -> None:
    for node in selections.selections:
        for directive in node.directives or ():
            found.others.update(name for item in directive.arguments or () for name, _ in _variables(item.value))
        if isinstance(node, FragmentSpreadNode):
            _walk(fragments[node.name.value].definition.selection_set, fragments, found)
            continue
        if isinstance(node, FieldNode):
            for argument in node.arguments or ():
                _sort(argument.name.value, argument.value, found)
        below = getattr(node, "selection_set", None)
        if below is not None:
            _walk(below, fragments, found)


def _sort(name: str, value: ValueNode, found: _Found) -> None:
    for variable, place in _variables(value):
        if name in _IDS:
            found.values.add(variable)
            found.ids.add(variable)
        elif name in _CONDITIONS and place not in PATTERNS:
            found.values.add(variable)
            if place == _ID:
                found.ids.add(variable)
        elif name in CURSORS:
            found.cursors.add(variable)
        else:
            found.others.add(variable)


def _variables(value: ValueNode, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the variables inside a value, and what stands around each that tells what it is."""
    if isinstance(value, VariableNode):
        yield value.name.value, place
    elif isinstance(value, ListValueNode):
        for item in value.values:
            yield from _variables(item, place)
    elif isinstance(value, ObjectValueNode):
        for member in value.fields:
            name = member.name.value
            yield from _variables(member.value, name if name == _ID or name in PATTERNS else place)


class Cursors(Protocol):
    """Reads and writes the cursors that are among the variables of an operation."""

    def read(self, name: str, cursor: str) -> Sequence[Any] | None:
        """Return the sort values in a variable that is a cursor; None where it is none of its list."""

    def write(self, name: str, coerced: Mapping[str, Any], values: Sequence[Any]) -> str:
        """Return the cursor that would have these sort values, if the list was asked for with these variables."""


class Reader:
    """Reads the form of variables. `modules` are by the names of their types."""

    def __init__(self, usage: Usage, modules: Mapping[str, Module]) -> None:
        self.usage = usage
        self.modules = modules

    def read(self, coerced: Mapping[str, Any], cursors: Cursors) -> Given | None:
        """Return the form and the values; None for what has no plan, such as a cursor that is none."""
        walk = _Walk(self)
        walk.all(coerced)
        for name in sorted(self.usage.cursors):
            values = self._values(coerced.get(name), name, cursors)
            if values is None:
                return None
            walk.form += [name, *(type(value).__name__ for value in values)]
            walk.values += values
        return Given(tuple(walk.form), tuple(walk.values))

    def _values(self, cursor: str | None, name: str, cursors: Cursors) -> Sequence[Any] | None:
        if cursor is None:
            return ()
        values = cursors.read(name, cursor)
        return values if values is not None and all(map(_is_sortable, values)) else None

    def marked(self, coerced: Mapping[str, Any], marks: Sequence[Any], cursors: Cursors) -> dict[str, Any]:
        """Return the same variables with marks in place of the values that `read` finds."""
        rest = iter(marks)
        found = _Walk(self, rest).all(coerced)
        for name in sorted(self.usage.cursors):
            values = self._values(coerced.get(name), name, cursors)
            if values:
                found[name] = cursors.write(name, found, [next(rest) for _ in values])
        return found


class _Walk:
    """Goes through variables once; with marks, what it returns has them in place of the values."""

    def __init__(self, reader: Reader, marks: Iterator[Any] | None = None) -> None:
        self._reader = reader
        self._marks = marks
        self.form: list[Hashable] = []
        self.values: list[Any] = []

    def all(self, coerced: Mapping[str, Any]) -> dict[str, Any]:
        """Go through all of them."""
        usage = self._reader.usage
        found = {}
        for name, value in coerced.items():
            self.form.append(name)
            if name in usage.cursors:
                self.form.append(value is None)
                found[name] = value
            elif name in usage.values:
                found[name] = self._into(value, is_id=name in usage.ids)
            else:
                self.form.append(_fixed(value))
                found[name] = value
        return found

    def _into(self, value: Any, *, is_id: bool) -> Any:
        if isinstance(value, Mapping):
            self.form.append(len(value))
            found = {}
            for key, item in value.items():
                self.form.append(key)
                if key in PATTERNS:
                    self.form.append(_fixed(item))
                    found[key] = item
                else:
                    found[key] = self._into(item, is_id=is_id or key == _ID)
            return found
        if isinstance(value, list):
            if not is_id and are_small(value):
                self.form.append(("numbers", len(value)))
                self.values += value
                return value if self._marks is None else [next(self._marks) for _ in value]
            self.form.append(("list", len(value)))
            return [self._into(item, is_id=is_id) for item in value]
        return self._leaf(value, is_id=is_id)

    def _leaf(self, value: Any, *, is_id: bool) -> Any:
        named = read_id(value, self._reader.modules) if is_id and isinstance(value, str) else None
        parts: Sequence[Any] = named.key if named else (value,)
        if (is_id and named is None) or not all(map(is_plain, parts)):
            self.form.append(_fixed(value))
            return value
        self.form.append((named.module.type_name if named else "", *(type(part).__name__ for part in parts)))
        self.values += parts
        if self._marks is None:
            return value
        marks = [next(self._marks) for _ in parts]
        return write_id(named.module, marks) if named else marks[0]


def _is_sortable(value: Any) -> bool:
    """Answer whether a sort value goes to the driver as it came from there."""
    return value is None or type(value) in (datetime, date) or is_plain(value)


def _fixed(value: Any) -> Hashable:
    """Return something that is equal for equal values of equal types only."""
    return ("=", type(value).__name__, repr(value))
