"""`GET /files/<id of a row>/<field>`: the bytes of a row's file, for whoever may read the field, always to be saved."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from identity.rights import Rights
from resolvers.errors import OperationError
from resolvers.files import Download, open_file
from storage.errors import FileGone, StorageError
from web.answers import refusal
from web.body import GRACE_S
from web.connected import while_connected
from web.edge import note_of
from web.errors import NOTHING_HERE, STATUS, Code, Refused, log_failure, unavailable
from web.file_names import clean_name, disposition_of
from web.live import Live, Transfers
from web.origin import FOREIGN, is_own_origin
from web.ranges import is_known, read_range
from web.sniff import ANY_BYTES

METHODS = "GET, HEAD"
# What a browser shows in spite of everything has no scripts and no origin.
HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}", re.ASCII)


class Downloads:
    """`/files/{row}/{field}`, as an ASGI application."""

    def __init__(self, live: Live, transfers: Transfers) -> None:
        self.live = live
        self.transfers = transfers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; when the client goes away, reading stops."""
        request = Request(scope, receive)
        note = note_of(scope)
        try:
            self._check(request)
            caller = await self.live.guard.admit(request)
            async with self.transfers.downloads:
                await self._answer(request, send, caller.rights)
        except Refused as refused:
            note.code = refused.code
            await refusal(refused, note.request_id)(scope, receive, send)

    def _check(self, request: Request) -> None:
        if request.method not in {"GET", "HEAD"}:
            raise Refused(405, f"The method {request.method[:20]} is not supported.", headers={"Allow": METHODS})
        if not is_own_origin(request.headers, self.live.settings):
            raise Refused(403, FOREIGN, Code.FORBIDDEN)

    async def _answer(self, request: Request, send: Send, rights: Rights) -> None:
        note = note_of(request.scope)
        context = self.transfers.begin(self.live.snapshot(), rights, note.request_id)
        row, field = request.path_params["row"], request.path_params["field"]
        try:
            async with open_file(context, self.transfers.files, row, field) as found:
                if found is None:
                    raise Refused(404, NOTHING_HERE)
                await self._send(request, send, found)
        except OperationError as error:
            raise Refused(STATUS[error.code], str(error), error.code) from None
        except FileGone:
            if note.status:  # it has begun: nothing but a broken connection can say that it is not whole
                raise
            raise Refused(404, NOTHING_HERE) from None
        except StorageError as error:
            if note.status:
                raise
            log_failure("a file could not be read", error, note.request_id)
            raise unavailable() from None

    async def _send(self, request: Request, send: Send, found: Download) -> None:
        tag = f'"{found.sha256}"'
        headers = {**HEADERS, "ETag": tag}
        if is_known(request.headers, tag):
            await _start(send, 304, headers)
            await send({"type": "http.response.body", "body": b""})
            return
        part = read_range(request.headers, found.size, tag) if request.method == "GET" else None
        start, stop = part or (0, found.size)
        headers |= {
            "Content-Type": safe_type(found.content_type),
            "Content-Disposition": disposition_of(clean_name(found.name)),
            "Content-Length": str(stop - start),
        }
        if part:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
        parts = found.read(start, stop if request.method == "GET" else start)
        first = await anext(parts, b"")  # what is not there is noticed before anything is said
        await _start(send, 206 if part else 200, headers)
        try:
            await while_connected(request, self._stream(send, first, parts))
        except TimeoutError:  # the connection is closed in the middle
            note_of(request.scope).code = Code.TIMEOUT

    async def _stream(self, send: Send, first: bytes, parts: AsyncIterator[bytes]) -> None:
        body = first
        while True:
            # Sending waits for the client: one that takes nothing must not hold its place for ever.
            async with asyncio.timeout(GRACE_S + len(body) / self.live.settings.body_rate):
                await send({"type": "http.response.body", "body": body, "more_body": bool(body)})
            if not body:
                return
            body = await anext(parts, b"")


def safe_type(said: str) -> str:
    """Return a content type that may stand in a header: its two words, or any bytes."""
    kind = said.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else ANY_BYTES


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
