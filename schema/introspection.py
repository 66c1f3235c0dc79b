"""Introspection answered without the executor, which needs a second for 120 modules.

The selection of the operation becomes a small tree of picks. What it picks of a module's types is JSON that stays with
the module, so a reload works out changed modules only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    introspection_types,
    print_ast,
)
from graphql.utilities.get_default_value_ast import get_default_value_ast

from schema.build import LambdeskSchema, build_schema
from schema.kernel import KERNEL, NODE, InputType, ObjectType
from schema.outline import kept, names_of
from schema.picks import Pick, introspection_picks
from schema.roots import ROOTS, Roots
from schema.spec import Audience, Module

# How many different selections a module keeps its JSON for; clients send a handful of standard ones.
KEPT_SELECTIONS = 4
# How many whole responses a schema keeps, and up to which size; the standard one is some megabytes.
KEPT_ANSWERS = 2
KEPT_ANSWER_BYTES = 16_000_000

# What may be picked of a type that another one refers to, so that the JSON depends on its name alone.
_OF_REFERRED = frozenset({"name", "kind", "ofType", "isOneOf", "__typename"})


def answer(
    schema: LambdeskSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> bytes | None:
    """Return the whole response of a valid operation that only introspects, or None when that is not what it does.

    Also None when variables or arguments are wrong: the executor knows how to say so.
    """
    picks = introspection_picks(schema, document, operation_name, variables or {})
    if picks is None:
        return None
    selection = repr(picks)
    found = schema.answers.get(selection)
    if found is None:
        found = b'{"data":%b}' % _Answer(schema).root(picks)
        if len(schema.answers) >= KEPT_ANSWERS:
            schema.answers.clear()
        if len(found) <= KEPT_ANSWER_BYTES:
            schema.answers[selection] = found
    return found


# --- from picks to values ---

_KINDS: Mapping[type, str] = {
    GraphQLScalarType: "SCALAR",
    GraphQLObjectType: "OBJECT",
    ObjectType: "OBJECT",
    GraphQLInterfaceType: "INTERFACE",
    GraphQLUnionType: "UNION",
    GraphQLEnumType: "ENUM",
    GraphQLInputObjectType: "INPUT_OBJECT",
    InputType: "INPUT_OBJECT",
    GraphQLList: "LIST",
    GraphQLNonNull: "NON_NULL",
}
_WITH_FIELDS = (GraphQLObjectType, GraphQLInterfaceType)

Read = Callable[[Any, bool, LambdeskSchema], Any]


def _kind(type_: Any) -> str:
    kind = _KINDS.get(type(type_))
    return kind or next(name for class_, name in _KINDS.items() if isinstance(type_, class_))  # a subclass, by hand


def _current(items: Mapping[str, Any], all_: bool) -> list[tuple[str, Any]]:
    return [item for item in items.items() if all_ or item[1].deprecation_reason is None]


def _default(item: tuple[str, Any]) -> str | None:
    literal = get_default_value_ast(item[1])
    return print_ast(literal) if literal else None


def _possible(type_: Any, schema: LambdeskSchema) -> Any:
    return (
        list(schema.get_possible_types(type_)) if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)) else None
    )


_OF_ITEM: dict[str, Read] = {  # a field, argument, input field or enum value with its name
    "name": lambda item, _all, _schema: item[0],
    "description": lambda item, _all, _schema: item[1].description,
    "isDeprecated": lambda item, _all, _schema: item[1].deprecation_reason is not None,
    "deprecationReason": lambda item, _all, _schema: item[1].deprecation_reason,
}

# Every field of graphql-core's introspection types; the second argument is `includeDeprecated`.
_READ: Mapping[str, Mapping[str, Read]] = {
    "__Schema": {
        "description": lambda schema, _all, _schema: schema.description,
        "types": lambda schema, _all, _schema: list(schema.type_map.values()),
        "queryType": lambda schema, _all, _schema: schema.query_type,
        "mutationType": lambda schema, _all, _schema: schema.mutation_type,
        "subscriptionType": lambda schema, _all, _schema: schema.subscription_type,
        "directives": lambda schema, all_, _schema: [
            item for item in schema.directives if all_ or item.deprecation_reason is None
        ],
    },
    "__Type": {
        "kind": lambda type_, _all, _schema: _kind(type_),
        "name": lambda type_, _all, _schema: getattr(type_, "name", None),
        "description": lambda type_, _all, _schema: getattr(type_, "description", None),
        "specifiedByURL": lambda type_, _all, _schema: getattr(type_, "specified_by_url", None),
        "fields": lambda type_, all_, _schema: (
            _current(type_.fields, all_) if isinstance(type_, _WITH_FIELDS) else None
        ),
        "interfaces": lambda type_, _all, _schema: list(type_.interfaces) if isinstance(type_, _WITH_FIELDS) else None,
        "possibleTypes": lambda type_, _all, schema: _possible(type_, schema),
        "enumValues": lambda type_, all_, _schema: (
            _current(type_.values, all_) if isinstance(type_, GraphQLEnumType) else None
        ),
        "inputFields": lambda type_, all_, _schema: (
            _current(type_.fields, all_) if isinstance(type_, GraphQLInputObjectType) else None
        ),
        "ofType": lambda type_, _all, _schema: getattr(type_, "of_type", None),
        # Asked of the type itself: Strawberry puts a resolver of its own on graphql-core's shared `__Type`.
        "isOneOf": lambda type_, _all, _schema: type_.is_one_of if isinstance(type_, GraphQLInputObjectType) else None,
    },
    "__Field": {
        **_OF_ITEM,
        "args": lambda item, all_, _schema: _current(item[1].args, all_),
        "type": lambda item, _all, _schema: item[1].type,
    },
    "__InputValue": {
        **_OF_ITEM,
        "type": lambda item, _all, _schema: item[1].type,
        "defaultValue": lambda item, _all, _schema: _default(item),
    },
    "__EnumValue": _OF_ITEM,
    "__Directive": {
        "name": lambda directive, _all, _schema: directive.name,
        "description": lambda directive, _all, _schema: directive.description,
        "isRepeatable": lambda directive, _all, _schema: directive.is_repeatable,
        "locations": lambda directive, _all, _schema: [location.name for location in directive.locations],
        "args": lambda directive, all_, _schema: _current(directive.args, all_),
        "isDeprecated": lambda directive, _all, _schema: directive.deprecation_reason is not None,
        "deprecationReason": lambda directive, _all, _schema: directive.deprecation_reason,
    },
}


def _project(picks: tuple[Pick, ...], type_name: str, value: Any, schema: LambdeskSchema) -> dict[str, Any]:
    """Read picks from a value of an introspection type."""
    reads = _READ[type_name]
    found: dict[str, Any] = {}
    for pick in picks:
        if pick.name == "__typename":
            found[pick.key] = type_name
            continue
        read = reads[pick.name](value, _includes_deprecated(pick), schema)
        if pick.under and read is not None:
            found[pick.key] = _project_under(pick, read, schema)
        else:
            found[pick.key] = read
    return found


def _project_under(pick: Pick, value: Any, schema: LambdeskSchema) -> Any:
    if isinstance(value, list):  # never a tuple: that is a field with its name
        return [_project(pick.under, pick.type_name, item, schema) for item in value]
    return _project(pick.under, pick.type_name, value, schema)


def _includes_deprecated(pick: Pick) -> bool:
    return bool(pick.arguments) and ("includeDeprecated", True) in pick.arguments


# --- from picks to JSON ---


class _Answer:
    """Puts the response together, from pieces that modules keep wherever the picks allow it."""

    def __init__(self, schema: LambdeskSchema) -> None:
        self._schema = schema

    @cached_property
    def _scratch(self) -> LambdeskSchema:
        """Types are made in a schema that is thrown away, so that the one that serves stays small."""
        schema = self._schema
        return build_schema(schema.modules, schema.audience, schema.hand_written)

    def root(self, picks: Iterable[Pick]) -> bytes:
        """Write the response's data."""
        return _object((pick.key, self._root_field(pick)) for pick in picks)

    def _root_field(self, pick: Pick) -> bytes:
        if pick.name == "__typename":
            return b'"Query"'
        if pick.name == "__schema":
            return _object((under.key, self._schema_field(under)) for under in pick.under)
        type_ = self._scratch.get_type(dict(pick.arguments)["name"])
        return b"null" if type_ is None else _json(_project(pick.under, "__Type", type_, self._scratch))

    def _schema_field(self, pick: Pick) -> bytes:
        if pick.name == "types" and _is_local(pick.under) and not _repeats(pick.under):
            return self._types(pick.under)
        return self._read(pick, "__Schema", self._scratch)

    def _types(self, picks: tuple[Pick, ...]) -> bytes:
        selection = repr(picks)
        parts = [self._fixed_type(picks, selection, name) for name in KERNEL]
        make = partial(self._module_types, picks)
        parts += [self._piece(module, selection, make) for module in self._schema.modules.values()]
        for contribution in self._schema.contributions:
            parts += [self._fixed_type(picks, selection, name) for name in contribution.types]
        for name in self._schema.fixed_types:
            root = _ROOT_TYPES.get(name)
            parts.append(self._root_type(root, picks) if root else self._fixed_type(picks, selection, name))
        return _array(parts)

    def _fixed_type(self, picks: tuple[Pick, ...], selection: str, name: str) -> bytes:
        if name in _CONSTANT:
            return _constant(_Selection(selection, picks), name)
        return _json(_project(picks, "__Type", self._scratch.named(name), self._scratch))

    def _root_type(self, root: Roots, picks: tuple[Pick, ...]) -> bytes:
        return _object(
            (
                pick.key,
                self._root_fields(root, pick)
                if pick.name == "fields"
                else self._read(pick, "__Type", self._schema.named(root.type_name)),
            )
            for pick in picks
        )

    def _root_fields(self, root: Roots, pick: Pick) -> bytes:
        selection = f"{root.type_name} {pick!r}"
        make = partial(self._module_roots, root, pick)
        first, last = root.around(self._scratch)
        return _array(
            [
                _fields(pick, first, self._scratch),
                *(self._piece(module, selection, make) for module in self._schema.modules.values()),
                _fields(pick, last, self._scratch),
            ]
        )

    def _read(self, pick: Pick, type_name: str, value: Any) -> bytes:
        return _json(_project((pick,), type_name, value, self._scratch)[pick.key])

    def _piece(self, module: Module, selection: str, make: Callable[[Module], bytes]) -> bytes:
        shelf = kept(module, "introspection", self._schema.audience, self._schema.modules)
        found: bytes | None = shelf.get(selection)
        if found is None:
            if len(shelf) >= KEPT_SELECTIONS:
                shelf.pop(next(iter(shelf)), None)
            found = shelf[selection] = make(module)
        return found

    def _module_types(self, picks: tuple[Pick, ...], module: Module) -> bytes:
        scratch = self._scratch
        names = names_of(module, scratch.audience, scratch.modules).types
        return _items(_project(picks, "__Type", scratch.named(name), scratch) for name in names)

    def _module_roots(self, root: Roots, pick: Pick, module: Module) -> bytes:
        return _fields(pick, root.of(self._scratch, module), self._scratch)


