"""How the rows of a relation hang on the row that has it: by a column of their own, or through a table between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from resolvers.scope import Scope, column
from resolvers.terms import Term
from schema.bindings import ToMany
from schema.catalog import ColumnClass
from schema.spec import Field
from storage.dialects import Expression as Sql
from storage.values import binder


@dataclass(frozen=True, slots=True)
class Link:
    """The value that equals the owner's, its class, and conditions that always hold."""

    value: Sql
    column_class: ColumnClass
    fixed: tuple[Sql, ...] = ()


def relate(scope: Scope, binding: ToMany) -> Link:
    """Bring the link into a statement over the target's rows, one row for every row of the table between."""
    relation = binding.relation
    if relation.through is None:
        return _own_link(scope, binding)
    between = scope.speech.enter(relation.through)
    _join_between(scope, binding, between)
    return Link(
        column(between, relation.link_column),
        _class_between(scope, binding, relation.link_column),
        (*_fixed(scope, binding, between), *scope.speech.limits(relation.through, between)),
    )


def relate_once(scope: Scope, binding: ToMany, narrow: Callable[[Link], Sql]) -> Link:
    """Do the same for owners that `narrow` picks, with every target once an owner: tables between may repeat pairs."""
    relation = binding.relation
    if relation.through is None:
        link = _own_link(scope, binding)
        return Link(link.value, link.column_class, (narrow(link), *link.fixed))
    inner = scope.speech.enter(relation.through)
    link_class = _class_between(scope, binding, relation.link_column)
    link = Link(column(inner, relation.link_column), link_class)
    pairs = (
        sa.select(link.value.label("here"), column(inner, relation.there or "").label("there"))
        .select_from(inner)
        .where(narrow(link), *_fixed(scope, binding, inner), *scope.speech.limits(relation.through, inner))
        .distinct()
        .subquery(f"t{next(scope.speech.numbers)}")
    )
    _join_target(scope, binding, pairs, pairs.c.there)
    return Link(column(pairs, "here"), link_class)


def _own_link(scope: Scope, binding: ToMany) -> Link:
    """Return the link as a column of the target, or a field of it that may live beside its table."""
    relation = binding.relation
    item = binding.target.field_named(relation.by) if relation.by else None
    term = Term((), binding.target, item if isinstance(item, Field) else relation.link_column)
    return Link(scope.value(term), term.column_class)


def _join_between(scope: Scope, binding: ToMany, between: FromClause) -> None:
    _join_target(scope, binding, between, column(between, binding.relation.there or ""))


def _join_target(scope: Scope, binding: ToMany, table: FromClause, there: Sql) -> None:
    relation = binding.relation
    target = Term((), binding.target, relation.there_column)
    there_class = _class_between(scope, binding, relation.there or "")
    scope.begin(table, scope.speech.same(scope.value(target), target.column_class, there, there_class))


def _class_between(scope: Scope, binding: ToMany, name: str) -> ColumnClass:
    table = scope.speech.catalog.tables.get(binding.relation.through or "")
    found = table.columns.get(name) if table else None
    return found.type if found else ColumnClass.OTHER


def _fixed(scope: Scope, binding: ToMany, between: FromClause) -> tuple[Sql, ...]:
    speech = scope.speech
    found = []
    for name, value in binding.relation.where.items():
        kind = _class_between(scope, binding, name)
        bound = binder(speech.dialect.name, "reference", kind, speech.zone)(value)
        found.append(speech.dialect.equals(column(between, name), bound, kind))
    return tuple(found)
