"""Files of an article, kept in the database as OTRS keeps them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import sqlalchemy as sa

from desk.stamps import audit
from desk.tables import ATTACHMENT
from resolvers.conduct import Work

_NO_NAME = re.compile(r"[\x00-\x1f\x7f/\\]+")
_FILENAME_LIMIT = 250
_CONTENT_TYPE_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file. `disposition` is attachment, or inline for what the message itself shows."""

    filename: str
    content_type: str
    content: bytes
    disposition: str = "attachment"
    content_id: str | None = None
    content_alternative: str | None = None


async def write_attachments(work: Work, article_id: int, attachments: Sequence[Attachment]) -> None:
    """Write files of an article; two of the same name are told apart by a number, as OTRS does."""
    if not attachments:
        return
    encoded = work.transaction.dialect.name == "postgresql"  # its column holds base64, as OTRS has it
    rows = [
        {
            "article_id": article_id,
            "filename": item.filename,
            "content_size": str(len(item.content)),
            "content_type": item.content_type[:_CONTENT_TYPE_LIMIT],
            "content_id": item.content_id,
            "content_alternative": item.content_alternative,
            "disposition": item.disposition,
            "content": base64.encodebytes(item.content).decode("ascii") if encoded else item.content,
            **audit(work),
        }
        for item in _distinct(attachments)
    ]
    await work.transaction.execute(sa.insert(ATTACHMENT), rows)


async def read_attachments(work: Work, article_id: int) -> list[Attachment]:
    """Read the files of an article, also those that an OTRS wrote."""
    columns = ATTACHMENT.c
    rows = await work.transaction.execute(
        sa.select(
            columns.filename,
            columns.content_type,
            columns.content,
            columns.disposition,
            columns.content_id,
            columns.content_alternative,
        )
        .where(columns.article_id == article_id)
        .order_by(columns.id)
    )
    return [
        Attachment(name or "", kind or "application/octet-stream", _bytes(content), place or "attachment", cid, other)
        for name, kind, content, place, cid, other in rows
    ]


def _bytes(stored: bytes | str | None) -> bytes:
    if isinstance(stored, str):
        return base64.b64decode(stored)
    return bytes(stored or b"")


def _distinct(attachments: Sequence[Attachment]) -> list[Attachment]:
    used: set[str] = set()
    named = []
    for item in attachments:
        clean = _NO_NAME.sub("_", item.filename).strip()[-_FILENAME_LIMIT + 5 :] or "file"
        path = PurePath(clean)
        name, number = clean, 0
        while name in used:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        used.add(name)
        named.append(replace(item, filename=name))
    return named
