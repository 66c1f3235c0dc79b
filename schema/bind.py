"""A module meets the database: tables, columns, keys, references, relations. Only names that the database has go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.bind_computed import bind_computed
from schema.bind_field import bind_fields
from schema.bind_filter import bind_filter
from schema.bind_relation import bind_relation
from schema.bind_search import bind_search
from schema.binding import Binding, key_columns, near
from schema.catalog import Catalog, ColumnClass, Table
from schema.check_access import RIGHTS, check_rows
from schema.dynamic import dynamic_fields
from schema.plan import plan
from schema.problems import Level, Problem, has_errors, suggest
from schema.secrets import guards_in, is_secret_table, is_unreadable
from schema.spec import VALIDITY_COLUMN, Audience, Computed, Field, Home, Module, Operation, Relation, RowKey, Rule
from schema.tables import module_on, side_table, table_of

__all__ = ["bind", "module_on", "plan", "side_table", "table_of"]

_INT_SCALARS = {ColumnClass.SMALLINT: "Int", ColumnClass.INT: "Int", ColumnClass.BIGINT: "BigInt"}
_KEY_SCALARS = ("Int", "BigInt", "String")
_NONE: Mapping[str, str] = {}
_CHANGES = frozenset({Operation.UPDATE, Operation.UPSERT, Operation.BULK})


def bind(
    module: Module, catalog: Catalog, others: Mapping[str, Module], broken: Mapping[str, str] = _NONE
) -> tuple[Module | None, list[Problem]]:
    """Bind a module to the database; None when there is an error, or when an optional module's table is not there.

    `others` are unbound: of a module that a reference leads to only table, key and columns are looked at, so chains of
    any length never recurse. `broken` names modules that nothing serves for, with the file of each.
    """
    refused = next((name for name in module.tables if is_secret_table(name)), None)
    if refused is not None:
        place = module.places.get("module.table", module.place)
        message = f"Table `{refused}` holds sessions, tokens or keys and can be no module."
        return None, [Problem("secret-table", message, place, "Remove the file.", "module.table")]
    name = table_of(module, catalog)
    if name is None:
        return None, [] if module.optional else [_missing_table(module, catalog)]
    table = catalog.tables[name]
    key = key_columns(module, table)
    side = catalog.tables.get(side_table(name))
    at = Binding(module, catalog, others, table, side, key, broken, dropped=set(module.broken))
    _check_key(at)
    bound = _bind(at)
    _check_rows(bound, at)
    return (None if has_errors(at.problems) else bound), at.problems


def _missing_table(module: Module, catalog: Catalog) -> Problem:
    names = " or ".join(f"`{name}`" for name in module.tables)
    return Problem(
        "missing-table",
        f"There is no table {names}, and it could not be made.",
        module.places.get("module.table", module.place),
        suggest(module.tables[0], catalog.tables) or "See the other problems of the module.",
        "module.table",
    )


def _check_key(at: Binding) -> None:
    for column in at.key:
        if column in at.module.broken:
            continue
        if column not in at.table.columns:
            at.note(
                "missing-column",
                f"Table `{at.table.name}` has no column `{column}` for the key.",
                "module.key",
                near(column, at.table.columns),
            )
        elif is_unreadable(at.table.name, column):
            at.note(
                "secret-column",
                f"Column `{column}` of table `{at.table.name}` holds secrets and can be no key: keys are shown.",
                "module.key",
                "Name other columns that tell rows apart, or write `key: none` and `operations: [view]`.",
            )
    if not at.key and at.module.declared_key is None:
        at.note(
            "no-key",
            f"Table `{at.table.name}` has no primary key, so its rows cannot be told apart.",
            "module.table",
            "Name the columns of a key with `key: [...]`, or write `key: none` and `operations: [view]`.",
        )
    for action in at.module.actions if not at.key else ():
        at.note(
            "no-key",
            f"Action `{action.name}` is about one row, and rows of table `{at.table.name}` have no key.",
            f"actions.{action.name}",
            "Name the key columns of the module with `key:`, or remove the action.",
            place=action.place,
        )


def _bind(at: Binding) -> Module:
    module, table = at.module, at.table
    fields = bind_fields(at)
    relations = [kept for item in module.relations if (kept := bind_relation(item, at)) is not None]
    by_name = {item.name: item for item in fields}
    computed = [made for item in module.computed if (made := bind_computed(item, by_name, at)) is not None]
    taken = _api_names(module, fields, relations, computed)
    fields += dynamic_fields(at.catalog, table.name, taken, module.place) if at.key else ()
    side = at.side.name if at.side is not None and any(item.home is Home.SIDE for item in fields) else None
    bound = replace(
        module,
        fields=tuple(fields),
        relations=tuple(relations),
        computed=tuple(computed),
        table=table.name,
        side_table=side,
        key_columns=at.key,
        key_classes=tuple(table.columns[name].type for name in at.key if name in table.columns),
        counted_key=len(at.key) == 1 and at.key[0] in table.columns and table.columns[at.key[0]].autoincrement,
        operations=_operations(fields, at),
        managed=at.is_managed,
        columns={name: column.type for name, column in table.columns.items() if not is_unreadable(table.name, name)},
        features=_features(at),
    )
    members = bound.by_name
    return replace(
        bound,
        search=bind_search(bound, at),
        row_keys=_row_keys(bound, table),
        filters=tuple(found for item in module.filters if (found := bind_filter(item, members, at)) is not None),
        ui=_ui(members, at),
    )


def _operations(fields: Sequence[Field], at: Binding) -> frozenset[Operation]:
    """Return what may be done: without a key only views, and no change of a name that keeps a value from being read."""
    if not at.key:
        return frozenset({Operation.VIEW})
    names = {guard.key for guard in guards_in(at.table.name, at.table.columns).values()}
    named = next((item for item in fields if item.column in names and not item.readonly), None)
    kept = at.module.operations - _CHANGES
    if named is None or kept == at.module.operations:
        return at.module.operations
    at.note(
        "secret-column",
        f"Rows cannot be changed: field `{named.name}` says whether the value beside it is secret.",
        f"fields.{named.name}.column",
        "Write `operations: [view]`, or make the field `readonly: true`.",
        level=Level.WARNING,
        place=named.place,
    )
    return kept


def _api_names(module: Module, fields: list[Field], relations: list[Relation], computed: list[Computed]) -> set[str]:
    names = {item.api_name for item in fields} | {item.api_name for item in relations}
    names |= {item.api_name for item in computed} | {raw for item in fields if (raw := item.raw_name) is not None}
    return names | {item.api_name for item in module.fields}


def _features(at: Binding) -> Mapping[str, Any]:
    made = dict(at.module.features)
    if VALIDITY_COLUMN in at.table.columns:
        return made
    for name in ("soft_delete", "status_toggle"):
        if made.get(name):
            made[name] = False
            at.note(
                "no-validity",
                f"`{name}` has no effect: table `{at.table.name}` has no column `{VALIDITY_COLUMN}`.",
                f"features.{name}",
                "Leave it out.",
                level=Level.WARNING,
            )
    return made


def _row_keys(module: Module, table: Table) -> tuple[RowKey, ...]:
    """Say what `by:` takes: the key, then fields whose column alone is unique."""
    made: list[RowKey] = []
    own = module.key_columns[0] if module.has_database_id else None
    if own is not None and own in table.columns:
        kind = table.columns[own].type
        made.append(RowKey("databaseId", own, kind, _INT_SCALARS.get(kind, "String")))
    unique = {columns[0] for columns in (table.key, *table.unique) if len(columns) == 1}
    for item in module.shown_fields:
        if item.home is not Home.TABLE or not item.is_readable or not (item.unique or item.column in unique):
            continue
        name = item.raw_name if item.to else item.api_name
        scalar = item.traits.scalar or _INT_SCALARS.get(item.column_class, "String")
        if name is not None and scalar in _KEY_SCALARS and item.kind not in ("select", "radio", "validity"):
            made.append(RowKey(name, item.column, item.column_class, scalar, item.name))
    return tuple(made)


def _ui(members: Mapping[str, object], at: Binding) -> Mapping[str, Any]:
    """Keep in lists and forms what is there; say what never was."""
    made = dict(at.module.ui)
    virtual = tuple(item for item in at.module.fields if item.settings.get("virtual"))
    known: set[str] = {*members, *(item.name for item in virtual)}

    def keep(names: Any, where: str) -> tuple[str, ...]:
        for name in names:
            if name not in known and name not in at.dropped:
                at.note(
                    "unknown-field",
                    f"`{where}` names `{name}`, which module `{at.module.name}` does not have.",
                    f"ui.{where}",
                    suggest(name, known),
                    level=Level.WARNING,
                )
        return tuple(name for name in names if name in known)

    if "list_columns" in made:
        made["list_columns"] = keep(made["list_columns"], "list_columns")
    if "form_sections" in made:
        made["form_sections"] = tuple(
            {**section, "fields": keep(section.get("fields", ()), "form_sections")} for section in made["form_sections"]
        )
    declared = {action.name for action in at.module.actions}
    for said in made.get("actions", ()):
        name = said.get("action")
        if name is not None and name not in declared and name not in at.dropped:
            at.note(
                "unknown-action",
                f"`ui.actions` names `{name}`, which is no action of module `{at.module.name}`; the button is left out.",
                "ui.actions",
                suggest(name, declared),
                level=Level.WARNING,
            )
    if "default_sort" in made and not keep((made["default_sort"],), "default_sort"):
        del made["default_sort"]
    if virtual:
        made["virtual_fields"] = virtual
    return made


def _check_rows(bound: Module, at: Binding) -> None:
    """Check the row rules once more, now with what lies behind references."""
    for audience in Audience:
        rules = bound.access.of(audience)
        path = f"access.{audience.value}"
        filters = [(f"{path}.rows", rules.rows)]
        for right in RIGHTS:
            rule: Rule = getattr(rules, right)
            filters += [(f"{path}.{right}.rows", rule.rows), (f"{path}.{right}.check", rule.check)]
        for where, found in filters:
            if found is not None:
                check_rows(found, bound, {**at.others, bound.name: bound}, _noter(where, at))


def _noter(path: str, at: Binding) -> Callable[[str, str, str | None, tuple[str | int, ...]], None]:

    def note(code: str, message: str, hint: str | None, steps: tuple[str | int, ...]) -> None:
        at.problems.append(
            Problem(
                code,
                message,
                at.module.places.get(path, at.module.place),
                hint,
                ".".join((path, *(str(step) for step in steps))),
            )
        )

    return note
