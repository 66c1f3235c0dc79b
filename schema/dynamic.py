"""OTRS's dynamic fields as fields of modules: which tables have them, what they are called, what type they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from schema.catalog import Catalog, ColumnClass, DynamicField
from schema.names import RESERVED_NAMES
from schema.problems import Place
from schema.spec import BUILTIN_MEMBERS, Caption, Field, Home

# The tables whose rows have dynamic fields → the object type of those fields.
OBJECT_TYPES: Mapping[str, str] = {
    "ticket": "Ticket",
    "article": "Article",
    "customer_user": "CustomerUser",
    "customer_company": "CustomerCompany",
}

# Kind and class of the value's column; what is not here (web services, plug-ins) reads as text.
_TYPES: Mapping[str, tuple[str, ColumnClass]] = {
    "Text": ("string", ColumnClass.TEXT),
    "TextArea": ("text", ColumnClass.TEXT),
    "Dropdown": ("string", ColumnClass.TEXT),
    "Multiselect": ("multiselect", ColumnClass.TEXT),
    "Checkbox": ("bool", ColumnClass.BIGINT),
    "Date": ("date", ColumnClass.DATETIME),
    "DateTime": ("datetime", ColumnClass.DATETIME),
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TAKEN_ALWAYS = frozenset({*BUILTIN_MEMBERS, *RESERVED_NAMES})
PREFIX = "df"
VALUE_CHARS = 3_800  # of dynamic_field_value.value_text


def dynamic_fields(catalog: Catalog, table: str, taken: Iterable[str], place: Place) -> Iterator[Field]:
    """Yield the dynamic fields of a table's rows. `taken` are the GraphQL names that the module has already."""
    wanted = OBJECT_TYPES.get(table)
    if wanted is None:
        return
    names = {*taken}
    for found in sorted(catalog.dynamic_fields, key=lambda item: item.id):
        if found.object_type != wanted:
            continue
        name = _free(found.name, names)
        names.add(name)
        yield _field(found, name, place)


def _field(found: DynamicField, name: str, place: Place) -> Field:
    kind, column_class = _TYPES.get(found.field_type, ("string", ColumnClass.TEXT))
    return Field(
        name=f"DynamicField_{found.name}",
        kind=kind,
        column=found.name,
        label=Caption(found.label or found.name),
        place=place,
        searchable=kind in ("string", "text"),
        sortable=kind != "multiselect",
        settings={"choices": dict(found.options)} if found.options else {},
        graphql_name=name,
        home=Home.DYNAMIC,
        column_class=column_class,
        size=VALUE_CHARS if column_class is ColumnClass.TEXT else None,
        dynamic=found,
    )


def _free(name: str, taken: set[str]) -> str:
    """Return a GraphQL name that is not taken: `dfName` where `name` is, numbered where that is taken, too."""
    plain = graphql_name(name)
    if plain and not plain[0].isdigit() and plain not in taken and plain not in _TAKEN_ALWAYS:
        return plain
    prefixed = PREFIX + plain[:1].upper() + plain[1:]
    number = 2
    candidate = prefixed
    while candidate in taken:
        candidate = f"{prefixed}{number}"
        number += 1
    return candidate


def graphql_name(name: str) -> str:
    """Write a dynamic field's name in camelCase: `ProcessManagementProcessID` → `processManagementProcessId`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return "".join(word if index == 0 else word.capitalize() for index, word in enumerate(words))
