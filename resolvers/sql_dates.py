"""What a lambda's SQL does with dates and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from resolvers.sql_kinds import Kind, Said
from resolvers.sql_speaker import Function, Say, Speaker, moment, whole_text, word
from resolvers.sql_syntax import RefusedSql, Span, Term
from schema.catalog import ColumnClass
from storage.dialects import Expression as Sql


def moved(speaker: Speaker, sign: str, terms: tuple[Term, ...]) -> Said:
    """Say a date and time that an INTERVAL moves."""
    start, span = terms
    if not isinstance(span, Span):
        raise RefusedSql("An INTERVAL stands behind the date and time that it moves.")
    seconds = span.seconds if sign == "+" else -span.seconds
    stored = moment(speaker, start)
    said: Mapping[str, Callable[[], Sql]] = {
        "postgresql": lambda: stored.op("+")(word(f"INTERVAL '{seconds} seconds'")).self_group(),
        "mysql": lambda: sa.func.timestampadd(word("SECOND"), word(str(seconds)), stored),
        "sqlite": lambda: sa.func.strftime(word("'%Y-%m-%d %H:%M:%S'"), stored, word(f"'{seconds:+d} seconds'")),
    }
    return Said(said[speaker.dialect.name](), Kind.MOMENT)


def _date(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = speaker.value(terms[0], Kind.DAY)
    if found.kind is Kind.DAY:
        return found
    return Said(speaker.dialect.day(moment(speaker, terms[0]), ColumnClass.DATETIME), Kind.DAY, found.nullable)


def _part_of_day(first: int, length: int) -> Say:
    def say(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
        day = _date(speaker, terms)
        part = sa.func.substr(day.sql, word(str(first)), word(str(length)))
        return Said(whole_text(speaker.dialect, part), Kind.WHOLE, day.nullable)

    return say


def _hour(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    stored = moment(speaker, terms[0])
    said: Mapping[str, Callable[[], Sql]] = {
        "postgresql": lambda: sa.func.to_char(stored, word("'HH24'")),
        "mysql": lambda: sa.func.date_format(stored, word("'%H'")),
        "sqlite": lambda: sa.func.substr(stored, word("12"), word("2")),
    }
    return Said(whole_text(speaker.dialect, said[speaker.dialect.name]()), Kind.WHOLE)


def _cast_moment(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    return Said(moment(speaker, terms[0]), Kind.MOMENT)


ON_DATES: Mapping[str, Function] = {
    "date": Function(1, 1, _date),
    "year": Function(1, 1, _part_of_day(1, 4)),
    "month": Function(1, 1, _part_of_day(6, 2)),
    "day": Function(1, 1, _part_of_day(9, 2)),
    "hour": Function(1, 1, _hour),
    "cast date": Function(1, 1, _date),
    "cast moment": Function(1, 1, _cast_moment),
}
