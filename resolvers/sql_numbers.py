"""What a lambda's SQL does with numbers."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from resolvers.sql_dates import moved
from resolvers.sql_kinds import Kind, Said
from resolvers.sql_speaker import Function, Say, Speaker, digits, number, real, word
from resolvers.sql_syntax import RefusedSql, Span, Term


def _infix(sign: str) -> Say:
    def say(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
        if any(isinstance(term, Span) for term in terms):
            return moved(speaker, sign, terms)
        if sign == "*":
            speaker.multiply()
        left, right = (real(speaker, term) for term in terms)
        kind = Kind.WHOLE if left.kind is right.kind is Kind.WHOLE else Kind.NUMBER
        return Said(left.sql.op(sign)(right.sql).self_group(), kind)

    return say


def _divided(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    """Divide as numbers: 7 / 2 is 3.5, and nothing can be divided by 0."""
    speaker.multiply()
    left, right = (real(speaker, term).sql for term in terms)
    if speaker.dialect.name == "sqlite":
        left = sa.cast(left, sa.REAL)
    return Said(left.op("/")(sa.func.nullif(right, word("0"))).self_group(), Kind.NUMBER)


def _rest(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = [speaker.value(term, Kind.WHOLE) for term in terms]
    if any(one.kind is not Kind.WHOLE for one in found):
        raise RefusedSql("`%` and MOD take whole numbers.")
    cast = sa.Numeric if speaker.dialect.name == "postgresql" else None
    left, right = (sa.cast(one.sql, cast) if cast else one.sql for one in found)
    return Said(left.op("%")(sa.func.nullif(right, word("0"))).self_group(), Kind.WHOLE)


def _minus(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = real(speaker, terms[0])
    return Said((-found.sql.self_group()).self_group(), found.kind, found.nullable)


def _abs(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    found = real(speaker, terms[0])
    return Said(sa.func.abs(found.sql), found.kind, found.nullable)


def _round(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    value = number(speaker, terms[0]).sql
    places = digits(terms[1], 1, "How many digits ROUND leaves") if len(terms) > 1 else word("0")
    if speaker.dialect.name == "postgresql":
        value = sa.cast(value, sa.Numeric)
    return Said(sa.func.round(value, places), Kind.NUMBER)


def _floor(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    value = real(speaker, terms[0]).sql
    if speaker.dialect.name != "sqlite":
        return Said(sa.func.floor(value), Kind.WHOLE)
    whole = sa.cast(value, sa.Integer)
    return Said(sa.case((value < whole, whole - word("1")), else_=whole), Kind.WHOLE)


def _ceil(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    value = real(speaker, terms[0]).sql
    if speaker.dialect.name != "sqlite":
        return Said(sa.func.ceil(value), Kind.WHOLE)
    whole = sa.cast(value, sa.Integer)
    return Said(sa.case((value > whole, whole + word("1")), else_=whole), Kind.WHOLE)


ON_NUMBERS: Mapping[str, Function] = {
    **{sign: Function(2, 2, _infix(sign)) for sign in ("+", "-", "*")},
    "/": Function(2, 2, _divided),
    "%": Function(2, 2, _rest),
    "minus": Function(1, 1, _minus),
    "abs": Function(1, 1, _abs),
    "round": Function(1, 2, _round),
    "floor": Function(1, 1, _floor),
    "ceil": Function(1, 1, _ceil),
}
