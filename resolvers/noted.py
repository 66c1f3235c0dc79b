"""Rows that were written past the writer, by statements of their own, as changes that it can note with the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.images import Key, kept_fields
from resolvers.ledger import differs
from resolvers.stored import Binding
from schema.spec import AUDIT_COLUMNS, Home, Module

_NOTHING: Mapping[str, Any] = {}


def change_of(
    work: Work,
    module: Module,
    kind: ChangeKind,
    key: Key,
    *,
    before: Mapping[str, Any] = _NOTHING,
    after: Mapping[str, Any] = _NOTHING,
    source: int | None = None,
) -> RowChange:
    """Make the change of a row from its columns as they were stored before and after it; `after` may hold some of them."""
    database = work.context.database
    binding = Binding(database.dialect.name, database.zone)
    fields: dict[str, tuple[Any, Any]] = {}
    for item in kept_fields(module):
        if item.home is not Home.TABLE or item.column not in after or item.column in AUDIT_COLUMNS:
            continue
        old, new = (binding.read(module, item, columns.get(item.column)) for columns in (before, after))
        if differs(old, new):
            fields[item.name] = (old, new)
    return RowChange(module, kind, key, before, dict(after), fields, source=source)
