"""An operation is analysed once, before any statement, into what it touches: rows, values, filters, order, cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType

from resolvers.aggregation import AggregateReader
from resolvers.context import Context
from resolvers.cursors import list_key
from resolvers.deed_analysis import analyse_action, analyse_deed, analyse_hand, analyse_undo
from resolvers.deed_nodes import AnyDeed
from resolvers.errors import BadRequest, OperationError, TooComplex
from resolvers.filters import FilterReader
from resolvers.footprint import Analysis, Root
from resolvers.gate import Gate, Touch, Use
from resolvers.ids import read_id
from resolvers.needs import NeedsReader
from resolvers.nodes import (
    EdgesPart,
    InfoPart,
    KeySlot,
    LambdaSlot,
    ListNode,
    ListPart,
    ManySlot,
    NodesNode,
    NodesPart,
    OneNode,
    OneSlot,
    RootNode,
    RowNode,
    Slot,
    TotalPart,
    ValueSlot,
    VersionSlot,
)
from resolvers.once import once
from resolvers.order import OrderReader
from resolvers.page import read_page
from resolvers.past import analyse_changes, analyse_history
from resolvers.predicate import Predicate
from resolvers.selection import Selected, Selections
from resolvers.templates import Kept, kept_with
from resolvers.terms import Term
from resolvers.word_search import search
from schema.bindings import (
    ActionRoot,
    AggregateRoot,
    Builtin,
    ChangesRoot,
    ComputedValue,
    ConnectionPart,
    HandRoot,
    HistoryRoot,
    ManyRoot,
    NodeRoot,
    OneRoot,
    ToMany,
    ToOne,
    UndoRoot,
    Value,
    WriteRoot,
)
from schema.spec import Field, Module

NODES_LIMIT = 100


def analyse(context: Context, selections: Selections, selected_roots: Sequence[Selected] | None = None) -> Analysis:
    """Analyse an operation's generated roots; refuse what cannot or may not be asked.

    `selected_roots` are its root fields, where they are known already.
    """
    analyst = Analyst(context, selections)
    roots: dict[str, Root] = {}
    twins: dict[str, str] = {}
    seen: dict[str, str] = {}
    deeds: dict[str, AnyDeed] = {}
    known = selections.roots() if selected_roots is None else selected_roots
    for selected in known:
        with located(selected.nodes):
            if isinstance(selected.binding, WriteRoot):
                deeds[selected.key] = analyse_deed(analyst, selected, selected.binding)
                continue
            if isinstance(selected.binding, ActionRoot):
                deeds[selected.key] = analyse_action(analyst, selected, selected.binding)
                continue
            if isinstance(selected.binding, UndoRoot):
                deeds[selected.key] = analyse_undo(analyst, selected)
                continue
            if isinstance(selected.binding, HandRoot):
                deeds[selected.key] = analyse_hand(analyst, selected, selected.binding)
                continue
            root = analyst.root(selected)
        if root is not None:
            # Of one root there is no other; writing a selection as text costs more than a statement.
            first = seen.setdefault(selected.same_as() if len(known) > 1 else "", selected.key)
            if first != selected.key:
                twins[selected.key] = first
            else:
                roots[selected.key] = root
    context.cost = analyst.cost
    if analyst.cost > context.cost_limit:
        raise TooComplex(
            f"The operation is estimated at a cost of {analyst.cost} (rows times fields); {context.cost_limit} are allowed. "
            "Ask for fewer rows or fields."
        )
    return Analysis(roots, twins, tuple(analyst.gate.touched), analyst.cost, deeds)


@contextmanager
def located(nodes: Sequence[FieldNode]) -> Iterator[None]:
    """Say where in the document a refusal belongs. It has no path in the answer: nothing ran, so there is no answer."""
    try:
        yield
    except OperationError as error:
        raise GraphQLError(str(error), nodes=list(nodes), cause=error) from None


class Analyst:
    """Analyses the roots of one operation; what they touch and cost together is kept here."""

    def __init__(self, context: Context, selections: Selections) -> None:
        self.context = context
        self.selections = selections
        self.gate = Gate(context.access, context.snapshot.by_table)
        self.filters = FilterReader(context.snapshot, self.gate)
        self.orders = OrderReader(context.snapshot, self.gate)
        self.needs = NeedsReader(context.snapshot, self.gate)
        self.cost = 0

    def root(self, selected: Selected) -> Root | None:
        """Analyse one root field; hand-written ones are not ours."""
        binding = selected.binding
        make: Callable[[Any, Selected], Root] | None = _ROOTS.get(type(binding))
        return make(self, selected) if make else None

    def one(self, selected: Selected) -> OneNode:
        """Analyse `queue(by:)`."""
        module = _module(selected)
        path = (selected.key,)
        self.gate.rows(module, selected.key)
        where = self.filters.read_key(module, selected.args["by"], f"{selected.name}.by")
        row = once(self, "one", selected, lambda: self.row(selected, module, (), path), _shared_row)
        self.cost += row.cost
        return OneNode(module, path, where, row)

    def many(self, selected: Selected) -> ListNode:
        """Analyse `queues(...)`."""
        found = self.page(selected, _module(selected), None, (selected.key,))
        self.cost += found.cost
        return found

    def nodes(self, selected: Selected) -> NodesNode:
        """Analyse `node(id:)` and `nodes(ids:)`."""
        binding = selected.binding
        many = isinstance(binding, NodeRoot) and binding.many
        texts = selected.args["ids"] if many else [selected.args["id"]]
        if len(texts) > NODES_LIMIT:
            raise BadRequest(f"{selected.name}.ids: at most {NODES_LIMIT} ids; these are {len(texts)}.")
        known = self.context.snapshot.by_type_name
        ids = tuple(read_id(text, known) if self._is_served(text, known) else None for text in texts)
        rows: dict[str, RowNode] = {}
        for found in ids:
            if found and found.module.type_name not in rows:
                self.gate.rows(found.module, selected.key)
                rows[found.module.type_name] = self.row(selected, found.module, (), (selected.key,))
        self.cost += sum(rows[found.module.type_name].cost for found in ids if found)
        return NodesNode((selected.key,), many, ids, rows)

    def aggregate(self, selected: Selected) -> RootNode:
        """Analyse `queueAggregate(...)`."""
        module = _module(selected)
        self.gate.rows(module, selected.key)
        where = self._where(selected, module)
        reader = AggregateReader(self.selections, self.gate, self.row, self.context.snapshot.modules)
        found, cost = reader.read(selected, module, where)
        self.cost += cost
        return found

    # --- lists ---

    def page(self, selected: Selected, module: Module, link: ToMany | None, path: tuple[str, ...]) -> ListNode:
        """Analyse a connection with its arguments."""
        args = selected.args
        self.gate.rows(module, ".".join(path))
        where = self._where(selected, module)
        order = self.orders.read(module, args.get("orderBy"), f"{selected.name}.orderBy")
        cursors = list_key(self.context.secret, self.context.caller, module, link, args)
        # The cursor of a relation's list names its owner too, after the sort values.
        page = read_page(args, selected.given, cursors, len(order) + (link is not None), selected.name)
        make = partial(self._parts, selected, module, path)
        parts = make() if link is not None else once(self, "list", selected, make, _shared_parts)
        rows = sum(view.cost for found in parts.values() for view in _views(found))
        cost = page.size * max(rows, 1) + sum(isinstance(part, TotalPart) for part in parts.values())
        return ListNode(module, path, where, order, page, cursors, parts, link, cost)

    def _parts(self, selected: Selected, module: Module, path: tuple[str, ...]) -> Mapping[str, ListPart]:
        return {
            part.key: self._part(part, module, (*path, part.key))
            for part in self.selections.below(selected, self.type_named(f"{module.type_name}Connection"))
        }

    def _part(self, part: Selected, module: Module, path: tuple[str, ...]) -> ListPart:
        name = part.binding.name if isinstance(part.binding, ConnectionPart) else ""
        if name == "nodes":
            return NodesPart(self.row(part, module, (), path))
        if name == "edges":
            below = self.selections.below(part, self.type_named(f"{module.type_name}Edge"))
            return EdgesPart(
                {
                    field.key: None if field.name == "cursor" else self.row(field, module, (), (*path, field.key))
                    for field in below
                }
            )
        if name == "pageInfo":
            return InfoPart(frozenset(field.name for field in self.selections.below(part, self.type_named("PageInfo"))))
        return TotalPart()

    def _where(self, selected: Selected, module: Module) -> tuple[Predicate, ...]:
        found: list[Predicate] = []
        if selected.args.get("filter") is not None:
            found.append(self.filters.read(module, selected.args["filter"], f"{selected.name}.filter"))
        if selected.args.get("search") is not None:
            text, at = selected.args["search"], f"{selected.name}.search"
            found.append(search(self.context, self.filters, self._readable, module, text, path=at))
        return tuple(found)

    # --- rows ---

    def row(self, selected: Selected, module: Module, hops: tuple[ToOne, ...], path: tuple[str, ...]) -> RowNode:
        """Analyse the selection of a row."""
        slots: dict[str, Slot] = {}
        cost = 1
        for field in self.selections.below(selected, self.type_named(module.type_name)):
            at = (*path, field.key)
            with located(field.nodes):
                slot = self._slot(field, module, hops, at)
            slots[field.key] = slot
            cost += _cost(slot)
        return RowNode(module, hops, slots, cost)

    def _slot(self, field: Selected, module: Module, hops: tuple[ToOne, ...], path: tuple[str, ...]) -> Slot:
        at = ".".join(path)
        binding = field.binding
        if isinstance(binding, Builtin):
            return self._builtin(binding, hops, at)
        if isinstance(binding, Value):
            self.gate.name(module, binding.field, Use.SELECT, at)
            return ValueSlot(Term(hops, module, binding.field), binding.raw)
        if isinstance(binding, ToOne):
            self.gate.name(module, binding.field, Use.SELECT, at)
            self.gate.rows(binding.target, at)
            self.gate.link(module, binding.field, binding.target, at)
            return OneSlot(self.row(field, binding.target, (*hops, binding), path))
        if isinstance(binding, ToMany):
            self.gate.relation(module, binding.relation, Use.SELECT, at)
            self.gate.link(module, binding.relation, binding.target, at)
            here = Term(hops, module, binding.relation.here_column)
            return ManySlot(self.page(field, binding.target, binding, path), here)
        if isinstance(binding, ComputedValue):
            self.gate.name(module, binding.computed, Use.SELECT, at)
            return self._computed(binding, field.args, hops, at)
        raise BadRequest(f"{at}: the field is not one that is read from the database.")

    def _builtin(self, binding: Builtin, hops: tuple[ToOne, ...], at: str) -> Slot:
        if binding.name != "version":
            self.gate.name(binding.module, binding.name, Use.SELECT, at)
            return KeySlot(binding.name)
        return self.version(binding.module, hops, at)

    def version(self, module: Module, hops: tuple[ToOne, ...], at: str) -> VersionSlot:
        """Analyse a row's version: it is made of all that the caller may read."""
        if hops:
            fields = self._readable(module)
            self.gate.names(module, fields, Use.VERSION, at)
            return VersionSlot(tuple(Term(hops, module, field) for field in fields))
        memo, key = self.context.snapshot.memo, (module.name, self.context.rights.shape)
        kept: Kept[VersionSlot] = kept_with(memo, "versions")
        touches: Kept[tuple[Touch, ...]] = kept_with(memo, "touches of versions")
        found, touched = kept.get(key), touches.get((key, at))
        if found is not None and touched is not None:
            self.gate.again(touched)
            return found
        fields, start = self._readable(module), len(self.gate.touched)
        self.gate.names(module, fields, Use.VERSION, at)
        touches.put((key, at), tuple(self.gate.touched[start:]))
        terms = tuple(Term((), module, field) for field in fields)
        return found or kept.put(key, VersionSlot(terms, is_kept=True))

    def _computed(self, binding: ComputedValue, args: Mapping[str, Any], hops: tuple[ToOne, ...], at: str) -> Slot:
        module, computed = binding.module, binding.computed
        if computed.expression is not None:
            return ValueSlot(Term(hops, module, computed))
        needs = self.needs.read(binding, self._readable(module), hops, at)
        named = {argument.name: args.get(argument.api_name) for argument in computed.args}
        return LambdaSlot(module, computed, named, needs)

    # --- the schema of the caller's audience ---

    def type_named(self, name: str) -> GraphQLObjectType:
        """Return an object type of the audience's schema."""
        found = self.context.schema.get_type(name)
        if not isinstance(found, GraphQLObjectType):
            raise BadRequest(f"There is no type {name} here.")
        return found

    def _readable(self, module: Module) -> list[Field]:
        """Return the fields that the audience's schema has an output for, and that the caller may use."""
        kept: Kept[list[Field]] = kept_with(self.context.snapshot.memo, "readable")
        key = (module.name, self.context.rights.shape)
        found = kept.get(key)
        if found is None:
            shown = self.type_named(module.type_name).fields
            fields = [field for field in module.shown_fields if field.api_name in shown or field.raw_name in shown]
            found = kept.put(key, self.gate.seen(module, fields))
        return found

    def _is_served(self, text: str, known: Mapping[str, Module]) -> bool:
        found = read_id(text, known)
        return found is not None and self.context.schema.get_type(found.module.type_name) is not None


