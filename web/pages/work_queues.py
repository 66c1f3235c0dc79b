"""The queues as a tree (`Parent::Child`), each with how many tickets wait in it: a pure function of what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BETWEEN = "::"
DEEPEST = 6  # steps that are drawn


@dataclass(frozen=True, slots=True)
class Node:
    """A queue in the tree. One that the caller does not see stands there for its children, without numbers."""

    name: str
    depth: int
    is_known: bool
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(BETWEEN)[2]

    @property
    def step(self) -> int:
        """How far it is drawn to the side."""
        return min(self.depth, DEEPEST)


def tree_of(names: Iterable[str], counts: Mapping[str, Mapping[str, int]], *, every: bool) -> Sequence[Node]:
    """Return queues in the order of the tree. `counts` are by column and queue; without `every`, empty ones are left out."""
    known = {*names, *(name for column in counts.values() for name in column)}
    told = {name: {column: found[name] for column, found in counts.items() if found.get(name)} for name in known}
    kept = {name for name in known if every or told[name]}
    shown = {above for name in kept for above in _path(name)}
    return [
        Node(name, name.count(BETWEEN), name in known, told.get(name, {}))
        for name in sorted(shown, key=lambda name: tuple(part.casefold() for part in name.split(BETWEEN)))
    ]


def _path(name: str) -> list[str]:
    parts = name.split(BETWEEN)
    return [BETWEEN.join(parts[:end]) for end in range(1, len(parts) + 1)]