def _fields(pick: Pick, fields: Mapping[str, GraphQLField], schema: LambdeskSchema) -> bytes:
    """Write fields of a root, without brackets."""
    shown = _current(fields, _includes_deprecated(pick))
    return _items(_project(pick.under, pick.type_name, item, schema) for item in shown)


_ROOT_TYPES: Mapping[str, Roots] = {root.type_name: root for root in ROOTS}

# Types in which nothing depends on a schema.
_CONSTANT: Mapping[str, GraphQLNamedType] = MappingProxyType(
    {name: type_ for name, type_ in {**KERNEL, **introspection_types}.items() if name != NODE.name}
)


@dataclass(frozen=True, slots=True)
class _Selection:
    text: str
    picks: tuple[Pick, ...] = field(compare=False)


@lru_cache(maxsize=KEPT_SELECTIONS * 64)
def _constant(selection: _Selection, name: str) -> bytes:
    nowhere = build_schema({}, Audience.AGENT)
    return _json(_project(selection.picks, "__Type", _CONSTANT[name], nowhere))


def _is_local(picks: Iterable[Pick]) -> bool:
    """Answer whether a selection of a type says nothing of other types than their names and kinds."""
    for pick in picks:
        if pick.type_name == "__Type":
            if any(under.name not in _OF_REFERRED for under in pick.under) or not _is_local(pick.under):
                return False
        elif not _is_local(pick.under):
            return False
    return True


def _repeats(picks: tuple[Pick, ...]) -> bool:
    """Answer whether a field is picked twice under different names, which would make pieces of any size."""
    return len({pick.name for pick in picks}) < len(picks) or any(_repeats(pick.under) for pick in picks)


def _json(value: Any) -> bytes:
    return orjson.dumps(value)


def _items(values: Iterable[Any]) -> bytes:
    return b",".join(map(orjson.dumps, values))


def _array(parts: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(part for part in parts if part)


def _object(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b"%b:%b" % (orjson.dumps(key), value) for key, value in pairs)
