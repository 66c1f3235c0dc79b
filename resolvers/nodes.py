"""An analysed operation: what each root wants, as a tree of data. Statements, shaping and access decisions read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.cursors import CursorKey
from resolvers.ids import GlobalId
from resolvers.order import Ordered
from resolvers.page import PageRange
from resolvers.predicate import Predicate
from resolvers.terms import Term
from schema.bindings import GroupValue, ToMany, ToOne
from schema.spec import Computed, Module

# --- what stands behind a response key of a row ---


@dataclass(frozen=True, slots=True, eq=False)
class KeySlot:
    """`id` or `databaseId`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ValueSlot:
    """A stored or computed value that a statement can say; `raw` for the stored text of a reference."""

    term: Term
    raw: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class VersionSlot:
    """`version`, made of everything that the caller may read; `is_kept` as with `RowNode`."""

    terms: tuple[Term, ...]
    is_kept: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OneSlot:
    """A reference: its row comes with the same statement."""

    row: RowNode


@dataclass(frozen=True, slots=True, eq=False)
class ManySlot:
    """A relation: its rows come with one more statement for all owners together; `here` is the owner's value."""

    list: ListNode
    here: Term


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """One value of a lambda's `item`: under which names, inside which reference."""

    inside: tuple[str, ...]
    names: tuple[str, ...]
    term: Term


@dataclass(frozen=True, slots=True, eq=False)
class LambdaSlot:
    """A computed field by lambda: run once for all rows of the page."""

    module: Module
    computed: Computed
    args: Mapping[str, Any]
    needs: tuple[Need, ...]


Slot = KeySlot | ValueSlot | VersionSlot | OneSlot | ManySlot | LambdaSlot


@dataclass(frozen=True, slots=True, eq=False)
class RowNode:
    """A selection of a row: `hops` lead to it from the base of its statement.

    One that `is_kept` is the same object for every request that selects the same.
    """

    module: Module
    hops: tuple[ToOne, ...]
    slots: Mapping[str, Slot]
    cost: int = 0
    is_kept: bool = False

    @property
    def has_lists(self) -> bool:
        """Whether a relation's rows are selected, of this row or of one that it refers to."""
        return any(
            isinstance(slot, ManySlot) or (isinstance(slot, OneSlot) and slot.row.has_lists)
            for slot in self.slots.values()
        )


# --- lists ---


@dataclass(frozen=True, slots=True, eq=False)
class NodesPart:
    """`nodes`."""

    row: RowNode


@dataclass(frozen=True, slots=True, eq=False)
class EdgesPart:
    """`edges`: by response key the node's selection, or None for the cursor."""

    slots: Mapping[str, RowNode | None]


@dataclass(frozen=True, slots=True, eq=False)
class InfoPart:
    """`pageInfo`: the names of the fields that are selected in it."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class TotalPart:
    """`totalCount`."""


ListPart = NodesPart | EdgesPart | InfoPart | TotalPart


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A page of rows: of a root, or of a relation for many owners at once."""

    module: Module
    path: tuple[str, ...]
    where: tuple[Predicate, ...]
    order: tuple[Ordered, ...]
    range: PageRange
    cursors: CursorKey
    parts: Mapping[str, ListPart]
    link: ToMany | None = None
    cost: int = 0

    @property
    def views(self) -> tuple[RowNode, ...]:
        """Every selection of the rows; they share one statement."""
        found: list[RowNode] = []
        for part in self.parts.values():
            if isinstance(part, NodesPart):
                found.append(part.row)
            elif isinstance(part, EdgesPart):
                found += [row for row in part.slots.values() if row]
        return tuple(found)

    @property
    def info(self) -> frozenset[str]:
        """What is selected in `pageInfo`, in any of its occurrences."""
        return frozenset().union(*(part.names for part in self.parts.values() if isinstance(part, InfoPart)))

    @property
    def wants_cursors(self) -> bool:
        """Whether any cursor is selected."""
        if not self.module.has_id:  # rows that cannot be told apart have no place to go on from
            return False
        edges = [part for part in self.parts.values() if isinstance(part, EdgesPart)]
        return bool(self.info & {"startCursor", "endCursor"}) or any(None in part.slots.values() for part in edges)

    @property
    def wants_rows(self) -> bool:
        """Whether rows must be read at all: not for a lone `totalCount`."""
        return any(not isinstance(part, TotalPart) for part in self.parts.values())

    @property
    def wants_total(self) -> bool:
        """Whether the rows are to be counted."""
        return any(isinstance(part, TotalPart) for part in self.parts.values())

    @property
    def reads(self) -> int:
        """How many rows are read: one more than are shown, where somebody asks whether there are more."""
        name = "hasPreviousPage" if self.range.backward else "hasNextPage"
        return self.range.size + 1 if name in self.info else self.range.size

    @property
    def wants_far_side(self) -> bool:
        """Whether somebody asks for rows on the side that the page comes from, and there can be any."""
        page = self.range
        name, start = ("hasNextPage", page.before) if page.backward else ("hasPreviousPage", page.after)
        return name in self.info and (start is not None or page.offset > 0)


# --- roots ---


@dataclass(frozen=True, slots=True, eq=False)
class OneNode:
    """`queue(by:)`."""

    module: Module
    path: tuple[str, ...]
    where: Predicate
    row: RowNode


@dataclass(frozen=True, slots=True, eq=False)
class NodesNode:
    """`node(id:)` or `nodes(ids:)`: the selection of each type that is among the ids."""

    path: tuple[str, ...]
    many: bool
    ids: tuple[GlobalId | None, ...]
    rows: Mapping[str, RowNode]


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRow:
    """The selection of the row that a grouped reference leads to; `group` is the position in the grouping."""

    group: int
    row: RowNode


@dataclass(frozen=True, slots=True, eq=False)
class AggregateNode:
    """`queueAggregate`: `sums` are function and term; a part is a position in them, or the key's fields by response key."""

    module: Module
    path: tuple[str, ...]
    where: tuple[Predicate, ...]
    groups: tuple[GroupValue, ...]
    limit: int
    sums: tuple[tuple[str, Term], ...]
    parts: Mapping[str, CountPart | SumPart | AggregateKey]


@dataclass(frozen=True, slots=True, eq=False)
class CountPart:
    """`count`."""


@dataclass(frozen=True, slots=True, eq=False)
class SumPart:
    """A function over a term, by its position in `sums`."""

    position: int


@dataclass(frozen=True, slots=True, eq=False)
class AggregateKey:
    """`key`: by response key a position in the grouping, a grouped row, or None where it is not grouped by."""

    slots: Mapping[str, int | GroupedRow | None]


RootNode = ListNode | OneNode | NodesNode | AggregateNode
