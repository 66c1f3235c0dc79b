"""Conditions on rows as data: what a filter, a search or a key says, before any SQL."""

from __future__ import annotations

from dataclasses import dataclass
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


Predicate = All | Either | Not | Compare | KeyIn | Exists | Related
