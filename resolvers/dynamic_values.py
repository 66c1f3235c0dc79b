"""Values of OTRS's dynamic fields, written as OTRS writes them: rows of `dynamic_field_value`, the old ones replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa

from resolvers.scope import NAMED_OBJECTS
from schema.catalog import ColumnClass
from schema.spec import Field, Home, Module
from storage.transaction import Transaction
from storage.values import bind_text, wall_clock

_VALUES = sa.table(
    "dynamic_field_value",
    *map(sa.column, ("field_id", "object_id", "value_text", "value_date", "value_int")),
)
_EMPTY = {"value_text": None, "value_date": None, "value_int": None}
_NAMES = sa.table("dynamic_field_obj_id_name", *map(sa.column, ("object_id", "object_name", "object_type")))

OBJECTS_AT_ONCE = 500

Row = Mapping[str, Any]
Values = Sequence[tuple[Field, Any]]


class DynamicValues:
    """Writes the dynamic fields of a module's rows inside one transaction."""

    def __init__(self, transaction: Transaction, zone: Any) -> None:
        self._transaction = transaction
        self._zone = zone

    async def put(self, module: Module, rows: Sequence[tuple[Row, Values]]) -> None:
        """Give rows the values of dynamic fields; null and an empty list remove them.

        A row comes with the columns that name it. The statements are as many as the sets of fields, not as the rows.
        """
        groups: dict[tuple[int, ...], list[tuple[Row, Values]]] = {}
        for row, values in rows:
            groups.setdefault(tuple(field.dynamic.id for field, _ in values if field.dynamic), []).append((row, values))
        for ids, members in groups.items():
            if ids:
                await self._put(module, ids, members)

    async def remove(self, module: Module, rows: Sequence[Row]) -> None:
        """Remove all values of rows that go."""
        fields = [(item, None) for item in module.fields if item.home is Home.DYNAMIC]
        await self.put(module, [(row, fields) for row in rows])

    async def rename(self, module: Module, before: Row, after: Row) -> None:
        """Keep the values of a row whose name they hang on, when it gets another one; OTRS does so, too."""
        for kind in {item.dynamic.object_type for item in module.fields if item.dynamic} & {*NAMED_OBJECTS}:
            column = NAMED_OBJECTS[kind]
            if column not in after or before.get(column) in (None, after[column]):
                continue
            old, new = self._is_named(kind, [before[column]]), self._is_named(kind, [after[column]])
            await self._transaction.change(sa.delete(_NAMES).where(*new))  # of somebody who is gone
            await self._transaction.change(sa.update(_NAMES).where(*old).values(object_name=after[column]))

    async def _put(self, module: Module, ids: Sequence[int], rows: Sequence[tuple[Row, Values]]) -> None:
        owners = await self._owners(module, rows)
        there = sorted(owner for owner in owners if owner is not None)
        for start in range(0, len(there), OBJECTS_AT_ONCE):
            part = there[start : start + OBJECTS_AT_ONCE]
            await self._transaction.change(
                sa.delete(_VALUES).where(_VALUES.c.field_id.in_(ids), _VALUES.c.object_id.in_(part))
            )
        made = [
            {"field_id": field.dynamic.id, "object_id": owner, **_EMPTY, **columns}
            for owner, (_, values) in zip(owners, rows, strict=True)
            for field, value in values
            if owner is not None and field.dynamic
            for columns in self._rows(field, value)
        ]
        for start in range(0, len(made), OBJECTS_AT_ONCE):
            await self._transaction.change(sa.insert(_VALUES).values(made[start : start + OBJECTS_AT_ONCE]))

    async def _owners(self, module: Module, rows: Sequence[tuple[Row, Values]]) -> list[Any]:
        """Return what the values of each row hang on: its number, or the one that stands for a customer's name."""
        kind = next(field.dynamic.object_type for _, values in rows for field, _ in values if field.dynamic)
        column = NAMED_OBJECTS.get(kind)
        if column is None:
            return [row[module.key_columns[0]] for row, _ in rows]
        names = [row[column] for row, _ in rows]
        numbers: dict[Any, Any] = {}
        for start in range(0, len(names), OBJECTS_AT_ONCE):
            part = names[start : start + OBJECTS_AT_ONCE]
            found = sa.select(_NAMES.c.object_name, _NAMES.c.object_id).where(*self._is_named(kind, part))
            numbers |= {row[0]: row[1] for row in await self._transaction.execute(found)}
        missing = list(
            dict.fromkeys(
                row[column]
                for row, values in rows
                if row[column] not in numbers and any(value not in (None, []) for _, value in values)
            )
        )
        for start in range(0, len(missing), OBJECTS_AT_ONCE):
            part = missing[start : start + OBJECTS_AT_ONCE]
            new = [{"object_name": name, "object_type": kind} for name in part]
            made = await self._transaction.insert_counted(sa.insert(_NAMES), "object_id", new)
            numbers |= dict(zip(part, made, strict=True))
        return [numbers.get(name) for name in names]

    def _is_named(self, kind: str, names: Sequence[Any]) -> tuple[Any, ...]:
        dialect = self._transaction.dialect
        return _NAMES.c.object_type == kind, dialect.is_in(_NAMES.c.object_name, names, ColumnClass.STRING)

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
