"""A row and its change written, and shown, by one statement, which PostgreSQL carries out wholly or not at all.

So there is no BEGIN and no COMMIT, and no row is locked while we think: the statement changes the row only where it is still
the one that was read. Where somebody was faster the write begins anew in the usual way, with the row locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from identity.access import Right
from resolvers import ledger
from resolvers.conduct import RowChange, Work
from resolvers.deed_nodes import needed_right
from resolvers.draft import Draft
from resolvers.ids import key_of
from resolvers.images import Image, Key
from resolvers.nodes import KeySlot, RowNode, Slot, ValueSlot, VersionSlot
from resolvers.outbox import has_hooks_after
from resolvers.rows import key_number, table_of
from resolvers.shape import Record, Shape, Shaper
from resolvers.statements import Statements
from resolvers.taken import known_keys
from resolvers.terms import Term, key_terms
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Computed, Home, Module
from schema.writes import Deed
from storage.changes import append_along, values_along
from storage.direct import Kept
from storage.errors import TransactionConflict

MARK = "xmin"  # the transaction that wrote a row as it is: a system column of PostgreSQL

_DEEDS = frozenset({Deed.CREATE, Deed.UPDATE, Deed.DELETE, Deed.RESTORE})


def fits(statements: Statements, module: Module, deed: Deed) -> bool:
    """Answer whether a mutation writes nothing but a row and its change, and looks at nothing after that."""
    if statements.dialect.name != "postgresql" or deed not in _DEEDS:
        return False
    right = needed_right(deed)
    key = ("at once", module.name, right, statements.guard.key)
    known: bool | None = statements.kept.get(key)
    return statements.kept.put(key, _fits(statements, module, right)) if known is None else known


def _fits(statements: Statements, module: Module, right: Right) -> bool:
    table = statements.catalog.tables.get(module.table)
    return (
        table is not None
        and table.is_plain  # what else is done to the row would not be shown
        and module.side_table is None
        and not module.has_dynamic
        and len(module.key_columns) == 1
        and module.key_classes[0] in WHOLE_NUMBERS
        and all(key.is_backed for key in known_keys(statements, module))
        and not any(item.kind == "file" for item in module.fields)
        and not has_hooks_after(module)
        and not statements.guard.access.is_bounded(module, right, after=True)
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """A statement that writes, where its rows tell the key, and how views read them; no shapes: they are read afterwards."""

    statement: Kept
    key: tuple[int, ...]
    shapes: tuple[Shape, ...] = ()


class AtOnce:
    """The one row of a write, kept until its change is known. `views` are what is to be shown of it.

    `shown` is the row as the views see it, where the statement could say so.
    """

    def __init__(self, statements: Statements) -> None:
        self.views: tuple[RowNode, ...] = ()
        self.shown: Mapping[Key, Sequence[Record]] | None = None
        self._statements = statements
        self._way: _Way | None = None
        self._values: Mapping[str, Any] = {}

    def insert(self, module: Module, values: Mapping[str, Any]) -> Key:
        """Take a new row; return its key, which is not known yet where the database numbers rows."""
        given = values.get(module.key_columns[0])
        self._take("insert" if given is None else "insert all", module, values)
        return () if given is None else key_of(module, [given])

    def update(self, module: Module, image: Image, values: Mapping[str, Any]) -> None:
        """Take new values of a row."""
        if values:
            self._take("update", module, values, image)

    def delete(self, module: Module, image: Image) -> None:
        """Take a row away."""
        self._take("delete", module, {}, image)

    async def finish(self, work: Work, changes: Sequence[RowChange], undoes: int | None) -> None:
        """Write the row and its change. Raises `TransactionConflict` where it must be done in the usual way."""
        way = self._way
        if way is None or len(changes) != 1:
            raise TransactionConflict
        (change,), (noted,) = changes, ledger.changes_of(work, changes, undoes)
        rows = await work.transaction.conclude(way.statement, {**self._values, **values_along(noted)})
        if not rows:
            raise TransactionConflict
        row = list(rows[0])
        change.key = key_of(change.module, [row[place] for place in way.key])
        if way.shapes:
            self.shown = {change.key: [Record(shape, row) for shape in way.shapes]}

    def _take(self, kind: str, module: Module, values: Mapping[str, Any], image: Image | None = None) -> None:
        if self._way is not None:
            raise TransactionConflict
        columns, statements = tuple(values), self._statements
        key = ("at once", kind, module.name, columns, self.views, statements.guard.key)
        known: _Way | None = statements.kept.get(key)
        self._way = known or statements.kept.put(key, _way(statements, kind, module, columns, self.views))
        given = {f"v{place}": value for place, value in enumerate(values.values())}
        if image is not None:
            given |= {"key": key_number(statements.speech(), module, image.key), "mark": image.mark}
        self._values = given


def _way(
    statements: Statements, kind: str, module: Module, columns: tuple[str, ...], views: tuple[RowNode, ...]
) -> _Way:
    if not all(_is_own(view, module) for view in views) or statements.guard.access.is_bounded(module):
        views = ()
    key = module.key_columns[0]
    found = [key, *(name for view in views for slot in view.slots.values() for name in _columns(slot))]
    names = tuple(dict.fromkeys(name for name in found if name is not None))
    table = table_of(module.table, (*names, *columns), (MARK,))
    written = _write(kind, table, columns, key).returning(*(table.c[name] for name in names)).cte("written")
    noted = append_along(written, written.c[key] if kind == "insert" else None)
    draft = Draft(statements.speech(), module, written)
    shaper = Shaper(draft, statements.zone, statements.secret)
    shapes = tuple(shaper.shape(view) for view in views)
    places = tuple(draft.column(term) for term in key_terms(module))
    return _Way(Kept(draft.statement().add_cte(noted.cte("noted"))), places, shapes)


def _write(kind: str, table: sa.TableClause, columns: tuple[str, ...], key: str) -> Any:
    values: dict[str, Any] = {column: sa.bindparam(f"v{place}") for place, column in enumerate(columns)}
    if kind.startswith("insert"):
        return sa.insert(table).values(values)
    # Not a row that somebody has changed since it was read.
    is_row = sa.and_(table.c[key] == sa.bindparam("key"), table.c[MARK] == sa.bindparam("mark"))
    return sa.update(table).where(is_row).values(values) if kind == "update" else sa.delete(table).where(is_row)


def _is_own(view: RowNode, module: Module) -> bool:
    """Answer whether a selection is the same for everybody and shows nothing but columns of the row itself."""
    slots = view.slots.values()
    return (
        view.is_kept
        and view.module is module
        and not view.hops
        and None not in {name for slot in slots for name in _columns(slot)}
    )


def _columns(slot: Slot) -> list[str | None]:
    """Name the columns of the row that something is read from; None where there is more to it."""
    if isinstance(slot, VersionSlot):
        return [_column(term) for term in slot.terms]
    if isinstance(slot, ValueSlot):
        return [_column(slot.term)]
    return [] if isinstance(slot, KeySlot) else [None]


def _column(term: Term) -> str | None:
    item = term.item
    if term.hops or isinstance(item, Computed):
        return None
    return item if isinstance(item, str) else item.column if item.home is Home.TABLE else None
