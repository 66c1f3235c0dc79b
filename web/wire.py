"""HTTP on the wire: uvicorn's protocol with limits for headers and connections, and a server that ends with code 0."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from httptools import HttpParserInvalidMethodError
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.answers import refusal
from web.edge import SECURITY_HEADERS
from web.errors import Refused

MAX_HEADER_BYTES = 65_536
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

NO_HTTP = Refused(400, "This is not HTTP as this server reads it.")
UNKNOWN_METHOD = Refused(405, "This server does not know the method.", headers={"Allow": "GET, POST"})
# A request line that is right but for a method that the parser has not heard of.
_LINE = re.compile(rb"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]{1,50}) [!-~]{1,8000} HTTP/1\.[01]\r?\n")

_access = logging.getLogger("lambdesk.access")


class CarefulProtocol(HttpToolsProtocol):
    """Closes connections whose headers come too slowly or are too large, and those above the limit."""

    connection_limit = 1_000
    header_seconds = 10.0
    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    line = b""

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
        self.line = data
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

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn says the same of everything
        """Answer what the parser could not read, as every other refusal is answered and logged."""
        found = _LINE.match(self.line) if isinstance(sys.exc_info()[1], HttpParserInvalidMethodError) else None
        request_id = secrets.token_hex(8)
        refused = UNKNOWN_METHOD if found else NO_HTTP
        fields = {"request_id": request_id, "status": refused.status, "code": str(refused.code)}
        method = {"method": found["method"][:20].decode("ascii")} if found else {}
        _access.info("request", extra={"fields": {**fields, **method}})
        self.refuse(write_refusal(refused, request_id))

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


def write_refusal(refused: Refused, request_id: str) -> bytes:
    """Write the whole answer to a request that no application sees."""
    answer = refusal(refused, request_id)
    own = {**SECURITY_HEADERS, "X-Request-Id": request_id, "Connection": "close"}
    lines = [
        f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}".encode(),
        *(name + b": " + value for name, value in answer.raw_headers),
        *(f"{name.lower()}: {value}".encode() for name, value in own.items()),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body)


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
