"""SQL expressions of module files: one small language, read here and written for each database.

The grammar is the allow-list. Nothing of the author's text reaches a database: names are looked up among the table's
columns, values are written anew, functions come from a table with one rendering a database. (A general SQL parser costs
36 MB and half a second to load, and reads far more than may be said here.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from schema.spec import Expression
from schema.sql_functions import CONDITIONS, DIALECTS, FUNCTIONS, OPERATORS
from schema.sql_reader import Call, Column, ExpressionError, Literal, Reader, Term


@dataclass(frozen=True, slots=True)
class Beside(Column):
    """A column of the side table whose row has the same key. Brings its own query: an expression has one alias."""

    table: str = ""
    key: tuple[str, ...] = ()


_BESIDE = "lambdesk_beside"

_ARITHMETIC = frozenset({"+", "-", "*", "minus"})
# What gives one of its values, or as many bits.
_PASSING = frozenset({"coalesce", "ifnull", "nullif", "if", "case", "abs", "least", "greatest", "mod", "%"})


def _render(term: Term, dialect: str, alias: str, *, condition: bool = False) -> str:
    """Write a term. PostgreSQL tells conditions from numbers: `condition` says that one is wanted here."""
    if isinstance(term, Column):
        text = _column(term, dialect, alias)
        return f"({text} <> 0)" if condition else text
    if isinstance(term, Literal):
        return _literal(term, dialect, condition=condition)
    if term.name == "case":
        return _case(term, dialect, alias, condition=condition)
    wants = term.name in ("and", "or", "not")
    terms = tuple(
        _render(part, dialect, alias, condition=True)
        if wants or (term.name == "if" and index == 0)
        else _value(part, dialect, alias)
        for index, part in enumerate(term.terms)
    )
    function = FUNCTIONS.get(term.name)
    text = function.render(terms, dialect) if function else OPERATORS[term.name](terms, dialect)
    if term.name in CONDITIONS:
        return text
    return f"({text} <> 0)" if condition else text


def _column(term: Column, dialect: str, alias: str) -> str:
    if not isinstance(term, Beside):
        return f"{alias}.{_quote(term.name, dialect)}"
    same = " AND ".join(f"{_BESIDE}.{_quote(name, dialect)} = {alias}.{_quote(name, dialect)}" for name in term.key)
    table = _quote(term.table, dialect)
    return f"(SELECT {_BESIDE}.{_quote(term.name, dialect)} FROM {table} {_BESIDE} WHERE {same})"  # noqa: S608 - names of the catalog, quoted


def _case(term: Call, dialect: str, alias: str, *, condition: bool) -> str:
    parts = ["CASE"]
    for index in range(0, len(term.terms) - 1, 2):
        parts.append(f"WHEN {_render(term.terms[index], dialect, alias, condition=True)}")
        parts.append(f"THEN {_value(term.terms[index + 1], dialect, alias)}")
    parts.append(f"ELSE {_value(term.terms[-1], dialect, alias)} END")
    text = " ".join(parts)
    return f"({text} <> 0)" if condition else text


def _value(term: Term, dialect: str, alias: str) -> str:
    """Write a term as a value: a condition becomes 1 or 0 (null stays null), the same on all three."""
    text = _render(term, dialect, alias)
    if dialect == "postgresql" and isinstance(term, Call) and term.name in CONDITIONS:
        return f"CAST({text} AS INTEGER)"
    return text


def _literal(term: Literal, dialect: str, *, condition: bool) -> str:
    value = term.value
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return ("(1 = 1)" if value else "(1 = 0)") if condition else str(int(value))
    if isinstance(value, (int, float)):
        return f"({term.digits} <> 0)" if condition else term.digits
    text = value.replace("'", "''")
    if dialect == "mysql":
        text = text.replace("\\", "\\\\")
    return f"'{text}'"


def _quote(name: str, dialect: str) -> str:
    mark = "`" if dialect == "mysql" else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def _columns(term: Term) -> list[str]:
    if isinstance(term, Column):
        return [term.name]
    if isinstance(term, Literal):
        return []
    return list(dict.fromkeys(name for part in term.terms for name in _columns(part)))


def _renamed(term: Term, names: Mapping[str, Term]) -> Term:
    if isinstance(term, Column):
        return names[term.name]
    if isinstance(term, Call):
        return Call(term.name, tuple(_renamed(part, names) for part in term.terms))
    return term


def _wide(term: Term, *, inside: bool = False) -> Term:
    """Calculate with 64 bits: PostgreSQL stays within the type of the columns and refuses the statement beyond it."""
    if isinstance(term, Column):
        return Call("cast int", (term,)) if inside and term.whole else term
    if not isinstance(term, Call):
        return term
    inside = term.name in _ARITHMETIC or (inside and term.name in _PASSING)
    return Call(term.name, tuple(_wide(part, inside=inside) for part in term.terms))


@lru_cache(maxsize=1024)
def _read(text: str) -> Term:
    reader = Reader(text)
    if not reader.tokens:
        raise ExpressionError("it is empty")
    term = reader.term()
    if reader.at < len(reader.tokens):
        raise ExpressionError(f"`{reader.tokens[reader.at][1]}` is misplaced", "Write one expression.")
    return term


def parse(text: str, columns: Mapping[str, Term] | None = None) -> Expression:
    """Read an expression, or raise `ExpressionError`.

    `columns` maps every name that may be used to what it stands for; without it names are taken as they are (the table
    is not known yet).
    """
    term = _read(text)
    names = _columns(term)
    if columns is not None:
        missing = next((name for name in names if name not in columns), None)
        if missing is not None:
            raise ExpressionError(f"there is no column `{missing}`", None)
        term = _renamed(term, columns)
        names = _columns(term)
    rendered = {dialect: _value(term, dialect, Expression.ALIAS) for dialect in DIALECTS}
    rendered["postgresql"] = _value(_wide(term), "postgresql", Expression.ALIAS)
    return Expression(text, tuple(names), rendered)


@dataclass(frozen=True, slots=True)
class Selection:
    """`SELECT value, caption FROM table WHERE condition ORDER BY column`: where a filter's choices come from."""

    table: str
    value: str
    label: str
    condition: Expression | None = None
    order: str | None = None


