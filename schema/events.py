"""What subscribers are told of a module's rows: its Change type and subscription field."""

from __future__ import annotations

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from schema.bindings import ChangePart, ChangeRoot
from schema.kernel import CHANGE_KIND, ObjectType
from schema.spec import Module
from schema.types import World, bound
from schema.writes import record_name

_CHANGED = "What was changed, as far as the caller may know; empty where only OTRS knows."
_KIND = "DELETED also says that a row is no longer among those that the filter picks."


def make_change(world: World, module: Module) -> GraphQLObjectType:
    """Make the event of a row that came, changed or went."""
    names = GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLString)))
    return ObjectType(
        f"{module.type_name}Change",
        lambda: {
            "kind": bound(GraphQLNonNull(CHANGE_KIND), ChangePart(module, "kind"), description=_KIND),
            "id": bound(GraphQLNonNull(GraphQLID), ChangePart(module, "id")),
            "version": bound(GraphQLString, ChangePart(module, "version")),
            record_name(module): bound(world.named(module.type_name), ChangePart(module, "record")),
            "changedFields": bound(names, ChangePart(module, "changedFields"), description=_CHANGED),
        },
    )


def make_change_root(world: World, module: Module) -> GraphQLField:
    """Make `queueChanged(filter:)`."""
    return bound(
        GraphQLNonNull(world.named(f"{module.type_name}Change")),
        ChangeRoot(module),
        args={"filter": GraphQLArgument(world.named(f"{module.type_name}Filter"))},
    )
