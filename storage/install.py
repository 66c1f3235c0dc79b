"""Getting a database ready: a new one gets the OTRS layout and first rows, one that holds them is adopted untouched.

SQLite and PostgreSQL do it all in one transaction. MariaDB commits every CREATE TABLE by itself, so progress is noted in
`lambdesk_meta`, every table comes whole with its keys and indexes, and all first rows come in one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from schema.catalog import group_table
from storage import indexes
from storage.engine import Database
from storage.errors import InstallRefused
from storage.own import read_meta, write_meta
from storage.own_tables import META, PREFIX, TABLES, WORD_INDEX, tables_for
from storage.transaction import Transaction
from storage.words import make_word_index

LAYOUT = "znuny65"
LOCK_TIMEOUT_S = 60

# The group table's name tells the members of the family apart (OTRS 6, Znuny from 6.1, OTOBO 11).
LAYOUTS = {"permission_groups": "znuny", "groups": "otrs", "groups_table": "otobo"}
_CORE = frozenset({"ticket", "queue", "users", "article", "ticket_state", "valid"})

_TABLE_NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    "postgresql": "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relkind IN ('r', 'p', 'v', 'm', 'f')",
}


class Outcome(StrEnum):
    """What an installation found and did."""

    CREATED = "created"  # the database was empty and has everything now
    RESUMED = "resumed"  # an interrupted installation was finished
    ADOPTED = "adopted"  # an OTRS database: only Lambdesk's own tables were added
    PRESENT = "present"  # nothing was to be done


@dataclass(frozen=True, slots=True)
class Installed:
    """The state of a database after `install`: `layout` is znuny, otrs or otobo."""

    outcome: Outcome
    layout: str
    group_table: str


async def install(database: Database) -> Installed:
    """Make the database ready to serve, whatever it holds; running it again, or twice at once, does no harm."""
    installed = await _find_ready(database) or await _make_ready(database)
    meta: dict[str, str] = dict(await database.fetch(sa.select(META.c.name, META.c.value)))
    if meta.get("origin") == "created" and meta.get(indexes.NOTED) != indexes.digest():
        await indexes.make_missing(database)
    await indexes.count_again(database)
    return installed


async def _make_ready(database: Database) -> Installed:
    async with alone(database) as transaction:
        names = await _table_names(transaction)
        meta = await read_meta(transaction) if "lambdesk_meta" in names else {}
        group = _group_table(names)
        if meta.get("install") == "done" and group:
            await _create(transaction, tables_for(transaction.dialect.name), names)
            return Installed(Outcome.PRESENT, LAYOUTS[group], group)
        if meta.get("install") != "running" and group:
            await _adopt(transaction, names)
            return Installed(Outcome.ADOPTED, LAYOUTS[group], group)
        outcome = Outcome.RESUMED if meta.get("install") == "running" else Outcome.CREATED
        await _create_all(transaction, database, names, meta)
        return Installed(outcome, LAYOUTS["permission_groups"], "permission_groups")


async def _find_ready(database: Database) -> Installed | None:
    """Answer the usual case without a lock: everything is there."""
    names = frozenset(row[0] for row in await database.fetch(_TABLE_NAMES[database.dialect.name]))
    group = _group_table(names)
    if group is None or not names.issuperset(table.name for table in TABLES):
        return None
    rows = await database.fetch(sa.select(TABLES[0].c.name, TABLES[0].c.value))
    if ("install", "done") not in rows:
        return None
    return Installed(Outcome.PRESENT, LAYOUTS[group], group)


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[Transaction]:
    """Hold the database's own lock for installations: whoever comes second waits and then finds all done."""
    if database.dialect.name == "mysql":
        async with database.connection(timeout_s=0, writes=True) as connection:
            runner = Transaction(connection, database.dialect)
            lock = "CONCAT('lambdesk_install_', LEFT(MD5(DATABASE()), 16))"
            if await runner.execute(f"SELECT GET_LOCK({lock}, {LOCK_TIMEOUT_S})") != [(1,)]:
                raise InstallRefused("Another process has been installing this database for a minute; try again later.")
            try:
                yield runner
            finally:
                await runner.execute("SET SESSION foreign_key_checks = 1")
                await runner.execute(f"SELECT RELEASE_LOCK({lock})")
        return
    async with database.transaction(timeout_s=0) as transaction:  # SQLite: BEGIN IMMEDIATE is the lock
        if database.dialect.name == "postgresql":
            await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('lambdesk_install'))")
        yield transaction


async def _table_names(transaction: Transaction) -> frozenset[str]:
    return frozenset(row[0] for row in await transaction.execute(_TABLE_NAMES[transaction.dialect.name]))


def _group_table(names: frozenset[str]) -> str | None:
    """Find the group table of an OTRS database; None where the tables are something else."""
    if not names.issuperset(_CORE):
        return None
    return group_table(names)


async def _adopt(transaction: Transaction, names: frozenset[str]) -> None:
    await _create(transaction, tables_for(transaction.dialect.name), names)
    await write_meta(transaction, "origin", "adopted")
    await write_meta(transaction, "install", "done")


