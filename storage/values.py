"""Values on their way: what a driver returns → what the API means, and a filter's value → what the driver is given.

Wall-clock columns hold the time of the database's zone (OTRSTimeZone, UTC unless told otherwise) without saying so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.kinds import VALIDITY
from storage.errors import BadParameter
from storage.plain import plain
from storage.plain import text as without_surrogates
from storage.yamltext import dump_yaml, load_yaml

Converter = Callable[[Any], Any]

_TEXTS = frozenset({ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES})
_INT64 = 2**63
_DAY = timedelta(days=1)
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z


# What readers raise for a stored value that is none of its kind.
UNREADABLE = (ValueError, TypeError, ArithmeticError)


def reader(kind: str, column_class: ColumnClass, zone: tzinfo) -> Converter | None:
    """Return what turns a driver's value (never None) into the API's, or None where nothing needs turning.

    date-times become aware (UTC), epochs date-times (0 becomes None), decimals lose trailing zeros (SQLite cannot keep
    them), texts in bytes columns are decoded, json and yaml become structures. What is not a value of the kind (MariaDB's
    zero dates, a word in a number of SQLite) raises one of UNREADABLE.
    """
    make = _READERS.get(kind)
    return make(column_class, zone) if make else None


def keeps_texts(kind: str) -> bool:
    """Answer whether a text from a driver is the API's value of a kind as it is."""
    return _READERS.get(kind, _read_text) is _read_text


