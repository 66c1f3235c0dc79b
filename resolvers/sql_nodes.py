"""The nodes of sqlglot that a lambda's SQL may have, by name, and what may be on each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlglot import exp

from resolvers.sql_syntax import RefusedSql

Node: TypeAlias = exp.Expression
_NOTHING: tuple[Any, ...] = (None, False, "", [], ())


def parts(node: Node, allowed: tuple[str, ...], ignored: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a node is made of; anything but what is allowed refuses it."""
    found = {name: value for name, value in node.args.items() if value not in _NOTHING and name not in ignored}
    strange = next((name for name in found if name not in allowed), None)
    if strange is not None:
        raise RefusedSql(
            f"{_word_for(node)} with {strange.strip('_').replace('_', ' ')} is not allowed in the SQL of lambdas."
        )
    return found


def refused(node: Any) -> RefusedSql:
    """Say that something cannot be said."""
    return RefusedSql(f"{_word_for(node)} is not allowed in the SQL of lambdas.")


def _word_for(node: Any) -> str:
    """Name a node as SQL does: CurrentUser is CURRENT USER."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()


def written(node: Any) -> str:
    """Return a name as it is written."""
    if type(node) is not exp.Identifier:
        raise refused(node)
    name = str(node.this)
    if name.startswith("__"):
        raise RefusedSql(f"`{name}` is no name for a column: it begins with `__`.")
    return name


def plain(node: Any) -> str:
    """Return a name as names are compared: in lower case."""
    return written(node).lower()


def alias(node: Node) -> str:
    """Return the name that stands behind AS, without more behind it."""
    return plain(parts(node, ("this",))["this"])


# What sqlglot notes for itself of how a dialect means a function.
FLAGS = ("safe", "typed", "coalesce", "big_int", "ignore_nulls", "_type")
BINARY: Mapping[type, str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.DPipe: "||",
    exp.Like: "like",
    exp.ILike: "like",
}
FUNCTIONS: Mapping[type, tuple[str, tuple[str, ...]]] = {
    exp.Not: ("not", ("this",)),
    exp.Sum: ("sum", ("this",)),
    exp.Min: ("min", ("this", "expressions")),
    exp.Max: ("max", ("this", "expressions")),
    exp.Avg: ("avg", ("this",)),
    exp.Abs: ("abs", ("this",)),
    exp.Round: ("round", ("this", "decimals")),
    exp.Ceil: ("ceil", ("this",)),
    exp.Floor: ("floor", ("this",)),
    exp.Coalesce: ("coalesce", ("this", "expressions")),
    exp.Nullif: ("nullif", ("this", "expression")),
    exp.Greatest: ("greatest", ("this", "expressions")),
    exp.Least: ("least", ("this", "expressions")),
    exp.Lower: ("lower", ("this",)),
    exp.Upper: ("upper", ("this",)),
    exp.Trim: ("trim", ("this",)),
    exp.Length: ("length", ("this",)),
    exp.Concat: ("concat", ("expressions",)),
    exp.Replace: ("replace", ("this", "expression", "replacement")),
    exp.Substring: ("substr", ("this", "start", "length")),
    exp.Year: ("year", ("this",)),
    exp.Month: ("month", ("this",)),
    exp.Day: ("day", ("this",)),
    exp.Hour: ("hour", ("this",)),
    exp.Date: ("date", ("this",)),
}
CASTS: Mapping[Any, str] = {
    **dict.fromkeys((exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR), "text"),
    **dict.fromkeys((exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, "SIGNED"), "int"),
    **dict.fromkeys((exp.DType.FLOAT, exp.DType.DOUBLE, exp.DType.DECIMAL), "float"),
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "moment",
}
