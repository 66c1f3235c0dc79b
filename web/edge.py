"""The outermost layer: every request gets an id, a checked host name, security headers and one log line."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answers import refusal
from web.errors import INTERNAL_MESSAGE, Code, Refused, log_failure
from web.logs import Line, Stopwatch

_access = logging.getLogger("lambdesk.access")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a browser calls the origin of our own forms `null`
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Only where the public address is https: for a year the browser asks in no other way, on this host name alone.
STRICT_TRANSPORT: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_RAW_HEADERS = _raw(SECURITY_HEADERS)
_NAMES = frozenset(name for name, _ in (*_RAW_HEADERS, *_raw(STRICT_TRANSPORT)))
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
HOSTS_KEPT = 100
NOTE = "lambdesk"


@dataclass(slots=True)
class Note:
    """What is known about a request while it runs; the end of it becomes the log line."""

    request_id: str
    status: int = 0
    operation: str | None = None
    caller: str | None = None  # kind and id
    code: str | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)


def note_of(scope: Scope) -> Note:
    """Return the note of the request."""
    note: Note = scope[NOTE]
    return note


class Edge:
    """Wraps the application. Host names that nobody configured are refused before any route is looked for."""

    def __init__(self, app: ASGIApp, host_names: frozenset[str], *, https: bool = False) -> None:
        self.app = app
        self.host_names = host_names
        self._known: set[bytes] = set()  # headers that name one of these, as they were sent
        self._headers = [*_RAW_HEADERS, *(_raw(STRICT_TRANSPORT) if https else ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or WebSocket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        note = scope[NOTE] = Note(os.urandom(8).hex())
        outgoing = _outgoing(note, send, self._headers)
        try:
            if not self._knows(scope):
                await _refuse(Refused(421, "This server does not answer for that host name."), scope, receive, outgoing)
            else:
                await self.app(scope, receive, outgoing)
        except Exception as error:  # noqa: BLE001 - the last net: nothing of it reaches the client, its stack the operator
            log_failure("a request failed inside", error, note.request_id)
            note.code = Code.INTERNAL
            if note.status == 0:
                await _refuse(Refused(500, INTERNAL_MESSAGE, Code.INTERNAL), scope, receive, outgoing)
        finally:
            _write(note, scope)

    def _knows(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        if hosts[0] in self._known:
            return True
        found = _HOST.fullmatch(hosts[0].decode("latin-1"))
        if found is None:
            return False
        name = found["name"].strip("[]").lower()
        if name not in self.host_names:
            return _is_own_address(name, scope)
        if len(self._known) < HOSTS_KEPT:
            self._known.add(hosts[0])
        return True


def _is_own_address(name: str, scope: Scope) -> bool:
    """Tell whether the host is the very address that the connection came to: probes of orchestrators name it so.

    No foreign page can: a name that is bound to this address anew is still a name.
    """
    server = scope.get("server")
    if not server or server[0] != name:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _outgoing(note: Note, send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            note.status = message["status"]
            said = message.get("headers", ())
            given = {name.lower() for name, _ in said}
            added = headers if given.isdisjoint(_NAMES) else [header for header in headers if header[0] not in given]
            message["headers"] = [*said, *added, (b"x-request-id", note.request_id.encode())]
        elif message["type"] == "websocket.accept":
            note.status = 101
        elif message["type"] == "websocket.close" and note.status == 0:
            note.status = 403
        await send(message)

    return send_with_headers


async def _refuse(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    note_of(scope).code = refused.code
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    response: Response = refusal(refused, note_of(scope).request_id)
    await response(scope, receive, send)


def _write(note: Note, scope: Scope) -> None:
    if not _access.isEnabledFor(logging.INFO):
        return
    fields: dict[str, Any] = {
        "request_id": note.request_id,
        "method": scope.get("method", "WS"),
        "path": scope["path"][:200],
        "status": note.status or 499,  # the client went away before there was an answer
        "ms": note.watch.ms,
    }
    if note.caller is not None:
        fields["caller"] = note.caller
    if note.operation is not None:
        fields["operation"] = note.operation
    if note.code is not None:
        fields["code"] = note.code
    _access.handle(Line(_access.name, "request", fields))
