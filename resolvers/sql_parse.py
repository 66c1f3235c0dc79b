"""From a lambda's SQL to the tree of `resolvers.sql_syntax`. sqlglot reads it; each of its nodes passes by name or not at all.

Loading sqlglot takes half a second and 36 MB, so nothing loads this file but an answer to the first question in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from resolvers.sql_nodes import Node, alias, parts, plain, refused, written
from resolvers.sql_parse_terms import LIST_LIMIT, UNREADABLE, TermParser
from resolvers.sql_syntax import Call, Item, Name, Number, Parameter, Query, RefusedSql, Sort, Source, Term
from resolvers.sql_words import read_words

PARSED_KEPT = 500
_QUERY = (
    "with_",
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "order",
    "distinct",
    "limit",
    "offset",
)
_JOINS = {("", ""): "inner", ("", "INNER"): "inner", ("LEFT", ""): "left", ("LEFT", "OUTER"): "left"}
_NAMELESS = frozenset({"and", "or", "not", "is", "in", "between", "like", "minus"})


@lru_cache(maxsize=PARSED_KEPT)
def parse(text: str) -> Query:
    """Read SQL, or raise `RefusedSql`."""
    words = read_words(text)
    try:
        found = sqlglot.parse(words.sql, dialect="postgres")
    except (SqlglotError, RecursionError, ValueError):  # its messages hold the author's words and colours of terminals
        raise RefusedSql(UNREADABLE) from None
    if len(found) != 1 or found[0] is None:
        raise RefusedSql(UNREADABLE)
    parser, node = Parser(words.texts), found[0]
    return parser.deeper(lambda: parser.query(node))  # type: ignore[arg-type] # what it calls Expr has the one subclass


class Parser(TermParser):
    """Turns a SELECT of sqlglot into a query."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__(texts)
        self.named: dict[str, Query] = {}

    def query(self, node: Node) -> Query:
        """Read a SELECT."""
        if isinstance(node, exp.SetOperation):
            raise RefusedSql("UNION, INTERSECT and EXCEPT are not allowed in the SQL of lambdas.")
        if type(node) is not exp.Select:
            raise refused(node)
        given = parts(node, _QUERY)
        outer = dict(self.named)
        self._name_queries(given.get("with_"))
        made = Query(
            items=self._items(given["expressions"]),
            sources=self._sources(given.get("from_"), given.get("joins") or ()),
            where=self._below(given.get("where"), exp.Where),
            groups=tuple(self.terms(parts(given["group"], ("expressions",)).get("expressions", ())))
            if "group" in given
            else (),
            having=self._below(given.get("having"), exp.Having),
            order=self._order(given.get("order")),
            is_distinct=self._is_distinct(given.get("distinct")),
            limit=self._count(given.get("limit"), exp.Limit),
            offset=self._count(given.get("offset"), exp.Offset),
        )
        self.named = outer
        return made

    def _name_queries(self, node: Node | None) -> None:
        """Read `WITH name AS (SELECT …)`; each use of the name stands for the query."""
        if node is None:
            return
        if node.args.get("recursive"):
            raise RefusedSql("WITH RECURSIVE is not allowed in the SQL of lambdas.")
        for one in parts(node, ("expressions",))["expressions"]:
            given = parts(one, ("this", "alias"))
            self.named[alias(given["alias"])] = self.deeper(lambda: self.query(given["this"]))  # noqa: B023 - called at once

    def _items(self, nodes: Sequence[Node]) -> tuple[Item, ...]:
        if len(nodes) > LIST_LIMIT:
            raise RefusedSql(f"A SELECT has at most {LIST_LIMIT} columns.")
        items = tuple(self._item(node, number) for number, node in enumerate(nodes, 1))
        names = [item.name for item in items]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise RefusedSql(f"Two columns of the result are called `{double}`; name one with AS.")
        return items

    def _item(self, node: Node, number: int) -> Item:
        if isinstance(node, exp.Alias):
            given = parts(node, ("this", "alias"))
            return Item(written(given["alias"]), self.term(given["this"]))
        term = self.term(node)
        return Item(_called(term) or f"column{number}", term)

    def _sources(self, first: Node | None, joins: Sequence[Node]) -> tuple[Source, ...]:
        if first is None:
            return ()
        called, table = self._table(parts(first, ("this",))["this"])
        found = [Source(called, table)]
        for join in joins:
            given = parts(join, ("this", "on", "side", "kind"))
            kind = (given.get("side", ""), given.get("kind", ""))
            if kind not in _JOINS or "on" not in given:
                raise RefusedSql("Tables are joined by JOIN … ON or LEFT JOIN … ON.")
            called, table = self._table(given["this"])
            found.append(Source(called, table, _JOINS[kind], self.term(given["on"])))
        if len({source.alias for source in found}) < len(found):
            raise RefusedSql("Two tables of one SELECT have the same name; give one another with AS.")
        return tuple(found)

    def _table(self, node: Node) -> tuple[str, str | Query]:
        if type(node) is exp.Subquery:
            given = parts(node, ("this", "alias"))
            if "alias" not in given:
                raise RefusedSql("A SELECT in FROM needs a name: (SELECT …) AS name.")
            return alias(given["alias"]), self.deeper(lambda: self.query(given["this"]))
        if type(node) is not exp.Table:
            raise refused(node)
        if node.args.get("db") or node.args.get("catalog"):
            raise RefusedSql("Tables are named without a schema or database before them.")
        given = parts(node, ("this", "alias"))
        name = plain(given["this"])
        called = alias(given["alias"]) if "alias" in given else name
        return called, self.named.get(name, name)

    def _is_distinct(self, node: Node | None) -> bool:
        return node is not None and not parts(node, ())

    def _order(self, node: Node | None) -> tuple[Sort, ...]:
        if node is None:
            return ()
        found = []
        for one in parts(node, ("expressions",))["expressions"]:
            given = parts(one, ("this", "desc", "nulls_first"))
            word = "DESC" if given.get("desc") else "ASC"
            term = self.term(given["this"])
            if isinstance(term, Number):
                raise RefusedSql("ORDER BY takes names of columns, not their numbers.")
            found.append(Sort(term, word if given.get("nulls_first") else f"{word}_NULLS_LAST"))
        return tuple(found)

    def _count(self, node: Node | None, kind: type[Node]) -> Number | Parameter | None:
        if node is None:
            return None
        if type(node) is not kind:
            raise refused(node)
        found = self.term(parts(node, ("expression",))["expression"])
        if isinstance(found, Parameter) or (isinstance(found, Number) and found.is_whole):
            return found
        raise RefusedSql("LIMIT and OFFSET take a whole number or a parameter.")

    def _below(self, node: Node | None, kind: type[Node]) -> Term | None:
        if node is None:
            return None
        if type(node) is not kind:
            raise refused(node)
        return self.term(parts(node, ("this",))["this"])


def _called(term: Term) -> str | None:
    """Name a column of the result that nobody named, as PostgreSQL does: by its column or its function."""
    if isinstance(term, Name):
        return term.column
    if not isinstance(term, Call):
        return None
    if term.name.startswith("cast "):
        return _called(term.terms[0])
    name = term.name.partition(" ")[0]
    return name if name.isalpha() and name not in _NAMELESS else None
