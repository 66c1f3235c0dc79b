"""What loading modules needs of a database (`schema.ports.Database`), put together from the rest of this room."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from schema.catalog import Catalog
from schema.ports import NewVersion, PlannedTable, Refusal, StoredVersion
from storage import own
from storage.engine import Database
from storage.managed import ensure_tables
from storage.reflect import reflect, refresh


class Library:
    """The database side of the module registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def catalog(self) -> Catalog:
        """Reflect everything."""
        return await reflect(self._database)

    async def refresh(self, catalog: Catalog, tables: Collection[str]) -> Catalog:
        """Reflect some tables again and return the catalog with them; tables that did not change keep their identity."""
        return await refresh(self._database, catalog, tables)

    async def ensure_tables(self, plans: Sequence[PlannedTable]) -> Sequence[Refusal]:
        """Create or widen managed tables; say what cannot be done."""
        return await ensure_tables(self._database, plans)

    async def record_versions(self, versions: Sequence[NewVersion]) -> None:
        """Keep versions that went live, in one transaction."""
        await own.record_versions(self._database, versions)

    async def versions(self, name: str) -> Sequence[StoredVersion]:
        """Return the kept versions of a module, newest first."""
        return await own.versions(self._database, name)

    async def last_good(self) -> Mapping[str, StoredVersion]:
        """Return the newest kept version of every file, by file."""
        return await own.last_good(self._database)
