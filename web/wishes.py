"""What a request says about itself in headers: its reader's languages, a mutation's key, whether to explain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from web.errors import Refused

MAX_LANGUAGES = 10
MAX_HEADER = 500
HEADERS_KEPT = 500  # a browser sends the same with every request
_KEY = re.compile(r"[!-~]{1,200}")
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]{1,35})?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


def read_languages(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the languages of `Accept-Language`, the best first; what is no language is passed over."""
    given = headers.get("accept-language")
    return _languages(given[:MAX_HEADER]) if given else ()


@lru_cache(maxsize=HEADERS_KEPT)
def _languages(given: str) -> tuple[str, ...]:
    found: dict[str, float] = {}
    for part in given.split(",")[:MAX_LANGUAGES]:
        match = _LANGUAGE.fullmatch(part)
        weight = float(match[2] or 1) if match else 0.0
        if match and weight > 0:
            found.setdefault(match[1].lower(), weight)
    return tuple(sorted(found, key=lambda language: -found[language]))


def read_explains(headers: Mapping[str, str]) -> bool:
    """Answer whether the answer is to say how it was found: `X-Lambdesk-Explain: 1`. Raises `Refused` (400)."""
    given = headers.get("x-lambdesk-explain", "0")
    if given not in {"0", "1"}:
        raise Refused(400, "The header X-Lambdesk-Explain must be 0 or 1.")
    return given == "1"


def read_idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Return the `Idempotency-Key`, with or without the quotes of its draft standard. Raises `Refused` (400)."""
    given = headers.get("idempotency-key")
    if given is None:
        return None
    key = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not _KEY.fullmatch(key):
        raise Refused(400, "The Idempotency-Key must be 1 to 200 visible characters of ASCII.")
    return key
