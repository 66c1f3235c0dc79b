"""How plans are made: an operation is analysed twice with marks in place of its values, and its statements are held against each other.

What stands in a statement only where a mark stood is a value, and the plan puts it there. So there is one analysis and one way to
write statements, with a plan and without; what cannot be made out in this way has no plan and is read as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cached_property
from itertools import islice
from typing import Any

from graphql import (
    GraphQLError,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from resolvers.analysis import analyse
from resolvers.context import Context
from resolvers.door import Door, keys_of
from resolvers.errors import OperationError
from resolvers.footprint import Analysis, Root
from resolvers.given import CURSORS, Given
from resolvers.known_operations import Operation, Starts
from resolvers.nodes import (
    AggregateNode,
    LambdaSlot,
    ListNode,
    ManySlot,
    NodesNode,
    OneNode,
    OneSlot,
    RowNode,
)
from resolvers.page_parts import PageParts
from resolvers.pages import WANTED, Link, Page
from resolvers.plan import AggregateStep, Constant, Known, ListStep, NodesOf, NodesStep, OneStep, Plan, Step
from resolvers.predicate import KeyIn, Predicate
from resolvers.run import Keyed, Owned, Spread
from resolvers.selection import Selected, Selections
from resolvers.spread import Keys, SpreadStatements, find_keys
from resolvers.statements import RowsPlan, Statement, Statements
from resolvers.templates import Template, marks_of, match
from resolvers.terms import key_terms
from resolvers.view import View, make_view
from resolvers.writers import Unplain, writer_of
from schema.bindings import AggregateRoot, ManyRoot, NodeRoot, OneRoot, VersionRoot
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from storage.direct import Ready

_TYPENAME = "__typename"
SEVERAL = 2  # owners, for which the statements of a relation are made with the plan
_PLANNED = (OneRoot, ManyRoot, NodeRoot, AggregateRoot, VersionRoot)


class Planner:
    """Makes the plan of one operation."""

    def __init__(self, context: Context, selections: Selections, operation: Operation, given: Given) -> None:
        self.context = context
        self.selections = selections
        self.starts = operation.starts
        self.sides = (self._side(operation, given, 0), self._side(operation, given, 1))
        self.zone: tzinfo = context.database.zone
        self.used: set[int] = set()
        self.needed = {number for number, value in enumerate(given.values) if value is not None}

    def _side(self, operation: Operation, given: Given, turn: int) -> Side:
        marks = marks_of(given.values, turn)
        variables = self.selections.variables
        coerced = variables.coerced
        if operation.reader is not None:
            starts = Starts(self.context, self.selections, operation.starts)
            coerced = operation.reader.marked(coerced, marks, starts)
        context = replace(self.context)  # which is told the cost
        statements = Door(context).statements
        own = statements.guard.own
        statements = replace(statements, guard=statements.guard.marked(turn, len(marks)))
        selections = replace(self.selections, variables=variables._replace(coerced=coerced))
        every = [*marks, *marks_of(own, turn, len(marks))]
        return Side(context, selections, statements, every)

    @cached_property
    def analyses(self) -> tuple[Analysis, Analysis]:
        """The planned roots with each set of marks."""
        one, other = (analyse(side.context, side.selections, self._planned_on(side)) for side in self.sides)
        return one, other

    def _planned_on(self, side: Side) -> list[Selected]:
        found = side.selections.all_roots()
        return [root for _, name, root in found if root is not None and self._is_planned(name, root)]

    def plan(self) -> Plan | None:
        """Return the plan, or None where there can be none."""
        try:
            return self._plan()
        except (Unplain, OperationError, GraphQLError):  # what is wrong with it is told without a plan
            return None

    def _plan(self) -> Plan:
        roots = self.selections.all_roots()
        rest = [root for _, name, root in roots if not self._is_planned(name, root)]
        planned = [root for _, _, root in roots if root is not None and root not in rest]
        # What is generated and has no plan is refused or read together with the rest, as a whole.
        if not planned or any(root is None or root.binding is not None for root in rest):
            raise Unplain
        one, other = self.analyses
        given = _arguments(one)
        # A value of which only some use is known, or errors that stand at several places of the document.
        if given != _arguments(other) or (given and one.twins):
            raise Unplain
        steps: list[tuple[str, Step]] = []
        for key, _, root in roots:
            if root is None:
                steps.append((key, Constant("Query")))
            elif isinstance(root.binding, VersionRoot):
                steps.append((key, Constant(self.context.snapshot.version)))
            elif root in planned and key not in one.twins:
                steps.append((key, self._root(root, one.roots[key], other.roots[key])))
        if not self.used >= self.needed:  # a value that stands in no statement decides something else
            raise Unplain
        keys = tuple(key for key, _, _ in roots)
        return Plan(tuple(steps), one.twins, keys, one.cost, self._rest(rest))

    def _is_planned(self, name: str, root: Selected | None) -> bool:
        if root is None:
            return name == _TYPENAME
        return isinstance(root.binding, _PLANNED) and root.definition.resolve is None

    def _rest(self, roots: Sequence[Selected | None]) -> OperationDefinitionNode | None:
        """Write an operation of the roots that have no plan."""
        nodes = [node for root in roots if root is not None for node in root.nodes]
        if not nodes:
            return None
        operation = self.selections.operation
        return OperationDefinitionNode(
            operation=operation.operation,
            name=operation.name,
            variable_definitions=operation.variable_definitions,
            directives=operation.directives,
            selection_set=SelectionSetNode(selections=tuple(nodes)),
            loc=operation.loc,
        )

    def _root(self, root: Selected, first: Root, second: Root) -> Step:
        if isinstance(first, OneNode) and isinstance(second, OneNode):
            plans = [
                side.statements.one(node.module, node.where, node.row)
                for side, node in zip(self.sides, (first, second), strict=True)
            ]
            view = make_view(self.selections, root, first.row, plans[0].shapes[0], self.zone, width=plans[0].width)
            template = self.template([plan.statement for plan in plans])
            return OneStep(template, view, self.links(view, second.row), self._spread(root.key, "row", first))
        if isinstance(first, ListNode) and isinstance(second, ListNode):
            return self._list(root, (first, second))
        if isinstance(first, NodesNode) and isinstance(second, NodesNode):
            return self._nodes(root, (first, second))
        if isinstance(first, AggregateNode) and isinstance(second, AggregateNode):
            pair = zip(self.sides, (first, second), strict=True)
            template = self.template([side.statements.groups(node) for side, node in pair])
            write = writer_of(self.selections, root.definition.type, root)
            return AggregateStep(first, template, write, self._spread(root.key, "groups", first))
        raise Unplain

    # --- nodes ---

    def _nodes(self, root: Selected, nodes: tuple[NodesNode, NodesNode]) -> NodesStep:
        marks = {(type(mark), mark): number for number, mark in enumerate(self.sides[0].marks)}

        def known(part: int | str) -> int | Known:
            number = marks.get((type(part), part))
            return Known(part) if number is None else number

        ids = tuple((item.module, tuple(map(known, item.key))) if item else None for item in nodes[0].ids)
        return NodesStep(nodes[0].many, ids, tuple(self._nodes_of(root, nodes, name) for name in nodes[0].rows))

    def _nodes_of(self, root: Selected, nodes: tuple[NodesNode, NodesNode], name: str) -> NodesOf:
        plans = []
        for side, node in zip(self.sides, nodes, strict=True):
            row = node.rows[name]
            where = KeyIn((), row.module, keys_of(node, name))
            plans.append(side.statements.rows(row.module, where, (row,), key_terms(row.module)))
        row = nodes[0].rows[name]
        view = make_view(self.selections, root, row, plans[0].shapes[0], self.zone, width=plans[0].width)
        template = self.template([plan.statement for plan in plans])
        return NodesOf(row.module, template, plans[0].sort, view, self.links(view, nodes[1].rows[name]))

    # --- lists ---

    def _list(self, root: Selected, nodes: Pair) -> ListStep:
        node = nodes[0]
        plans = [side.statements.page(found) for side, found in zip(self.sides, nodes, strict=True)]
        return ListStep(
            self._page(root, nodes, plans[0]),
            self.template([plan.statement for plan in plans]) if node.wants_rows else None,
            self._asked(nodes, Statements.total) if node.wants_total else None,
            self._asked(nodes, Statements.far_side) if node.wants_far_side else None,
            self._spread(root.key, "page", node),
            self._spread(root.key, "total", node),
        )

    def _asked(self, nodes: Pair, make: Callable[[Statements, ListNode], Statement]) -> Template:
        return self.template([make(side.statements, node) for side, node in zip(self.sides, nodes, strict=True)])

    def _page(self, selected: Selected, nodes: Pair, plan: RowsPlan) -> Page:
        node = nodes[0]
        begins = node.range.after is not None or node.range.before is not None
        if begins and not self._begins_at_variables(selected):  # a cursor holds for one caller and one list
            raise Unplain
        pages = PageParts(self, nodes, plan)
        parts = tuple(pages.parts(selected))
        keyed = Keyed(selected, node.module, node.link) if node.wants_cursors else None
        views, lambdas = tuple(pages.views.items()), tuple(pages.lambdas)
        alone = pages.rows if len(parts) == 1 else None
        return Page(node.range.size, node.range.backward, parts, views, tuple(plan.sort), keyed, lambdas, alone)

    def _begins_at_variables(self, selected: Selected) -> bool:
        """Answer whether a list is one whose cursors are all read anew from variables."""
        given = [item for item in selected.nodes[0].arguments or () if item.name.value in CURSORS]
        return all(
            isinstance(item.value, NullValueNode)
            or (isinstance(item.value, VariableNode) and self._is_start(item.value.name.value, selected))
            for item in given
        )

    def _is_start(self, name: str, selected: Selected) -> bool:
        found = self.starts.get(name)
        return found is not None and found.path == selected.path

    def links(self, view: View, other: RowNode) -> tuple[Link, ...]:
        """Plan the relations inside a row; `other` is the row's node with the second set of marks."""
        lists = {found.path: found for found in _lists(other)}
        return tuple(
            self._link(selected, load.slot.list, lists[load.slot.list.path], load.position)
            for selected, load in view.links
        )

    def _link(self, selected: Selected, node: ListNode, other: ListNode, position: int) -> Link:
        wanted = {"rows": node.wants_rows, "total": node.wants_total, "far side": node.wants_far_side}
        owned = Owned(self._number(node), tuple(what for what in WANTED if wanted[what]), as_text=self._is_text(node))
        try:
            plan = self._make_first(owned, (node, other))
        except Unplain:  # the column that leads back holds texts, and so do the owners
            if owned.as_text:
                raise
            owned.as_text = True
            plan = self._make_first(owned, (node, other))
        page = self._page(selected, (node, other), plan)
        return Link(position, plan.link or 0, page, owned, len(self.sides[0].marks))

    def _make_first(self, owned: Owned, nodes: Pair) -> RowsPlan:
        """Make the statements for two owners, which shows whether there can be any, and tells how the rows are laid out."""
        owners = [self._owners(side, SEVERAL, as_text=owned.as_text) for side in (0, 1)]
        plans = [side.statements.page(nodes[turn], owners[turn]) for turn, side in enumerate(self.sides)]
        if "rows" in owned.wanted:
            owned.made["rows", SEVERAL] = self.template([plan.statement for plan in plans], owners)
        for what in owned.wanted:
            owned.get(what, SEVERAL, lambda: self)
        return plans[0]

    def _is_text(self, node: ListNode) -> bool:
        link = node.link
        here = link.module.columns.get(link.relation.here_column, ColumnClass.OTHER) if link else ColumnClass.OTHER
        return here not in WHOLE_NUMBERS

    def _number(self, node: ListNode) -> int:
        return next(number for number, found in enumerate(self._lists(0)) if found is node)

    def _lists(self, side: int) -> Iterator[ListNode]:
        """Yield all relations' lists of the operation, in an order that is the same for the same operation."""
        for root in self.analyses[side].roots.values():
            yield from _lists_of(root)

    def owned(self, owned: Owned, what: str, count: int) -> Template:
        """Make a statement of a relation's page for so many owners. Raises `Unplain`."""
        nodes = [next(islice(self._lists(side), owned.number, None)) for side in (0, 1)]
        owners = [self._owners(side, count, as_text=owned.as_text) for side in (0, 1)]
        make = _OWNED[what]
        return self.template(
            [make(side.statements, node, marks) for side, node, marks in zip(self.sides, nodes, owners, strict=True)],
            owners,
        )

    def _owners(self, side: int, count: int, *, as_text: bool) -> list[Any]:
        """Return marks in place of owners."""
        return marks_of(["" if as_text else 0] * count, side, len(self.sides[side].marks))

    # --- many values of keys ---

    def _spread(self, root: str, what: str, node: OneNode | ListNode | AggregateNode) -> Spread | None:
        """Tell what of a root's conditions are keys, if any are."""
        _, keys = find_keys(_where(node), self.sides[0].marks)
        if not keys:
            return None
        nothing: Sequence[Any] = [(0,)] if what == "total" else ()
        if isinstance(node, AggregateNode) and not node.groups:  # of no rows there is one group
            nothing = [(0, *[None] * len(node.sums))]
        return Spread(root, what, tuple(key.number for key in keys), nothing)

    def spread(self, spread: Spread, count: int) -> Template:
        """Make a root's statement for so many values of its keys. Raises `Unplain`."""
        made: list[Statement] = []
        more: list[list[Any]] = []
        for turn, side in enumerate(self.sides):
            node = self.analyses[turn].roots[spread.root]
            if not isinstance(node, OneNode | ListNode | AggregateNode):
                raise Unplain
            rest, keys = find_keys(_where(node), side.marks)
            values = [
                marks_of([side.marks[key.number]] * count, turn, len(side.marks) + place * count)
                for place, key in enumerate(keys)
            ]
            statements = SpreadStatements.of(side.statements)
            asked = [(key.term, found) for key, found in zip(keys, values, strict=True)]
            made.append(_SPREAD[spread.what](statements, node, rest, asked))
            more.append([value for found in values for value in found])
        return self.template(made, more)

    # --- statements ---

    def template(self, statements: Sequence[Statement], more: Sequence[Sequence[Any]] = ((), ())) -> Template:
        """Hold a statement with both sets of marks against itself; `more` are marks of owners."""
        ready = [self._ready(statement) for statement in statements]
        marks = [[*side.marks, *added] for side, added in zip(self.sides, more, strict=True)]
        found = match(ready[0], ready[1], marks[0], marks[1], 0)
        if found is None:
            raise Unplain
        self.used.update(number for _, number in found.places)
        return found

    def _ready(self, statement: Statement) -> Ready | None:
        return statement if isinstance(statement, Ready) else self.context.database.prepare(statement)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two analyses: with one set of marks."""

    context: Context
    selections: Selections
    statements: Statements
    marks: Sequence[Any]


Pair = tuple[ListNode, ListNode]


def _page_of(statements: Statements, node: ListNode, owners: Sequence[Any]) -> Statement:
    return statements.page(node, owners).statement


_OWNED: Mapping[str, Callable[[Statements, ListNode, Sequence[Any]], Statement]] = {
    "rows": _page_of,
    "total": Statements.total,
    "far side": Statements.far_side,
}


def _where(node: OneNode | ListNode | AggregateNode) -> Sequence[Predicate]:
    return [node.where] if isinstance(node, OneNode) else node.where


_SPREAD: Mapping[str, Callable[[SpreadStatements, Any, Sequence[Predicate], Keys], Statement]] = {
    "row": lambda statements, node, where, keys: statements.one_of(node.module, where, node.row, keys),
    "page": SpreadStatements.page_of,
    "total": SpreadStatements.total_of,
    "groups": SpreadStatements.groups_of,
}


def _rows_of(root: Root) -> Sequence[RowNode]:
    """Return the selections of a root's rows."""
    if isinstance(root, OneNode):
        return [root.row]
    if isinstance(root, NodesNode):
        return list(root.rows.values())
    return root.views if isinstance(root, ListNode) else ()


def _lists_of(root: Root) -> Iterator[ListNode]:
    """Yield the lists of relations below a root, however deep."""
    for row in _rows_of(root):
        for found in _lists(row):
            yield found
            yield from _lists_of(found)


def _arguments(analysis: Analysis) -> list[Mapping[str, Any]]:
    """Return what the lambdas of an operation are given beside rows."""
    return [args for root in analysis.roots.values() for row in _rows_of(root) for args in _arguments_in(row)]


def _arguments_in(row: RowNode) -> Iterator[Mapping[str, Any]]:
    for slot in row.slots.values():
        if isinstance(slot, LambdaSlot):
            yield slot.args
        elif isinstance(slot, OneSlot):
            yield from _arguments_in(slot.row)
        elif isinstance(slot, ManySlot):
            for below in slot.list.views:
                yield from _arguments_in(below)


def _lists(row: RowNode) -> Iterator[ListNode]:
    """Yield the relations inside a row."""
    for slot in row.slots.values():
        if isinstance(slot, ManySlot):
            yield slot.list
        elif isinstance(slot, OneSlot):
            yield from _lists(slot.row)
