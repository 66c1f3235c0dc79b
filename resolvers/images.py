"""Rows as they are before a write: what the API shows of them, their version, and what a conduct wants of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from identity.access import Right
from resolvers.ids import key_of
from resolvers.nodes import RowNode, Slot, ValueSlot, VersionSlot
from resolvers.predicate import Predicate
from resolvers.several import load_lists
from resolvers.shape import Read, Row
from resolvers.statements import Statement, Statements
from resolvers.terms import Term
from resolvers.values import Unreadable
from schema.spec import Field, Module

Key = tuple[int | str, ...]
Fetch = Callable[[Statement], Awaitable[list[tuple[Any, ...]]]]

# Kinds whose stored value is kept as it is: what they read as may be another one (UNKNOWN, a row).
_RAW = frozenset({"reference", "select", "radio", "file"})
_FIELD, _COLUMN, _VERSION = "field ", "column ", "version"


@dataclass(frozen=True, slots=True)
class Image:
    """A row: its key, its fields and (for a conduct) all columns as stored.

    `right` is what it was read for, and `allowed` whether the caller has that for this row. `mark` is another one whenever the
    row was changed; None where nobody asked for it.
    """

    key: Key
    fields: Mapping[str, Any]
    columns: Mapping[str, Any]
    read_version: Callable[[], Any]
    right: Right
    allowed: bool
    mark: Any = None

    @property
    def version(self) -> str:
        """The row's version as the caller may see it."""
        return str(self.read_version())


def kept_fields(module: Module) -> tuple[Field, ...]:
    """Return the fields whose values before and after are kept in the history; what is secret is not among them."""
    return tuple(item for item in module.fields if item.is_readable and not item.settings.get("virtual"))


async def read_images(
    statements: Statements,
    module: Module,
    where: Sequence[Predicate],
    version: VersionSlot,
    fetch: Fetch,
    *,
    right: Right,
    limit: int = 1,
    columns: bool = False,
    lock: bool = True,
    only: bool = False,
    mark: str | None = None,
) -> list[Image]:
    """Read rows in the order of their keys, at most `limit`; `lock` keeps others from writing them meanwhile.

    `right` is what they are read for; with `only` rows for which the caller has no such right are left out. `mark` is the
    column of the marks.
    """
    view = _view(statements, module, version, columns=columns)
    plan = statements.locked(module, where, view, limit, right, lock=lock, only=only, mark=mark)
    shape = plan.shapes[0]
    rows = [list(row) for row in await fetch(plan.statement)]
    if shape.lists and rows:
        await load_lists(statements, shape, rows, fetch)
    return [
        Image(
            key_of(module, [row[position] for position in plan.sort]),
            Part(shape.reads, _FIELD, row),
            Part(shape.reads, _COLUMN, row),
            partial(shape.reads[_VERSION], row),
            right,
            plan.allowed is None or bool(row[plan.allowed]),
            None if plan.mark is None else row[plan.mark],
        )
        for row in rows
    ]


def _view(statements: Statements, module: Module, version: VersionSlot, *, columns: bool) -> RowNode:
    """Select all that an image holds; the same for everybody who sees the same version."""
    key = ("image", module.name, version, columns)
    found: RowNode | None = statements.kept.get(key)
    if found is None:
        slots: dict[str, Slot] = {_VERSION: version}
        for item in kept_fields(module):
            slots[_FIELD + item.name] = ValueSlot(Term((), module, item), raw=item.kind in _RAW)
        if columns:
            slots.update({_COLUMN + name: ValueSlot(Term((), module, name), raw=True) for name in module.columns})
        found = RowNode(module, (), slots, is_kept=version.is_kept)
        if version.is_kept:
            statements.kept.put(key, found)
    return found


class Part(Mapping[str, Any]):
    """What of a row stands behind keys with a prefix, each value read when it is asked for; one that cannot be read is null."""

    __slots__ = ("_prefix", "_reads", "_row")

    def __init__(self, reads: Mapping[str, Read], prefix: str, row: Row) -> None:
        self._reads = reads
        self._prefix = prefix
        self._row = row

    def __getitem__(self, name: str) -> Any:
        """Read a value."""
        value = self._reads[self._prefix + name](self._row)
        return None if isinstance(value, Unreadable) else value

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return (key.removeprefix(self._prefix) for key in self._reads if key.startswith(self._prefix))

    def __len__(self) -> int:
        """Count the names."""
        return sum(key.startswith(self._prefix) for key in self._reads)
