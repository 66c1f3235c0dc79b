"""Operators and functions of SQL expressions: one table, with one rendering a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

DIALECTS = ("sqlite", "mysql", "postgresql")

Render = Callable[[tuple[str, ...], str], str]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many values it takes, and its text a dialect with the rendered terms filled in."""

    least: int
    most: int
    render: Render


def _same(name: str) -> Render:
    return lambda terms, _: f"{name}({', '.join(terms)})"


def _by(**texts: str) -> Render:
    """Make a rendering of one text a dialect; `{0}` is the first term; `any` for the others."""

    def render(terms: tuple[str, ...], dialect: str) -> str:
        return texts.get(dialect, texts.get("any", "")).format(*terms)

    return render


def _as_text(term: str, dialect: str) -> str:
    return {
        "sqlite": f"CAST({term} AS TEXT)",
        "mysql": f"CONVERT({term} USING utf8mb4)",
        "postgresql": f"CAST({term} AS TEXT)",
    }[dialect]


def _concat(terms: tuple[str, ...], dialect: str) -> str:
    """CONCAT takes null as nothing (PostgreSQL's way), so that a missing part does not swallow the rest."""
    if dialect == "postgresql":
        return f"CONCAT({', '.join(terms)})"
    parts = [f"COALESCE({_as_text(term, dialect)}, '')" for term in terms]
    return f"CONCAT({', '.join(parts)})" if dialect == "mysql" else f"({' || '.join(parts)})"


def _join(terms: tuple[str, ...], dialect: str) -> str:
    """`||`: null when one side is null, on all three."""
    parts = [_as_text(term, dialect) for term in terms]
    return f"CONCAT({', '.join(parts)})" if dialect == "mysql" else f"({' || '.join(parts)})"


def _divide(terms: tuple[str, ...], dialect: str) -> str:
    """Divide as numbers: 7 / 2 is 3.5 and x / 0 is null, on all three."""
    left, right = terms
    if dialect == "mysql":
        return f"(({left} + 0e0) / NULLIF({right}, 0))"
    real = "REAL" if dialect == "sqlite" else "DOUBLE PRECISION"
    return f"(CAST({left} AS {real}) / NULLIF({right}, 0))"


def _round(terms: tuple[str, ...], dialect: str) -> str:
    digits = terms[1] if len(terms) > 1 else "0"
    value = f"CAST({terms[0]} AS NUMERIC)" if dialect == "postgresql" else terms[0]
    return f"ROUND({value}, {digits})"


def _substring(terms: tuple[str, ...], dialect: str) -> str:
    return f"{'SUBSTR' if dialect == 'sqlite' else 'SUBSTRING'}({', '.join(terms)})"


def _extreme(sqlite: str, others: str) -> Render:
    """Take the least or greatest: null when one value is null, on all three (PostgreSQL would leave it out)."""

    def render(terms: tuple[str, ...], dialect: str) -> str:
        values = ", ".join(terms)
        if dialect != "postgresql":
            return f"{sqlite if dialect == 'sqlite' else others}({values})"
        missing = " OR ".join(f"{term} IS NULL" for term in terms)
        return f"CASE WHEN {missing} THEN NULL ELSE {others}({values}) END"

    return render


FUNCTIONS: Mapping[str, Function] = {
    "coalesce": Function(2, 20, _same("COALESCE")),
    "ifnull": Function(2, 2, _same("COALESCE")),
    "nullif": Function(2, 2, _same("NULLIF")),
    "if": Function(3, 3, _by(any="CASE WHEN {0} THEN {1} ELSE {2} END")),
    "abs": Function(1, 1, _same("ABS")),
    "round": Function(1, 2, _round),
    "floor": Function(
        1,
        1,
        _by(sqlite="(CAST({0} AS INTEGER) - ({0} < CAST({0} AS INTEGER)))", any="FLOOR({0})"),
    ),
    "ceil": Function(
        1,
        1,
        _by(sqlite="(CAST({0} AS INTEGER) + ({0} > CAST({0} AS INTEGER)))", any="CEIL({0})"),
    ),
    "mod": Function(2, 2, _by(any="({0} % NULLIF({1}, 0))")),
    "least": Function(2, 10, _extreme("MIN", "LEAST")),
    "greatest": Function(2, 10, _extreme("MAX", "GREATEST")),
    "lower": Function(1, 1, _same("LOWER")),
    "upper": Function(1, 1, _same("UPPER")),
    "trim": Function(1, 1, _same("TRIM")),
    "length": Function(1, 1, _by(mysql="CHAR_LENGTH({0})", any="LENGTH({0})")),
    "replace": Function(3, 3, _same("REPLACE")),
    "substr": Function(2, 3, _substring),
    "substring": Function(2, 3, _substring),
    "concat": Function(1, 20, _concat),
    "year": Function(
        1,
        1,
        _by(
            sqlite="CAST(STRFTIME('%Y', {0}) AS INTEGER)",
            mysql="YEAR({0})",
            postgresql="CAST(EXTRACT(YEAR FROM {0}) AS INTEGER)",
        ),
    ),
    "month": Function(
        1,
        1,
        _by(
            sqlite="CAST(STRFTIME('%m', {0}) AS INTEGER)",
            mysql="MONTH({0})",
            postgresql="CAST(EXTRACT(MONTH FROM {0}) AS INTEGER)",
        ),
    ),
    "date": Function(1, 1, _by(sqlite="DATE({0})", mysql="DATE({0})", postgresql="CAST({0} AS DATE)")),
}


def _infix(sign: str) -> Render:
    return lambda terms, _: f"({terms[0]} {sign} {terms[1]})"


OPERATORS: Mapping[str, Render] = {
    **{sign: _infix(sign) for sign in ("+", "-", "*", "=", "<>", "<", "<=", ">", ">=")},
    "and": _infix("AND"),
    "or": _infix("OR"),
    # Ignores case, and a backslash is itself, on all three.
    "like": _by(sqlite="({0} LIKE {1})", mysql="({0} LIKE {1} ESCAPE '')", postgresql="({0} ILIKE {1} ESCAPE '')"),
    "%": _by(any="({0} % NULLIF({1}, 0))"),
    "/": _divide,
    "||": _join,
    "minus": _by(any="(-{0})"),
    "not": _by(any="(NOT {0})"),
    "is null": _by(any="({0} IS NULL)"),
    "is not null": _by(any="({0} IS NOT NULL)"),
    "between": _by(any="({0} BETWEEN {1} AND {2})"),
    "in": lambda terms, _: f"({terms[0]} IN ({', '.join(terms[1:])}))",
    "cast text": lambda terms, dialect: _as_text(terms[0], dialect),
    "cast int": _by(sqlite="CAST({0} AS INTEGER)", mysql="CAST({0} AS SIGNED)", postgresql="CAST({0} AS BIGINT)"),
    "cast float": _by(sqlite="CAST({0} AS REAL)", mysql="(({0}) + 0e0)", postgresql="CAST({0} AS DOUBLE PRECISION)"),
}

# What a condition gives, and what AND, OR, NOT and WHEN take.
CONDITIONS = frozenset(
    {"=", "<>", "<", "<=", ">", ">=", "and", "or", "not", "is null", "is not null", "between", "in", "like"}
)
