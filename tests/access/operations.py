"""Operations made at random from the live schema of an audience: every root, argument and kind of selection that it has."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import (
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from resolvers.cursors import CursorKey, bind
from resolvers.ids import write_id
from resolvers.past import write_change_id
from schema.bindings import (
    BINDING,
    AggregateKeyPart,
    AggregatePart,
    AggregateRoot,
    ComputedValue,
    ManyRoot,
    OneRoot,
    ToMany,
    ToOne,
    Value,
)
from schema.spec import Module
from tests.access.model import COLUMNS, TABLES, Desk, Model
from tests.access.worlds import SECRET, rights_of

DEEP = 2
BOLD = 0.05  # of operations may name what is forbidden
WORDS = ("red", "tray", "j00", "acme", "client", "roof", "dark", "zebra", "PRINTER", "äpfel", "x1", "3")


class Name(str):
    """A word of GraphQL that is written without quotes: an enum value."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Write a value as GraphQL does."""
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@dataclass
class Operation:
    """A document. `is_forbidden` says that it names what its role may not use; `traits` what kinds of things are in it."""

    text: str = ""
    is_forbidden: bool = False
    traits: Counter[str] = field(default_factory=Counter)
    walk: tuple[str, dict[str, Any], str] | None = None  # a list to go on with: root, arguments, selection


@dataclass
class Ground:
    """What operations of a role are made of: its schema, and both worlds, so that hidden rows can be named."""

    schema: GraphQLSchema
    modules: Mapping[str, Module]
    model: Model
    other: Model

    def __post_init__(self) -> None:
        self.by_type = {module.type_name: module for module in self.modules.values()}
        self.ids = {name: self._ids(name) for name in TABLES if self.schema.get_type(self.modules[name].type_name)}
        self.forbidden = {name: self.model.forbidden(name) for name in self.modules}

    def _ids(self, name: str) -> dict[str, list[int]]:
        seen = [*self.model.visible(name)]
        every = {*self.model.desk.of(name), *self.other.desk.of(name)}
        return {"seen": seen, "hidden": sorted(every - {*seen}), "unknown": [9_999, 0, -1]}


