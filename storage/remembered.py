"""What was made of a value lately, looked up by Python itself: without a call where it is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
Thing = TypeVar("Thing")


class Remembered(dict[Value, Thing]):
    """What `make` makes of values, for so many of them; a full table begins anew. A None is made each time."""

    def __init__(self, make: Callable[[Value], Thing], most: int) -> None:
        super().__init__()
        self._make = make
        self._most = most

    def __missing__(self, value: Value) -> Thing:
        """Make it, and keep it."""
        found = self._make(value)
        if found is not None:
            if len(self) >= self._most:
                self.clear()
            self[value] = found
        return found
