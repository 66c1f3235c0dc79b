"""Rows counted and summed up: GroupBy, AggregateKey and AggregateRow, made from a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
)

from schema.bindings import AggregateKeyPart, AggregatePart, GroupValue
from schema.kernel import KERNEL, ObjectType
from schema.kinds import COMPUTED_SCALARS, KINDS
from schema.outline import group_value_name, groups, has_options, options_name, scalar_of
from schema.spec import Module
from schema.types import World, bound, names_in, outline_in

# The mean of whole numbers is a Float; of these it is their own kind.
_MEANS = {"Decimal": "Decimal", "Duration": "Duration"}


def _groups_in(world: World, module: Module) -> tuple[GroupValue, ...]:
    return groups(outline_in(world, module), world.modules)


def make_group_by(world: World, module: Module) -> GraphQLEnumType:
    """Make the enum of what rows may be grouped by."""
    return GraphQLEnumType(
        f"{module.type_name}GroupBy",
        lambda: {group_value_name(value): GraphQLEnumValue(value) for value in _groups_in(world, module)},
    )


def make_aggregate_key(world: World, module: Module) -> GraphQLObjectType:
    """Make the values grouped by; references lead to their row."""
    return ObjectType(
        f"{module.type_name}AggregateKey",
        lambda: {value.api_name: _key_field(world, module, value) for value in _groups_in(world, module)},
        description="The values grouped by: null where not asked for.",
    )


def _key_field(world: World, module: Module, value: GroupValue) -> GraphQLField:
    field = value.field
    target = world.modules[field.to] if field.to else None
    type_: Any
    if target:
        type_ = world.named(target.type_name)
    elif value.bucket:
        type_ = KERNEL["Date"]
    else:
        type_ = world.named(options_name(module, field)) if has_options(field) else KERNEL[scalar_of(field)]
    return bound(type_, AggregateKeyPart(module, field, value.bucket, target))


def make_aggregate_row(world: World, module: Module) -> GraphQLObjectType:
    """Make one group: its key, how many rows, and the functions that fields of this kind have."""
    return ObjectType(f"{module.type_name}AggregateRow", lambda: dict(_row_fields(world, module)))


def _row_fields(world: World, module: Module) -> Iterator[tuple[str, GraphQLField]]:
    key = f"{module.type_name}AggregateKey"
    if key in names_in(world, module).types:
        yield "key", bound(GraphQLNonNull(world.named(key)), AggregatePart(module, "key"))
    yield "count", bound(GraphQLNonNull(GraphQLInt), AggregatePart(module, "count"))
    outline = outline_in(world, module)
    for field in outline.fields:
        for function in field.traits.aggregates:
            part = AggregatePart(module, function, field)
            yield _function_name(function, field.api_name), bound(_result(function, scalar_of(field)), part)
    for computed in outline.expressions:
        kind = KINDS.get(computed.kind)
        for function in kind.aggregates if kind else ():
            part = AggregatePart(module, function, computed=computed)
            scalar = COMPUTED_SCALARS[computed.kind]
            yield _function_name(function, computed.api_name), bound(_result(function, scalar), part)


def _function_name(function: str, api_name: str) -> str:
    return f"{function}{api_name[0].upper()}{api_name[1:]}"


def _result(function: str, scalar: str) -> Any:
    if function == "avg":
        return KERNEL[_MEANS.get(scalar, "Float")]
    return KERNEL["BigInt" if function == "sum" and scalar == "Int" else scalar]  # a sum may pass 32 bits
