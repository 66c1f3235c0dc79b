"""Rows on their way to a lambda: lists of JSON values, each different one once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from resolvers.shape import Read, Row
from schema.kinds import EXACT_IN_JAVASCRIPT
from storage.plain import TooDeep, plain, text

NOT_THERE = -1


@dataclass(frozen=True, slots=True)
class Inputs:
    """Different rows, and for each row of a page which of them it is; `NOT_THERE` where a reference led nowhere."""

    rows: list[list[Any]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def read_inputs(
    reads: Sequence[Read], is_there: Callable[[Row], bool], rows: Sequence[Row], *, apart: bool = False
) -> Inputs:
    """Read what lambdas need of each row. Those that look the same to them cross once, unless `apart`, and have one result."""
    found = Inputs()
    known: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if not is_there(row):
            found.places.append(NOT_THERE)
            continue
        values = [input_value(read(row)) for read in reads]
        try:
            place = len(found.rows) if apart else known.setdefault(tuple(values), len(found.rows))
        except TypeError:  # a list or an object among them
            place = len(found.rows)
        if place == len(found.rows):
            found.rows.append(values)
        found.places.append(place)
    return found


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
