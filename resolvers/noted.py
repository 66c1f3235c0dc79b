"""Rows that were written past the writer, by statements of their own, as changes that it can note with the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.assignments import Given
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hearing import NEW_ROW, Hearable
from resolvers.hooks import BEFORE_CREATE, BEFORE_DELETE, BEFORE_UPDATE
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


def hear_written(
    work: Work,
    module: Module,
    kind: ChangeKind,
    key: Key = NEW_ROW,
    *,
    before: Mapping[str, Any] = _NOTHING,
    after: Mapping[str, Any] = _NOTHING,
    beside: Mapping[str, Any] = _NOTHING,
) -> Mapping[str, Any]:
    """Let the hooks have their say about a row that is written past the writer; raises `Faulty` where they refuse it.

    Rows are given by their columns as stored. Returns columns of the table that hooks have set, for the caller to write.
    """
    database = work.context.database
    binding = Binding(database.dialect.name, database.zone)
    was, is_to_be = (_fields(binding, module, columns) for columns in (before, after))
    given = Given((), dict(is_to_be))
    work.hear(_EVENTS[kind], [Hearable(module, key, was, given, beside)])
    set_values = {
        name: value for name, value in given.values.items() if name not in is_to_be or is_to_be[name] != value
    }
    columns = binding.columns(module, set_values)
    if columns.beside or columns.dynamic:
        given.faults.append(Fault(FaultCode.LAMBDA_FAILED, "lambda-set", None, {"fields": ", ".join(set_values)}))
    if given.faults:
        raise Faulty(*given.faults)
    return columns.own


def _fields(binding: Binding, module: Module, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row's columns as hooks see them; what the write stamps by itself differs each time."""
    return {
        item.name: binding.read(module, item, columns[item.column])
        for item in kept_fields(module)
        if item.home is Home.TABLE and item.column in columns and item.column not in AUDIT_COLUMNS
    }


_EVENTS: Mapping[ChangeKind, str] = {
    ChangeKind.CREATED: BEFORE_CREATE,
    ChangeKind.UPDATED: BEFORE_UPDATE,
    ChangeKind.DELETED: BEFORE_DELETE,
}