class Maker:
    """Makes one operation."""

    def __init__(self, ground: Ground, chance: random.Random) -> None:
        self.ground = ground
        self.chance = chance
        self.bold = self.was_bold = chance.random() < BOLD
        self.made = Operation()
        self.fragments: list[str] = []
        self.number = 0

    def operation(self) -> Operation:
        """Make an operation with one to three roots."""
        roots = [self.root(number) for number in range(self.chance.choice((1, 1, 1, 1, 2, 3)))]
        self.made.text = "query {\n  " + "\n  ".join(roots) + "\n}\n" + "\n".join(self.fragments)
        self.made.is_forbidden = self.was_bold and names_forbidden(self.ground, self.made.text)
        return self.made

    def walk(self) -> Operation:
        """Make a list that is gone on with by cursors of its answer."""
        roots = [(name, item) for name, item in self.roots(ManyRoot) if "after" in item.args]
        name, item = self.chance.choice(roots)
        args = self.arguments(item)
        for key in ("first", "last", "offset", "after", "before"):
            args.pop(key, None)
        info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
        node = self.selection(self._type(self._binding(item).module.type_name), 1)
        selection = f"{{ totalCount {info} edges {{ cursor node {node} }} }}"
        self.made.walk = (name, args, selection + "".join(self.fragments))
        self.made.text = step(self.made, {"first": self.chance.randint(1, 6)})
        return self.made

    def roots(self, kind: type[OneRoot | ManyRoot | AggregateRoot]) -> list[tuple[str, GraphQLField]]:
        fields = self.ground.schema.query_type.fields if self.ground.schema.query_type else {}
        found = []
        for name, item in fields.items():
            binding = self._binding(item)
            if isinstance(binding, kind) and self._may_view(binding.module):
                found.append((name, item))
        return found

    def root(self, number: int) -> str:
        query = self.ground.schema.query_type
        past = 9 if query is not None and "history" in query.fields else 0  # agents alone are told of it
        pick = self.chance.choices(
            (self.many, self.one, self.aggregate, self.node, self.nodes, self.history, self.changes),
            (38, 12, 20, 6, 6, past, past),
        )[0]
        return f"r{number}: {pick()}"

    # --- roots ---

    def many(self) -> str:
        found = self.roots(ManyRoot)
        if not found:
            return "__typename"
        name, item = self.chance.choice(found)
        self.made.traits["list"] += 1
        arguments = self._written(self.arguments(item))
        return f"{name}{arguments} {self.connection(self._binding(item).module, DEEP)}"

    def one(self) -> str:
        found = self.roots(OneRoot)
        if not found:
            return "__typename"
        name, item = self.chance.choice(found)
        self.made.traits["one"] += 1
        module = self._binding(item).module
        key = self.value(item.args["by"].type, module, 0)
        return f"{name}(by: {literal(key)}) {self.selection(self._type(module.type_name), DEEP)}"

    def aggregate(self) -> str:
        found = self.roots(AggregateRoot)
        if not found:
            return "__typename"
        name, item = self.chance.choice(found)
        self.made.traits["aggregate"] += 1
        module = self._binding(item).module
        args = self.arguments(item)
        row = self._type(f"{module.type_name}AggregateRow")
        parts = ["count"]
        for field_name, below in self._some(list(row.fields.items()), 3):
            binding = self._binding(below)
            if isinstance(binding, AggregatePart) and binding.function == "key":
                key = self._type(f"{module.type_name}AggregateKey")
                inner = [text for each in self._some(list(key.fields.items()), 3) if (text := self._key(*each))]
                parts += [f"key {{ {' '.join(inner)} }}"] if inner else []
            elif isinstance(binding, AggregatePart) and binding.function != "count":
                named = binding.field or binding.computed
                if named is not None and self._may_name(module, named.name):
                    parts.append(field_name)
        return f"{name}{self._written(args)} {{ {' '.join(dict.fromkeys(parts))} }}"

    def _key(self, name: str, item: GraphQLField) -> str | None:
        binding = self._binding(item)
        if not isinstance(binding, AggregateKeyPart):
            return None
        if binding.target is None:
            return name
        # Naming it shows nothing that the groups do not; only the row behind it must be one that may be viewed.
        if not self._may_view(binding.target, hard=True):
            return None
        bold, self.bold = self.bold, False  # where it is not grouped by, nobody looks at the row
        text = f"{name} {self.selection(self._type(binding.target.type_name), 1)}"
        self.bold = bold
        return text

    def node(self) -> str:
        self.made.traits["node"] += 1
        return f"node(id: {literal(self.id())}) {self._any()}"

    def nodes(self) -> str:
        self.made.traits["node"] += 1
        return f"nodes(ids: {literal([self.id() for _ in range(self.chance.randint(1, 5))])}) {self._any()}"

    def _any(self) -> str:
        modules = [module for module in self.ground.by_type.values() if self._is_served(module) and module.has_id]
        self.bold = False  # a part for rows of another type than those that are asked for is never looked at
        parts = ["id", "__typename"]
        parts += [
            f"... on {module.type_name} {self.selection(self._type(module.type_name), 1, unlike=True)}"
            for module in self._some(modules, 3)
            if self._may_view(module, hard=True)
        ]
        return f"{{ {' '.join(parts)} }}"

    def history(self) -> str:
        self.made.traits["history"] += 1
        args: dict[str, Any] = {"of": self.id()}
        if self.chance.random() < 0.3:
            args["first"] = self.chance.randint(0, 3)
        if self.chance.random() < 0.2:
            args["before"] = write_change_id("Job", self.chance.randint(1, 200), 2)
        return f"history{self._written(args)} {{ id kind at by {{ login }} fields {{ field before after }} undoes canBeUndone }}"

    def changes(self) -> str:
        self.made.traits["changes"] += 1
        caller = rights_of(self.ground.model.role).principal
        cursors = CursorKey(SECRET, bind("changes", caller.kind, caller.id))
        args: dict[str, Any] = {}
        if self.chance.random() < 0.9:
            args["since"] = cursors.write([2 * self.chance.randint(0, 90)])
        if self.chance.random() < 0.8:
            args["first"] = self.chance.randint(0, 40)
        served = [module for module in self.ground.by_type.values() if self._is_served(module) and module.has_id]
        named = served
        if self.chance.random() < 0.4:
            named = [module for module in self._some(served, 3) if self._may_view(module, hard=True)]
            args["types"] = [module.type_name for module in named]
        self.bold = False
        viewed = [module for module in named if self.ground.model.may(module.name, "view")]
        node = ""
        if self.chance.random() < 0.6:
            parts = [
                f"... on {module.type_name} {self.selection(self._type(module.type_name), 1, unlike=True)}"
                for module in self._some(viewed, 2)
            ]
            node = f"node {{ id {' '.join(parts)} }}"
        return (
            f"changes{self._written(args)} {{ changes {{ id kind type rowId changedFields at by {{ login }} {node} }}"
            " cursor hasMore }"
        )

    # --- selections ---

    def connection(self, module: Module, deep: int) -> str:
        type_name = module.type_name
        row = self._type(type_name)
        parts = []
        if self.chance.random() < 0.75:
            parts.append(f"nodes {self.selection(row, deep - 1)}")
        if self.chance.random() < 0.3:
            parts.append("totalCount")
        if module.has_id and self.chance.random() < 0.3:
            parts.append(f"edges {{ cursor node {self.selection(row, 0, alias=False)} }}")
        if self.chance.random() < 0.3:
            parts.append("pageInfo { hasNextPage hasPreviousPage startCursor endCursor }")
        return f"{{ {' '.join(parts) or 'totalCount'} }}"

    def selection(self, type_: GraphQLObjectType, deep: int, *, unlike: bool = False, alias: bool = True) -> str:
        """Select some fields of a row. With `unlike` none is named as a field of another type may be."""
        module = self.ground.by_type[type_.name]
        parts = []
        for name, item in self._some(list(type_.fields.items()), 4):
            text = self._field(module, name, item, deep)
            if text is not None:
                self.number += 1
                parts.append(f"a{self.number}: {text}" if unlike or (alias and self.chance.random() < 0.4) else text)
        unique = {part.partition("(")[0].partition(" {")[0]: part for part in parts}
        chosen = " ".join(unique.values()) or "__typename"
        how = self.chance.random()
        if how < 0.08:
            self.number += 1
            self.fragments.append(f"fragment F{self.number} on {type_.name} {{ {chosen} }}")
            self.made.traits["fragment"] += 1
            return f"{{ ...F{self.number} }}"
        return f"{{ ... on {type_.name} {{ {chosen} }} }}" if how < 0.14 else f"{{ {chosen} }}"

    def _field(self, module: Module, name: str, item: GraphQLField, deep: int) -> str | None:
        binding = self._binding(item)
        if isinstance(binding, Value):
            return name if self._may_name(module, binding.field.name, raw=binding.raw) else None
        if isinstance(binding, ComputedValue):
            if not self._may_name(module, binding.computed.name):
                return None
            self.made.traits["lambda"] += binding.computed.code is not None
            args = {key: self.chance.choice(WORDS) for key in item.args if self.chance.random() < 0.5}
            text = f"{name}{self._written(args)}"
            return f"{text} {{ text tone }}" if binding.computed.kind == "badge" else text
        if isinstance(binding, ToOne):
            if deep <= 0 or not self._may_name(module, binding.field.name):
                return None
            return f"{name} {self.selection(self._type(binding.target.type_name), deep - 1)}"
        if isinstance(binding, ToMany):
            if deep <= 0 or not self._may_name(module, binding.relation.name):
                return None
            self.made.traits["nested list"] += 1
            arguments = self._written(self.arguments(item, binding.target))
            return f"{name}{arguments} {self.connection(binding.target, deep - 1)}"
        return name  # what every row has

    # --- arguments ---

    def arguments(self, item: GraphQLField, module: Module | None = None) -> dict[str, Any]:
        """Choose arguments of a list or an aggregate."""
        module = module or self._binding(item).module
        chance, args = self.chance, dict[str, Any]()
        if "filter" in item.args and chance.random() < 0.6:
            found = self.filter(module, 0)
            if found:
                args["filter"] = found
        if "search" in item.args and chance.random() < 0.2:
            args["search"] = chance.choice(WORDS)
            self.made.traits["search"] += 1
        if "orderBy" in item.args and chance.random() < 0.5:
            orders = [order for _ in range(chance.randint(1, 2)) if (order := self.order(module, 0))]
            args |= {"orderBy": orders} if orders else {}
        if "groupBy" in item.args and chance.random() < 0.85:
            groups = self.groups(item)
            args |= {"groupBy": groups} if groups else {}
        page = chance.random()
        if "last" in item.args and page < 0.15:
            args["last"] = chance.randint(1, 5)
        elif page < 0.6:
            args["first"] = chance.randint(0, 12)
            if "offset" in item.args and chance.random() < 0.3:
                args["offset"] = chance.randint(0, 5)
        return args

    def groups(self, item: GraphQLField) -> list[Name]:
        module = self._binding(item).module
        type_ = get_named_type(item.args["groupBy"].type)
        found = []
        if isinstance(type_, GraphQLEnumType):
            for name, value in self._some(list(type_.values.items()), 2):
                if self._may_name(module, value.value.field.name):
                    found.append(Name(name))
        return found

    def order(self, module: Module, deep: int) -> dict[str, Any] | None:
        type_ = self.ground.schema.get_type(f"{module.type_name}Order")
        if not isinstance(type_, GraphQLInputObjectType):
            return None
        name, item = self.chance.choice(list(type_.fields.items()))
        below = get_named_type(item.type)
        member = module.members.get(name)
        if member is not None and not self._may_name(module, member.name):
            return None
        if isinstance(below, GraphQLEnumType):
            return {name: Name(self.chance.choice(list(below.values)))}
        target = self.ground.by_type[below.name.removesuffix("Order")]
        inner = self.order(target, deep + 1) if deep < 2 else None
        if inner is None:
            return None
        self.made.traits["order through a reference"] += 1
        return {name: inner}

    def filter(self, module: Module, deep: int) -> dict[str, Any] | None:
        """Choose a filter."""
        type_ = self.ground.schema.get_type(f"{module.type_name}Filter")
        if not isinstance(type_, GraphQLInputObjectType):
            return None
        found: dict[str, Any] = {}
        for name, item in self._some(list(type_.fields.items()), 2):
            made = self._condition(module, name, item, deep)
            if made:
                found[name] = made
        return found or None

    def _condition(self, module: Module, name: str, item: Any, deep: int) -> Any:
        if name in ("and", "or"):
            parts = [self.filter(module, deep + 1) for _ in range(2)] if deep < 2 else []
            return [part for part in parts if part]
        if name == "not":
            return self.filter(module, deep + 1) if deep < 2 else None
        type_ = get_named_type(item.type)
        member = module.members.get(name)
        if member is not None and not self._may_name(
            module, member.name, raw=name == getattr(member, "raw_name", None)
        ):
            return None
        if type_.name in (f"{each}Filter" for each in self.ground.by_type):
            target = self.ground.by_type[type_.name.removesuffix("Filter")]
            self.made.traits["filter through a reference"] += 1
            return self.filter(target, deep + 1) if deep < 3 else None
        if type_.name in (f"{each}ListFilter" for each in self.ground.by_type):
            target = self.ground.by_type[type_.name.removesuffix("ListFilter")]
            self.made.traits["filter on a relation"] += 1
            inner = self.filter(target, deep + 1) if deep < 3 else None
            return {self.chance.choice(("some", "none", "every")): inner or {}}
        operator, given = self.chance.choice(list(type_.fields.items()))
        return {operator: self.value(given.type, module, deep, name)}

    def value(self, type_: Any, module: Module, deep: int, name: str = "") -> Any:
        """Choose a value of an input type."""
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type, module, deep, name)
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type, module, deep, name) for _ in range(self.chance.randint(0, 3))]
        if isinstance(type_, GraphQLInputObjectType):  # a key
            key, item = self.chance.choice(list(type_.fields.items()))
            return {key: self.value(item.type, module, deep, key)}
        if isinstance(type_, GraphQLEnumType):
            return Name(self.chance.choice(list(type_.values)))
        return self._scalar(type_.name, module, name)

    def _scalar(self, scalar: str, module: Module, name: str) -> Any:
        chance = self.chance
        if scalar == "Boolean":
            return chance.random() < 0.5
        if scalar == "ID":
            return self.id(module)
        if name == "databaseId":
            return self._number(module)
        item = module.members.get(name)
        column = COLUMNS.get(module.name, {}).get(getattr(item, "name", ""), "")
        desk: Desk = chance.choice((self.ground.model.desk, self.ground.other.desk))
        rows = desk.lines if module.name == "line" else list(desk.of(module.name).values())
        found = chance.choice(rows).get(column) if rows and column else None
        if isinstance(found, tuple):
            found = found[0] if found else "a"
        if scalar == "Int":
            return found if isinstance(found, int) else chance.randint(0, 20)
        if scalar == "Decimal":
            return found or "20.00"
        if scalar in ("DateTime", "Date"):
            moment = found if isinstance(found, datetime) else None
            text = moment.isoformat() if moment else "2026-06-01T00:00:00+00:00"
            return text if scalar == "DateTime" else text[:10]
        text = str(found) if found is not None else chance.choice(WORDS)
        return text[: chance.randint(1, 4)] if chance.random() < 0.2 and text else text or "x"

    def id(self, module: Module | None = None) -> str:
        """Name a row that is seen, hidden or not there at all."""
        served = [
            each for each in self.ground.by_type.values() if each.name in self.ground.ids and self._is_served(each)
        ]
        if module is None or self.chance.random() < 0.1:
            module = self.chance.choice([each for each in served if self._may_view(each, hard=True)])
        if not self.ground.model.may(module.name, "view"):
            return "bm8"
        return write_id(module, (self._number(module),)) if self.chance.random() < 0.97 else "bm8gaWQ"

    def _number(self, module: Module) -> int:
        kind = self.chance.choices(("seen", "hidden", "unknown"), (60, 35, 5))[0]
        numbers = self.ground.ids.get(module.name, {}).get(kind) or [1]
        if kind == "hidden" and numbers != [1]:
            self.made.traits["hidden row named"] += 1
        return self.chance.choice(numbers)

    # --- what may be named ---

    def _may_view(self, module: Module, *, hard: bool = False) -> bool:
        if self.ground.model.may(module.name, "view"):
            return True
        return self.bold and not hard

    def _may_name(self, module: Module, name: str, *, raw: bool = False) -> bool:
        model = self.ground.model
        hidden = model.hidden(module.name) if raw else self.ground.forbidden[module.name]
        return name not in hidden or self.bold

    def _is_served(self, module: Module) -> bool:
        return self.ground.schema.get_type(module.type_name) is not None

    def _type(self, name: str) -> GraphQLObjectType:
        found = self.ground.schema.get_type(name)
        assert isinstance(found, GraphQLObjectType), name
        return found

    def _binding(self, item: GraphQLField) -> Any:
        return (item.extensions or {}).get(BINDING)

    def _some(self, items: Sequence[Any], most: int) -> list[Any]:
        return self.chance.sample(items, min(len(items), self.chance.randint(1, most)))

    def _written(self, args: Mapping[str, Any]) -> str:
        return f"({', '.join(f'{key}: {literal(value)}' for key, value in args.items())})" if args else ""


