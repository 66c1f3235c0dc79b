"""The statements that write rows of a module's own table and of the table beside it. Only names that the catalog has come here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from resolvers.ids import key_of
from resolvers.scope import Speech
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.spec import Module
from storage.direct import Kept
from storage.transaction import Transaction
from storage.values import binder

Key = tuple[int | str, ...]
Values = Mapping[str, Any]

PARAMETERS_AT_ONCE = 8_000  # of one statement; the smallest limit of the three is PostgreSQL's 32,767
ROWS_AT_ONCE = 200
STATEMENTS_KEPT = 500


@dataclass(frozen=True, slots=True)
class RowStore:
    """Writes rows inside one transaction; values are as the driver takes them."""

    transaction: Transaction
    speech: Speech

    async def insert(self, module: Module, rows: Sequence[Values]) -> list[Key]:
        """Insert rows that all have the same columns, and return their keys in the same order."""
        found: list[Key] = []
        for part in _parts(rows):
            # Values go beside the statement, which is made once: building it anew costs more than sending it.
            statement = _insert(module.table, (*part[0], *module.key_columns))
            if not module.counted_key or module.key_columns[0] in part[0]:
                await self._insert(statement, part)
                found += [key_of(module, [row[name] for name in module.key_columns]) for row in part]
            else:
                numbers = await self.transaction.insert_counted(statement, module.key_columns[0], part)
                found += [key_of(module, [number]) for number in numbers]
        return found

    async def there(self, module: Module, keys: Sequence[Key]) -> set[Key]:
        """Return which of these keys have a row, also one that was committed a moment ago."""
        table = table_of(module.table, (), module.key_columns)
        found: set[Key] = set()
        for part in _parts(keys):
            question = sa.select(*(table.c[name] for name in module.key_columns)).where(self._are(module, table, part))
            if (
                self.speech.dialect.name == "mysql"
            ):  # which reads as of the transaction's first read, unless it is to lock
                question = question.with_for_update(read=True)
            found |= {key_of(module, row) for row in await self.transaction.execute(question)}
        return found

    async def update(self, module: Module, key: Key, values: Values) -> None:
        """Change columns of one row."""
        if not values:
            return
        number = self._number(module, key)
        if number is None:
            await self.update_all(module, [key], values)
            return
        statement = _update_one(module.table, tuple(values), module.key_columns[0])
        given = {f"v{place}": value for place, value in enumerate(values.values())}
        await self.transaction.change(statement, {**given, "key": number})

    async def update_all(self, module: Module, keys: Sequence[Key], values: Values) -> None:
        """Give columns of many rows the same values."""
        table = table_of(module.table, values, module.key_columns)
        for part in _parts(keys):
            statement = sa.update(table).where(self._are(module, table, part)).values(dict(values))
            await self.transaction.change(statement)

    async def delete(self, module: Module, keys: Sequence[Key]) -> None:
        """Remove rows, and what stands beside them."""
        for name in (module.side_table, module.table):
            if name is None:
                continue
            table = table_of(name, (), module.key_columns)
            for part in _parts(keys):
                await self.transaction.change(sa.delete(table).where(self._are(module, table, part)))

    async def put_beside(self, module: Module, keys: Sequence[Key], values: Values) -> None:
        """Give the columns beside rows the same values, whether or not there were any."""
        if module.side_table is None or not values or not keys:
            return
        table = table_of(module.side_table, values, module.key_columns)
        names = [table.c[name] for name in module.key_columns]
        there: set[Key] = set()
        for part in _parts(keys):
            where = self._are(module, table, part)
            found = await self.transaction.execute(sa.select(*names).where(where))
            if found:
                await self.transaction.change(sa.update(table).where(where).values(dict(values)))
            there |= {key_of(module, row) for row in found}
        new = [{**self._named(module, key), **values} for key in keys if key not in there]
        if any(value is not None for value in values.values()):
            await self.insert_beside(module, new)

    async def insert_beside(self, module: Module, rows: Sequence[Values]) -> None:
        """Insert rows into the table beside, which all have the same columns, key columns among them."""
        for part in _parts(rows):
            await self._insert(_insert(module.side_table or "", tuple(part[0])), part)

    async def _insert(self, statement: sa.Insert, rows: Sequence[Values]) -> None:
        await self.transaction.change(_inline(statement), list(rows) if len(rows) > 1 else rows[0])

    def _number(self, module: Module, key: Key) -> Any:
        """Return a key that is one number, which every database compares in the same way; None for any other."""
        if len(key) != 1 or module.key_classes[0] not in WHOLE_NUMBERS:
            return None
        return key_number(self.speech, module, key)

    def _named(self, module: Module, key: Key) -> dict[str, Any]:
        return dict(zip(module.key_columns, key, strict=True))

    def _are(self, module: Module, table: sa.TableClause, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
        dialect = self.speech.dialect
        if len(module.key_columns) == 1:
            column = table.c[module.key_columns[0]]
            values = [_bound(self.speech, module, 0, key[0]) for key in keys]
            kind = module.key_classes[0]
            if len(values) == 1:
                return dialect.equals(column, values[0], kind)
            return dialect.is_in(column, values, kind)
        rows = [
            sa.and_(
                *(
                    dialect.equals(
                        table.c[name], _bound(self.speech, module, number, key[number]), module.key_classes[number]
                    )
                    for number, name in enumerate(module.key_columns)
                )
            )
            for key in keys
        ]
        return sa.or_(sa.false(), *rows)


def key_number(speech: Speech, module: Module, key: Key) -> Any:
    """Write a key that is one number as a parameter."""
    return _bound(speech, module, 0, key[0])


def _bound(speech: Speech, module: Module, number: int, value: Any) -> Any:
    kind: ColumnClass = module.key_classes[number]
    return binder(speech.dialect.name, "reference", kind, speech.zone)(value)


def by_columns(rows: Sequence[tuple[int, Values]]) -> Iterator[list[tuple[int, Values]]]:
    """Group numbered rows by the columns that they have, so that each group is one statement."""
    groups: dict[tuple[str, ...], list[tuple[int, Values]]] = {}
    for number, row in rows:
        groups.setdefault(tuple(sorted(row)), []).append((number, row))
    yield from groups.values()


def table_of(name: str, columns: Any, more: Sequence[str] = ()) -> sa.TableClause:
    """Name a table with some of its columns."""
    names = dict.fromkeys((*columns, *more))
    return sa.table(_quoted(name), *(sa.column(_quoted(column)) for column in names))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _update_one(name: str, columns: tuple[str, ...], key: str) -> Kept:
    table = table_of(name, columns, (key,))
    values: dict[str, Any] = {column: sa.bindparam(f"v{place}") for place, column in enumerate(columns)}
    return Kept(sa.update(table).where(table.c[key] == sa.bindparam("key")).values(values))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _insert(name: str, columns: tuple[str, ...]) -> sa.Insert:
    return sa.insert(table_of(name, columns))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _inline(statement: sa.Insert) -> Kept:
    return Kept(statement.inline())


def _quoted(name: str) -> sa.sql.quoted_name:
    return sa.sql.quoted_name(name, quote=True)


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    width = max(len(rows[0]), 1) if rows else 1
    size = max(1, min(ROWS_AT_ONCE, PARAMETERS_AT_ONCE // width))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
