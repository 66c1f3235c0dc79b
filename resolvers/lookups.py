"""Rows that references are to point at, found by their keys: many in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from resolvers.assignments import Given, Lookup
from resolvers.checks import fault
from resolvers.draft import Draft
from resolvers.faults import FaultCode
from resolvers.images import Fetch
from resolvers.predicate import Compare, Predicate
from resolvers.scope import Speech, written
from resolvers.shape import link_key
from resolvers.statements import Statement, Statements
from resolvers.terms import Term

LOOKUPS_AT_ONCE = 50  # scalar subqueries of one statement
VALUES_AT_ONCE = 500  # of one list in a statement
FEW = 3  # lookups by one key that are still asked for one by one


async def resolve(fetch: Fetch, statements: Statements, rows: Sequence[Given]) -> None:
    """Find the rows that references name, and put what they store, or a fault, into the rows that named them."""
    wanted = {id(lookup): lookup for given in rows for lookup in given.lookups.values()}
    values = await look_up(fetch, statements, list(wanted.values())) if wanted else []
    found = dict(zip(wanted, values, strict=True))
    for given in rows:
        for name, lookup in given.lookups.items():
            value = found[id(lookup)]
            if value is None:
                missing = fault(lookup.field, FaultCode.REFERENCE, "reference")
                given.faults.append(missing.under(*lookup.path))
            else:
                given.values[name] = value
        given.lookups = {}


async def look_up(fetch: Fetch, statements: Statements, lookups: Sequence[Lookup]) -> list[Any]:
    """Return for each lookup the value that its reference stores, or None where there is no such row."""
    found: list[Any] = [None] * len(lookups)
    single: list[int] = []
    for places in _by_key(lookups):
        if len(places) <= FEW:
            single += places
            continue
        stored = await _stored(fetch, statements.speech(), [lookups[place] for place in places])
        for place in places:
            found[place] = stored.get(_given(lookups[place]))
    for start in range(0, len(single), LOOKUPS_AT_ONCE):
        part = single[start : start + LOOKUPS_AT_ONCE]
        (row,) = await fetch(_values(statements, [lookups[place] for place in part]))
        for place, value in zip(part, row, strict=True):
            found[place] = value
    return found


def _by_key(lookups: Sequence[Lookup]) -> Iterator[list[int]]:
    """Group lookups that one statement answers: of one reference, by one key. Those by a global id stay alone."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, lookup in enumerate(lookups):
        where = lookup.where
        key = where.term.key if isinstance(where, Compare) and where.operator == "eq" else (str(place),)
        groups.setdefault((lookup.target.name, lookup.joined, *key), []).append(place)
    yield from groups.values()


async def _stored(fetch: Fetch, speech: Speech, lookups: Sequence[Lookup]) -> dict[str, Any]:
    """Return what references to the named rows store, by the value of the key that names them."""
    target, joined = lookups[0].target, lookups[0].joined
    wanted = {_given(lookup): where for lookup in lookups if isinstance(where := lookup.where, Compare)}
    found: dict[str, Any] = {}
    every = list(wanted.values())
    for start in range(0, len(every), VALUES_AT_ONCE):
        part = every[start : start + VALUES_AT_ONCE]
        draft = Draft(speech, target)
        key = draft.column(part[0].term)
        value = draft.column(Term((), target, joined))
        draft.where([Compare(part[0].term, "in", [where.value for where in part], part[0].path)])
        for row in await fetch(draft.statement()):
            found.setdefault(link_key(row[key]), row[value])
    return found


def _given(lookup: Lookup) -> str:
    return link_key(lookup.where.value) if isinstance(lookup.where, Compare) else ""


def _values(statements: Statements, lookups: Sequence[Lookup]) -> Statement:
    """Ask for what several references store, each by a key."""

    def make(made: Statements, where: Sequence[Predicate]) -> sa.Select[Any]:
        speech = made.speech()
        return sa.select(
            *(
                _value(speech, lookup, predicate).label(f"r{number}")
                for number, (lookup, predicate) in enumerate(zip(lookups, where, strict=True))
            )
        )

    kind = ("look up", *((lookup.target.name, lookup.joined) for lookup in lookups))
    return statements.again(kind, [lookup.where for lookup in lookups], make)


def _value(speech: Speech, lookup: Lookup, where: Predicate) -> sa.ScalarSelect[Any]:
    draft = Draft(speech, lookup.target)
    draft.column(Term((), lookup.target, lookup.joined))
    draft.where([where])
    return draft.statement().limit(written(1)).scalar_subquery()
