"""Tables that module files ask for: made, widened, never dropped. Nothing that Lambdesk did not make is ever altered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from schema.catalog import Catalog, ColumnClass, Table
from schema.ports import PlannedColumn, PlannedTable, Refusal
from storage.columns import AUDIT, Bytes, LongText, WallClock, key_name
from storage.engine import Database
from storage.errors import ConstraintViolated, StatementFailed
from storage.install import alone, create_with_indexes
from storage.own_tables import MODULE
from storage.reflect import refresh
from storage.transaction import Transaction

_TEXT_SIZE = 250
_DECIMAL = (20, 6)

_TYPES: dict[ColumnClass, Any] = {
    ColumnClass.SMALLINT: sa.SmallInteger(),
    ColumnClass.INT: sa.Integer(),
    ColumnClass.BIGINT: sa.BigInteger(),
    ColumnClass.FLOAT: sa.Double(),
    ColumnClass.DECIMAL: sa.Numeric(*_DECIMAL),
    ColumnClass.TEXT: LongText("MEDIUMTEXT"),
    ColumnClass.BYTES: Bytes(),
    ColumnClass.BOOL: sa.SmallInteger(),
    ColumnClass.DATE: sa.Date(),
    ColumnClass.TIME: sa.Time(),
    ColumnClass.DATETIME: WallClock(),
    ColumnClass.JSON: LongText("MEDIUMTEXT"),
}


async def ensure_tables(database: Database, plans: Sequence[PlannedTable]) -> list[Refusal]:
    """Make what is planned, under the lock of installations, and say what could not be made.

    A table that is there already and was not made by Lambdesk is refused, and so is a key that a side table cannot repeat.
    """
    refusals: list[Refusal] = []
    if not plans:
        return refusals
    names = {name for plan in plans for name in (plan.name, plan.beside) if name}
    async with alone(database) as transaction:
        now = await refresh(database, Catalog({}), names)
        collation = await _collation(transaction)
        for plan in plans:
            await _savepoint(transaction, "SAVEPOINT")
            try:
                refusals += await _ensure(transaction, plan, now, collation)
            except (ConstraintViolated, StatementFailed) as error:
                await _savepoint(transaction, "ROLLBACK TO SAVEPOINT")
                hint = "See the log of the database."
                refusals.append(Refusal(plan.name, None, f"Table `{plan.name}` could not be made: {error}", hint))
    return refusals


async def _savepoint(transaction: Transaction, word: str) -> None:
    """Let one table fail without the others; MariaDB commits every CREATE by itself and knows no way back."""
    if transaction.dialect.name != "mysql":
        await transaction.execute(f"{word} one_table")


async def _ensure(transaction: Transaction, plan: PlannedTable, now: Catalog, collation: str | None) -> list[Refusal]:
    existing = now.tables.get(plan.name)
    if existing is None:
        return await _create(transaction, plan, now, collation)
    if plan.name not in now.managed:
        text = f"Table `{plan.name}` is there already and was not made by Lambdesk, so it is not altered."
        return [Refusal(plan.name, None, text, "Give the module another `table`, or describe its columns as they are.")]
    return await _widen(transaction, plan, existing, collation)


async def _create(transaction: Transaction, plan: PlannedTable, now: Catalog, collation: str | None) -> list[Refusal]:
    base = now.tables.get(plan.beside) if plan.beside else None
    if plan.beside and (base is None or not base.key):
        text = f"Table `{plan.beside}` has no key, so nothing can be kept beside its rows."
        return [Refusal(plan.name, None, text, "Name its key with `key:`, or drop the added fields.")]
    table = _table(plan, base, transaction.dialect.name, collation)
    # MariaDB commits with every CREATE: noted first, a crash in between leaves a note and no table that is nobody's.
    await _note(transaction, plan)
    if transaction.dialect.name == "mysql":
        await transaction.execute(create_with_indexes(table))
        return []
    await transaction.execute(CreateTable(table))
    for index in sorted(table.indexes, key=lambda item: str(item.name)):
        await transaction.execute(CreateIndex(index))
    return []


async def _widen(transaction: Transaction, plan: PlannedTable, existing: Table, collation: str | None) -> list[Refusal]:
    table = _table(plan, None, transaction.dialect.name, collation)
    # Loaded by name: a server carries the dialect that it speaks, not all three.
    # In the style of named parameters: in MySQL's own one, every percent sign would be doubled twice.
    compiled = sa.dialects.registry.load(transaction.dialect.name)(paramstyle="named")
    quoted = compiled.identifier_preparer.quote(plan.name)
    wanted = [table.c[column.name] for column in plan.columns]
    wanted += [table.c["valid_id"]] if plan.validity else []
    for column in wanted:
        if column.name in existing.columns:
            continue
        text = f"ALTER TABLE {quoted} ADD COLUMN {CreateColumn(column).compile(dialect=compiled)}"
        await transaction.execute(sa.text(text.replace(":", "\\:")))
    for index in sorted(table.indexes, key=lambda item: str(item.name)):
        if not {column.name for column in index.columns} & set(existing.columns):
            await transaction.execute(CreateIndex(index))
    return []


def _options(plan: PlannedTable, dialect: str, collation: str | None) -> dict[str, Any]:
    """Say what a database is told of a table beyond its columns. Naming a dialect loads it, so each names its own alone."""
    if dialect == "sqlite" and not plan.key and not plan.beside:
        return {"sqlite_autoincrement": True}  # else the number of a removed row is given to the next one
    if collation:
        charset = collation.split("_", 1)[0]
        return {"mysql_engine": "InnoDB", "mysql_charset": charset, "mysql_collate": collation}
    return {}


def _table(plan: PlannedTable, base: Table | None, dialect: str, collation: str | None) -> sa.Table:
    table = sa.Table(plan.name, sa.MetaData(), **_options(plan, dialect, collation))
    if base is not None:
        for name in base.key:
            column = base.columns[name]
            kind = sa.String(column.size or _TEXT_SIZE) if column.type is ColumnClass.STRING else _TYPES[column.type]
            table.append_column(sa.Column(name, kind, primary_key=True, autoincrement=False))
    elif not plan.key and not plan.beside:
        table.append_column(sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True))
    for planned in plan.columns:
        table.append_column(_column(planned, plan))
    if plan.audit and not plan.beside:
        _append_audit(table)
    if plan.validity and "valid_id" not in table.c:
        table.append_column(sa.Column("valid_id", sa.SmallInteger(), nullable=False, server_default=sa.text("1")))
    for planned in plan.columns:
        if planned.unique or planned.refers:
            # Names of indexes are one space for all tables; two underscores tell `a_b.c` from `a.b_c`.
            name = key_name("uq" if planned.unique else "ix", f"{plan.name}__{planned.name}")
            sa.Index(name, table.c[planned.name], unique=planned.unique)
    return table


def _append_audit(table: sa.Table) -> None:
    for name in AUDIT:
        if name not in table.c:
            kind = WallClock() if name.endswith("_time") else sa.Integer()
            table.append_column(sa.Column(name, kind, nullable=False))


def _column(planned: PlannedColumn, plan: PlannedTable) -> sa.Column[Any]:
    kind = sa.String(planned.size or _TEXT_SIZE) if planned.type is ColumnClass.STRING else _TYPES[planned.type]
    in_key = planned.name in plan.key and not plan.beside
    return sa.Column(
        planned.name,
        kind,
        primary_key=in_key,
        autoincrement=False,
        nullable=planned.nullable and not in_key,
        server_default=None if planned.default is None else str(planned.default),
    )


async def _note(transaction: Transaction, plan: PlannedTable) -> None:
    """Record the table as managed."""
    known = await transaction.execute(sa.select(MODULE.c.managed_table).where(MODULE.c.managed_table == plan.name))
    if not known:
        row = {"managed_table": plan.name, "name": plan.module, "beside": plan.beside, "created": int(time.time())}
        await transaction.execute(sa.insert(MODULE), row)


async def _collation(transaction: Transaction) -> str | None:
    """On MariaDB: the collation of the OTRS tables, so that texts of new tables can be compared with theirs."""
    if transaction.dialect.name != "mysql":
        return None
    statement = (
        "SELECT table_collation FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users'"
    )
    rows = await transaction.execute(statement)
    return rows[0][0] if rows else None
