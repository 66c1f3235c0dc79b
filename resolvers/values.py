"""Values on their way out: what a driver returned for a term → what GraphQL's types write."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from resolvers.terms import Term
from schema.kinds import UNKNOWN
from schema.spec import Computed, Field, Option
from storage.values import Converter, reader

VERSION_BYTES = 16


def output(term: Term, zone: tzinfo, *, raw: bool = False) -> Converter | None:
    """Return what turns a stored value (never None) into the API's, or None where nothing needs turning."""
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
    "int": int,
    "bigint": int,
    "duration": int,
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
    key = hashlib.sha256(b"lambdesk version\0" + secret).digest()
    text = json.dumps([type_name, sorted(values.items())], default=_plain, ensure_ascii=True)
    return urlsafe_b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()[:VERSION_BYTES]).decode().rstrip("=")


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
