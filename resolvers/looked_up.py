"""The first rows of many owners, looked up for each of them through an index that leads from an owner to its rows.

Numbering all rows of all owners reads them all: of twenty queues every ticket that there ever was, for ten of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from resolvers.draft import Draft
from resolvers.scope import Speech, written
from schema.bindings import ToMany
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Field, Home
from storage.dialects import Expression as Sql

Select: TypeAlias = "sa.Select[Any]"


def can_look_up(speech: Speech, binding: ToMany, owners: Sequence[Any]) -> bool:
    """Answer whether an index finds the rows of each owner. Only PostgreSQL has such joins (LATERAL), and is asked for indexes."""
    relation = binding.relation
    item = binding.target.field_named(relation.by) if relation.by else None
    if relation.through is not None or (isinstance(item, Field) and item.home is not Home.TABLE):
        return False
    name = item.column if isinstance(item, Field) else relation.link_column
    table = speech.catalog.tables.get(binding.target.table)
    column = table.columns.get(name) if table else None
    is_found = column is not None and column.is_indexed and column.type in WHOLE_NUMBERS
    return is_found and len(owners) > 1 and all(isinstance(owner, int) for owner in owners)


class Owners:
    """The owners of one statement as a table, each once."""

    def __init__(self, speech: Speech, owners: Sequence[int]) -> None:
        listed = sa.values(sa.column("v", sa.BigInteger), name=f"t{next(speech.numbers)}").data(
            [(owner,) for owner in owners]
        )
        self.table = sa.select(listed.c.v).distinct().subquery(f"t{next(speech.numbers)}")

    @property
    def value(self) -> Sql:
        """The owner whose rows are looked up."""
        return self.table.c.v

    def pages(self, draft: Draft, by: Sequence[Sql], limit: int) -> Select:
        """Select the rows of each in order, the first ones of all before the second ones."""
        number = sa.func.row_number().over(order_by=list(by)).label("n")
        rows = draft.statement().add_columns(number).order_by(*by).limit(written(limit))
        page = rows.correlate(self.table).lateral("p")
        columns = list(page.c)[:-1]
        return sa.select(*columns).select_from(self.table.join(page, sa.true())).order_by(page.c.n)
