"""What of a computed field by lambda is the same for every page, found out once for a plan."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from resolvers.lambda_memory import Habits, habits_of
from resolvers.lambda_rows import Made, Placed, Row, input_value
from resolvers.nodes import LambdaSlot, Need


class Stored:
    """How the rows of a lambda are told apart by what is stored in them, before anything is written for it."""

    __slots__ = ("_classes", "_get", "how")

    def __init__(self, reads: Sequence[Placed]) -> None:
        if len(reads) == 1:  # what gets several things makes tuples
            reads = (*reads, *reads)
        self.how = tuple(read.how for read in reads)
        self._get = itemgetter(*(read.position for read in reads))
        self._classes = [read.exact for read in reads]

    def keys(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """Return for each row what is stored of what the lambda needs."""
        return list(map(self._get, rows))

    def is_exact(self, key: tuple[Any, ...]) -> bool:
        """Answer whether all that equals a key is the same to the lambda: 1 and 1.0 may be two texts."""
        return all(value.__class__ in classes for value, classes in zip(key, self._classes, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A computed field without rows, reader and moment: its `habits`, None where nothing may be remembered, and what else makes its values.

    `stored` is None where rows can be told apart only when they are written.
    """

    habits: Habits | None
    made_of: Hashable = None
    stored: Stored | None = None


def form_of(slot: LambdaSlot, reads: Sequence[tuple[Need, Placed | Made]]) -> Form:
    """Find out what is the same for every page."""
    code = slot.computed.code
    habits = None if code is None else habits_of(code.source)
    if code is None or habits is None:
        return Form(None)
    args = orjson.dumps({name: input_value(value) for name, value in slot.args.items()})
    shape = tuple((need.inside, need.names) for need, _ in reads)
    exact = [read for _, read in reads if isinstance(read, Placed) and read.exact]
    stored = Stored(exact) if exact and len(exact) == len(reads) else None
    # What a lambda gives is made what its field is of: the same text may be a badge or what stands in a JSON value.
    made_of = slot.module.name, slot.computed.name, slot.computed.kind, code.source, args, shape
    return Form(habits, made_of, stored)
