"""Which part of a list is asked for: `first`/`after`, `last`/`before` or `offset`, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.cursors import CursorKey
from resolvers.errors import BadRequest

DEFAULT_SIZE = 25
MAXIMUM_SIZE = 500


@dataclass(frozen=True, slots=True)
class PageRange:
    """`size` rows from the beginning, or `backward` from the end; `after` and `before` are sort values of cursors."""

    size: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    offset: int = 0


def read_page(
    args: Mapping[str, Any], given: Collection[str], cursors: CursorKey, order_length: int, path: str
) -> PageRange:
    """Read a list's arguments. `given` names those that the client wrote, as `first` has a default."""
    first = args.get("first") if "first" in given else None
    last = args.get("last")
    after, before, offset = args.get("after"), args.get("before"), args.get("offset")
    for name, value in (("first", first), ("last", last)):
        _check_size(value, f"{path}.{name}")
    if first is not None and last is not None:
        raise BadRequest(f"{path}: use first or last, not both.")
    if offset is not None and not (after is None and before is None and last is None):
        raise BadRequest(f"{path}.offset: not together with a cursor or last.")
    if offset is not None and offset < 0:
        raise BadRequest(f"{path}.offset: must not be negative.")
    size = last if last is not None else first
    return PageRange(
        size=DEFAULT_SIZE if size is None else size,
        backward=last is not None,
        after=None if after is None else tuple(cursors.read(after, order_length, f"{path}.after")),
        before=None if before is None else tuple(cursors.read(before, order_length, f"{path}.before")),
        offset=offset or 0,
    )


def check_limit(value: int | None, default: int, path: str) -> int:
    """Check a plain `first`."""
    _check_size(value, path)
    return default if value is None else value


def _check_size(value: int | None, path: str) -> None:
    if value is not None and not 0 <= value <= MAXIMUM_SIZE:
        raise BadRequest(f"{path}: must be between 0 and {MAXIMUM_SIZE}; found {value}.")
