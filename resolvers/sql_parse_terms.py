"""Expressions of a lambda's SQL, from nodes of sqlglot to terms of `resolvers.sql_syntax`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlglot import exp

from resolvers.sql_nodes import BINARY, CASTS, FLAGS, FUNCTIONS, Node, parts, plain, refused
from resolvers.sql_syntax import Call, Inner, Name, Now, Null, Number, Parameter, Query, RefusedSql, Span, Term, Text

UNREADABLE = "The SQL cannot be read as one SELECT."
DEPTH_LIMIT = 24
LIST_LIMIT = 200  # of terms in one list: IN, CASE, outputs
SPAN_LIMIT_DAYS = 36_525

_PARTS_OF_MOMENTS = frozenset({"year", "month", "day", "hour"})
_SPANS = "An INTERVAL is a whole number of seconds, minutes, hours, days or weeks, of at most 100 years."
_UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_SPAN = re.compile(r"\s*(\d{1,9})\s+(second|minute|hour|day|week)s?\s*", re.ASCII)

Thing = TypeVar("Thing")


class TermParser(ABC):
    """Turns nodes into terms. A node that is in no table here, or has anything on it that is not, is refused."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts  # that stood between quotes
        self.depth = 0

    @abstractmethod
    def query(self, node: Node) -> Query:
        """Read a SELECT, as `resolvers.sql_parse` does."""

    def term(self, node: Node) -> Term:
        """Read an expression."""
        return self.deeper(lambda: self._term(node))

    def deeper(self, read: Callable[[], Thing]) -> Thing:
        """Read something inside of a node."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise RefusedSql(f"The SQL is nested more than {DEPTH_LIMIT} deep.")
        try:
            return read()
        except (KeyError, AttributeError):  # a part is not there that such a node should have
            raise RefusedSql(UNREADABLE) from None
        finally:
            self.depth -= 1

    def _term(self, node: Node) -> Term:
        kind = type(node)
        if kind in BINARY:
            given = parts(node, ("this", "expression"), FLAGS)
            return _moved(BINARY[kind], self.term(given["this"]), self.term(given["expression"]))
        if kind in FUNCTIONS:
            return self._function(node, *FUNCTIONS[kind])
        make = _TERMS.get(kind)
        if make is None:
            raise refused(node)
        found: Term = make(self, node)
        return found

    def terms(self, nodes: Sequence[Node]) -> tuple[Term, ...]:
        """Read a list of expressions."""
        if len(nodes) > LIST_LIMIT:
            raise RefusedSql(f"A list has at most {LIST_LIMIT} values.")
        return tuple(map(self.term, nodes))

    def _function(self, node: Node, name: str, places: tuple[str, ...]) -> Term:
        given = parts(node, places, FLAGS)
        found: list[Term] = []
        for place in places:
            part = given.get(place)
            if isinstance(part, list):
                found += self.terms(part)
            elif part is not None:
                found.append(self.term(part))
        return Call(name, tuple(found))

    def _chain(self, node: Node) -> Term:
        """Read a AND b AND c as one; the parser nests them to the left."""
        kind, found = type(node), []
        while type(node) is kind:
            given = parts(node, ("this", "expression"))
            found.append(given["expression"])
            node = given["this"]
        return Call("and" if kind is exp.And else "or", self.terms([node, *reversed(found)]))

    def _is(self, node: Node) -> Term:
        given = parts(node, ("this", "expression", "negate"))
        if type(given["expression"]) is not exp.Null:
            raise RefusedSql("IS stands before NULL or NOT NULL.")
        found = Call("is null", (self.term(given["this"]),))
        return Call("not", (found,)) if given.get("negate") else found

    def _in(self, node: Node) -> Term:
        given = parts(node, ("this", "expressions", "query"))
        looked_for = self.term(given["this"])
        if "query" in given:
            return Inner("in", self._inner(given["query"]), looked_for)
        return Call("in", (looked_for, *self.terms(given["expressions"])))

    def _between(self, node: Node) -> Term:
        given = parts(node, ("this", "low", "high"))
        return Call("between", tuple(self.term(given[name]) for name in ("this", "low", "high")))

    def _exists(self, node: Node) -> Term:
        return Inner("exists", self.query(parts(node, ("this",))["this"]))

    def _inner(self, node: Node) -> Query:
        return self.query(parts(node, ("this",))["this"])

    def _case(self, node: Node) -> Term:
        given = parts(node, ("this", "ifs", "default"))
        subject = self.term(given["this"]) if "this" in given else None
        found: list[Term] = []
        if len(given["ifs"]) > LIST_LIMIT:
            raise RefusedSql(f"A CASE has at most {LIST_LIMIT} branches.")
        for branch in given["ifs"]:
            part = parts(branch, ("this", "true"))
            when = self.term(part["this"])
            found += [when if subject is None else Call("=", (subject, when)), self.term(part["true"])]
        return Call("case", (*found, self.term(given["default"]) if "default" in given else Null()))

    def _if(self, node: Node) -> Term:
        given = parts(node, ("this", "true", "false"))
        return Call("case", tuple(self.term(given[name]) for name in ("this", "true", "false")))

    def _count_call(self, node: Node) -> Term:
        given = parts(node, ("this", "expressions"), FLAGS)
        what = given.get("this")
        if type(what) is exp.Star and not parts(what, ()):
            return Call("count", ())
        if type(what) is exp.Distinct:
            counted = parts(what, ("expressions",)).get("expressions", ())
            if len(counted) != 1:
                raise RefusedSql("COUNT(DISTINCT …) takes one column.")
            return Call("count distinct", (self.term(counted[0]),))
        if what is None or given.get("expressions"):
            raise RefusedSql("COUNT takes `*` or one column.")
        return Call("count", (self.term(what),))

    def _cast(self, node: Node) -> Term:
        given = parts(node, ("this", "to"), ("_type",))
        kind = given["to"]
        own = str(getattr(kind.args.get("kind"), "this", "")).upper()  # a name that is no type of PostgreSQL's
        target = CASTS.get(own or kind.this)
        if target is None:
            raise RefusedSql("CAST goes to TEXT, INTEGER, FLOAT, DECIMAL, DATE or TIMESTAMP.")
        return Call(f"cast {target}", (self.term(given["this"]),))

    def _extract(self, node: Node) -> Term:
        given = parts(node, ("this", "expression"))
        part = str(given["this"].this).lower()
        if part not in _PARTS_OF_MOMENTS:
            raise RefusedSql("EXTRACT takes YEAR, MONTH, DAY or HOUR.")
        return Call(part, (self.term(given["expression"]),))

    def _interval(self, node: Node) -> Term:
        given = parts(node, ("this", "unit"))
        if type(given["this"]) is not exp.Literal:
            raise RefusedSql(_SPANS)
        text = given["this"].this
        text = self.texts.get(text, text) if given["this"].is_string else text
        unit = f" {given['unit'].this}" if "unit" in given else ""
        found = _SPAN.fullmatch(f"{text}{unit}".lower())
        seconds = int(found[1]) * _UNITS[found[2]] if found else 0
        if found is None or seconds > SPAN_LIMIT_DAYS * _UNITS["day"]:
            raise RefusedSql(_SPANS)
        return Span(seconds)

    def _added(self, node: Node) -> Term:
        given = parts(node, ("this", "expression"))
        sign = "+" if type(node) is exp.DateAdd else "-"
        return _moved(sign, self.term(given["this"]), self.term(given["expression"]))

    def _now(self, node: Node) -> Term:
        if parts(node, ()):
            raise refused(node)
        return Now(is_midnight=type(node) is exp.CurrentDate)

    def _anonymous(self, node: Node) -> Term:
        given = parts(node, ("this", "expressions"))
        name = str(given["this"]).lower()
        if name == "curdate" and not given.get("expressions"):
            return Now(is_midnight=True)
        raise RefusedSql(f"The function `{name}` is not allowed in the SQL of lambdas.")

    def _column(self, node: Node) -> Term:
        if type(node.this) is exp.Star:
            raise RefusedSql("Name the columns: `*` is not allowed.")
        if node.args.get("db"):
            raise RefusedSql("A column is named alone, or behind the name of its table.")
        given = parts(node, ("this", "table"))
        return Name(plain(given["this"]), plain(given["table"]) if "table" in given else None)

    def _literal(self, node: Node) -> Term:
        if not node.is_string:
            return Number(node.this)
        return Text(self.texts[node.this])

    def _minus(self, node: Node) -> Term:
        found = self.term(parts(node, ("this",))["this"])
        if isinstance(found, Number) and not found.digits.startswith("-"):
            return Number(f"-{found.digits}")
        return Call("minus", (found,))

    def _paren(self, node: Node) -> Term:
        return self.term(parts(node, ("this",))["this"])

    def _star(self, _: Node) -> Term:
        raise RefusedSql("Name the columns: `*` is not allowed.")

    def _parameter(self, node: Node) -> Term:
        return Parameter(int(parts(node, ("this",))["this"].removeprefix("p")) - 1)


def _moved(sign: str, left: Term, right: Term) -> Term:
    """Add or subtract; the moment of asking is moved at once."""
    if isinstance(left, Now) and isinstance(right, Span) and sign in ("+", "-"):
        return replace(left, seconds=left.seconds + (right.seconds if sign == "+" else -right.seconds))
    return Call(sign, (left, right))


_TERMS: Mapping[type, Callable[[TermParser, Any], Term]] = {
    exp.Column: TermParser._column,  # noqa: SLF001 - the table belongs to the class, as for all below
    exp.Literal: TermParser._literal,  # noqa: SLF001
    exp.Placeholder: TermParser._parameter,  # noqa: SLF001
    exp.Null: lambda _parser, _node: Null(),
    exp.Boolean: lambda _parser, node: Number("1" if node.this else "0"),
    exp.Paren: TermParser._paren,  # noqa: SLF001
    exp.Neg: TermParser._minus,  # noqa: SLF001
    exp.And: TermParser._chain,  # noqa: SLF001
    exp.Or: TermParser._chain,  # noqa: SLF001
    exp.Is: TermParser._is,  # noqa: SLF001
    exp.In: TermParser._in,  # noqa: SLF001
    exp.Between: TermParser._between,  # noqa: SLF001
    exp.Exists: TermParser._exists,  # noqa: SLF001
    exp.Subquery: lambda parser, node: Inner("value", parser._inner(node)),  # noqa: SLF001
    exp.Case: TermParser._case,  # noqa: SLF001
    exp.If: TermParser._if,  # noqa: SLF001
    exp.Count: TermParser._count_call,  # noqa: SLF001
    exp.Cast: TermParser._cast,  # noqa: SLF001
    exp.Extract: TermParser._extract,  # noqa: SLF001
    exp.Interval: TermParser._interval,  # noqa: SLF001
    exp.DateAdd: TermParser._added,  # noqa: SLF001
    exp.DateSub: TermParser._added,  # noqa: SLF001
    exp.CurrentTimestamp: TermParser._now,  # noqa: SLF001
    exp.CurrentDate: TermParser._now,  # noqa: SLF001
    exp.Anonymous: TermParser._anonymous,  # noqa: SLF001
    exp.Star: TermParser._star,  # noqa: SLF001
}
