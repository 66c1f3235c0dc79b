"""What the schema room asks of others, as Protocols: reflection, table making, version keeping, lambda examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schema.catalog import Catalog, ColumnClass
from schema.problems import Problem
from schema.spec import Module


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that a managed table or side table needs; rows are looked up by one that refers to others."""

    name: str
    type: ColumnClass
    size: int | None = None
    nullable: bool = True
    unique: bool = False
    default: str | int | float | None = None
    refers: bool = False


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table that the module files ask for.

    `key` names the key columns among `columns` (empty: an auto-increment `id` is added). `audit` adds create_time,
    create_by, change_time, change_by; `validity` adds valid_id. `beside` names the base table of a side table, whose
    key columns it repeats.
    """

    name: str
    module: str
    columns: tuple[PlannedColumn, ...]
    key: tuple[str, ...] = ()
    audit: bool = True
    validity: bool = False
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of a module file that went live, as kept in `lambdesk_module_version`."""

    id: int
    name: str
    file: str
    digest: str
    source: str
    author: str
    created: datetime


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version of a module file that just went live."""

    name: str
    file: str
    digest: str
    source: str
    author: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a planned table cannot be had: `column` is None when it concerns the table."""

    table: str
    column: str | None
    message: str
    hint: str | None = None


class Database(Protocol):
    """What loading modules needs of a database. Raises `ConnectionError` subclasses while the database is away."""

    async def catalog(self) -> Catalog:
        """Reflect everything."""

    async def refresh(self, catalog: Catalog, tables: Collection[str]) -> Catalog:
        """Reflect some tables again and return the catalog with them."""

    async def ensure_tables(self, plans: Sequence[PlannedTable]) -> Sequence[Refusal]:
        """Create or widen managed tables; say what cannot be done. Never drops, never touches other tables."""

    async def record_versions(self, versions: Sequence[NewVersion]) -> None:
        """Keep versions that went live (nothing happens for one that equals the newest of its file)."""

    async def versions(self, name: str) -> Sequence[StoredVersion]:
        """Return the kept versions of a module, newest first."""

    async def last_good(self) -> Mapping[str, StoredVersion]:
        """Return the newest kept version of every file, by file."""


class ExampleRunner(Protocol):
    """Compiles the lambdas of modules and runs their examples, where lambdas run at all."""

    async def check(self, modules: Sequence[Module]) -> Mapping[str, Sequence[Problem]]:
        """Return the problems of lambdas by module; nothing of those that compile and whose examples hold."""


@dataclass(frozen=True, slots=True)
class NoSandbox:
    """Where no lambda runs: code is kept, not looked at."""

    async def check(self, modules: Sequence[Module]) -> Mapping[str, Sequence[Problem]]:  # noqa: ARG002 - the protocol names it
        """Return no problem: nothing is run."""
        return {}