def _shared_row(row: RowNode) -> RowNode | None:
    """Return a row's selection for everybody. The cursors of lists inside differ by caller."""
    return None if row.has_lists else replace(row, is_kept=True)


def _shared_parts(parts: Mapping[str, ListPart]) -> Mapping[str, ListPart] | None:
    """Return the parts of a list for everybody."""
    if any(row.has_lists for part in parts.values() for row in _views(part)):
        return None
    return {key: _shared_part(part) for key, part in parts.items()}


def _shared_part(part: ListPart) -> ListPart:
    if isinstance(part, NodesPart):
        return NodesPart(replace(part.row, is_kept=True))
    if isinstance(part, EdgesPart):
        return EdgesPart({key: row and replace(row, is_kept=True) for key, row in part.slots.items()})
    return part


def _module(selected: Selected) -> Module:
    binding = selected.binding
    if not isinstance(binding, OneRoot | ManyRoot | AggregateRoot):
        raise TypeError(f"{selected.name} is no root of a module.")
    return binding.module


def _views(part: ListPart) -> Iterator[RowNode]:
    if isinstance(part, NodesPart):
        yield part.row
    elif isinstance(part, EdgesPart):
        yield from (row for row in part.slots.values() if row)


def _cost(slot: Slot) -> int:
    if isinstance(slot, OneSlot):
        return slot.row.cost
    return slot.list.cost if isinstance(slot, ManySlot) else 1


_ROOTS: Mapping[type, Callable[[Any, Selected], Root]] = {
    OneRoot: Analyst.one,
    ManyRoot: Analyst.many,
    NodeRoot: Analyst.nodes,
    AggregateRoot: Analyst.aggregate,
    HistoryRoot: analyse_history,
    ChangesRoot: analyse_changes,
}
