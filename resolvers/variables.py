"""The variables of an operation, coerced as graphql-core does it; what takes no coercing is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from resolvers.templates import Kept

MAX_ERRORS = 10
OPERATIONS_KEPT = 1_000
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class _Plain:
    """A variable of one of GraphQL's own scalars, and what its values are that are taken as they are."""

    name: str
    signature: Any
    takes: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an operation; None where its variables must be looked at one by one."""

    operation: OperationDefinitionNode  # kept with it: it is what this is found by
    plain: tuple[_Plain, ...] | None


_TAKES: Mapping[Any, Callable[[Any], bool]] = {
    GraphQLInt: lambda value: type(value) is int and -_INT32 <= value < _INT32,
    GraphQLString: lambda value: type(value) is str,
    GraphQLID: lambda value: type(value) is str,
    GraphQLBoolean: lambda value: type(value) is bool,
}
# The same for every item of a list.
_TAKES_ALL: Mapping[Any, Callable[[list[Any]], bool]] = {
    GraphQLInt: lambda values: _are(int, values) and min(values) >= -_INT32 and max(values) < _INT32,
    GraphQLString: lambda values: _are(str, values),
    GraphQLID: lambda values: _are(str, values),
    GraphQLBoolean: lambda values: _are(bool, values),
}
_ITEMS_TAKEN = 1_000  # of a list: graphql-core has limits of its own for longer ones


def _are(kind: type, values: list[Any]) -> bool:
    return len(values) <= _ITEMS_TAKEN and set(map(type, values)) == {kind}


_known: WeakKeyDictionary[GraphQLSchema, Kept[_Known]] = WeakKeyDictionary()


def coerce_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, inputs: Mapping[str, Any]
) -> VariableValues | list[GraphQLError]:
    """Return the coerced variables, or what is wrong with them."""
    kept = _known.get(schema)
    if kept is None:
        kept = _known[schema] = Kept(OPERATIONS_KEPT)
    known = kept.get(id(operation)) or kept.put(id(operation), _Known(operation, _plain(schema, operation)))
    if known.plain is not None:
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for item in known.plain:
            value = inputs.get(item.name)
            if not item.takes(value):
                break
            sources[item.name] = VariableValueSource(item.signature, value)
            coerced[item.name] = value
        else:
            return VariableValues(sources, coerced)
    definitions = operation.variable_definitions or ()
    return get_variable_values(schema, definitions, dict(inputs), max_errors=MAX_ERRORS, hide_suggestions=True)


def _plain(schema: GraphQLSchema, operation: OperationDefinitionNode) -> tuple[_Plain, ...] | None:
    found = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            return None
        type_ = signature.type.of_type if isinstance(signature.type, GraphQLNonNull) else signature.type
        takes = _takes_list(type_) if isinstance(type_, GraphQLList) else _TAKES.get(type_)
        if takes is None:
            return None
        found.append(_Plain(signature.name, signature, takes))
    return tuple(found)


def _takes_list(type_: GraphQLList[Any]) -> Callable[[Any], bool] | None:
    """Tell which lists are taken as they are: those that have items, none of them null."""
    item = type_.of_type
    takes = _TAKES_ALL.get(item.of_type if isinstance(item, GraphQLNonNull) else item)
    return None if takes is None else lambda value: type(value) is list and takes(value)
