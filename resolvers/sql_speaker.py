"""Who says terms, for functions that have some inside, and the kinds of values that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import sqlalchemy as sa

from resolvers.sql_kinds import NUMBERS, TEXT_LIMIT, Kind, Said
from resolvers.sql_syntax import Number, RefusedSql, Term
from storage.dialects import Dialect
from storage.dialects import Expression as Sql


class Speaker(Protocol):
    """Says the terms of a call; `resolvers.sql_terms` does."""

    dialect: Dialect

    def value(self, term: Term, wanted: Kind | None = None) -> Said:
        """Say a term, a constant as of the kind that is wanted."""

    def alike(self, terms: Sequence[Term]) -> list[Said]:
        """Say terms that are to be of one kind."""

    def multiply(self) -> None:
        """Count one more operator that makes numbers larger."""


# Says a call with these terms.
Say: TypeAlias = Callable[[Speaker, tuple[Term, ...]], Said]

SEVERAL = 20  # of what takes any number of values


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many values it takes, and how it is said."""

    least: int
    most: int
    say: Say


def word(sql: str) -> Sql:
    """Put a fixed piece of SQL into an expression."""
    return sa.literal_column(sql)


def text(speaker: Speaker, term: Term) -> Sql:
    """Say a text."""
    found = speaker.value(term, Kind.TEXT)
    if found.kind not in (Kind.TEXT, Kind.DAY):
        raise RefusedSql(f"A text is wanted where {found.kind} stands; CAST it to TEXT.")
    return found.sql


def part(speaker: Speaker, term: Term) -> Sql:
    """Say what is put together with other texts, a whole number or a day too: no more of it than an answer may have.

    Texts of any length, put together again and again, would become larger than a database can hold.
    """
    found = speaker.value(term, Kind.TEXT)
    sql = as_text(speaker, found)
    is_long = found.kind is Kind.TEXT and not found.is_short
    return sa.func.substr(sql, word("1"), word(str(TEXT_LIMIT + 1))) if is_long else sql


def as_text(speaker: Speaker, found: Said) -> Sql:
    """Make a text of a whole number or a day, too."""
    if found.kind is Kind.WHOLE:
        return _written(speaker.dialect, found.sql)
    if found.kind not in (Kind.TEXT, Kind.DAY):
        raise RefusedSql(f"{found.kind.capitalize()} cannot become a text: databases write it in different ways.")
    return found.sql


def _written(dialect: Dialect, sql: Sql) -> Sql:
    return sa.cast(sql, sa.CHAR if dialect.name == "mysql" else sa.Text)


def number(speaker: Speaker, term: Term) -> Said:
    """Say a number."""
    found = speaker.value(term, Kind.NUMBER if not isinstance(term, Number) else None)
    if found.kind not in NUMBERS:
        raise RefusedSql(f"A number is wanted where {found.kind} stands.")
    return found


def real(speaker: Speaker, term: Term) -> Said:
    """Say a number as one that has no range to leave: whole numbers of 64 bits have one on two databases."""
    found = number(speaker, term)
    return Said(as_real(speaker.dialect, found.sql), found.kind, found.nullable)


def as_real(dialect: Dialect, sql: Sql) -> Sql:
    """Say a number as floating; SQLite's whole numbers become that by themselves when they get too large."""
    if dialect.name == "postgresql":
        return sa.cast(sql, sa.Double)
    return sql.op("+")(word("0e0")) if dialect.name == "mysql" else sql


def moment(speaker: Speaker, term: Term) -> Sql:
    """Say a date and time."""
    found = speaker.value(term, Kind.MOMENT)
    if found.kind is not Kind.MOMENT:
        raise RefusedSql(f"A date and time is wanted where {found.kind} stands.")
    return found.sql


def digits(term: Term, limit: int, what: str) -> Sql:
    """Say a whole number that must be written out, of at most so many digits."""
    if not isinstance(term, Number) or not term.is_whole or term.digits.startswith("-") or len(term.digits) > limit:
        raise RefusedSql(f"{what} is written as a whole number.")
    return word(str(int(term.digits)))


def whole_text(dialect: Dialect, found: Sql) -> Sql:
    """Read a text as a whole number; what is none is null, and never an error."""
    if dialect.name == "sqlite":
        digits = sa.func.ltrim(found, word("'-'"))
        is_whole = sa.and_(
            digits != word("''"),
            sa.not_(digits.op("GLOB")(word("'*[^0-9]*'"))),
            sa.func.length(digits) <= word("18"),
            sa.func.length(found) - sa.func.length(digits) <= word("1"),
        )
        return sa.case((is_whole, sa.cast(found, sa.Integer)))
    if dialect.name == "mysql":
        is_whole = found.op("REGEXP")(word("'^-?[0-9]{1,18}$'"))
        return sa.case((is_whole, sa.cast(found, sa.BigInteger)))
    # Not CASE WHEN it matches: of constants PostgreSQL computes every branch before it looks at the condition.
    return sa.cast(sa.func.substring(found, word("'^-?[0-9]{1,18}$'")), sa.BigInteger)
