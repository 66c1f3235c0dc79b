"""Values of a lambda's SQL on their way: what a question gives → what drivers take, and what they return → JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from resolvers.sql_kinds import Kind, Slot
from resolvers.sql_syntax import Now, Number, Parameter, RefusedSql, Term, Text
from schema.catalog import ColumnClass
from schema.kinds import EXACT_IN_JAVASCRIPT
from storage.dialects import fold
from storage.errors import BadParameter
from storage.plain import text as without_surrogates
from storage.values import bind_int, bind_text, reader, wall_clock

ROWS_LIMIT = 1_000
WORD_LIMIT = 100  # characters of what REPLACE puts in
PATTERN_LIMIT = 200  # characters of a LIKE
WILDCARDS_LIMIT = 10
LARGEST_NUMBER = 1e18
SMALLEST_NUMBER = 1e-9  # what is smaller would divide numbers out of their range

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question gives to fill slots with: its parameters, the moment, and how many rows it may have at most."""

    values: tuple[Any, ...]
    now: datetime
    dialect: str
    zone: tzinfo
    limit: int = ROWS_LIMIT + 1


def fill(slot: Slot, asked: Asked) -> Any:
    """Return the value of a slot as the driver takes it. Raises `RefusedSql`."""
    if slot.kind is Kind.PATTERN:
        return _pattern("".join(_as_text(_given(part, asked)) for part in slot.parts))
    if slot.kind is Kind.LIMIT:
        return _limit(slot, asked)
    term = slot.parts[0]
    if isinstance(term, Now):
        return _stored(_moment_of(term, asked), slot.kind, asked)
    value = _given(term, asked)
    if value is None:
        return None
    try:
        return _FILLERS[slot.kind](value, asked)
    except (ValueError, BadParameter, OverflowError):
        number = term.number + 1 if isinstance(term, Parameter) else 0
        raise RefusedSql(f"Parameter {number} must be {slot.kind}.") from None


def mark(slot: Slot, number: int, turn: int, dialect: str) -> Any:
    """Return a value that stands for a slot's and is like no other: statements are kept by where these stand."""
    if slot.kind in (Kind.WHOLE, Kind.LIMIT):
        return 7_000_000_000_000 + 2 * number + turn
    if slot.kind is Kind.NUMBER:
        return 7e12 + 2 * number + turn + 0.5
    if slot.kind is Kind.MOMENT:
        moment = datetime(1907, 1, 1) + timedelta(seconds=2 * number + turn)  # noqa: DTZ001 - as drivers give moments
        return moment.isoformat(" ") if dialect == "sqlite" else moment
    return f"slot {turn} {number}\x7f"


def read_moment(text: str, zone: tzinfo) -> datetime:
    """Read a date and time as the wall clock of the database; without a zone it is that already. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def write_moment(moment: datetime, dialect: str) -> str:
    """Write a wall clock as SQL."""
    text = moment.isoformat(" ")
    return f"'{text}'" if dialect == "sqlite" else f"TIMESTAMP '{text}'"


# --- inside ---


def _given(term: Term, asked: Asked) -> Any:
    if isinstance(term, Text):
        return term.value
    if isinstance(term, Number):
        return term.digits
    if not isinstance(term, Parameter) or term.number >= len(asked.values):
        raise RefusedSql(f"The SQL has a parameter for which no value is given: it was given {len(asked.values)}.")
    return asked.values[term.number]


def _pattern(text: str) -> str:
    wildcards = text.count("%") + text.count("_")
    if len(text) > PATTERN_LIMIT or wildcards > WILDCARDS_LIMIT:
        raise RefusedSql(
            f"A pattern of LIKE has at most {PATTERN_LIMIT} characters, and {WILDCARDS_LIMIT} of them are `%` or `_`."
        )
    try:
        return bind_text(fold(text)).replace("!", "!!")
    except BadParameter:
        raise RefusedSql("A pattern of LIKE has characters that no text has.") from None


def _limit(slot: Slot, asked: Asked) -> int:
    term = slot.parts[0] if slot.parts else None
    wanted = ROWS_LIMIT + 1 if term is None else _count(_given(term, asked))
    return min(wanted, asked.limit) if slot.is_top else wanted


def _count(value: Any) -> int:
    text = _as_text(value)
    if not _WHOLE.fullmatch(text) or not 0 <= int(text) <= 1_000_000:  # noqa: PLR2004 - said in the sentence
        raise RefusedSql("LIMIT and OFFSET take whole numbers from 0 to 1,000,000.")
    return int(text)


def _moment_of(term: Now, asked: Asked) -> datetime:
    moment = asked.now.astimezone(asked.zone).replace(tzinfo=None, microsecond=0)
    if term.is_midnight:
        moment = datetime.combine(moment.date(), time())
    return moment + timedelta(seconds=term.seconds)


def _stored(moment: datetime, kind: Kind, asked: Asked) -> Any:
    return moment.date().isoformat() if kind is Kind.DAY else wall_clock(moment, asked.dialect, asked.zone)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _whole(value: Any, _: Asked) -> int:
    text = _as_text(value).strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return bind_int(text)


def _number(value: Any, _: Asked) -> float:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError(value)
    number = float(value)
    if not (number == 0 or SMALLEST_NUMBER <= abs(number) <= LARGEST_NUMBER):
        raise ValueError(value)
    return number


def _word(value: Any, _: Asked) -> str:
    text = _as_text(value)
    if len(text) > WORD_LIMIT:
        raise ValueError(text)
    return bind_text(text)


def _moment(value: Any, asked: Asked) -> Any:
    return _stored(read_moment(_as_text(value), asked.zone), Kind.MOMENT, asked)


def _day(value: Any, asked: Asked) -> str:
    return read_moment(_as_text(value), asked.zone).date().isoformat()


_FILLERS = {
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.TEXT: lambda value, _: bind_text(_as_text(value)),
    Kind.WORD: _word,
    Kind.MOMENT: _moment,
    Kind.DAY: _day,
}


# --- results ---


def read(value: Any, kind: Kind, zone: tzinfo) -> Any:
    """Turn what a driver returned into JSON; what is none of its kind is null."""
    if value is None:
        return None
    try:
        return _READERS[kind](value, zone)
    except (ValueError, TypeError, ArithmeticError):
        return None


def _read_whole(value: Any, _: tzinfo) -> int | str:
    number = int(value)
    return number if abs(number) <= EXACT_IN_JAVASCRIPT else str(number)


def _read_number(value: Any, zone: tzinfo) -> float | int | str | None:
    number = float(
        format(float(value), ".15g")
    )  # what is beyond is noise of floating numbers, another on each database
    if not math.isfinite(number):
        return None
    return _read_whole(value, zone) if number.is_integer() else number


def _read_text(value: Any, _: tzinfo) -> str:
    text = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
    return without_surrogates(text)


def _read_moment(value: Any, zone: tzinfo) -> str:
    moment: datetime = _stored_moment(zone)(value)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _stored_moment(zone: tzinfo) -> Callable[[Any], Any]:
    found = reader("datetime", ColumnClass.DATETIME, zone)
    if found is None:
        raise TypeError("Dates are read by a reader.")
    return found


_READERS: Mapping[Kind, Callable[[Any, tzinfo], Any]] = {
    Kind.WHOLE: _read_whole,
    Kind.NUMBER: _read_number,
    Kind.TEXT: _read_text,
    Kind.DAY: _read_text,
    Kind.MOMENT: _read_moment,
}
