"""OTRS's text templates: their placeholders (`<OTRS_TICKET_Title>`) are put in place of, once, and nothing in them is ever carried out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from desk.plain_text import plain_text

FILLED_LIMIT = 200_000  # letters
UNKNOWN = "-"  # what OTRS writes for a placeholder that stands for nothing
# Placeholders about parts of a text: so many of its lines, as a quotation, and so many of its letters.
QUOTED = ("_BODY", "_EMAIL")
SHORTENED = ("_SUBJECT",)
_USUAL_LINES, _USUAL_LETTERS = 30, 200
_MOST = 9_999
_TAG = re.compile(r"<OTRS_([A-Za-z][A-Za-z0-9_]{0,120})(?:\[(\d{1,4})\])?>", re.IGNORECASE)
_DROPPED = "CONFIG_"  # settings of the server are nobody's business


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of a template's placeholders. `values` are by names in capitals, without `OTRS_`.

    What stands in a value is never taken for a placeholder: the text is gone through once.
    """

    def one(found: re.Match[str]) -> str:
        name = found[1].upper()
        if name.startswith(_DROPPED):
            return ""
        value = values.get(name)
        if value is None:
            return UNKNOWN
        wanted = min(int(found[2]), _MOST) if found[2] else 0
        if name.endswith(QUOTED):
            return quote(value, wanted or _USUAL_LINES)
        if name.endswith(SHORTENED):
            return shorten(value, wanted or _USUAL_LETTERS)
        return value

    return _TAG.sub(one, text[:FILLED_LIMIT])[:FILLED_LIMIT]


def template_text(stored: str, content_type: str | None) -> str:
    """Return a template as plain text, with its placeholders: of an HTML one what it says."""
    text = stored.replace("\r\n", "\n")
    if not (content_type or "").strip().lower().startswith("text/html"):
        return text
    return plain_text(_TAG.sub(lambda found: f"&lt;{found[0][1:-1]}&gt;", text))


def quote(text: str, lines: int) -> str:
    """Return the first lines of a text as mails quote them."""
    return "\n".join(f"> {line}".rstrip() for line in text.replace("\r\n", "\n").split("\n")[:lines])


def shorten(text: str, letters: int) -> str:
    """Return the first letters of a text, and a mark where there were more."""
    return text if len(text) <= letters else f"{text[:letters]} [...]"
