"""The text of a CSV cell → what GraphQL takes as input, by the kind of the field. People's ways of writing are understood."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from resolvers.csv_cells import split_list
from schema.catalog import ColumnClass
from schema.kinds import VALIDITY
from schema.spec import Field

Convert = Callable[[str], Any]

SHOWN_CHARS = 60  # of a refused cell in a message
SHOWN_OPTIONS = 20

_INT = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_WHOLE = re.compile(r"([+-]?[0-9]{1,40})[.,]0+", re.ASCII)  # spreadsheets write 5 as 5.0
_NUMBER = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_COMMA = re.compile(r"[+-]?[0-9]{1,60},[0-9]{1,60}", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", re.ASCII)  # 1,234 is two different numbers in two countries
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?", re.ASCII)
_OFFSET = re.compile(r"(?P<rest>.*[0-9])\s*(?P<offset>[zZ]|[+-][0-9]{2}:?[0-9]{2})")
_DURATION = re.compile(r"-?P[0-9WDTHMS]{2,40}", re.ASCII)
_CLOCK = re.compile(r"(-?)([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)

_YES = frozenset({"true", "yes", "ja", "1", "wahr", "x", "y", "j", "on"})
_NO = frozenset({"false", "no", "nein", "0", "falsch", "n", "off"})

_VALIDITY_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **{name.casefold(): name for name in VALIDITY},
        **{str(number): name for name, number in VALIDITY.items()},
        "invalid-temporarily": "INVALID_TEMPORARILY",
        "gültig": "VALID",
        "ungültig": "INVALID",
        "ungültig-temporär": "INVALID_TEMPORARILY",
    }
)


class NotSuch(ValueError):
    """A text is none of its kind. `key` names the message, `params` what it says beyond the text."""

    def __init__(self, key: str, text: str, /, **params: Any) -> None:
        self.key = key
        shown = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
        self.params: Mapping[str, Any] = {"found": shown, **params}
        super().__init__(key)


def read_int(text: str) -> int:
    """Read a whole number."""
    found = _WHOLE.fullmatch(text)
    digits = found[1] if found else text
    if not _INT.fullmatch(digits):
        raise NotSuch("csv-int", text)
    return int(digits)


def read_decimal(text: str) -> str:
    """Read a number exactly, as the digits that `Decimal` takes. A comma may be the decimal sign where nothing else can be meant."""
    plain = text.replace(",", ".") if _COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text) else text
    if not _NUMBER.fullmatch(plain):
        raise NotSuch("csv-number", text)
    return format(Decimal(plain), "f")


def read_float(text: str) -> float:
    """Read a number."""
    found = float(read_decimal(text))
    if found in (float("inf"), float("-inf")):
        raise NotSuch("csv-number", text)
    return found


def read_bool(text: str) -> bool:
    """Read yes or no, in English, German or digits."""
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise NotSuch("csv-bool", text)


def read_date(text: str) -> str:
    """Read `YYYY-MM-DD` or `DD.MM.YYYY`."""
    try:
        return _date(text).isoformat()
    except ValueError:
        raise NotSuch("csv-date", text) from None


def read_time(text: str) -> str:
    """Read a time of day."""
    try:
        return _time(text).isoformat()
    except ValueError:
        raise NotSuch("csv-time", text) from None


def make_read_moment(zone: tzinfo) -> Convert:
    """Return the reader of moments; one without an offset is in this zone. A date alone is its midnight."""

    def read(text: str) -> str:
        found = _OFFSET.fullmatch(text) if ":" in text else None
        rest = found["rest"] if found else text
        day, _, clock = rest.replace("T", " ").replace("t", " ").replace(", ", " ").partition(" ")
        try:
            moment = datetime.combine(_date(day), _time(clock.strip()) if clock.strip() else time())
            if found is not None:
                offset = found["offset"].upper().replace("Z", "+0000")
                moment = moment.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo)
            else:
                moment = moment.replace(tzinfo=zone)
            utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise NotSuch("csv-datetime", text) from None
        return utc.replace(tzinfo=None).isoformat() + "Z"

    return read


def read_duration(text: str) -> str:
    """Read an ISO 8601 duration, or hours, minutes and seconds as on a clock."""
    if _DURATION.fullmatch(text.upper()):
        return text.upper()
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise NotSuch("csv-duration", text)
    sign, hours, minutes, seconds = found.groups(default="0")
    return f"{sign}PT{int(hours)}H{int(minutes)}M{int(seconds)}S"


def read_json(text: str) -> Any:
    """Read any JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotSuch("csv-json", text) from None


