"""Actions of module files as mutations: one row, the arguments that the file declares, and what its lambda made of them."""

from __future__ import annotations

from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from schema.bindings import ActionRoot, PayloadPart
from schema.kernel import KERNEL, LAMBDA_OPERATION, InputType, ObjectType
from schema.kinds import kind_of
from schema.mutations import ERRORS, EXTERNAL
from schema.outline import upper
from schema.scalars import JSON
from schema.spec import Action, Argument, Module
from schema.types import World, bound
from schema.writes import acted_name, action_name

_OPERATIONS = GraphQLNonNull(GraphQLList(GraphQLNonNull(LAMBDA_OPERATION)))
_LINES = GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLString)))


def make_action_input(world: World, module: Module, action: Action) -> GraphQLInputObjectType:
    """Make the input of an action: the row, and its own arguments."""

    def fields() -> dict[str, GraphQLInputField]:
        return {
            "key": GraphQLInputField(GraphQLNonNull(world.named(f"{module.type_name}Key"))),
            "ifVersion": GraphQLInputField(GraphQLString),
            **{argument.api_name: _argument(argument) for argument in action.args},
            "clientMutationId": GraphQLInputField(GraphQLString),
        }

    return InputType(f"{upper(action_name(module, action))}Input", fields)


def _argument(argument: Argument) -> GraphQLInputField:
    kind = kind_of(argument.kind)
    type_ = KERNEL[(kind.scalar if kind else "") or "String"]
    default = argument.default
    if default is not None:
        default = EXTERNAL.get(argument.kind, lambda stored: stored)(default)
    return GraphQLInputField(
        GraphQLNonNull(type_) if argument.required else type_,  # type: ignore[arg-type] # kinds have scalars, which are inputs
        default=None if default is None else GraphQLDefaultInput(value=default),
        description=argument.label.text if argument.label else None,
    )


def make_action_payload(world: World, module: Module, action: Action) -> GraphQLObjectType:
    """Make the payload of an action."""

    def part(name: str) -> PayloadPart:
        return PayloadPart(module, name)

    def fields() -> dict[str, GraphQLField]:
        row = world.named(module.type_name)
        return {
            acted_name(module): bound(
                row,
                part("record"),
                description="The row as it is now; null where nothing was done, or where it is gone.",
            ),
            "current": bound(row, part("current"), description="On CONFLICT: the row as it is now."),
            "result": bound(JSON, part("result"), description="What the lambda returned."),
            "operations": bound(
                _OPERATIONS,
                part("operations"),
                description="What the lambda asked for, in its order: all of it was done, or nothing.",
            ),
            "log": bound(
                _LINES, part("log"), description="What the lambda logged, for administrators; others read nothing."
            ),
            "errors": bound(ERRORS, part("errors")),
            "clientMutationId": bound(GraphQLString, part("clientMutationId")),
        }

    return ObjectType(f"{upper(action_name(module, action))}Payload", fields)


def make_action_root(world: World, module: Module, action: Action) -> GraphQLField:
    """Make the mutation of an action."""
    name = upper(action_name(module, action))
    return bound(
        GraphQLNonNull(world.named(f"{name}Payload")),
        ActionRoot(module, action),
        args={"input": GraphQLArgument(GraphQLNonNull(world.named(f"{name}Input")))},
        description=_description(action),
        deprecation_reason=action.deprecated,
    )


def _description(action: Action) -> str:
    said = f"{action.label.text.rstrip('.')}."
    return said if action.confirm is None else f"{said} Pages ask before it: {action.confirm.text}"
