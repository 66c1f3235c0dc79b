"""How `note(ticket, text)` of lambdas becomes an article, as a mutation of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.writing import Note

SUBJECT_LETTERS = 100


def write_note(text: str) -> Mapping[str, Any]:
    """Return the input of an article; its subject is the first line."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    subject = line if len(line) <= SUBJECT_LETTERS else f"{line[: SUBJECT_LETTERS - 1]}…"
    return {"article": {"subject": subject, "body": text}}


NOTE = Note("addArticle", "ticket", write_note)
