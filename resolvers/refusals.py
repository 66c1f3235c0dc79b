"""What the database refused, said of the fields that it is about, without the names of its constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resolvers.faults import Fault, FaultCode
from resolvers.images import Fetch
from resolvers.lookups import resolve
from resolvers.statements import Statements
from resolvers.taken import Row, mark_taken, unique_keys
from schema.spec import Module
from schema.writes import Deed
from storage.errors import ConstraintViolated

_CONSTRAINTS: Mapping[str, tuple[FaultCode, str]] = {"foreign_key": (FaultCode.REFERENCE, "reference-row")}
_REMOVING = frozenset({Deed.DELETE, Deed.DELETE_MANY})


async def diagnose(
    statements: Statements,
    module: Module,
    rows: Sequence[Row],
    error: ConstraintViolated,
    *,
    deed: Deed,
    fetch: Fetch,
) -> list[Fault]:
    """Say which field a constraint of the database is about. Rows come with their own keys, where they are there already."""
    if error.kind == "foreign_key" and deed in _REMOVING:
        return [Fault(FaultCode.REFERENCE, "referenced", ("key",) if deed is Deed.DELETE else None)]
    path = rows[0][0].path if len(rows) == 1 else None
    if error.kind == "unique":
        asked = [(given.copy(), own) for given, own in rows]
        speech = statements.speech()
        await resolve(fetch, statements, [given for given, _ in asked])
        await mark_taken(fetch, speech, module, unique_keys(module, statements.catalog), asked)
        return [fault for given, _ in asked for fault in given.faults] or [Fault(FaultCode.UNIQUE, "unique-row", path)]
    code, key = _CONSTRAINTS.get(error.kind, (FaultCode.INVALID, "invalid-row"))
    return [Fault(code, key, path)]
