"""Patterns of module files are RE2: a backtracking engine can take seconds for one value and cannot be interrupted."""

from __future__ import annotations

from functools import lru_cache

PATTERN_LIMIT_CHARACTERS = 1000


@lru_cache(maxsize=4096)
def pattern_error(pattern: str) -> str | None:
    """Return why RE2 does not take a pattern, or None."""
    if len(pattern) > PATTERN_LIMIT_CHARACTERS:
        return f"it has {len(pattern)} characters; {PATTERN_LIMIT_CHARACTERS} are allowed"
    import re2  # noqa: PLC0415 - loaded when a pattern is used: memory

    options = re2.Options()
    options.log_errors = False  # RE2 writes to standard error otherwise
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return None
