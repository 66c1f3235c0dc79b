"""What is kept in Lambdesk's own tables: progress of the installation, managed tables, versions of module files."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from schema.ports import NewVersion, StoredVersion
from storage.engine import Database
from storage.own_tables import META, MODULE, VERSION
from storage.transaction import Statement


class Runner(Protocol):
    """A transaction, or something that runs statements like one."""

    async def execute(self, statement: Statement, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement."""


async def record_versions(database: Database, versions: Sequence[NewVersion]) -> None:
    """Keep versions that went live, in one transaction; one that equals the newest of its file is left out."""
    created = int(time.time())
    async with database.transaction() as transaction:
        files = {item.file for item in versions}
        newest = sa.select(sa.func.max(VERSION.c.id)).where(VERSION.c.file.in_(files)).group_by(VERSION.c.file)
        rows = await transaction.execute(sa.select(VERSION.c.file, VERSION.c.digest).where(VERSION.c.id.in_(newest)))
        known = {row[0]: row[1] for row in rows}
        values = [
            {
                "name": item.name,
                "file": item.file,
                "digest": item.digest,
                "source": item.source,
                "author": item.author,
                "created": created,
            }
            for item in versions
            if known.get(item.file) != item.digest
        ]
        if values:
            await transaction.execute(sa.insert(VERSION).inline(), values)


async def versions(database: Database, name: str) -> tuple[StoredVersion, ...]:
    """Return the kept versions of a module, newest first."""
    rows = await database.fetch(_version_rows().where(VERSION.c.name == name).order_by(VERSION.c.id.desc()))
    return tuple(map(_version, rows))


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A kept version without its source, which may be long."""

    id: int
    name: str
    file: str
    digest: str
    author: str
    created: datetime


async def version_heads(database: Database, name: str, limit: int) -> tuple[VersionHead, ...]:
    """Return the kept versions of a module without their sources, newest first."""
    columns = VERSION.c
    query = sa.select(columns.id, columns.name, columns.file, columns.digest, columns.author, columns.created)
    rows = await database.fetch(query.where(columns.name == name).order_by(columns.id.desc()).limit(limit))
    return tuple(
        VersionHead(id_, of, file, digest, author, datetime.fromtimestamp(created, UTC))
        for id_, of, file, digest, author, created in rows
    )


async def version_sources(database: Database, ids: Collection[int]) -> Mapping[int, str]:
    """Return the sources of kept versions, by id."""
    rows = await database.fetch(sa.select(VERSION.c.id, VERSION.c.source).where(VERSION.c.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


async def last_good(database: Database) -> Mapping[str, StoredVersion]:
    """Return the newest kept version of every file, by file."""
    newest = sa.select(sa.func.max(VERSION.c.id)).group_by(VERSION.c.file)
    rows = await database.fetch(_version_rows().where(VERSION.c.id.in_(newest)).order_by(VERSION.c.file))
    return {version.file: version for version in map(_version, rows)}


async def managed_tables(database: Database) -> frozenset[str]:
    """Name the tables that Lambdesk made from module files."""
    return frozenset(row[0] for row in await database.fetch(sa.select(MODULE.c.managed_table)))


async def read_meta(runner: Runner) -> dict[str, str]:
    """Read what the installation has noted."""
    return {row[0]: row[1] for row in await runner.execute(sa.select(META.c.name, META.c.value))}


async def write_meta(runner: Runner, name: str, value: str) -> None:
    """Note something; the newest value counts."""
    await runner.execute(sa.delete(META).where(META.c.name == name))
    await runner.execute(sa.insert(META), {"name": name, "value": value})


def _version_rows() -> sa.Select[Any]:
    columns = VERSION.c
    return sa.select(
        columns.id, columns.name, columns.file, columns.digest, columns.source, columns.author, columns.created
    )


def _version(row: tuple[Any, ...]) -> StoredVersion:
    number, name, file, digest, source, author, created = row
    return StoredVersion(number, name, file, digest, source, author, datetime.fromtimestamp(created, UTC))
