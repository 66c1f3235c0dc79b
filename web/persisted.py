"""Documents that a client names by their hash: learnt as they come (Apollo's APQ), or only those that were allowed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from web.errors import Code, Refused

# What clients may make the server remember, together, in characters.
MEMORY_TEXT = 2_000_000
HASH_LENGTH = 64
UNKNOWN = "PersistedQueryNotFound"  # Apollo's clients look for this very word
NOT_ALLOWED = "Only operations that the operator has allowed run here."


class Persisted:
    """Finds the text of a request's document. Modes: `off`, `automatic`, `only`."""

    def __init__(self, mode: str, folder: Path, *, memory_text: int = MEMORY_TEXT) -> None:
        self._mode = mode
        self._memory_text = memory_text
        self._learnt: OrderedDict[str, str] = OrderedDict()
        self._weight = 0
        self._allowed = _read(folder) if mode == "only" else {}

    def text(self, query: str | None, extensions: Mapping[str, Any]) -> str:
        """Return the document's text. Raises `Refused` for an unknown, wrong or forbidden one."""
        digest = _digest(extensions)
        if digest is not None and query is not None and _hash(query) != digest:
            raise Refused(400, "The hash does not belong to the document.")
        if self._mode == "only":
            return self._only(query, digest)
        if query is not None:
            if digest is not None and self._mode == "automatic":
                self._learn(digest, query)
            return query
        if digest is None:
            raise Refused(400, "The parameter `query` is missing.")
        found = self._learnt.get(digest) if self._mode == "automatic" else None
        if found is None:
            raise Refused(200, UNKNOWN, Code.PERSISTED)
        self._learnt.move_to_end(digest)
        return found

    def _only(self, query: str | None, digest: str | None) -> str:
        digest = digest or (_hash(query) if query is not None else "")
        found = self._allowed.get(digest)
        if found is None:
            raise Refused(403, NOT_ALLOWED, Code.FORBIDDEN)
        return found

    def _learn(self, digest: str, query: str) -> None:
        if digest in self._learnt or len(query) > self._memory_text:
            return
        self._learnt[digest] = query
        self._weight += len(query)
        while self._weight > self._memory_text:
            self._weight -= len(self._learnt.popitem(last=False)[1])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _digest(extensions: Mapping[str, Any]) -> str | None:
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    digest = asked.get("sha256Hash") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or asked.get("version") != 1 or not isinstance(digest, str):
        raise Refused(400, "`persistedQuery` needs `version: 1` and a `sha256Hash`.")
    if len(digest) != HASH_LENGTH or not all(char in "0123456789abcdef" for char in digest):
        raise Refused(400, "`sha256Hash` must be 64 hexadecimal digits in lower case.")
    return digest


def _read(folder: Path) -> dict[str, str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.graphql"))]
    # Editors end files with a line feed that clients do not send.
    return {_hash(variant): variant for text in texts for variant in (text, text.strip())}
