"""Values that an input of the schema takes, for examples: each scalar has one, objects get what they need at least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    is_required_input_field,
)

MOST_DEEP = 4
# A scalar that is missing takes a text.
SAMPLES: Mapping[str, Any] = {
    "Int": 1,
    "BigInt": 1,
    "Float": 1.5,
    "Decimal": "1.5",
    "Boolean": True,
    "Date": "2026-01-31",
    "Time": "12:30:00",
    "DateTime": "2026-01-31T12:30:00Z",
    "Duration": 3600,
    "ID": "…",
    "JSON": {},
    "HTML": "<p>a text</p>",
}
TEXT = "a"
# Of the ways to name a row, the one that people know.
_KEYS = ("databaseId", "id")


def sample(type_: Any, depth: int = 0) -> Any:
    """Return a value of an input type."""
    if isinstance(type_, GraphQLNonNull):
        return sample(type_.of_type, depth)
    if isinstance(type_, GraphQLList):
        return [sample(type_.of_type, depth)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return _fill(type_, depth)
    return SAMPLES.get(type_.name, TEXT)


def sample_object(schema: GraphQLSchema, name: str) -> Mapping[str, Any]:
    """Return a value of the input object of this name: its fields that must be given."""
    type_ = schema.get_type(name)
    return _fill(type_, 0) if isinstance(type_, GraphQLInputObjectType) else {}


def key_sample(schema: GraphQLSchema, name: str) -> Mapping[str, Any]:
    """Return one way to name a row."""
    type_ = schema.get_type(name)
    return _one_of(type_, 0) if isinstance(type_, GraphQLInputObjectType) else {}


def _fill(type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
    if type_.is_one_of:
        return _one_of(type_, depth)
    needed = {name: field for name, field in type_.fields.items() if is_required_input_field(field)}
    return {name: sample(field.type, depth + 1) for name, field in needed.items()} if depth < MOST_DEEP else {}


def _one_of(type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
    fields: Mapping[str, GraphQLInputField] = type_.fields
    name = next((key for key in _KEYS if key in fields), next(iter(fields)))
    return {name: sample(fields[name].type, depth + 1)}
