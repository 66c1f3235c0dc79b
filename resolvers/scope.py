"""The tables of one statement: a base, and what is joined to it as terms ask for it. Every table enters here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from resolvers.errors import TooComplex
from resolvers.terms import Term, dynamic_column, joined_column
from schema.bindings import ToOne
from schema.catalog import WHOLE_NUMBERS, Catalog, ColumnClass
from schema.spec import Computed, Expression, Field, Home, Module
from storage.dialects import Dialect
from storage.dialects import Expression as Sql
from storage.own_tables import FILE
from storage.values import LAST_SECOND, binder

# SQLite joins 64 tables and MariaDB 61, and what conditions look into may count.
TABLES_LIMIT = 50
_TEXTS = frozenset({ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES})

# Dynamic fields of these objects hang on a number that stands for a name; the name is this column.
NAMED_OBJECTS: Mapping[str, str] = {"CustomerUser": "login", "CustomerCompany": "customer_id"}


class Guard(Protocol):
    """Says which rows of a module there are for the caller; `resolvers.guard` does."""

    def limit(self, speech: Speech, module: Module, table: FromClause) -> Sql | None:
        """Return the condition that leaves the caller's rows of a table; None where all of them are."""

    def limit_below(self, speech: Speech, module: Module, table: FromClause, led: str | None) -> Sql | None:
        """Return the same for rows which one has come to from a row of the caller's that `led`, a reference, refers to."""


class Everything:
    """No limit: for what must look at all rows, such as rules, and the keeping apart of what is unique."""

    def limit(self, _speech: Speech, _module: Module, _table: FromClause) -> Sql | None:
        """Leave everything."""
        return None

    def limit_below(self, _speech: Speech, _module: Module, _table: FromClause, _led: str | None) -> Sql | None:
        """Leave everything."""
        return None


OPEN = Everything()


@dataclass(slots=True)
class Speech:
    """How to speak to one database for one caller: its dialect, its tables, and which rows there are.

    `numbers` keeps the aliases of a statement apart.
    """

    dialect: Dialect
    catalog: Catalog
    zone: Any
    modules: Mapping[str, Module]
    by_table: Mapping[str, Sequence[Module]]
    guard: Guard
    numbers: count[int] = field(default_factory=count)

    def open(self) -> Speech:
        """Speak in the same statement of all rows, whoever calls."""
        return self if self.guard is OPEN else replace(self, guard=OPEN)

    def enter(self, table: str) -> FromClause:
        """Bring a table into the statement under a new alias. Rows of a module come in by a `Scope` instead."""
        return sa.table(_quoted(table)).alias(f"t{next(self.numbers)}")

    def limits(self, name: str, table: FromClause) -> list[Sql]:
        """Return what leaves the caller's rows of a table that stands between two modules, by every module that is on it."""
        found = (self.guard.limit(self, module, table) for module in self.by_table.get(name, ()))
        return [limit for limit in found if limit is not None]

    def is_unique(self, table: str, name: str) -> bool:
        """Answer whether the database itself keeps the values of a column apart, or nothing could pick one of several."""
        known = self.catalog.tables.get(table)
        return known is None or len(known.key) != 1 or (name,) in (known.key, *known.unique)

    def leads_somewhere(self, hop: ToOne) -> bool:
        """Answer whether the database itself keeps a reference from leading nowhere: there is a foreign key."""
        table = self.catalog.tables.get(hop.module.table)
        if table is None or hop.field.home is not Home.TABLE:
            return False
        link = (hop.field.column,), hop.target.table, (joined_column(hop),)
        return any((key.columns, key.table, key.target) == link for key in table.foreign_keys)

    def same(self, left: Sql, left_class: ColumnClass, right: Sql, right_class: ColumnClass) -> Sql:
        """Compare two columns exactly, also where one holds the digits of the other."""
        if left_class in _TEXTS and right_class in _TEXTS:
            return self.dialect.equals(left, self.dialect.text(right, right_class), left_class)
        if left_class in _TEXTS:
            return self._same_digits(left, right)
        if right_class in _TEXTS:
            return self._same_digits(right, left)
        return left == right

    def _same_digits(self, text: Sql, number: Sql) -> Sql:
        # The first half can use an index on the number, the second keeps `12x` from being 12.
        digits = self.dialect.exact(sa.cast(number, sa.String(20)), ColumnClass.STRING)
        return sa.and_(number == self.dialect.whole(text), digits == self.dialect.exact(text, ColumnClass.STRING))


def is_moment(seconds: Sql) -> Sql:
    """Tell seconds since 1970 that are read as a moment from 0, negative ones and those after the year 9999."""
    return sa.and_(seconds > sa.literal_column("0"), seconds <= sa.literal_column(str(LAST_SECOND)))


