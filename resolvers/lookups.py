"""Rows that references are to point at, found by their keys: many in one statement, inside the transaction that writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from resolvers.assignments import Lookup
from resolvers.draft import Draft
from resolvers.scope import Speech
from resolvers.terms import Term, joined_column
from storage.engine import Transaction

LOOKUPS_AT_ONCE = 50  # scalar subqueries of one statement


async def look_up(transaction: Transaction, speech: Speech, lookups: Sequence[Lookup]) -> list[Any]:
    """Return for each lookup the value that its reference stores, or None where there is no such row."""
    found: list[Any] = []
    for start in range(0, len(lookups), LOOKUPS_AT_ONCE):
        wanted = [_value(speech, item) for item in lookups[start : start + LOOKUPS_AT_ONCE]]
        columns = [value.label(f"r{number}") for number, value in enumerate(wanted)]
        rows = await transaction.execute(sa.select(*columns))
        found += rows[0]
    return found


def _value(speech: Speech, lookup: Lookup) -> sa.ScalarSelect[Any]:
    draft = Draft(speech, lookup.target)
    draft.column(Term((), lookup.target, joined_column(lookup.hop)))
    draft.where([lookup.where])
    return draft.statement().limit(1).scalar_subquery()
