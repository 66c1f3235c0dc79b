"""Selections that are the same whatever the variables are: analysed once for all requests with the same document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from graphql import FieldNode

from resolvers.context import Context
from resolvers.gate import Gate, Touch
from resolvers.selection import Selected, Selections
from resolvers.templates import Kept, kept_with

SELECTIONS_KEPT = 1_000

Thing = TypeVar("Thing")


class Analyst(Protocol):
    """What is asked of the analysis of an operation."""

    context: Context
    selections: Selections
    gate: Gate


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found for a selection, and what it touched; None where it must be looked at each time.

    The nodes of the document are kept with it: they are what it is found by.
    """

    nodes: tuple[FieldNode, ...]
    found: Any | None
    touched: tuple[Touch, ...] = ()


def once(
    analyst: Analyst,
    what: str,
    selected: Selected,
    make: Callable[[], Thing],
    keep: Callable[[Thing], Thing | None],
) -> Thing:
    """Return what `make` makes of a selection, perhaps of an earlier request of a caller with the same rights.

    All of it has passed the gate then as now.

    `keep` returns it as it may be handed to everybody, or None if it is one caller's or one request's.
    """
    context, gate = analyst.context, analyst.gate
    kept: Kept[_Known] = kept_with(context.snapshot.memo, "selections", SELECTIONS_KEPT)
    key = (what, context.rights.shape, *map(id, selected.nodes))
    known = kept.get(key)
    if known is not None and known.found is not None:
        gate.again(known.touched)
        found: Thing = known.found
        return found
    start = len(gate.touched)
    found = make()
    if known is None:
        shared = keep(found) if analyst.selections.is_fixed(selected) else None
        kept.put(key, _Known(selected.nodes, shared, tuple(gate.touched[start:])))
        return found if shared is None else shared
    return found
