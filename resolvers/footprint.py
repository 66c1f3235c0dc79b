"""What an operation touches, known before any statement runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from resolvers.deed_nodes import AnyDeed
from resolvers.gate import Touch
from resolvers.nodes import RootNode
from resolvers.past import ChangesNode, HistoryNode

Root = RootNode | HistoryNode | ChangesNode


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """An operation's generated roots and mutations, its footprint, its cost.

    `twins` leads from a root to an earlier one that asks for exactly the same.
    """

    roots: Mapping[str, Root]
    twins: Mapping[str, str]
    touched: tuple[Touch, ...]
    cost: int
    deeds: Mapping[str, AnyDeed] = field(default_factory=dict)
