"""What the database must have for a module: its own table, more columns of it, or a side table beside a foreign one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schema.catalog import Catalog, ColumnClass, Table
from schema.kinds import KINDS
from schema.ports import PlannedColumn, PlannedTable
from schema.secrets import is_secret_table
from schema.spec import AUDIT_COLUMNS, VALIDITY_COLUMN, Field, Home, Module
from schema.tables import module_on, side_table, table_of

OWN_KEY = "id"
_WITH_SIZE = (ColumnClass.STRING,)
_KEY_SIZE = 150
_TEXT_KEY_SIZE = 250
_NONE: Mapping[str, Module] = {}


def plan(module: Module, catalog: Catalog, others: Mapping[str, Module] = _NONE) -> tuple[PlannedTable, ...]:
    """Return the tables that the module asks for and the database lacks, in whole or in part.

    `others` are the modules that references lead to: a reference's column has the type of what it points at.
    """
    if any(is_secret_table(name) for name in module.tables):
        return ()
    name = table_of(module, catalog)
    if name is None:
        return () if module.optional else (_own(module, catalog, others),)
    table = catalog.tables[name]
    if name in catalog.managed:
        return _widened(module, table, catalog, others)
    return _beside(module, table, catalog, others)


def _own(module: Module, catalog: Catalog, others: Mapping[str, Module]) -> PlannedTable:
    key = tuple(column for column in _key(module) if column != OWN_KEY or _types_its_id(module))
    skipped = {*AUDIT_COLUMNS, VALIDITY_COLUMN} | ({OWN_KEY} if not key else set())
    columns = tuple(
        _column(item, module, catalog, others, in_key=item.column in key)
        for item in _stored(module.fields)
        if item.column not in skipped
    )
    missing = [column for column in key if column not in {item.name for item in columns}]
    return PlannedTable(
        name=module.tables[0],
        module=module.name,
        columns=(*columns, *(PlannedColumn(column, ColumnClass.INT, nullable=False) for column in missing)),
        key=key,
        validity=_wants_validity(module),
    )


def _key(module: Module) -> tuple[str, ...]:
    """Return the key columns that a new table gets; `key:` may name fields."""
    fields = {item.name: item.column for item in module.fields}
    return tuple(fields.get(name, name) for name in module.declared_key or ())


def _types_its_id(module: Module) -> bool:
    """Whether the file says that `id` is something else than the automatic number."""
    return any(item.column == OWN_KEY and item.kind not in ("int", "bigint") for item in module.fields)


def _wants_validity(module: Module) -> bool:
    asked = module.features.get("soft_delete") or module.features.get("status_toggle")
    return bool(asked) or any(item.column == VALIDITY_COLUMN for item in module.fields)


def _widened(module: Module, table: Table, catalog: Catalog, others: Mapping[str, Module]) -> tuple[PlannedTable, ...]:
    columns = tuple(
        _column(item, module, catalog, others, added=True)
        for item in _stored(module.fields)
        if item.column not in table.columns and item.column not in AUDIT_COLUMNS
    )
    columns = tuple(column for column in columns if column.name != VALIDITY_COLUMN)
    validity = _wants_validity(module) and VALIDITY_COLUMN not in table.columns
    if not columns and not validity:
        return ()
    audit = all(name in table.columns for name in AUDIT_COLUMNS)
    return (PlannedTable(table.name, module.name, columns, table.key, audit=audit, validity=validity),)


def _beside(module: Module, table: Table, catalog: Catalog, others: Mapping[str, Module]) -> tuple[PlannedTable, ...]:
    name = side_table(table.name)
    existing = catalog.tables.get(name)
    have = existing.columns if existing is not None else {}
    key = table.key or tuple(column for column in _key(module) if column in table.columns)
    columns = tuple(
        _column(item, module, catalog, others, added=True)
        for item in _stored(module.fields)
        if item.home is Home.SIDE and item.column not in table.columns and item.column not in have
    )
    if not columns or not key or any(column.name in key for column in columns):
        return ()
    return (PlannedTable(name, module.name, columns, key, audit=False, beside=table.name),)


def _stored(fields: Iterable[Field]) -> list[Field]:
    """Return the fields that have a column, one a column."""
    found: dict[str, Field] = {}
    for item in fields:
        if not item.settings.get("virtual"):
            found.setdefault(item.column, item)
    return list(found.values())


def _column(
    item: Field,
    module: Module,
    catalog: Catalog,
    others: Mapping[str, Module],
    *,
    in_key: bool = False,
    added: bool = False,
) -> PlannedColumn:
    """Plan a column; one that is added to rows which are there already must take null or have a default."""
    kind, size = _type(item, module, catalog, others)
    if in_key and kind is ColumnClass.STRING:
        size = min(size or _KEY_SIZE, _KEY_SIZE)
    default = item.default.value if item.default is not None else None
    if isinstance(default, bool):
        default = int(default)
    if not isinstance(default, (str, int, float)) or kind is ColumnClass.TEXT:
        default = None  # MySQL has no defaults for long texts; the API fills them in anyway
    required = in_key or (item.required and not (added and default is None))
    unique = item.unique and kind is not ColumnClass.TEXT
    refers = item.traits.name == "reference" and kind is not ColumnClass.TEXT
    return PlannedColumn(item.column, kind, size, not required, unique and not in_key, default, refers and not in_key)


def _type(
    item: Field, module: Module, catalog: Catalog, others: Mapping[str, Module]
) -> tuple[ColumnClass, int | None]:
    kind = item.traits
    if kind.name == "reference":
        return _reference_type(item, module, catalog, others)
    if kind.name in ("select", "radio") and item.options:
        if all(isinstance(option.value, int) for option in item.options):
            return ColumnClass.INT, None
        longest = max(len(str(option.value)) for option in item.options)
        return ColumnClass.STRING, max(kind.size or 0, longest)
    if item.holds_bytes:
        return ColumnClass.BYTES, None
    if kind.creates in _WITH_SIZE:
        return kind.creates, max(kind.size or 0, item.validation.max_length or 0) or None
    return kind.creates, None


def _reference_type(
    item: Field, module: Module, catalog: Catalog, others: Mapping[str, Module]
) -> tuple[ColumnClass, int | None]:
    """Take the type of the column that the reference points at; of its field where the table is not made yet."""
    target = module if item.to == module.name else others.get(item.to or "")
    if target is None and item.settings.get("lookup_table"):
        target = module_on(item.settings["lookup_table"], others)
    if target is None:
        return (ColumnClass.STRING, _TEXT_KEY_SIZE) if item.by not in (None, "id") else (ColumnClass.INT, None)
    by = item.by or item.settings.get("lookup_key")
    field = target.field_named(by) if by else None
    name = table_of(target, catalog)
    if name is not None:
        table = catalog.tables[name]
        key = tuple(_key(target)) or table.key
        column = field.column if field is not None else by
        if column not in table.columns:
            column = key[0] if key else None
        if column is not None and column in table.columns:
            return table.columns[column].type, table.columns[column].size
    if field is None and target.declared_key:
        field = next((one for one in target.fields if one.column == _key(target)[0]), None)
    if field is None or field.kind == "reference":
        return ColumnClass.INT, None
    return KINDS[field.kind].creates, KINDS[field.kind].size
