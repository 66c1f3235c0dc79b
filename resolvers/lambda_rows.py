"""Rows on their way to a lambda: lists of JSON values, each different one once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

from resolvers.nodes import Need
from resolvers.terms import Term
from resolvers.utc_texts import STORED_UTC_TEXTS, UTC_TEXTS
from resolvers.values import stored
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.kinds import EXACT_IN_JAVASCRIPT
from schema.spec import Field
from storage.plain import TooDeep, plain, text
from storage.values import keeps_texts

NOT_THERE = -1
_LOOSE = ("json", "yaml")

# Classes of stored values that are written the same where they are equal, by the class of their column. A driver gives whole
# numbers of such columns alone as int; elsewhere, as in SQLite's texts, there may be a 1.0 beside a 1.
_NOTHING = type(None)
_EXACT: Mapping[ColumnClass, frozenset[type]] = {
    **dict.fromkeys((ColumnClass.STRING, ColumnClass.TEXT), frozenset({_NOTHING, str})),
    **dict.fromkeys(WHOLE_NUMBERS, frozenset({_NOTHING, int})),
    ColumnClass.DATE: frozenset({_NOTHING, str, date}),
    ColumnClass.DATETIME: frozenset({_NOTHING, str, datetime}),
}

Row = Sequence[Any]
Write = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A value that stands at one position of a row; `write` makes of it, where it is not null, what a lambda sees.

    `how` names what `write` depends on. Of the classes `exact`, equal values are written the same by it.
    """

    position: int
    write: Write | None
    is_loose: bool = False  # equal values may be of different types: 1 and true
    exact: frozenset[type] = frozenset()
    how: Hashable = None

    def every(self, rows: Sequence[Row]) -> list[Any]:
        """Return the values of all rows."""
        position, write = self.position, self.write
        if write is None:
            return [row[position] for row in rows]
        return [None if (value := row[position]) is None else write(value) for row in rows]


@dataclass(frozen=True, slots=True)
class Made:
    """A value that is made of a row, or was loaded for it."""

    read: Callable[[Any], Any]
    is_loose: bool = False

    def every(self, rows: Sequence[Row]) -> list[Any]:
        """Return the values of all rows."""
        return [input_value(self.read(row)) for row in rows]


def placed(term: Term, position: int, zone: tzinfo) -> Placed:
    """Tell how a stored value is read: as the API has it, but a reference is its key and an option its stored value."""
    is_loose = term.kind in _LOOSE
    exact = frozenset[type]() if is_loose else _EXACT.get(term.column_class, frozenset())
    how = (isinstance(term.item, Field), term.kind, term.column_class, zone)
    return Placed(position, _write(term, zone), is_loose, exact, how)


def _write(term: Term, zone: tzinfo) -> Write | None:
    convert = stored(term, zone)
    if isinstance(term.item, Field):
        if convert is None and term.column_class in WHOLE_NUMBERS:
            return None
        if convert is not None and keeps_texts(term.kind):
            return lambda value: value if value.__class__ is str else input_value(convert(value))
        if convert is not None and _is_utc(term, zone):
            return lambda value: _wall_clock(value) or input_value(convert(value))
    return input_value if convert is None else lambda value: input_value(convert(value))


def _is_utc(term: Term, zone: tzinfo) -> bool:
    return term.kind == "datetime" and term.column_class is ColumnClass.DATETIME and getattr(zone, "key", "") == "UTC"


def _wall_clock(value: Any) -> str | None:
    """Write a moment of UTC that has no zone, as drivers give it; None for any other."""
    if value.__class__ is str:
        return STORED_UTC_TEXTS[value]
    return UTC_TEXTS[value] if value.__class__ is datetime and value.tzinfo is None else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Different rows, and for each row of a page which of them it is; `NOT_THERE` where a reference led nowhere.

    Rows that `are_keys` are equal where they look the same.
    """

    rows: Sequence[tuple[Any, ...]]
    places: Sequence[int]
    are_keys: bool = False


class InputReader:
    """Reads what lambdas need of the rows of a level; what several of them need is read once."""

    def __init__(self, rows: Sequence[Row], *, apart: bool) -> None:
        self._rows = rows
        self._apart = apart
        self._there: dict[int | None, Sequence[Row]] = {None: rows}
        self._columns: dict[tuple[int | None, tuple[str, ...]], list[Any]] = {}
        self._known: dict[tuple[Any, ...], Inputs] = {}

    def read(self, needs: Sequence[tuple[Need, Placed | Made]], present: int | None) -> Inputs:
        """Read all needs of a lambda. Rows that look the same to it cross once, unless `apart`, and have one result.

        `present` is the position that is null where there is no row.
        """
        key = (present, *(need.term.key for need, _ in needs))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read(needs, present)
        return found

    def _read(self, needs: Sequence[tuple[Need, Placed | Made]], present: int | None) -> Inputs:
        rows = self._rows
        if present not in self._there:
            self._there[present] = [row for row in rows if present is None or row[present] is not None]
        there = self._there[present]
        columns = [self._column(present, need, read) for need, read in needs]
        found = list(zip(*columns, strict=True)) if columns else [()] * len(there)
        known = None if self._apart or any(read.is_loose for _, read in needs) else _numbered(found)
        different = found if known is None else list(known)
        places: Sequence[int] = range(len(found))
        if known is not None and len(known) < len(found):
            places = [known[row] for row in found]
        if present is None or len(there) == len(rows):
            return Inputs(different, places, known is not None)
        rest = iter(places)
        every = [NOT_THERE if row[present] is None else next(rest) for row in rows]
        return Inputs(different, every, known is not None)

    def _column(self, present: int | None, need: Need, read: Placed | Made) -> list[Any]:
        key = (present, need.term.key)
        found = self._columns.get(key)
        if found is None:
            found = self._columns[key] = read.every(self._there[present])
        return found


def weighed(rows: Sequence[Sequence[Any]]) -> tuple[Sequence[Sequence[Any]], int]:
    """Say how large rows are as JSON, and mend what no JSON can say: halves of surrogate pairs."""
    try:
        return rows, len(orjson.dumps(rows))
    except TypeError:
        mended = [[input_value(value) for value in row] for row in rows]
        return mended, len(orjson.dumps(mended))


def _numbered(rows: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], int] | None:
    """Give different rows numbers; None where they cannot be told apart: a list or an object is among the values."""
    known: dict[tuple[Any, ...], int] = {}
    try:
        for row in rows:
            known.setdefault(row, len(known))
    except TypeError:
        return None
    return known


def input_value(value: Any) -> Any:
    """Write a value as a lambda sees it: as the API has it, but durations are seconds. What cannot be read is null."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, Exception):
        return None
    try:
        return plain(value)
    except TooDeep:
        return None


def _moment(value: datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return f"{value.isoformat()}Z"


def _same(value: Any) -> Any:
    return value


_WRITERS: Mapping[type, Callable[[Any], Any]] = {
    type(None): _same,
    bool: _same,
    int: lambda value: value if -EXACT_IN_JAVASCRIPT <= value <= EXACT_IN_JAVASCRIPT else str(value),
    float: lambda value: value if isfinite(value) else None,
    str: text,
    bytes: lambda value: value.decode("utf-8", "replace"),
    Decimal: lambda value: format(value, "f"),
    datetime: _moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
}
