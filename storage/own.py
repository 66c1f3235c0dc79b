"""Lambdesk's own tables, all named `lambdesk_*`, and what is kept in them: progress, managed tables, module versions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from schema.ports import NewVersion, StoredVersion
from storage.columns import LongText
from storage.engine import Database, Statement

PREFIX = "lambdesk_"

_METADATA = sa.MetaData()
# Options that only CREATE TABLE needs. Kept beside the tables: naming a dialect there would load it, and its cousins with it.
_OPTIONS: dict[str, dict[str, Any]] = {
    "mysql": {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"},
    "sqlite": {"sqlite_autoincrement": True},
}
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

META = sa.Table(
    "lambdesk_meta",
    _METADATA,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("value", sa.String(250), nullable=False),
)

MODULE = sa.Table(
    "lambdesk_module",
    _METADATA,
    sa.Column("managed_table", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(63), nullable=False),  # the module that asked for the table first
    sa.Column("beside", sa.String(64)),  # the base table of a side table
    sa.Column("created", sa.BigInteger, nullable=False),
)

VERSION = sa.Table(
    "lambdesk_module_version",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("file", sa.String(250), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("source", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),  # seconds since 1970
    sa.Index("lambdesk_module_version_name", "name"),
    sa.Index("lambdesk_module_version_file", "file"),
)

TABLES = (META, MODULE, VERSION)


def tables_for(dialect: str) -> list[sa.Table]:
    """Return the tables as they are created on a dialect."""
    made = []
    for table in TABLES:
        copy = table.to_metadata(sa.MetaData())
        copy.kwargs.update(_OPTIONS.get(dialect, {}) if dialect != "sqlite" or table is VERSION else {})
        made.append(copy)
    return made


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
