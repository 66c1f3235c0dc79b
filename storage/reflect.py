"""What a database holds, in a handful of statements for all tables at once: columns, keys, foreign keys, dynamic fields."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from schema.catalog import Catalog, Column, ColumnClass, DynamicField, ForeignKey, Table
from storage.engine import Database
from storage.own import managed_tables
from storage.reflect_statements import COLUMNS, FOREIGN_KEYS, KEYS, one_table
from storage.yamltext import load_yaml

Rows = list[tuple[Any, ...]]

_CLASSES: Mapping[str, ColumnClass] = {
    **dict.fromkeys(("tinyint", "smallint", "int2", "year"), ColumnClass.SMALLINT),
    **dict.fromkeys(("int", "integer", "int4", "mediumint"), ColumnClass.INT),
    **dict.fromkeys(("bigint", "int8"), ColumnClass.BIGINT),
    **dict.fromkeys(("float", "double", "double precision", "real", "float4", "float8"), ColumnClass.FLOAT),
    **dict.fromkeys(("decimal", "numeric"), ColumnClass.DECIMAL),
    **dict.fromkeys(("varchar", "char", "bpchar", "name", "enum", "set", "character varying"), ColumnClass.STRING),
    **dict.fromkeys(("text", "tinytext", "mediumtext", "longtext", "clob", "citext"), ColumnClass.TEXT),
    **dict.fromkeys(("blob", "tinyblob", "mediumblob", "longblob", "bytea", "binary", "varbinary"), ColumnClass.BYTES),
    **dict.fromkeys(("bool", "boolean"), ColumnClass.BOOL),
    "date": ColumnClass.DATE,
    **dict.fromkeys(("time", "timetz"), ColumnClass.TIME),
    **dict.fromkeys(("datetime", "timestamp", "timestamptz"), ColumnClass.DATETIME),
    **dict.fromkeys(("json", "jsonb"), ColumnClass.JSON),
}
_DECLARED = re.compile(r"\s*([a-z][a-z ]*[a-z])\s*(?:\(\s*(\d+))?")
_DYNAMIC_FIELDS = "SELECT id, name, label, object_type, field_type, config FROM dynamic_field WHERE valid_id = 1 ORDER BY field_order, id"


@dataclass(frozen=True, slots=True)
class _Found:
    """One column row of a reflection statement, the same for all dialects."""

    table: str
    name: str
    type: str
    size: int | None
    nullable: bool
    has_default: bool
    counts_up: bool
    is_indexed: bool = False


async def reflect(database: Database) -> Catalog:
    """Reflect every table, the valid dynamic fields and which tables are managed. Raises `Unavailable`."""
    tables = await read_tables(database)
    dynamic = await _dynamic_fields(database) if "dynamic_field" in tables else ()
    return Catalog(tables, dynamic, await managed_tables(database))


async def refresh(database: Database, catalog: Catalog, tables: Collection[str]) -> Catalog:
    """Reflect some tables again. What did not change keeps its identity, so that nobody takes it for new."""
    found = await read_tables(database, sorted(tables)) if tables else {}
    merged = {name: table for name, table in catalog.tables.items() if name not in tables or name in found}
    for name, table in found.items():
        if merged.get(name) != table:
            merged[name] = table
    dynamic = await _dynamic_fields(database) if "dynamic_field" in merged else ()
    return replace(
        catalog,
        tables=merged,
        dynamic_fields=catalog.dynamic_fields if dynamic == catalog.dynamic_fields else dynamic,
        managed=await managed_tables(database),
    )


async def read_tables(database: Database, names: Collection[str] | None = None) -> dict[str, Table]:
    """Read tables with their columns and keys: all, or those that are named."""
    dialect = database.dialect.name
    only = "" if names is None else one_table(dialect, names)
    columns = await database.fetch(COLUMNS[dialect].format(only=only))
    keys = await database.fetch(KEYS[dialect].format(only=only))
    links = await database.fetch(FOREIGN_KEYS[dialect].format(only=only))
    found: dict[str, dict[str, Column]] = defaultdict(dict)
    sqlite_keys: dict[str, dict[int, str]] = defaultdict(dict)
    for row in columns:
        item = _READ_COLUMN[dialect](row)
        found[item.table][item.name] = _column(item)
        if dialect == "sqlite" and row[4]:
            sqlite_keys[item.table][row[4]] = item.name
    primary, unique = _keys(keys)
    for table, parts in sqlite_keys.items():
        primary[table] = tuple(parts[number] for number in sorted(parts))
    if dialect == "sqlite":
        _mark_counters(found, primary)
    foreign = _foreign_keys(links, primary)
    plain = {row[0] for row in columns if row[-2]} if dialect == "postgresql" else frozenset[str]()
    return {
        name: Table(
            name,
            parts,
            primary.get(name, ()),
            tuple(unique.get(name, ())),
            tuple(foreign.get(name, ())),
            is_plain=name in plain,
        )
        for name, parts in found.items()
    }


def _column(item: _Found) -> Column:
    kind = _CLASSES.get(item.type, ColumnClass.OTHER)
    if kind is ColumnClass.STRING and item.size is None and item.type in {"varchar", "character varying"}:
        kind = ColumnClass.TEXT  # PostgreSQL's VARCHAR without a length
    if item.type == "tinyint" and item.size == 1:
        kind = ColumnClass.BOOL
    size = item.size if kind is ColumnClass.STRING else None
    return Column(item.name, kind, item.nullable, size, item.has_default, item.counts_up, item.is_indexed)


def _read_sqlite(row: tuple[Any, ...]) -> _Found:
    table, name, declared, not_null, key, has_default = row
    match = _DECLARED.match(declared.lower())
    word = match[1] if match else "text"
    size = int(match[2]) if match and match[2] else None
    return _Found(table, name, word, size, not not_null and not key, bool(has_default), counts_up=False)


def _read_mysql(row: tuple[Any, ...]) -> _Found:
    table, name, word, full, nullable, length, default, extra = row
    word = word.lower()
    # A BOOL is spelled TINYINT(1); OTRS itself uses SMALLINT only.
    size = 1 if full.lower().startswith("tinyint(1)") else (int(length) if length is not None else None)
    has_default = default is not None and default != "NULL"  # MariaDB writes the word
    return _Found(table, name, word, size, nullable == "YES", has_default, "auto_increment" in extra.lower())


def _read_postgresql(row: tuple[Any, ...]) -> _Found:
    table, name, word, modifier, not_null, default, identity, _, is_indexed = row
    size = modifier - 4 if modifier >= 4 and word in {"varchar", "bpchar"} else None  # noqa: PLR2004 - the header of a varlena
    counts_up = bool(identity) or bool(default and default.startswith("nextval("))
    return _Found(table, name, word, size, not not_null, default is not None, counts_up, is_indexed)


_READ_COLUMN: Mapping[str, Callable[[tuple[Any, ...]], _Found]] = {
    "sqlite": _read_sqlite,
    "mysql": _read_mysql,
    "postgresql": _read_postgresql,
}


def _keys(rows: Rows) -> tuple[dict[str, tuple[str, ...]], dict[str, list[tuple[str, ...]]]]:
    """Group rows of (table, index, is primary, column), in order, into primary and unique keys."""
    grouped: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for table, index, is_primary, column in rows:
        grouped[table, index, bool(is_primary)].append(column)
    primary: dict[str, tuple[str, ...]] = {}
    unique: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for (table, _, is_primary), columns in grouped.items():
        if is_primary:
            primary[table] = tuple(columns)
        elif tuple(columns) not in unique[table]:
            unique[table].append(tuple(columns))
    return primary, unique


def _foreign_keys(rows: Rows, primary: Mapping[str, tuple[str, ...]]) -> dict[str, list[ForeignKey]]:
    """Group rows of (table, name, column, target table, target column), in order."""
    grouped: dict[tuple[str, str, str], list[tuple[str, str | None]]] = defaultdict(list)
    for table, name, column, target, target_column in rows:
        grouped[table, str(name), target].append((column, target_column))
    found: dict[str, list[ForeignKey]] = defaultdict(list)
    for (table, _, target), parts in grouped.items():
        columns = tuple(column for column, _ in parts)
        named = tuple(column for _, column in parts if column is not None)
        found[table].append(ForeignKey(columns, target, named or primary.get(target, ())))
    return found


def _mark_counters(tables: Mapping[str, dict[str, Column]], primary: Mapping[str, tuple[str, ...]]) -> None:
    """SQLite's INTEGER PRIMARY KEY counts by itself, and is the only way to spell a key that counts in 64 bits."""
    from storage.otrs import big_keys  # noqa: PLC0415 - the layout is only read for SQLite

    big = big_keys()
    for table, key in primary.items():
        if len(key) != 1:
            continue
        column = tables[table][key[0]]
        if column.type in {ColumnClass.INT, ColumnClass.BIGINT}:
            kind = ColumnClass.BIGINT if (table, column.name) in big else column.type
            tables[table][column.name] = replace(column, type=kind, autoincrement=True)


async def _dynamic_fields(database: Database) -> tuple[DynamicField, ...]:
    rows = await database.fetch(_DYNAMIC_FIELDS)
    return tuple(
        DynamicField(int(number), name, label or name, object_type, field_type, _options(config))
        for number, name, label, object_type, field_type, config in rows
    )


def _options(config: Any) -> Mapping[str, str]:
    """Read the possible values out of a dynamic field's configuration; a broken one has none."""
    try:
        found = load_yaml(config if isinstance(config, str) else bytes(config or b"").decode("utf-8", "replace"))
    except ValueError:
        return {}
    values = found.get("PossibleValues") if isinstance(found, dict) else None
    if not isinstance(values, dict):
        return {}
    return {str(value): _caption(value, label) for value, label in _sorted(values.items()) if value not in (None, "")}


def _caption(value: Any, label: Any) -> str:
    return str(label) if label not in (None, "") else str(value)


def _sorted(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Order options by key: OTRS writes a hash, whose order in the file means nothing."""
    return sorted(items, key=lambda item: str(item[0]))
