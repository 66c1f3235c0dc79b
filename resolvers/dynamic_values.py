"""Values of OTRS's dynamic fields, written as OTRS writes them: rows of `dynamic_field_value`, the old ones replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa

from resolvers.scope import NAMED_OBJECTS
from schema.catalog import ColumnClass
from schema.spec import Field, Home, Module
from storage.engine import Transaction
from storage.values import bind_text, wall_clock

_VALUES = sa.table(
    "dynamic_field_value",
    *map(sa.column, ("field_id", "object_id", "value_text", "value_date", "value_int")),
)
_NAMES = sa.table("dynamic_field_obj_id_name", *map(sa.column, ("object_id", "object_name", "object_type")))


class DynamicValues:
    """Writes the dynamic fields of a module's rows inside one transaction."""

    def __init__(self, transaction: Transaction, zone: Any) -> None:
        self._transaction = transaction
        self._zone = zone

    async def put(self, module: Module, row: Mapping[str, Any], fields: Sequence[tuple[Field, Any]]) -> None:
        """Give dynamic fields their values; null and an empty list remove them. `row` holds the columns that name it."""
        for field, value in fields:
            if field.dynamic is None:
                continue
            owner = await self._object(module, field, row, make=value is not None)
            if owner is None:
                continue
            at = (_VALUES.c.field_id == field.dynamic.id, _VALUES.c.object_id == owner)
            await self._transaction.change(sa.delete(_VALUES).where(*at))
            rows = [
                {"field_id": field.dynamic.id, "object_id": owner, **columns} for columns in self._rows(field, value)
            ]
            if rows:
                await self._transaction.change(sa.insert(_VALUES).values(rows[0] if len(rows) == 1 else rows))

    async def remove(self, module: Module, row: Mapping[str, Any]) -> None:
        """Remove all values of a row that goes."""
        await self.put(module, row, [(item, None) for item in module.fields if item.home is Home.DYNAMIC])

    async def _object(self, module: Module, field: Field, row: Mapping[str, Any], *, make: bool) -> Any:
        """Return what the values hang on: the row's number, or the one that stands for a customer's name."""
        kind = field.dynamic.object_type if field.dynamic else ""
        column = NAMED_OBJECTS.get(kind)
        if column is None:
            return row[module.key_columns[0]]
        name = row[column]
        dialect = self._transaction.dialect
        found = await self._transaction.execute(
            sa.select(_NAMES.c.object_id).where(
                _NAMES.c.object_type == kind, dialect.equals(_NAMES.c.object_name, name, ColumnClass.STRING)
            )
        )
        if found or not make:
            return found[0][0] if found else None
        row = {"object_name": name, "object_type": kind}
        return (await self._transaction.insert_counted(sa.insert(_NAMES), "object_id", [row]))[0]

    def _rows(self, field: Field, value: Any) -> Sequence[Mapping[str, Any]]:
        if value is None:
            return ()
        make = _COLUMNS.get(field.dynamic.field_type if field.dynamic else "", _texts)
        return make(value, self._transaction.dialect.name, self._zone)


def _texts(value: Any, _dialect: str, _zone: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [{"value_text": bind_text(item)} for item in items]


def _number(value: Any, _dialect: str, _zone: Any) -> list[dict[str, Any]]:
    return [{"value_int": int(value)}]


def _day(value: Any, dialect: str, zone: Any) -> list[dict[str, Any]]:
    return [{"value_date": wall_clock(datetime.combine(value, time()), dialect, zone)}]


def _moment(value: Any, dialect: str, zone: Any) -> list[dict[str, Any]]:
    return [{"value_date": wall_clock(value, dialect, zone)}]


_COLUMNS: Mapping[str, Callable[[Any, str, Any], list[dict[str, Any]]]] = {
    "Checkbox": _number,
    "Date": _day,
    "DateTime": _moment,
}
