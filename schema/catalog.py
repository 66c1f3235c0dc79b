"""What the schema room knows of a database: tables, columns, keys. Reflection fills it in; nothing here talks to a database."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# OTRS's table of groups by generation, newest first.
GROUP_TABLES = ("permission_groups", "groups", "groups_table")


def group_table(names: Container[str]) -> str | None:
    """Return which of the tables with these names has OTRS's groups; None where there is none."""
    return next((name for name in GROUP_TABLES if name in names), None)


class ColumnClass(StrEnum):
    """The classes of column types that a field kind is checked against; the same on all three databases."""

    SMALLINT = "smallint"
    INT = "int"
    BIGINT = "bigint"
    FLOAT = "float"
    DECIMAL = "decimal"
    STRING = "string"  # a bounded varchar or char
    TEXT = "text"  # unbounded text
    BYTES = "bytes"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    JSON = "json"
    OTHER = "other"


WHOLE_NUMBERS = frozenset({ColumnClass.SMALLINT, ColumnClass.INT, ColumnClass.BIGINT})


@dataclass(frozen=True, slots=True)
class Column:
    """One reflected column. `size` counts characters and is None where the type has no bound.

    `is_indexed` says that an index begins with it and so finds rows by it alone. Only PostgreSQL is asked for that.
    """

    name: str
    type: ColumnClass
    nullable: bool = True
    size: int | None = None
    has_default: bool = False
    autoincrement: bool = False
    is_indexed: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of the owning table that point at `target` columns of `table`, in the same order."""

    columns: tuple[str, ...]
    table: str
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One reflected table. `key` is its primary key (empty when it has none), `unique` every unique key beside it.

    `is_plain` says that nothing happens to a row beyond what a statement does: it is no view, and has neither triggers nor
    rules. Only PostgreSQL is asked for that.
    """

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class DynamicField:
    """One valid row of OTRS's `dynamic_field`.

    `object_type` is Ticket, Article, CustomerUser or CustomerCompany; `field_type` is Text, TextArea, Dropdown,
    Multiselect, Checkbox, Date or DateTime; `options` are the possible values (stored value → caption).
    """

    id: int
    name: str
    label: str
    object_type: str
    field_type: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalog:
    """One reflection of the whole database. `managed` names the tables that Lambdesk made from module files."""

    tables: Mapping[str, Table]
    dynamic_fields: tuple[DynamicField, ...] = ()
    managed: frozenset[str] = frozenset()