def binder(dialect: str, kind: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    """Return what turns the API's value (never None) into a parameter, or raises BadParameter."""
    make = _BINDERS.get(kind, _bind_by_class)
    return make(dialect, column_class, zone)


def keeper(dialect: str, kind: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    """Return what turns the API's value (never None) into what a column is given to keep, or raises BadParameter.

    A `binder`, but for PostgreSQL's BYTEA, which can be compared with texts and takes only bytes.
    """
    bind = binder(dialect, kind, column_class, zone)
    if dialect != "postgresql" or column_class is not ColumnClass.BYTES:
        return bind
    return lambda value: bind(value).encode()


def read_bucket(value: Any) -> date | None:
    """Turn what a dialect's `day` or `month` returns into a date."""
    return None if value is None else date.fromisoformat(value)


def read_sum(value: Any) -> int:
    """Turn what a dialect's `summed` returns for the sum of integers into a number."""
    if isinstance(value, str) and "," in value:
        high, low = value.split(",")
        return (int(high) << 32) + int(low)
    return int(value)


# --- reading ---


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else str(value)  # SQLite keeps numbers in columns of text


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _epoch(value: Any) -> datetime | None:
    seconds = int(value)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= LAST_SECOND else None


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value[:10])


def _time(value: Any) -> time:
    if isinstance(value, timedelta):  # MariaDB's TIME is a span, of up to 838 hours to both sides
        if not timedelta() <= value < _DAY:
            raise ValueError("The span is no time of day.")
        return (datetime.min + value).time()  # noqa: DTZ901 - a time of day has no zone
    return value if isinstance(value, time) else time.fromisoformat(value)


def _decimal(value: Any) -> Decimal:
    number = (value if isinstance(value, Decimal) else Decimal(str(value))).normalize()
    if not number.is_finite():
        raise ValueError("The number is not finite.")
    return number if number.as_tuple().exponent not in range(1, 400) else number.quantize(Decimal(1))


def _validity(value: Any) -> int:
    number = int(value)
    if number not in VALIDITY.values():
        raise ValueError("There is no such validity.")
    return number


def _float(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("The number is not finite.")
    return number


def _json(value: Any) -> Any:
    text = _text(value) if isinstance(value, str | bytes | bytearray | memoryview) else None
    if text is None:
        return plain(value)
    try:
        return plain(json.loads(text))
    except (ValueError, RecursionError):  # no JSON, or nested beyond reason
        return without_surrogates(text)


def _yaml(value: Any) -> Any:
    text = _text(value)
    try:
        return plain(load_yaml(text))
    except (ValueError, RecursionError):
        return without_surrogates(text)


def _list(value: Any) -> list[str]:
    text = _text(value)
    found = _json(text) if text.startswith("[") else None
    if isinstance(found, list):
        return [str(item) for item in found]
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_text(column_class: ColumnClass, _: tzinfo) -> Converter | None:
    return _text if column_class in _TEXTS else None


def _read_moment(column_class: ColumnClass, zone: tzinfo) -> Converter:
    def read(value: Any) -> datetime:
        moment = _moment(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

    return read


def _same(convert: Converter) -> Callable[[ColumnClass, tzinfo], Converter]:
    return lambda _class, _zone: convert


_READERS: dict[str, Callable[[ColumnClass, tzinfo], Converter | None]] = {
    **dict.fromkeys(
        ("string", "text", "markdown", "html", "color", "email", "url", "phone", "select", "radio", "reference"),
        _read_text,
    ),
    **dict.fromkeys(("int", "bigint", "duration"), _same(int)),
    **dict.fromkeys(("float", "range"), _same(_float)),
    "validity": _same(_validity),
    "decimal": _same(_decimal),
    "bool": _same(bool),
    "date": _same(_date),
    "time": _same(_time),
    "datetime": _read_moment,
    "epoch": _same(_epoch),
    "json": _same(_json),
    "yaml": _same(_yaml),
    "multiselect": _same(_list),
}


# --- binding ---


def bind_text(value: Any) -> str:
    """Accept a text that every database can store: no NUL, no half of a surrogate pair."""
    text = str(value)
    if "\x00" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise BadParameter("A text must not contain NUL or half of a surrogate pair.")
    return text


def bind_int(value: Any) -> int:
    """Accept a whole number of at most 64 bits."""
    try:
        number = int(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadParameter("A whole number was expected.") from error
    if not -_INT64 <= number < _INT64:
        raise BadParameter("The number is out of the range of 64 bits.")
    return number


def wall_clock(moment: datetime, dialect: str, zone: tzinfo) -> datetime | str:
    """Write a moment as the wall clock of the database's zone; SQLite compares texts."""
    try:
        naive = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise BadParameter("The moment is outside of the calendar in the database's time zone.") from None
    return naive.isoformat(" ") if dialect == "sqlite" else naive


def _bind_moment(dialect: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return lambda value: wall_clock(value, dialect, zone)


def _bind_epoch(_: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return lambda value: bind_int(value.timestamp())


def _bind_date(dialect: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    if column_class is ColumnClass.DATETIME:
        return lambda value: wall_clock(datetime.combine(value, time()), dialect, zone)
    return date.isoformat if dialect == "sqlite" else lambda value: value


def _bind_time(dialect: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return time.isoformat if dialect == "sqlite" else lambda value: value


def _bind_number(dialect: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    def bind(value: Any) -> int | float | Decimal:
        if column_class in WHOLE_NUMBERS and value == int(value):
            return bind_int(value)
        # SQLite's driver knows no Decimal; its DECIMAL columns hold floats anyway.
        return float(value) if dialect == "sqlite" or column_class is ColumnClass.FLOAT else Decimal(str(value))

    return bind


def _bind_bool(_: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return bool if column_class is ColumnClass.BOOL else lambda value: int(bool(value))


def _bind_json(_: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return lambda value: json.dumps(value, ensure_ascii=False)


def _bind_yaml(_: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    return dump_yaml


def _bind_by_class(dialect: str, column_class: ColumnClass, zone: tzinfo) -> Converter:
    """Whole numbers and keys go by the column: a reference may be an integer or a login."""
    if column_class in WHOLE_NUMBERS:
        return bind_int
    if column_class is ColumnClass.BOOL:
        # SQLite and MariaDB have no booleans of their own: theirs are numbers, and a bool is one.
        return bool
    if column_class in (ColumnClass.FLOAT, ColumnClass.DECIMAL):
        return _bind_number(dialect, column_class, zone)
    return bind_text


_BINDERS: dict[str, Callable[[str, ColumnClass, tzinfo], Converter]] = {
    "datetime": _bind_moment,
    "epoch": _bind_epoch,
    "date": _bind_date,
    "time": _bind_time,
    "float": _bind_number,
    "range": _bind_number,
    "decimal": _bind_number,
    "bool": _bind_bool,
    "json": _bind_json,
    "yaml": _bind_yaml,
    "multiselect": _bind_json,
}
