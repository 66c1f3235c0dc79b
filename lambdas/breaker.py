"""Lambdas that were stopped several times in a row rest for a while, so that they do not take the workers from the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

KILLS = 3
WINDOW_S = 60
REST_S = 30
REST_CEILING_S = 600
TRY_S = 10  # how long others wait for the one that tries


@dataclass(slots=True)
class Record:
    """What is remembered of one lambda that was stopped."""

    kills: list[float] = field(default_factory=list)
    rest_s: float = 0
    until: float = 0
    is_tried: bool = False  # it rested, and runs once to show what it does now


@dataclass(slots=True)
class Breaker:
    """Per lambda: closed, open for a while, then one try. Each time it opens again, the rest is twice as long."""

    clock: Callable[[], float] = time.monotonic
    _records: dict[str, Record] = field(default_factory=dict)

    def is_open(self, name: str) -> bool:
        """Answer whether a lambda rests. Where its rest is over, the first who asks may try it."""
        record = self._records.get(name)
        if record is None or not record.rest_s:
            return False
        now = self.clock()
        if record.until > now:
            return True
        record.is_tried, record.until = True, now + TRY_S
        return False

    def killed(self, name: str) -> None:
        """Take note that a lambda was stopped."""
        record = self._records.setdefault(name, Record())
        now = self.clock()
        record.kills = [*(then for then in record.kills if now - then < WINDOW_S), now]
        if len(record.kills) >= KILLS or record.is_tried:
            record.rest_s = min(record.rest_s * 2 or REST_S, REST_CEILING_S)
            record.until = now + record.rest_s
            record.is_tried = False
            record.kills.clear()

    def went_well(self, name: str) -> None:
        """Forget what was, once a lambda that rested does its work again."""
        record = self._records.get(name)
        if record is not None and record.is_tried:
            del self._records[name]

    def reset(self, names: Iterable[str]) -> None:
        """Forget lambdas that were written anew."""
        for name in names:
            self._records.pop(name, None)

    def state(self, name: str) -> str:
        """Return `closed`, `open` or `trying`."""
        record = self._records.get(name)
        if record is None or not record.rest_s:
            return "closed"
        return "trying" if record.is_tried else "open"
