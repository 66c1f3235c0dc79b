"""The module file for a table of the database, with the rows of small tables that it refers to as options."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from schema.catalog import Catalog, Table
from schema.problems import suggest
from schema.scaffold import OPTION_LIMIT, module_yaml
from schema.spec import Module
from storage.engine import Database
from storage.library import Library


async def scaffold(database: Database, name: str, modules: Mapping[str, Module]) -> str:
    """Write the file. Raises `LookupError` where there is no such table, `ValueError` where it can be no module."""
    catalog = await Library(database).catalog()
    table = catalog.tables.get(name)
    if table is None:
        hint = suggest(name, catalog.tables)
        raise LookupError(" ".join(filter(None, (f"The database has no table `{name}`.", hint))))
    lookups = {
        key.table: await _read_lookup(database, catalog.tables[key.table])
        for key in table.foreign_keys
        if _is_lookup(catalog, key.table)
    }
    return module_yaml(table, catalog, lookups, modules)


def _is_lookup(catalog: Catalog, name: str) -> bool:
    return name in catalog.tables and {"id", "name"} <= catalog.tables[name].columns.keys()


async def _read_lookup(database: Database, table: Table) -> list[tuple[int, str]]:
    """Read the rows of a table that may be small enough to become options."""
    source = sa.table(table.name, sa.column("id"), sa.column("name"))
    rows = await database.fetch(sa.select(source).order_by(source.c.id).limit(OPTION_LIMIT + 1))
    return [(int(row[0]), str(row[1])) for row in rows]
