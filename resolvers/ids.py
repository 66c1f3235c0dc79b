"""Global ids: opaque texts that hold a type and a key. What cannot be read names no row, and says nothing about why."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.spec import Module

LENGTH_LIMIT_CHARS = 2_000
KEPT = 20_000  # ids: the same queues and owners stand in every list
KEPT_LETTERS = 200  # of a text that is a key
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A row of a module."""

    module: Module
    key: tuple[int | str, ...]


def write_id(module: Module, key: Sequence[Any]) -> str:
    """Make the global id of a row from the values of its key columns, as the driver returns them."""
    values = [_plain(value, kind) for value, kind in zip(key, module.key_classes, strict=True)]
    return _encode(module.type_name, values)


def id_writer(module: Module) -> Callable[[Any], str]:
    """Return what makes global ids of a module whose key is one column, as `write_id` does."""
    name, kind = module.type_name, module.key_classes[0]
    if kind in WHOLE_NUMBERS:
        return lambda value: _id_of(name, int(value))

    def write(value: Any) -> str:
        text = str(_plain(value, kind))
        return _id_of(name, text) if len(text) <= KEPT_LETTERS else _encode(name, [text])

    return write


def read_id(text: str, modules: Mapping[str, Module]) -> GlobalId | None:
    """Return what a global id names, or None: not written by us, an unknown type, another kind of key."""
    parts = _decode(text)
    if not parts or not isinstance(parts[0], str):
        return None
    module = modules.get(parts[0])
    key = tuple(parts[1:])
    if module is None or not module.has_id or len(key) != len(module.key_columns):
        return None
    if not all(_fits(value, kind) for value, kind in zip(key, module.key_classes, strict=True)):
        return None
    # One row, one id: other spellings of the same JSON or base64 are not ours.
    return GlobalId(module, key) if _encode(module.type_name, list(key)) == text else None


def key_of(module: Module, values: Sequence[Any]) -> tuple[int | str, ...]:
    """Return the values of key columns, as the driver returns them, in the form that a `GlobalId` holds."""
    return tuple(_plain(value, kind) for value, kind in zip(values, module.key_classes, strict=True))


@lru_cache(KEPT)
def _id_of(type_name: str, value: int | str) -> str:
    return _encode(type_name, [value])


def _encode(type_name: str, values: list[int | str]) -> str:
    text = json.dumps([type_name, *values], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _decode(text: str) -> list[Any] | None:
    if len(text) > LENGTH_LIMIT_CHARS or not text.isascii():
        return None
    try:
        found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return found if isinstance(found, list) else None


def _plain(value: Any, kind: ColumnClass) -> int | str:
    if kind in WHOLE_NUMBERS:
        return int(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _fits(value: Any, kind: ColumnClass) -> bool:
    if kind in WHOLE_NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64
    return isinstance(value, str) and "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
