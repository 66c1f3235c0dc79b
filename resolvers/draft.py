"""A statement in the making: its tables, and its columns, each once and found again by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from resolvers.conditions import condition
from resolvers.predicate import Predicate
from resolvers.scope import Scope, Speech
from resolvers.terms import Term
from schema.spec import Module
from storage.dialects import Expression as Sql


class Draft:
    """The columns and conditions of one statement over a module's rows."""

    def __init__(self, speech: Speech, module: Module, base: FromClause | None = None) -> None:
        self.speech = speech
        self.scope = Scope(speech, module, base)
        self.columns: list[sa.Label[Any]] = []
        self.conditions: list[Sql] = []
        self._positions: dict[tuple[str, ...], int] = {}

    def column(self, term: Term) -> int:
        """Select a term as it is stored and return its position; the same term is selected once."""
        found = self._positions.get(term.key)
        if found is None:
            found = self._positions[term.key] = self.add(self.scope.value(term))
        return found

    def add(self, value: Sql) -> int:
        """Select an expression and return its position."""
        self.columns.append(value.label(f"c{len(self.columns)}"))
        return len(self.columns) - 1

    @property
    def width(self) -> int:
        """How many values a row has."""
        return max(len(self.columns), 1)

    def where(self, predicates: Sequence[Predicate]) -> None:
        """Keep rows for which all of these hold."""
        self.conditions += [condition(self.scope, predicate) for predicate in predicates]

    def statement(self) -> sa.Select[Any]:
        """Return the statement without order and limit. A count needs no column, a statement must have one."""
        columns = self.columns or [sa.literal_column("1").label("c0")]
        return self.scope.select(*columns).where(*self.conditions)
