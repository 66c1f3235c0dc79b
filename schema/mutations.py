"""How rows are written: Create and Patch inputs, and the input and payload of every generated mutation, made from a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from schema.bindings import PayloadPart, WriteRoot
from schema.kernel import BULK_POLICY, KERNEL, USER_ERROR, InputType, ObjectType
from schema.kinds import VALIDITY
from schema.names import pascal
from schema.outline import has_options, key_scalar, options_name, scalar_of, upper
from schema.scalars import write_duration
from schema.spec import Field, Module
from schema.types import World, bound, description_of
from schema.writes import Deed, deed_name, default_of, is_required, many_word, record_name, records_name, writes_of

_TEXT_ONLY = frozenset({"password", "secret"})
ERRORS = GraphQLNonNull(GraphQLList(GraphQLNonNull(USER_ERROR)))
# Stored defaults that are written in another way in the API; what is not here is written as it is.
EXTERNAL: Mapping[str, Callable[[Any], Any]] = {"duration": write_duration}
_NO_DEFAULT = frozenset({"reference", "epoch", "password", "secret", "file"})


# --- what rows are made of ---


def make_create(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the input of a new row."""

    def fields() -> dict[str, GraphQLInputField]:
        writes = writes_of(module, world.audience)
        found: dict[str, GraphQLInputField] = {}
        if writes.names_key:
            key: Any = KERNEL[key_scalar(module)]
            found["databaseId"] = GraphQLInputField(GraphQLNonNull(key), description="The key of the new row.")
        for field in writes.create:
            found |= _create_fields(world, module, field)
        return found | world.extra_inputs(module, "create")

    return InputType(f"{module.type_name}Create", fields)


