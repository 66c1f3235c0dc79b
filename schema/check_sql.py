"""Which lambdas ask the database in SQL, as files of GOTRS do: an operator has to allow that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schema.javascript import find_calls
from schema.problems import Level, Place, Problem
from schema.spec import Code

_HELPERS = {"db": frozenset({"query", "queryRow"})}


def check_sql(codes: Iterable[tuple[str, Code]], setting: str) -> Iterator[Problem]:
    """Yield a warning for every call of `db` in lambdas, which are given with their names. `setting` allows them."""
    for name, code in codes:
        lines = code.source.split("\n")
        for call in find_calls(code.source, _HELPERS):
            place = Place(code.place.file, code.place.line + call.line - 1, code.place.column + call.column - 1)
            yield Problem(
                "sql-off",
                f"Lambda `{name}` calls {call.name}(), which has no answer here: SQL in lambdas is off.",
                place,
                f"Set {setting}=1, or ask with gql().",
                excerpt=" " * (code.place.column - 1) + lines[call.line - 1],
                level=Level.WARNING,
            )
