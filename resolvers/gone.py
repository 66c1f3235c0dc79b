"""Rows that are gone: which of them the caller could see while they were there. Of their past he sees no more than of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from resolvers.draft import Draft
from resolvers.ghosts import ghosts
from resolvers.ids import key_of
from resolvers.images import Fetch, Key
from resolvers.statements import Statements
from resolvers.terms import key_terms
from schema.spec import Module

ROWS_AT_ONCE = 50  # ghosts of one statement, each with all its columns


async def seen_before(
    statements: Statements, fetch: Fetch, module: Module, gone: Mapping[Key, Mapping[str, Sequence[Any]]]
) -> set[Key]:
    """Return which rows the caller could see before they were removed; each comes with the fields of that change."""
    if not statements.guard.access.is_bounded(module):
        return set(gone)
    found: set[Key] = set()
    keys = list(gone)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        speech = statements.speech()
        base = ghosts(speech, module, {key: gone[key] for key in keys[start : start + ROWS_AT_ONCE]})
        draft = Draft(replace(speech, guard=statements.guard.of_gone(base)), module, base)
        for term in key_terms(module):
            draft.column(term)
        found |= {key_of(module, row) for row in await fetch(draft.statement())}
    return found
