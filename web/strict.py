"""JSON that reads in one way only: UTF-8, no key twice in an object, no number or text that some reader would change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

BOM = b"\xef\xbb\xbf"
NOT_JSON = "is not JSON in UTF-8"
TWICE = "names a key twice in one object"
DEEP = "nests too deeply"
# What orjson's messages hold where the text is JSON by its grammar and still cannot be read, and how we say it.
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "number is infinity": "holds a number that is too large",
        "surrogate in string": "holds half of a surrogate pair, which is no character",
        "depth limit exceeded": DEEP,
    }
)


class NotStrict(ValueError):
    """A text is not JSON that reads in one way only; the message ends a sentence about it."""


def loads(text: bytes) -> Any:
    """Read strict JSON. Raises `NotStrict`."""
    try:
        found = orjson.loads(text.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        raise NotStrict(next((told for words, told in _REASONS.items() if words in error.msg), NOT_JSON)) from None
    if _is_as_written(found, text):
        return found
    # orjson keeps the last of two equal keys, however they are escaped; which one a proxy before us looked at is
    # anybody's guess. The second reading makes no values.
    try:
        _KEYS.decode(text.removeprefix(BOM).decode())
    except RecursionError:
        raise NotStrict(DEEP) from None
    return found


def _is_as_written(found: Any, text: bytes) -> bool:
    """Tell whether a text is what orjson would write, as that of browsers is: then it names no key twice."""
    try:
        return orjson.dumps(found) == text
    except TypeError:  # nested more deeply than it writes
        return False


def _check_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotStrict(TWICE)


_KEYS = json.JSONDecoder(object_pairs_hook=_check_keys, parse_int=str, parse_float=str)
