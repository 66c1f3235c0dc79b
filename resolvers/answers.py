"""What the executor is given for lists and aggregates: pages, edges and groups, read by response key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.nodes import (
    AggregateKey,
    AggregateNode,
    CountPart,
    EdgesPart,
    GroupedRow,
    InfoPart,
    ListNode,
    NodesPart,
    RowNode,
)
from resolvers.shape import Answer, Record, Row, Shape


@dataclass(frozen=True, slots=True)
class PageInfo:
    """The executor reads these by their names in the API."""

    hasNextPage: bool  # noqa: N815 - named as in the API
    hasPreviousPage: bool  # noqa: N815
    startCursor: str | None  # noqa: N815
    endCursor: str | None  # noqa: N815


@dataclass(frozen=True, slots=True)
class Found:
    """What was read for a page: rows with one more if it goes on; exceptions where something could not be read."""

    shapes: Sequence[Shape] = ()
    rows: Sequence[Row] = ()
    sort: Sequence[int] = ()
    total: int | Exception = 0
    far_side: bool | Exception = False
    owner: str | None = None  # of a relation's list, as `link_key` writes it


class Page(Answer):
    """A page of a list."""

    __slots__ = ("_found", "_goes_on", "_node", "_rows")

    def __init__(self, node: ListNode, found: Found) -> None:
        size = node.range.size
        self._node = node
        self._found = found
        self._goes_on = len(found.rows) > size
        kept = list(found.rows[:size])
        self._rows = kept[::-1] if node.range.backward else kept

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of the page, in their order."""
        return self._rows

    def get(self, key: str) -> Any:
        """Read a part of the connection."""
        part = self._node.parts[key]
        if (
            isinstance(part, NodesPart | EdgesPart) and not self._rows
        ):  # nothing was read for who has nothing to be linked by
            return []
        if isinstance(part, NodesPart):
            shape = self._shape_of(part.row)
            return [Record(shape, row) for row in self._rows]
        if isinstance(part, EdgesPart):
            shapes = {name: self._shape_of(row) if row else None for name, row in part.slots.items()}
            return [Edge(self, row, shapes) for row in self._rows]
        if isinstance(part, InfoPart):
            far_side = self._found.far_side
            return far_side if isinstance(far_side, Exception) else self._info(far_side)
        return self._found.total

    def cursor(self, row: Row) -> str:
        """Make the cursor of a row."""
        owner = [] if self._found.owner is None else [self._found.owner]
        return self._node.cursors.write([*(row[position] for position in self._found.sort), *owner])

    def _shape_of(self, row: RowNode) -> Shape:
        return next(shape for view, shape in zip(self._node.views, self._found.shapes, strict=True) if view is row)

    def _info(self, far_side: bool) -> PageInfo:
        near = (self._goes_on, far_side)
        has_next, has_previous = reversed(near) if self._node.range.backward else near
        if not self._rows or not self._found.sort:
            return PageInfo(has_next, has_previous, None, None)
        return PageInfo(has_next, has_previous, self.cursor(self._rows[0]), self.cursor(self._rows[-1]))


class Edge(Answer):
    """A row with its cursor."""

    __slots__ = ("_page", "_row", "_shapes")

    def __init__(self, page: Page, row: Row, shapes: Mapping[str, Shape | None]) -> None:
        self._page = page
        self._row = row
        self._shapes = shapes

    def get(self, key: str) -> Any:
        """Read the cursor or the node."""
        shape = self._shapes[key]
        return self._page.cursor(self._row) if shape is None else Record(shape, self._row)


class Group(Answer):
    """One group of an aggregate. `keys` are read already, `targets` lead from a key part to the rows found."""

    __slots__ = ("_count", "_keys", "_node", "_sums", "_targets")

    def __init__(
        self,
        node: AggregateNode,
        keys: Sequence[Any],
        count: int,
        sums: Sequence[Any],
        targets: Mapping[GroupedRow, Mapping[str, Record] | Exception],
    ) -> None:
        self._node = node
        self._keys = keys
        self._count = count
        self._sums = sums
        self._targets = targets

    def get(self, key: str) -> Any:
        """Read the key, the count or a sum."""
        part = self._node.parts[key]
        if isinstance(part, AggregateKey):
            return GroupKey(part, self._keys, self._targets)
        return self._count if isinstance(part, CountPart) else self._sums[part.position]


class GroupKey(Answer):
    """The values grouped by."""

    __slots__ = ("_keys", "_part", "_targets")

    def __init__(
        self, part: AggregateKey, keys: Sequence[Any], targets: Mapping[GroupedRow, Mapping[str, Record] | Exception]
    ) -> None:
        self._part = part
        self._keys = keys
        self._targets = targets

    def get(self, key: str) -> Any:
        """Read one value, or the row that it leads to."""
        slot = self._part.slots[key]
        if slot is None:
            return None
        if isinstance(slot, int):
            return self._keys[slot]
        rows = self._targets[slot]
        return rows if isinstance(rows, Exception) else rows.get(str(self._keys[slot.group]))
