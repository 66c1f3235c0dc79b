"""The keys of a page's rows found first, and the rows read by them.

MariaDB reads whole rows and joins what is selected to them before it sorts: thirty thousand open tickets for the newest 26 of them.
What only finds keys asks an index alone, where one has all that is asked for, and nothing is joined but to the rows of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.draft import Draft
from resolvers.predicate import Predicate
from resolvers.scope import Speech
from resolvers.templates import form_of
from resolvers.terms import key_terms
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Module
from storage.dialects import Expression as Sql


def finds_keys_first(speech: Speech, module: Module, where: Sequence[Predicate]) -> bool:
    """Answer whether a list is read so: where something is asked of its rows, and the database itself keeps keys apart.

    Not where the statement is made anew each time: making two in one takes longer than most lists do.
    """
    if not where or not speech.dialect.finds_keys_first or form_of(where) is None:
        return False
    table = speech.catalog.tables.get(module.table)
    if table is None or len(table.key) != 1 or table.key != module.key_columns:
        return False
    return table.columns[table.key[0]].type in WHOLE_NUMBERS


def read_by_keys(draft: Draft, found: Draft, by: Sequence[Sql], limit: int, offset: int) -> None:
    """Let a draft read the rows that another one over the same table finds: so many, in this order."""
    (key,) = key_terms(draft.scope.module)
    position = found.column(key)
    statement = found.statement().order_by(*by).limit(limit)
    statement = statement.offset(offset) if offset else statement
    keys = statement.subquery(f"t{next(draft.speech.numbers)}")
    draft.scope.read(keys, list(keys.c)[position] == draft.scope.value(key))
