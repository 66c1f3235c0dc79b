"""What a reload changes for clients: graphql-core's comparison, run over the changed modules' own types only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, cast

from graphql import (
    BreakingChangeType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    find_schema_changes,
)

from schema.build import LambdeskSchema, build_schema
from schema.kernel import ObjectType
from schema.outline import names_of, outline_of, visible
from schema.roots import ROOTS
from schema.snapshot import SchemaChangeItem
from schema.spec import Audience, Module

ADDED, CHANGED, DEPRECATED, BREAKING = "ADDED", "CHANGED", "DEPRECATED", "BREAKING"


@dataclass(frozen=True, slots=True)
class _Piece:
    """One module's part of a schema, in the two places where graphql-core's comparison looks at a schema."""

    type_map: Mapping[str, GraphQLNamedType]
    directives: tuple[()] = ()


def describe(
    old: Mapping[str, Module],
    new: Mapping[str, Module],
    changed: Collection[str],
    audience: Audience = Audience.AGENT,
) -> tuple[SchemaChangeItem, ...]:
    """Say what the changed modules (and those that lead to one that came or went) change for an audience's clients.

    Breaking changes come first. A module that came or went is one item.
    """
    seen = [visible(modules, audience) for modules in (old, new)]
    came_or_went = {name for name in changed if (name in seen[0]) != (name in seen[1])}
    touched = dict.fromkeys([*changed, *_leading_to(came_or_went, seen[1], audience)])
    before, after = (build_schema(_around(touched, modules, audience), audience).mortal() for modules in seen)
    items = [item for name in touched for item in _module_items(name, before, after, only_led=name not in changed)]
    return tuple(sorted(items, key=lambda item: item.kind != BREAKING))


def _leading_to(names: AbstractSet[str], modules: Mapping[str, Module], audience: Audience) -> Iterator[str]:
    if names:
        for name, module in modules.items():
            if not names.isdisjoint(outline_of(module, audience).targets):
                yield name


def _around(names: Iterable[str], modules: Mapping[str, Module], audience: Audience) -> dict[str, Module]:
    """Return modules and the targets that their types speak of; no other module makes a difference to them."""
    found: dict[str, Module] = {}
    for name in names:
        module = modules.get(name)
        if module is not None:
            found[name] = module
            found.update((to, modules[to]) for to in outline_of(module, audience).targets if to in modules)
    return found


def _module_items(
    name: str, before: LambdeskSchema, after: LambdeskSchema, *, only_led: bool
) -> Iterator[SchemaChangeItem]:
    old, new = before.modules.get(name), after.modules.get(name)
    if old and new:
        for item in _differences(name, _piece(before, old), _piece(after, new)):
            # The column of a required reference wants a value: while its target was missing, nothing could be created.
            is_new_input = only_led and item.description.startswith("A required field ")
            yield replace(item, kind=ADDED) if is_new_input else item
    elif new:
        yield SchemaChangeItem(ADDED, name, f"Type {new.type_name} was added, with {_root_list(after, new)}.")
    elif old:
        yield SchemaChangeItem(BREAKING, name, f"Type {old.type_name} was removed, with {_root_list(before, old)}.")


def _root_list(schema: LambdeskSchema, module: Module) -> str:
    names = names_of(module, schema.audience, schema.modules)
    roots = [f"{root.type_name}.{name}" for root in ROOTS for name in root.names(names)]
    return f"{', '.join(roots[:-1])} and {roots[-1]}"


def _piece(schema: LambdeskSchema, module: Module) -> _Piece:
    names = names_of(module, schema.audience, schema.modules)
    types = {name: schema.named(name) for name in names.types}
    roots = {root.type_name: ObjectType(root.type_name, root.of(schema, module)) for root in ROOTS}
    return _Piece({**types, **roots})


def _differences(name: str, old: _Piece, new: _Piece) -> Iterator[SchemaChangeItem]:
    for change in find_schema_changes(cast("GraphQLSchema", old), cast("GraphQLSchema", new)):
        yield SchemaChangeItem(_kind(change.type), name, change.description)
    known = _deprecations(old)
    for what, reason in _deprecations(new).items():
        if known.get(what) != reason:
            yield SchemaChangeItem(DEPRECATED, name, f"{what} was deprecated: {reason}.")


def _kind(change: Any) -> str:
    if isinstance(change, BreakingChangeType):
        return BREAKING
    return ADDED if change.name.endswith("_ADDED") or "_ADDED_TO_" in change.name else CHANGED


def _deprecations(piece: _Piece) -> dict[str, str]:
    found = {}
    for type_ in piece.type_map.values():
        for kind, name, item in _parts(type_):
            if item.deprecation_reason is not None:
                found[f"{kind} {type_.name}.{name}"] = item.deprecation_reason.rstrip(".")
    return found


def _parts(type_: GraphQLNamedType) -> Iterable[tuple[str, str, GraphQLField]]:
    if isinstance(type_, GraphQLEnumType):
        return [("Enum value", name, cast("Any", value)) for name, value in type_.values.items()]
    if isinstance(type_, (GraphQLObjectType, GraphQLInputObjectType)):
        return [("Field", name, cast("Any", field)) for name, field in type_.fields.items()]
    return []
