"""Many questions with one text as one statement, whose first column is the number of the question.

Each is a branch of a UNION ALL. PostgreSQL plans every branch anew, which takes it twenty times as long as running them; there
the text stands once, beside a list of the questions' values (LATERAL, which MariaDB and SQLite do not have).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from resolvers.sql_kinds import TEXT_LIMIT, Kind
from storage.direct import Ready

# A column of the result by which the answer is sorted, and how.
Sorted = tuple[str, str]

_MARK = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\$(?P<number>\d+)""")
_TYPES: Mapping[Kind, str] = {
    **dict.fromkeys((Kind.WHOLE, Kind.LIMIT), "BIGINT"),
    **dict.fromkeys((Kind.TEXT, Kind.WORD, Kind.DAY, Kind.PATTERN), "TEXT"),
    Kind.NUMBER: "DOUBLE PRECISION",
    Kind.MOMENT: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What questions with one text have in common: the kinds of their columns and how they are sorted.

    `own` are the places in the statement whose values differ from question to question, and their kinds; None where nobody knows.
    """

    dialect: str
    kinds: tuple[Kind, ...]
    sorts: tuple[Sorted, ...]
    own: Mapping[int, Kind] | None

    @property
    def names(self) -> list[str]:
        """The columns of the result as the statement calls them."""
        return [f"c{number}" for number in range(len(self.kinds))]

    @property
    def all_names(self) -> list[str]:
        """Those, and what the result is sorted by beside them."""
        names = self.names
        return [*names, *dict.fromkeys(name for name, _ in self.sorts if name not in names)]


def put_together(readies: Sequence[Ready], shape: Shape) -> Ready:
    """Make one statement of several."""
    lateral = shape.dialect == "postgresql" and shape.own is not None and len(readies) > 1
    source, values = (_beside_values if lateral else _in_branches)(readies, shape)
    order = ", ".join(["u.q", *(_order(name, direction, shape.dialect) for name, direction in shape.sorts)])
    shown = ", ".join(["u.q", *(_shown(name, kind) for name, kind in zip(shape.names, shape.kinds, strict=True))])
    # Here and below: texts that SQLAlchemy wrote, and names that stand in this file.
    return Ready(f"SELECT {shown} FROM ({source}) AS u ORDER BY {order}", tuple(values), shows=True)  # noqa: S608


def _in_branches(readies: Sequence[Ready], shape: Shape) -> tuple[str, list[object]]:
    columns = ", ".join(f"b.{name} AS {name}" for name in shape.all_names)
    numbers = count(1)
    branches = []
    for number, ready in enumerate(readies):
        text = ready.text
        if shape.dialect == "postgresql":
            marks = [f"${next(numbers)}" for _ in ready.values]
            text = _with_marks(text, marks)
        branches.append(f"SELECT {number} AS q, {columns} FROM ({text}) AS b")  # noqa: S608
    return " UNION ALL ".join(branches), [value for ready in readies for value in ready.values]


def _beside_values(readies: Sequence[Ready], shape: Shape) -> tuple[str, list[object]]:
    own = shape.own or {}
    values: list[object] = []

    def mark(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    first = readies[0]
    marks = [f"v.v{place}" if place in own else mark(value) for place, value in enumerate(first.values)]
    rows = [
        ", ".join([str(number), *(f"{mark(ready.values[place])}::{_TYPES[kind]}" for place, kind in own.items())])
        for number, ready in enumerate(readies)
    ]
    listed, named = ", ".join(f"({row})" for row in rows), ", ".join(["q", *(f"v{place}" for place in own)])
    columns = ", ".join(f"b.{name} AS {name}" for name in shape.all_names)
    text = _with_marks(first.text, marks)
    return f"SELECT v.q AS q, {columns} FROM (VALUES {listed}) AS v({named}) CROSS JOIN LATERAL ({text}) AS b", values  # noqa: S608


def _with_marks(text: str, marks: Sequence[str]) -> str:
    """Put other marks in place of PostgreSQL's `$1`; what stands between quotes stays."""
    return _MARK.sub(lambda found: marks[int(found["number"]) - 1] if found["number"] else found[0], text)


def _shown(name: str, kind: Kind) -> str:
    return f"SUBSTR(u.{name}, 1, {TEXT_LIMIT + 1})" if kind is Kind.TEXT else f"u.{name}"


def _order(name: str, direction: str, dialect: str) -> str:
    """Sort as `Dialect.order` says it, by a column of the whole."""
    word, _, last = direction.partition("_")
    if dialect == "postgresql":
        return f"u.{name} {word} NULLS {'LAST' if last else 'FIRST'}"
    return f"u.{name} IS NULL {'ASC' if last else 'DESC'}, u.{name} {word}"
