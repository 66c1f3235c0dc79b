"""HTTP on the wire: uvicorn's protocol with limits for headers and connections, and a server that ends with code 0."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 65_536
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class CarefulProtocol(HttpToolsProtocol):
    """Closes connections whose headers come too slowly or are too large, and those above the limit."""

    connection_limit = 1_000
    header_seconds = 10.0
    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take a connection, or say at once that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connection_limit:
            self.refuse(BUSY)
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection was refused or the headers grow without end."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            # Also for what is no request at all: empty lines, or the rest of a body that nobody wanted.
            self._expect_headers()
        self.header_bytes += len(data)
        super().data_received(data)
        if self.header_timer is not None and self.header_bytes > MAX_HEADER_BYTES:
            self.refuse(LARGE)

    def on_message_begin(self) -> None:
        """Start the clock for the headers of one more request."""
        self._expect_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock and go on."""
        self._headers_came()
        super().on_headers_complete()

    def refuse(self, answer: bytes) -> None:
        """Answer without looking at the request, and hang up."""
        self._headers_came()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _expect_headers(self) -> None:
        if self.header_timer is None:
            self.header_bytes = 0
            self.header_timer = self.loop.call_later(self.header_seconds, self.refuse, SLOW)

    def _headers_came(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None


def make_protocol(connections: int, header_seconds: float) -> type[CarefulProtocol]:
    """Return the protocol class with one server's limits: uvicorn makes an object of it for every connection."""

    class LimitedProtocol(CarefulProtocol):
        """The protocol with its limits."""

        connection_limit = connections

    LimitedProtocol.header_seconds = header_seconds
    return LimitedProtocol


class CalmServer(Server):
    """Stops on SIGTERM and SIGINT, and leaves the exit code to its caller."""

    def __init__(self, config: Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals for as long as the server runs; uvicorn would raise them again in the end."""
        old: dict[int, Any] = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:  # noqa: ARG002 - the shape of a signal handler
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        asyncio.get_running_loop().call_soon_threadsafe(self._stopping)