def column(table: FromClause, name: str) -> Sql:
    """Name a column of a table in the statement. It has no type, so that nothing changes a value on its way."""
    return sa.column(_quoted(name), _selectable=table)


def _quoted(name: str) -> sa.sql.quoted_name:
    return sa.sql.quoted_name(name, quote=True)  # what is reserved differs by database and version


def oldest(speech: Speech, hop: ToOne, target: FromClause) -> Sql:
    """Keep one row where several may have the value, as nothing in the database keeps them single."""
    to, key = joined_column(hop), hop.target.key_columns[0]
    others = speech.enter(hop.target.table)
    to_class = hop.target.columns.get(to, ColumnClass.OTHER)
    same = speech.same(column(others, to), to_class, column(target, to), to_class)
    # Not `key = (SELECT min(key) ...)`: MariaDB 10.11 loses rows of an outer join on that.
    older: sa.Select[Any] = sa.select(sa.literal_column("1")).where(same, column(others, key) < column(target, key))
    limit = speech.guard.limit(speech, hop.target, others)
    older = older if limit is None else older.where(limit)
    return ~older.correlate_except(others).exists()


class Scope:
    """A base table with its joins; `base` may be something else with the table's columns (`resolvers.ghosts`)."""

    def __init__(self, speech: Speech, module: Module, base: FromClause | None = None) -> None:
        self.speech = speech
        self.module = module
        self.base = speech.enter(module.table) if base is None else base
        self.tables: list[FromClause] = [self.base]
        self._source: FromClause = self.base
        limit = speech.guard.limit(speech, module, self.base)
        self._limits = () if limit is None else (limit,)
        self._joined: dict[tuple[str, ...], FromClause] = {(): self.base}
        self._sides: dict[tuple[str, ...], FromClause] = {}
        self._files: dict[tuple[str, ...], FromClause] = {}

    @property
    def is_limited(self) -> bool:
        """Whether the caller may see only some rows of the base."""
        return bool(self._limits)

    def select(self, *columns: Any) -> sa.Select[Any]:
        """Select from the tables asked for so far. There is no other way to them, so that nobody gets rows without limits."""
        return sa.select(*columns).select_from(self._source).where(*self._limits)

    def begin(self, table: FromClause, on: Sql) -> None:
        """Put a table before the base, which is joined to it."""
        self.tables.append(table)
        self._source = table.join(self.base, on)

    def read(self, found: FromClause, on: Sql) -> None:
        """Begin with rows that another scope found for the same caller: they are within the limits, which hold in there."""
        self.begin(found, on)
        self._limits = ()

    def table(self, hops: tuple[ToOne, ...]) -> FromClause:
        """Return the table that one comes to by references; it is joined when first asked for."""
        path = tuple(hop.field.name for hop in hops)
        found = self._joined.get(path)
        if found is None:
            found = self._join(hops)
            self._joined[path] = found
        return found

    def value(self, term: Term) -> Sql:
        """Say a term as it is stored."""
        if isinstance(term.item, str):
            return column(self.table(term.hops), term.item)
        if isinstance(term.item, Computed):
            return self._expression(term, term.item)
        if term.item.home is Home.SIDE:
            return column(self._side(term.hops, term.module), term.item.column)
        if term.item.home is Home.DYNAMIC:
            return self._dynamic(term, term.item)
        return column(self.table(term.hops), term.item.column)

    def comparable(self, term: Term) -> Sql:
        """Say a term so that it can be ordered, grouped and summed up: bytes as text, seconds that are no moment null."""
        value = self.value(term)
        if term.kind == "epoch":
            return sa.case((is_moment(value), value))
        return self.speech.dialect.text(value, term.column_class)

    def grouped(self, term: Term) -> Sql:
        """Say a term so that what reads the same is the same: one group for true, for UNKNOWN, for what leads nowhere."""
        item, dialect = term.item, self.speech.dialect
        if isinstance(item, Field) and item.to and item.to in self.speech.modules:
            target = self.speech.modules[item.to]
            hop = ToOne(term.module, item, target)
            return self.comparable(Term((*term.hops, hop), target, joined_column(hop)))
        if isinstance(item, Field) and item.options and term.column_class in _TEXTS | WHOLE_NUMBERS:
            return self._option(term, item)
        value = self.comparable(term)
        if term.kind == "bool" and not (term.column_class is ColumnClass.BOOL and dialect.name == "postgresql"):
            zero: Sql = sa.literal_column("0")
            return sa.case((value != zero, sa.literal_column("1")), (value == zero, zero))
        if term.column_class in (ColumnClass.DATE, ColumnClass.DATETIME):
            return dialect.readable_moment(value)
        return value

    def _option(self, term: Term, item: Field) -> Sql:
        """Say one of the options, or a value that is none of them for all the others."""
        dialect = self.speech.dialect
        value = self.value(term)
        bind = binder(dialect.name, item.kind, term.column_class, self.speech.zone)
        options = [bind(option.value) for option in item.options]
        numbers = [option for option in options if isinstance(option, int)]
        other = bind(max(numbers) + 1 if numbers else max(map(str, options)) + "?")
        known = dialect.is_in(value, options, term.column_class)
        return sa.case((known, dialect.text(value, term.column_class)), (value.is_not(None), sa.literal(other)))

    def dynamic_rows(self, term: Term, item: Field) -> tuple[sa.Select[Any], FromClause]:
        """Return the rows of a dynamic field of the term's row, without columns, and the table that holds the values."""
        outer = self.table(term.hops)
        values = self.speech.enter("dynamic_field_value")
        if item.dynamic is None:
            raise LookupError(f"The dynamic field {item.name} is not bound.")
        found = sa.select().select_from(values).where(column(values, "field_id") == item.dynamic.id)
        tables = [values]
        name = NAMED_OBJECTS.get(item.dynamic.object_type)
        if name is None:
            owner = column(outer, term.module.key_columns[0])
            found = found.where(column(values, "object_id") == owner)
        else:
            names = self.speech.enter("dynamic_field_obj_id_name")
            tables.append(names)
            found = found.where(
                column(names, "object_id") == column(values, "object_id"),
                column(names, "object_type") == item.dynamic.object_type,
                self.speech.dialect.equals(column(names, "object_name"), column(outer, name), ColumnClass.STRING),
            )
        return found.correlate_except(*tables), values

    def stored_file(self, term: Term) -> FromClause:
        """Return the table of uploaded files, joined by the id that a field holds."""
        found = self._files.get(term.key)
        if found is None:
            stored = self.value(term)
            found = self._files[term.key] = self.speech.enter(FILE.name)
            self._add(found, self.speech.same(column(found, "id"), ColumnClass.STRING, stored, term.column_class))
        return found

    def _join(self, hops: tuple[ToOne, ...]) -> FromClause:
        hop = hops[-1]
        stored = Term(hops[:-1], hop.module, hop.field)
        left = self.value(stored)
        target = self.speech.enter(hop.target.table)
        to = joined_column(hop)
        to_class = hop.target.columns.get(to, ColumnClass.OTHER)
        on = self.speech.same(column(target, to), to_class, left, stored.column_class)
        if not self.speech.is_unique(hop.target.table, to):
            on = sa.and_(on, oldest(self.speech, hop, target))
        limit = self.speech.guard.limit(self.speech, hop.target, target)
        on = on if limit is None else sa.and_(on, limit)  # what the caller may not see is not there
        self._add(target, on)
        return target

    def _add(self, table: FromClause, on: Sql) -> None:
        """Join a table. Raises `TooComplex` before there are more than a database joins."""
        self.tables.append(table)
        if len(self.tables) > TABLES_LIMIT:
            raise TooComplex(
                f"One statement would join more than {TABLES_LIMIT} tables; ask for fewer references at once."
            )
        self._source = self._source.outerjoin(table, on)

    def _side(self, hops: tuple[ToOne, ...], module: Module) -> FromClause:
        path = tuple(hop.field.name for hop in hops)
        found = self._sides.get(path)
        if found is None:
            owner = self.table(hops)
            found = self._sides[path] = self.speech.enter(module.side_table or "")
            self._add(found, sa.and_(*(column(found, key) == column(owner, key) for key in module.key_columns)))
        return found

    def _expression(self, term: Term, item: Computed) -> Sql:
        if item.expression is None:
            raise LookupError(f"The computed field {item.name} is no expression.")
        table = self.table(term.hops)
        text = item.expression.rendered[self.speech.dialect.name]
        return sa.literal_column(f"({text.replace(Expression.ALIAS, str(table.name))})")  # type: ignore[attr-defined]

    def _dynamic(self, term: Term, item: Field) -> Sql:
        rows, values = self.dynamic_rows(term, item)
        name = dynamic_column(item)[0]
        first = rows.add_columns(column(values, name)).order_by(column(values, "id")).limit(written(1))
        return first.scalar_subquery()


def written(number: int) -> sa.ColumnClause[int]:
    """Write how many rows are wanted as a number in the text: it belongs to the statement's form.

    Behind a mark, PostgreSQL takes it for a tenth of all rows, finds a plan for any values dear, and plans anew at every run.
    """
    return sa.literal_column(str(int(number)), sa.Integer)
