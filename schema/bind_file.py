"""Fields that are files meet columns: the id of an uploaded file, or the bytes themselves with columns that describe them."""

from __future__ import annotations

from dataclasses import replace

from schema.binding import Binding, describe, near
from schema.catalog import Column, ColumnClass
from schema.secrets import is_unreadable
from schema.spec import FILE_COLUMNS, Field, Home

# An upload's id has 43 characters; tables of ours give it room for more.
ID_SIZE = 43
_BYTES = (ColumnClass.BYTES, ColumnClass.TEXT)  # OTRS keeps bytes as base64 in a TEXT on PostgreSQL
_IDS = (ColumnClass.STRING, ColumnClass.TEXT)


def bind_file(item: Field, column: Column, at: Binding) -> Field | None:
    """Check that a file can be found where its field says; None where it cannot."""
    if not at.key:
        at.note(
            "no-key",
            f"Field `{item.name}` is a file, and files are fetched by the id of their row: rows of table `{at.table.name}` have no key.",
            f"fields.{item.name}.type",
            "Name the key columns of the module with `key:`.",
            place=item.place,
        )
        return None
    found = _holds_bytes(item, column, at) if item.holds_bytes else _holds_id(item, column, at)
    if not found:
        return None
    # An upload is given to a row by its id; bytes in a table are written by whoever the table belongs to.
    return replace(item, readonly=True) if item.holds_bytes else item


def _holds_id(item: Field, column: Column, at: Binding) -> bool:
    if column.type in _IDS and (column.size is None or column.size >= ID_SIZE):
        return True
    hint = "Name a column of texts that is long enough, or let an extension add the field: it gets a column of its own."
    if column.type is ColumnClass.BYTES:
        hint = "Name the column of the file's name with `name_column`, if this column holds the bytes of files."
    at.note(
        "wrong-column-type",
        f"Field `{item.name}` keeps the id of a file, which has {ID_SIZE} characters, but column `{item.column}` of table `{at.table.name}` is {describe(column)}.",
        f"fields.{item.name}.column",
        hint,
        place=item.place,
    )
    return False


def _holds_bytes(item: Field, column: Column, at: Binding) -> bool:
    if item.home is not Home.TABLE or column.type not in _BYTES:
        at.note(
            "wrong-column-type",
            f"Field `{item.name}` would read bytes, but column `{item.column}` of table `{at.table.name}` is {describe(column)}.",
            f"fields.{item.name}.column",
            "Name a column of the module's own table that holds bytes, or leave `name_column` out.",
            place=item.place,
        )
        return False
    return all(_is_there(item, key, str(item.settings[key]), at) for key in FILE_COLUMNS if key in item.settings)


def _is_there(item: Field, key: str, name: str, at: Binding) -> bool:
    if name not in at.table.columns:
        at.note(
            "missing-column",
            f"Table `{at.table.name}` has no column `{name}` for `{key}` of field `{item.name}`.",
            f"fields.{item.name}.{key}",
            near(name, at.table.columns),
            place=item.place,
        )
        return False
    if is_unreadable(at.table.name, name):
        at.note(
            "secret-column",
            f"Field `{item.name}` would read column `{name}` of table `{at.table.name}`, which holds secrets.",
            f"fields.{item.name}.{key}",
            "Name another column.",
            place=item.place,
        )
        return False
    return True
