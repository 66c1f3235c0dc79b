"""Rows as they are before a write: what the API shows of them, their version, and what a conduct wants of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resolvers.ids import key_of
from resolvers.nodes import RowNode, Slot, ValueSlot, VersionSlot
from resolvers.predicate import Predicate
from resolvers.several import load_lists
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
    """A row: its key, its version as the caller may see it, its fields and (for a conduct) all columns as stored."""

    key: Key
    version: str
    fields: Mapping[str, Any]
    columns: Mapping[str, Any] = field(default_factory=dict)


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
    limit: int = 1,
    columns: bool = False,
    lock: bool = True,
) -> list[Image]:
    """Read rows in the order of their keys, at most `limit`; `lock` keeps others from writing them meanwhile."""
    slots: dict[str, Slot] = {_VERSION: version}
    for item in kept_fields(module):
        slots[_FIELD + item.name] = ValueSlot(Term((), module, item), raw=item.kind in _RAW)
    if columns:
        slots.update({_COLUMN + name: ValueSlot(Term((), module, name), raw=True) for name in module.columns})
    plan = statements.locked(module, where, RowNode(module, (), slots), limit, lock=lock)
    shape = plan.shapes[0]
    rows = [list(row) for row in await fetch(plan.statement)]
    if shape.lists and rows:
        await load_lists(statements, shape, rows, fetch)
    return [
        Image(
            key_of(module, [row[position] for position in plan.sort]),
            str(shape.reads[_VERSION](row)),
            _part(shape.reads, row, _FIELD),
            _part(shape.reads, row, _COLUMN),
        )
        for row in rows
    ]


def _part(reads: Mapping[str, Callable[[Any], Any]], row: list[Any], prefix: str) -> dict[str, Any]:
    found = {name.removeprefix(prefix): read(row) for name, read in reads.items() if name.startswith(prefix)}
    return {name: None if isinstance(value, Unreadable) else value for name, value in found.items()}
