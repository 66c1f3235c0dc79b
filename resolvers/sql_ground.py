"""The tables of one SELECT of a lambda's SQL: only modules' that the caller may view, only fields that he may read.

A column that is hidden from the caller and one that there is not are told in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from identity.access import Access, Right
from resolvers.scope import Speech, column
from resolvers.sql_kinds import Kind, Said
from resolvers.sql_syntax import Call, Inner, Name, Place, RefusedSql, Term
from schema.catalog import GROUP_TABLES, WHOLE_NUMBERS, ColumnClass
from schema.spec import Home, Module, Operation
from storage.dialects import Dialect
from storage.dialects import Expression as Sql

_KINDS: Mapping[ColumnClass, Kind] = {
    **dict.fromkeys((*WHOLE_NUMBERS, ColumnClass.BOOL), Kind.WHOLE),
    **dict.fromkeys((ColumnClass.FLOAT, ColumnClass.DECIMAL), Kind.NUMBER),
    **dict.fromkeys((ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES), Kind.TEXT),
    ColumnClass.DATE: Kind.DAY,
    ColumnClass.DATETIME: Kind.MOMENT,
}


@dataclass(frozen=True, slots=True)
class Readable:
    """A column of a module that the caller may read."""

    name: str
    column_class: ColumnClass
    nullable: bool


def readable_columns(access: Access, module: Module, dialect: str) -> Mapping[str, Readable]:
    """Return what of a module's table a caller may read, by name in lower case: the key, and columns of fields shown to him."""
    # Of bytes that are no text PostgreSQL makes an error, also in a row that the caller does not see.
    usable = set(_KINDS) - ({ColumnClass.BYTES} if dialect == "postgresql" else set())
    found = {name: Readable(name, kind, nullable=False) for name, kind in _keys(module)}
    for item in module.shown_fields:
        is_plain = item.home is Home.TABLE and item.is_readable and item.kind != "file"
        if is_plain and item.column in module.columns and access.sees(module, item):
            found.setdefault(item.column, Readable(item.column, item.column_class, item.nullable))
    return {name.lower(): item for name, item in found.items() if item.column_class in usable}


def _keys(module: Module) -> Iterator[tuple[str, ColumnClass]]:
    return ((name, module.columns[name]) for name in module.key_columns if name in module.columns)


class Derived:
    """A query in FROM."""

    def __init__(self, alias: str, table: FromClause, outputs: Mapping[str, Said]) -> None:
        self.alias = alias
        self.table = table
        self._outputs = {name.lower(): said for name, said in outputs.items()}

    def has(self, name: str) -> bool:
        """Answer whether there is such a column."""
        return name in self._outputs

    def say(self, name: str) -> Said:
        """Say a column."""
        return self._outputs[name]

    def limit(self, _speech: Speech) -> Sql | None:
        """Its own tables have their limits inside."""
        return None


class Rows:
    """A table, as the rows of a module: of several on one table, of one that shows the caller all columns that are used."""

    def __init__(self, alias: str, modules: Sequence[Module], access: Access, speech: Speech) -> None:
        self.alias = alias
        self.table = speech.enter(modules[0].table)
        self._dialect = speech.dialect
        # First those whose rows are all his, so that the choice takes nothing away.
        self._modules = sorted(modules, key=access.is_bounded)
        self._columns = {module.name: readable_columns(access, module, speech.dialect.name) for module in modules}

    def has(self, name: str) -> bool:
        """Answer whether there is such a column for the caller."""
        return any(name in self._columns[module.name] for module in self._modules)

    def say(self, name: str) -> Said:
        """Say a column."""
        self._modules = [module for module in self._modules if name in self._columns[module.name]]
        if not self._modules:
            raise unknown_column(name, self.alias)
        found = self._columns[self._modules[0].name][name]
        kind = _KINDS[found.column_class]
        stored = _stored(self._dialect, column(self.table, found.name), found.column_class)
        return Said(stored, kind, found.nullable, is_short=found.column_class is ColumnClass.STRING)

    def limit(self, speech: Speech) -> Sql | None:
        """Return the condition that leaves the caller's rows; to be asked for when all columns have been said."""
        return speech.guard.limit(speech, self._modules[0], self.table)