def parse_select(text: str) -> Selection:
    """Read the SELECT of a GOTRS filter, or raise `ExpressionError`."""
    reader = Reader(text.rstrip().removesuffix(";"))
    reader.need("select")
    reader.take("distinct")
    names = [_plain_column(reader)]
    while reader.take(","):
        names.append(_plain_column(reader))
    if len(names) > 2:  # noqa: PLR2004 - a value and a caption
        raise ExpressionError("a filter's query selects a value and a caption")
    reader.need("from")
    table = _plain_column(reader)
    condition = None
    if reader.take("where"):
        term = reader.term()
        condition = _condition(text, term)
    order = None
    if reader.take("order"):
        reader.need("by")
        order = _plain_column(reader)
        reader.take("asc", "desc")
    if reader.at < len(reader.tokens):
        raise ExpressionError(
            f"`{reader.tokens[reader.at][1]}` is misplaced",
            "Write `SELECT id, name FROM queue WHERE valid_id = 1 ORDER BY name`.",
        )
    return Selection(table, names[0], names[-1], condition, order)


def parse_condition(text: str) -> Expression:
    """Read a condition over the columns of one table, or raise `ExpressionError`."""
    return _condition(text, _read(text))


def _condition(text: str, term: Term) -> Expression:
    rendered = {dialect: _render(term, dialect, Expression.ALIAS, condition=True) for dialect in DIALECTS}
    return Expression(text, tuple(_columns(term)), rendered)


def _plain_column(reader: Reader) -> str:
    found = reader._primary()  # noqa: SLF001 - the reader of this file
    if not isinstance(found, Column):
        raise ExpressionError("only plain names are allowed there")
    return found.name
