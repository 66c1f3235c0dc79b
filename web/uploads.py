"""`POST /files`: a file arrives and waits for a mutation that gives it to a row."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response

from identity.access import access_of
from storage.errors import StorageError, Unavailable
from storage.file_claims import Owner, StoredFile
from web.administrators import READER
from web.answers import encode
from web.body import Pace, read_chunks, too_large
from web.edge import note_of
from web.endpoint import Endpoint
from web.errors import Code, Refused, log_failure, unavailable
from web.file_names import clean_name, said_name
from web.live import Live, Transfers
from web.multipart import FormFile
from web.origin import check_origin
from web.sniff import sniff

FORM = "multipart/form-data"
FORM_OVERHEAD_BYTES = 65_536  # of boundaries, headers and other fields beside the file
NOT_KEPT = "The file cannot be kept. Try again."


class Uploads(Endpoint):
    """`/files`, as an ASGI application."""

    def __init__(self, live: Live, transfers: Transfers) -> None:
        self.live = live
        self.transfers = transfers

    async def answer(self, request: Request) -> Response:
        """Take a file."""
        if request.method != "POST":
            raise Refused(405, f"The method {request.method[:20]} is not supported.", headers={"Allow": "POST"})
        check_origin(request.headers, self.live.settings)
        admitted = await self.live.guard.admit(request)
        if access_of(admitted.rights).is_reader:
            raise Refused(403, READER.format(what="files"), Code.FORBIDDEN)
        caller = admitted.principal
        async with self.transfers.uploads:
            try:
                found = await self._store(request, Owner(str(caller.kind), caller.id))
            except Unavailable:
                raise unavailable() from None
            except StorageError as error:
                log_failure("an upload could not be kept", error, note_of(request.scope).request_id)
                raise unavailable(NOT_KEPT) from None
        body = {
            "id": found.id,
            "name": found.name,
            "size": found.size,
            "contentType": found.content_type,
            "sha256": found.sha256,
        }
        return Response(encode(body), 201, {"Cache-Control": "no-store"}, "application/json; charset=utf-8")

    async def _store(self, request: Request, owner: Owner) -> StoredFile:
        settings = self.live.settings
        kind = request.headers.get("content-type", "")
        is_form = kind.partition(";")[0].strip().lower() == FORM
        limit = settings.file_bytes
        pace = Pace(limit + FORM_OVERHEAD_BYTES * is_form, settings.file_seconds, settings.body_rate)
        chunks = read_chunks(request, pace)
        if is_form:
            form = FormFile(kind, chunks)
            said, chunks = await form.open(), _at_most(limit, form.content())
        else:
            said = said_name(request.query_params, request.headers)
        name = clean_name(said)
        return await self.transfers.files.store(chunks, name=name, owner=owner, sniff=lambda head: sniff(head, name))


async def _at_most(limit: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk
