"""Mutations that are written by hand: what they are handed, and what they must be. They run like generated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from resolvers.conduct import Work
from resolvers.deed_nodes import HandNode
from resolvers.images import Key
from resolvers.outcome import Outcome
from resolvers.writer import Writer


@dataclass(frozen=True, slots=True)
class Hands:
    """What one attempt of a hand-written mutation works with, inside its transaction.

    `keys` holds for each input that names rows the keys of those that are there, locked, in the order of the input; None
    stands for a row that is not there, or not for the caller. `writer` writes rows as generated mutations do and notes them.
    """

    work: Work
    node: HandNode
    writer: Writer
    keys: Mapping[str, Sequence[Key | None]]

    @property
    def given(self) -> Mapping[str, Any]:
        """The input, as GraphQL coerced it."""
        return self.node.given

    def one(self, name: str) -> Key | None:
        """Return the key of the one row that an input names."""
        found = self.keys.get(name, ())
        return found[0] if found else None


class Hand(Protocol):
    """Carries out one mutation. Raises `Faulty` where it cannot; then nothing of it stays."""

    async def __call__(self, hands: Hands) -> Outcome:
        """Do it and say what became of it. It may be called again in another transaction."""
