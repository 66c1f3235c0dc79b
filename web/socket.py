"""Operations over a WebSocket, by the graphql-transport-ws protocol; the older `graphql-ws` is refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from identity.errors import NotSignedIn
from web.answers import encode
from web.edge import Note, note_of
from web.errors import Code, Refused, format_exception, format_message
from web.live import Live
from web.operation import Asked, NotStarted, prepare, read_asked
from web.origin import is_own_origin
from web.recognition import Caller
from web.stream import stream
from web.strict import NotStrict, loads

PROTOCOL = "graphql-transport-ws"
MAX_ID = 255
GONE = 1006
INVALID = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403  # clients connect again after it, with a new token if they have one
TRY_AGAIN_LATER = 1013
INIT_TIMEOUT = 4408
DUPLICATE = 4409
TOO_MANY_INITS = 4429
TOO_MANY = "More than {} operations run on this socket."


class Closed(Exception):
    """The client broke the protocol; the socket is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class GraphQLSocket:
    """`/graphql` over WebSocket, as an ASGI application."""

    def __init__(self, live: Live) -> None:
        self.live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the upgrade, or talk until one side goes."""
        socket = WebSocket(scope, receive, send)
        if not self._may_come(socket):
            await socket.close(1008)  # before accept: the answer is a plain 403
            return
        self.live.sockets += 1
        try:
            await socket.accept(PROTOCOL)
            await Conversation(self.live, socket, note_of(scope)).hold()
        finally:
            self.live.sockets -= 1

    def _may_come(self, socket: WebSocket) -> bool:
        offered = socket.scope.get("subprotocols", [])
        return (
            PROTOCOL in offered
            and self.live.sockets < self.live.settings.sockets
            and not self.live.stopping.is_set()
            and is_own_origin(socket.headers, self.live.settings)
        )


class Conversation:
    """One socket: waits for `connection_init`, then runs operations side by side, each under the client's own id.

    Its caller is looked at again before every operation and event, and now and then; when he does not count any more,
    the socket is closed.
    """

    def __init__(self, live: Live, socket: WebSocket, note: Note) -> None:
        self.live = live
        self.socket = socket
        self.note = note
        self.caller: Caller | None = None  # from the answer to `connection_init` on
        self.was_initialised = False
        self.signed_out = asyncio.Event()
        self.watching: asyncio.Task[None] | None = None
        self.running: dict[str, asyncio.Task[None]] = {}
        self.answers: Mapping[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "connection_init": self._init,
            "ping": self._ping,
            "pong": self._nothing,
            "subscribe": self._subscribe,
            "complete": self._complete,
        }

    async def hold(self) -> None:
        """Talk until one side goes; then stop everything that runs for it."""
        try:
            async with asyncio.timeout(self.live.settings.socket_init_seconds):
                while not self.was_initialised:
                    await self._answer(await self._receive())
            while True:
                await self._answer(await self._receive_signed_in())
        except TimeoutError:
            await self._close(INIT_TIMEOUT, "Connection initialisation timeout")
        except Closed as closed:
            await self._close(closed.code, closed.reason)
        except WebSocketDisconnect:
            pass
        finally:
            await self._stop_all()

    async def _receive_signed_in(self) -> dict[str, Any]:
        """Receive the next message, unless the caller does not count any more."""
        receiving = asyncio.ensure_future(self._receive())
        leaving = asyncio.ensure_future(self.signed_out.wait())
        try:
            await asyncio.wait((receiving, leaving), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                raise Closed(FORBIDDEN, "Forbidden")
            return receiving.result()
        finally:
            for task in (receiving, leaving):
                if not task.done():
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    async def _receive(self) -> dict[str, Any]:
        text = await self.socket.receive()
        if text["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(text.get("code", 1005))
        data = text.get("text")
        if data is None:
            raise Closed(INVALID, "Messages must be text")
        if len(data) > self.live.settings.socket_bytes:
            raise Closed(INVALID, "The message is too long")
        try:
            message = loads(data.encode(errors="surrogatepass"))
        except NotStrict as error:
            raise Closed(INVALID, f"The message {error}") from None
        if not isinstance(message, dict):
            raise Closed(INVALID, "Messages must be JSON objects")
        return message

    async def _answer(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        answer = self.answers.get(kind) if isinstance(kind, str) else None
        if answer is None:
            raise Closed(INVALID, "Unknown type of message")
        await answer(message)

    async def _init(self, message: dict[str, Any]) -> None:
        if self.was_initialised:
            raise Closed(TOO_MANY_INITS, "Too many initialisation requests")
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise Closed(INVALID, "The payload must be an object")
        self.was_initialised = True
        given = [payload[name] for name in ("authorization", "Authorization") if payload.get(name) is not None]
        try:
            caller = await self.live.guard.admit_socket(self.socket, given[0] if given else None)
        except Refused as refused:
            self.note.code = refused.code
            if refused.code == Code.UNAVAILABLE:
                raise Closed(TRY_AGAIN_LATER, "Try again later") from None
            raise Closed(FORBIDDEN, "Forbidden") from None
        self.watching = asyncio.create_task(self._watch(caller))
        await self._send({"type": "connection_ack"})
        self.caller = caller

    async def _watch(self, caller: Caller) -> None:
        await self.live.guard.watch(caller)
        self.signed_out.set()

    async def _ping(self, message: dict[str, Any]) -> None:  # noqa: ARG002 - every answer gets the message
        await self._send({"type": "pong"})

    async def _nothing(self, message: dict[str, Any]) -> None:
        """Let it be: a pong needs no answer."""

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self.caller is None:
            raise Closed(UNAUTHORIZED, "Unauthorized")
        name, payload = message.get("id"), message.get("payload")
        if not isinstance(name, str) or not 0 < len(name) <= MAX_ID or not isinstance(payload, dict):
            raise Closed(INVALID, "`subscribe` needs an id and a payload")
        if name in self.running:
            raise Closed(DUPLICATE, f"Subscriber for {name[:60]} already exists")
        if len(self.running) >= self.live.settings.subscriptions:
            message_text = TOO_MANY.format(self.live.settings.subscriptions)
            await self._send_errors(name, [format_message(message_text, Code.RATE_LIMITED, self.note.request_id)])
            return
        self.running[name] = asyncio.create_task(self._run(name, payload, self.caller))

    async def _complete(self, message: dict[str, Any]) -> None:
        name = message.get("id")
        task = self.running.pop(name, None) if isinstance(name, str) else None
        if task is not None:
            task.cancel()

    async def _run(self, name: str, payload: dict[str, Any], first: Caller) -> None:
        note = Note(self.note.request_id)
        try:
            asked: Asked = read_asked(payload, self.live.settings)
            caller = await self.live.guard.again(first)
            call = prepare(self.live, asked, note, caller)
            async with aclosing(stream(self.live, call, note)) as results:
                async for result in results:
                    await self._send_raw(b'{"id":%b,"type":"next","payload":%b}' % (encode(name), result))
            self._forget(name)
            await self._send({"id": name, "type": "complete"})
        except NotSignedIn:
            self._forget(name)
            self.signed_out.set()
        except NotStarted as error:
            self._forget(name)
            await self._send_errors(name, error.errors)
        except Refused as refused:
            self._forget(name)
            await self._send_errors(name, [format_message(refused.message, refused.code, note.request_id)])
        except WebSocketDisconnect:
            self._forget(name)  # the socket closed while this was sending
        except Exception as error:  # noqa: BLE001 - one operation must not end the others
            self._forget(name)
            told = format_exception(error, note.request_id)
            with contextlib.suppress(WebSocketDisconnect):
                await self._send_errors(name, [told])

    def _forget(self, name: str) -> None:
        # The id is free again before the last message: the client may use it at once.
        if self.running.get(name) is asyncio.current_task():
            del self.running[name]

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._send_raw(encode(message))

    async def _send_raw(self, message: bytes) -> None:
        try:
            await self.socket.send_text(message.decode())
        except RuntimeError:  # it is closed; so is said to everyone in one way
            raise WebSocketDisconnect(GONE) from None

    async def _send_errors(self, name: str, errors: list[dict[str, Any]]) -> None:
        await self._send({"id": name, "type": "error", "payload": errors})

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.close(code, reason)

    async def _stop_all(self) -> None:
        tasks = [*self.running.values(), *([self.watching] if self.watching else ())]
        self.running.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
