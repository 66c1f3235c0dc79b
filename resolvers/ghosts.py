"""Rows as they were before a change, put into a statement in the place of their table: so any filter can be held against them.

Only columns of the own table are remembered; what lives beside it or in dynamic fields is taken as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from resolvers.images import Key
from resolvers.ledger import read_kept
from resolvers.scope import Speech, column
from resolvers.stored import Binding
from schema.catalog import ColumnClass
from schema.spec import Home, Module
from storage.columns import WallClock

_TYPES: Mapping[ColumnClass, Any] = {
    ColumnClass.SMALLINT: sa.SmallInteger(),
    ColumnClass.INT: sa.Integer(),
    ColumnClass.BIGINT: sa.BigInteger(),
    ColumnClass.FLOAT: sa.Double(),
    ColumnClass.DECIMAL: sa.Numeric(38, 12),
    ColumnClass.BOOL: sa.Boolean(),
    ColumnClass.DATE: sa.Date(),
    ColumnClass.TIME: sa.Time(),
    ColumnClass.DATETIME: WallClock(),
}
_TEXT = sa.Text()


def ghost(
    speech: Speech, module: Module, key: Key, fields: Mapping[str, Sequence[Any]], *, is_gone: bool
) -> FromClause:
    """Return the row as it was before a change of these fields, as a table that has this one row.

    Of a row that is gone nothing but what was kept is known: everything else is null.
    """
    return _row(speech, module, key, fields, is_gone=is_gone).subquery(f"t{next(speech.numbers)}")


def ghosts(speech: Speech, module: Module, gone: Mapping[Key, Mapping[str, Sequence[Any]]]) -> FromClause:
    """Return rows that are gone, as they were before the changes that removed them, as a table that has just these."""
    rows = [_row(speech, module, key, fields, is_gone=True) for key, fields in gone.items()]
    return sa.union_all(*rows).subquery(f"t{next(speech.numbers)}")


def _row(
    speech: Speech, module: Module, key: Key, fields: Mapping[str, Sequence[Any]], *, is_gone: bool
) -> sa.Select[Any]:
    before = _columns(speech, module, fields)
    before.update(zip(module.key_columns, key, strict=True))
    values = {name: _literal(speech, module, name, value) for name, value in before.items()}
    table = speech.enter(module.table)
    found = []
    for name in module.columns:
        value = values.get(name)
        if value is None:
            value = _literal(speech, module, name, None) if is_gone else column(table, name)
        found.append(value.label(name))
    if is_gone:
        return sa.select(*found)
    dialect = speech.dialect
    where = [
        dialect.equals(column(table, name), part, module.key_classes[number])
        for number, (name, part) in enumerate(zip(module.key_columns, key, strict=True))
    ]
    return sa.select(*found).select_from(table).where(*where)


def _columns(speech: Speech, module: Module, fields: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    binding = Binding(speech.dialect.name, speech.zone)
    found = {}
    for name, pair in fields.items():
        item = module.field_named(name)
        if item is not None and item.home is Home.TABLE and item.column in module.columns:
            found[item.column] = binding.stored(item, read_kept(item, pair[0]))
    return found


def _literal(speech: Speech, module: Module, name: str, value: Any) -> sa.ColumnElement[Any]:
    kind = module.columns.get(name, ColumnClass.OTHER)
    given: sa.ColumnElement[Any] = sa.null() if value is None else sa.bindparam(None, value, unique=True)
    # The others compare values as they come: SQLite has no types to cast to (a DATETIME would become a number).
    if speech.dialect.name != "postgresql":
        return given
    return sa.type_coerce(sa.cast(given, _TYPES.get(kind, _TEXT)), sa.types.NullType())
