"""Fields meet columns: whether the column is there, holds such values, is secret, and what a reference joins on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.bind_file import bind_file
from schema.binding import Binding, column_named, describe, fits, near
from schema.catalog import WHOLE_NUMBERS, Column, ColumnClass, Table
from schema.kinds import KINDS
from schema.problems import Level, suggest
from schema.secrets import guard_of, is_salt, is_secret_column, is_unreadable
from schema.spec import Field, Home, Module, Option
from schema.tables import module_on, side_table

_NUMBERS = (*WHOLE_NUMBERS, ColumnClass.FLOAT, ColumnClass.DECIMAL)


def bind_fields(at: Binding) -> list[Field]:
    """Bind every field of the module; leave out what the database does not have and need not have."""
    made: list[Field] = []
    for item in at.module.fields:
        if item.settings.get("virtual"):
            continue
        bound = _bind(item, at)
        if bound is not None:
            made.append(bound)
        else:
            at.dropped.add(item.name)
    return made


def _bind(item: Field, at: Binding) -> Field | None:
    column, home = _column(item, at)
    if column is None:
        _missing(item, at)
        return None
    item = replace(
        item,
        home=home,
        column_class=column.type,
        nullable=column.nullable or home is Home.SIDE,
        has_default=column.has_default or column.autoincrement,
        size=column.size,
    )
    if guard_of(at.table.name, item.column) is not None and home is Home.TABLE and item.is_readable:
        _refuse_guarded(item, at)
        return None
    if is_secret_column(at.table.name, item.column) and item.is_readable:
        if not is_salt(item.column):
            at.note(
                "secret-column",
                f"Field `{item.name}` would read column `{item.column}` of table `{at.table.name}`, which holds secrets.",
                f"fields.{item.name}.column",
                "Use `type: password` or `type: secret` (write-only), or leave the field out.",
                place=item.place,
            )
            return None
        item = _made_secret(item, at)
    if item.api_name == "id" and at.key != (item.column,):
        at.note(
            "reserved-name",
            f"Field `{item.name}` would be called `id`, which is kept for the key of table `{at.table.name}`.",
            f"fields.{item.name}.column",
            "Choose another `name`.",
            place=item.place,
        )
        return None
    if item.kind == "reference":
        return _reference(item, column, at)
    if item.kind == "file":
        return bind_file(item, column, at)
    if not _accepts(item, column, at):
        return None
    return _settled(item, column, at)


def _refuse_guarded(item: Field, at: Binding) -> None:
    at.note(
        "secret-column",
        f"Field `{item.name}` would read column `{item.column}` of table `{at.table.name}`, which holds secrets in some rows.",
        f"fields.{item.name}.column",
        f"Make it a computed field with `sql: {item.column}`: such rows then have no value there.",
        place=item.place,
    )


def _made_secret(item: Field, at: Binding) -> Field:
    at.note(
        "secret-column",
        f"Field `{item.name}` sits on `{item.column}`, which signs links; it can be written but not read.",
        f"fields.{item.name}.column",
        "Write `type: secret`.",
        level=Level.WARNING,
        place=item.place,
    )
    return replace(
        item, kind="secret", sortable=False, filterable=False, searchable=False, show_in_list=False, default=None
    )


def _column(item: Field, at: Binding) -> tuple[Column | None, Home]:
    """Find a field's column: in the table, or, for what an extension adds, beside it."""
    found = at.table.columns.get(item.column)
    if found is not None or item.home is not Home.SIDE or at.is_managed:
        return found, Home.TABLE
    return (at.side.columns.get(item.column) if at.side is not None else None), Home.SIDE


def _missing(item: Field, at: Binding) -> None:
    if item.optional:
        return
    path = f"fields.{item.name}.column"
    if item.home is Home.SIDE and not at.is_managed:
        reason = "" if at.key else " because its rows have no key"
        at.note(
            "missing-column",
            f"Field `{item.name}` cannot be kept beside table `{at.table.name}`{reason}: `{side_table(at.table.name)}` has no column `{item.column}`.",
            path,
            "Name the key columns of the module with `key:`." if not at.key else "See the problems of the table.",
            place=item.place,
        )
        return
    at.note(
        "missing-column",
        f"Table `{at.table.name}` has no column `{item.column}` for field `{item.name}`.",
        path,
        near(item.column, at.table.columns),
        place=item.place,
    )


def _accepts(item: Field, column: Column, at: Binding) -> bool:
    if column.type in item.traits.accepts or column.type is ColumnClass.OTHER:
        return True
    kinds = [kind.name for kind in KINDS.values() if column.type in kind.accepts and kind.name != "file"]
    path = f"fields.{item.name}.type"
    if at.is_managed:
        at.note(
            "type-changed",
            f"Field `{item.name}` is now of type {item.kind}, but column `{item.column}` of table `{at.table.name}` was made as {describe(column)}.",
            path,
            f"Values could be lost, so the column stays: choose one of {', '.join(kinds)}, or give the field a new `column`.",
            place=item.place,
        )
    else:
        at.note(
            "wrong-column-type",
            f"Field `{item.name}` is of type {item.kind}, but column `{item.column}` of table `{at.table.name}` is {describe(column)}.",
            path,
            f"Types for such a column: {', '.join(kinds)}." if kinds else "No type fits such a column; leave it out.",
            place=item.place,
        )
    return False


def _settled(item: Field, column: Column, at: Binding) -> Field:
    """Bring options and default to the column's type and size."""
    item = _with_typed_options(item, column, at)
    default = item.default.value if item.default is not None else None
    if isinstance(default, str) and column.size and len(default) > column.size:
        at.note(
            "bad-default",
            f"The default of field `{item.name}` has {len(default)} characters; column `{item.column}` takes {column.size}.",
            f"fields.{item.name}.default",
            "Shorten it.",
            place=item.place,
        )
    return item


