"""The HTML of a mail in a frame of its own: no scripts, no origin, no address of another server unless its reader asks for pictures."""

from __future__ import annotations

import asyncio
import codecs
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from resolvers.errors import OperationError
from resolvers.files import open_file
from storage.errors import FileGone, StorageError
from web.edge import note_of
from web.errors import NOTHING_HERE, STATUS, Code, Refused, unavailable
from web.pages.list_page import reader_of
from web.pages.mail_html import Cleaned, clean_mail, content_ids
from web.pages.replies import reply
from web.pages.ticket_articles import HTML_LETTERS, FileShown, body_file, files_of, is_html_text
from web.pages.ticket_query import article_selection, content_member
from web.pages.ticket_sight import Sight, sight_of
from web.pages.visit import Visit

IMAGES = "images"
SANDBOX = (
    "allow-popups allow-popups-to-escape-sandbox"  # links lead out of the frame, and what they open is no prisoner
)
POLICY = (
    "default-src 'none'; img-src data:{remote}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)
REMOTE = " https: http:"
HTML_BYTES = 4 * HTML_LETTERS
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
IMAGE_BYTES = 2_000_000  # of one picture that the mail brought along
IMAGES_BYTES = 4_000_000  # of all of them
IMAGES_MOST = 20
# Encodings that mails come in; others are read as UTF-8, with marks where they are not.
_CHARSETS = re.compile(
    r"utf-?8|utf-16|us-ascii|ascii|iso-8859-\d{1,2}|iso8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|"
    r"shift_jis|euc-jp|euc-kr|iso-2022-jp",
    re.ASCII | re.IGNORECASE,
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)


async def show_frame(visit: Visit) -> Response:
    """Show the HTML of an article; with `?images=1` pictures of other servers too."""
    sight = sight_of(visit)
    node = await read_article(visit, sight)
    files = files_of(sight, node, reader_of(visit))
    text = await _source(visit, sight, node, files)
    if text is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    shows_remote = visit.request.query_params.get(IMAGES) == "1"
    inline = await _pictures(visit, sight, files, content_ids(text))
    # Cleaning takes a moment for a large mail; others are answered meanwhile.
    cleaned: Cleaned | None = await asyncio.to_thread(clean_mail, text, inline, shows_remote=shows_remote)
    page = visit.draw(
        "ticket/frame.html",
        html=Markup(cleaned.html if cleaned else ""),  # noqa: S704 - cleaned, and in a frame that runs nothing
        is_large=cleaned is None,
        held=0 if shows_remote or cleaned is None else cleaned.remote,
    )
    headers = {
        "Content-Security-Policy": POLICY.format(remote=REMOTE if shows_remote else ""),
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
    }
    return reply(visit.request, page, "", 200, headers)


async def read_article(visit: Visit, sight: Sight, article: str = "") -> Mapping[str, Any]:
    """Ask for an article, or the one that the address names, if it is one of this ticket. Raises `Refused` (404)."""
    if sight.article is None:
        raise Refused(404, NOTHING_HERE)
    ticket = sight.article.columns.get("ticket_id")
    own = f"{ticket.name} {{ id }}" if ticket is not None and ticket.target is not None else ""
    document = (
        f"query TicketArticle($id: ID!) {{ article: {sight.article.view.module.one_root}(by: {{id: $id}}) "
        f"{{ {article_selection(sight)} {own} }} }}"
    )
    node: Mapping[str, Any] | None = (
        await visit.ask(document, {"id": article or str(visit.request.path_params["article"])})
    ).data["article"]
    of = node.get(ticket.name) if node is not None and ticket is not None else None
    if node is None or (own and (of is None or of["id"] != visit.request.path_params["row"])):
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return node


async def _source(visit: Visit, sight: Sight, node: Mapping[str, Any], files: Sequence[FileShown]) -> str | None:
    """Return the HTML as it came: of the file that OTRS keeps it in, or the text itself where that is HTML."""
    found = body_file(files)
    if found is not None:
        data = await read_bytes(visit, sight, found, HTML_BYTES)
        return None if data is None else data.decode(charset_of(found.kind), "replace")
    content = content_member(sight)
    mime = (node.get(content.name) if content is not None else None) or {}
    said = {column: mime.get(item.name) for column, item in (sight.mime.columns if sight.mime else {}).items()}
    return said.get("a_body") or "" if is_html_text(said) else None


async def _pictures(visit: Visit, sight: Sight, files: Sequence[FileShown], wanted: set[str]) -> dict[str, str]:
    """Return the pictures that a mail brought along as addresses that hold them: its frame has no right to fetch any."""
    found: dict[str, str] = {}
    room = IMAGES_BYTES
    fitting = [item for item in files if item.content_id in wanted and _type(item) in IMAGE_TYPES]
    for item in fitting[:IMAGES_MOST]:
        data = await read_bytes(visit, sight, item, min(room, IMAGE_BYTES))
        if data is not None:
            room -= len(data)
            found[item.content_id] = f"data:{_type(item)};base64,{b64encode(data).decode()}"
    return found


async def read_bytes(visit: Visit, sight: Sight, file: FileShown, limit: int) -> bytes | None:
    """Read a file by the rules of `/files`, as the caller; None where he cannot, or where it is larger than the limit."""
    transfers = visit.live.transfers
    column = sight.attachment.columns.get("content") if sight.attachment else None
    if transfers is None or column is None or (file.length is not None and file.length > limit):
        return None
    context = transfers.begin(visit.snapshot, visit.caller.rights, note_of(visit.request.scope).request_id)
    try:
        async with transfers.downloads, open_file(context, transfers.files, file.id, column.name) as found:
            if found is None or found.size > limit:
                return None
            return b"".join([part async for part in found.read(0, found.size)])
    except OperationError as error:
        raise Refused(STATUS[error.code], str(error), error.code) from None
    except FileGone:
        return None
    except StorageError:
        raise unavailable() from None


def charset_of(content_type: str) -> str:
    """Return the encoding that a content type names, if mails come in it."""
    found = _CHARSET.search(content_type)
    if found is None or not _CHARSETS.fullmatch(found[1]):
        return "utf-8"
    try:
        return codecs.lookup(found[1]).name
    except LookupError:
        return "utf-8"


def _type(item: FileShown) -> str:
    return item.kind.partition(";")[0].strip().lower()
