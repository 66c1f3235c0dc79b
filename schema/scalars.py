"""The scalars beside GraphQL's own: how a value leaves as JSON, and how strictly one is taken in.

Inside the program they are plain Python values: int (BigInt, Duration in seconds), Decimal, date, time, datetime in UTC,
str (HTML), and whatever JSON can say (JSON).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from graphql import (
    FloatValueNode,
    GraphQLError,
    GraphQLScalarType,
    IntValueNode,
    StringValueNode,
    ValueNode,
    value_from_ast_untyped,
)

from schema.kinds import EXACT_IN_JAVASCRIPT

BIG_INT_LIMIT = 2**63
DURATION_LIMIT_S = 2**31 - 1
DECIMAL_DIGITS = 38
TEXT_LIMIT_CHARS = 64  # of a number, date, time or duration written as text
SHOWN_CHARS = 40  # of a refused value in an error message
JSON_DEPTH = 32
JSON_NODES = 10_000

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", re.ASCII)
_DATE_TIME = re.compile(rf"({_DATE.pattern})[Tt ]({_TIME.pattern})([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>-?)P(?!$)((?P<weeks>[0-9]{1,9})W)?((?P<days>[0-9]{1,9})D)?"
    r"(T(?!$)((?P<hours>[0-9]{1,9})H)?((?P<minutes>[0-9]{1,9})M)?((?P<seconds>[0-9]{1,10})S)?)?",
    re.ASCII,
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def _refusal(scalar: str, value: Any, wanted: str) -> GraphQLError:
    shown = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__
    if len(shown) > SHOWN_CHARS:
        shown = f"{shown[:SHOWN_CHARS]}…"
    return GraphQLError(f"{scalar} cannot be {shown}: {wanted}.")


def _text(scalar: str, value: Any, wanted: str) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT_CHARS:
        raise _refusal(scalar, value, wanted)
    return value


# --- BigInt ---

_BIG_INT_WANTED = "write a whole number between -2^63 and 2^63 - 1, as a number or as a text of digits"


def parse_big_int(value: Any) -> int:
    """Take a whole number of 64 bits, given as a number or as digits."""
    if isinstance(value, str) and len(value) <= TEXT_LIMIT_CHARS and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -BIG_INT_LIMIT <= value < BIG_INT_LIMIT:
        raise _refusal("BigInt", value, _BIG_INT_WANTED)
    return value


def write_big_int(value: Any) -> int | str:
    """Write a number while JavaScript can hold it exactly, else its digits as text. Sums may pass 64 bits."""
    if isinstance(value, Decimal) and value == value.to_integral_value():  # what databases make of a sum
        value = int(value)
    number = value if isinstance(value, int) else parse_big_int(value)
    return number if abs(number) <= EXACT_IN_JAVASCRIPT else str(number)


# --- Decimal ---

_DECIMAL_WANTED = f'write a number of up to {DECIMAL_DIGITS} digits, best as a text like "12.50"'


def parse_decimal(value: Any) -> Decimal:
    """Take an exact decimal number, given as text or as a number."""
    if isinstance(value, Decimal):
        text = format(value, "f") if value.is_finite() else "NaN"
    elif isinstance(value, float):
        text = format(Decimal(repr(value)), "f") if math.isfinite(value) else "NaN"
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**DECIMAL_DIGITS:
        text = str(value)
    else:
        text = _text("Decimal", value, _DECIMAL_WANTED)
    if not _DECIMAL.fullmatch(text) or sum(char.isdigit() for char in text) > DECIMAL_DIGITS:
        raise _refusal("Decimal", value, _DECIMAL_WANTED)
    return Decimal(text)


def write_decimal(value: Any) -> str:
    """Write every digit as text; a JSON number would be read as a float. Means may have more digits than are taken."""
    exact = value if isinstance(value, Decimal) and value.is_finite() else parse_decimal(value)
    return format(exact, "f")


# --- Date, Time, DateTime ---

_DATE_WANTED = 'write a date like "2026-01-31"'
_TIME_WANTED = 'write a time of day like "14:30" or "14:30:00"'
_DATE_TIME_WANTED = 'write a time like "2026-01-31T14:30:00Z"; without an offset it is taken as UTC'


def parse_date(value: Any) -> date:
    """Take `YYYY-MM-DD`."""
    text = _text("Date", value, _DATE_WANTED)
    if not _DATE.fullmatch(text):
        raise _refusal("Date", value, _DATE_WANTED)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refusal("Date", value, "there is no such day") from None


def write_date(value: Any) -> str:
    """Write `YYYY-MM-DD`."""
    if isinstance(value, datetime):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else parse_date(value).isoformat()


def parse_time(value: Any) -> time:
    """Take `HH:MM`, `HH:MM:SS` or with a fraction, without an offset."""
    text = _text("Time", value, _TIME_WANTED)
    if not _TIME.fullmatch(text):
        raise _refusal("Time", value, _TIME_WANTED)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise _refusal("Time", value, "there is no such time of day") from None


def write_time(value: Any) -> str:
    """Write `HH:MM:SS`, with a fraction where there is one."""
    if isinstance(value, timedelta):  # MySQL drivers hand TIME columns over as timedelta
        value = (datetime.min.replace(tzinfo=UTC) + value).time()
    return value.isoformat() if isinstance(value, time) else parse_time(value).isoformat()


def parse_date_time(value: Any) -> datetime:
    """Take an RFC 3339 time and return it in UTC; without an offset it is taken as UTC."""
    text = _text("DateTime", value, _DATE_TIME_WANTED)
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise _refusal("DateTime", value, _DATE_TIME_WANTED)
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refusal("DateTime", value, "there is no such time") from None


def write_date_time(value: Any) -> str:
    """Write RFC 3339 in UTC with `Z`; a value without an offset is in UTC already."""
    moment = value if isinstance(value, datetime) else parse_date_time(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"


# --- Duration ---

_DURATION_WANTED = 'write an ISO 8601 duration in weeks, days, hours, minutes and seconds, like "PT1H30M" or "P2D"'


def parse_duration(value: Any) -> int:
    """Take an ISO 8601 duration and return its seconds; months and years have no fixed length."""
    match = _DURATION.fullmatch(_text("Duration", value, _DURATION_WANTED))
    if match is None:
        raise _refusal("Duration", value, _DURATION_WANTED)
    seconds = sum(int(match[unit] or 0) * size for unit, size in _SECONDS.items())
    if seconds > DURATION_LIMIT_S:
        raise _refusal("Duration", value, f"it is longer than {DURATION_LIMIT_S} seconds")
    return -seconds if match["sign"] else seconds


def write_duration(value: Any) -> str:
    """Write seconds as an ISO 8601 duration in days, hours, minutes and seconds."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _refusal("Duration", value, "a number of seconds is stored here")
    rest = round(abs(float(value)))
    days, rest = divmod(rest, _SECONDS["days"])
    hours, rest = divmod(rest, _SECONDS["hours"])
    minutes, seconds = divmod(rest, _SECONDS["minutes"])
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    text = f"P{days}D" if days else "P"
    text += f"T{clock}" if clock else ""
    return ("-" if value < 0 else "") + (text if text != "P" else "PT0S")


