"""The schema of one snapshot and audience. A type or root field is made when a document first touches it, by its name.

graphql-core's own constructor walks every type at once, which costs as much as hundreds of requests; here building is
joining lists of names, and a query with relations makes about thirty types. Nothing is shared between two schemas but
the kernel and what modules have worked out about themselves.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    introspection_types,
    specified_directives,
)
from graphql.type.schema import InterfaceImplementations

from schema.actions import make_action_input, make_action_payload, make_action_root
from schema.aggregates import make_aggregate_key, make_aggregate_row, make_group_by
from schema.claims import Claims, Owners, claim
from schema.events import make_change, make_change_root
from schema.extension import Extension
from schema.inputs import (
    make_filter,
    make_key,
    make_list_filter,
    make_options_filter,
    make_options_list_filter,
    make_order,
)
from schema.kernel import KERNEL, KERNEL_MUTATIONS, KERNEL_ROOTS, NODE, ObjectType
from schema.mutations import (
    make_bulk_payload,
    make_bulk_row,
    make_create,
    make_deed_input,
    make_deed_payload,
    make_patch,
    make_write_root,
)
from schema.outline import Names, Part, clashes, names_of, visible
from schema.spec import Action, Audience, Field, Module
from schema.types import World, make_connection, make_edge, make_object, make_options, make_root
from schema.writes import Deed

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
    Part.CREATE: make_create,
    Part.PATCH: make_patch,
    Part.BULK_ROW: make_bulk_row,
    Part.BULK_PAYLOAD: make_bulk_payload,
    Part.CHANGE: make_change,
}
_FIELD_MAKERS: Mapping[Part, Callable[[World, Module, Field], GraphQLNamedType]] = {
    Part.OPTIONS: lambda _world, module, field: make_options(module, field),
    Part.OPTIONS_FILTER: make_options_filter,
    Part.OPTIONS_LIST_FILTER: make_options_list_filter,
}
_DEED_MAKERS: Mapping[Part, Callable[[World, Module, Deed], GraphQLNamedType]] = {
    Part.DEED_INPUT: make_deed_input,
    Part.DEED_PAYLOAD: make_deed_payload,
}

_ACTION_MAKERS: Mapping[Part, Callable[[World, Module, Action], GraphQLNamedType]] = {
    Part.ACTION_INPUT: make_action_input,
    Part.ACTION_PAYLOAD: make_action_payload,
}


@dataclass(frozen=True, slots=True)
class HandWritten:
    """The part of a schema that is written by hand: its root fields, and every named type that they need.

    `extensions` add what depends on the modules.
    """

    query: Mapping[str, GraphQLField] = field(default_factory=dict)
    mutation: Mapping[str, GraphQLField] = field(default_factory=dict)
    subscription: Mapping[str, GraphQLField] = field(default_factory=dict)
    types: Mapping[str, GraphQLNamedType] = field(default_factory=dict)
    extensions: tuple[Extension, ...] = ()


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

    def close(self) -> None:
        """Let go of what was made and of who makes it; nothing can be made any more."""
        self._made.clear()
        self._make = _closed

    def copy(self) -> dict[str, T]:
        """Return a dict with every value, made now."""
        return dict(self)


def _closed(name: str) -> Any:
    raise LookupError(f"{name} was asked for after its schema had gone.")


class LambdeskSchema(GraphQLSchema):
    """A schema whose types are made on demand from a table of names. It deliberately skips the constructor above it."""

    def __init__(
        self,
        modules: Mapping[str, Module],
        audience: Audience,
        hand_written: HandWritten,
        before: Claims | None = None,
    ) -> None:
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
        self.claims = claim(self.modules, audience, before)
        self._find_names()

    def _find_names(self) -> None:
        """Say whose every name is: a module's, a contribution's (then it is what makes the type), or None where it is made."""
        hand = self.hand_written
        self.contributions = [extension(self.modules, self.audience) for extension in hand.extensions]
        types, query, mutation, subscription = self.claims.copy()
        for contribution in self.contributions:
            types.take(contribution.types)
            query.take(contribution.query)
            mutation.take(contribution.mutation)
        query.claim(hand.query, None)
        mutation.claim(hand.mutation, None)
        subscription.claim(hand.subscription, None)
        self.root_query = self.query_type = _root("Query", query, self._make_root, {**KERNEL_ROOTS, **hand.query})
        self.mutation_type = self.root_mutation = None
        if mutation.owners:
            made = {
                name: root for name, root in {**KERNEL_MUTATIONS, **hand.mutation}.items() if name in mutation.owners
            }
            self.mutation_type = self.root_mutation = _root("Mutation", mutation, self._make_mutation, made)
        self.subscription_type = self.root_subscription = None
        if subscription.owners:
            made = dict(hand.subscription)
            self.subscription_type = self.root_subscription = _root(
                "Subscription", subscription, self._make_subscription, made
            )
        operations = [type_ for type_ in (self.query_type, self.mutation_type, self.subscription_type) if type_]
        fixed: dict[str, GraphQLNamedType] = {type_.name: type_ for type_ in operations}
        fixed.update((name, type_) for name, type_ in hand.types.items() if name not in KERNEL)
        fixed.update(introspection_types)
        types.claim(fixed, None)
        self.fixed_types: Mapping[str, GraphQLNamedType] = fixed  # what stands after the modules' types
        self._types: Lazy[GraphQLNamedType] = Lazy(types.owners, self._make_type, {**KERNEL, **fixed})
        self.type_map = cast("Any", self._types)
        if any(names.are_claimed_twice for names in (types, query, mutation, subscription)):
            names_by_hand = (*hand.types, *hand.query)
            raise ValueError(f"GraphQL names are claimed twice: {clashes(self.modules, self.audience, names_by_hand)}")

    def mortal(self) -> LambdeskSchema:
        """Return this schema as one that dies with its last user, at once. Types are of no use without their schema then.

        Types lead to each other in circles. Left to the garbage collector, those of all old snapshots would wait for a
        collection that holds every request. Nothing inside refers to what is returned here, so it can take them along.
        """
        mortal = LambdeskSchema.__new__(LambdeskSchema)
        vars(mortal).update(vars(self))
        weakref.finalize(mortal, self._fall_apart).atexit = False
        return mortal

    def _fall_apart(self) -> None:
        for name, type_ in self._types.made.items():
            if self._types.owner(name) is not None:  # what is not a module's is shared with other schemas
                vars(type_).pop("fields", None)
        self._types.close()
        for root in (self.query_type, self.mutation_type, self.subscription_type):
            if root is not None and isinstance(root.fields, Lazy):
                root.fields.close()

    @property
    def types(self) -> Lazy[GraphQLNamedType]:
        """The type map as what it is."""
        return self._types

    def named(self, name: str) -> Any:
        """Return the type with this name, made now if it was not."""
        return self._types[name]

    def extra_inputs(self, module: Module, what: str) -> dict[str, GraphQLInputField]:
        """Return the fields that contributions add to a module's `create` or `patch` input."""
        found: dict[str, GraphQLInputField] = {}
        for contribution in self.contributions:
            make = contribution.inputs.get((module.name, what))
            found |= make(self) if make else {}
        return found

    def _make_type(self, name: str) -> GraphQLNamedType:
        owner = self._types.owner(name)
        if not isinstance(owner, Module):
            made: GraphQLNamedType = owner(self)
            return made
        part, about = self._names(owner).types[name]
        if part in _MAKERS:
            return _MAKERS[part](self, owner)
        if part in _DEED_MAKERS:
            return _DEED_MAKERS[part](self, owner, Deed(about))
        if part in _ACTION_MAKERS:
            return _ACTION_MAKERS[part](self, owner, next(item for item in owner.actions if item.name == about))
        return _FIELD_MAKERS[part](self, owner, cast("Field", owner.by_name[about]))

    def _make_root(self, name: str) -> GraphQLField:
        owner = self.query_fields.owner(name)
        return make_root(self, owner, self._names(owner).roots[name]) if isinstance(owner, Module) else owner(self)

    def _make_mutation(self, name: str) -> GraphQLField:
        owner = self.mutation_fields.owner(name)
        if isinstance(owner, Module):
            deed = self._names(owner).mutations[name]
            if isinstance(deed, Action):
                return make_action_root(self, owner, deed)
            return make_write_root(self, owner, deed)
        made: GraphQLField = owner(self)
        return made

    def _make_subscription(self, name: str) -> GraphQLField:
        return make_change_root(self, self.subscription_fields.owner(name))

    def _names(self, module: Module) -> Names:
        return names_of(module, self.audience, self.modules)

    @property
    def query_fields(self) -> Lazy[GraphQLField]:
        """The fields of the query root."""
        return cast("Lazy[GraphQLField]", self.root_query.fields)

    @property
    def mutation_fields(self) -> Lazy[GraphQLField]:
        """The fields of the mutation root; none where nothing can be written."""
        root = self.root_mutation
        return cast("Lazy[GraphQLField]", root.fields) if root else Lazy({}, self._make_mutation)

    @property
    def subscription_fields(self) -> Lazy[GraphQLField]:
        """The fields of the subscription root."""
        root = self.root_subscription
        return cast("Lazy[GraphQLField]", root.fields) if root else Lazy({}, self._make_subscription)

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


def _root(
    name: str, names: Owners, make: Callable[[str], GraphQLField], made: Mapping[str, GraphQLField]
) -> GraphQLObjectType:
    return ObjectType(name, Lazy(names.owners, make, made))


def build_schema(
    modules: Mapping[str, Module],
    audience: Audience,
    hand_written: HandWritten | None = None,
    before: GraphQLSchema | None = None,
) -> LambdeskSchema:
    """Make the schema of an audience. Raises ValueError when names clash; `outline.clashes` tells beforehand.

    `before` is what the audience had so far: where no name came or went, its table of names is handed on.
    """
    claims = before.claims if isinstance(before, LambdeskSchema) else None
    return LambdeskSchema(modules, audience, hand_written or HandWritten(), claims)
