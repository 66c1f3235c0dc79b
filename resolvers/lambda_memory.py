"""Values of lambdas that depend on nothing but what they were given: the same row has the same value the next time, too.

Whether that is so is read off the source, and in doubt it is not: a name that could lead to a question, to chance or to the engine
makes a lambda one that runs each time. Who names `me` is remembered by the caller, who could look at the clock for its second.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from lambdas.contract import Batch, Job

LIMIT_BYTES = 8_000_000
ROW_LIMIT_BYTES = 2_000  # on average; larger ones are not kept
_ENTRY_BYTES = 300  # of a row with its value, beside their texts
_SOURCES_KEPT = 2_000
_NOTHING: Mapping[Hashable, Any] = {}

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


def recipe_of(job: Job, batch: Batch) -> Hashable | None:
    """Name all that a value is made of but the row; None where there may be more to it."""
    script = batch.script
    habits = habits_of(script.source)
    if habits is None:
        return None
    me = orjson.dumps(job.me) if habits.caller else job.me.get("locale")
    texts = orjson.dumps(job.texts) if job.texts else None
    shape = tuple((tuple(inside), tuple(names)) for inside, names in batch.shape or ())
    return script.name, script.source, orjson.dumps(batch.args), shape, me, texts, job.now_ms if habits.clock else None


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

    def find(self, recipe: Hashable, rows: Sequence[Hashable]) -> dict[Hashable, Any]:
        """Return the values that are known of some rows."""
        young, old = self._young.get(recipe, _NOTHING), self._old.get(recipe, _NOTHING)
        found: dict[Hashable, Any] = {}
        again: list[tuple[Hashable, Any]] = []
        for row in rows:
            if row in young:
                found[row] = young[row]
            elif row in old:
                found[row] = old[row]
                again.append((row, old[row]))
        if again:
            self.keep(recipe, again, 0)
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
