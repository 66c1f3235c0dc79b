"""The desk's mutations as GraphQL types, made from what `desk.mutations` says of them and from the modules that there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from desk.mutation_parts import Mutation, Parameter, Shape, Words
from desk.mutations import FIRST_ARTICLE, SHAPES, WORDS, offered
from desk.roles import Role, find_role
from schema.bindings import HandRoot, PayloadPart
from schema.extension import Contribution, MakeInputs, MakeType
from schema.kernel import USER_ERROR, InputType, ObjectType
from schema.spec import Audience, Module
from schema.types import World, bound

_CLIENT_ID = "clientMutationId"
_NAME = re.compile(r"[\w{}]+")
_LIST = re.compile(r"\[(.*)\]")
_ERRORS = GraphQLNonNull(GraphQLList(GraphQLNonNull(USER_ERROR)))

Roles = Mapping[Role, Module]


def desk_extension(modules: Mapping[str, Module], audience: Audience) -> Contribution:
    """Return the desk's part of a schema: agents have of it what the modules that serve allow.

    Customers have what the rules of those modules grant them.
    """
    mutations = offered(modules, audience)
    if not mutations:
        return Contribution()
    roles = {role: module for role in Role if (module := find_role(modules, role)) is not None}
    used = _used(mutations, SHAPES[audience])
    types: dict[str, MakeType] = {words.name: partial(_enum, words) for words in WORDS if words.name in used}
    types |= {
        shape.name: partial(_input, roles, shape.name, shape.parameters, shape.description)
        for shape in SHAPES[audience]
        if shape.name in used
    }
    for item in mutations:
        parameters = (*item.parameters, Parameter(_CLIENT_ID, "String"))
        types[f"{item.type_name}Input"] = partial(_input, roles, f"{item.type_name}Input", parameters, None)
        types[f"{item.type_name}Payload"] = partial(_payload, roles, item)
    return Contribution(
        types=types,
        mutation={item.name: partial(_root, roles, item) for item in mutations},
        inputs=_extra_inputs(roles, FIRST_ARTICLE[audience])
        if any(item.about is Role.TICKET for item in mutations)
        else {},
    )


def _used(mutations: Sequence[Mutation], shapes: Sequence[Shape]) -> set[str]:
    """Name the types that the inputs of mutations are made of, and those of the shapes among them."""
    used = {_NAME.search(item.type)[0] for mutation in mutations for item in mutation.parameters}  # type: ignore[index] # a type has a name
    known = [shape for shape in shapes if shape.name in used]
    return used | {_NAME.search(item.type)[0] for shape in known for item in shape.parameters}  # type: ignore[index]


def _extra_inputs(roles: Roles, first: Parameter) -> Mapping[tuple[str, str], MakeInputs]:
    """Let new tickets begin with an article, unless a field of the module has the name."""
    ticket = roles[Role.TICKET]
    if any(first.name in (field.api_name, field.raw_name) for field in ticket.fields):
        return {}
    return {(ticket.name, "create"): lambda world: {first.name: _field(world, roles, first)}}


# --- types ---


def _enum(words: Words, _world: World) -> GraphQLEnumType:
    values = {name: GraphQLEnumValue(str(inside), description=said) for name, (inside, said) in words.values.items()}
    return GraphQLEnumType(words.name, values, description=words.description)


def _input(
    roles: Roles, name: str, parameters: tuple[Parameter, ...], description: str | None, world: World
) -> GraphQLInputObjectType:
    def fields() -> dict[str, GraphQLInputField]:
        return {item.name: _field(world, roles, item) for item in parameters}

    return InputType(name, fields, description=description)


def _field(world: World, roles: Roles, item: Parameter) -> GraphQLInputField:
    default = None if item.default is None else GraphQLDefaultInput(value=_external(item))
    return GraphQLInputField(_type(world, roles, item.type), default=default, description=item.description)


def _external(item: Parameter) -> Any:
    """Write a default as a client would: of enums by its name."""
    words = next((words for words in WORDS if words.name == item.type.rstrip("!")), None)
    if words is None:
        return item.default
    return next(name for name, (inside, _) in words.values.items() if inside == item.default)


def _payload(roles: Roles, item: Mutation, world: World) -> GraphQLObjectType:
    about = roles[item.about]

    def fields() -> dict[str, GraphQLField]:
        found = {
            part.name: bound(
                world.named(roles[part.role].type_name),
                PayloadPart(roles[part.role], part.kept),
                description=part.description,
            )
            for part in item.parts
        }
        if item.counts:
            said = "How many rows were written or removed; 0 where all was so already."
            found["affected"] = bound(GraphQLNonNull(GraphQLInt), PayloadPart(about, "affected"), description=said)
        found["errors"] = bound(_ERRORS, PayloadPart(about, "errors"))
        found[_CLIENT_ID] = bound(GraphQLString, PayloadPart(about, _CLIENT_ID))
        return found

    return ObjectType(f"{item.type_name}Payload", fields)


def _root(roles: Roles, item: Mutation, world: World) -> GraphQLField:
    binding = HandRoot(
        roles[item.about],
        item.name,
        {name: roles[role] for name, role in item.keys.items()},
        item.changed,
        item.patches,
        {name: roles[role] for name, role in item.creates.items()},
        tuple((roles[role], right) for role, right in item.rights),
    )
    given = GraphQLArgument(GraphQLNonNull(world.named(f"{item.type_name}Input")))
    payload = GraphQLNonNull(world.named(f"{item.type_name}Payload"))
    return bound(payload, binding, args={"input": given}, description=item.description)


def _type(world: World, roles: Roles, text: str) -> Any:
    """Read a type as `desk.mutations` writes it."""
    if text.endswith("!"):
        return GraphQLNonNull(_type(world, roles, text[:-1]))
    several = _LIST.fullmatch(text)
    if several:
        return GraphQLList(_type(world, roles, several[1]))
    return world.named(text.format_map({role.name.lower(): module.type_name for role, module in roles.items()}))
