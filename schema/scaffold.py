"""New module files: an empty one, an extension, and one for a table that exists already, with references and options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.captions import words
from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.key_words import COLUMN, OPERATIONS
from schema.names import RESERVED_TYPES, camel, is_name, option_name, pascal, singular
from schema.secrets import guards_in, is_reserved_table, is_secret_column, is_secret_table
from schema.spec import BUILTIN_MEMBERS, Module
from schema.tables import module_on, table_of
from schema.tree import UNSAFE_CHARACTER
from schema.yaml_text import quoted, text

# Stored value and caption of the rows of a lookup table.
Rows = Sequence[tuple[str | int, str]]

OPTION_LIMIT = 20

_KINDS: Mapping[ColumnClass, str] = {
    ColumnClass.SMALLINT: "int",
    ColumnClass.INT: "int",
    ColumnClass.BIGINT: "bigint",
    ColumnClass.FLOAT: "float",
    ColumnClass.DECIMAL: "decimal",
    ColumnClass.STRING: "string",
    ColumnClass.TEXT: "text",
    ColumnClass.BYTES: "text",
    ColumnClass.BOOL: "bool",
    ColumnClass.DATE: "date",
    ColumnClass.TIME: "time",
    ColumnClass.DATETIME: "datetime",
    ColumnClass.JSON: "json",
}
_AUDIT = {
    "create_time": "created_at",
    "change_time": "changed_at",
    "create_by": "created_by",
    "change_by": "changed_by",
}
_VALIDITY = "valid_id"
_USERS = "users"
_FLAGS = re.compile(r"(is|has|can)_\w+|\w+_flag")


_NEW = """\
# yaml-language-server: $schema=/schema/module.json
module:
  name: {name}
  singular: {label}
  plural: {label}s
  table: {name}  # made from this file when it does not exist

fields:
  - {{name: name, type: string, label: Name, required: true, searchable: true}}
