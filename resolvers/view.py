"""A selection of rows as code of its own: one expression that writes the answer's objects from flat rows.

The code consists of positions, response keys and names that this module gives to functions. Where a value is as the API has it, it
is taken as it is; everything else goes through the writer that `resolvers.writers` makes for its type. What is not plain raises
`Unplain`, and the operation is then answered without a plan.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    get_named_type,
)

from resolvers.computed import Task
from resolvers.failed import or_failed
from resolvers.ids import id_writer
from resolvers.nodes import KeySlot, LambdaSlot, RowNode
from resolvers.selection import Selected, Selections
from resolvers.shape import ManyLoad, Shape, Stored
from resolvers.utc_texts import STORED_UTC_TEXTS, UTC_TEXTS
from resolvers.writers import Unplain, Write, writer_of
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.kinds import EXACT_IN_JAVASCRIPT
from storage.values import keeps_texts

_TYPENAME = "__typename"
_WORDS_KEPT = 1_000  # of one enum: what columns hold beside the options
# The numbers that a scalar writes as they are.
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "Int": (-(2**31), 2**31 - 1),
    "BigInt": (-EXACT_IN_JAVASCRIPT, EXACT_IN_JAVASCRIPT),
}

# What the code of a view consists of.
_NODES = (
    ast.Expression, ast.Lambda, ast.arguments, ast.arg, ast.ListComp, ast.comprehension, ast.Dict, ast.Constant, ast.Subscript,
    ast.Name, ast.Load, ast.Store, ast.NamedExpr, ast.IfExp, ast.Compare, ast.Is, ast.IsNot, ast.LtE, ast.BoolOp, ast.And,
    ast.UnaryOp, ast.USub, ast.Attribute, ast.Call,
)  # fmt: skip
_ATTRIBUTES = frozenset({"__class__", "tzinfo"})
_OWN_NAMES = frozenset({"r", "rows", "looks"})
_VALUE = re.compile(r"v[0-9]+")

Row: TypeAlias = Sequence[Any]
Look: TypeAlias = Callable[[Any], Any]  # from the value of an owner to its page


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Writes rows. `links` are the relations inside, whose pages are handed in by `looks` in the same order.

    `lambdas` are the computed fields whose values stand at the end of the rows, in this order.
    """

    every: Callable[[Sequence[Row], Sequence[Look]], list[dict[str, Any]]]
    links: tuple[tuple[Selected, ManyLoad], ...]
    lambdas: tuple[Task, ...] = ()


