"""Connections that stay open, without a network: a WebSocket and an event stream that talk to an application."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.web.toy import TOKEN


class Served(Protocol):
    """What has an application."""

    app: Any


class Socket:
    """A WebSocket client that talks to the application without a network; `authorization=""` sends none."""

    def __init__(self, served: Served, protocols: Sequence[str] = ("graphql-transport-ws",), **headers: str) -> None:
        self.to_server: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.from_server: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        given = {"host": "localhost:8000", "authorization": f"Bearer {TOKEN}", **headers}
        self.scope = {
            "type": "websocket", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value or name != "authorization"],
            "scheme": "ws", "subprotocols": list(protocols),
        }  # fmt: skip
        self.to_server.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(served.app(self.scope, self.to_server.get, self.from_server.put))

    async def event(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self.from_server.get(), 30)

    async def send(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        await self.to_server.put({"type": "websocket.receive", "text": text})

    async def next(self) -> Any:
        event = await self.event()
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def closed(self) -> tuple[int, str]:
        while (event := await self.event())["type"] != "websocket.close":
            pass
        return event["code"], event.get("reason", "")

    async def init(self, payload: Any = None) -> "Socket":
        assert (await self.event())["type"] == "websocket.accept"
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.next() == {"type": "connection_ack"}
        return self

    async def subscribe(self, name: str, query: str, **more: Any) -> None:
        await self.send({"id": name, "type": "subscribe", "payload": {"query": query, **more}})


@asynccontextmanager
async def opened(served: Served, *args: Any, **headers: str) -> AsyncIterator[Socket]:
    socket = Socket(served, *args, **headers)
    try:
        yield socket
    finally:
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(socket.task, 30)


class Stream:
    """A client of an event stream, without a network."""

    def __init__(
        self, served: Served, query: str, method: str = "POST", authorization: str = f"Bearer {TOKEN}"
    ) -> None:
        self.events: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.body: list[bytes] = [json.dumps({"query": query}).encode()]
        scope = {
            "type": "http", "method": method, "path": "/graphql", "raw_path": b"/graphql", "root_path": "",
            "query_string": b"", "http_version": "1.1", "scheme": "http",
            "headers": [(b"host", b"localhost"), (b"authorization", authorization.encode()), (b"content-type", b"application/json"), (b"accept", b"text/event-stream")],
        }  # fmt: skip
        self.task = asyncio.create_task(served.app(scope, self._receive, self.events.put))

    async def _receive(self) -> dict[str, Any]:
        if self.body:
            return {"type": "http.request", "body": self.body.pop(), "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def event(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self.events.get(), 30)