# --- JSON, HTML ---


def parse_json(value: Any) -> Any:
    """Take any JSON value within bounds of depth and size."""
    left = JSON_NODES
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        left -= 1
        if depth > JSON_DEPTH:
            raise GraphQLError(f"JSON cannot be nested deeper than {JSON_DEPTH} levels.")
        if left < 0:
            raise GraphQLError(f"JSON cannot hold more than {JSON_NODES} values.")
        if isinstance(item, float) and not math.isfinite(item):
            raise GraphQLError("JSON cannot be NaN or infinite: write null.")
        if isinstance(item, Mapping):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend((child, depth + 1) for child in item)
    return value


def write_json(value: Any) -> Any:
    """Write a JSON value as it is."""
    return value


def parse_html(value: Any) -> str:
    """Take HTML as text, as it is: whoever shows it sanitises it."""
    if not isinstance(value, str):
        raise _refusal("HTML", value, "write a text")
    return value


def write_html(value: Any) -> str:
    """Write HTML as text."""
    return str(value)


_LITERALS: Mapping[type[ValueNode], Callable[[Any], Any]] = {
    StringValueNode: lambda node: node.value,
    IntValueNode: lambda node: int(node.value) if len(node.value) <= TEXT_LIMIT_CHARS else node.value,
    # Digits of a float literal are kept as text: Decimal wants them exactly, nothing else takes them.
    FloatValueNode: lambda node: node.value,
}


def _plain_literal(node: ValueNode) -> Any:
    read = _LITERALS.get(type(node))
    return read(node) if read else value_from_ast_untyped(node)


def _json_literal(node: ValueNode) -> Any:
    try:
        return value_from_ast_untyped(node)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nesting beyond reason
        raise GraphQLError("JSON cannot hold this value: a number or its nesting is too large.") from None


def _scalar(
    name: str,
    description: str,
    write: Callable[[Any], Any],
    parse: Callable[[Any], Any],
    *,
    literal: Callable[[ValueNode], Any] = _plain_literal,
    specified_by_url: str | None = None,
) -> GraphQLScalarType:
    return GraphQLScalarType(
        name,
        coerce_output_value=write,
        coerce_input_value=parse,
        coerce_input_literal=lambda node: parse(literal(node)),
        description=description,
        specified_by_url=specified_by_url,
    )


BIG_INT = _scalar(
    "BigInt",
    "A whole number of 64 bits. Written as a number up to 2^53 - 1, as a text of digits beyond; both are taken.",
    write_big_int,
    parse_big_int,
)
DECIMAL = _scalar(
    "Decimal",
    f"An exact decimal number of up to {DECIMAL_DIGITS} digits. Written as text; text and numbers are taken.",
    write_decimal,
    parse_decimal,
)
DATE = _scalar("Date", "A day, as in 2026-01-31.", write_date, parse_date)
TIME = _scalar("Time", "A time of day, as in 14:30:00.", write_time, parse_time)
DATE_TIME = _scalar(
    "DateTime",
    "A moment by RFC 3339, as in 2026-01-31T14:30:00Z. Written in UTC; a time without an offset is taken as UTC.",
    write_date_time,
    parse_date_time,
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
)
DURATION = _scalar(
    "Duration",
    "A length of time by ISO 8601 in weeks, days, hours, minutes and seconds, as in PT1H30M.",
    write_duration,
    parse_duration,
)
JSON = _scalar(
    "JSON",
    f"Any JSON value, nested up to {JSON_DEPTH} levels.",
    write_json,
    parse_json,
    literal=_json_literal,
    specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
)
HTML = _scalar("HTML", "HTML as text, as it was given: whoever shows it sanitises it.", write_html, parse_html)

SCALARS: Mapping[str, GraphQLScalarType] = {
    scalar.name: scalar for scalar in (BIG_INT, DECIMAL, DATE, TIME, DATE_TIME, DURATION, JSON, HTML)
}
