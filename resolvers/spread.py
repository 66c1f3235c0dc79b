"""The same statement for many values of its keys at once: keys are columns that it compares with one value each.

`tickets(filter: {queue: {databaseId: {eq: $q}}})` for fifty queues is one page of each of them, as the pages of a relation are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from resolvers.draft import Draft
from resolvers.nodes import AggregateNode, ListNode, RowNode
from resolvers.predicate import All, Compare, KeyIn, Predicate
from resolvers.scope import written
from resolvers.statements import COUNT, Select, Statements
from resolvers.terms import Term, joined_column, key_terms
from schema.spec import Field, Module
from storage.dialects import Dialect
from storage.dialects import Expression as Sql
from storage.values import binder

# Kinds whose values are compared as they are.
_PLAIN = frozenset({"string", "text", "email", "url", "phone", "color", "int", "bigint", "reference"})


@dataclass(frozen=True, slots=True)
class Key:
    """A column that is compared with a value: the value's number among those of the operation."""

    term: Term
    number: int


Keys = Sequence[tuple[Term, Sequence[Any]]]  # each with the values to look for


def find_keys(predicates: Sequence[Predicate], marks: Sequence[Any]) -> tuple[list[Predicate], list[Key]]:
    """Take conditions apart: those that compare a column with a mark, which are keys, and all others."""
    rest: list[Predicate] = []
    keys: list[Key] = []
    for predicate in predicates:
        if isinstance(predicate, All):
            inner, found = find_keys(predicate.parts, marks)
            keys += found
            rest.append(All(tuple(inner)))
            continue
        key = _key_of(predicate, marks)
        if key is None or any(key.number == other.number for other in keys):
            rest.append(predicate)
        else:
            keys.append(key)
    return rest, keys


def _key_of(predicate: Predicate, marks: Sequence[Any]) -> Key | None:
    if isinstance(predicate, KeyIn) and len(predicate.keys) == 1 and len(predicate.keys[0]) == 1:
        term, value = key_terms(predicate.module, predicate.hops)[0], predicate.keys[0][0]
    elif isinstance(predicate, Compare) and predicate.operator == "eq":
        term, value = predicate.term, predicate.value
    else:
        return None
    item = term.item
    if term.is_rows or term.kind not in _PLAIN or (isinstance(item, Field) and item.options):
        return None
    place = next((n for n, mark in enumerate(marks) if type(mark) is type(value) and mark == value), None)
    return None if place is None else Key(_nearest(term), place)


def _nearest(term: Term) -> Term:
    """Say what a reference is found by as the reference itself, which needs no join."""
    hop = term.hops[-1] if term.hops else None
    if hop is None or joined_column(hop) != getattr(term.item, "column", term.item):
        return term
    return Term(term.hops[:-1], hop.module, hop.field)


def pairs_keys(dialect: Dialect) -> bool:
    """Answer whether a statement compares several keys together too. PostgreSQL plans that longer than it reads what is too much."""
    return dialect.name != "postgresql"


@dataclass(frozen=True, slots=True)
class SpreadStatements(Statements):
    """Makes such statements. The values of the keys stand at the end of their rows, in the order of the keys."""

    @classmethod
    def of(cls, statements: Statements) -> SpreadStatements:
        """Return them for the same request."""
        return cls(**{item.name: getattr(statements, item.name) for item in fields(Statements)})

    def one_of(self, module: Module, where: Sequence[Predicate], row: RowNode, keys: Keys) -> Select:
        """Read the row of each key."""
        draft = self._draft(module)
        self._shaper(draft).shape(row)
        draft.where(where)
        for value in self._narrow(draft, keys):
            draft.add(value)
        return draft.statement()

    def page_of(self, node: ListNode, where: Sequence[Predicate], keys: Keys) -> Select:
        """Read a page for each key."""
        draft = self._draft(node.module)
        self._keep(draft, node, where)
        _, _, by = self._laid_out(draft, node)
        values = self._narrow(draft, keys)
        for value in values:
            draft.add(value)
        return self._numbered(draft, values, by, node.range.offset, node.reads)

    def total_of(self, node: ListNode, where: Sequence[Predicate], keys: Keys) -> Select:
        """Count the rows of each key."""
        draft = self._draft(node.module)
        draft.where(where)
        values = self._narrow(draft, keys)
        return draft.scope.select(COUNT, *values).where(*draft.conditions).group_by(*values)

    def groups_of(self, node: AggregateNode, where: Sequence[Predicate], keys: Keys) -> Select:
        """Count and sum up the groups of each key."""
        draft = self._draft(node.module)
        lay_out = self._grouped(draft, node)
        draft.where(where)
        own = [draft.add(value) for value in self._narrow(draft, keys)]
        inner = draft.statement().subquery("g")
        columns, functions = lay_out(inner)
        values = [inner.c[position] for position in own]
        found = sa.select(*columns, COUNT, *functions, *values).select_from(inner).group_by(*columns, *values)
        if not columns:
            return found
        by = [COUNT.desc(), *(part for column in columns for part in self.dialect.order(column, "ASC"))]
        named = [column.label(f"c{place}") for place, column in enumerate(found.selected_columns)]
        number = sa.func.row_number().over(partition_by=values, order_by=by).label("n")
        numbered = found.with_only_columns(*named, number).subquery("p")
        return sa.select(*list(numbered.c)[:-1]).where(numbered.c.n <= written(node.limit)).order_by(numbered.c.n)

    def _narrow(self, draft: Draft, keys: Keys) -> list[Sql]:
        """Keep the rows of some values; return what tells whose a row is."""
        found: list[Sql] = []
        bound: list[list[Any]] = []
        paired = len(keys) > 1 and pairs_keys(self.dialect)
        is_in = self.dialect.is_about_in if paired else self.dialect.is_in
        for term, values in keys:
            value, kind = draft.scope.value(term), term.column_class
            bind = binder(self.dialect.name, term.kind, kind, self.zone)
            bound.append([bind(item) for item in values])
            draft.conditions.append(is_in(value, bound[-1], kind))
            found.append(self.dialect.exact(value, kind))
        if paired:
            # The lists lead to the rows by an index; what nobody asked for together is left out here, compared exactly.
            draft.conditions.append(sa.tuple_(*found).in_(list(zip(*bound, strict=True))))
        return found
