"""Parts of pages that are drawn once and stand in many pages: what is a page's own in them is a mark until then."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup, escape

Key = TypeVar("Key")
Thing = TypeVar("Thing")
_SIGN = f"\ue000{secrets.token_hex(8)}"  # which nobody can write into an address, to have a nonce put where he wants it
_MARK = re.compile(f"{_SIGN}([a-z]+){_SIGN}")


def put(kept: dict[Key, Thing], key: Key, thing: Thing, most: int) -> None:
    """Keep something in a table of at most so many; a full one begins anew."""
    if len(kept) >= most:
        kept.clear()
    kept[key] = thing


def mark(name: str) -> str:
    """Return what stands for a value of this name; escaping leaves it as it is."""
    return f"{_SIGN}{name}{_SIGN}"


@dataclass(frozen=True, slots=True)
class Kept:
    """HTML with places for values: texts, and the names of what stands between them in turn."""

    pieces: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many letters are kept."""
        return sum(map(len, self.pieces))

    def fill(self, values: Mapping[str, str]) -> Markup:
        """Put values in their places. They must have been escaped."""
        parts = list(self.pieces)
        parts[1::2] = [values[name] for name in parts[1::2]]
        return Markup("".join(parts))  # noqa: S704 - a template made the texts, and the values are as well


def keep(html: str) -> Kept:
    """Take HTML with marks apart."""
    return Kept(tuple(_MARK.split(html)))


def escaped(values: Mapping[str, str]) -> Mapping[str, str]:
    """Escape values for their places."""
    return {name: str(escape(value)) for name, value in values.items()}
