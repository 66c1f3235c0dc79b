"""Statements kept as text: what a statement of the same form needs anew are its values.

Which place takes which value is found out by making the statement twice with marks in place of the values. What does not
stand there as it was given (a pattern, a folded text, an option's value) makes the form one that is not kept.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, Self, TypeVar

from resolvers.predicate import All, Compare, Either, Exists, KeyIn, Not, Predicate
from schema.bindings import ToOne
from storage.direct import Ready

TEMPLATES_KEPT = 1_000
_SMALL = 2**31  # greater numbers are bound as another type
_FIRST_NUMBER = 2_000_000_000
_FIRST_MOMENT = datetime(1931, 7, 3, 4, 5, 6)  # noqa: DTZ001 - as drivers give moments: the wall clock of their zone
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_KEPT_OPERATORS = frozenset({"eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull"})
_LONGEST = 20  # of a list whose statement is kept

# Makes a statement ready for its driver, or says with None that this cannot be done.
Prepare = Callable[[Any], Ready | None]


@dataclass(frozen=True, slots=True)
class Template:
    """A statement's text, what stands in each place (None: one of the values), and which value that is."""

    text: str
    constants: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]  # of the value in the statement, and in the form

    def fill(self, values: Sequence[Any]) -> Ready:
        """Put the values of a form into their places."""
        found = list(self.constants)
        for place, number in self.places:
            found[place] = values[number]
        return Ready(self.text, tuple(found), shows=True)


Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """Things that cost more to make than to keep, those used longest ago forgotten first."""

    def __init__(self, size: int = TEMPLATES_KEPT) -> None:
        self._things: OrderedDict[Hashable, Thing] = OrderedDict()
        self._size = size

    def get(self, key: Hashable) -> Thing | None:
        """Return what is kept under a key, if there is anything."""
        found = self._things.get(key)
        if found is not None:
            self._things.move_to_end(key)
        return found

    def put(self, key: Hashable, thing: Thing) -> Thing:
        """Keep something."""
        self._things[key] = thing
        if len(self._things) > self._size:
            self._things.popitem(last=False)
        return thing


def kept_with(memo: dict[object, Any], name: Hashable, size: int = TEMPLATES_KEPT) -> Kept[Any]:
    """Return what is kept under a name with a snapshot."""
    found: Kept[Any] | None = memo.get(name)
    if found is None:
        found = memo[name] = Kept(size)
    return found


def form_of(predicates: Sequence[Predicate]) -> tuple[tuple[Hashable, ...], list[Any]] | None:
    """Tell the form of conditions, and their values in its order; None for what is not kept."""
    form: list[Hashable] = []
    values: list[Any] = []
    return (tuple(form), values) if all(_tell(predicate, form, values) for predicate in predicates) else None


def _tell(predicate: Predicate, form: list[Hashable], values: list[Any]) -> bool:
    if isinstance(predicate, All | Either):
        form += (type(predicate).__name__, len(predicate.parts))
        return all(_tell(part, form, values) for part in predicate.parts)
    if isinstance(predicate, Not):
        form.append("Not")
        return _tell(predicate.part, form, values)
    if isinstance(predicate, Exists):
        form += ("Exists", _path(predicate.hops))
        return True
    if isinstance(predicate, KeyIn):
        form += ("key", predicate.module.name, _path(predicate.hops), len(predicate.keys))
        return len(predicate.keys) <= _LONGEST and _give([part for key in predicate.keys for part in key], form, values)
    if not isinstance(predicate, Compare) or predicate.operator not in _KEPT_OPERATORS:
        return False
    term, given = predicate.term, predicate.value
    form += (predicate.operator, term.module.name, term.key)
    if isinstance(given, bool):  # it changes what is asked, not a value in it
        form.append(given)
        return True
    if isinstance(given, list):
        form.append(len(given))
        return len(given) <= _LONGEST and _give(given, form, values)
    return _give((given,), form, values)


def _path(hops: Sequence[ToOne]) -> tuple[str, ...]:
    return tuple(hop.field.name for hop in hops)


def _give(given: Sequence[Any], form: list[Hashable], values: list[Any]) -> bool:
    for value in given:
        if not is_plain(value):
            return False
        form.append(type(value).__name__)
        values.append(value)
    return True


def are_plain(values: Sequence[Any]) -> bool:
    """Whether values of a caller can be put into a kept statement."""
    return all(value is None or is_plain(value) for value in values)


