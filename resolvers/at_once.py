"""A row and its change written by one statement, which PostgreSQL carries out wholly or not at all.

So there is no BEGIN and no COMMIT, and no row is locked while we think: the statement changes the row only where it is still
the one that was read. Where somebody was faster the write begins anew in the usual way, with the row locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from identity.access import Right
from resolvers import ledger
from resolvers.conduct import RowChange, Work
from resolvers.ids import key_of
from resolvers.images import Image, Key
from resolvers.outbox import has_hooks_after
from resolvers.rows import STATEMENTS_KEPT, key_number, table_of
from resolvers.scope import Speech
from resolvers.statements import Statements
from resolvers.taken import known_keys
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Module
from schema.writes import Deed
from storage.changes import append_along, values_along
from storage.direct import Kept
from storage.errors import TransactionConflict

MARK = "xmin"  # the transaction that wrote a row as it is: a system column of PostgreSQL
_NEW: Key = ()

RIGHTS: Mapping[Deed, Right] = {
    Deed.CREATE: Right.CREATE,
    Deed.UPDATE: Right.UPDATE,
    Deed.DELETE: Right.DELETE,
    Deed.RESTORE: Right.DELETE,
}


def fits(statements: Statements, module: Module, deed: Deed) -> bool:
    """Answer whether a mutation writes nothing but a row and its change, and looks at nothing after that."""
    right = RIGHTS.get(deed)
    if statements.dialect.name != "postgresql" or right is None:
        return False
    key = ("at once", module.name, right, statements.guard.key)
    known: bool | None = statements.kept.get(key)
    return statements.kept.put(key, _fits(statements, module, right)) if known is None else known


def _fits(statements: Statements, module: Module, right: Right) -> bool:
    table = statements.catalog.tables.get(module.table)
    return (
        table is not None
        and bool(table.key)  # views have none, and no mark
        and module.side_table is None
        and not module.has_dynamic
        and len(module.key_columns) == 1
        and module.key_classes[0] in WHOLE_NUMBERS
        and all(key.is_backed for key in known_keys(statements, module))
        and not any(item.kind == "file" for item in module.fields)
        and not has_hooks_after(module)
        and not statements.guard.access.is_bounded(module, right, after=True)
    )


@dataclass(slots=True)
class AtOnce:
    """The one row of a write, kept until its change is known."""

    speech: Speech
    _statement: Kept | None = None
    _values: Mapping[str, Any] | None = None

    def insert(self, module: Module, values: Mapping[str, Any]) -> Key:
        """Take a new row; return its key, which is not known yet where the database numbers rows."""
        key = module.key_columns[0]
        given = values.get(key)
        self._take(_insert(module.table, tuple(values), key, is_counted=given is None), _numbered(values))
        return _NEW if given is None else key_of(module, [given])

    def update(self, module: Module, image: Image, values: Mapping[str, Any]) -> None:
        """Take new values of a row."""
        if values:
            statement = _update(module.table, tuple(values), module.key_columns[0])
            self._take(statement, {**_numbered(values), **self._row(module, image)})

    def delete(self, module: Module, image: Image) -> None:
        """Take a row away."""
        self._take(_delete(module.table, module.key_columns[0]), self._row(module, image))

    async def finish(self, work: Work, changes: Sequence[RowChange], undoes: int | None) -> None:
        """Write the row and its change. Raises `TransactionConflict` where it must be done in the usual way."""
        if self._statement is None or self._values is None or len(changes) != 1:
            raise TransactionConflict
        (noted,) = ledger.changes_of(work, changes, undoes)
        rows = await work.transaction.conclude(self._statement, {**self._values, **values_along(noted)})
        if not rows:
            raise TransactionConflict
        changes[0].key = ledger.read_key(rows[0][0])

    def _take(self, statement: Kept, values: Mapping[str, Any]) -> None:
        if self._statement is not None:
            raise TransactionConflict
        self._statement, self._values = statement, values

    def _row(self, module: Module, image: Image) -> dict[str, Any]:
        return {"key": key_number(self.speech, module, image.key), "mark": image.mark}


def _numbered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"v{place}": value for place, value in enumerate(values.values())}


def _named(columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: sa.bindparam(f"v{place}") for place, column in enumerate(columns)}


def _is_row(table: sa.TableClause, key: str) -> sa.ColumnElement[bool]:
    """Pick a row as it was read: not one that somebody has changed since."""
    return sa.and_(table.c[key] == sa.bindparam("key"), table.c[MARK] == sa.bindparam("mark"))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _insert(name: str, columns: tuple[str, ...], key: str, *, is_counted: bool) -> Kept:
    table = table_of(name, columns, (key,))
    written = sa.insert(table).values(_named(columns)).returning(table.c[key].label("number")).cte("written")
    return Kept(append_along(written, written.c.number if is_counted else None))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _update(name: str, columns: tuple[str, ...], key: str) -> Kept:
    table = table_of(name, columns, (key, MARK))
    written = sa.update(table).where(_is_row(table, key)).values(_named(columns)).returning(table.c[key]).cte("written")
    return Kept(append_along(written, None))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _delete(name: str, key: str) -> Kept:
    table = table_of(name, (), (key, MARK))
    return Kept(append_along(sa.delete(table).where(_is_row(table, key)).returning(table.c[key]).cte("written"), None))