def _stored(dialect: Dialect, stored: Sql, column_class: ColumnClass) -> Sql:
    if column_class is ColumnClass.DATE:
        return dialect.day(stored, column_class)
    if column_class is ColumnClass.BOOL and dialect.name == "postgresql":
        return sa.cast(stored, sa.Integer)
    return dialect.text(stored, column_class)


@dataclass(slots=True)
class Ground:
    """The tables that the terms of one SELECT may name. Numbers keep those of a whole statement apart."""

    first: int
    parent: Ground | None = None
    tables: list[Rows | Derived] = field(default_factory=list)
    outer_joined: set[int] = field(default_factory=set)
    keys: frozenset[Term] | None = None  # of GROUP BY, where there is one
    outputs: Mapping[str, Term] = field(default_factory=dict)  # settled, by name

    def settle(self, term: Term, *, outputs_first: bool = False) -> Term:
        """Put in place of every name what it means, so that equal terms are equal."""
        if isinstance(term, Name):
            return self._settled(term, outputs_first=outputs_first)
        if isinstance(term, Call):
            return Call(term.name, tuple(self.settle(part) for part in term.terms))
        if isinstance(term, Inner) and term.term is not None:
            return Inner(term.how, term.query, self.settle(term.term))
        return term

    def say(self, place: Place) -> Said:
        """Say a column, which may be one of a query around this one."""
        if place.source < self.first:
            if self.parent is None:
                raise RefusedSql("A SELECT in FROM cannot use the tables beside it.")
            return self.parent.say_from_inside(place)
        number = place.source - self.first
        found = self.tables[number].say(place.column)
        return replace(found, nullable=found.nullable or number in self.outer_joined)

    def say_from_inside(self, place: Place) -> Said:
        """Say a column for a query inside this one; where this one groups, it must be one of the keys."""
        if place.source >= self.first and self.keys is not None and place not in self.keys:
            raise ungrouped(place.column)
        return self.say(place)

    def _settled(self, name: Name, *, outputs_first: bool) -> Term:
        is_output = name.table is None and name.column in self.outputs
        if is_output and outputs_first:
            return self.outputs[name.column]
        found = self.find(name)
        if found is not None:
            return found
        if is_output:
            return self.outputs[name.column]
        raise unknown_column(name.column, name.table)

    def find(self, name: Name) -> Place | None:
        """Find the column that a name means, here or in a query around this one."""
        tables = [
            (number, table)
            for number, table in enumerate(self.tables, self.first)
            if name.table in (None, table.alias) and table.has(name.column)
        ]
        if len(tables) > 1:
            raise RefusedSql(f"`{name.column}` is a column of several tables; write one of their names before it.")
        if tables:
            return Place(tables[0][0], name.column)
        if any(table.alias == name.table for table in self.tables):
            raise unknown_column(name.column, name.table)
        return self.parent.find(name) if self.parent is not None else None


def find_modules(table: str, modules: Iterable[Module], access: Access) -> list[Module]:
    """Return the modules on a table that a caller may view; a table may be named as any module file names it."""
    found = [module for module in modules if table in _names(module) and _may_view(module, access)]
    if not found:
        raise RefusedSql(f"There is no table `{table}` that may be read here.")
    found.sort(key=lambda module: module.table.lower() != table)
    return [module for module in found if module.table == found[0].table]


def _names(module: Module) -> set[str]:
    names = {name.lower() for name in (module.table, *module.tables)}
    return names | set(GROUP_TABLES) if names & set(GROUP_TABLES) else names


def _may_view(module: Module, access: Access) -> bool:
    return Operation.VIEW in module.operations and access.may(module, Right.VIEW)


def unknown_column(name: str, table: str | None) -> RefusedSql:
    """Say that a column is not there, or not to be read."""
    where = f" of `{table}`" if table else ""
    return RefusedSql(f"There is no column `{name}`{where} that may be read here.")


def ungrouped(name: str) -> RefusedSql:
    """Say that a column has many values where one is wanted."""
    return RefusedSql(f"`{name}` must stand in GROUP BY, or in a COUNT, SUM, MIN, MAX or AVG.")
