"""Values written as YAML on one line: plain where that means the same, quoted where it would not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from schema.tree import UNSAFE_CHARACTER

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _./-]*[A-Za-z0-9_./-]|[A-Za-z]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_SHORT = {"\n": "\\n", "\t": "\\t"}

Written = str | int | float | bool | None | Sequence["Written"] | Mapping[str, "Written"]


def text(value: str) -> str:
    """Write a text."""
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else quoted(value)


def quoted(value: str) -> str:
    """Write a text in double quotes; what hides or steers in it becomes a space."""
    return exact(UNSAFE_CHARACTER.sub(" ", value))


def exact(value: str) -> str:
    """Write a text in double quotes, every character of it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else _escape(char) for char in escaped) + '"'


def _escape(char: str) -> str:
    return _SHORT.get(char) or f"\\U{ord(char):08X}"


def flow(value: Written) -> str:
    """Write any value on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{text(key)}: {flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(flow, value)) + "]"


def block(item: Mapping[str, Written], indent: int) -> str:
    """Write an item of a list, each of its keys on a line of its own."""
    lines = [f"{text(key)}: {flow(value)}" for key, value in item.items()]
    pad = " " * indent
    return f"{pad}- " + f"\n{pad}  ".join(lines) + "\n"
