"""The schema of one snapshot and audience. A type or root field is made when a document first touches it, by its name.

graphql-core's own constructor walks every type at once, which costs as much as hundreds of requests; here building is
joining lists of names, and a query with relations makes about thirty types. Nothing is shared between two schemas but
the kernel and what modules have worked out about themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    introspection_types,
    specified_directives,
)
from graphql.type.schema import InterfaceImplementations

from schema.aggregates import make_aggregate_key, make_aggregate_row, make_group_by
from schema.inputs import (
    make_filter,
    make_key,
    make_list_filter,
    make_options_filter,
    make_options_list_filter,
    make_order,
)
from schema.kernel import KERNEL, KERNEL_ROOTS, NODE, ObjectType
from schema.outline import Names, Part, clashes, names_of, visible
from schema.spec import Audience, Field, Module
from schema.types import World, make_connection, make_edge, make_object, make_options, make_root

T = TypeVar("T")

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_MAKERS: Mapping[Part, Callable[[World, Module], GraphQLNamedType]] = {
    Part.OBJECT: make_object,
    Part.CONNECTION: make_connection,
    Part.EDGE: make_edge,
    Part.KEY: make_key,
    Part.FILTER: make_filter,
    Part.LIST_FILTER: make_list_filter,
    Part.ORDER: make_order,
    Part.GROUP_BY: make_group_by,
    Part.AGGREGATE_KEY: make_aggregate_key,
    Part.AGGREGATE_ROW: make_aggregate_row,
}
_FIELD_MAKERS: Mapping[Part, Callable[[World, Module, Field], GraphQLNamedType]] = {
    Part.OPTIONS: lambda _world, module, field: make_options(module, field),
    Part.OPTIONS_FILTER: make_options_filter,
    Part.OPTIONS_LIST_FILTER: make_options_list_filter,
}


@dataclass(frozen=True, slots=True)
class HandWritten:
    """The part of a schema that is written by hand: its root fields, and every named type that they need."""

    query: Mapping[str, GraphQLField] = field(default_factory=dict)
    mutation: Mapping[str, GraphQLField] = field(default_factory=dict)
    subscription: Mapping[str, GraphQLField] = field(default_factory=dict)
    types: Mapping[str, GraphQLNamedType] = field(default_factory=dict)


class Lazy(Mapping[str, T]):
    """A mapping that knows its names from the start and makes a value when it is first asked for.

    `owners` gives every name in order; what is in `made` already is never asked of `make`.
    """

    __slots__ = ("_made", "_make", "_owners")

    def __init__(self, owners: Mapping[str, Any], make: Callable[[str], T], made: Mapping[str, T] = _NOTHING) -> None:
        self._owners = owners
        self._make = make
        self._made = dict(made)

    def __getitem__(self, name: str) -> T:
        found = self._made.get(name)
        if found is None:
            if name not in self._owners:
                raise KeyError(name)
            # Two threads may both make one; the first that is kept counts, and nobody has seen the other.
            found = self._made.setdefault(name, self._make(name))
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._owners

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    def owner(self, name: str) -> Any:
        """Return whose name it is, as it was given."""
        return self._owners[name]

    @property
    def made(self) -> Mapping[str, T]:
        """What has been made so far."""
        return MappingProxyType(self._made)

    def copy(self) -> dict[str, T]:
        """Return a dict with every value, made now."""
        return dict(self)


class LambdeskSchema(GraphQLSchema):
    """A schema whose types are made on demand from a table of names. It deliberately skips the constructor above it."""

    def __init__(self, modules: Mapping[str, Module], audience: Audience, hand_written: HandWritten) -> None:
        self.audience = audience
        self.modules = visible(modules, audience)
        self.hand_written = hand_written
        self.assume_valid = True
        self.description = None
        self.extensions = {}
        self.ast_node = None
        self.extension_ast_nodes = ()
        self.directives = specified_directives
        self._validation_errors = []
        self._implementations_map = {}
        self._sub_type_map = {}
        self.answers: dict[str, bytes] = {}  # introspection responses, kept by schema.introspection
        self._find_names()

    def _find_names(self) -> None:
        hand = self.hand_written
        owners: dict[str, Module | None] = dict.fromkeys(KERNEL)
        roots: dict[str, Module | None] = dict.fromkeys(KERNEL_ROOTS)
        expected_types, expected_roots = len(owners), len(roots)
        for module in self.modules.values():
            names = names_of(module, self.audience, self.modules)
            owners.update(dict.fromkeys(names.types, module))
            roots.update(dict.fromkeys(names.roots, module))
            expected_types += len(names.types)
            expected_roots += len(names.roots)
        roots.update(dict.fromkeys(hand.query))
        self.root_query = self.query_type = ObjectType(
            "Query", Lazy(roots, self._make_root, {**KERNEL_ROOTS, **hand.query})
        )
        self.mutation_type = _root_type("Mutation", hand.mutation)
        self.subscription_type = _root_type("Subscription", hand.subscription)
        operations = [type_ for type_ in (self.query_type, self.mutation_type, self.subscription_type) if type_]
        fixed: dict[str, GraphQLNamedType] = {type_.name: type_ for type_ in operations}
        fixed.update((name, type_) for name, type_ in hand.types.items() if name not in KERNEL)
        fixed.update(introspection_types)
        owners.update(dict.fromkeys(fixed))
        self.fixed_types: Mapping[str, GraphQLNamedType] = fixed  # what stands after the modules' types
        self._types: Lazy[GraphQLNamedType] = Lazy(owners, self._make_type, {**KERNEL, **fixed})
        self.type_map = cast("Any", self._types)
        if len(owners) != expected_types + len(fixed) or len(roots) != expected_roots + len(hand.query):
            names_by_hand = (*hand.types, *hand.query)
            raise ValueError(f"GraphQL names are claimed twice: {clashes(self.modules, self.audience, names_by_hand)}")

    @property
    def types(self) -> Lazy[GraphQLNamedType]:
        """The type map as what it is."""
        return self._types

    def named(self, name: str) -> Any:
        """Return the type with this name, made now if it was not."""
        return self._types[name]

    def _make_type(self, name: str) -> GraphQLNamedType:
        module: Module = self._types.owner(name)
        part, field_name = self._names(module).types[name]
        if part in _MAKERS:
            return _MAKERS[part](self, module)
        owner = module.by_name[field_name]
        return _FIELD_MAKERS[part](self, module, cast("Field", owner))

    def _make_root(self, name: str) -> GraphQLField:
        module: Module = self.query_fields.owner(name)
        return make_root(self, module, self._names(module).roots[name])

    def _names(self, module: Module) -> Names:
        return names_of(module, self.audience, self.modules)

    @property
    def query_fields(self) -> Lazy[GraphQLField]:
        """The fields of the query root."""
        return cast("Lazy[GraphQLField]", self.root_query.fields)

    def get_type(self, name: str) -> GraphQLNamedType | None:
        """Return the type with this name, if there is one."""
        return self._types.get(name)

    def get_implementations(self, interface_type: GraphQLInterfaceType) -> InterfaceImplementations:
        """Return what implements an interface; generated objects implement Node and nothing else."""
        name = interface_type.name
        generated = [self.named(module.type_name) for module in self._node_modules] if name == NODE.name else []
        by_hand = [type_ for type_ in self.hand_written.types.values() if name in _interface_names(type_)]
        return InterfaceImplementations(
            objects=generated + [type_ for type_ in by_hand if isinstance(type_, GraphQLObjectType)],
            interfaces=[type_ for type_ in by_hand if isinstance(type_, GraphQLInterfaceType)],
        )

    def is_sub_type(self, abstract_type: GraphQLAbstractType, maybe_sub_type: GraphQLNamedType) -> bool:
        """Answer from names alone whether a type is one of an interface's or union's."""
        name = maybe_sub_type.name
        if isinstance(abstract_type, GraphQLUnionType):
            return any(type_.name == name for type_ in abstract_type.types)
        if abstract_type.name == NODE.name and name in self._node_names:
            return True
        by_hand = self.hand_written.types.get(name)
        return by_hand is not None and abstract_type.name in _interface_names(by_hand)

    @cached_property
    def _node_modules(self) -> tuple[Module, ...]:
        return tuple(module for module in self.modules.values() if module.has_id)

    @cached_property
    def _node_names(self) -> frozenset[str]:
        return frozenset(module.type_name for module in self._node_modules)


def _interface_names(type_: GraphQLNamedType) -> tuple[str, ...]:
    if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
        return tuple(interface.name for interface in type_.interfaces)
    return ()


def _root_type(name: str, fields: Mapping[str, GraphQLField]) -> GraphQLObjectType | None:
    return GraphQLObjectType(name, dict(fields)) if fields else None


def build_schema(
    modules: Mapping[str, Module], audience: Audience, hand_written: HandWritten | None = None
) -> LambdeskSchema:
    """Make the schema of an audience. Raises ValueError when names clash; `outline.clashes` tells beforehand."""
    return LambdeskSchema(modules, audience, hand_written or HandWritten())