def are_small(values: Sequence[Any]) -> bool:
    """Whether all values are numbers of 32 bits, and there are some."""
    return set(map(type, values)) == {int} and min(values) > -_SMALL and max(values) < _SMALL


def is_plain(value: Any) -> bool:
    """Whether a value goes to the driver as it is: a number of 32 bits, or a text that every database can store."""
    if type(value) is int:
        return -_SMALL < value < _SMALL
    return type(value) is str and "\x00" not in value and (value.isascii() or not _SURROGATE.search(value))


class Guard(Protocol):
    """What statements depend on beside their conditions: who is calling."""

    @property
    def own(self) -> tuple[Any, ...]:
        """Values of the caller that a statement may hold."""

    def marked(self, turn: int, first: int) -> Self:
        """Return the guard of somebody who differs only in these: they are marks, numbered from `first` on."""


G = TypeVar("G", bound=Guard)


def find_template(
    prepare: Prepare,
    make: Callable[[Sequence[Predicate], G], Any],
    predicates: Sequence[Predicate],
    values: Sequence[Any],
    guard: G,
) -> Template | None:
    """Make a statement with two sets of marks and see where they stand; None where they do not stand for themselves.

    Its values are those of the conditions, and after them those of the caller.
    """
    given = len(values)
    first, second = marks_of(values, 0), marks_of(values, 1)
    one = prepare(make(_marked(predicates, iter(first)), guard.marked(0, given)))
    other = prepare(make(_marked(predicates, iter(second)), guard.marked(1, given)))
    first += marks_of(guard.own, 0, given)
    second += marks_of(guard.own, 1, given)
    return match(one, other, first, second, given)


def match(
    one: Ready | None, other: Ready | None, first: Sequence[Any], second: Sequence[Any], needed: int
) -> Template | None:
    """Hold the same statement with two sets of marks against itself; None where a mark does not stand for itself.

    The first `needed` marks must stand somewhere.
    """
    if one is None or other is None or one.text != other.text or not one.shows:
        return None
    constants: list[Any] = []
    places: list[tuple[int, int]] = []
    for place, (left, right) in enumerate(zip(one.values, other.values, strict=True)):
        number = _place(left, first)
        if number is not None and number == _place(right, second):
            places.append((place, number))
            constants.append(None)
        elif number is None and type(left) is type(right) and left == right:
            constants.append(left)
        else:
            return None
    if not {number for _, number in places}.issuperset(range(needed)):
        return None
    return Template(one.text, tuple(constants), tuple(places))


def _place(value: Any, marks: Sequence[Any]) -> int | None:
    """Return which mark a value is: the same and of the same type, for 2.0 is not what 2 is to a driver."""
    if value is None:
        return None
    return next((number for number, mark in enumerate(marks) if type(mark) is type(value) and mark == value), None)


def marks_of(values: Sequence[Any], turn: int, first: int = 0) -> list[Any]:
    """Return marks in place of values, numbered from `first` on; those of two turns have nothing in common."""
    return [_mark_of(value, turn, number) for number, value in enumerate(values, first)]


def _mark_of(value: Any, turn: int, number: int) -> Any:
    if value is None:
        return None
    if isinstance(value, int):
        return _FIRST_NUMBER + 2 * number + turn
    if isinstance(value, datetime):
        return _FIRST_MOMENT + timedelta(seconds=2 * number + turn)
    if isinstance(value, date):
        return _FIRST_MOMENT.date() + timedelta(days=2 * number + turn)
    return f"mark {turn} {number}\x7f"


def _marked(predicates: Sequence[Predicate], marks: Iterator[Any]) -> list[Predicate]:
    return [_mark(predicate, marks) for predicate in predicates]


def _mark(predicate: Predicate, marks: Iterator[Any]) -> Predicate:
    """Put marks in place of the values, in the order in which `form_of` tells them."""
    if isinstance(predicate, All | Either):
        return replace(predicate, parts=tuple(_mark(part, marks) for part in predicate.parts))
    if isinstance(predicate, Not):
        return Not(_mark(predicate.part, marks))
    if isinstance(predicate, KeyIn):
        return replace(predicate, keys=tuple(tuple(next(marks) for _ in key) for key in predicate.keys))
    if isinstance(predicate, Compare) and not isinstance(predicate.value, bool):
        given = predicate.value
        return replace(predicate, value=[next(marks) for _ in given] if isinstance(given, list) else next(marks))
    return predicate
