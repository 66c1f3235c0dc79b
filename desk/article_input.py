"""An article as the API is given it: the words of the input become a checked article, uploads become its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desk.articles import PLAIN, ArticleKind, NewArticle, check_article
from desk.attachments import Attachment
from desk.customers import as_customers_write
from desk.desk import Desk
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty
from storage.errors import FileGone, UploadRefused
from storage.file_claims import Owner

ATTACHMENTS_LIMIT = 30


async def read_article(desk: Desk, work: Work, data: Mapping[str, Any], *, is_first: bool = False) -> NewArticle:
    """Read an article as GraphQL coerced it and use its uploads up; raises `Faulty` with paths that begin at the input."""
    article = NewArticle(
        subject=data["subject"],
        body=data["body"],
        kind=ArticleKind(data.get("kind") or ArticleKind.NOTE),
        is_visible=bool(data.get("visibleForCustomer")),
        content_type=data.get("contentType") or PLAIN,
        sender=data.get("from"),
        to=data.get("to"),
        cc=data.get("cc"),
        time_units=data.get("timeUnits"),
    )
    article = as_customers_write(work, article, is_first=is_first)
    uploads = data.get("attachments") or ()
    faults = check_article(article)
    if len(uploads) > ATTACHMENTS_LIMIT:
        params = {"limit": ATTACHMENTS_LIMIT, "found": len(uploads)}
        faults.append(Fault(FaultCode.LIMIT, "attachments-limit", ("attachments",), params))
    if faults:
        raise Faulty(*faults)
    return article.with_files(await _take(desk, work, uploads)) if uploads else article


async def _take(desk: Desk, work: Work, uploads: Sequence[str]) -> list[Attachment]:
    caller = work.context.caller
    owner = Owner(str(caller.kind), caller.id)
    files: list[Attachment] = []
    faults: list[Fault] = []
    for number, upload in enumerate(uploads):
        try:
            stored, content = await desk.files.take(work.transaction, upload, owner)
        except (UploadRefused, FileGone):
            faults.append(Fault(FaultCode.NOT_FOUND, "upload-unknown", ("attachments", str(number))))
        else:
            files.append(Attachment(stored.name, stored.content_type, content))
    if faults:
        raise Faulty(*faults)
    return files
