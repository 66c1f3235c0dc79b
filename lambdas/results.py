"""What a lambda returned, as a value of the type that its field declares, or why it is none. Null is null for every type."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.errors import WrongValue
from lambdas.sanitize import sanitize
from lambdas.tones import NEUTRAL, TONES

# Kinds → the class whose values are taken as they are, which is found out sooner without a call.
AS_THEY_ARE: Mapping[str, type] = {"string": str, "bool": bool}
INT_LIMIT = 2**31  # GraphQL's Int has 32 bits
_SHOWN_CHARS = 40

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_value(kind: str, value: Any) -> Any:
    """Turn a lambda's JSON value into one of a declared type. Raises WrongValue."""
    return None if value is None else _READERS[kind](value)


def _wrong(value: Any, wanted: str) -> WrongValue:
    if isinstance(value, str):
        shown = f"“{value[:_SHOWN_CHARS]}…”" if len(value) > _SHOWN_CHARS else f"“{value}”"
    elif isinstance(value, dict | list):
        shown = "an object" if isinstance(value, dict) else "a list"
    else:
        shown = str(value).lower() if isinstance(value, bool) else str(value)[:_SHOWN_CHARS]
    return WrongValue(f"The lambda returned {shown}; {wanted}.")


def _is_number(value: Any) -> bool:
    return math.isfinite(value) if isinstance(value, float) else type(value) is int


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not _is_number(value):
        raise _wrong(value, "a string is a text or a number")
    return str(int(value) if abs(value) < INT_LIMIT and value == int(value) else value)


def _int(value: Any) -> int:
    if not _is_number(value) or value != int(value):
        raise _wrong(value, "an int is a whole number")
    if not -INT_LIMIT <= value < INT_LIMIT:
        raise _wrong(value, "an int has 32 bits; declare a float, or a string for long numbers")
    return int(value)


def _float(value: Any) -> float:
    try:
        if _is_number(value):
            return float(value)
    except OverflowError:
        pass
    raise _wrong(value, "a float is a number")


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "a bool is true or false")
    return value


_DATETIME_WANTED = "a datetime is a Date, a text such as 2026-01-31T12:00:00Z, or milliseconds since 1970"


def _datetime(value: Any) -> datetime:
    try:
        if _is_number(value):
            return _EPOCH + timedelta(milliseconds=value)
        found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            return _moment(*found.groups())
    except (ValueError, OverflowError):
        pass
    raise _wrong(value, _DATETIME_WANTED)


def _moment(day: str, clock: str | None, fraction: str | None, zone: str | None) -> datetime:
    """Read a date; without a zone it is in UTC, as JavaScript reads it here. Digits beyond microseconds are dropped."""
    text = f"{day}T{clock or '00:00'}"
    made = datetime.fromisoformat(text + (zone or "Z").upper())
    return (made + timedelta(microseconds=int((fraction or ".0")[1:7].ljust(6, "0")))).astimezone(UTC)


def _html(value: Any) -> str:
    if isinstance(value, str):
        return sanitize(value)
    if not _is_number(value):
        raise _wrong(value, "html is a text")
    return html.escape(_text(value))


def _badge(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {"text": _badge_text(value, value), "tone": NEUTRAL}
    tone = value.get("tone")
    if "text" not in value or not value.keys() <= {"text", "tone"}:
        raise _wrong(value, _BADGE_WANTED)
    if tone is not None and tone not in TONES:
        raise _wrong(tone, f"tones of badges are {', '.join(TONES)}")
    return {"text": _badge_text(value["text"], value), "tone": tone or NEUTRAL}


_BADGE_WANTED = "a badge is a text, or an object with `text` and `tone`"


def _badge_text(text: Any, value: Any) -> str:
    if not isinstance(text, str) and not _is_number(text):
        raise _wrong(value, _BADGE_WANTED)
    return _text(text)


def _json(value: Any) -> Any:
    return value


# The type of a computed field → what reads its values.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "string": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "datetime": _datetime,
    "json": _json,
    "html": _html,
    "badge": _badge,
}
KINDS = frozenset(_READERS)
