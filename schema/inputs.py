"""How rows are named, filtered and ordered: Key, Filter, ListFilter and Order inputs, made from a module."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLID, GraphQLInputField, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from schema.kernel import ENUM_OPERATORS, KERNEL, SORT_DIRECTION, InputType, list_filter_input, operator_input
from schema.kinds import COMPUTED_SCALARS
from schema.outline import has_options, key_scalar, options_name, orders, outline_of, scalar_of, sorts
from schema.spec import Field, Module
from schema.types import World, outline_in

# Scalars that are filtered by another one's operators; those that are not filtered at all stand for themselves.
_FILTERED_AS = {"HTML": "String"}


def make_key(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the ways to name one row: the global id, the database's key, every unique key that the audience sees."""
    seen = {field.name for field in outline_in(world, module).fields}
    fields = {"id": GraphQLInputField(GraphQLID)}
    if module.has_database_id:
        fields["databaseId"] = GraphQLInputField(_scalar(key_scalar(module)))
    for key in module.row_keys:
        if key.field is None or key.field in seen:
            fields.setdefault(key.api_name, GraphQLInputField(_scalar(key.scalar)))
    return InputType(f"{module.type_name}Key", fields, is_one_of=True)


def _scalar(name: str) -> Any:
    return KERNEL[name]


def make_filter(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the filter of a module's rows."""
    return InputType(f"{module.type_name}Filter", lambda: _filter_fields(world, module))


def _filter_fields(world: World, module: Module) -> dict[str, GraphQLInputField]:
    outline = outline_in(world, module)
    own = world.named(f"{module.type_name}Filter")
    several = GraphQLList(GraphQLNonNull(own))
    found: dict[str, Any] = {"and": several, "or": several, "not": own}
    if module.has_id:
        found["id"] = KERNEL["IDFilter"]
    if module.has_database_id:
        found["databaseId"] = KERNEL[f"{key_scalar(module)}Filter"]
    for field in outline.fields:
        if field.filterable:
            found |= _field_filters(world, module, field)
    for computed in outline.expressions:
        found[computed.api_name] = _scalar_filter(COMPUTED_SCALARS[computed.kind])
    for relation in outline.relations:
        if relation.to in world.modules:
            found[relation.api_name] = world.named(f"{world.modules[relation.to].type_name}ListFilter")
    return {name: GraphQLInputField(type_) for name, type_ in found.items() if type_ is not None}


def _field_filters(world: World, module: Module, field: Field) -> dict[str, Any]:
    if field.to is None:
        return {field.api_name: _value_filter(world, module, field)}
    found: dict[str, Any] = {}
    if field.to in world.modules:
        found[field.api_name] = world.named(f"{world.modules[field.to].type_name}Filter")
    if field.raw_name:
        found[field.raw_name] = _scalar_filter(scalar_of(field))
    return found


def _value_filter(world: World, module: Module, field: Field) -> Any:
    if has_options(field):
        suffix = "ListFilter" if field.kind == "multiselect" else "Filter"
        return world.named(f"{options_name(module, field)}{suffix}")
    if field.kind == "multiselect":
        return KERNEL["StringListFilter"]
    own = field.traits.filter
    return _scalar_filter(scalar_of(field)) if own in {"enum", "list"} else KERNEL.get(own)


def _scalar_filter(scalar: str) -> Any:
    return KERNEL.get(f"{_FILTERED_AS.get(scalar, scalar)}Filter")


def make_list_filter(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the filter over the rows at the far end of a relation."""

    def fields() -> dict[str, GraphQLInputField]:
        own = world.named(f"{module.type_name}Filter")
        return {word: GraphQLInputField(own) for word in ("some", "none", "every")}

    return InputType(f"{module.type_name}ListFilter", fields)


def make_order(world: World, module: Module) -> GraphQLInputObjectType:
    """Make the ways to order a module's rows, through references too."""
    return InputType(
        f"{module.type_name}Order",
        lambda: _order_fields(world, module),
        description="One key per item; the list order is the sort order.",
        is_one_of=True,
    )


def _order_fields(world: World, module: Module) -> dict[str, GraphQLInputField]:
    outline = outline_in(world, module)
    found: dict[str, Any] = {"databaseId": SORT_DIRECTION} if module.has_database_id else {}
    for field in filter(sorts, outline.fields):
        if field.to is None:
            found[field.api_name] = SORT_DIRECTION
        elif (target := world.modules.get(field.to)) and outline_of(target, world.audience).has_order:
            found[field.api_name] = world.named(f"{target.type_name}Order")
    found |= {computed.api_name: SORT_DIRECTION for computed in outline.computed if orders(computed)}
    return {name: GraphQLInputField(type_) for name, type_ in found.items()}


def make_options_filter(world: World, module: Module, field: Field) -> GraphQLInputObjectType:
    """Make the filter of a field with options."""
    name = options_name(module, field)
    return operator_input(f"{name}Filter", world.named(name), ENUM_OPERATORS)


def make_options_list_filter(world: World, module: Module, field: Field) -> GraphQLInputObjectType:
    """Make the filter of a field that holds several of its options."""
    name = options_name(module, field)
    return list_filter_input(f"{name}ListFilter", world.named(name))