def make_patch(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the input of a change: what is left out stays, null empties."""

    def fields() -> dict[str, GraphQLInputField]:
        found: dict[str, GraphQLInputField] = {}
        for field in writes_of(module, world.audience).patch:
            for name, type_ in _types(world, module, field).items():
                found[name] = _input(field, type_, raw=name == field.raw_name)
        return found | world.extra_inputs(module, "patch")

    return InputType(f"{module.type_name}Patch", fields)


def _create_fields(world: World, module: Module, field: Field) -> dict[str, GraphQLInputField]:
    types = _types(world, module, field)
    must = is_required(field) and len(types) == 1  # of two ways to name a target, either will do
    default = _external_default(field)
    return {
        name: _input(
            field,
            GraphQLNonNull(type_) if must else type_,
            default=None if default is None else GraphQLDefaultInput(value=default),
            raw=name == field.raw_name,
        )
        for name, type_ in types.items()
    }


def _input(field: Field, type_: Any, *, raw: bool, default: GraphQLDefaultInput | None = None) -> GraphQLInputField:
    said = description_of(field.name, field.label, field.help)
    return GraphQLInputField(
        type_,
        default=default,
        description=f"What is stored in place of `{field.api_name}`; the row need not exist." if raw else said,
        # What must be given cannot be phased out: GraphQL forbids the two together.
        deprecation_reason=field.deprecated if default is not None or not isinstance(type_, GraphQLNonNull) else None,
    )


def _types(world: World, module: Module, field: Field) -> dict[str, Any]:
    """Say under which names and as which types a field is given."""
    if field.to is None:
        return {field.api_name: _value_type(world, module, field)}
    found: dict[str, Any] = {}
    target = world.modules.get(field.to)
    if target is not None and target.has_id:
        found[field.api_name] = world.named(f"{target.type_name}Key")
    if field.raw_name:
        found[field.raw_name] = KERNEL[scalar_of(field)]
    return found


def _value_type(world: World, module: Module, field: Field) -> Any:
    if field.kind in _TEXT_ONLY:
        return GraphQLString
    if field.kind == "file":
        return GraphQLID
    type_: Any = world.named(options_name(module, field)) if has_options(field) else None
    if field.kind == "multiselect":
        return GraphQLList(GraphQLNonNull(type_ or GraphQLString))
    return type_ or KERNEL[scalar_of(field)]


def _external_default(field: Field) -> Any:
    """Write a default as a client would; None where it is filled in without being said here."""
    default = default_of(field)
    if default is None or default.code is not None or field.kind in _NO_DEFAULT:
        return None
    value = default.value
    if field.kind == "validity":
        return next((name for name, number in VALIDITY.items() if number == value), None)
    if field.options:
        names = {option.value: option.name for option in field.options}
        if field.kind == "multiselect":
            return [names[item] for item in value if item in names] if isinstance(value, list) else None
        return names.get(value)
    return EXTERNAL.get(field.kind, lambda stored: stored)(value)


# --- the input of each mutation ---


def make_deed_input(world: World, module: Module, deed: Deed) -> GraphQLInputObjectType:
    """Make the input of a mutation."""

    def fields() -> dict[str, GraphQLInputField]:
        found = _INPUTS[deed](world, module)
        found["clientMutationId"] = GraphQLInputField(GraphQLString)
        return found

    return InputType(f"{pascal_deed(module, deed)}Input", fields, description=_INPUT_WORDS.get(deed))


def pascal_deed(module: Module, deed: Deed) -> str:
    """Begin the names of a mutation's types: `CreateQueue`."""
    return upper(deed_name(module, deed))


_INPUT_WORDS: Mapping[Deed, str] = {
    Deed.UPDATE_MANY: "filter and maxAffected are both required: no accidental full-table write.",
    Deed.DELETE_MANY: "filter and maxAffected are both required: no accidental full-table write.",
}


def _required(type_: Any, description: str | None = None) -> GraphQLInputField:
    return GraphQLInputField(GraphQLNonNull(type_), description=description)


def _key(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {"key": _required(world.named(f"{module.type_name}Key"))}


def _version() -> dict[str, GraphQLInputField]:
    return {"ifVersion": GraphQLInputField(GraphQLString)}


def _create(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {record_name(module): _required(world.named(f"{module.type_name}Create"))}


def _update(world: World, module: Module) -> dict[str, GraphQLInputField]:
    patch = _required(world.named(f"{module.type_name}Patch"))
    return {**_key(world, module), **_version(), "patch": patch}


def _upsert(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {**_key(world, module), **_create(world, module)}


def _named(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {**_key(world, module), **_version()}


def _create_many(world: World, module: Module) -> dict[str, GraphQLInputField]:
    rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(world.named(f"{module.type_name}Create"))))
    policy = GraphQLInputField(BULK_POLICY, default=GraphQLDefaultInput(value="ALL_OR_NOTHING"))
    return {records_name(module): GraphQLInputField(rows), "policy": policy}


def _filtered(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {"filter": _required(world.named(f"{module.type_name}Filter"))}


def _at_most() -> dict[str, GraphQLInputField]:
    said = "If more rows match, none is changed."
    return {"maxAffected": GraphQLInputField(GraphQLNonNull(GraphQLInt), description=said)}


def _update_many(world: World, module: Module) -> dict[str, GraphQLInputField]:
    patch = _required(world.named(f"{module.type_name}Patch"))
    return {**_filtered(world, module), "patch": patch, **_at_most()}


def _delete_many(world: World, module: Module) -> dict[str, GraphQLInputField]:
    return {**_filtered(world, module), **_at_most()}


_INPUTS: Mapping[Deed, Callable[[World, Module], dict[str, GraphQLInputField]]] = {
    Deed.CREATE: _create,
    Deed.UPDATE: _update,
    Deed.UPSERT: _upsert,
    Deed.DELETE: _named,
    Deed.RESTORE: _named,
    Deed.CREATE_MANY: _create_many,
    Deed.UPDATE_MANY: _update_many,
    Deed.DELETE_MANY: _delete_many,
}


# --- payloads ---


def make_deed_payload(world: World, module: Module, deed: Deed) -> GraphQLObjectType:
    """Make the payload of a mutation: what was written, or why nothing was."""

    def fields() -> dict[str, GraphQLField]:
        found = _PAYLOADS[deed](world, module)
        found["errors"] = bound(ERRORS, PayloadPart(module, "errors"))
        found["clientMutationId"] = bound(GraphQLString, PayloadPart(module, "clientMutationId"))
        return found

    return ObjectType(f"{pascal_deed(module, deed)}Payload", fields)


def make_bulk_payload(_world: World, module: Module) -> GraphQLObjectType:
    """Make the payload of mutations of many rows by filter."""
    ids = GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLID)))
    return ObjectType(
        f"Bulk{many_word(module)}Payload",
        {
            "affected": bound(GraphQLNonNull(GraphQLInt), PayloadPart(module, "affected")),
            "ids": bound(ids, PayloadPart(module, "ids")),
            "errors": bound(ERRORS, PayloadPart(module, "errors")),
            "clientMutationId": bound(GraphQLString, PayloadPart(module, "clientMutationId")),
        },
    )


def make_bulk_row(world: World, module: Module) -> GraphQLObjectType:
    """Make one row of a list that was written: its place in the input, and what became of it."""
    return ObjectType(
        f"{module.type_name}BulkRow",
        lambda: {
            "index": bound(GraphQLNonNull(GraphQLInt), PayloadPart(module, "index")),
            **_record(world, module),
            "errors": bound(ERRORS, PayloadPart(module, "errors")),
        },
    )


def _record(world: World, module: Module) -> dict[str, GraphQLField]:
    return {record_name(module): bound(world.named(module.type_name), PayloadPart(module, "record"))}


def _with_edge(world: World, module: Module) -> dict[str, GraphQLField]:
    edge = bound(world.named(f"{module.type_name}Edge"), PayloadPart(module, "edge"))
    return {**_record(world, module), f"{record_name(module)}Edge": edge}


def _current(world: World, module: Module) -> dict[str, GraphQLField]:
    said = "On CONFLICT: the row as it is now, so that a form can show both."
    current = bound(world.named(module.type_name), PayloadPart(module, "current"), description=said)
    return {**_record(world, module), "current": current}


def _upserted(world: World, module: Module) -> dict[str, GraphQLField]:
    said = "Whether the row is new; null when nothing was written."
    created = bound(GraphQLBoolean, PayloadPart(module, "created"), description=said)
    return {**_with_edge(world, module), "created": created}


def _deleted(world: World, module: Module) -> dict[str, GraphQLField]:
    said = "On CONFLICT: the row as it is now."
    return {
        f"deleted{pascal(module.one_name)}Id": bound(GraphQLID, PayloadPart(module, "deleted")),
        "current": bound(world.named(module.type_name), PayloadPart(module, "current"), description=said),
    }


def _rows(world: World, module: Module) -> dict[str, GraphQLField]:
    rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(world.named(f"{module.type_name}BulkRow"))))
    return {
        "rows": bound(rows, PayloadPart(module, "rows")),
        "affected": bound(GraphQLNonNull(GraphQLInt), PayloadPart(module, "affected")),
    }


_PAYLOADS: Mapping[Deed, Callable[[World, Module], dict[str, GraphQLField]]] = {
    Deed.CREATE: _with_edge,
    Deed.UPDATE: _current,
    Deed.UPSERT: _upserted,
    Deed.DELETE: _deleted,
    Deed.RESTORE: _current,
    Deed.CREATE_MANY: _rows,
}


def payload_name(module: Module, deed: Deed) -> str:
    """Name the payload of a mutation; the two by filter share one."""
    if deed in _PAYLOADS:
        return f"{pascal_deed(module, deed)}Payload"
    return f"Bulk{many_word(module)}Payload"


# --- root fields ---


def make_write_root(world: World, module: Module, deed: Deed) -> GraphQLField:
    """Make one of a module's mutations."""
    input_type = GraphQLNonNull(world.named(f"{pascal_deed(module, deed)}Input"))
    payload = GraphQLNonNull(world.named(payload_name(module, deed)))
    return bound(payload, WriteRoot(module, deed), args={"input": GraphQLArgument(input_type)})