class _Words(dict[Any, Any]):
    """What an enum writes for a stored value, found out once for each."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, stored: Any) -> Any:
        found = self._write(stored)
        if len(self) < _WORDS_KEPT:
            self[stored] = found
        return found


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """Evaluate an expression of positions, constants and calls of the given names. Raises `Unplain` for any other.

    Nothing else is there for it: no builtins, no attributes but two. That a document could say more than its response keys
    in it is prevented where they are written; this does not rely on it.
    """
    tree = ast.parse(text, "<view>", "eval")
    known = {*names, *_OWN_NAMES}
    for node in ast.walk(tree):
        is_fine = isinstance(node, _NODES)
        if isinstance(node, ast.Name):
            is_fine = node.id in known or _VALUE.fullmatch(node.id) is not None
        elif isinstance(node, ast.Attribute):
            is_fine = node.attr in _ATTRIBUTES
        elif isinstance(node, ast.Dict):
            is_fine = None not in node.keys
        elif isinstance(node, ast.Call):
            called = node.func
            is_fine = isinstance(called, ast.Name | ast.Subscript)
        if not is_fine:
            raise Unplain
    return eval(compile(tree, "<view>", "eval"), {**names, "__builtins__": {}})  # noqa: S307 - see above


def make_view(
    selections: Selections, selected: Selected, node: RowNode, shape: Shape, zone: tzinfo, *, width: int
) -> View:
    """Write the code for a selection of rows. Raises `Unplain` where GraphQL's executor is needed.

    What lambdas make stands in the rows from `width` on.
    """
    type_ = selections.schema.get_type(node.module.type_name)
    if not isinstance(type_, GraphQLObjectType):
        raise Unplain
    coder = _Coder(selections, zone, width)
    text = coder.object(type_, selected, node, shape)
    every = evaluate(f"lambda rows, looks: [{text} for r in rows]", coder.names)
    return View(every, tuple(coder.links), tuple(coder.lambdas))


class _Coder:
    """Collects what the code of a view calls by name."""

    def __init__(self, selections: Selections, zone: tzinfo, width: int) -> None:
        self.selections = selections
        self.zone = zone
        self.width = width
        self.names: dict[str, Any] = {
            "str": str, "int": int, "dict": dict, "datetime": datetime, "utc": UTC_TEXTS, "nothing": _nothing
        }  # fmt: skip
        self.links: list[tuple[Selected, ManyLoad]] = []
        self.lambdas: list[Task] = []
        self.values = 0

    def object(self, type_: GraphQLObjectType, selected: Selected, node: RowNode, shape: Shape) -> str:
        """Write the object of a row."""
        if shape.lists:  # more is to be read than what stands in the row
            raise Unplain
        members = []
        for key, name, below in self.selections.all_below(selected, type_):
            _check_key(key)
            if below is None:
                if name != _TYPENAME:
                    raise Unplain
                members.append(f"{key!r}: {type_.name!r}")
            else:
                members.append(f"{key!r}: {self._member(below, node, shape)}")
        return "{" + ", ".join(members) + "}"

    def _member(self, below: Selected, node: RowNode, shape: Shape) -> str:
        key, type_ = below.key, below.definition.type
        if below.definition.resolve is not None:
            raise Unplain
        if key in shape.inner:
            return self._row(type_, below, node, shape)
        if key in shape.linked:
            self.links.append((below, shape.linked[key]))
            return f"looks[{len(self.links) - 1}](r[{shape.linked[key].position}])"
        write = writer_of(self.selections, type_, below)
        stored = shape.stored.get(key)
        if stored is not None:
            return self._stored(type_, stored, write)
        slot = node.slots[key]
        if isinstance(slot, LambdaSlot):
            return self._lambda(below, slot, shape, write)
        if isinstance(slot, KeySlot) and slot.name == "id" and len(shape.keys) == 1:
            return f"{self._name(id_writer(node.module))}(r[{shape.keys[0]}])"
        slow = f"{self._name(write)}({self._name(shape.reads[key])}(r))"
        if isinstance(slot, KeySlot) and len(shape.keys) == 1:
            return self._number(get_named_type(type_).name, f"r[{shape.keys[0]}]", lambda _: slow) or slow
        return slow

    def _lambda(self, below: Selected, slot: LambdaSlot, shape: Shape, write: Write) -> str:
        load = next(load for load in shape.lambdas if load.slot is slot)
        self.lambdas.append(Task(load, shape.present))
        at, slow = f"r[{self.width + len(self.lambdas) - 1}]", self._name(or_failed(write, below.nodes))
        self.values += 1
        value = f"v{self.values}"
        if below.definition.type is GraphQLString:
            return f"({value} if ({value} := {at}).__class__ is str else {slow}({value}))"
        if slot.computed.kind == "badge":
            return f"({self._badge(below, value)} if ({value} := {at}).__class__ is dict else {slow}({value}))"
        return f"{slow}({at})"

    def _badge(self, below: Selected, value: str) -> str:
        """Write a badge, whose parts are texts: `lambdas.results` has made it."""
        type_ = get_named_type(below.definition.type)
        if not isinstance(type_, GraphQLObjectType):
            raise Unplain
        members, parts = [], []
        for key, name, part in self.selections.all_below(below, type_):
            _check_key(key)
            members.append(f"{key!r}: {type_.name!r}" if part is None else f"{key!r}: {value}[{name!r}]")
            parts.append((key, name))
        if parts == [("text", "text"), ("tone", "tone")]:  # just as it was made
            return value
        return "{" + ", ".join(members) + "}"

    def _row(self, type_: GraphQLOutputType, below: Selected, node: RowNode, shape: Shape) -> str:
        inner, slot = shape.inner[below.key], node.slots[below.key]
        named = get_named_type(type_)
        if not isinstance(named, GraphQLObjectType) or isinstance(type_, GraphQLList) or not hasattr(slot, "row"):
            raise Unplain
        text = self.object(named, below, slot.row, inner)
        if inner.present is None:
            return text
        missing = "nothing()" if isinstance(type_, GraphQLNonNull) else "None"
        return f"({text} if r[{inner.present}] is not None else {missing})"

    def _stored(self, type_: GraphQLOutputType, stored: Stored, write: Write) -> str:
        """Write a stored value: as it is, where its own type says that it is what the API has."""
        at, leaf = f"r[{stored.position}]", get_named_type(type_)
        slow = self._name(_converting(stored.convert, write))
        self.values += 1
        value = f"v{self.values}"
        taken = f"({value} := {at}).__class__"
        if isinstance(type_, GraphQLList) or isinstance(getattr(type_, "of_type", None), GraphQLList):
            return f"{slow}({at})"
        if leaf is GraphQLString and stored.is_plain and keeps_texts(stored.kind):
            return f"({value} if {taken} is str else {slow}({value}))"
        if stored.is_plain and stored.kind in ("int", "bigint", "reference"):
            number = self._number(leaf.name, at, lambda value: f"{slow}({value})")
            if number is not None:
                return number
        if isinstance(leaf, GraphQLEnumType):
            words = self._name(_Words(self.names[slow]))
            return f"({words}[{value}] if {taken} is {_class_of(stored)} else {slow}({value}))"
        if self._is_utc(leaf.name, stored):
            moment = self._name(_moment(self.names[slow]))
            return f"(utc[{value}] if {taken} is datetime and {value}.tzinfo is None else {moment}({value}))"
        return f"{slow}({at})"

    def _number(self, leaf: str, at: str, slow: Callable[[str], str]) -> str | None:
        """Write a whole number as it is, where its scalar would; None for other scalars."""
        limits = _NUMBERS.get(leaf)
        if limits is None:
            return None
        self.values += 1
        value = f"v{self.values}"
        return f"({value} if ({value} := {at}).__class__ is int and {limits[0]} <= {value} <= {limits[1]} else {slow(value)})"

    def _is_utc(self, leaf: str, stored: Stored) -> bool:
        is_wall_clock = (
            stored.is_plain and stored.kind == "datetime" and stored.term.column_class is ColumnClass.DATETIME
        )
        return leaf == "DateTime" and is_wall_clock and getattr(self.zone, "key", "") == "UTC"

    def _name(self, thing: Any) -> str:
        name = f"f{len(self.names)}"
        self.names[name] = thing
        return name


def _moment(write: Write) -> Write:
    """Return what writes a moment in UTC that is stored as a text, as SQLite has it; `write` knows all the others."""

    def found(value: Any) -> Any:
        written = STORED_UTC_TEXTS[value] if value.__class__ is str else None
        return write(value) if written is None else written

    return found


def _class_of(stored: Stored) -> str:
    """Name the class that values of a column mostly have: one alone, for 1 and 1.0 are found under the same key."""
    return "int" if stored.term.column_class in WHOLE_NUMBERS else "str"


def _converting(convert: Callable[[Any], Any] | None, write: Write) -> Write:
    if convert is None:
        return write
    return lambda value: write(None if value is None else convert(value))


def _check_key(key: str) -> None:
    """Let nothing but a name into the code."""
    if not (key.isascii() and key.isidentifier()):
        raise Unplain


def _nothing() -> Any:
    raise Unplain
