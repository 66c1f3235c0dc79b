"""The terms of a lambda's SQL as expressions of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from resolvers.sql_functions import OVER_ROWS, equal, say_call
from resolvers.sql_ground import Ground, ungrouped
from resolvers.sql_kinds import CONSTANTS, NUMBERS, Kind, Said, natural_kind
from resolvers.sql_saying import Saying, say_constant
from resolvers.sql_speaker import word
from resolvers.sql_syntax import (
    Call,
    Inner,
    Number,
    Parameter,
    Place,
    Query,
    RefusedSql,
    Term,
    Text,
    parts_of,
)
from schema.catalog import ColumnClass
from storage.dialects import Dialect
from storage.dialects import Expression as Sql

_COMPARISONS: Mapping[str, Callable[[Sql, Sql], Sql]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


# Says a query inside an expression.
SayQuery = Callable[[Saying, Query, Ground | None], tuple["sa.Select[Any]", Sequence[Said]]]


class Terms:
    """Says the terms of one SELECT."""

    def __init__(self, saying: Saying, ground: Ground, inner: SayQuery) -> None:
        self.saying = saying
        self.ground = ground
        self.dialect: Dialect = saying.speech.dialect
        self._inner = inner
        self._over_rows = False
        self._keys: Mapping[Term, Said] = {}

    # --- values ---

    def value(self, term: Term, wanted: Kind | None = None) -> Said:
        """Say a term, a constant as of the kind that is wanted."""
        if isinstance(term, CONSTANTS):
            return say_constant(self.saying, term, wanted or natural_kind(term) or Kind.TEXT)
        if not self._over_rows and term in self._keys:
            return self._keys[term]
        if isinstance(term, Place):
            self._check_grouped(term)
            return self.ground.say(term)
        return self._made(term, wanted)

    def group(self, terms: Sequence[Term]) -> list[Sql]:
        """Say what rows are grouped by. From now on a term is one of these, or over rows, or made of such."""
        said = {term: self.value(term) for term in terms}
        self._keys = said
        self.ground.keys = frozenset(terms)
        return [one.sql for one in said.values()]

    def _check_grouped(self, place: Place) -> None:
        if self.ground.keys is not None and not self._over_rows and place.source >= self.ground.first:
            raise ungrouped(place.column)

    def _made(self, term: Term, wanted: Kind | None) -> Said:
        if isinstance(term, Inner):
            return self._one_value(term) if term.how == "value" else self._truth(term)
        if not isinstance(term, Call):
            raise RefusedSql("An INTERVAL only stands beside a date and time.")
        if term.name in OVER_ROWS and self._is_over_rows(term):
            return self._aggregate(term)
        if term.name in _CONDITIONS:
            return self._truth(term)
        if term.name == "case":
            return self._case(term, wanted)
        if term.name in ("cast date", "cast moment") and isinstance(term.terms[0], CONSTANTS):
            return self.value(term.terms[0], Kind.DAY if term.name == "cast date" else Kind.MOMENT)
        return say_call(self, term.name, term.terms)

    def _is_over_rows(self, term: Call) -> bool:
        if term.name in ("min", "max") and len(term.terms) > 1:
            raise RefusedSql(f"`{term.name}` takes one value; LEAST and GREATEST take several.")
        return True

    def _aggregate(self, term: Call) -> Said:
        if self._over_rows:
            raise RefusedSql(f"`{term.name}` cannot stand inside another function over rows.")
        places = [place for part in term.terms for place in _places(part)]
        if places and all(place.source < self.ground.first for place in places):
            raise RefusedSql(f"`{term.name}` is over the rows of its own SELECT; it has none of their columns.")
        self._over_rows = True
        try:
            return OVER_ROWS[term.name].say(self, term.terms)
        finally:
            self._over_rows = False

    def alike(self, terms: Sequence[Term], wanted: Kind | None = None) -> list[Said]:
        """Say terms that are to be of one kind; constants follow the others."""
        said = {index: self.value(term) for index, term in enumerate(terms) if not isinstance(term, CONSTANTS)}
        natural = {kind for term in terms if isinstance(term, CONSTANTS) and (kind := natural_kind(term))}
        kind = _kind_of({one.kind for one in said.values()}, natural, wanted)
        found = [said.get(index) or self.value(term, kind) for index, term in enumerate(terms)]
        return [Said(one.sql, kind, one.nullable) for one in found]

    def multiply(self) -> None:
        """Count one more operator that makes numbers larger."""
        self.saying.multiply()

    def _case(self, term: Call, wanted: Kind | None) -> Said:
        conditions = [self.condition(part) for part in term.terms[:-1:2]]
        values = self.alike((*term.terms[1:-1:2], term.terms[-1]), wanted)
        found = sa.case(
            *((when, then.sql) for when, then in zip(conditions, values, strict=False)), else_=values[-1].sql
        )
        return Said(found, values[0].kind)

    def _truth(self, term: Term) -> Said:
        """Say a condition as 1 or 0; where it is unknown it is null."""
        found = self.condition(term)
        return Said(sa.case((found, word("1")), (sa.not_(found), word("0"))), Kind.WHOLE)

    def _one_value(self, term: Inner) -> Said:
        """Take the first row, and null where there is none: several would be an error on two databases."""
        select, outputs = self._inside(term)
        if term.query.limit is None:
            select = select.limit(word("1"))
        return Said(select.scalar_subquery(), outputs[0].kind)

    def _inside(self, term: Inner) -> tuple[sa.Select[Any], Sequence[Said]]:
        select, outputs = self._inner(self.saying, term.query, self.ground)
        if term.how != "exists" and len(outputs) != 1:
            raise RefusedSql("A SELECT inside an expression gives one column.")
        return select, outputs

    # --- conditions ---

    def condition(self, term: Term) -> Sql:
        """Say a term as what WHERE takes."""
        if isinstance(term, Inner) and term.how != "value":
            return self._found_inside(term)
        is_key = not self._over_rows and term in self._keys
        if isinstance(term, Call) and term.name in _CONDITIONS and not is_key:
            return _CONDITIONS[term.name](self, term)
        found = self.value(term, Kind.WHOLE)
        if found.kind not in NUMBERS:
            raise RefusedSql(f"A condition is wanted where {found.kind} stands.")
        return found.sql != word("0")

    def _found_inside(self, term: Inner) -> Sql:
        if term.how == "exists":
            return self._inside(term)[0].exists()
        if term.term is None or term.query.limit is not None or term.query.offset is not None:
            raise RefusedSql("A SELECT after IN has no LIMIT.")
        select, outputs = self._inside(term)
        left = self.value(term.term, outputs[0].kind)
        _common({left.kind, outputs[0].kind})
        if left.kind is Kind.TEXT:
            exact = self.dialect.exact(outputs[0].sql, ColumnClass.STRING)
            return self.dialect.exact(left.sql, ColumnClass.STRING).in_(select.with_only_columns(exact))
        return left.sql.in_(select)

    def _all(self, term: Call) -> Sql:
        return sa.and_(*map(self.condition, term.terms))

    def _any(self, term: Call) -> Sql:
        return sa.or_(*map(self.condition, term.terms))

    def _not(self, term: Call) -> Sql:
        return sa.not_(self.condition(term.terms[0]))

    def _is_null(self, term: Call) -> Sql:
        return self.value(term.terms[0]).sql.is_(None)

    def _compared(self, term: Call) -> Sql:
        left, right = self.alike(term.terms)
        if term.name in ("=", "<>"):
            found = equal(self.dialect, left, right)
            return found if term.name == "=" else sa.not_(found)
        return _COMPARISONS[term.name](left.sql, right.sql)

    def _between(self, term: Call) -> Sql:
        value, low, high = self.alike(term.terms)
        return value.sql.between(low.sql, high.sql)

    def _in(self, term: Call) -> Sql:
        value, *others = self.alike(term.terms)
        if value.kind is Kind.TEXT:
            return sa.or_(*(equal(self.dialect, value, one) for one in others))
        return value.sql.in_([one.sql for one in others])

    def _like(self, term: Call) -> Sql:
        """Match without regard to case; `%` and `_` are wildcards, and a backslash is itself, on every database."""
        value = self.value(term.terms[0], Kind.TEXT)
        if value.kind is not Kind.TEXT:
            raise RefusedSql(f"LIKE compares texts; found {value.kind}.")
        pattern = self.saying.slot(Kind.PATTERN, *_pattern_parts(term.terms[1]))
        return self.dialect.fold(value.sql).like(pattern, escape="!")


def _common(kinds: set[Kind]) -> Kind:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds <= NUMBERS:
        return Kind.NUMBER
    first, second = sorted(kinds)[:2]
    raise RefusedSql(f"{first.capitalize()} and {second} cannot be compared or mixed; CAST one of them.")


def _kind_of(said: set[Kind], natural: set[Kind], wanted: Kind | None) -> Kind:
    """Choose the kind of terms that stand beside each other, by what columns and calls give, then by constants."""
    if said <= NUMBERS and said | natural <= NUMBERS and said | natural:
        return _common(said | natural)
    if said:
        return _common(said)
    return _common(natural - {Kind.TEXT} or natural or {wanted or Kind.TEXT})


def _places(term: Term) -> Iterator[Place]:
    """Go through the columns in a term."""
    if isinstance(term, Place):
        yield term
    for part in parts_of(term):
        yield from _places(part)


def _pattern_parts(term: Term) -> tuple[Term, ...]:
    if isinstance(term, Text | Parameter | Number):
        return (term,)
    if isinstance(term, Call) and term.name in ("||", "concat"):
        return tuple(part for one in parts_of(term) for part in _pattern_parts(one))
    raise RefusedSql("A pattern of LIKE is made of texts and parameters, not of columns.")


_CONDITIONS: Mapping[str, Callable[[Terms, Call], Sql]] = {
    **dict.fromkeys(("=", "<>", *_COMPARISONS), Terms._compared),  # noqa: SLF001 - the table belongs to the class
    "and": Terms._all,  # noqa: SLF001
    "or": Terms._any,  # noqa: SLF001
    "not": Terms._not,  # noqa: SLF001
    "is null": Terms._is_null,  # noqa: SLF001
    "between": Terms._between,  # noqa: SLF001
    "in": Terms._in,  # noqa: SLF001
    "like": Terms._like,  # noqa: SLF001
}
