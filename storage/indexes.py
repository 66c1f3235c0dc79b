"""Which of the wanted indexes a database lacks, the SQL that makes them, and making them on installations of our own.

What OTRS made is never altered: there an administrator runs the SQL, which `lambdesk check --database` prints.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage.engine import Database
from storage.errors import StorageError
from storage.own import write_meta
from storage.reflect import read_tables
from storage.reflect_statements import INDEXES, one_table
from storage.statistics import count_rows, forget_words, has_counts
from storage.transaction import Transaction
from storage.wanted_indexes import WANTED, WantedIndex

NOTED = "indexes"  # in lambdesk_meta: the digest of the definitions that an own installation has
_LOCK = "lambdesk_indexes"
_OF_DATABASE = f"CONCAT('{_LOCK}_', LEFT(MD5(DATABASE()), 16))"  # MariaDB's locks are those of the whole server


@dataclass(frozen=True, slots=True)
class Missing:
    """A wanted index that is not there, and the statements that make it."""

    wanted: WantedIndex
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """An index that is there. `usable` is said of whole B-trees: not of partial, broken or ignored ones."""

    columns: tuple[str | None, ...]
    usable: bool


def digest() -> str:
    """Return what changes whenever other indexes are wanted."""
    return hashlib.sha256(repr(WANTED).encode()).hexdigest()[:16]


async def find_missing(database: Database, wanted: Sequence[WantedIndex] = WANTED) -> list[Missing]:
    """Compare what is wanted with what is there. An index with another name, or with more columns behind, is as good."""
    dialect = database.dialect.name
    asked = [index for index in wanted if dialect in index.databases]
    tables = await read_tables(database, sorted({index.table for index in asked}))
    there = await _read_indexes(database, {index.table for index in asked})
    found = []
    for index in asked:
        table = tables.get(index.table)
        columns = index.columns_on(dialect)
        if table is None or not table.columns.keys() >= set(columns):
            continue  # another member of the family, without what the index is for
        known = [item for item in there[index.table].values() if item.usable]
        if any(item.columns[: len(columns)] == columns for item in known) or _begins(table.key, columns):
            continue
        found.append(Missing(index, _statements(dialect, index, there[index.table])))
    return found


def _begins(key: Sequence[str], columns: Sequence[str]) -> bool:
    return tuple(key[: len(columns)]) == tuple(columns)


async def _read_indexes(database: Database, tables: Collection[str]) -> dict[str, dict[str, _Index]]:
    dialect = database.dialect.name
    rows = await database.fetch(INDEXES[dialect].format(only=one_table(dialect, sorted(tables))))
    columns: dict[tuple[str, str, bool], list[str | None]] = defaultdict(list)
    for table, name, usable, column in rows:
        columns[table, name, bool(usable)].append(column)
    found: dict[str, dict[str, _Index]] = defaultdict(dict)
    for (table, name, usable), parts in columns.items():
        found[table][name] = _Index(tuple(parts), usable)
    return found


# --- the SQL ---

# Each as the database makes an index while others go on writing. SQLite knows one writer anyway.
_MAKE: Mapping[str, str] = {
    "sqlite": 'CREATE INDEX "{name}" ON "{table}" ({columns})',
    "mysql": "ALTER TABLE `{table}` ADD INDEX `{name}` ({columns}), ALGORITHM=INPLACE, LOCK=NONE",
    "postgresql": 'CREATE INDEX CONCURRENTLY "{name}" ON "{table}" ({columns})',
}
_INSTEAD = "ALTER TABLE `{table}` DROP INDEX `{name}`, ADD INDEX `{name}` ({columns}), ALGORITHM=INPLACE, LOCK=NONE"
_DROP: Mapping[str, str] = {"sqlite": 'DROP INDEX "{name}"', "postgresql": 'DROP INDEX CONCURRENTLY "{name}"'}
_ASIDE = 'ALTER INDEX "{name}" RENAME TO "{name}{older}"'
OLDER = "_older"


def _statements(dialect: str, index: WantedIndex, there: Mapping[str, _Index]) -> tuple[str, ...]:
    """Write what makes an index; what has its name and is not it was left by a broken attempt or an older version.

    One of an older version serves until the new one is there: many tickets are not to be without any meanwhile.
    """
    mark = "`" if dialect == "mysql" else '"'
    columns = ", ".join(f"{mark}{column}{mark}" for column in index.columns_on(dialect))
    parts = {"name": index.name, "table": index.table, "columns": columns, "older": OLDER}
    make = _MAKE[dialect].format_map(parts)
    before = there.get(index.name)
    if dialect == "mysql":
        return (_INSTEAD.format_map(parts) if before else make,)
    drop_older = _DROP[dialect].format(name=index.name + OLDER)
    left = (drop_older,) if index.name + OLDER in there else ()
    if before is None:
        return (*left, make)
    if dialect == "sqlite" or not before.usable:
        return (*left, _DROP[dialect].format_map(parts), make)
    return (*left, _ASIDE.format_map(parts), make, drop_older)


# --- making them on installations of our own ---


async def make_missing(database: Database) -> list[Missing]:
    """Make what is missing, one after the other and beside whatever else goes on; return what could not be made.

    One process does it. Whoever comes meanwhile, or may not create indexes, serves without them.
    """
    async with _alone(database) as runner:
        if runner is None:
            return []
        failed = []
        for missing in await find_missing(database):
            try:
                for statement in missing.statements:
                    await runner.execute(statement)
            except StorageError:
                failed.append(missing)
        if not failed:
            # Where nothing keeps a second process away, as on SQLite, both note the same.
            async with database.transaction() as transaction:
                await write_meta(transaction, NOTED, digest())
    return failed


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[Transaction | None]:
    """Lend a connection outside of every transaction, as PostgreSQL wants it, to one process at a time; None to others.

    Nobody waits for the lock: PostgreSQL would wait for those who wait.
    """
    take, leave = _LOCKS[database.dialect.name]
    async with database.connection(timeout_s=0, writes=True) as connection:
        runner = Transaction(connection, database.dialect)
        if take and (await runner.execute(take))[0][0] not in (1, True):
            yield None
            return
        try:
            yield runner
        finally:
            if leave:
                await runner.execute(leave)


_LOCKS: Mapping[str, tuple[str, str]] = {
    "sqlite": ("", ""),  # one server a file
    "mysql": (f"SELECT GET_LOCK({_OF_DATABASE}, 0)", f"SELECT RELEASE_LOCK({_OF_DATABASE})"),
    "postgresql": (
        f"SELECT pg_try_advisory_lock(hashtext('{_LOCK}'))",
        f"SELECT pg_advisory_unlock(hashtext('{_LOCK}'))",
    ),
}


# --- statistics ---

ENOUGH_ROWS = 1_000  # of tickets; fewer are read quickly whatever SQLite thinks of them
GROWTH = 2


async def count_again(database: Database) -> bool:
    """Let SQLite count its rows again when it knows of less than half of the tickets; the others do that by themselves.

    Without knowing that most tickets are closed it reads and sorts all of them where the newest ones are asked for.
    """
    if database.dialect.name != "sqlite":
        return False
    async with database.connection(timeout_s=0, writes=True) as connection:
        runner = Transaction(connection, database.dialect)
        await forget_words(runner)
        asked = "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'ticket'"
        known = (await runner.execute(asked))[0][0] if await has_counts(runner) else 0
        count = (await runner.execute("SELECT count(*) FROM ticket"))[0][0]
        is_due = bool(count >= ENOUGH_ROWS and count >= GROWTH * (known or 0))
        if is_due:
            await count_rows(runner)
    return is_due
