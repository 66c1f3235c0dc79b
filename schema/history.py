"""What the API says of the past: the history of a row, the feed of all changes, and taking one back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInt,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLString,
)

from schema.bindings import ChangesRoot, HistoryRoot, UndoRoot
from schema.extension import Contribution
from schema.kernel import CHANGE_KIND, NODE, USER_ERROR, InputType, ObjectType
from schema.scalars import DATE_TIME, JSON
from schema.spec import Audience, Module
from schema.types import World, bound

HISTORY_SIZE = 50
CHANGES_SIZE = 100

_ID = GraphQLNonNull(GraphQLID)
_TEXT = GraphQLNonNull(GraphQLString)


def _all(type_: Any) -> GraphQLNonNull[Any]:
    return GraphQLNonNull(GraphQLList(GraphQLNonNull(type_)))


AUTHOR = ObjectType(
    "ChangeAuthor",
    {
        "kind": GraphQLField(_TEXT, description="agent, customer, token or system; a number means nothing without it."),
        "id": GraphQLField(GraphQLNonNull(GraphQLInt)),
        "login": GraphQLField(_TEXT),
    },
    description="Who changed a row.",
)

FIELD_CHANGE = ObjectType(
    "FieldChange",
    {
        "field": GraphQLField(_TEXT, description="The field's name in the API."),
        "before": GraphQLField(JSON, description="A reference is the value that it stores."),
        "after": GraphQLField(JSON),
    },
    description="A field before and after a change. What is secret is never kept.",
)

_ABOUT: Mapping[str, GraphQLField] = {
    "kind": GraphQLField(GraphQLNonNull(CHANGE_KIND)),
    "at": GraphQLField(GraphQLNonNull(DATE_TIME)),
    "by": GraphQLField(GraphQLNonNull(AUTHOR)),
}

ENTRY = ObjectType(
    "HistoryEntry",
    {
        "id": GraphQLField(_ID, description="Names this change for `undo`."),
        **_ABOUT,
        "fields": GraphQLField(_all(FIELD_CHANGE)),
        "undoes": GraphQLField(GraphQLID, description="The change that this one took back."),
        "canBeUndone": GraphQLField(
            GraphQLNonNull(GraphQLBoolean),
            description="Whether `undo` may work; what changed since may still be in its way.",
        ),
        "requestId": GraphQLField(GraphQLString),
    },
    description="One change of a row.",
)

EVENT = ObjectType(
    "ChangeEvent",
    {
        "id": GraphQLField(_ID),
        **_ABOUT,
        "type": GraphQLField(_TEXT, description="The type of the row."),
        "rowId": GraphQLField(_ID, description="The global id of the row."),
        "changedFields": GraphQLField(_all(GraphQLString), description="Empty where only OTRS knows."),
        "node": GraphQLField(NODE, description="The row as it is now; null when it is gone, or not for the caller."),
    },
    description="One change of any row.",
)

PAGE = ObjectType(
    "ChangeEvents",
    {
        "changes": GraphQLField(_all(EVENT)),
        "cursor": GraphQLField(_TEXT, description="Give it back as `since` to go on from here."),
        "hasMore": GraphQLField(GraphQLNonNull(GraphQLBoolean), description="Whether there is more to read right now."),
    },
    description="Changes in the order in which they became visible.",
)

UNDO_INPUT = InputType(
    "UndoInput",
    {"change": GraphQLInputField(_ID), "clientMutationId": GraphQLInputField(GraphQLString)},
)

UNDO_PAYLOAD = ObjectType(
    "UndoPayload",
    {
        "node": GraphQLField(NODE, description="The row after the change was taken back; null where that removed it."),
        "errors": GraphQLField(_all(USER_ERROR)),
        "clientMutationId": GraphQLField(GraphQLString),
    },
)

_TYPES: tuple[GraphQLNamedType, ...] = (AUTHOR, FIELD_CHANGE, ENTRY, EVENT, PAGE, UNDO_INPUT, UNDO_PAYLOAD)


def history_extension(modules: Mapping[str, Module], audience: Audience) -> Contribution:
    """Return what agents may ask of the past; customers nothing."""
    if audience is not Audience.AGENT or not any(module.has_id for module in modules.values()):
        return Contribution()
    return Contribution(
        types={type_.name: partial(_made, type_) for type_ in _TYPES},
        query={"history": _history, "changes": _changes},
        mutation={"undo": _undo},
    )


def _made(type_: GraphQLNamedType, _world: World) -> GraphQLNamedType:
    return type_


def _history(_world: World) -> GraphQLField:
    return bound(
        _all(ENTRY),
        HistoryRoot(),
        args={
            "of": GraphQLArgument(_ID, description="The global id of a row, also of one that is gone."),
            "first": GraphQLArgument(GraphQLInt, default=GraphQLDefaultInput(value=HISTORY_SIZE)),
            "before": GraphQLArgument(GraphQLID, description="The id of an entry: older ones than it."),
        },
        description="The changes of a row, newest first.",
    )


def _changes(_world: World) -> GraphQLField:
    return bound(
        GraphQLNonNull(PAGE),
        ChangesRoot(),
        args={
            "since": GraphQLArgument(
                GraphQLString, description="A cursor; without one the page is empty and starts now."
            ),
            "first": GraphQLArgument(GraphQLInt, default=GraphQLDefaultInput(value=CHANGES_SIZE)),
            "types": GraphQLArgument(
                GraphQLList(GraphQLNonNull(GraphQLString)), description="Only of rows of these types."
            ),
        },
        description="What has changed since a cursor, over all modules: a delta feed for clients that keep copies.",
    )


def _undo(_world: World) -> GraphQLField:
    return bound(
        GraphQLNonNull(UNDO_PAYLOAD),
        UndoRoot(),
        args={"input": GraphQLArgument(GraphQLNonNull(UNDO_INPUT))},
        description="Take one change of a row back, by the same rules as any other write.",
    )
