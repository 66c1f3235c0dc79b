"""What was read a moment ago, so that a busy client does not cost a statement a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

REMEMBER_S = 1.0  # and so long at most may something that was taken away still count
ENTRIES = 10_000

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class Memory(Generic[Name, Value]):
    """Answers, for at most `REMEMBER_S` from the moment at which their question was put. `monotonic` never goes back."""

    def __init__(self, monotonic: Callable[[], float], entries: int = ENTRIES) -> None:
        self._monotonic = monotonic
        self._entries = entries
        self._known: dict[Name, tuple[float, Value]] = {}
        self._forgotten = 0  # counts, so that an answer that was under way when something changed is not kept

    async def get(self, name: Name, ask: Callable[[], Awaitable[Value]]) -> Value:
        """Return the answer that is known, or ask."""
        now = self._monotonic()
        known = self._known.get(name)
        if known is not None and now < known[0]:
            return known[1]
        forgotten = self._forgotten
        answer = await ask()
        if forgotten == self._forgotten:
            self._known.pop(name, None)  # the newest stand last
            if len(self._known) >= self._entries:
                del self._known[next(iter(self._known))]
            self._known[name] = (now + REMEMBER_S, answer)
        return answer

    def forget(self, name: Name) -> None:
        """Ask anew next time."""
        self._forgotten += 1
        self._known.pop(name, None)

    def forget_all(self) -> None:
        """Ask anew about everything."""
        self._forgotten += 1
        self._known.clear()
