"""What a lambda's SQL does with texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from resolvers.sql_kinds import Kind, Said
from resolvers.sql_speaker import SEVERAL, Function, Say, Speaker, digits, part, text, word
from resolvers.sql_syntax import Number, Parameter, RefusedSql, Term, Text
from resolvers.sql_values import WORD_LIMIT
from storage.dialects import Dialect
from storage.dialects import Expression as Sql

PLACE_DIGITS = 6  # of a position in a text


def _lower(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    return Said(speaker.dialect.fold(text(speaker, terms[0])), Kind.TEXT)


def _same_name(name: str) -> Say:
    def say(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
        return Said(getattr(sa.func, name)(*(text(speaker, term) for term in terms)), Kind.TEXT)

    return say


def _length(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    value = text(speaker, terms[0])
    count = sa.func.char_length(value) if speaker.dialect.name == "mysql" else sa.func.length(value)
    return Said(count, Kind.WHOLE)


def _substr(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    places = [digits(term, PLACE_DIGITS, "A place in a text or its length") for term in terms[1:]]
    if isinstance(terms[1], Number) and not int(terms[1].digits):
        raise RefusedSql("The first letter of a text has the number 1.")
    return Said(sa.func.substr(text(speaker, terms[0]), *places), Kind.TEXT)


def _replace(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    value, (old, new) = part(speaker, terms[0]), (_word(speaker, term) for term in terms[1:])
    if speaker.dialect.name == "mysql":  # newer versions of REPLACE heed the collation
        value = sa.func.convert(value.op("USING")(word("utf8mb4"))).collate("utf8mb4_bin")
    return Said(sa.func.replace(value, old, new), Kind.TEXT)


def _word(speaker: Speaker, term: Term) -> Sql:
    """Say a constant of a few letters: what is put in for each letter of a long text must not be long itself."""
    if not isinstance(term, Text | Parameter) or (isinstance(term, Text) and len(term.value) > WORD_LIMIT):
        raise RefusedSql(f"REPLACE puts in texts or parameters of at most {WORD_LIMIT} characters.")
    return speaker.value(term, Kind.TEXT if isinstance(term, Text) else Kind.WORD).sql


def _concat(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    """Put texts together; null is nothing."""
    parts = [sa.func.coalesce(part(speaker, term), word("''")) for term in terms]
    return Said(_joined(speaker.dialect, parts), Kind.TEXT, nullable=False)


def _pipe(speaker: Speaker, terms: tuple[Term, ...]) -> Said:
    """Put texts together; null makes all of it null."""
    return Said(_joined(speaker.dialect, [part(speaker, term) for term in terms]), Kind.TEXT)


def _joined(dialect: Dialect, parts: Sequence[Sql]) -> Sql:
    if dialect.name == "mysql":
        return sa.func.concat(*parts)
    found: Sql = parts[0]
    for more in parts[1:]:
        found = found.op("||")(more)
    return found.self_group()


ON_TEXTS: Mapping[str, Function] = {
    "||": Function(2, 2, _pipe),
    "lower": Function(1, 1, _lower),
    "upper": Function(1, 1, _same_name("upper")),
    "trim": Function(1, 1, _same_name("trim")),
    "length": Function(1, 1, _length),
    "substr": Function(2, 3, _substr),
    "replace": Function(3, 3, _replace),
    "concat": Function(1, SEVERAL, _concat),
}