def read_validity(text: str) -> str:
    """Read a validity by its name here or in OTRS, or by its number."""
    found = _VALIDITY_WORDS.get(text.casefold())
    if found is None:
        raise NotSuch("csv-option", text, options=", ".join(VALIDITY))
    return found


def make_read_option(field: Field) -> Convert:
    """Return the reader of a field with options: by the option's name, stored value, or caption in any language."""
    known: dict[str, str] = {}
    for option in field.options:  # captions last: a name or a value is meant where both fit
        for caption in (option.label.text, *option.label.languages.values()):
            known[caption.casefold()] = option.name
    known.update((str(option.value).casefold(), option.name) for option in field.options)
    known.update((option.name.casefold(), option.name) for option in field.options)
    names = [option.name for option in field.options]
    shown = ", ".join(names[:SHOWN_OPTIONS]) + (" …" if len(names) > SHOWN_OPTIONS else "")

    def read(text: str) -> str:
        found = known.get(text.casefold())
        if found is None:
            raise NotSuch("csv-option", text, options=shown)
        return found

    return read


def reader_of(field: Field, zone: tzinfo = UTC) -> Convert:
    """Return what turns the text of a cell (never empty) into the input of a field that is no reference.

    It raises `NotSuch`. Texts are taken as they are; around everything else blanks do not matter.
    """
    if field.kind == "multiselect":
        each = make_read_option(field) if field.options else str
        return lambda text: [each(item.strip()) for item in split_list(text)]
    if field.options:
        return _trimmed(make_read_option(field))
    if field.kind in _PLAIN_KINDS:
        return str
    if field.kind in ("datetime", "epoch"):
        return _trimmed(make_read_moment(zone))
    return _trimmed(_BY_KIND.get(field.kind) or read_stored(field.column_class))


def read_stored(column_class: ColumnClass) -> Convert:
    """Return the reader of a column without a kind that says more: a number where numbers are stored."""
    return _BY_CLASS.get(column_class, str)


def _trimmed(read: Convert) -> Convert:
    return lambda text: read(text.strip())


def _date(text: str) -> date:
    if found := _ISO_DATE.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_FIRST.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    raise ValueError(text)


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute, second, fraction = found.groups(default="0")
    return time(int(hour), int(minute), int(second), int(fraction.ljust(6, "0")))


_PLAIN_KINDS = frozenset({"string", "text", "markdown", "html", "email", "url", "phone", "color", "password", "secret"})

_BY_KIND: Mapping[str, Convert] = MappingProxyType(
    {
        "int": read_int,
        "bigint": read_int,
        "float": read_float,
        "range": read_float,
        "decimal": read_decimal,
        "bool": read_bool,
        "date": read_date,
        "time": read_time,
        "duration": read_duration,
        "json": read_json,
        "yaml": read_json,
        "validity": read_validity,
    }
)

_BY_CLASS: Mapping[ColumnClass, Convert] = MappingProxyType(
    {
        ColumnClass.SMALLINT: read_int,
        ColumnClass.INT: read_int,
        ColumnClass.BIGINT: read_int,
        ColumnClass.FLOAT: read_float,
        ColumnClass.DECIMAL: read_decimal,
        ColumnClass.BOOL: read_bool,
    }
)
