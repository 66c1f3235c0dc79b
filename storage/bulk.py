"""Writing very many rows, each database in its quickest way, inside a transaction that is already open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from storage.faults import translate
from storage.statistics import count_rows
from storage.transaction import Transaction

BIG = 1_000  # from so many rows of the main table on, keys and indexes are made after the rows
SQLITE_CACHE_KB = 200_000
SQLITE_CACHE_USUAL_KB = 2_000

Write = Callable[[str, Sequence[str], list[tuple[Any, ...]]], Awaitable[None]]


@asynccontextmanager
async def bulk_writer(transaction: Transaction, tables: Sequence[sa.Table], size: int) -> AsyncIterator[Write]:
    """Lend a function that writes rows of a table. The tables are ours; the rows must be right by themselves."""
    driver = await transaction.raw()

    async def write(table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        try:
            await _WRITERS[transaction.dialect.name](driver, table, columns, rows)
        except Exception as error:
            raise translate(error) from error

    names = [table.name for table in tables]
    again = await _PREPARERS[transaction.dialect.name](transaction, names, size >= BIG)
    try:
        yield write
    finally:
        if transaction.dialect.name != "postgresql":  # sessions live longer than transactions
            await _reset(transaction)
    for statement in again:
        await transaction.execute(statement)
    if again and transaction.dialect.name == "sqlite":
        await count_rows(transaction)


async def _copy(driver: Any, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    await driver.copy_records_to_table(table, columns=list(columns), records=rows)


async def _insert_mysql(driver: Any, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Insert by a cursor of our own: the driver makes statements of many rows of it."""
    values = ", ".join(["%s"] * len(columns))
    async with driver.cursor() as cursor:
        await cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)  # noqa: S608 - names of ours


async def _insert_sqlite(driver: Any, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    values = ", ".join("?" * len(columns))
    await driver.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)  # noqa: S608 - names of ours


async def _prepare_postgresql(transaction: Transaction, names: list[str], is_big: bool) -> list[str]:
    """Take keys and indexes off for a while: every row would be looked up ten times. All within the transaction."""
    if not is_big:
        return []
    wanted = ", ".join(f"'{name}'::regclass" for name in names)
    drop_and_make_keys = (
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), "  # noqa: S608 - names of ours
        "format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) "
        f"FROM pg_constraint WHERE contype = 'f' AND conrelid IN ({wanted}) ORDER BY conname"
    )
    drop_and_make_indexes = (
        "SELECT format('DROP INDEX %I', c.relname), pg_get_indexdef(i.indexrelid) FROM pg_index i "  # noqa: S608 - names of ours
        f"JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisunique AND i.indrelid IN ({wanted}) ORDER BY c.relname"
    )
    keys = await transaction.execute(drop_and_make_keys)
    indexes = await transaction.execute(drop_and_make_indexes)
    for drop, _ in (*keys, *indexes):
        await transaction.execute(drop)
    return [make for _, make in (*indexes, *keys)] + [f"ANALYZE {name}" for name in names]


async def _prepare_sqlite(transaction: Transaction, names: list[str], is_big: bool) -> list[str]:
    await transaction.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KB}")
    if not is_big:
        return []
    wanted = ", ".join(f"'{name}'" for name in names)
    found = await transaction.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({wanted})"  # noqa: S608 - names of ours
    )
    indexes = [(name, sql) for name, sql in found if not sql.upper().startswith("CREATE UNIQUE")]
    for name, _ in indexes:
        await transaction.execute(f"DROP INDEX {name}")
    return [sql for _, sql in indexes]


async def _prepare_mysql(transaction: Transaction, _names: list[str], _is_big: bool) -> list[str]:
    """Look no keys up. Indexes stay: changing a table would commit."""
    await transaction.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
    return []


async def _reset(transaction: Transaction) -> None:
    if transaction.dialect.name == "sqlite":
        await transaction.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_USUAL_KB}")
    else:
        await transaction.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1")


_WRITERS: dict[str, Callable[[Any, str, Sequence[str], list[tuple[Any, ...]]], Awaitable[None]]] = {
    "postgresql": _copy,
    "mysql": _insert_mysql,
    "sqlite": _insert_sqlite,
}
_PREPARERS: dict[str, Callable[[Transaction, list[str], bool], Awaitable[list[str]]]] = {
    "postgresql": _prepare_postgresql,
    "mysql": _prepare_mysql,
    "sqlite": _prepare_sqlite,
}
