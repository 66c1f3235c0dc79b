"""Rows made for `for_all`: the values at the edges first, then others by chance, the same each time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ITEMS = 100
_LETTERS = "abc xyzÄ€😀<&'\"0\n"


def _day(chance: random.Random) -> str:
    return f"{chance.randint(1990, 2040)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def _clock(chance: random.Random) -> str:
    return f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"


# A type → its values at the edges, and how others are made.
_Made = Callable[[random.Random], Any]
_TYPES: Mapping[str, tuple[Sequence[Any], _Made]] = {
    "bool": ((True, False), lambda chance: chance.random() < 0.5),  # noqa: PLR2004 - a coin
    "int": ((0, 1, -1, 2**31 - 1, -(2**31)), lambda chance: chance.randint(-1_000, 1_000)),
    "float": ((0.0, -0.5, 1e9), lambda chance: round(chance.uniform(-1_000, 1_000), 3)),
    "string": (
        ("", " ", "<b>&\"'", "ä" * 250),
        lambda chance: "".join(chance.choices(_LETTERS, k=chance.randint(0, 30))),
    ),
    "date": (("1970-01-01", "2024-02-29"), _day),
    "datetime": (("1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"), lambda chance: f"{_day(chance)}T{_clock(chance)}Z"),
}


def make_items(wanted: Mapping[str, Any], seed: str) -> list[dict[str, Any]]:
    """Return rows with a value for each name: of a type's name, one of a list, or between min and max."""
    chance = random.Random(seed)  # noqa: S311 - test data
    sources = {name: _source(what) for name, what in wanted.items()}
    edges = itertools.islice(itertools.product(*(some for some, _ in sources.values())), ITEMS // 2)
    items = [dict(zip(sources, values, strict=True)) for values in edges]
    while len(items) < ITEMS:
        items.append({name: make(chance) for name, (_, make) in sources.items()})
    return items


def _source(wanted: Any) -> tuple[Sequence[Any], _Made]:
    if isinstance(wanted, list):
        return wanted, lambda chance: chance.choice(wanted)
    if isinstance(wanted, dict):
        least, most = wanted["min"], wanted["max"]
        return (least, most), lambda chance: chance.randint(least, most)
    return _TYPES[wanted]
