"""An event stream of a page in the test's own process: httpx would wait for its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.web.real import Desk


class Stream:
    """What a browser hears."""

    def __init__(self) -> None:
        self.status = 0
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.has_ended = asyncio.Event()
        self.left = asyncio.Event()

    async def send(self, message: Any) -> None:
        """Take what the application sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        for text in message["body"].decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(":"))
            if lines:
                self.events.put_nowait((lines["event"], json.loads(lines["data"])))
        if not message.get("more_body"):
            self.has_ended.set()

    async def receive(self) -> Any:
        """Stay connected."""
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def event(self, seconds: float = 5) -> tuple[str, Any]:
        """Wait for the next event."""
        async with asyncio.timeout(seconds):
            return await self.events.get()

    async def silence(self, seconds: float) -> None:
        """Check that nothing is said for a while."""
        await asyncio.sleep(seconds)
        assert self.events.empty(), self.events.get_nowait()


@asynccontextmanager
async def listening(desk: Desk, client: httpx.AsyncClient, *watches: str, age: int = 0) -> AsyncIterator[Stream]:
    """Open the stream that a browser would open for these watches."""
    stream = Stream()
    query = urlencode([*(("w", watch) for watch in watches), ("age", age)])
    cookies = client.headers.get("cookie") or "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    scope = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": "GET",
        "scheme": "http",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost:8000"), (b"cookie", cookies.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8000),
        "state": {},
        "extensions": {},
    }
    running = asyncio.create_task(desk.app(scope, stream.receive, stream.send))
    try:
        yield stream
    finally:
        stream.left.set()
        await running
