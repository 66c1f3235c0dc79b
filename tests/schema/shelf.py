"""A database for tests of loading: tables in memory, made as module files ask for them, away when told so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from schema.assembly import Binder
from schema.catalog import Catalog
from schema.ports import NewVersion, PlannedTable, Refusal, StoredVersion


class Shelf:
    """Answers the `schema.ports.Database` protocol from memory. `away` makes every call fail as a lost database does."""

    def __init__(self) -> None:
        self.tables = Catalog({})
        self.kept: list[StoredVersion] = []
        self.away = False

    async def catalog(self) -> Catalog:
        self._check()
        return self.tables

    async def refresh(self, catalog: Catalog, tables: Collection[str]) -> Catalog:
        self._check()
        found = dict(catalog.tables)
        for name in tables:
            if name in self.tables.tables:
                found[name] = self.tables.tables[name]
        return replace(catalog, tables=found, managed=self.tables.managed, dynamic_fields=self.tables.dynamic_fields)

    async def ensure_tables(self, plans: Sequence[PlannedTable]) -> Sequence[Refusal]:
        self._check()
        self.tables = Binder().imagined(self.tables, plans)
        return ()

    async def record_versions(self, versions: Sequence[NewVersion]) -> None:
        self._check()
        for item in versions:
            newest = next((kept for kept in reversed(self.kept) if kept.file == item.file), None)
            if newest is not None and newest.digest == item.digest:
                continue
            number = len(self.kept) + 1
            moment = datetime(2026, 1, 1, tzinfo=UTC)
            self.kept.append(StoredVersion(number, item.name, item.file, item.digest, item.source, item.author, moment))

    async def versions(self, name: str) -> Sequence[StoredVersion]:
        self._check()
        return [item for item in reversed(self.kept) if item.name == name]

    async def last_good(self) -> Mapping[str, StoredVersion]:
        self._check()
        return {item.file: item for item in self.kept}

    def _check(self) -> None:
        if self.away:
            raise ConnectionError("the database is away")
