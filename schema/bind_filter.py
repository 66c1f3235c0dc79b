"""Filters of lists meet the database: their field, and the query or lookup that their choices come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.binding import Binding
from schema.catalog import Table
from schema.expressions import Selection
from schema.problems import Level, suggest
from schema.secrets import is_secret_table, is_unreadable
from schema.spec import Expression
from schema.tables import present


def bind_filter(found: Mapping[str, Any], names: Mapping[str, Any], at: Binding) -> Mapping[str, Any] | None:
    """Keep a filter whose field and choices are there."""
    name = str(found["field"])
    where = f"filters.{name}"
    if name not in names:
        if name not in at.dropped:
            hint = suggest(name, names) or f"Fields: {', '.join(names)}."
            at.note(
                "unknown-field",
                f"The filter on `{name}` is left out: there is no such field.",
                where,
                hint,
                level=Level.WARNING,
            )
        return None
    made = dict(found)
    selection = made.get("selection")
    if isinstance(selection, Selection):
        table = present(selection.table, at.catalog)
        used = {selection.value, selection.label, selection.order or selection.value}
        used |= set(selection.condition.columns if selection.condition is not None else ())
        if not _usable(table, used):
            del made["selection"]
            at.note(
                "bad-query",
                f"The query of the filter on `{name}` has no effect: it names a table or column that is not there.",
                where,
                "The choices come from the field itself.",
                level=Level.WARNING,
            )
        elif table is not None:
            made["selection"] = replace(selection, table=table.name)
    lookup = made.get("lookup_table")
    condition = made.get("condition")
    if lookup is not None:
        table = present(str(lookup), at.catalog)
        used = {str(made[key]) for key in ("lookup_key", "lookup_display") if key in made}
        used |= set(condition.columns) if isinstance(condition, Expression) else set()
        if not _usable(table, used):
            for key in ("lookup_table", "lookup_key", "lookup_display", "condition"):
                made.pop(key, None)
            at.note(
                "bad-query",
                f"The lookup of the filter on `{name}` has no effect: it names a table or column that is not there.",
                where,
                "The choices come from the field itself.",
                level=Level.WARNING,
            )
        elif table is not None:
            made["lookup_table"] = table.name
    return made


def _usable(table: Table | None, columns: set[str]) -> bool:
    if table is None or is_secret_table(table.name):
        return False
    return all(column in table.columns and not is_unreadable(table.name, column) for column in columns)
