"""Stored JSON and YAML as JSON can carry it: whatever somebody stored, there is an answer."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

DEPTH_LIMIT = 64
_INT64 = 2**63
_WORDS: Mapping[Any, str] = {True: "true", False: "false", None: "null"}


class TooDeep(ValueError):
    """A value is nested deeper than is answered."""


def plain(value: Any, depth: int = 0) -> Any:
    """Make a value one that every JSON writer takes, or raise ValueError (TooDeep).

    Keys become texts as JSON would write them, whole numbers beyond 64 bits texts, NaN and infinity null, bytes base64,
    halves of surrogate pairs U+FFFD, sets lists, dates ISO texts.
    """
    if depth > DEPTH_LIMIT:
        raise TooDeep(f"The value is nested deeper than {DEPTH_LIMIT} levels.")
    make = _MAKERS.get(type(value))
    return make(value, depth) if make else text(str(value))


def text(value: str) -> str:
    """Replace halves of surrogate pairs, which no encoding can write."""
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(value: int, _: int) -> int | str:
    return value if -_INT64 <= value < _INT64 else str(value)


def _key(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    made = plain(value, depth)
    return made if isinstance(made, str) else str(value)


def _list(values: Any, depth: int) -> list[Any]:
    return [plain(value, depth + 1) for value in values]


_MAKERS: Mapping[type, Callable[[Any, int], Any]] = {
    type(None): lambda value, _: value,
    bool: lambda value, _: value,
    int: _number,
    float: lambda value, _: value if math.isfinite(value) else None,
    str: lambda value, _: text(value),
    dict: lambda value, depth: {_key(key, depth): plain(part, depth + 1) for key, part in value.items()},
    list: _list,
    tuple: _list,
    set: lambda value, depth: sorted(_list(value, depth), key=str),
    bytes: lambda value, _: b64encode(value).decode(),
    **dict.fromkeys((datetime, date, time), lambda value, _: value.isoformat()),
}
