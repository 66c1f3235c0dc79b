"""How plans are made: an operation is analysed twice with marks in place of its values, and its statements are held against each other.

What stands in a statement only where a mark stood is a value, and the plan puts it there. So there is one analysis and one way to
write statements, with a plan and without; what cannot be made out in this way has no plan and is read as before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from resolvers.analysis import analyse
from resolvers.context import Context
from resolvers.cursors import CursorKey, list_key
from resolvers.door import Door, keys_of
from resolvers.errors import OperationError
from resolvers.footprint import Analysis, Root
from resolvers.given import CURSORS, Given, Reader, find_usage
from resolvers.guard import guard_of
from resolvers.nodes import (
    AggregateNode,
    EdgesPart,
    InfoPart,
    ListNode,
    ManySlot,
    NodesNode,
    NodesPart,
    OneNode,
    OneSlot,
    RowNode,
)
from resolvers.plan import (
    LENGTHS,
    WANTED,
    AggregateStep,
    Constant,
    Keyed,
    Known,
    Link,
    ListStep,
    NodesOf,
    NodesStep,
    OneStep,
    Owned,
    Page,
    PageInfo,
    Part,
    Plan,
    Run,
    Step,
)
from resolvers.predicate import KeyIn
from resolvers.reads import Reads
from resolvers.selection import Found, Selected, Selections, select
from resolvers.statements import RowsPlan, Statement, Statements
from resolvers.templates import Kept, Template, are_plain, kept_with, marks_of, match
from resolvers.terms import key_terms
from resolvers.view import Look, View, make_view
from resolvers.writers import Unplain, writer_of
from schema.bindings import AggregateRoot, ManyRoot, NodeRoot, OneRoot, VersionRoot
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from storage.direct import Ready

OPERATIONS_KEPT = 500
FORMS_KEPT = 32  # of one operation
_TYPENAME = "__typename"
_PLANNED = (OneRoot, ManyRoot, NodeRoot, AggregateRoot, VersionRoot)


@dataclass(slots=True, eq=False)
class Operation:
    """An operation for callers with the same rights, and its plans by form.

    `starts` are the lists that begin at a cursor in a variable, by its name.
    """

    node: Any  # kept with it: it is what the operation is found by
    reader: Reader | None
    starts: Mapping[str, Selected]
    plans: Kept[Seen]

    def read(self, context: Context, selections: Selections) -> Given | None:
        """Return what a request gives; None where it has no plan."""
        if self.reader is None:
            return None
        return self.reader.read(selections.variables.coerced, _Starts(context, selections, self.starts))


@dataclass(frozen=True, slots=True)
class _Starts:
    """The cursors in variables: each belongs to one list of the operation."""

    context: Context
    selections: Selections
    lists: Mapping[str, Selected]

    def read(self, name: str, cursor: str) -> Sequence[Any] | None:
        """Return the sort values in a variable that is a cursor; None where it is none of its list."""
        return self._key(name, self.selections).find(cursor) if name in self.lists else None

    def write(self, name: str, coerced: Mapping[str, Any], values: Sequence[Any]) -> str:
        """Return the cursor that would have these sort values, if the list was asked for with these variables."""
        variables = self.selections.variables._replace(coerced=dict(coerced))
        return self._key(name, replace(self.selections, variables=variables)).write(values)

    def _key(self, name: str, selections: Selections) -> CursorKey:
        selected = self.lists[name]
        module = selected.binding.module if isinstance(selected.binding, ManyRoot) else None
        if module is None:
            raise TypeError(f"{selected.name} is no list of a module.")
        return list_key(self.context.secret, self.context.caller, module, None, selections.args_of(selected))


@dataclass(slots=True)
class Seen:
    """A form: how often it was seen without a plan, and its plan."""

    times: int = 0
    plan: Plan | None = None


async def answer(
    context: Context, selections: Selections, others: Callable[[OperationDefinitionNode], Awaitable[ExecutionResult]]
) -> ExecutionResult | None:
    """Answer an operation by its plan, and what of it has none by `others`.

    None where it has no plan, or where its answer is not plain.
    """
    found = find_plan(context, selections)
    if found is None:
        return None
    plan, values = found

    def key_of(keyed: Keyed) -> CursorKey:
        return list_key(context.secret, context.caller, keyed.module, keyed.link, selections.args_of(keyed.selected))

    def planner() -> _Planner:
        operation = _operation(context, selections)
        given = operation.read(context, selections)
        if given is None:
            raise Unplain
        return _Planner(context, selections, operation, given)

    try:
        planned = await plan.run(Run(Reads(context), values, key_of, planner))
    except Unplain:
        return None
    context.cost = plan.cost
    context.is_planned = True
    if plan.rest is None:
        return ExecutionResult(plan.in_order(planned, {}))
    rest = await others(plan.rest)
    context.cost += plan.cost
    if rest.data is None:
        return rest
    return ExecutionResult(plan.in_order(planned, rest.data), rest.errors)


def plan_ahead(
    context: Context, document: DocumentNode, name: str | None, variables: Mapping[str, Any] | None
) -> Plan | None:
    """Make the plan of an operation before it is asked for; nothing is read. None where it has none."""
    try:
        selections = select(context.schema, document, name, variables)
    except (GraphQLError, OperationError):
        return None
    operation = _operation(context, selections)
    given = operation.read(context, selections)
    if given is None:
        return None
    seen = operation.plans.get(given.form) or operation.plans.put(given.form, Seen())
    if seen.plan is None and seen.times <= 1:
        seen.times = 2
        seen.plan = _Planner(context, selections, operation, given).plan()
    return seen.plan


def find_plan(context: Context, selections: Selections) -> tuple[Plan, Sequence[Any]] | None:
    """Find the plan of an operation and the values for it, or make it when its form is seen for the second time."""
    operation = _operation(context, selections)
    given = operation.read(context, selections)
    own = guard_of(context.rights, context.snapshot).own
    if given is None or not are_plain(own):
        return None
    seen = operation.plans.get(given.form) or operation.plans.put(given.form, Seen())
    if seen.plan is None:
        seen.times += 1
        if seen.times != 2:  # noqa: PLR2004 - the first time it may never come again, later it has none
            return None
        made = _Planner(context, selections, operation, given).plan()
        if made is None:
            return None
        seen.plan = made
    if seen.plan.cost > context.cost_limit:
        return None
    return seen.plan, (*given.values, *own)


def _operation(context: Context, selections: Selections) -> Operation:
    database = context.database
    # What of the full-text index can be used stands in statements, too.
    texts = frozenset(context.texts.ready.items())
    name = ("operations", database.dialect, database.zone, context.secret, texts)
    kept: Kept[Operation] = kept_with(context.snapshot.memo, name, OPERATIONS_KEPT)
    key = (id(selections.operation), context.rights.shape)
    found = kept.get(key)
    if found is None:
        reader = None
        if selections.operation.operation is OperationType.QUERY:
            usage = find_usage(selections.operation.selection_set, selections.fragments)
            reader = Reader(usage, context.snapshot.by_type_name)
        starts = _starts(selections, reader.usage.cursors) if reader and reader.usage.cursors else {}
        found = kept.put(key, Operation((selections.operation, selections.fragments), reader, starts, Kept(FORMS_KEPT)))
    return found


def _starts(selections: Selections, cursors: Collection[str]) -> Mapping[str, Selected]:
    """Find the root lists that begin at a variable of their own, which is nothing but a cursor."""
    found: dict[str, Selected | None] = {}
    for root in selections.roots():
        for argument in root.nodes[0].arguments or ():
            if argument.name.value in CURSORS and isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                found[name] = None if name in found or not isinstance(root.binding, ManyRoot) else root
    return {name: root for name, root in found.items() if root is not None and name in cursors}


class _Planner:
    """Makes the plan of one operation."""

    def __init__(self, context: Context, selections: Selections, operation: Operation, given: Given) -> None:
        self.context = context
        self.selections = selections
        self.starts = operation.starts
        self.sides = (self._side(operation, given, 0), self._side(operation, given, 1))
        self.zone = context.database.zone
        self.used: set[int] = set()
        self.needed = {number for number, value in enumerate(given.values) if value is not None}

    def _side(self, operation: Operation, given: Given, turn: int) -> Side:
        marks = marks_of(given.values, turn)
        variables = self.selections.variables
        coerced = variables.coerced
        if operation.reader is not None:
            starts = _Starts(self.context, self.selections, operation.starts)
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
            view = make_view(self.selections, root, first.row, plans[0].shapes[0], self.zone)
            return OneStep(self.template([plan.statement for plan in plans]), view, self.links(view, second.row))
        if isinstance(first, ListNode) and isinstance(second, ListNode):
            return self._list(root, (first, second))
        if isinstance(first, NodesNode) and isinstance(second, NodesNode):
            return self._nodes(root, (first, second))
        if isinstance(first, AggregateNode) and isinstance(second, AggregateNode):
            pair = zip(self.sides, (first, second), strict=True)
            template = self.template([side.statements.groups(node) for side, node in pair])
            return AggregateStep(first, template, writer_of(self.selections, root.definition.type, root))
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
        view = make_view(self.selections, root, row, plans[0].shapes[0], self.zone)
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
        )

    def _asked(self, nodes: Pair, make: Callable[[Statements, ListNode], Statement]) -> Template:
        return self.template([make(side.statements, node) for side, node in zip(self.sides, nodes, strict=True)])

    def _page(self, selected: Selected, nodes: Pair, plan: RowsPlan) -> Page:
        node = nodes[0]
        begins = node.range.after is not None or node.range.before is not None
        if begins and not self._begins_at_variables(selected):  # a cursor holds for one caller and one list
            raise Unplain
        pages = _PageParts(self, nodes, plan)
        parts = tuple(pages.parts(selected))
        keyed = Keyed(selected, node.module, node.link) if node.wants_cursors else None
        return Page(node.range.size, node.range.backward, parts, tuple(pages.views.items()), tuple(plan.sort), keyed)

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
            self._make_first(owned)
        except Unplain:  # the column that leads back holds texts, and so do the owners
            if owned.as_text:
                raise
            owned.as_text = True
            self._make_first(owned)
        plan = self.sides[0].statements.page(node, self._owners(0, 2, as_text=owned.as_text))
        return Link(position, plan.link or 0, self._page(selected, (node, other), plan), owned)

    def _make_first(self, owned: Owned) -> None:
        for what in owned.wanted:
            for count in LENGTHS[:2]:
                owned.get(what, count, lambda: self)

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


class _PageParts:
    """Writes the parts of a connection, and makes the views of its rows."""

    def __init__(self, planner: _Planner, nodes: Pair, plan: RowsPlan) -> None:
        self._planner = planner
        self._nodes = nodes
        self._plan = plan
        self.views: dict[View, tuple[Link, ...]] = {}

    def parts(self, selected: Selected) -> Iterator[tuple[str, Part]]:
        """Return what writes each part, by its response key."""
        node = self._nodes[0]
        for key, name, below in self._below(selected, f"{node.module.type_name}Connection"):
            if below is None:
                yield key, _typename(name, f"{node.module.type_name}Connection")
                continue
            part, other = node.parts[key], self._nodes[1].parts[key]
            if isinstance(part, NodesPart) and isinstance(other, NodesPart):
                yield key, _nodes(self._view(below, part.row, other.row))
            elif isinstance(part, EdgesPart) and isinstance(other, EdgesPart):
                yield key, self._edges(below, part, other)
            elif isinstance(part, InfoPart):
                yield key, self._info(below)
            else:
                yield key, lambda found, _: found.total

    def _view(self, selected: Selected, row: RowNode, other: RowNode) -> View:
        shape = next(shape for view, shape in zip(self._nodes[0].views, self._plan.shapes, strict=True) if view is row)
        view = make_view(self._planner.selections, selected, row, shape, self._planner.zone)
        self.views[view] = self._planner.links(view, other)
        return view

    def _edges(self, selected: Selected, part: EdgesPart, other: EdgesPart) -> Part:
        fields: list[tuple[str, View | str | None]] = []
        for key, name, below in self._below(selected, f"{self._nodes[0].module.type_name}Edge"):
            row, twin = part.slots.get(key), other.slots.get(key)
            if below is None:
                _typename(name, "")
                fields.append((key, f"{self._nodes[0].module.type_name}Edge"))
            elif row is None or twin is None:
                fields.append((key, None))
            else:
                fields.append((key, self._view(below, row, twin)))
        return _edges(fields)

    def _info(self, selected: Selected) -> Part:
        backward, has_cursors = self._nodes[0].range.backward, bool(self._plan.sort)
        fields = [(key, name) for key, name, _ in self._below(selected, "PageInfo")]
        if any(name not in _INFO for _, name in fields):
            raise Unplain

        def write(found: PageInfo, _looks: Mapping[View, Sequence[Look]]) -> dict[str, Any]:
            return {key: _INFO[name](found, backward, has_cursors) for key, name in fields}

        return write

    def _below(self, selected: Selected, name: str) -> Iterator[Found]:
        type_ = self._planner.selections.schema.get_type(name)
        if not isinstance(type_, GraphQLObjectType):
            raise Unplain
        return self._planner.selections.all_below(selected, type_)


def _nodes(view: View) -> Part:
    return lambda found, looks: view.every(found.rows, looks[view])


def _edges(fields: Sequence[tuple[str, View | str | None]]) -> Part:
    def write(found: PageInfo, looks: Mapping[View, Sequence[Look]]) -> list[dict[str, Any]]:
        columns = [(key, _edge(field, found, looks)) for key, field in fields]
        return [
            dict(zip([key for key, _ in columns], values, strict=True))
            for values in zip(*(column for _, column in columns), strict=True)
        ]

    return write


def _edge(field: View | str | None, found: PageInfo, looks: Mapping[View, Sequence[Look]]) -> Sequence[Any]:
    """Return what stands behind one key of all edges."""
    if isinstance(field, View):
        return field.every(found.rows, looks[field])
    return [field] * len(found.rows) if field is not None else [found.cursor(row) for row in found.rows]


def _typename(name: str, type_name: str) -> Part:
    if name != _TYPENAME:
        raise Unplain
    return lambda _found, _looks: type_name


# --- what `pageInfo` says; whether it was read backward, and whether there are cursors ---


def _has_next(found: PageInfo, backward: bool, _cursors: bool) -> bool:
    return found.far_side if backward else found.goes_on


def _has_previous(found: PageInfo, backward: bool, _cursors: bool) -> bool:
    return found.goes_on if backward else found.far_side


def _start_cursor(found: PageInfo, _backward: bool, cursors: bool) -> str | None:
    return found.cursor(found.rows[0]) if cursors and found.rows else None


def _end_cursor(found: PageInfo, _backward: bool, cursors: bool) -> str | None:
    return found.cursor(found.rows[-1]) if cursors and found.rows else None


_INFO: Mapping[str, Callable[[PageInfo, bool, bool], Any]] = {
    "hasNextPage": _has_next,
    "hasPreviousPage": _has_previous,
    "startCursor": _start_cursor,
    "endCursor": _end_cursor,
    _TYPENAME: lambda _found, _backward, _cursors: "PageInfo",
}


_OWNED: Mapping[str, Callable[[Statements, ListNode, Sequence[Any]], Statement]] = {
    "rows": _page_of,
    "total": Statements.total,
    "far side": Statements.far_side,
}


def _lists_of(root: Root) -> Iterator[ListNode]:
    """Yield the lists of relations below a root, however deep."""
    rows: list[RowNode] = []
    if isinstance(root, OneNode):
        rows = [root.row]
    elif isinstance(root, NodesNode):
        rows = list(root.rows.values())
    elif isinstance(root, ListNode):
        rows = list(root.views)
    for row in rows:
        for found in _lists(row):
            yield found
            yield from _lists_of(found)


def _lists(row: RowNode) -> Iterator[ListNode]:
    """Yield the relations inside a row."""
    for slot in row.slots.values():
        if isinstance(slot, ManySlot):
            yield slot.list
        elif isinstance(slot, OneSlot):
            yield from _lists(slot.row)