"""
_EXTENSION = """\
# yaml-language-server: $schema=/schema/module.json
module: {{extend: {name}}}
"""


@dataclass(frozen=True, slots=True)
class _Maker:
    """What one scaffold works with."""

    table: Table
    catalog: Catalog
    lookups: Mapping[str, Rows]
    modules: Mapping[str, Module]


def new_yaml(name: str) -> str:
    """Write the smallest module file there is; its table is made from it. Raises `ValueError` for an impossible name."""
    check_new_name(name)
    return _NEW.format(name=name, label=words(name))


def check_new_name(name: str) -> None:
    """Raise `ValueError` with a sentence unless a module may be called so."""
    if not is_name(name) or pascal(name) in RESERVED_TYPES:
        raise ValueError(f"`{name}` is no name for a module: write words in lower case with `_` between them.")


def extension_yaml(name: str) -> str:
    """Write an extension of a module that adds nothing yet."""
    return _EXTENSION.format(name=name)


def module_yaml(
    table: Table,
    catalog: Catalog,
    lookups: Mapping[str, Rows],
    modules: Mapping[str, Module] | None = None,
) -> str:
    """Write the module file for a table. `lookups` holds the rows of small tables that foreign keys point at."""
    if is_reserved_table(table.name):
        raise ValueError(f"Table `{table.name}` belongs to the database or to Lambdesk itself and can be no module.")
    if is_secret_table(table.name):
        raise ValueError(f"Table `{table.name}` holds sessions, tokens or keys and can be no module.")
    make = _Maker(table, catalog, lookups, modules or {})
    fields = list(_fields(make))
    lines = ["# yaml-language-server: $schema=/schema/module.json", *_header(table), "", "fields:"]
    names = [name for name, column, _ in fields if not is_secret_column(table.name, column.name)]
    for _, _, body in fields:
        lines += body
    lines += _guarded(table, [name for name, _, _ in fields])
    lines += _footer(table, names)
    return "\n".join(lines) + "\n"


def _header(table: Table) -> list[str]:
    name = _module_name(table)
    lines = [
        "module:",
        f"  name: {name}",
        f"  singular: {text(words(name))}",
        f"  table: {text(table.name)}",
    ]
    if not table.key:
        lines += [
            "  # The table has no primary key. Where some columns tell rows apart, name them: key: [a, b]",
            "  key: none",
        ]
        lines.append("  operations: [view]")
        return lines
    operations = OPERATIONS[:1] if guards_in(table.name, table.columns) else OPERATIONS[:4]
    lines.append(f"  operations: [{', '.join(operations)}]")
    return lines


def _guarded(table: Table, taken: Iterable[str]) -> list[str]:
    """Write the values that are secret in some rows as expressions, which leave those out; none where nothing tells."""
    used = {camel(name) for name in (*BUILTIN_MEMBERS, *taken)}
    lines: list[str] = []
    for column, guard in guards_in(table.name, table.columns).items():
        if guard.key in table.columns and table.columns[column].type in (ColumnClass.STRING, ColumnClass.TEXT):
            name = _free(_snake(column), table.columns[column], used)
            used.add(camel(name))
            lines.append(f"  - {{name: {name}, type: string, sql: {column}}}")
    return ["", "computed_fields:", *lines] if lines else []


def _module_name(table: Table) -> str:
    name = _snake(singular(_snake(table.name)))
    return f"{name}_row" if not is_name(name) or pascal(name) in RESERVED_TYPES else name


def _footer(table: Table, names: Sequence[str]) -> list[str]:
    has_validity = _VALIDITY in table.columns
    features = ["search: true", "export_csv: true"]
    if table.key:
        features.append("import_csv: true")
    if has_validity:
        features += ["soft_delete: true", "status_toggle: true"]
    shown = [name for name in names if name not in _AUDIT.values()][:6]
    lines = [
        "",
        f"features: {{{', '.join(features)}}}",
        "",
        "# Without `access`, only administrators may use the module.",
    ]
    if shown:
        lines += ["ui:", f"  list_columns: [{', '.join(shown)}]"]
    return lines


def _fields(make: _Maker) -> Iterator[tuple[str, Column, list[str]]]:
    taken = {camel(name) for name in BUILTIN_MEMBERS} | set(BUILTIN_MEMBERS)
    unique = {columns[0] for columns in make.table.unique if len(columns) == 1}
    guards = guards_in(make.table.name, make.table.columns)
    for column in make.table.columns.values():
        if column.name in guards:
            continue
        if make.table.key == (column.name,) and column.type in (
            ColumnClass.SMALLINT,
            ColumnClass.INT,
            ColumnClass.BIGINT,
        ):
            continue  # it is `databaseId`
        if column.type is ColumnClass.OTHER or COLUMN.pattern.fullmatch(column.name) is None:
            continue  # no field could sit on it
        keys = _keys(column, make)
        name = _free(keys.pop("name"), column, taken)
        taken.add(camel(name))
        if column.name in unique:
            keys["unique"] = "true"
        yield name, column, _lines(name, column, keys)


def _keys(column: Column, make: _Maker) -> dict[str, str]:
    """Say what is known of a column, as keys of a field in the order of writing."""
    name = _AUDIT.get(column.name, _snake(column.name))
    if is_secret_column(make.table.name, column.name):
        return {"name": name, "type": "password" if name in ("pw", "password") else "secret"}
    keys = {"name": name, **_type(column, make)}
    if column.name in _AUDIT:
        return {**keys, "readonly": "true", "show_in_form": "false"}
    if not column.nullable and not column.has_default and not column.autoincrement and keys.get("type") != "validity":
        keys["required"] = "true"
    if keys["type"] == "string" and column.name in ("name", "title", "login", "subject"):
        keys["searchable"] = "true"
        keys["show_in_list"] = "true"
    return keys


def _type(column: Column, make: _Maker) -> dict[str, str]:
    if column.name == _VALIDITY and column.type in (ColumnClass.SMALLINT, ColumnClass.INT):
        return {"name": "validity", "type": "validity", "default": "VALID"}
    reference = _reference(column, make)
    if reference is not None:
        return reference
    if column.type is ColumnClass.SMALLINT and _FLAGS.fullmatch(column.name):
        return {"type": "bool"}
    return {"type": _KINDS[column.type]}


def _reference(column: Column, make: _Maker) -> dict[str, str] | None:
    """Make a reference of a foreign key to a module's table; a select of one to a small table without a module."""
    key = next((item for item in make.table.foreign_keys if item.columns == (column.name,)), None)
    table = key.table if key is not None else (_USERS if column.name in ("create_by", "change_by") else None)
    if table is None:
        return None
    module = module_on(table, make.modules)
    if module is not None and table_of(module, make.catalog) is not None:
        name = _AUDIT.get(column.name) or _snake(column.name.removesuffix("_id"))
        target = make.catalog.tables[table_of(module, make.catalog) or table]
        own = key.target if key is not None else target.key
        by = next((item.name for item in module.fields if (item.column,) == own), own[0] if own else "")
        return {"name": name, "type": "reference", "to": module.name, **({"by": by} if own != target.key else {})}
    rows = [row for row in make.lookups.get(table, ()) if not UNSAFE_CHARACTER.search(str(row[0]))]
    if key is None or not 0 < len(rows) <= OPTION_LIMIT:
        return None
    return {"name": _snake(column.name.removesuffix("_id")), "type": "select", "options": _options(rows)}


def _options(rows: Rows) -> str:
    taken: set[str] = set()
    seen: set[str] = set()
    parts = []
    for number, (value, label) in enumerate(rows, 1):
        if str(value) in seen:
            continue
        seen.add(str(value))
        name = base = option_name(label, str(value), number)
        if name in ("TRUE", "FALSE", "NULL", "UNKNOWN"):
            name = base = f"{name}_"
        again = 2
        while name in taken:
            name = f"{base}_{again}"
            again += 1
        taken.add(name)
        parts.append(f"{{name: {name}, value: {_value(value)}, label: {text(label)}}}")
    return f"[{', '.join(parts)}]"


def _free(name: str, column: Column, taken: Iterable[str]) -> str:
    """Return a name that is allowed and not taken; the column's own where the short one is not."""
    used = set(taken)
    for candidate in (
        name,
        _snake(column.name),
        f"{_snake(column.name)}_value",
        *(f"{name}_{n}" for n in range(2, 300)),
    ):
        if is_name(candidate) and camel(candidate) not in used:
            return candidate
    raise ValueError(f"No name is left for column `{column.name}`.")


def _snake(name: str) -> str:
    """Turn a column's name into a name of ours: `QueueID` → `queue_id`."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return text if text[:1].isalpha() else f"column_{text}"


def _lines(name: str, column: Column, keys: Mapping[str, str]) -> list[str]:
    lines = [f"  - name: {name}"]
    if column.name != name:
        lines.append(f"    column: {text(column.name)}")
    lines.append(f"    type: {keys['type']}")
    lines += [f"    {key}: {value}" for key, value in keys.items() if key != "type"]
    return lines


def _value(value: str | int) -> str:
    return str(value) if isinstance(value, int) else quoted(value)
