"""Operations as an event stream: the distinct-connections mode of GraphQL over SSE."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from identity.errors import NotSignedIn
from web.answers import EVENTS, encode
from web.edge import Note
from web.errors import Code, format_message, unavailable
from web.live import Call, Live
from web.recognition import Caller
from web.stream import stream

KEEP_ALIVE_S = 12.0
NEXT = b"event: next\ndata: %b\n\n"
END = b"event: complete\ndata:\n\n"
HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
TOO_MANY = "Too many subscriptions are open. Try again later."


def tell_errors(errors: Sequence[Mapping[str, Any]]) -> Response:
    """Answer an operation that could not start as the protocol asks: a stream, for EventSource shows no other answer."""
    return Response(NEXT % encode({"errors": errors}) + END, 200, HEADERS, EVENTS)


class EventStream(Response):
    """Sends `next` events with results, then `complete`; a comment now and then keeps proxies from hanging up."""

    def __init__(self, live: Live, call: Call, note: Note, headers: Mapping[str, str]) -> None:
        check_place(live)
        super().__init__(None, 200, {**HEADERS, **headers}, EVENTS)
        del self.headers["content-length"]
        self.live = live
        self.call = call
        self.note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of an ASGI application
        """Stream until the operation ends, the client goes away, or its caller does not count any more."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if await hold(self.live, self.call.caller, receive, self._write(send)):
            self.note.code = Code.UNAUTHENTICATED
            told = format_message(str(NotSignedIn()), Code.UNAUTHENTICATED, self.call.request_id)
            await send({"type": "http.response.body", "body": NEXT % encode({"errors": [told]}), "more_body": True})
        await send({"type": "http.response.body", "body": END, "more_body": False})

    async def _write(self, send: Send) -> None:
        async with (
            contextlib.aclosing(stream(self.live, self.call, self.note)) as results,
            contextlib.aclosing(with_pauses(results)) as chunks,  # is closed first: it is waiting for the other
        ):
            async for chunk in chunks:
                data = b":\n\n" if chunk is None else NEXT % chunk
                await send({"type": "http.response.body", "body": data, "more_body": True})


async def hold(live: Live, caller: Caller, receive: Receive, writing: Coroutine[Any, Any, None]) -> bool:
    """Write until that ends, the client goes away, the server stops or the caller does not count any more; answer whether that was it."""
    live.sockets += 1
    tasks: tuple[asyncio.Future[Any], ...] = ()
    try:
        watch: asyncio.Future[None] = asyncio.ensure_future(live.guard.watch(caller))
        tasks = (
            asyncio.ensure_future(writing),
            watch,
            asyncio.ensure_future(_left(receive)),
            asyncio.ensure_future(live.stopping.wait()),
        )
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        is_signed_out = watch.done()
        for task in tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except NotSignedIn:
                is_signed_out = True
        return is_signed_out
    finally:
        for task in tasks:
            task.cancel()
        live.sockets -= 1


def check_place(live: Live) -> None:
    """Check that one more stream may be opened. Raises `Refused` (503)."""
    if live.sockets >= live.settings.sockets:
        raise unavailable(TOO_MANY)


async def with_pauses(results: AsyncIterator[bytes]) -> AsyncGenerator[bytes | None]:
    """Yield results, and None whenever there was none for a while."""
    waiting: asyncio.Future[bytes] = asyncio.ensure_future(anext(results))
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=KEEP_ALIVE_S)
            if not done:
                yield None
                continue
            try:
                result = waiting.result()
            except StopAsyncIteration:
                return
            waiting = asyncio.ensure_future(anext(results))
            yield result
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await waiting


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
