"""`GET /export/<module>.csv`: every row of a list as a file, streamed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from resolvers.csv_cells import write_row
from web.answers import refusal
from web.edge import note_of
from web.errors import STATUS, Refused
from web.export_pages import Broken, read_pages
from web.export_request import Export, read_export
from web.live import Live
from web.origin import check_origin

BYTE_ORDER_MARK = "\ufeff"
_OLD = "An export that breaks off looks whole over HTTP/1.0. Use HTTP/1.1, also between a proxy and this server."

_log = logging.getLogger("lambdesk.export")


class ExportEndpoint:
    """The export as an ASGI application. What fails before the first row is an answer; after it the connection breaks."""

    def __init__(self, live: Live) -> None:
        self.live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        note = note_of(scope)
        try:
            export = await self._read(request)
            note.operation = f"export {export.module.name}"
            pages = read_pages(self.live, export, note.request_id)
            first = await anext(pages)
        except (Broken, Refused) as error:
            refused = error if isinstance(error, Refused) else _as_refusal(error)
            note.code = refused.code
            await refusal(refused, note.request_id)(scope, receive, send)
            return
        async with contextlib.aclosing(pages):
            await self._stream(export, first, pages, request, send)

    async def _read(self, request: Request) -> Export:
        if request.method != "GET":
            raise Refused(405, "Exports are fetched with GET.", headers={"Allow": "GET"})
        if request.scope.get("http_version") == "1.0":
            raise Refused(505, _OLD)
        check_origin(request.headers, self.live.settings)
        return read_export(request, self.live, await self.live.guard.admit(request))

    async def _stream(
        self, export: Export, first: str, pages: AsyncGenerator[str], request: Request, send: Send
    ) -> None:
        """Send page after page. The next is read when the client has taken the last, so that memory stays flat.

        An answer that is left without its end makes the server cut the connection: what is not whole must not look so.
        """
        leaving = asyncio.ensure_future(_left(request.receive))
        stopping = asyncio.ensure_future(self.live.stopping.wait())
        try:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _headers(export)})
            mark = BYTE_ORDER_MARK if export.has_mark else ""
            await _send(send, mark + write_row(export.header) + first)
            async for page in pages:
                if leaving.done() or stopping.done():
                    return
                await _send(send, page)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (Broken, Refused) as error:
            note = note_of(request.scope)
            note.code = error.code
            fields = {"request_id": note.request_id, "module": export.module.name, "code": str(error.code)}
            _log.warning("an export broke off", extra={"fields": fields})
        finally:
            for waiting in (leaving, stopping):
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiting


def _as_refusal(broken: Broken) -> Refused:
    status = STATUS.get(broken.code, 500)
    headers = {"Retry-After": "1"} if status in {429, 503} else {}
    return Refused(status, str(broken), broken.code, headers)


def _headers(export: Export) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"text/csv; charset=utf-8; header=present"),
        (b"content-disposition", f'attachment; filename="{export.module.name}.csv"'.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"x-lambdesk-schema", export.snapshot.version.encode("ascii")),
    ]


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
