"""An analysed mutation: what is to be written, and what of it the answer shows, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from identity.access import Right
from resolvers.assignments import Given
from resolvers.cursors import CursorKey
from resolvers.nodes import RowNode, VersionSlot
from resolvers.order import Ordered
from resolvers.predicate import Predicate
from schema.spec import Action, Module
from schema.writes import Deed


@dataclass(frozen=True, slots=True, eq=False)
class RecordPart:
    """A row, by its name in the outcome.

    `record` is the row that was written, `current` the one that stood in the way; any other name is one that a hand-written
    mutation keeps beside.
    """

    row: RowNode
    name: str = "record"


@dataclass(frozen=True, slots=True, eq=False)
class EdgePart:
    """`queueEdge`: by response key the node's selection, or None for the cursor."""

    slots: Mapping[str, RowNode | None]


@dataclass(frozen=True, slots=True, eq=False)
class RowsPart:
    """`rows` of a list that was written: what is shown of each."""

    parts: Mapping[str, RecordPart | PlainPart]


@dataclass(frozen=True, slots=True, eq=False)
class PlainPart:
    """A part that needs no row: `errors`, `affected`, `ids` and the like, by the name of its binding."""

    name: str


Part = RecordPart | EdgePart | RowsPart | PlainPart


@dataclass(frozen=True, slots=True, eq=False)
class PayloadNode:
    """The selection of a payload by response key. Cursors of edges are those of the list without filter and order."""

    module: Module
    parts: Mapping[str, Part]
    order: tuple[Ordered, ...]
    cursors: CursorKey

    @property
    def views(self) -> tuple[RowNode, ...]:
        """Every selection of rows; they share one statement."""
        return tuple(_views(self.parts.values()))

    @property
    def wants_cursors(self) -> bool:
        """Whether any cursor is selected."""
        return any(None in part.slots.values() for part in self.parts.values() if isinstance(part, EdgePart))


def _views(parts: object) -> Iterator[RowNode]:
    for part in parts:  # type: ignore[attr-defined]
        if isinstance(part, RecordPart):
            yield part.row
        elif isinstance(part, EdgePart):
            yield from (row for row in part.slots.values() if row)
        elif isinstance(part, RowsPart):
            yield from _views(part.parts.values())


@dataclass(frozen=True, slots=True, eq=False)
class HandNode:
    """One mutation that is written by hand.

    `given` is its input as GraphQL coerced it; `rows` holds for each input that is a key the module and the predicates of
    the rows that it names. `changed` are the keys whose rows are changed, each with their version as the caller sees it;
    `patches` are what such a row is given, by its key; `creates` the inputs of new rows, with their modules. `right` is what
    the caller must have for the rows that are changed; where it is to view them, the hand itself holds them to its rules.
    """

    module: Module
    name: str
    path: tuple[str, ...]
    payload: PayloadNode
    fingerprint: Callable[[], str]
    given: Mapping[str, Any]
    rows: Mapping[str, tuple[Module, tuple[Predicate, ...]]]
    changed: Mapping[str, VersionSlot] = field(default_factory=dict)
    patches: Mapping[str, Given] = field(default_factory=dict)
    creates: Mapping[str, tuple[Module, Given]] = field(default_factory=dict)
    right: Right = Right.UPDATE
    if_version: str | None = None
    client_mutation_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ActionNode:
    """One action of a module: `where` picks its row, `args` are by the names of the file, as GraphQL coerced them.

    `where` and `version` are those of a change of the row.
    """

    module: Module
    action: Action
    path: tuple[str, ...]
    payload: PayloadNode
    version: VersionSlot
    fingerprint: Callable[[], str]
    where: Predicate
    args: Mapping[str, Any] = field(default_factory=dict)
    if_version: str | None = None
    client_mutation_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DeedNode:
    """One mutation of the operation.

    `where` picks the row or rows, `rows` is what each new one (or the one patch) is given, `named` which fields the client's
    own input names, `fingerprint` what makes two inputs the same.
    """

    module: Module
    deed: Deed
    path: tuple[str, ...]
    payload: PayloadNode
    version: VersionSlot
    fingerprint: Callable[[], str]
    where: tuple[Predicate, ...] = ()
    rows: tuple[Given, ...] = ()
    named: frozenset[str] = frozenset()
    if_version: str | None = None
    skips_failed: bool = False
    most: int = 1
    client_mutation_id: str | None = None


# Whatever a mutation of an operation is.
AnyDeed = ActionNode | DeedNode | HandNode


_RIGHTS: Mapping[Deed, Right] = {
    Deed.CREATE: Right.CREATE,
    Deed.DELETE: Right.DELETE,
    Deed.DELETE_MANY: Right.DELETE,
    Deed.RESTORE: Right.DELETE,  # who may set a row invalid may set it valid again
}


def needed_right(deed: Deed) -> Right:
    """Return the right that a caller needs of the row that a mutation writes."""
    return _RIGHTS.get(deed, Right.UPDATE)
