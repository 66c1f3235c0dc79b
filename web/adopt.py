"""One type a name: what Strawberry makes of a name that the kernel has gives way to the kernel's own type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
)


def adopt(types: Iterable[GraphQLNamedType], own: Mapping[str, GraphQLNamedType]) -> None:
    """Make every reference of these types to a type with one of our names lead to ours. The types are changed."""
    for type_ in types:
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                field.type = _ours(field.type, own)
                for argument in field.args.values():
                    argument.type = _ours(argument.type, own)
        elif isinstance(type_, GraphQLInputObjectType):
            for item in type_.fields.values():
                item.type = _ours(item.type, own)


def _ours(type_: Any, own: Mapping[str, GraphQLNamedType]) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return GraphQLNonNull(_ours(type_.of_type, own))
    if isinstance(type_, GraphQLList):
        return GraphQLList(_ours(type_.of_type, own))
    return own.get(type_.name, type_)