async def _create_all(
    transaction: Transaction, database: Database, names: frozenset[str], meta: dict[str, str]
) -> None:
    """Make the layout and its first rows, from the beginning or from where an earlier run was stopped."""
    from storage.otrs import layout_tables  # noqa: PLC0415 - a serving process never needs the layout
    from storage.rows import first_rows  # noqa: PLC0415 - the same

    dialect = transaction.dialect.name
    tables = layout_tables(LAYOUT, dialect).tables
    if not meta.get("install"):
        _refuse_clash(names, tables.keys())
    await _create(transaction, tables_for(transaction.dialect.name), names)
    if not meta.get("install"):
        await write_meta(transaction, "install", "running")
    now = datetime.now(database.zone).replace(tzinfo=None, microsecond=0)
    await create_layout(transaction, list(tables.values()), names)
    if dialect == "mysql":
        await transaction.execute("START TRANSACTION")
    await fill_tables(transaction, list(first_rows(tables, dialect, now)))
    await write_meta(transaction, "origin", "created")
    await write_meta(transaction, "layout", LAYOUT)
    await write_meta(transaction, "install", "done")
    if dialect == "mysql":
        await transaction.execute("COMMIT")
    await add_foreign_keys(transaction, list(tables.values()))


def _refuse_clash(names: frozenset[str], wanted: Any) -> None:
    clash = sorted(names.intersection(wanted))
    if clash:
        raise InstallRefused(
            f"The database holds tables that are no OTRS layout but have names of it: {', '.join(clash)}. "
            "Give Lambdesk an empty database, or a complete OTRS 6 or Znuny database."
        )


async def create_layout(transaction: Transaction, tables: Sequence[sa.Table], names: frozenset[str]) -> None:
    """Create the tables that are missing, with keys and indexes; foreign keys too where that is the only chance."""
    if transaction.dialect.name == "mysql":  # tables refer to each other in circles
        await transaction.execute("SET SESSION foreign_key_checks = 0")
    if transaction.dialect.name == "sqlite":  # a table without rows cannot violate a key; the check comes at COMMIT
        await transaction.execute("PRAGMA defer_foreign_keys = ON")
    await _create(transaction, tables, names)


async def fill_tables(transaction: Transaction, rows: Sequence[tuple[sa.Table, list[dict[str, Any]]]]) -> None:
    """Insert rows with their ids, and let PostgreSQL count on from there."""
    for table, values in rows:
        await transaction.execute(sa.insert(table).inline(), values)
        if transaction.dialect.name == "postgresql":
            await continue_counting(transaction, table)


async def continue_counting(transaction: Transaction, table: sa.Table) -> None:
    """Let a table's counter go on above its highest id, where the database does not see to that itself."""
    column = table.autoincrement_column
    if column is not None and transaction.dialect.name == "postgresql":
        name = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
        await transaction.execute(f"SELECT setval({name}, GREATEST((SELECT max({column.name}) FROM {table.name}), 1))")  # noqa: S608 - names of ours


async def add_foreign_keys(transaction: Transaction, tables: Sequence[sa.Table]) -> None:
    """Add the foreign keys on PostgreSQL, where rows come first; elsewhere they came with the tables."""
    if transaction.dialect.name != "postgresql":
        return
    for table in tables:
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            await transaction.execute(AddConstraint(key, isolate_from_table=False))


async def _create(transaction: Transaction, tables: Sequence[sa.Table], names: frozenset[str]) -> None:
    for table in tables:
        if table.name in names:
            continue
        if transaction.dialect.name == "mysql":
            await transaction.execute(create_with_indexes(table))
            continue
        keys: list[sa.ForeignKeyConstraint] | None = None if transaction.dialect.name == "sqlite" else []
        await transaction.execute(CreateTable(table, include_foreign_key_constraints=keys))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name == WORD_INDEX:
                await make_word_index(transaction)
            else:
                await transaction.execute(CreateIndex(index))


def create_with_indexes(table: sa.Table) -> str:
    """Write MySQL's CREATE TABLE with its indexes inside: a table is there completely or not at all."""
    from sqlalchemy.dialects import mysql  # noqa: PLC0415 - only where that dialect is in use

    dialect = mysql.dialect(paramstyle="named")  # in MySQL's own style, percent signs would be doubled here already
    text = str(CreateTable(table).compile(dialect=dialect))
    lines = []
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        name, _, columns = str(CreateIndex(index).compile(dialect=dialect)).partition(" INDEX ")[2].partition(" ON ")
        kind = "FULLTEXT KEY" if index.name == WORD_INDEX else "UNIQUE KEY" if index.unique else "KEY"
        lines.append(f",\n\t{kind} {name} {columns[columns.index('(') :]}")
    head, options = text.rsplit("\n)", 1)
    return f"{head}{''.join(lines)}\n){options}".replace("%", "%%")


def is_own(table: str) -> bool:
    """Whether a table is one of Lambdesk's own, which no module may serve."""
    return table.startswith(PREFIX) and not table.startswith(f"{PREFIX}ext_")
