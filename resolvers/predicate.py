"""Conditions on rows as data: what a filter, a search or a key says, before any SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from resolvers.terms import Term
from schema.bindings import ToMany, ToOne
from schema.spec import Module


@dataclass(frozen=True, slots=True, eq=False)
class All:
    """Every part holds; without parts it always does."""

    parts: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One part holds; without parts it never does."""

    parts: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    """The part does not hold, also where it cannot be told because of nulls."""

    part: Predicate


@dataclass(frozen=True, slots=True, eq=False)
class Compare:
    """A value against an operator of the API; `value` is what GraphQL coerced."""

    term: Term
    operator: str
    value: Any
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class KeyIn:
    """The row's key is one of these."""

    hops: tuple[ToOne, ...]
    module: Module
    keys: tuple[tuple[int | str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Exists:
    """The referenced row is there."""

    hops: tuple[ToOne, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """`some`, `none` or `every` row of a relation satisfies the part, which is seen from the related row."""

    hops: tuple[ToOne, ...]
    relation: ToMany
    quantifier: str
    part: Predicate


@dataclass(frozen=True, slots=True, eq=False)
class TextPlace:
    """Where the texts of a row are: by which relations and references one comes to their module, and their slots.

    `owner` is the column of that module with the number by which the index knows them.
    """

    steps: tuple[ToOne | ToMany, ...]
    module: Module
    owner: str
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Worded:
    """All of the words are in one of the texts of the row, or of one that a place leads to, as the full-text index has them."""

    module: Module
    words: tuple[str, ...]
    places: tuple[TextPlace, ...]


Predicate = Worded | All | Either | Not | Compare | KeyIn | Exists | Related


def followed(predicate: Predicate) -> tuple[tuple[ToOne, ...], Predicate] | None:
    """Tell a condition on the row that references lead to, as `FilterReader` makes it."""
    if not isinstance(predicate, All) or len(predicate.parts) != 2:  # noqa: PLR2004 - that it is there, and what it is
        return None
    there, part = predicate.parts
    return (there.hops, seen_from(part, len(there.hops))) if isinstance(there, Exists) and there.hops else None


def seen_from(predicate: Predicate, steps: int) -> Predicate:
    """See a condition from so many references further on."""
    if isinstance(predicate, All | Either):
        return replace(predicate, parts=tuple(seen_from(part, steps) for part in predicate.parts))
    if isinstance(predicate, Not):
        return Not(seen_from(predicate.part, steps))
    if isinstance(predicate, Compare):
        return replace(predicate, term=replace(predicate.term, hops=predicate.term.hops[steps:]))
    if isinstance(predicate, KeyIn | Exists | Related):
        return replace(predicate, hops=predicate.hops[steps:])
    raise TypeError(f"{type(predicate).__name__} is no condition.")
