"""Articles as the ticket page shows them: who said what to whom and when, the text cut where it is long, files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.plain_text import plain_text
from web.pages.cells import EMPTY, Reader, Shown, show
from web.pages.ticket_query import content_member
from web.pages.ticket_sight import Part, Sight

BODY_LETTERS = 12_000  # of one article among others, and lines; its own page shows more
BODY_LINES = 120
BODY_LETTERS_ALONE = 2_000_000
HTML_LETTERS = 512 * 1024
SENDERS = frozenset({"agent", "customer", "system"})
_BODY_FILE = re.compile(r"file-[12](\.html)?", re.ASCII)  # by these names OTRS knows the HTML of a message
_HTML = "text/html"
_LINE = 95  # letters, on the widest screens
_HEIGHTS = (6, 16, 30, 50)  # lines, of the sizes of frames
_KB = 1_024


@dataclass(frozen=True, slots=True)
class FileShown:
    """An attachment that can be downloaded."""

    id: str
    name: str
    kind: str
    size: str
    url: str
    length: int | None = None  # in bytes, where the table says it
    content_id: str = ""
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class ArticleShown:
    """An article. `html` is the address of its frame, where the message has HTML; `height` the size that it may need."""

    id: str
    number: str
    sender: str
    sender_kind: str
    channel: str
    visible: bool | None
    when: Shown
    author: Shown
    subject: str
    name: str  # of whoever said it, short
    lines: tuple[tuple[str, str], ...]
    body: str
    is_cut: bool
    html: str
    height: int
    files: tuple[FileShown, ...]
    has_more_files: bool


def articles_of(sight: Sight, nodes: Sequence[Mapping[str, Any]], reader: Reader, base: str) -> list[ArticleShown]:
    """Take a page of articles apart; `base` is the address of the ticket's desk."""
    return [article_of(sight, node, reader, base) for node in nodes]


def article_of(
    sight: Sight, node: Mapping[str, Any], reader: Reader, base: str, *, is_alone: bool = False
) -> ArticleShown:
    """Take an article apart."""
    part = sight.article
    if part is None:
        raise TypeError("a page without articles has none to show")
    content = content_member(sight)
    mime = (node.get(content.name) if content is not None else None) or {}
    said = _values(sight.mime, mime)
    page = (node.get(sight.attachments) if sight.attachments else None) or {"nodes": [], "pageInfo": {}}
    files = [_file(sight, item, reader) for item in page["nodes"]]
    html = body_file(files)
    is_html = is_html_text(said)
    text = said.get("a_body") or ""
    body = plain_text(text[:HTML_LETTERS]) if is_html else text
    shown = body[:BODY_LETTERS_ALONE] if is_alone else _beginning(body)
    sender = _called(part, "article_sender_type_id", node)
    author = _shown(part, "create_by", node, reader)
    seen = part.columns.get("is_visible_for_customer")
    return ArticleShown(
        id=str(node["id"]),
        number=str(node.get("databaseId", "")),
        sender=sender,
        sender_kind=sender if sender in SENDERS else "other",
        channel=_called(part, "communication_channel_id", node),
        visible=bool(node[seen.name]) if seen is not None and node.get(seen.name) is not None else None,
        when=_shown(part, "create_time", node, reader),
        author=author,
        subject=said.get("a_subject") or "",
        name=_short(said.get("a_from") or author.text),
        lines=tuple(
            (reader.texts(f"article-{key}"), said[column])
            for key, column in (("from", "a_from"), ("to", "a_to"), ("cc", "a_cc"))
            if said.get(column)
        ),
        body=shown,
        is_cut=len(shown) < len(body),
        html=f"{base}/articles/{node['id']}/html" if html is not None or is_html else "",
        height=_height(body),
        files=tuple(item for item in files if item is not html and (is_alone or not item.is_inline)),
        has_more_files=bool(page["pageInfo"].get("hasNextPage")),
    )


def is_html_text(said: Mapping[str, Any]) -> bool:
    """Answer whether the text of a message is HTML itself, as old systems kept it."""
    return str(said.get("a_content_type") or "").strip().lower().startswith(_HTML)


def body_file(files: Sequence[FileShown]) -> FileShown | None:
    """Return the file that is the HTML of the message itself."""
    found = (item for item in files if item.kind.lower().startswith(_HTML) and _BODY_FILE.fullmatch(item.name))
    return next(found, None)


def files_of(sight: Sight, node: Mapping[str, Any], reader: Reader) -> list[FileShown]:
    """Return all files of an article, its HTML and its pictures too."""
    page = (node.get(sight.attachments) if sight.attachments else None) or {"nodes": []}
    return [_file(sight, item, reader) for item in page["nodes"]]


def _file(sight: Sight, node: Mapping[str, Any], reader: Reader) -> FileShown:
    said = _values(sight.attachment, node)
    file = said.get("content") or {}
    size = file.get("size") if isinstance(file, Mapping) else None
    content_id = str(said.get("content_id") or "").strip().strip("<>")
    disposition = str(said.get("disposition") or "").lower()
    return FileShown(
        str(node["id"]),
        str(file.get("name") or said.get("filename") or "") or reader.texts("file-unnamed"),
        str(said.get("content_type") or file.get("contentType") or ""),
        size_text(int(size), reader) if size is not None else "",
        str(file.get("url") or ""),
        int(size) if size is not None else None,
        content_id,
        bool(content_id) and disposition.startswith("inline"),
    )


def size_text(size: int, reader: Reader) -> str:
    """Write a number of bytes as people read it."""
    if size < _KB:
        return f"{size} B"
    for unit in ("kB", "MB", "GB"):
        size_in_unit = size / _KB
        size = int(size_in_unit)
        if size_in_unit < _KB or unit == "GB":
            text = f"{size_in_unit:.1f}" if size_in_unit < 10 else f"{size_in_unit:.0f}"  # noqa: PLR2004 - two digits
            return f"{text.replace('.', ',') if reader.texts.language == 'de' else text} {unit}"
    return ""


def _values(part: Part | None, node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row by their columns."""
    if part is None:
        return {}
    return {column: node[item.name] for column, item in part.columns.items() if item.name in node}


def _called(part: Part, column: str, node: Mapping[str, Any]) -> str:
    """Return what the row is called that a column refers to."""
    item = part.columns.get(column)
    value = node.get(item.name) if item is not None else None
    if item is None or value is None:
        return ""
    return str(value.get(item.called) or value.get(item.shown) or "") if item.target is not None else str(value)


def _shown(part: Part, column: str, node: Mapping[str, Any], reader: Reader) -> Shown:
    item = part.columns.get(column)
    return show(node.get(item.name), item, reader) if item is not None else EMPTY


def _beginning(text: str) -> str:
    """Return as much of a text as stands among others."""
    lines = text[:BODY_LETTERS].split("\n", BODY_LINES)
    return "\n".join(lines[:BODY_LINES])


def _short(sender: str) -> str:
    """Return the name before a mail address."""
    name = sender.partition("<")[0].strip().strip('"').strip()
    return name or sender


def _height(text: str) -> int:
    lines = sum(1 + len(line) // _LINE for line in text[:20_000].split("\n"))
    return sum(lines > limit for limit in _HEIGHTS)
