"""Values on their way out: what a driver returned for a term → what GraphQL's types write."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from resolvers.errors import OperationError
from resolvers.terms import Term
from schema.kinds import COMPUTED_SCALARS, KINDS, UNKNOWN, VALIDITY
from schema.spec import Computed, Field, Home, Option
from storage.values import UNREADABLE, Converter, read_sum, reader

VERSION_BYTES = 16

# What a column that is NOT NULL answers where its value cannot be read. Null would take the row away, and with it the
# whole list; these are the earliest moments and the numbers that MariaDB and SQLite themselves make of such values.
_PLACEHOLDERS: Mapping[str, Any] = {
    "datetime": datetime.min.replace(tzinfo=UTC),
    "date": date.min,
    "time": time.min,
    "int": 0,
    "bigint": 0,
    "duration": 0,
    "float": 0.0,
    "range": 0.0,
    "decimal": Decimal(0),
    "validity": VALIDITY["INVALID"],  # of a validity that OTRS does not have, only this is safe to say
}

log = logging.getLogger("lambdesk.resolvers")


class Unreadable(OperationError):
    """A stored value is none of its kind: a zero date, a word in a number."""

    def __init__(self, kind: str) -> None:
        known = KINDS.get(kind)
        scalar = (known.scalar if known else COMPUTED_SCALARS.get(kind)) or kind
        super().__init__(f"The stored value cannot be read as {scalar}.")


def output(term: Term, zone: tzinfo, *, raw: bool = False) -> Converter | None:
    """Return what turns a stored value (never None) into the API's, or None where nothing needs turning.

    What cannot be read becomes `Unreadable`, returned: the error of one field of one row.
    """
    convert = _output(term, zone, raw=raw)
    return convert and _careful(term, convert)


def stored(term: Term, zone: tzinfo) -> Converter | None:
    """Return the same for the API's value with the stored value in the place of an option: what lambdas are given."""
    convert = reader(term.kind, term.column_class, zone)
    return convert and _careful(term, convert)


def _careful(term: Term, convert: Converter) -> Converter:
    def read(value: Any) -> Any:
        try:
            return convert(value)
        except UNREADABLE:
            return Unreadable(term.kind)

    return read


def certain(term: Term, convert: Converter) -> Converter:
    """Answer a placeholder for what cannot be read in a column that is NOT NULL, whose field is never null."""
    placeholder = _PLACEHOLDERS.get(term.kind)
    item = term.item
    if placeholder is None or not isinstance(item, Field) or item.home is not Home.TABLE or item.nullable:
        return convert
    told = False

    def read(value: Any) -> Any:
        nonlocal told
        found = convert(value)
        if not isinstance(found, Unreadable):
            return found
        if not told:
            told = True
            log.warning("a value of %s.%s cannot be read; %s is answered", term.module.name, item.name, placeholder)
        return placeholder

    return read


def _output(term: Term, zone: tzinfo, *, raw: bool) -> Converter | None:
    kind = "reference" if raw else term.kind
    read = reader(kind, term.column_class, zone)
    if isinstance(term.item, Computed):
        return _COMPUTED.get(term.kind, read)
    if isinstance(term.item, Field) and term.item.options and not raw:
        pick = _pick(term.item.options)
        return _each(pick, read) if term.kind == "multiselect" else _chain(read, pick)
    return read


def several(term: Term) -> Converter:
    """Return what turns the texts of a field with several values, which stand in rows of their own, into the API's."""
    options = term.item.options if isinstance(term.item, Field) else ()
    return _each(_pick(options), None) if options else list


def _pick(options: Sequence[Option]) -> Converter:
    """Numbers and their digits are the same option, whatever the column's type is."""
    known = {str(option.value): option.value for option in options}
    return lambda value: known.get(str(value), UNKNOWN)


def _chain(first: Converter | None, second: Converter) -> Converter:
    return second if first is None else lambda value: second(first(value))


def _each(pick: Converter, read: Converter | None) -> Converter:
    return lambda value: [pick(item) for item in (read(value) if read else value)]


def _badge(value: Any) -> Mapping[str, Any]:
    return {"text": str(value), "tone": None}


# What SQL expressions give, by the kind of the computed field; the rest as a column of that kind.
_COMPUTED: Mapping[str, Converter] = {"badge": _badge}


# --- sums ---

_SUMMED: Mapping[str, Callable[[Any], Any]] = {
    "int": read_sum,
    "bigint": read_sum,
    "duration": read_sum,
    "float": float,
    "range": float,
}


def summed(function: str, term: Term, zone: tzinfo) -> Converter:
    """Return what turns the result of an aggregate function into the API's value."""
    if function in ("avg", "sum") and term.kind == "decimal":
        return _exact
    if function == "avg":
        return float
    if function == "sum":
        return _SUMMED.get(term.kind) or output(term, zone) or _same
    return output(term, zone) or _same


def _exact(value: Any) -> Decimal:
    """SQLite sums decimals up as floats: what is beyond their precision is noise. Means are cut to six places."""
    number = Decimal(format(value, ".15g")) if isinstance(value, float) else Decimal(value)
    return round(number, 6).normalize() + 0


def _same(value: Any) -> Any:
    return value


# --- versions ---


def version_of(secret: bytes, type_name: str, values: Mapping[str, Any]) -> str:
    """Make a row's version from the API values of what the caller may read; the same in every process."""
    try:
        text = orjson.dumps([type_name, values], default=_plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # halves of surrogate pairs and numbers beyond 64 bits
        text = _dump([type_name, sorted(values.items())]).encode()
    signed = hmac.digest(_version_key(secret), text, "sha256")
    return urlsafe_b64encode(signed[:VERSION_BYTES]).decode().rstrip("=")


@lru_cache(maxsize=4)
def _version_key(secret: bytes) -> bytes:
    return hashlib.sha256(b"lambdesk version\0" + secret).digest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


_dump = json.JSONEncoder(default=_plain, ensure_ascii=True).encode  # made once: `json.dumps` makes one at each call
