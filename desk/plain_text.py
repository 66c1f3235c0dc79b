"""The text of an HTML message, as people without a browser read it: OTRS keeps it beside the HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SILENT = frozenset({"head", "script", "style", "title"})
_BREAKS = frozenset(
    {"br", "div", "li", "p", "tr", "table", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "h4", "hr"}
)
_SPACES = re.compile(r"[ \t\r\n\f]+")


class _Reader(HTMLParser):
    """Collects text. What is inside of scripts and styles is none."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's protocol
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.pieces.append("\n")
        if tag == "li":
            self.pieces.append("- ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(_SPACES.sub(" ", data))


def plain_text(html: str) -> str:
    """Return what an HTML text says: paragraphs become lines, lists have dashes, at most one line stays empty."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
