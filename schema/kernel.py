"""The kernel: types that every schema has, made once when the program starts and shared because nothing in them changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    specified_scalar_types,
)

from schema.bindings import BINDING, NodeRoot, VersionRoot
from schema.kinds import VALIDITY
from schema.scalars import BIG_INT, DATE, DATE_TIME, DECIMAL, DURATION, JSON, SCALARS, TIME


class ObjectType(GraphQLObjectType):
    """An object type that takes its fields as they are: their names were checked when the module was loaded.

    graphql-core looks at every letter of every name again, which is a quarter of the cost of making a type.
    """

    @cached_property
    def fields(self) -> Any:  # graphql-core says dict, and uses what every mapping has
        """The fields by name."""
        return self._fields() if callable(self._fields) else self._fields


class InputType(GraphQLInputObjectType):
    """An input type that takes its fields as they are, for the same reason."""

    @cached_property
    def fields(self) -> Any:
        """The fields by name."""
        return self._fields() if callable(self._fields) else self._fields


NODE_ID = "Opaque global id: cache key for Relay, Apollo and urql."

NODE = GraphQLInterfaceType(
    "Node",
    {"id": GraphQLField(GraphQLNonNull(GraphQLID), description=NODE_ID)},
    description="A row that can be named and fetched by its global id.",
)

PAGE_INFO = GraphQLObjectType(
    "PageInfo",
    {
        "hasNextPage": GraphQLField(GraphQLNonNull(GraphQLBoolean)),
        "hasPreviousPage": GraphQLField(GraphQLNonNull(GraphQLBoolean)),
        "startCursor": GraphQLField(GraphQLString),
        "endCursor": GraphQLField(GraphQLString),
    },
)

BADGE = GraphQLObjectType(
    "Badge",
    {
        "text": GraphQLField(GraphQLNonNull(GraphQLString)),
        "tone": GraphQLField(GraphQLString, description="A colour word that the pages know."),
    },
    description="A short text with a tone.",
)

FILE = GraphQLObjectType(
    "File",
    {
        "name": GraphQLField(GraphQLNonNull(GraphQLString)),
        "size": GraphQLField(BIG_INT, description="In bytes; null where the table does not say."),
        "contentType": GraphQLField(GraphQLNonNull(GraphQLString)),
        "url": GraphQLField(
            GraphQLNonNull(GraphQLString),
            description="Where the bytes are, for whoever may read the field: a path on this server.",
        ),
    },
    description="A file that a row has.",
)

SORT_DIRECTION = GraphQLEnumType(
    "SortDirection",
    {name: GraphQLEnumValue(name) for name in ("ASC", "DESC", "ASC_NULLS_LAST", "DESC_NULLS_LAST")},
)

VALIDITY_ENUM = GraphQLEnumType(
    "Validity",
    {name: GraphQLEnumValue(value) for name, value in VALIDITY.items()},
    description="Whether a row is in use.",
)

USER_ERROR_CODE = GraphQLEnumType(
    "UserErrorCode",
    {
        name: GraphQLEnumValue(name)
        for name in (
            "REQUIRED",
            "INVALID",
            "UNIQUE",
            "REFERENCE",
            "NOT_FOUND",
            "CONFLICT",
            "FORBIDDEN",
            "LIMIT",
            "LAMBDA_REJECTED",
            "LAMBDA_FAILED",
        )
    },
)

USER_ERROR = GraphQLObjectType(
    "UserError",
    {
        "code": GraphQLField(GraphQLNonNull(USER_ERROR_CODE)),
        "message": GraphQLField(
            GraphQLNonNull(GraphQLString),
            description="Localised for the caller (Accept-Language / user profile).",
        ),
        "path": GraphQLField(
            GraphQLList(GraphQLNonNull(GraphQLString)),
            description='Path inside the input object, e.g. ["queue","name"]; null when it concerns the whole operation.',
        ),
        "messageKey": GraphQLField(
            GraphQLNonNull(GraphQLString),
            description="Stable key plus parameters, for clients that translate themselves.",
        ),
        "params": GraphQLField(JSON),
    },
    description="Why something was not written.",
)

LAMBDA_OPERATION = GraphQLObjectType(
    "LambdaOperation",
    {
        "verb": GraphQLField(GraphQLNonNull(GraphQLString), description="create, update, remove or note."),
        "module": GraphQLField(GraphQLString, description="The module of the row; null where none was named."),
        "id": GraphQLField(GraphQLID, description="The row; null where nothing was done."),
        "errors": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(USER_ERROR))),
            description="Why it could not be done; paths lead into the values that the lambda gave.",
        ),
    },
    description="One thing that a lambda asked for.",
)

BULK_POLICY = GraphQLEnumType(
    "BulkPolicy",
    {
        "ALL_OR_NOTHING": GraphQLEnumValue(
            "ALL_OR_NOTHING", description="One row with an error keeps all from being written."
        ),
        "SKIP_FAILED": GraphQLEnumValue("SKIP_FAILED", description="Rows without an error are written."),
    },
)

CHANGE_KIND = GraphQLEnumType(
    "ChangeKind",
    {name: GraphQLEnumValue(number) for number, name in enumerate(("CREATED", "UPDATED", "DELETED"), start=1)},
)

Leaf = GraphQLScalarType | GraphQLEnumType

_SAME = ("eq", "ne")
_LISTED = ("in", "notIn")
_COMPARED = ("lt", "lte", "gt", "gte")
_TEXTUAL = ("contains", "startsWith", "endsWith")


def operator_input(name: str, scalar: Leaf, operators: tuple[str, ...]) -> GraphQLInputObjectType:
    """Make a filter input: `in` and `notIn` take lists, `isNull` a Boolean, every other operator one value."""

    def operand(operator: str) -> GraphQLInputType:
        if operator in _LISTED:
            return GraphQLList(GraphQLNonNull(scalar))
        return GraphQLBoolean if operator == "isNull" else scalar

    return InputType(name, {operator: GraphQLInputField(operand(operator)) for operator in operators})


def list_filter_input(name: str, item: Leaf) -> GraphQLInputObjectType:
    """Make the filter input of a field that holds several values."""
    several = GraphQLList(GraphQLNonNull(item))
    return InputType(
        name,
        {
            "has": GraphQLInputField(item),
            "hasSome": GraphQLInputField(several),
            "hasEvery": GraphQLInputField(several),
            "isEmpty": GraphQLInputField(GraphQLBoolean),
        },
    )


_NUMERIC = (*_SAME, *_LISTED, *_COMPARED, "isNull")
_MOMENT = ("eq", *_COMPARED, "isNull")
ENUM_OPERATORS = (*_SAME, *_LISTED, "isNull")

_FILTERS: tuple[tuple[str, Leaf, tuple[str, ...]], ...] = (
    ("IDFilter", GraphQLID, (*_SAME, *_LISTED, "isNull")),
    ("IntFilter", GraphQLInt, _NUMERIC),
    ("BigIntFilter", BIG_INT, _NUMERIC),
    ("FloatFilter", GraphQLFloat, _NUMERIC),
    ("DecimalFilter", DECIMAL, _NUMERIC),
    ("StringFilter", GraphQLString, (*_SAME, *_LISTED, *_TEXTUAL, "isNull")),
    ("BooleanFilter", GraphQLBoolean, (*_SAME, "isNull")),
    ("DateFilter", DATE, _MOMENT),
    ("TimeFilter", TIME, _MOMENT),
    ("DateTimeFilter", DATE_TIME, _MOMENT),
    ("DurationFilter", DURATION, _NUMERIC),
    ("FileFilter", GraphQLString, ("isNull",)),
    ("ValidityFilter", VALIDITY_ENUM, ("eq", "in")),
)

KERNEL: Mapping[str, GraphQLNamedType] = MappingProxyType(
    {
        type_.name: type_
        for type_ in (
            *specified_scalar_types.values(),
            *SCALARS.values(),
            NODE,
            PAGE_INFO,
            BADGE,
            FILE,
            SORT_DIRECTION,
            VALIDITY_ENUM,
            USER_ERROR_CODE,
            USER_ERROR,
            LAMBDA_OPERATION,
            BULK_POLICY,
            CHANGE_KIND,
            *(operator_input(*row) for row in _FILTERS),
            list_filter_input("StringListFilter", GraphQLString),
        )
    }
)

KERNEL_ROOTS: Mapping[str, GraphQLField] = MappingProxyType(
    {
        "node": GraphQLField(
            NODE,
            {"id": GraphQLArgument(GraphQLNonNull(GraphQLID))},
            description="The row with this global id, or null.",
            extensions={BINDING: NodeRoot(many=False)},
        ),
        "nodes": GraphQLField(
            GraphQLNonNull(GraphQLList(NODE)),
            {"ids": GraphQLArgument(GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLID))))},
            description="The rows with these global ids, in their order; null for each that cannot be had.",
            extensions={BINDING: NodeRoot(many=True)},
        ),
        "schemaVersion": GraphQLField(
            GraphQLNonNull(GraphQLString),
            description="The version of this schema; the header X-Lambdesk-Schema repeats it.",
            extensions={BINDING: VersionRoot()},
        ),
    }
)

KERNEL_MUTATIONS: Mapping[str, GraphQLField] = MappingProxyType({})
