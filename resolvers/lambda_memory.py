"""Values of lambdas that depend on nothing but what they were given: the same row has the same value the next time, too.

Whether that is so is read off the source, and in doubt it is not: a name that could lead to a question, to chance or to the engine
makes a lambda one that runs each time. Who names `me` is remembered by the caller, who could look at the clock for its second.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

import orjson

LIMIT_BYTES = 8_000_000
ROW_LIMIT_BYTES = 2_000  # on average; larger ones are not kept
_ENTRY_BYTES = 300  # of a row with its value, beside their texts
_SOURCES_KEPT = 2_000
UNKNOWN: Any = object()  # in the place of a value that is not remembered; null is a value

# What may give another value the next time, or cannot be seen through: questions, chance, all globals by another name, memory.
_UNSURE = re.compile(
    r"\\u|\b(?:gql|db|http|secret|uuid|random|arguments|this|globalThis|eval|Function|WeakRef|FinalizationRegistry|performance)\b"
    r"|\bMath\b(?!\s*\.\s*[A-Za-z])",
    re.ASCII,
)
_CALLER = re.compile(r"\bme\b", re.ASCII)
_CLOCK = re.compile(r"\b(?:now|Date|Intl|Temporal|ago|businessHours|formatDate)\b|\btoLocale", re.ASCII)


@dataclass(frozen=True, slots=True)
class Habits:
    """What the value of a lambda may depend on beside its row and arguments."""

    caller: bool
    clock: bool


@lru_cache(_SOURCES_KEPT)
def habits_of(source: str) -> Habits | None:
    """Tell what a lambda may look at; None where its value may be another one the next time."""
    if _UNSURE.search(source):
        return None
    return Habits(_CALLER.search(source) is not None, _CLOCK.search(source) is not None)


# What is run at this moment, by recipe and rows: its values once they are there, None where whoever ran it did not get them all.
Flights = dict[Hashable, "asyncio.Future[list[Any] | None]"]


class Memory:
    """Values by recipe and row, up to a weight: what was not asked for while half of it was filled anew is forgotten."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.flights: Flights = {}
        self._half = limit_bytes // 2
        self._weight = 0
        self._young: dict[Hashable, dict[Hashable, Any]] = {}
        self._old: dict[Hashable, dict[Hashable, Any]] = {}

    def find(self, recipe: Hashable, rows: Sequence[Hashable]) -> list[Any]:
        """Return the values of some rows; `UNKNOWN` where there is none."""
        young, old = self._young.get(recipe), self._old.get(recipe)
        found = list(map(young.get, rows, repeat(UNKNOWN))) if young else [UNKNOWN] * len(rows)
        if old and UNKNOWN in found:
            again = {row: old[row] for row, value in zip(rows, found, strict=True) if value is UNKNOWN and row in old}
            if again:
                found = [again.get(row, value) for row, value in zip(rows, found, strict=True)]
                self.keep(recipe, list(again.items()), 0)
        return found

    def keep(self, recipe: Hashable, values: Sequence[tuple[Hashable, Any]], size: int) -> None:
        """Keep the values of rows that are so large together."""
        self._young.setdefault(recipe, {}).update(values)
        self._weight += size + sum(_ENTRY_BYTES + _length(value) for _, value in values)
        if self._weight > self._half:
            self._old, self._young, self._weight = self._young, {}, 0


def _length(value: Any) -> int:
    return (
        len(value)
        if isinstance(value, str)
        else len(orjson.dumps(value, default=str))
        if isinstance(value, dict | list)
        else 0
    )
