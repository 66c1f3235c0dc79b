"""The OTRS tables: the layout files beside this one, read into SQLAlchemy tables for each of the three databases.

Imported only where tables are made or filled; serving a database needs nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage.columns import AUDIT, Bytes, LongText, WallClock, key_name

_HERE = Path(__file__).parent
_COLUMN = re.compile(
    r"(?P<name>\w+) (?P<type>[a-z]+)(\((?P<size>[\d,]+)\))?(?P<nullable>\?)?(?P<key> key)?"
    r"( = '(?P<default>[^']*)')?( -> (?P<to>\w+))?"
)
_TEXT_FROM = 256  # MySQL: a longer VARCHAR becomes TEXT
_MEDIUMTEXT_FROM = 65_536
_UNBOUNDED_FROM = 10_000  # PostgreSQL: from here on a VARCHAR has no length
_INDEX_PREFIX = {"value_text": 150, "preferences_value": 150, "filename": 350}  # of long columns in indexes


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column line of a layout file."""

    name: str
    type: str
    size: str = ""
    nullable: bool = False
    is_key: bool = False
    default: str | None = None
    to: str | None = None

    @property
    def counts_up(self) -> bool:
        """Whether the database gives the value."""
        return self.type.endswith("serial")


@dataclass(slots=True)
class LayoutTable:
    """One paragraph of a layout file."""

    name: str
    columns: list[LayoutColumn] = field(default_factory=list)
    unique: list[list[str]] = field(default_factory=list)
    indexes: list[list[str]] = field(default_factory=list)


@cache
def read_layout(layout: str) -> dict[str, LayoutTable]:
    """Read `znuny65` or `otrs6`: its tables by name."""
    if layout == "znuny65":
        return _parse(_HERE / "znuny65.layout")[0]
    tables, words = _parse(_HERE / f"{layout}.layout")
    base = dict(read_layout("znuny65"))
    old, new = words["rename"]
    for name in words["without"]:
        del base[name]
    return {new if name == old else name: _renamed(tables.get(name, table), old, new) for name, table in base.items()}


@cache
def big_keys() -> frozenset[tuple[str, str]]:
    """Name the keys that count up in 64 bits. SQLite must call them INTEGER, so its reflection asks here."""
    return frozenset(
        (table.name, column.name)
        for table in read_layout("znuny65").values()
        for column in table.columns
        if column.type == "bigserial"
    )


@cache
def layout_tables(layout: str, dialect: str) -> sa.MetaData:
    """Make the SQLAlchemy tables of a layout for one dialect, with keys, unique keys, indexes and foreign keys."""
    metadata = sa.MetaData()
    for table in read_layout(layout).values():
        _make_table(metadata, table, dialect)
    return metadata


# --- reading ---


def _parse(file: Path) -> tuple[dict[str, LayoutTable], dict[str, list[str]]]:
    tables: dict[str, LayoutTable] = {}
    words: dict[str, list[str]] = {}
    table = LayoutTable("")
    for line in file.read_text(encoding="utf-8").splitlines():
        first, *rest = line.split() or [""]
        if not first or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if rest:
                words[first] = rest
            else:
                table = tables[first] = LayoutTable(first)
        elif first == "unique":
            table.unique.append(rest)
        elif first == "index":
            table.indexes.append(rest)
        else:
            table.columns.extend(_columns(line.strip()))
    return tables, words


def _columns(line: str) -> Iterator[LayoutColumn]:
    if line == "audit":
        for name in AUDIT:
            moment = name.endswith("_time")
            yield LayoutColumn(name, "datetime" if moment else "integer", to=None if moment else "users")
        return
    match = _COLUMN.fullmatch(line)
    if match is None:
        raise ValueError(f"The layout line {line!r} cannot be read.")
    yield LayoutColumn(
        match["name"],
        match["type"],
        match["size"] or "",
        nullable=bool(match["nullable"]),
        is_key=bool(match["key"]) or match["type"].endswith("serial"),
        default=match["default"],
        to=match["to"],
    )


