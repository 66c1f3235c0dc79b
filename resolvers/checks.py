"""Whether a given value may be stored: what the kind of the field, its column and the module file say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2

from resolvers.faults import Fault, FaultCode
from schema.catalog import ColumnClass
from schema.kinds import UNKNOWN
from schema.spec import Field, Validation
from storage.errors import BadParameter
from storage.values import bind_text

PASSWORD_BYTES = 1_000
_BITS = {ColumnClass.SMALLINT: 15, ColumnClass.INT: 31, ColumnClass.BIGINT: 63}
_EMAIL_CHARS = 254
_LOOKS: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+"),
    # A scheme that opens a page or a message; `javascript:` and `data:` would run in the reader's browser.
    "url": re.compile(
        r"(?:(?:https?|ftps?|sftp|ssh|file|ldaps?|smb)://[^\s\"<>]+|(?:mailto|tel|sip):[^\s\"<>]+)", re.IGNORECASE
    ),
    "phone": re.compile(r"(?=.*[0-9])[0-9A-Za-z+()/.,;=#*\- ]+"),
    "color": re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[a-z]{3,25}"),
}


def check(field: Field, value: Any) -> Fault | None:
    """Return what is wrong with a value that is not null; the path is the caller's business."""
    make = _CHECKS.get(field.kind)
    return make(field, value) if make else None


def is_empty(field: Field, value: Any) -> bool:
    """Answer whether a required field counts as not given."""
    return (
        value is None or (isinstance(value, str) and not value.strip()) or (field.kind == "multiselect" and not value)
    )


def fault(field: Field, code: FaultCode, key: str, **params: Any) -> Fault:
    """Make a fault about a field."""
    return Fault(code, key, None, {"field": field.label, **params})


def in_range(column_class: ColumnClass, number: float | Decimal) -> bool:
    """Answer whether a whole number fits a column."""
    bits = _BITS.get(column_class, 63)
    return bool(-(2**bits) <= number < 2**bits)


def _invalid(field: Field, key: str, **params: Any) -> Fault:
    return fault(field, FaultCode.INVALID, key, **params)


def _text(field: Field, value: Any) -> Fault | None:
    try:
        bind_text(value)
    except BadParameter:
        return _invalid(field, "invalid")
    choices = field.settings.get("choices")  # of a dynamic field
    if choices and value not in choices:
        return _invalid(field, "option")
    rules = field.validation
    upper = min((size for size in (field.size, rules.max_length) if size), default=None)
    if upper is not None and len(value) > upper:
        return _invalid(field, "too-long", limit=upper, length=len(value))
    if rules.min_length and len(value) < rules.min_length:
        return _invalid(field, "too-short", limit=rules.min_length, length=len(value))
    return _pattern(field, value)


def _pattern(field: Field, value: str) -> Fault | None:
    rules = field.validation
    if rules.pattern is None or _compiled(rules.pattern).search(value):
        return None
    return _invalid(field, "custom", text=rules.message) if rules.message else _invalid(field, "pattern")


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)


def _looks(field: Field, value: Any) -> Fault | None:
    """Check the form of an address or colour; an empty text is no value."""
    if value and not (_LOOKS[field.kind].fullmatch(value) and (field.kind != "email" or len(value) <= _EMAIL_CHARS)):
        return _invalid(field, field.kind)
    return _text(field, value)


def _number(field: Field, value: Any) -> Fault | None:
    if field.column_class is ColumnClass.BOOL and value not in (0, 1):
        return _invalid(field, "out-of-range")
    is_whole = field.column_class in _BITS
    if is_whole and not in_range(field.column_class, value):
        return _invalid(field, "out-of-range")
    if is_whole and isinstance(value, Decimal | float) and value != int(value):
        return _invalid(field, "invalid")
    return _bounds(field, field.validation, value)


def _seconds(field: Field, value: Any) -> Fault | None:
    """Check a moment that is kept as seconds: 0 and what is before it mean none."""
    bits = _BITS.get(field.column_class, 63)
    return None if 0 < value.timestamp() < 2**bits else _invalid(field, "out-of-range")


def _bounds(field: Field, rules: Validation, value: Any) -> Fault | None:
    if rules.min is not None and value < rules.min:
        return _invalid(field, "too-small", limit=_plain(rules.min))
    if rules.max is not None and value > rules.max:
        return _invalid(field, "too-large", limit=_plain(rules.max))
    return None


def _plain(limit: float) -> str:
    return f"{limit:g}"


def _option(field: Field, value: Any) -> Fault | None:
    if not field.options:
        return _text(field, value) if isinstance(value, str) else None
    wanted = value if isinstance(value, list) else [value]
    options = [option.value for option in field.options]
    # UNKNOWN is how a value that is none of them reads; it is nothing to store.
    return None if all(item in options and item != UNKNOWN for item in wanted) else _invalid(field, "option")


def _texts(field: Field, value: Any) -> Fault | None:
    if field.options:
        return _option(field, value)
    return next((found for item in value if (found := _text(field, item))), None)


def _password(field: Field, value: Any) -> Fault | None:
    """Passwords are stored hashed, so the column's size is not theirs."""
    text = unicodedata.normalize("NFC", value)
    if "\x00" in text or not text:
        return _invalid(field, "invalid")
    if len(text.encode()) > PASSWORD_BYTES:
        return _invalid(field, "too-long", limit=PASSWORD_BYTES, length=len(text))
    rules = field.validation
    if rules.min_length and len(text) < rules.min_length:
        return _invalid(field, "too-short", limit=rules.min_length, length=len(text))
    return _pattern(field, text)


_CHECKS: Mapping[str, Callable[[Field, Any], Fault | None]] = {
    **dict.fromkeys(("string", "text", "markdown", "html", "secret"), _text),
    **dict.fromkeys(("email", "url", "phone", "color"), _looks),
    **dict.fromkeys(("int", "bigint", "float", "decimal", "range", "duration"), _number),
    **dict.fromkeys(("select", "radio"), _option),
    "multiselect": _texts,
    "password": _password,
    "epoch": _seconds,
}
