"""What one binding works with: the module, the tables it sits on, the other modules, and the problems found so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from schema.catalog import WHOLE_NUMBERS, Catalog, Column, ColumnClass, Table
from schema.problems import Level, Place, Problem, suggest
from schema.spec import Field, Module
from schema.tables import table_of

SUGGESTED_FROM = 150
_TEXTS = frozenset({ColumnClass.STRING, ColumnClass.TEXT})


@dataclass(slots=True)
class Binding:
    """The state of one binding.

    `broken` are modules that nothing serves for, with the file of each; `dropped` are members that the module has to do
    without, for no fault of its own.
    """

    module: Module
    catalog: Catalog
    others: Mapping[str, Module]
    table: Table
    side: Table | None
    key: tuple[str, ...]
    broken: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)

    @property
    def is_managed(self) -> bool:
        """Whether Lambdesk made the table."""
        return self.table.name in self.catalog.managed

    def note(
        self,
        code: str,
        message: str,
        path: str = "",
        hint: str | None = None,
        *,
        level: Level = Level.ERROR,
        place: Place | None = None,
    ) -> None:
        """Note a problem at the place of a key (`fields.group.column`), or of what it belongs to."""
        where = self.module.places.get(path) or place or self.module.place
        self.problems.append(Problem(code, message, where, hint, path or None, level=level))

    def drop(
        self,
        name: str,
        code: str,
        message: str,
        path: str,
        hint: str | None,
        *,
        place: Place,
        level: Level = Level.WARNING,
    ) -> None:
        """Note that a member is left out of the module."""
        self.dropped.add(name)
        self.note(code, message, path, hint, level=level, place=place)

    def target(self, name: str) -> Module | None:
        """Return another module, or this one."""
        return self.module if name == self.module.name else self.others.get(name)

    def absence(self, name: str) -> tuple[str, str]:
        """Say why a module is not there, and what to do."""
        file = self.broken.get(name)
        if file is not None:
            return f"module `{name}` ({file}) is broken", f"Mend {file}."
        return f"there is no module `{name}`", nearest(name, [*self.others, *self.broken])

    def table_of(self, module: Module) -> Table | None:
        """Return the table of this or another module."""
        if module is self.module:
            return self.table
        name = table_of(module, self.catalog)
        return self.catalog.tables[name] if name is not None else None

    def key_of(self, module: Module, table: Table) -> tuple[str, ...]:
        """Return the key columns of this or another module."""
        return self.key if module is self.module else key_columns(module, table)


def key_columns(module: Module, table: Table) -> tuple[str, ...]:
    """Return the columns that tell a module's rows apart; empty when nothing does, or the file says so."""
    if module.declared_key is None:
        return table.key
    return tuple(column_named(module, table, name) or name for name in module.declared_key)


def column_named(module: Module, table: Table, name: str) -> str | None:
    """Return the column that a file means by a name: the one of the field, or the column itself."""
    found: Field | None = module.field_named(name)
    if found is not None and found.column in table.columns and not found.settings.get("virtual"):
        return found.column
    return name if name in table.columns else None


def near(word: str, allowed: Iterable[str]) -> str:
    """Suggest a column, or list what there is."""
    names = list(allowed)
    near_by = [name for name in (f"{word}_id", word.removesuffix("_id")) if name in names and name != word]
    if near_by:
        return f"Did you mean `{near_by[0]}`?"
    return suggest(word, names) or f"Columns: {', '.join(names[:40])}{', ...' if len(names) > 40 else ''}."  # noqa: PLR2004 - a readable hint


def nearest(name: str, modules: Collection[str]) -> str:
    """Suggest a module; among a thousand only those that start alike are compared, since comparing is slow."""
    alike = modules if len(modules) <= SUGGESTED_FROM else [word for word in modules if word[:2] == name[:2]]
    return suggest(name, list(alike)[:SUGGESTED_FROM]) or "Add the module, or mend the name."


def fits(one: ColumnClass, other: ColumnClass) -> bool:
    """Answer whether two columns can be compared without a conversion that defeats indexes."""
    return one == other or {one, other} <= WHOLE_NUMBERS or {one, other} <= _TEXTS


def describe(column: Column) -> str:
    """Name a column's type for people."""
    return f"{column.type}({column.size})" if column.size else str(column.type)
