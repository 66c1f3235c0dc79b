"""Answers written by what is known of a selection, without GraphQL's executor, which asks for every field anew.

A writer is made once for a selection that is the same whatever the variables are. It writes only what is plain: where a
value failed, is missing though it must not be, or is nothing that its type can say, it gives up, and the executor, which
knows what to do then, is asked with the same values. Where a lambda has no value it leaves a mark (`resolvers.failed`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    is_leaf_type,
)

from resolvers.context import Context
from resolvers.failed import or_failed
from resolvers.selection import Selected, Selections
from resolvers.shape import Answer
from resolvers.templates import Kept, kept_with
from schema.bindings import ComputedValue, VersionRoot

WRITERS_KEPT = 1_000
_TYPENAME = "__typename"

Write: TypeAlias = Callable[[Any], Any]


class Unplain(Exception):
    """The answer is nothing that a writer can write."""


@dataclass(frozen=True, slots=True)
class RootWriter:
    """The writer of a root field; None where only the executor can write it. `nodes` are those of the document."""

    nodes: tuple[FieldNode, ...]
    write: Write | None


def root_writers(context: Context, selections: Selections, roots: list[Selected]) -> dict[str, Write] | None:
    """Return a writer for each root field by its response key, or None if the executor is needed."""
    kept: Kept[RootWriter] = kept_with(context.snapshot.memo, "writers", WRITERS_KEPT)
    found: dict[str, Write] = {}
    for root in roots:
        if isinstance(root.binding, VersionRoot):
            found[root.key] = _constant(context.snapshot.version)
            continue
        key = (context.audience, *map(id, root.nodes))
        known = kept.get(key)
        if known is None:
            known = kept.put(key, RootWriter(root.nodes, _root(selections, root)))
        if known.write is None:
            return None
        found[root.key] = known.write
    return found


def _constant(value: Any) -> Write:
    return lambda _: value


def _root(selections: Selections, root: Selected) -> Write | None:
    if root.binding is None or root.definition.resolve is not None or not selections.is_fixed(root):
        return None
    try:
        return writer_of(selections, root.definition.type, root)
    except Unplain:
        return None


def writer_of(selections: Selections, type_: GraphQLOutputType, selected: Selected) -> Write:
    """Make what writes a value of a type. Raises `Unplain` where the executor must be asked."""
    if isinstance(type_, GraphQLNonNull):
        return _certain(writer_of(selections, type_.of_type, selected))
    if isinstance(type_, GraphQLList):
        return _optional(_list(writer_of(selections, type_.of_type, selected)))
    if is_leaf_type(type_):
        return _optional(_leaf(type_.coerce_output_value))
    if isinstance(type_, GraphQLObjectType):
        return _optional(_object(selections, type_, selected))
    raise Unplain  # an interface: which type a row has is the executor's question


def _optional(write: Write) -> Write:
    def optional(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, Exception):
            raise Unplain
        return write(value)

    return optional


def _certain(write: Write) -> Write:
    def certain(value: Any) -> Any:
        found = write(value)
        if found is None:
            raise Unplain
        return found

    return certain


def _leaf(coerce: Callable[[Any], Any]) -> Write:
    def leaf(value: Any) -> Any:
        try:
            found = coerce(value)
        except Exception:  # noqa: BLE001 - whatever a type refuses with, the executor tells it
            raise Unplain from None
        if found is None or found is Undefined:
            raise Unplain
        return found

    return leaf


def _list(write: Write) -> Write:
    def each(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise Unplain
        return [write(item) for item in value]

    return each


def _object(selections: Selections, type_: GraphQLObjectType, selected: Selected) -> Write:
    fields: list[tuple[str, str, Write | None]] = []
    for key, name, below in selections.all_below(selected, type_):
        if below is None:
            if name != _TYPENAME:
                raise Unplain
            fields.append((key, name, None))
            continue
        if below.definition.resolve is not None:
            raise Unplain
        part = writer_of(selections, below.definition.type, below)
        binding = below.binding
        is_made = isinstance(binding, ComputedValue) and binding.computed.code is not None
        fields.append((key, name, or_failed(part, below.nodes) if is_made else part))
    type_name = type_.name

    def write(source: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        get = source.get if isinstance(source, Answer) else None
        for key, name, part in fields:
            if part is None:
                found[key] = type_name
            else:
                found[key] = part(get(key) if get is not None else _plain(source, name))
        return found

    return write


def _plain(source: Any, name: str) -> Any:
    """Read what is no answer of ours as GraphQL's executor does."""
    if source.__class__ is dict:
        value = source.get(name)
    else:
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    if callable(value):
        raise Unplain
    return value
