"""HTTP on the wire: uvicorn's protocol with limits for headers and connections, and a server that ends with code 0."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, ClassVar

from httptools import HttpParserInvalidMethodError
from uvicorn import Config, Server
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

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

# What a header may not hold, so that nobody begins a line of his own; upper case is for uvicorn to turn into lower.
_NO_NAME = re.compile(rb"[^!#$%&'*+.^_`|~0-9a-z-]")
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SAME = frozenset(
    (
        *(name.lower().encode() for name in SECURITY_HEADERS),
        b"cache-control",
        b"content-type",
        b"vary",
        b"x-lambdesk-schema",
    )
)  # whose lines are kept
LINES_KEPT = 200
_FRAMING = frozenset((b"connection", b"transfer-encoding"))
_NO_BODY = frozenset((204, 304))
_ONE_WRITE = 65_536  # bytes: a longer body is not copied behind its head

_access = logging.getLogger("lambdesk.access")


class QuickCycle(RequestResponseCycle):
    """uvicorn's cycle of a request and its answer. An answer that says how long it is goes out at once, head and body together.

    The lines of headers that are the same for all answers are written once.
    """

    _head: bytes | None = None
    _lines: ClassVar[dict[tuple[bytes, bytes], bytes]] = {}

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and self._is_plain():
            head = self._write_head(message["status"], message.get("headers", ()))
            if head is not None:
                self.response_started, self.waiting_for_100_continue = True, False
                self._head = head
                return
        elif self._head is not None and message["type"] == "http.response.body":
            head, self._head = self._head, None
            if self.disconnected:
                return
            if not message.get("more_body", False):
                self._finish(head, message.get("body", b""))
                return
            self.transport.write(head)
        await super().send(message)

    def _is_plain(self) -> bool:
        return (
            self.keep_alive
            and not self.response_started
            and not self.disconnected
            and not self.flow.write_paused
            and self.scope["method"] != "HEAD"
        )

    def _write_head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """Write the head of an answer that says how long it is; None for all others, which are uvicorn's own business."""
        if status in _NO_BODY:
            return None
        lines, length = [STATUS_LINE[status]], None
        for header in (*self.default_headers, *headers):
            line = self._lines.get(header)
            if line is None:
                name, value = header
                if name in _FRAMING or _NO_NAME.search(name) or _NO_VALUE.search(value):
                    return None
                line = b"%b: %b\r\n" % (name, value)
                if name == b"content-length":
                    length = int(value)
                elif name in _SAME:
                    if len(self._lines) >= LINES_KEPT:
                        self._lines.clear()
                    self._lines[header] = line
            lines.append(line)
        if length is None:
            return None
        self.expected_content_length, self.chunked_encoding = length, False
        lines.append(b"\r\n")
        return b"".join(lines)

    def _finish(self, head: bytes, body: bytes) -> None:
        if len(body) != self.expected_content_length:
            raise RuntimeError("The answer is not as long as it says.")
        if len(body) <= _ONE_WRITE:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
        self.expected_content_length = 0
        self.response_complete = True
        self.message_event.set()
        self.on_response()


class CarefulProtocol(HttpToolsProtocol):
    """Closes connections whose headers come too slowly or are too large, and those above the limit."""

    connection_limit = 1_000
    header_seconds = 10.0
    header_timer: asyncio.TimerHandle | None = None
    header_bytes = 0
    awaits_headers = False
    line = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take a connection, or say at once that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connection_limit:
            self.refuse(BUSY)
            return
        self._await_headers()
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
            self._await_headers()
        self.header_bytes += len(data)
        self.line = data
        super().data_received(data)
        if self.awaits_headers:
            # Only now: headers mostly come at once, and need no clock.
            self._expect_headers()
            if self.header_bytes > MAX_HEADER_BYTES:
                self.refuse(LARGE)

    def on_message_begin(self) -> None:
        """Wait for the headers of one more request."""
        self._await_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock and go on."""
        self._headers_came()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            # uvicorn makes it itself, and its task has not begun yet.
            self.cycle.__class__ = QuickCycle

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

    def _await_headers(self) -> None:
        if not self.awaits_headers:
            self.awaits_headers = True
            self.header_bytes = 0

    def _expect_headers(self) -> None:
        if self.header_timer is None and not self.transport.is_closing():
            self.header_timer = self.loop.call_later(self.header_seconds, self.refuse, SLOW)

    def _headers_came(self) -> None:
        self.awaits_headers = False
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
