"""What a lambda's SQL may say, as a tree of our own. What has no place here cannot be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from resolvers.errors import OperationError


class RefusedSql(OperationError):
    """A lambda's SQL says what cannot be said, or names what its caller may not read. The text is for its author."""

    code = "SQL_REFUSED"


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or an output of the same query, as it is written: in lower case, `table` is the alias before the dot."""

    column: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A column of one of the statement's tables, which are numbered: what a `Name` turns out to mean."""

    source: int
    column: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text between quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    digits: str

    @property
    def is_whole(self) -> bool:
        """Whether it has no decimals."""
        return "." not in self.digits


@dataclass(frozen=True, slots=True)
class Null:
    """NULL."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is given with the question, counted from 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of the question, or the midnight before it, moved by some seconds."""

    is_midnight: bool = False
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """So many seconds, which only stand beside a moment."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function over terms."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Inner:
    """A query inside an expression: `how` is value, exists or in (then `term` is what is looked for)."""

    how: str
    query: Query
    term: Term | None = None


Term: TypeAlias = Name | Place | Text | Number | Null | Parameter | Now | Span | Call | Inner


@dataclass(frozen=True, slots=True)
class Item:
    """One column of the result."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True)
class Source:
    """A table or a query that rows come from: `join` is empty for the first, else inner or left."""

    alias: str
    table: str | Query
    join: str = ""
    on: Term | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """One term of ORDER BY; `direction` is one of the dialects' words for it."""

    term: Term
    direction: str


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    where: Term | None = None
    groups: tuple[Term, ...] = ()
    having: Term | None = None
    order: tuple[Sort, ...] = ()
    is_distinct: bool = False
    limit: Number | Parameter | None = None
    offset: Number | Parameter | None = None


AGGREGATES = frozenset({"count", "count distinct", "sum", "min", "max", "avg"})


def parts_of(term: Term) -> tuple[Term, ...]:
    """Return the terms directly inside a term; queries inside have tables of their own and are none."""
    if isinstance(term, Call):
        return term.terms
    return (term.term,) if isinstance(term, Inner) and term.term is not None else ()


def sums_up(term: Term) -> bool:
    """Answer whether a term has an aggregate in it."""
    return (isinstance(term, Call) and term.name in AGGREGATES) or any(map(sums_up, parts_of(term)))
