"""A search by the full-text index as one condition: the row is one of those that a subquery over the index gives.

The subquery does not look at the row, so it is answered once. The rules for rows that lie between stand in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from resolvers.predicate import TextPlace, Worded
from resolvers.scope import Scope, Speech, column
from resolvers.terms import Term, joined_column
from schema.bindings import ToMany, ToOne
from schema.catalog import ColumnClass
from schema.spec import Field, Home, Module
from storage.dialects import Expression as Sql
from storage.words import TextsWith, among, texts_with

Step = ToOne | ToMany


def worded(scope: Scope, predicate: Worded) -> Sql:
    """Say that a row has one of the texts with all of the words, by whatever place."""
    found = []
    for name, rounds in _by_column(predicate.places).items():
        selects = [_numbers(scope.speech, places, predicate.words) for places in rounds]
        # Around it, or MariaDB would answer a union for every row.
        rows = sa.union_all(*selects).subquery(f"t{next(scope.speech.numbers)}")
        found.append(scope.value(Term((), scope.module, name)).in_(sa.select(rows.c.n)))
    return sa.or_(sa.false(), *found)


def _by_column(places: Iterable[TextPlace]) -> Mapping[str, list[list[TextPlace]]]:
    """Put places together that one look into the index serves: they begin at one column, and none has a slot of another's."""
    found: dict[str, list[list[TextPlace]]] = {}
    for place in places:
        rounds = found.setdefault(ends(place.steps[0])[0] if place.steps else place.owner, [])
        taken = set(place.slots)
        fitting = next((each for each in rounds if taken.isdisjoint(slot for one in each for slot in one.slots)), None)
        if fitting is None:
            rounds.append([place])
        else:
            fitting.append(place)
    return found


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


def _numbers(speech: Speech, places: Sequence[TextPlace], words: tuple[str, ...]) -> sa.Select[Any]:
    """Select what the places begin at, for every text with the words; null where the caller's rules lead to nothing."""
    texts = texts_with(words, speech.dialect.name, f"t{next(speech.numbers)}")
    source: Any = texts.table
    values = []
    for place in places:
        source, value = _lead(speech, place, texts, source)
        values.append((among(texts.slot, place.slots), value))
    slots = [slot for place in places for slot in place.slots]
    found = values[0][1] if len(values) == 1 else sa.case(*values)
    return sa.select(found.label("n")).select_from(source).where(texts.condition, among(texts.slot, slots))


def _lead(speech: Speech, place: TextPlace, texts: TextsWith, source: Any) -> tuple[Any, Sql]:
    """Join what lies between a text and the row that is found by it."""
    value, value_class, name = texts.row, ColumnClass.BIGINT, place.owner
    for step in reversed(place.steps):
        here, there = ends(step)
        table = speech.enter(step.target.table)
        limit = speech.guard.limit_below(speech, step.target, table, led_by(step))
        # Where the index knows the texts by what the step goes by, the table says no more than its rules.
        if limit is not None or name != there:
            on = speech.same(column(table, name), _class(step.target, name), value, value_class)
            limits = [among(texts.slot, place.slots)] if value is texts.row else []
            limits += [] if limit is None else [limit]
            source = source.outerjoin(table, sa.and_(on, *limits))
            value, value_class = column(table, there), _class(step.target, there)
        name = here
    return source, value


def _class(module: Module, name: str) -> ColumnClass:
    return module.columns.get(name, ColumnClass.OTHER)
