"""What a lambda asks of a server, read and checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from lambdas.http_hosts import USUAL_PORTS, HttpRefused, is_name, read_address

METHODS = ("GET", "POST")
URL_LETTERS = 2_000
BODY_BYTES = 64 * 1024
HEADERS = 20
HEADER_LETTERS = 4_000
_URL = re.compile(r"[!-~]*")
_VALUE = re.compile(r"[ -~\t]*")
_X_HEADER = re.compile(r"x-[a-z0-9-]{1,60}")
# Beside these, headers of applications: `X-…`, but none by which proxies tell where a request came from.
_GIVEN = frozenset(
    {
        "accept", "accept-language", "authorization", "content-type", "idempotency-key", "if-match", "if-modified-since",
        "if-none-match", "prefer", "user-agent",
    }
)  # fmt: skip
_TOLD = frozenset(
    {"content-type", "content-language", "date", "etag", "last-modified", "link", "location", "retry-after"}
)
_NOT_OURS = ("x-forwarded-", "x-real-", "x-original-", "x-http-method", "x-client-", "x-cluster-", "x-remote-")
_AGENT = "Lambdesk"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that may be sent where the operator's list has its server."""

    method: str
    scheme: str
    name: str
    port: int
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def authority(self) -> str:
        """What the header `Host` says."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == USUAL_PORTS[self.scheme] else f"{name}:{self.port}"

    def lines(self) -> list[tuple[str, str]]:
        """Return all headers as they are sent."""
        own = {"user-agent": _AGENT, "accept": "*/*", **self.headers}
        length = [("content-length", str(len(self.body)))] if self.method == "POST" else []
        # Nothing is unpacked here: what is small on the wire could be large afterwards.
        fixed = [("host", self.authority), ("accept-encoding", "identity"), ("connection", "close")]
        return [*fixed, *own.items(), *length]


def read_request(args: Sequence[Any]) -> HttpRequest:
    """Read what a lambda gave to `http.get(url, options)` or `http.post(url, body, options)`: method, url, body, options.

    Raises `HttpRefused`.
    """
    method, url, body, options = (*args, None, None, None, None)[:4]
    if method not in METHODS or (method == "GET" and body is not None):
        raise HttpRefused("http has get, without a body, and post.")
    scheme, name, port, target = _read_url(url)
    headers = _read_headers(options)
    content, kind = _read_body(body)
    if content:
        headers.setdefault("content-type", kind)
    return HttpRequest(method, scheme, name, port, target, headers, content)


def tells(name: str) -> bool:
    """Answer whether a lambda is told a header of an answer: no cookies, nothing about the connection."""
    return name in _TOLD or _X_HEADER.fullmatch(name) is not None


def _read_url(url: Any) -> tuple[str, str, int, str]:
    if not isinstance(url, str) or not url or len(url) > URL_LETTERS or not _URL.fullmatch(url) or "\\" in url:
        raise HttpRefused(
            f"The address must be a text of up to {URL_LETTERS} letters, with everything else percent-encoded."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise HttpRefused("The address cannot be read.") from None
    name = (parts.hostname or "").lower().rstrip(".")
    if parts.scheme not in USUAL_PORTS or port == 0 or not (read_address(name) or is_name(name)):
        raise HttpRefused("The address must begin with https:// (or http://) and the name of a server.")
    if parts.username is not None or parts.password is not None:
        raise HttpRefused("The address must hold no user and no password; use a header, and secret() for its value.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, str(read_address(name) or name), port or USUAL_PORTS[parts.scheme], target


def _read_headers(options: Any) -> dict[str, str]:
    if options is None:
        return {}
    if not isinstance(options, Mapping) or not options.keys() <= {"headers"}:
        raise HttpRefused("The options of http have one key, headers.")
    given = options.get("headers") or {}
    if not isinstance(given, Mapping) or len(given) > HEADERS:
        raise HttpRefused(f"headers must be an object with up to {HEADERS} entries.")
    return dict(_read_header(str(name).lower(), value) for name, value in given.items())


def _read_header(name: str, value: Any) -> tuple[str, str]:
    may = name in _GIVEN or (_X_HEADER.fullmatch(name) is not None and not name.startswith(_NOT_OURS))
    if not may:
        raise HttpRefused(f"A lambda cannot set the header {name[:60]!r}.")
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > HEADER_LETTERS or not _VALUE.fullmatch(text):
        raise HttpRefused(f"The header {name!r} must be a text of up to {HEADER_LETTERS} plain letters on one line.")
    return name, text.strip()


def _read_body(body: Any) -> tuple[bytes, str]:
    """Return the body and its type: a text as it is, everything else as JSON."""
    if body is None:
        return b"", ""
    if isinstance(body, str):
        content, kind = body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    else:
        try:
            content, kind = orjson.dumps(body), "application/json"
        except TypeError:  # half of a surrogate pair, or a number beyond 64 bits
            raise HttpRefused("The body cannot be written as JSON.") from None
    if len(content) > BODY_BYTES:
        raise HttpRefused(f"The body has {len(content)} bytes; {BODY_BYTES} are allowed.")
    return content, kind
