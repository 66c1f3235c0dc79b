"""One SELECT of a lambda's SQL as a statement over the rows that its caller sees.

The caller's row rules are in the WHERE of the first table, and in the ON of those that are joined: what he may not see is
not there, neither to be counted nor to be found by a join.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from resolvers.sql_ground import Derived, Ground, Rows, find_modules
from resolvers.sql_kinds import CONSTANTS, Kind, Said
from resolvers.sql_saying import Saying
from resolvers.sql_syntax import Item, Place, Query, RefusedSql, Sort, Source, Term, sums_up
from resolvers.sql_terms import Terms
from resolvers.sql_together import Sorted
from storage.dialects import Expression as Sql


class Select:
    """Says one SELECT: `outputs` are its columns, `sorts` those of them, and of more beside them, that it is sorted by."""

    def __init__(self, saying: Saying, query: Query, parent: Ground | None = None, *, is_top: bool = False) -> None:
        self.saying = saying
        self.query = query
        self.is_top = is_top
        self.ground = Ground(saying.tables, parent)
        self.terms = Terms(saying, self.ground, say_inside)
        self.outputs: list[Said] = []
        self.sorts: list[Sorted] = []
        self._columns: list[Sql] = []
        self._order: list[Sql] = []

    def say(self) -> sa.Select[Any]:
        """Say it, but for its limit."""
        query, ground = self.query, self.ground
        for source in query.sources:
            self._enter(source)
        conditions = [self._on(number, source) for number, source in enumerate(query.sources)]
        where = self._where()
        ground.outputs = {}
        items = tuple(Item(item.name, ground.settle(item.term)) for item in query.items)
        ground.outputs = {item.name.lower(): item.term for item in items}
        groups = tuple(ground.settle(term) for term in query.groups)
        having = None if query.having is None else ground.settle(query.having)
        grouped: list[Sql] = []
        if groups or having is not None or any(sums_up(item.term) for item in items):
            grouped = self._group(groups)
        for number, item in enumerate(items):
            self._output(number, item)
        for sort in query.order:
            self._sort(sort, items)
        kept = [] if having is None else [self.terms.condition(having)]
        return self._assembled(conditions, where, grouped, kept)

    # --- parts ---

    def _enter(self, source: Source) -> None:
        if isinstance(source.table, Query):
            inner = Select(self.saying, source.table)
            made = inner.limited()
            number = self.saying.enter()
            table = made.subquery(f"d{number}")
            names = [item.name for item in source.table.items]
            outputs = {
                name: Said(sa.column(f"c{place}", _selectable=table), said.kind, said.nullable)
                for place, (name, said) in enumerate(zip(names, inner.outputs, strict=True))
            }
            found: Rows | Derived = Derived(source.alias, table, outputs)
        else:
            self.saying.enter()
            modules = find_modules(source.table, self.saying.speech.modules.values(), self.saying.access)
            found = Rows(source.alias, modules, self.saying.access, self.saying.speech)
        self.ground.tables.append(found)
        if source.join == "left":
            self.ground.outer_joined.add(self.ground.first + len(self.ground.tables) - 1)

    def _where(self) -> Sql | None:
        if self.query.where is None:
            return None
        return self._plain(self.query.where, "WHERE")

    def _plain(self, term: Term, place: str) -> Sql:
        if sums_up(term):
            raise RefusedSql(f"COUNT, SUM, MIN, MAX and AVG do not stand in {place}; HAVING takes them.")
        return self.terms.condition(self.ground.settle(term))

    def _group(self, terms: Sequence[Term]) -> list[Sql]:
        if any(sums_up(term) or isinstance(term, CONSTANTS) for term in terms):
            raise RefusedSql("GROUP BY takes columns, and what the SELECT gives a name; not their numbers.")
        return self.terms.group(terms)

    def _output(self, number: int, item: Item) -> None:
        said = self.terms.value(item.term)
        self.outputs.append(said)
        self._columns.append(_labelled(said.sql, f"c{number}"))

    def _sort(self, sort: Sort, items: Sequence[Item]) -> None:
        """Sort by a column of the result, or by one of a table, which becomes a column beside the result's."""
        term = self.ground.settle(sort.term, outputs_first=True)
        place = next((number for number, item in enumerate(items) if item.term == term), None)
        if place is not None:
            self.sorts.append((f"c{place}", sort.direction))
            said = self.outputs[place]
        elif self.query.is_distinct or not isinstance(term, Place):
            raise RefusedSql("ORDER BY takes columns, and what the SELECT gives a name.")
        else:
            said = self.terms.value(term)
            self._sort_beside(said, sort.direction)
        self._order += self.saying.speech.dialect.order(said.sql, sort.direction, nullable=said.nullable)

    def _sort_beside(self, said: Said, direction: str) -> None:
        if self.is_top:
            name = f"s{len(self.sorts)}"
            self.sorts.append((name, direction))
            self._columns.append(_labelled(said.sql, name))

    def _assembled(
        self, conditions: Sequence[Sql | None], where: Sql | None, grouped: Sequence[Sql], having: Sequence[Sql]
    ) -> sa.Select[Any]:
        made: sa.Select[Any] = sa.select(*self._columns)
        source, limits = self._source(conditions)
        if source is not None:
            made = made.select_from(source)
        made = made.where(*limits, *(() if where is None else (where,)))
        made = made.group_by(*grouped).having(*having) if grouped or having else made
        made = made.distinct() if self.query.is_distinct else made
        return made.order_by(*self._order).correlate_except(*(table.table for table in self.ground.tables))

    def _source(self, conditions: Sequence[Sql | None]) -> tuple[FromClause | None, list[Sql]]:
        """Join the tables. What leaves the caller's rows is asked for last, when all columns have been said."""
        source: FromClause | None = None
        limits: list[Sql] = []
        for one, table, on in zip(self.query.sources, self.ground.tables, conditions, strict=True):
            limit = table.limit(self.saying.speech)
            if source is None or on is None:
                source = table.table
                limits += [] if limit is None else [limit]
                continue
            whole = on if limit is None else sa.and_(on, limit)
            source = source.join(table.table, whole, isouter=one.join == "left")
        return source, limits

    def _on(self, number: int, source: Source) -> Sql | None:
        if source.on is None:
            return None
        whole, self.ground.tables = self.ground.tables, self.ground.tables[: number + 1]
        try:  # the condition of a join knows the tables before it
            return self._plain(source.on, "ON")
        finally:
            self.ground.tables = whole

    def limited(self) -> sa.Select[Any]:
        """Say it with its own limit, as part of another one."""
        made, query = self.say(), self.query
        if query.limit is None and query.offset is None:
            return made.order_by(None)  # nobody sees the order, and databases look through what has none
        if query.limit is not None:
            made = made.limit(self.saying.slot(Kind.LIMIT, query.limit))
        return made if query.offset is None else made.offset(self.saying.slot(Kind.LIMIT, query.offset))


def _labelled(sql: Sql, name: str) -> Sql:
    """Name a column of the result. It has no type, so that nothing changes a value on its way; a bound value needs its own."""
    return (sql if isinstance(sql, sa.BindParameter) else sa.type_coerce(sql, sa.types.NullType())).label(name)


def say_top(saying: Saying, query: Query) -> tuple[sa.Select[Any], Select]:
    """Say a whole question: never more rows than it is to have."""
    made = Select(saying, query, is_top=True)
    select = made.say()
    wanted = () if query.limit is None else (query.limit,)
    select = select.limit(saying.slot(Kind.LIMIT, *wanted, is_top=True))
    if query.offset is not None:
        select = select.offset(saying.slot(Kind.LIMIT, query.offset))
    return select, made


def say_inside(saying: Saying, query: Query, parent: Ground | None) -> tuple[sa.Select[Any], Sequence[Said]]:
    """Say a query inside an expression."""
    made = Select(saying, query, parent)
    select = made.limited()
    return select, made.outputs
