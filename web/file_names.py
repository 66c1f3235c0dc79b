"""Names of files: what is left of a name that a client says, and how a name goes out in a header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, unquote

NAME_LIMIT = 250
UNNAMED = "unnamed"
_SEPARATORS = re.compile(r"[/\\]")
# Controls, halves of surrogate pairs, line and paragraph separators; and what turns the direction of a text, so that
# `gpj.exe` may look like a picture.
_REMOVED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_EXTENSION_LIMIT = 20
_DANGEROUS_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\%]')
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r';\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))', re.IGNORECASE)


def clean_name(text: str) -> str:
    """Make a name of at most 250 letters without folders, controls and letters that turn the direction."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(letter for letter in text if letter not in _TURNING and unicodedata.category(letter) not in _REMOVED)
    text = _SEPARATORS.split(text.rstrip("/\\ "))[-1].strip()
    if len(text) > NAME_LIMIT:
        stem, dot, extension = text.rpartition(".")
        end = dot + extension if stem and len(extension) <= _EXTENSION_LIMIT else ""
        text = text[: NAME_LIMIT - len(end)] + end
    return text if text.strip(". ") else UNNAMED


def said_name(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the name that a request says for its body: `?name=`, or a Content-Disposition with `filename*` or `filename`."""
    if "name" in query:
        return query["name"]
    disposition = headers.get("content-disposition", "")
    found = _EXTENDED.search(disposition)
    if found:
        return unquote(found[1], errors="replace")
    found = _PLAIN.search(disposition)
    if found is None:
        return ""
    text = found[2] or re.sub(r"\\(.)", r"\1", found[1] or "")
    return text.encode("latin-1", "replace").decode("utf-8", "replace")  # headers are bytes; clients write UTF-8


def disposition_of(name: str) -> str:
    """Write the header that makes every browser save the file under this name and never show it (RFC 6266)."""
    plain = _DANGEROUS_IN_QUOTES.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
