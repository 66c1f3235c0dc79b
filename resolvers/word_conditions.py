"""A search by the full-text index as one condition: the row is one of those that a subquery over the index gives.

The subquery does not look at the row, so it is answered once. The rules for rows that lie between stand in it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from resolvers.predicate import TextPlace, Worded
from resolvers.scope import Scope, Speech, column
from resolvers.terms import Term, joined_column
from schema.bindings import ToMany, ToOne
from schema.catalog import ColumnClass
from schema.spec import Field, Home, Module
from storage.dialects import Expression as Sql
from storage.words import row_of, texts_with

Step = ToOne | ToMany


def worded(scope: Scope, predicate: Worded) -> Sql:
    """Say that a row has one of the texts with all of the words, by whatever place."""
    by_column: dict[str, list[Any]] = {}
    for place in predicate.places:
        asked = ends(place.steps[0])[0] if place.steps else place.owner
        by_column.setdefault(asked, []).append(_numbers(scope.speech, place, predicate.words))
    found = []
    for name, selects in by_column.items():
        # Around a union, or MariaDB would answer it for every row.
        rows = sa.union_all(*selects).subquery(f"t{next(scope.speech.numbers)}")
        found.append(scope.value(Term((), scope.module, name)).in_(sa.select(rows.c.n)))
    return sa.or_(sa.false(), *found)


def ends(step: Step) -> tuple[str, str]:
    """Return the column of the row that a step begins at, and the column of the rows it leads to that equals it."""
    if isinstance(step, ToOne):
        return step.field.column, joined_column(step)
    return step.relation.here_column, step.relation.link_column


def led_by(step: Step) -> str | None:
    """Name the reference by which a row that a step leads to refers back to where it begins, if there is one."""
    here, there = ends(step)
    if step.module.key_columns != (here,):
        return None
    return next((item.api_name for item in step.target.fields if _refers(item, there, step.module)), None)


def _refers(item: Field, name: str, module: Module) -> bool:
    return (
        item.to == module.name
        and item.home is Home.TABLE
        and item.column == name
        and item.by_column in (None, *module.key_columns)
    )


def _numbers(speech: Speech, place: TextPlace, words: tuple[str, ...]) -> sa.Select[Any]:
    """Select what the first step of a place begins at (or the owner, where there is none) for every text with the words."""
    texts, number, found = texts_with(words, place.slots, speech.dialect.name, f"t{next(speech.numbers)}")
    source: Any = texts
    value = row_of(number)
    column_name, value_class = place.owner, ColumnClass.BIGINT
    conditions = [found]
    for step in reversed(place.steps):
        here, there = ends(step)
        led = led_by(step)
        table = speech.enter(step.target.table)
        limit = speech.guard.limit_below(speech, step.target, table, led)
        # Where the index knows the texts by what the step goes by, the table says no more than its rules.
        if limit is not None or column_name != there:
            on = speech.same(column(table, column_name), _class(step.target, column_name), value, value_class)
            source = source.join(table, on)
            value, value_class = column(table, there), _class(step.target, there)
            conditions += () if limit is None else (limit,)
        column_name = here
    return sa.select(value.label("n")).select_from(source).where(*conditions)


def _class(module: Module, name: str) -> ColumnClass:
    return module.columns.get(name, ColumnClass.OTHER)
