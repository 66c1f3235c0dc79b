"""The functions and operators of a lambda's SQL: one table, with one way to say each on every database.

None of them can fail, whatever stands in a row: a database may compute something of a row before it finds out that the
caller does not see it, and an error would tell that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from resolvers.sql_dates import ON_DATES
from resolvers.sql_kinds import Kind, Said
from resolvers.sql_numbers import ON_NUMBERS
from resolvers.sql_speaker import SEVERAL, Function, Say, Speaker, as_text, number, real, whole_text, word
from resolvers.sql_syntax import RefusedSql, Term
from resolvers.sql_texts import ON_TEXTS
from schema.catalog import ColumnClass
from storage.dialects import Dialect
from storage.dialects import Expression as Sql


def say_call(speaker: Speaker, name: str, terms: tuple[Term, ...]) -> Said:
    """Say a call of a function or operator."""
    found = FUNCTIONS.get(name)
    if found is None:
        raise RefusedSql(f"`{name}` is not allowed there.")
    if not found.least <= len(terms) <= found.most:
        raise RefusedSql(f"`{name}` takes {_count(found)} values; found {len(terms)}.")
    return found.say(speaker, terms)


def _count(function: Function) -> str:
    return str(function.least) if function.least == function.most else f"{function.least} to {function.most}"


# --- whatever kind ---


def _coalesce(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = speaker.alike(terms)
    return Said(sa.func.coalesce(*(one.sql for one in found)), found[0].kind, all(one.nullable for one in found))


def _nullif(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    left, right = speaker.alike(terms)
    return Said(sa.case((equal(speaker.dialect, left, right), sa.null()), else_=left.sql), left.kind)


def _extreme(sqlite: str, others: str) -> Say:
    """Take the least or greatest: null when one value is null, on all three (PostgreSQL would leave it out)."""

    def say(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
        found = speaker.alike(terms)
        values = [one.sql for one in found]
        name = speaker.dialect.name
        taken = getattr(sa.func, sqlite if name == "sqlite" else others)(*values)
        if name == "postgresql":
            taken = sa.case((sa.or_(*(value.is_(None) for value in values)), sa.null()), else_=taken)
        return Said(taken, found[0].kind)

    return say


def equal(dialect: Dialect, left: Said, right: Said) -> Sql:
    """Compare exactly, as filters do."""
    if left.kind is Kind.TEXT:
        return dialect.equals(left.sql, right.sql, ColumnClass.STRING)
    found: Sql = left.sql == right.sql
    return found


# --- casts ---


def _cast_text(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = speaker.value(terms[0], Kind.TEXT)
    return Said(as_text(speaker, found), Kind.TEXT, found.nullable, found.is_short)


def _cast_whole(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = speaker.value(terms[0])
    if found.kind is Kind.WHOLE:
        return found
    if found.kind is Kind.NUMBER:
        return Said(_cut(speaker.dialect, found.sql), Kind.WHOLE, found.nullable)
    if found.kind is not Kind.TEXT:
        raise RefusedSql(f"{found.kind.capitalize()} cannot be cast to INTEGER.")
    return Said(whole_text(speaker.dialect, found.sql), Kind.WHOLE)


def _cast_real(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = real(speaker, terms[0])
    return Said(found.sql, Kind.NUMBER, found.nullable)


def _cut(dialect: Dialect, value: Sql) -> Sql:
    if dialect.name == "sqlite":
        return sa.cast(value, sa.Integer)
    if dialect.name == "mysql":
        return sa.func.truncate(value, word("0"))
    return sa.func.trunc(value)


# --- over rows ---


def _count_rows(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    counted = sa.func.count(speaker.value(terms[0]).sql) if terms else word("count(*)")
    return Said(counted, Kind.WHOLE, nullable=False)


def _count_distinct(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    return Said(sa.func.count(sa.distinct(speaker.value(terms[0]).sql)), Kind.WHOLE, nullable=False)


def _sum(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = number(speaker, terms[0])
    return Said(sa.func.sum(found.sql), found.kind)


def _average(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    return Said(sa.func.avg(real(speaker, terms[0]).sql), Kind.NUMBER)


def _edge(name: str) -> Say:
    def say(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
        found = speaker.value(terms[0])
        return Said(getattr(sa.func, name)(found.sql), found.kind)

    return say


FUNCTIONS: Mapping[str, Function] = {
    **ON_NUMBERS,
    **ON_TEXTS,
    **ON_DATES,
    "coalesce": Function(1, SEVERAL, _coalesce),
    "nullif": Function(2, 2, _nullif),
    "least": Function(2, SEVERAL, _extreme("min", "least")),
    "greatest": Function(2, SEVERAL, _extreme("max", "greatest")),
    "cast text": Function(1, 1, _cast_text),
    "cast int": Function(1, 1, _cast_whole),
    "cast float": Function(1, 1, _cast_real),
}
OVER_ROWS: Mapping[str, Function] = {
    "count": Function(0, 1, _count_rows),
    "count distinct": Function(1, 1, _count_distinct),
    "sum": Function(1, 1, _sum),
    "avg": Function(1, 1, _average),
    "min": Function(1, 1, _edge("min")),
    "max": Function(1, 1, _edge("max")),
}
