"""Many rows of several lambdas, cut into jobs of which each may cross the wall."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lambdas.limits import ROWS_LIMIT

ROWS_SHARE = 0.75  # of a job's input; the rest is for the caller, arguments and names


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows for one lambda, by its number."""

    number: int
    rows: Sequence[Any]


def cut(inputs: Sequence[Sequence[Any]], input_bytes: int, sizes: Sequence[int] | None = None) -> list[list[Piece]]:
    """Cut the rows of each lambda, one after the other. A row that is too large alone has a job of its own, to be refused.

    `sizes` say how many bytes the rows of each have, where that is known.
    """
    room = int(input_bytes * ROWS_SHARE)
    if sum(map(len, inputs)) <= ROWS_LIMIT and sum(map(weigh, inputs) if sizes is None else sizes) <= room:
        whole = [Piece(number, rows) for number, rows in enumerate(inputs) if rows]
        return [whole] if whole else []
    return [[Piece(number, part)] for number, rows in enumerate(inputs) for part in _parts(rows, room)]


def _parts(rows: Sequence[Any], room: int) -> list[list[Any]]:
    parts: list[list[Any]] = []
    weight = 0
    for row in rows:
        size = weigh(row)
        if not parts or len(parts[-1]) == ROWS_LIMIT or weight + size > room:
            parts.append([])
            weight = 0
        parts[-1].append(row)
        weight += size
    return parts


def weigh(value: Any) -> int:
    """Return how many bytes a value takes as JSON."""
    try:
        return len(orjson.dumps(value))
    except TypeError:  # numbers beyond 64 bits in stored JSON
        return len(json.dumps(value))
