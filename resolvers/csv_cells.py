"""A value as the text of a CSV cell and back to text: lists, JSON, and what a spreadsheet would take for a formula."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

SEPARATOR = ";"  # between the values of a list in one cell
UNREADABLE = "#ERROR"  # a cell whose value could not be read; no kind takes it back in

# What spreadsheets take for the beginning of a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_RISKY = re.compile(f"'*[{_FORMULA}]")
_GUARDED = re.compile(f"'+[{_FORMULA}]")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
# Also what other readers than ours separate cells by, and blanks that they would take away.
_QUOTED = re.compile('[,;|\t\r\n"]|^ | $')


def write_cell(value: Any, *, as_json: bool = False) -> str:
    """Write an API value as the text of a cell; null is empty. `as_json` is for fields that hold any JSON."""
    if value is None:
        return ""
    if as_json:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return SEPARATOR.join(_escape(write_cell(item)) for item in value)
    return str(value)


def guard(text: str) -> str:
    """Return the cell with an apostrophe before what a spreadsheet would compute; negative numbers stay numbers."""
    return f"'{text}" if _RISKY.match(text) and not _NUMBER.fullmatch(text) else text


def unguard(text: str) -> str:
    """Take the apostrophe of `guard` away again."""
    return text[1:] if _GUARDED.match(text) else text


def write_row(cells: Iterable[str]) -> str:
    """Write guarded cells as one line by RFC 4180. A row of one empty cell is no empty line."""
    return (",".join(map(_quote, cells)) or '""') + "\r\n"


def split_list(text: str) -> Sequence[str]:
    """Take the text of a list apart: `;` separates, a backslash keeps the next letter from doing so."""
    items: list[str] = []
    current: list[str] = []
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            current.append(next(letters, letter))
        elif letter == SEPARATOR:
            items.append("".join(current))
            current = []
        else:
            current.append(letter)
    items.append("".join(current))
    return items


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(SEPARATOR, f"\\{SEPARATOR}")


def _quote(cell: str) -> str:
    text = guard(cell)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
