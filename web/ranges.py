"""Which part of a file a request asks for, and whether it has the file already (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from web.errors import Refused

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


def is_known(headers: Mapping[str, str], tag: str) -> bool:
    """Answer whether the client has this version, as `If-None-Match` says."""
    said = [part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(",")]
    return tag in said or said == ["*"]


def read_range(headers: Mapping[str, str], size: int, tag: str) -> tuple[int, int] | None:
    """Return start and end (exclusive) of the one range asked for; None for the whole file.

    Several ranges, and what cannot be read, mean the whole, as servers may. Raises `Refused` (416) for a range outside.
    """
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", tag) != tag:
        return None
    first, last = found[1], found[2]
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    elif last:
        start, stop = max(size - int(last), 0), size
    else:
        return None
    if start >= stop:
        raise Refused(416, f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
    return start, stop
