"""Arguments as they stand in a document, read as graphql-core reads them: what is the same for all variables is read once.

What is anything but plain (a variable without its value, a literal that does not fit) is left to graphql-core, which knows what to
say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_argument_values,
)
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from resolvers.templates import Kept

FIELDS_KEPT = 2_000

# Reads a value, given those of the variables.
Read: TypeAlias = Callable[[Mapping[str, Any]], Any]


class Odd(Exception):
    """Nothing that is read here."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How a field's arguments are read, None where graphql-core must; the node is kept: it is what this is found by.

    Nothing here leads to a type: what is kept with a schema must not keep it.
    """

    node: FieldNode
    read: Read | None


_known: WeakKeyDictionary[GraphQLSchema, Kept[_Known]] = WeakKeyDictionary()


def read_arguments(
    schema: GraphQLSchema, type_name: str, definition: GraphQLField, node: FieldNode, variables: VariableValues
) -> dict[str, Any]:
    """Return the arguments of a field of a type. Raises `GraphQLError`."""
    kept = _known.get(schema)
    if kept is None:
        kept = _known[schema] = Kept(FIELDS_KEPT)
    key = (id(node), type_name)
    known = kept.get(key) or kept.put(key, _Known(node, _arguments(definition, node)))
    if known.read is not None:
        try:
            found: dict[str, Any] = known.read(variables.coerced)
        except Odd:
            pass
        else:
            return found
    return get_argument_values(definition, node, variables, hide_suggestions=True)


def _arguments(definition: GraphQLField, node: FieldNode) -> Read | None:
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    try:
        return _members(definition.args, given)
    except Odd:
        return None


def _members(
    definitions: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], given: Mapping[str, ValueNode]
) -> Read:
    """Read what has names: arguments, or the fields of an input object."""
    fixed: dict[str, Any] = {}  # with a place for what varies, in the order of the schema
    varying: list[tuple[str, Read]] = []
    for name, definition in definitions.items():
        out_name, node = definition.out_name or name, given.get(name)
        value = (_default(definition),) if node is None else _member(definition, node)
        if callable(value):
            fixed[out_name] = None
            varying.append((out_name, value))
        elif value[0] is not Undefined:
            fixed[out_name] = value[0]
        elif isinstance(definition.type, GraphQLNonNull):
            raise Odd

    def read(variables: Mapping[str, Any]) -> dict[str, Any]:
        found = fixed.copy()
        for out_name, inner in varying:
            value = inner(variables)
            if value is Undefined:
                del found[out_name]
            else:
                found[out_name] = value
        return found

    return read


def _member(definition: GraphQLArgument | GraphQLInputField, node: ValueNode) -> tuple[Any] | Read:
    """Read one that is given; a variable without a value leaves the default, or nothing."""
    if not isinstance(node, VariableNode):
        return _value(node, definition.type)
    name, default, is_certain = node.name.value, _default(definition), isinstance(definition.type, GraphQLNonNull)
    present = _variable(name, is_certain=is_certain)
    if default is Undefined and is_certain:
        return present
    return lambda variables: present(variables) if name in variables else default


def _default(definition: GraphQLArgument | GraphQLInputField) -> Any:
    try:
        return coerce_default_value(definition)
    except TypeError:
        raise Odd from None


def _value(node: ValueNode, type_: GraphQLInputType) -> tuple[Any] | Read:
    """Return a value that is always the same, in a tuple, or what reads it. Raises `Odd`."""
    if isinstance(node, VariableNode):
        return _variable(node.name.value, is_certain=isinstance(type_, GraphQLNonNull))
    if isinstance(type_, GraphQLNonNull):
        if isinstance(node, NullValueNode):
            raise Odd
        return _value(node, type_.of_type)
    if isinstance(node, NullValueNode):
        return (None,)
    if isinstance(type_, GraphQLList):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        return _list([_value(item, type_.of_type) for item in nodes])
    if isinstance(type_, GraphQLInputObjectType):
        return _object(node, type_)
    if isinstance(node, ListValueNode | ObjectValueNode):
        raise Odd  # of a scalar that takes structures: perhaps with variables inside
    value = coerce_input_literal(node, type_)
    if value is Undefined or isinstance(value, dict | list):
        raise Odd
    return (value,)


def _variable(name: str, *, is_certain: bool) -> Read:
    def read(variables: Mapping[str, Any]) -> Any:
        value = variables.get(name)
        if value is None and (is_certain or name not in variables):
            raise Odd
        return value

    return read


def _list(items: list[tuple[Any] | Read]) -> Read:
    # Anew each time: nobody may find in it what somebody else has done to it.
    return lambda variables: [item(variables) if callable(item) else item[0] for item in items]


def _object(node: ValueNode, type_: GraphQLInputObjectType) -> Read:
    if not isinstance(node, ObjectValueNode) or type_.out_type is not GraphQLInputObjectType.out_type:
        raise Odd
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= type_.fields.keys():
        raise Odd
    read = _members(type_.fields, given)
    if not type_.is_one_of:
        return read
    if len(given) != 1:
        raise Odd

    def one(variables: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = read(variables)
        if len(found) != 1 or None in found.values():
            raise Odd
        return found

    return one
