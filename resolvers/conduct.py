"""What rows of a table ask of a write beyond what a module file can say; the desk does so for tickets.

The write path calls a conduct inside the row's own transaction: `prepare` before the row is written, `written` after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol

from identity.principals import Agent, person_of
from resolvers.context import Context
from resolvers.hearing import Hearable, Hearing, Made, deaf
from schema.spec import Module
from storage.transaction import Transaction


class ChangeKind(IntEnum):
    """What happened to a row; the numbers are stored."""

    CREATED = 1
    UPDATED = 2
    DELETED = 3


@dataclass(slots=True)
class Work:
    """One transaction of a write. `now` is its moment, in UTC to the second: every row of it carries the same.

    `hearing` has what the hooks said of its rows, `made` the rows that are new in it, by table and key.
    """

    context: Context
    transaction: Transaction
    now: datetime
    hearing: Hearing = field(default_factory=deaf)
    made: set[tuple[str, tuple[int | str, ...]]] = field(default_factory=set)

    def hear(self, on: str, rows: Iterable[Hearable]) -> None:
        """Let the hooks have their say about rows; see `Hearing.hear`."""
        self.hearing.hear(on, rows, Made(self.made, self.context.snapshot.modules))

    @property
    def actor_id(self) -> int:
        """Return whom audit columns name: agents by their id, everybody else as OTRS's first user, as OTRS does."""
        person = person_of(self.context.caller)
        return person.id if isinstance(person, Agent) and person.id > 0 else 1


@dataclass(slots=True)
class RowChange:
    """One row on its way into its table.

    `before` holds every column of the row as it is stored (empty for a new row); `values` the columns of the module's own
    table that are about to be written, as they are stored. `key` is empty until a new row has one. `extras` are the
    inputs that the conduct itself added to the mutation, as GraphQL coerced them, or what it makes of them. `was` are the
    fields of the row as it was read before; who writes past the writer has none.
    """

    module: Module
    kind: ChangeKind
    key: tuple[int | str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    source: int | None = None  # the newest row of OTRS's own history that was written along
    along: list[RowChange] = field(default_factory=list)  # rows of other modules that the conduct wrote along
    was: Mapping[str, Any] | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)  # what hooks see of it beyond the fields of its module
    removes: bool = False  # whether a row that is set invalid was to be removed

    def after(self, column: str) -> Any:
        """Return what a column holds once the change is written."""
        return self.values[column] if column in self.values else self.before.get(column)

    def changes(self, column: str) -> bool:
        """Answer whether the change gives a column another value."""
        return column in self.values and self.values[column] != self.before.get(column)


class Conduct(Protocol):
    """The rules of one table's rows. Both methods may raise `Faulty`, which rolls the transaction back."""

    async def prepare(self, work: Work, change: RowChange) -> None:
        """Look at a change before it is written: complete `change.values`, or refuse it."""

    async def written(self, work: Work, change: RowChange) -> None:
        """Write what belongs to the row, which is in the table now (or gone from it)."""