def step(walk: Operation, page: Mapping[str, Any]) -> str:
    """Write one page of a walk."""
    assert walk.walk is not None
    name, args, selection = walk.walk
    given = ", ".join(f"{key}: {literal(value)}" for key, value in {**args, **page}.items())
    selection, *fragments = selection.split("fragment F")
    return f"query {{ r: {name}({given}) {selection} }}\n" + "\n".join(f"fragment F{text}" for text in fragments)


def names_forbidden(ground: Ground, text: str) -> bool:
    """Look through a document for what its role may not use."""
    info = TypeInfo(ground.schema)
    looker = _Looker(ground, info)
    visit(parse(text), TypeInfoVisitor(info, looker))
    return looker.found


class _Looker(Visitor):
    """Notes whether a document names something forbidden, in whatever role."""

    def __init__(self, ground: Ground, info: TypeInfo) -> None:
        super().__init__()
        self.ground = ground
        self.info = info
        self.found = False

    def _view(self, module: Module) -> None:
        self.found |= not self.ground.model.may(module.name, "view")

    def _member(self, module: Module, name: str, *, raw: bool = False) -> None:
        hidden = self.ground.model.hidden(module.name) if raw else self.ground.forbidden[module.name]
        self.found |= name in hidden

    def enter_field(self, _node: FieldNode, *_: Any) -> None:
        definition = self.info.get_field_def()
        binding = (definition.extensions or {}).get(BINDING) if definition else None
        if isinstance(binding, OneRoot | ManyRoot | AggregateRoot):
            self._view(binding.module)
        elif isinstance(binding, Value):
            self._member(binding.module, binding.field.name, raw=binding.raw)
        elif isinstance(binding, ToOne):
            self._member(binding.module, binding.field.name)
        elif isinstance(binding, ToMany):
            self._member(binding.module, binding.relation.name)
        elif isinstance(binding, ComputedValue):
            self._member(binding.module, binding.computed.name)
        elif isinstance(binding, AggregatePart):
            named = binding.field or binding.computed
            if named is not None:
                self._member(binding.module, named.name)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        parent = get_named_type(self.info.get_parent_input_type())
        name = parent.name if parent else ""
        module = self.ground.by_type.get(name.removesuffix("Filter").removesuffix("Order"))
        member = module.members.get(node.name.value) if module else None
        if module is not None and member is not None:
            self._member(module, member.name, raw=node.name.value == getattr(member, "raw_name", None))

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        type_ = get_named_type(self.info.get_input_type())
        module = self.ground.by_type.get(type_.name.removesuffix("GroupBy")) if type_ else None
        if module is not None and isinstance(type_, GraphQLEnumType):
            self._member(module, type_.values[node.value].value.field.name)
