"""What people type becomes a value of the API, and back: one row a field kind. Kinds without a row are texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{0,60})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LENGTH = re.compile(
    r"(?P<sign>-?)\s*((?P<d>\d{1,9})\s*d)?\s*((?P<h>\d{1,9})\s*h)?\s*((?P<m>\d{1,9})\s*m)?\s*((?P<s>\d{1,9})\s*s)?"
)
_ISO = re.compile(r"(?P<sign>-?)P((?P<d>\d+)D)?(T((?P<h>\d+)H)?((?P<m>\d+)M)?((?P<s>\d+)S)?)?")
JSON_LETTERS = 1_000_000


class Unreadable(ValueError):
    """A text is no value of its kind; `key` is the text that says so."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


@dataclass(frozen=True, slots=True)
class Values:
    """How a kind's values are read from a text, and written into an input."""

    read: Callable[[str, ZoneInfo], Any]
    write: Callable[[Any, ZoneInfo], str]


def read_value(kind: str, text: str, zone: ZoneInfo) -> Any:
    """Read what somebody typed. Raises `Unreadable`."""
    return VALUES.get(kind, _TEXT).read(text, zone)


def write_value(kind: str, value: Any, zone: ZoneInfo) -> str:
    """Write a value of the API as the text of an input."""
    return "" if value is None else VALUES.get(kind, _TEXT).write(value, zone)


def local(moment: str, zone: ZoneInfo) -> datetime | None:
    """Return a moment of the API in a zone; None for what no calendar has."""
    try:
        return datetime.fromisoformat(moment).astimezone(zone)
    except (ValueError, OverflowError):
        return None


# --- one row a kind ---


def _plain(text: str, _zone: ZoneInfo) -> str:
    return text


def _told(value: Any, _zone: ZoneInfo) -> str:
    return str(value)


def _whole(text: str, _zone: ZoneInfo) -> int | str:
    if not _WHOLE.fullmatch(text.strip()):
        raise Unreadable("bad-whole")
    return int(text)


def _big(text: str, zone: ZoneInfo) -> str:
    return str(_whole(text, zone))


def _number(text: str, _zone: ZoneInfo) -> float:
    try:
        found = float(text)
    except ValueError:
        raise Unreadable("bad-number") from None
    if not math.isfinite(found):
        raise Unreadable("bad-number")
    return found


def _exact(text: str, _zone: ZoneInfo) -> str:
    if not _DECIMAL.fullmatch(text.strip()):
        raise Unreadable("bad-number")
    return text.strip()


def _write_number(value: Any, _zone: ZoneInfo) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _flag(text: str, _zone: ZoneInfo) -> bool:
    return text in {"1", "true", "yes", "on"}


def _write_flag(value: Any, _zone: ZoneInfo) -> str:
    return "1" if value else "0"


def _moment(text: str, zone: ZoneInfo) -> str:
    if _DATE.fullmatch(text):
        text = f"{text}T00:00"
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        raise Unreadable("bad-moment") from None


def _write_moment(value: Any, zone: ZoneInfo) -> str:
    found = local(str(value), zone)
    return "" if found is None else found.strftime("%Y-%m-%dT%H:%M:%S" if found.second else "%Y-%m-%dT%H:%M")


def _length(text: str, _zone: ZoneInfo) -> str:
    found = _LENGTH.fullmatch(text.strip().lower()) if text.strip() else None
    if found is None or not any(found[unit] for unit in "dhms"):
        if _ISO.fullmatch(text.strip().upper()) and text.strip()[-1:] not in {"P", "T", "p", "t"}:
            return text.strip().upper()
        raise Unreadable("bad-length")
    clock = "".join(f"{found[unit]}{unit.upper()}" for unit in "hms" if found[unit])
    days = f"{found['d']}D" if found["d"] else ""
    return f"{found['sign']}P{days}{'T' + clock if clock else ''}"


def _write_length(value: Any, _zone: ZoneInfo) -> str:
    found = _ISO.fullmatch(str(value))
    parts = [f"{found[unit]}{unit}" for unit in "dhms" if found[unit]] if found else []
    return f"{found['sign']}{' '.join(parts)}" if found and parts else str(value)


def _json(text: str, _zone: ZoneInfo) -> Any:
    if len(text) > JSON_LETTERS:
        raise Unreadable("bad-json")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("bad-json") from None


def _write_json(value: Any, _zone: ZoneInfo) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


_TEXT = Values(_plain, _told)
_MOMENT = Values(_moment, _write_moment)
_JSON = Values(_json, _write_json)
VALUES: Mapping[str, Values] = {
    "int": Values(_whole, _told),
    "bigint": Values(_big, _told),
    "float": Values(_number, _write_number),
    "range": Values(_number, _write_number),
    "decimal": Values(_exact, _told),
    "bool": Values(_flag, _write_flag),
    "datetime": _MOMENT,
    "epoch": _MOMENT,
    "duration": Values(_length, _write_length),
    "json": _JSON,
    "yaml": _JSON,
}