def _renamed(table: LayoutTable, old: str, new: str) -> LayoutTable:
    name = new if table.name == old else table.name
    columns = [replace(column, to=new) if column.to == old else column for column in table.columns]
    return LayoutTable(name, columns, table.unique, table.indexes)


# --- making ---


def _make_table(metadata: sa.MetaData, table: LayoutTable, dialect: str) -> None:
    columns = [_make_column(column, dialect) for column in table.columns]
    unique = [sa.UniqueConstraint(*names, name=key_name("uq", table.name, *names)) for names in table.unique]
    references = [
        sa.ForeignKeyConstraint([column.name], [f"{column.to}.id"], name=key_name("fk", table.name, column.name))
        for column in table.columns
        if column.to
    ]
    made = sa.Table(
        table.name,
        metadata,
        *columns,
        *unique,
        *references,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_520_ci",
        sqlite_autoincrement=any(column.counts_up for column in table.columns),
    )
    for name, *names in table.indexes:
        _make_index(made, name, names, dialect)


def _make_column(column: LayoutColumn, dialect: str) -> sa.Column[Any]:
    return sa.Column(
        column.name,
        _make_type(column, dialect),
        primary_key=column.is_key,
        autoincrement=column.counts_up,
        nullable=column.nullable,
        server_default=column.default,
    )


def _make_type(column: LayoutColumn, dialect: str) -> sa.types.TypeEngine[Any]:
    if column.type == "varchar":
        return _make_text(int(column.size), dialect)
    if column.type == "decimal":
        precision, scale = map(int, column.size.split(","))
        return sa.Numeric(precision, scale)
    return _TYPES[dialect if column.counts_up else ""][column.type]


_TYPES: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "": {
        "smallint": sa.SmallInteger(),
        "integer": sa.Integer(),
        "bigint": sa.BigInteger(),
        "datetime": WallClock(),
        "longtext": LongText(),
        "blob": Bytes(),
    },
    # Znuny gives small keys `serial` on PostgreSQL; SQLite counts up nothing but INTEGER.
    "postgresql": {"smallserial": sa.Integer(), "serial": sa.Integer(), "bigserial": sa.BigInteger()},
    "mysql": {"smallserial": sa.SmallInteger(), "serial": sa.Integer(), "bigserial": sa.BigInteger()},
    "sqlite": {"smallserial": sa.Integer(), "serial": sa.Integer(), "bigserial": sa.Integer()},
}


def _make_text(size: int, dialect: str) -> sa.types.TypeEngine[Any]:
    if dialect == "mysql":
        return sa.String(size) if size < _TEXT_FROM else LongText("TEXT" if size < _MEDIUMTEXT_FROM else "MEDIUMTEXT")
    if size < _UNBOUNDED_FROM:
        return sa.String(size)
    return sa.String() if dialect == "postgresql" else sa.Text()


def _make_index(table: sa.Table, name: str, names: list[str], dialect: str) -> None:
    lengths = {
        column: _INDEX_PREFIX[column]
        for column in names
        if column in _INDEX_PREFIX
        and isinstance(table.c[column].type, sa.String | LongText)
        and _is_long(table, column)
    }
    if dialect == "postgresql":  # a row of a B-tree has at most 2,700 bytes
        parts: list[Any] = [
            sa.func.left(table.c[c], sa.literal_column(str(lengths[c]))) if c in lengths else table.c[c] for c in names
        ]
        sa.Index(name, *parts)
    else:
        sa.Index(name, *(table.c[column] for column in names), mysql_length=lengths)


def _is_long(table: sa.Table, column: str) -> bool:
    kind = table.c[column].type
    return isinstance(kind, LongText) or (isinstance(kind, sa.String) and (kind.length or _TEXT_FROM) >= _TEXT_FROM)