def _with_typed_options(item: Field, column: Column, at: Binding) -> Field:
    if not item.options or item.kind == "multiselect":
        return item
    convert: Any = int if column.type in (*WHOLE_NUMBERS, ColumnClass.BOOL) else str
    if column.type in _NUMBERS and convert is str:
        return item
    options: list[Option] = []
    for option in item.options:
        try:
            options.append(replace(option, value=convert(option.value)))
        except ValueError:
            at.note(
                "bad-option",
                f"Option `{option.name}` of field `{item.name}` stores `{option.value}`, but column `{item.column}` is {describe(column)}.",
                f"fields.{item.name}.options",
                "Give it a number as `value`.",
                place=item.place,
            )
            return item
    default = item.default
    if default is not None and default.value is not None:
        by_old = {old.value: new.value for old, new in zip(item.options, options, strict=True)}
        default = replace(default, value=by_old.get(default.value, default.value))
    return replace(item, options=tuple(options), default=default)


def _reference(item: Field, column: Column, at: Binding) -> Field | None:
    path = f"fields.{item.name}.to"
    target = _target(item, at)
    if target is None:
        return _without_target(item, column, at)
    table = at.table_of(target)
    if table is None:
        level = Level.INFO if target.optional else Level.WARNING
        at.drop(
            item.name,
            "missing-target",
            f"Field `{item.name}` is left out: the table of module `{target.name}` ({target.place.file}) is not in this database.",
            path,
            None,
            place=item.place,
            level=level,
        )
        return None
    wanted = item.by or item.settings.get("lookup_key")
    key = at.key_of(target, table)
    joined = _joined(item, target, table, wanted, at)
    if joined is None:
        return None
    if not fits(column.type, table.columns[joined].type):
        at.drop(
            item.name,
            "wrong-column-type",
            f"Field `{item.name}` is left out: column `{item.column}` is {describe(column)}, but `{table.name}.{joined}`, which it points at, is {describe(table.columns[joined])}.",
            f"fields.{item.name}.column",
            "Name another column, or with `by` another field of the target.",
            place=item.place,
        )
        return None
    by = item.by
    if by is None and key != (joined,):
        named = next((one.name for one in target.fields if one.column == joined), joined)
        by = named
    return replace(item, to=target.name, by=by, by_column=joined, settings=_settings(item, table, at))


def _settings(item: Field, table: Table, at: Binding) -> Mapping[str, Any]:
    """Keep the condition and caption of a GOTRS lookup where the table has their columns."""
    made = dict(item.settings)
    condition, caption = made.get("lookup_filter"), made.get("lookup_display")
    wanted = {"lookup_filter": condition.columns if condition is not None else (), "lookup_display": (caption,)}
    for key, columns in wanted.items():
        missing = [name for name in columns if name and (name not in table.columns or is_unreadable(table.name, name))]
        if missing:
            del made[key]
            at.note(
                "bad-query",
                f"The lookup of field `{item.name}` names `{missing[0]}`, which table `{table.name}` does not have.",
                f"fields.{item.name}.lookup_table",
                near(missing[0], table.columns),
                level=Level.WARNING,
                place=item.place,
            )
    return made


def _target(item: Field, at: Binding) -> Module | None:
    if item.to is not None:
        return at.target(item.to)
    modules = {**at.others, at.module.name: at.module}
    return module_on(str(item.settings.get("lookup_table")), modules)


def _without_target(item: Field, column: Column, at: Binding) -> Field | None:
    """Keep a GOTRS lookup of a table without a module as a plain value; leave a reference without its module out."""
    if item.to is None:
        kind = item.settings.get("plain_kind", "int")
        table = item.settings["lookup_table"]
        at.note(
            "missing-module",
            f"Field `{item.name}` shows plain values: no module is on table `{table}`.",
            f"fields.{item.name}.lookup_table",
            f"Add a module for it: `lambdesk new-module --from-table {table}`.",
            level=Level.WARNING,
            place=item.place,
        )
        fallback = "int" if column.type in WHOLE_NUMBERS else "string"
        usable = kind in KINDS and column.type in KINDS[kind].accepts and kind not in ("reference", "select")
        return replace(item, kind=kind if usable else fallback)
    why, hint = at.absence(item.to)
    at.drop(
        item.name,
        "missing-module",
        f"Field `{item.name}` is left out: {why}.",
        f"fields.{item.name}.to",
        hint,
        place=item.place,
    )
    return None


def _joined(item: Field, target: Module, table: Table, wanted: str | None, at: Binding) -> str | None:
    """Return the column of the target's table that the stored value equals."""
    path = f"fields.{item.name}.by"
    key = at.key_of(target, table)
    if wanted is None or (wanted == "id" and column_named(target, table, wanted) is None):
        if len(key) == 1:
            return key[0]
        what = "no key" if not key else f"a key of {len(key)} columns"
        at.drop(
            item.name,
            "bad-reference",
            f"Field `{item.name}` is left out: module `{target.name}` ({target.place.file}) has {what}.",
            f"fields.{item.name}.to",
            "Name the field that the stored value equals with `by`.",
            place=item.place,
        )
        return None
    found = column_named(target, table, wanted)
    if found is None or is_unreadable(table.name, found):
        at.drop(
            item.name,
            "bad-reference",
            f"Field `{item.name}` is left out: module `{target.name}` ({target.place.file}) has no field `{wanted}`.",
            path,
            suggest(wanted, [one.name for one in target.fields]),
            place=item.place,
        )
        return None
    return found
