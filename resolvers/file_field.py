"""Fields that are files: what a row says about its file, without a single byte of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from resolvers.draft import Draft
from resolvers.ids import write_id
from resolvers.scope import column
from resolvers.terms import Term, key_terms
from schema.spec import FILE_COLUMNS, Field
from storage.dialects import Expression as Sql

# What stands for a name and a type that the table does not have.
UNNAMED = "unnamed"
ANY_BYTES = "application/octet-stream"
PREFIX = "/files"
_SIZE_DIGITS = 18

Read = Callable[[list[Any]], Any]


def file_reader(draft: Draft, term: Term) -> Read:
    """Select what the API's `File` says; null where the row has none."""
    there, name, content_type, size = (draft.add(value) for value in _columns(draft, term))
    keys = [draft.column(key) for key in key_terms(term.module, term.hops)]
    module, field = term.module, _field(term).api_name

    def read(row: list[Any]) -> Mapping[str, Any] | None:
        if not row[there]:
            return None
        row_id = write_id(module, [row[position] for position in keys])
        return {
            "name": _text(row[name]) or UNNAMED,
            "contentType": _text(row[content_type]) or ANY_BYTES,
            "size": _size(row[size]),
            "url": f"{PREFIX}/{row_id}/{quote(field)}",
        }

    return read


def file_mark(draft: Draft, term: Term) -> Read:
    """Select what changes when the row gets another file: its id, or what is said of the bytes."""
    if not _field(term).holds_bytes:
        position = draft.column(term)
        return lambda row: row[position]
    positions = [draft.add(value) for value in _columns(draft, term)]
    return lambda row: [_text(row[position]) for position in positions]


def _columns(draft: Draft, term: Term) -> tuple[Sql, ...]:
    """Say whether there is a file, its name, its type and its size."""
    scope, field = draft.scope, _field(term)
    if not field.holds_bytes:
        stored = scope.stored_file(term)
        return tuple(column(stored, name) for name in ("id", "name", "content_type", "size"))
    table = scope.table(term.hops)
    named = (field.settings.get(key) for key in FILE_COLUMNS)
    return (
        _is_there(scope.value(term)),
        *(column(table, str(name)) if name else sa.literal_column("NULL") for name in named),
    )


def _is_there(stored: Sql) -> Sql:
    """Ask without reading the bytes."""
    return sa.case((stored.is_not(None), sa.literal_column("1")), else_=sa.literal_column("0"))


def _field(term: Term) -> Field:
    if not isinstance(term.item, Field):
        raise TypeError(f"{term.name} is no field.")
    return term.item


def _text(value: Any) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return None if value is None else str(value)


def _size(value: Any) -> int | None:
    """Read a size, which OTRS keeps as a text; what is no number is not known."""
    text = (_text(value) or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _SIZE_DIGITS else None
