"""Which table a module sits on, which side table belongs to it, and which tables go by several names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from schema.catalog import GROUP_TABLES, Catalog, Table, group_table
from schema.spec import Module

SIDE_PREFIX = "lambdesk_ext_"
_NAME_LIMIT = 63


def table_of(module: Module, catalog: Catalog) -> str | None:
    """Return the first of a module's tables that exists, or None."""
    return next((name for name in module.tables if name in catalog.tables), None)


def side_table(table: str) -> str:
    """Name the table that holds what layers add to a table which is not ours."""
    name = f"{SIDE_PREFIX}{table}"
    if len(name) <= _NAME_LIMIT:
        return name
    return f"{name[: _NAME_LIMIT - 9]}_{hashlib.sha256(table.encode()).hexdigest()[:8]}"


def present(table: str, catalog: Catalog) -> Table | None:
    """Return a table by its name, or by another name that it goes by."""
    found = catalog.tables.get(table)
    if found is None and table in GROUP_TABLES:
        known = group_table(catalog.tables)
        found = catalog.tables[known] if known is not None else None
    return found


def same_table(name: str, tables: Iterable[str]) -> bool:
    """Answer whether a table is one of these, by any name that it goes by."""
    wanted = set(tables)
    return name in wanted or (name in GROUP_TABLES and not wanted.isdisjoint(GROUP_TABLES))


def module_on(table: str, modules: Mapping[str, Module]) -> Module | None:
    """Return the module that sits on a table; of several the one named most like it, then the first by name."""
    found = [module for module in modules.values() if same_table(table, module.tables)]
    return min(found, key=lambda module: (module.name != table, len(module.name), module.name), default=None)
