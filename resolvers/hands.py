"""Mutations that are written by hand: what they are handed, and what they must be. They run like generated ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity.access import Right
from resolvers.assignments import Given
from resolvers.conduct import Work
from resolvers.context import Context
from resolvers.deed_nodes import HandNode
from resolvers.faults import Faulty
from resolvers.hearing import Hearable
from resolvers.hooks import BEFORE_UPDATE
from resolvers.images import Image, Key, read_images
from resolvers.nodes import VersionSlot
from resolvers.outcome import Outcome
from resolvers.predicate import Predicate
from resolvers.statements import Statements
from resolvers.writer import Writer
from schema.spec import Module


@dataclass(frozen=True, slots=True)
class Hands:
    """What one attempt of a hand-written mutation works with, inside its transaction.

    `keys` holds for each input that names rows the keys of those that are there, in the order of the input; None stands
    for a row that is not there, or not for the caller. `images` are the rows that are changed, locked, by the input that
    names them; `patches` what such a row is to be given; `creates` the same for new rows. `writer` writes rows as generated
    mutations do and notes them.
    """

    work: Work
    node: HandNode
    writer: Writer
    keys: Mapping[str, Sequence[Key | None]]
    images: Mapping[str, Image]
    patches: Mapping[str, Given]
    creates: Mapping[str, Given]

    @property
    def given(self) -> Mapping[str, Any]:
        """The input, as GraphQL coerced it."""
        return self.node.given

    def one(self, name: str) -> Key | None:
        """Return the key of the one row that an input names."""
        found = self.keys.get(name, ())
        return found[0] if found else None


class Draft:
    """What is known of a hand-written mutation before its transaction, and what its new rows are given so far."""

    def __init__(self, context: Context, statements: Statements, node: HandNode, creates: Mapping[str, Given]) -> None:
        self.context = context
        self.node = node
        self.creates = creates
        self._statements = statements

    async def fetch(self, statement: Any) -> list[tuple[Any, ...]]:
        """Read rows."""
        return await self.context.database.fetch(statement, deadline=self.context.deadline)

    async def row(self, module: Module, where: Predicate) -> Image | None:
        """Read a row of a module as it is now; others may change it meanwhile."""
        found = await read_images(
            self._statements, module, [where], VersionSlot(()), self.fetch, right=Right.VIEW, columns=True, lock=False
        )
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Hand:
    """Carries out one mutation. Both raise `Faulty` where it cannot be done; then nothing of it stays.

    `do` does it inside the transaction, perhaps again in another one. `draft` completes what new rows are given before
    defaults and hooks, which run before the transaction.
    """

    do: Callable[[Hands], Awaitable[Outcome]]
    draft: Callable[[Draft], Awaitable[None]] | None = None


async def listen(writer: Writer, rows: Sequence[tuple[str, Module, Image]]) -> None:
    """Show the hooks rows that are changed by other means than the writer, and write what they set.

    Each comes with the input that it is told under. Raises `Faulty` with all that they refuse.
    """
    heard = [Hearable(module, image.key, image.fields, Given((name,))) for name, module, image in rows]
    writer.work.hear(BEFORE_UPDATE, heard)
    faults = [fault for row in heard for fault in row.given.faults]
    if faults:
        raise Faulty(*faults)
    for row, (_, module, image) in zip(heard, rows, strict=True):
        if row.given.values:
            await writer.update(module, image, row.given)
