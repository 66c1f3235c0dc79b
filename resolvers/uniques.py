"""Values that must be unique: asked for where the database itself does not keep them apart, and told where it refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from resolvers.checks import fault
from resolvers.draft import Draft
from resolvers.faults import Fault, FaultCode
from resolvers.images import Fetch, Key
from resolvers.predicate import KeyIn, Not
from resolvers.scope import Speech
from resolvers.stored import Binding
from resolvers.terms import Term
from schema.spec import Field, Module


async def find_taken(
    speech: Speech,
    module: Module,
    fields: tuple[Field, ...],
    values: Mapping[str, Any],
    *,
    fetch: Fetch,
    own: Key | None = None,
) -> list[Fault]:
    """Return a fault for each field whose value another row has. `own` is the key of the row itself."""
    found = []
    for item in fields:
        value = values.get(item.name)
        if value is None or not item.is_readable:
            continue
        draft = Draft(speech, module)
        stored = draft.scope.value(Term((), module, item))
        given = Binding(speech.dialect.name, speech.zone).stored(item, value)
        # As the column's collation compares: where the database refuses, it is by that.
        draft.conditions.append(stored == given)
        if own is not None:
            draft.where([Not(KeyIn((), module, (own,)))])
        draft.add(sa.literal_column("1"))
        if await fetch(draft.statement().limit(1)):
            found.append(fault(item, FaultCode.UNIQUE, "unique"))
    return found
