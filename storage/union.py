"""One statement for many of the same text: each is a branch with its number before its columns, and keeps its own order.

PostgreSQL plans a statement once for all rows of the values in which branches differ; the others are given one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from storage.direct import Ready

BRANCHES_LIMIT = 500  # of SQLite's compound statements
VALUES_LIMIT = 30_000  # of one statement; SQLite takes 32,766, PostgreSQL 32,767
TEXTS_KEPT = 200

_HEAD = "SELECT "
_LIMITED = re.compile(r"\bLIMIT\b[^()]*$")
# What is quoted, which is passed over, and the places of values as PostgreSQL's driver numbers them.
_PLACES = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|\$([0-9]+)""")
# Without a limit the two drop the order of what stands in brackets.
_ALL_ROWS = {"sqlite": " LIMIT -1", "mysql": " LIMIT 18446744073709551615"}


# The types of the values in which branches may differ, as SQLAlchemy writes them behind their places.
_TYPED = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|\$([0-9]+)(::(?:VARCHAR|TEXT|INTEGER|BIGINT|SMALLINT)(?![0-9A-Za-z_(\[]))?"""
)


def unite(text: str, branches: Sequence[Sequence[Any]], dialect: str) -> Ready | None:
    """Make one statement of several with this text, by the values of each; None where that cannot be.

    A row begins with the number of its branch.
    """
    width, count = len(branches[0]), len(branches)
    if dialect == "postgresql":
        first, *others = branches
        differing = tuple(n for n in range(width) if any(branch[n] != first[n] for branch in others))
        joined = _joined(text, differing, width, count)
        if joined is not None and width + count * len(differing) <= VALUES_LIMIT:
            same = [value for n, value in enumerate(first) if n not in differing]
            return Ready(joined, (*same, *(branch[n] for branch in branches for n in differing)), shows=True)
    if not can_unite(text, width, count):
        return None
    return Ready(_united(text, width, count, dialect), tuple(v for branch in branches for v in branch), shows=True)


@lru_cache(maxsize=TEXTS_KEPT)
def _joined(text: str, differing: tuple[int, ...], width: int, count: int) -> str | None:
    """Write the statement as one that is made for each row of values; None where the type of one is not known."""
    same = [n for n in range(width) if n not in differing]
    types: dict[int, str] = {}

    def place(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        number, type_ = int(found[2]) - 1, found[3] or ""
        if number not in differing:
            return f"${same.index(number) + 1}{type_}"
        types[number] = type_ if types.get(number, type_) == type_ else ""
        return f"given.v{number}"

    inner = _TYPED.sub(place, text)
    if not differing or not all(types.get(number) for number in differing):
        return None
    rows = (
        f"({row}, {', '.join(f'${len(same) + row * len(differing) + at + 1}{types[n]}' for at, n in enumerate(differing))})"
        for row in range(count)
    )
    names = ", ".join(f"v{number}" for number in differing)
    return f"SELECT given.branch, found.* FROM (VALUES {', '.join(rows)}) AS given (branch, {names}) CROSS JOIN LATERAL ({inner}) AS found"  # noqa: S608 - our own words


def can_unite(text: str, values: int, count: int) -> bool:
    """Answer whether so many statements with this text, each with so many values, can be one."""
    is_plain = text.startswith(_HEAD) and not text.startswith(f"{_HEAD}DISTINCT")
    return is_plain and count <= BRANCHES_LIMIT and values * count <= VALUES_LIMIT


@lru_cache(maxsize=TEXTS_KEPT)
def _united(text: str, values: int, count: int, dialect: str) -> str:
    """Write the statement for so many branches; its values are those of the branches one after the other."""
    if dialect in _ALL_ROWS and not _LIMITED.search(text):
        text += _ALL_ROWS[dialect]
    form = "SELECT * FROM ({})" if dialect == "sqlite" else "({})"
    branches = (_branch(text, number, values, dialect) for number in range(count))
    return " UNION ALL ".join(form.format(branch) for branch in branches)


def _branch(text: str, number: int, values: int, dialect: str) -> str:
    numbered = f"{_HEAD}{number} AS branch, {text.removeprefix(_HEAD)}"
    if dialect != "postgresql":
        return numbered
    first = number * values
    return _PLACES.sub(lambda found: found[1] or f"${int(found[2]) + first}", numbered)
