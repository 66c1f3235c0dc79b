"""What values in a lambda's SQL are, and the slots of a statement that take them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from resolvers.sql_syntax import Now, Null, Number, Parameter, Term, Text
from storage.dialects import Expression as Sql

TEXT_LIMIT = 20_000  # characters of one text; one more is asked for, so that a longer one is noticed


class Kind(StrEnum):
    """The kinds of values. A condition is a WHOLE of 1 or 0; a DAY is a text such as 2026-03-01, on every database."""

    WHOLE = "a whole number"
    NUMBER = "a number"
    TEXT = "a text"
    DAY = "a date"
    MOMENT = "a date and time"
    WORD = "a text of at most 100 characters"
    PATTERN = "a pattern"  # of LIKE
    LIMIT = "a number of rows"


NUMBERS = frozenset({Kind.WHOLE, Kind.NUMBER})
CONSTANTS = (Text, Number, Null, Parameter, Now)


@dataclass(frozen=True, slots=True)
class Said:
    """A term in SQL. `is_short` says of a text that it is a constant, or from a column that holds no long ones."""

    sql: Sql
    kind: Kind
    nullable: bool = True
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a statement whose value comes with the question. A pattern may be put together of several parts.

    `is_top` is said of the limit of the whole answer.
    """

    kind: Kind
    parts: tuple[Term, ...]
    is_top: bool = False


def natural_kind(term: Term) -> Kind | None:
    """Return the kind of a constant that nothing beside it decides about; None where it may be any."""
    if isinstance(term, Number):
        return Kind.WHOLE if term.is_whole else Kind.NUMBER
    if isinstance(term, Now):
        return Kind.DAY if term.is_midnight and not term.seconds else Kind.MOMENT
    return Kind.TEXT if isinstance(term, Text) else None


def sql_type(kind: Kind, dialect: str) -> sa.types.TypeEngine[Any]:
    """Return as what a slot is bound: PostgreSQL wants to know before it sees a value."""
    if kind in (Kind.WHOLE, Kind.LIMIT):
        return sa.BigInteger()
    if kind is Kind.NUMBER:
        return sa.Double()
    return sa.DateTime() if kind is Kind.MOMENT and dialect != "sqlite" else sa.Text()
