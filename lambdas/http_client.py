"""Calls to other servers, for lambdas alone: one connection a call, to the very address that was looked at.

Ready-made clients resolve a name when they connect, so that it can lead elsewhere than it did when it was checked; and
they follow redirects, keep cookies and unpack answers. Here is only what a lambda may do, around h11's reading of HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from lambdas.contract import Answer
from lambdas.http_hosts import Host, Hosts, HttpRefused
from lambdas.http_request import HttpRequest, read_request, tells
from lambdas.limits import ANSWER_LIMIT_BYTES

CALL_S = 8.0  # for all of a call: name, connection, answer, and waiting for a place
CONNECT_S = 3.0
AT_ONCE = 8
RESOLVERS = 4
READ_BYTES = 64 * 1024
TOLD_HEADERS = 50
# Other names would be decoders with surprises: some take time that grows with the square of the text.
CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "latin-1"})

# Finds the addresses of a name and port.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class _TooLarge(Exception):
    """More came than may come."""


@dataclass(slots=True)
class HttpAnswer:
    """What a server said."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def value(self) -> dict[str, Any] | None:
        """Return it as the lambda gets it; `json` is null where it is none, and `text` where both would be too much.

        None: it is too large in any case.
        """
        kind = self.headers.get("content-type", "")
        text = self.body.decode(_charset(kind), "replace")
        json = _json(text) if "json" in kind.partition(";")[0].lower() else None
        ok = 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls a success
        whole = {"status": self.status, "ok": ok, "headers": self.headers, "text": text, "json": json}
        if _fits(whole):
            return whole
        short = {**whole, "text": None}
        return short if json is not None and _fits(short) else None


class Resolver:
    """Asks the system for the addresses of names, in threads of its own: they cannot be stopped, and others need theirs."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, name: str, port: int) -> list[str]:
        """Return the addresses of a name."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(RESOLVERS, "resolve")
        ask = partial(socket.getaddrinfo, name, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class HttpClient:
    """Sends what lambdas ask for, to servers of the operator's list only."""

    def __init__(
        self,
        hosts: Hosts,
        *,
        seconds: float = CALL_S,
        find: Resolve | None = None,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.hosts = hosts
        self._seconds = seconds
        self._find = find or Resolver()
        self._trust = trust
        self._secure: ssl.SSLContext | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    async def answer(self, args: Sequence[Any], seconds: float | None = None) -> Answer:
        """Answer one question: what the server said, or why nothing came of it. It takes no longer than `seconds`."""
        limit = self._seconds if seconds is None else min(seconds, self._seconds)
        try:
            request = read_request(args)
            host = self.hosts.find(request.scheme, request.name, request.port)
            async with asyncio.timeout(limit), self._places:
                found = (await self._send(host, request)).value()
            return _too_large(request) if found is None else Answer(found)
        except HttpRefused as error:
            return Answer(error=str(error))
        except _TooLarge:
            return _too_large(request)
        except TimeoutError:
            return Answer(error=f"{request.name} did not answer within {limit:g} seconds.")
        except ssl.SSLError:
            return Answer(error=f"{request.name} has no certificate that is trusted here.")
        except OSError:
            return Answer(error=f"{request.name} cannot be reached.")

    async def _send(self, host: Host, request: HttpRequest) -> HttpAnswer:
        address = self.hosts.pick(host, await self._addresses(request))
        secure = await self._context() if request.scheme == "https" else None
        async with asyncio.timeout(CONNECT_S):
            # By the address, so that nothing is resolved a second time; TLS is held against the name.
            reader, writer = await asyncio.open_connection(
                address, request.port, ssl=secure, server_hostname=request.name if secure else None
            )
        try:
            return await _exchange(reader, writer, request)
        finally:
            writer.transport.abort()  # a farewell of TLS could take as long as the other side likes
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _addresses(self, request: HttpRequest) -> Sequence[str]:
        try:
            return await self._find(request.name, request.port)
        except OSError:
            raise HttpRefused(f"{request.name} is not known.") from None

    async def _context(self) -> ssl.SSLContext:
        """Return whom to trust; reading the certificates takes tens of milliseconds, once."""
        if self._secure is None:
            self._secure = await asyncio.to_thread(self._trust)
        return self._secure


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: HttpRequest) -> HttpAnswer:
    import h11  # noqa: PLC0415 - most servers never call another one

    connection = h11.Connection(h11.CLIENT)
    asked = h11.Request(method=request.method, target=request.target, headers=request.lines())
    parts = (asked, *([h11.Data(data=request.body)] if request.body else []), h11.EndOfMessage())
    writer.write(b"".join(connection.send(part) or b"" for part in parts))
    await writer.drain()
    answer, received = HttpAnswer(), 0
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            raise HttpRefused(f"{request.name} answered with something that is not HTTP.") from None
        if event is h11.NEED_DATA:
            data = await reader.read(READ_BYTES)
            received += len(data)
            if received > ANSWER_LIMIT_BYTES + READ_BYTES:  # beside the body: headers, and what comes before an answer
                raise _TooLarge
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            answer.status = event.status_code
            answer.headers = _headers(event.headers)
        elif isinstance(event, h11.Data):
            answer.body += event.data
            if len(answer.body) > ANSWER_LIMIT_BYTES:
                raise _TooLarge
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return answer


def _headers(given: Any) -> dict[str, str]:
    found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in given]
    return dict([(name, value) for name, value in found if tells(name)][:TOLD_HEADERS])


def _charset(kind: str) -> str:
    _, _, after = kind.lower().partition("charset=")
    named = after.partition(";")[0].strip().strip("\"'")
    return named if named in CHARSETS else "utf-8"


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _fits(value: Mapping[str, Any]) -> bool:
    return len(orjson.dumps(value)) <= ANSWER_LIMIT_BYTES


def _too_large(request: HttpRequest) -> Answer:
    return Answer(error=f"The answer of {request.name} has more than {ANSWER_LIMIT_BYTES} bytes.")
