"""One statement for many of the same text: each is a branch with its number before its columns, and keeps its own order."""

from __future__ import annotations

import re
from functools import lru_cache

BRANCHES_LIMIT = 500  # of SQLite's compound statements
VALUES_LIMIT = 30_000  # of one statement; SQLite takes 32,766, PostgreSQL 32,767
TEXTS_KEPT = 200

_HEAD = "SELECT "
_LIMITED = re.compile(r"\bLIMIT\b[^()]*$")
# What is quoted, which is passed over, and the places of values as PostgreSQL's driver numbers them.
_PLACES = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|\$([0-9]+)""")
# Without a limit the two drop the order of what stands in brackets.
_ALL_ROWS = {"sqlite": " LIMIT -1", "mysql": " LIMIT 18446744073709551615"}


def can_unite(text: str, values: int, count: int) -> bool:
    """Answer whether so many statements with this text, each with so many values, can be one."""
    is_plain = text.startswith(_HEAD) and not text.startswith(f"{_HEAD}DISTINCT")
    return is_plain and count <= BRANCHES_LIMIT and values * count <= VALUES_LIMIT


@lru_cache(maxsize=TEXTS_KEPT)
def unite(text: str, values: int, count: int, dialect: str) -> str:
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
