"""The parts of a connection in a plan: what writes nodes, edges, `pageInfo` and the total of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Protocol

from graphql import (
    GraphQLObjectType,
)

from resolvers.computed import Task
from resolvers.nodes import (
    EdgesPart,
    InfoPart,
    ListNode,
    NodesPart,
    RowNode,
)
from resolvers.pages import (
    Link,
    Looks,
    PageInfo,
    Part,
)
from resolvers.selection import Found, Selected, Selections
from resolvers.statements import RowsPlan
from resolvers.view import View, make_view
from resolvers.writers import Unplain

_TYPENAME = "__typename"


class Planner(Protocol):
    """What is asked of the planner of an operation."""

    selections: Selections
    zone: tzinfo

    def links(self, view: View, other: RowNode) -> tuple[Link, ...]:
        """Plan the relations inside a row; `other` is the row's node with the second set of marks."""


class PageParts:
    """Writes the parts of a connection, and makes the views of its rows."""

    def __init__(self, planner: Planner, nodes: tuple[ListNode, ListNode], plan: RowsPlan) -> None:
        self._planner = planner
        self._nodes = nodes
        self._plan = plan
        self.views: dict[View, tuple[Link, ...]] = {}
        self.lambdas: list[Task] = []
        self.rows: tuple[str, View] | None = None  # a list of rows, where one is written

    def parts(self, selected: Selected) -> Iterator[tuple[str, Part]]:
        """Return what writes each part, by its response key."""
        node = self._nodes[0]
        for key, name, below in self._below(selected, f"{node.module.type_name}Connection"):
            if below is None:
                yield key, _typename(name, f"{node.module.type_name}Connection")
                continue
            part, other = node.parts[key], self._nodes[1].parts[key]
            if isinstance(part, NodesPart) and isinstance(other, NodesPart):
                view = self._view(below, part.row, other.row)
                self.rows = key, view
                yield key, _nodes(view)
            elif isinstance(part, EdgesPart) and isinstance(other, EdgesPart):
                yield key, self._edges(below, part, other)
            elif isinstance(part, InfoPart):
                yield key, self._info(below)
            else:
                yield key, lambda found, _: found.total

    def _view(self, selected: Selected, row: RowNode, other: RowNode) -> View:
        shape = next(shape for view, shape in zip(self._nodes[0].views, self._plan.shapes, strict=True) if view is row)
        width = self._plan.width + len(self.lambdas)
        view = make_view(self._planner.selections, selected, row, shape, self._planner.zone, width=width)
        self.lambdas += view.lambdas
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

        def write(found: PageInfo, _looks: Looks) -> dict[str, Any]:
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
    def write(found: PageInfo, looks: Looks) -> list[dict[str, Any]]:
        columns = [(key, _edge(field, found, looks)) for key, field in fields]
        return [
            dict(zip([key for key, _ in columns], values, strict=True))
            for values in zip(*(column for _, column in columns), strict=True)
        ]

    return write


def _edge(field: View | str | None, found: PageInfo, looks: Looks) -> Sequence[Any]:
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
