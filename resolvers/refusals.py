"""What the database refused, said of the fields that it is about, without the names of its constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resolvers.assignments import Given
from resolvers.faults import Fault, FaultCode
from resolvers.images import Fetch
from resolvers.lookups import resolve
from resolvers.statements import Statements
from resolvers.taken import mark_taken, unique_keys
from schema.spec import Module
from schema.writes import Deed
from storage.errors import ConstraintViolated

_CONSTRAINTS: Mapping[str, tuple[FaultCode, str]] = {"foreign_key": (FaultCode.REFERENCE, "reference-row")}
_REMOVING = frozenset({Deed.DELETE, Deed.DELETE_MANY})


async def diagnose(
    statements: Statements,
    module: Module,
    rows: Sequence[Given],
    error: ConstraintViolated,
    *,
    deed: Deed,
    fetch: Fetch,
) -> list[Fault]:
    """Say which field a constraint of the database is about."""
    if error.kind == "foreign_key" and deed in _REMOVING:
        return [Fault(FaultCode.REFERENCE, "referenced", ("key",) if deed is Deed.DELETE else None)]
    if error.kind == "unique":
        speech = statements.speech()
        copies = [given.copy() for given in rows]
        await resolve(fetch, speech, copies)
        await mark_taken(
            fetch, speech, module, unique_keys(module, statements.catalog), [(row, None) for row in copies]
        )
        faults = [fault for given in copies for fault in given.faults]
        return faults or [Fault(FaultCode.UNIQUE, "unique-row", _only_path(rows))]
    code, key = _CONSTRAINTS.get(error.kind, (FaultCode.INVALID, "invalid-row"))
    return [Fault(code, key, _only_path(rows))]


def _only_path(rows: Sequence[Given]) -> tuple[str, ...] | None:
    return rows[0].path if len(rows) == 1 else None
