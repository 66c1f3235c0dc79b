"""Answers with pages: never kept by a browser, compressed, with a policy that lets only our own scripts run."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store"}  # pages hold rows, and the token of a session's forms
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PACKED_BYTES = 1_000  # below it compressing costs more than it saves
PACK_LEVEL = 5
HTMX = "hx-request"


def make_nonce() -> str:
    """Make the nonce of one answer: its scripts, and what htmx may act on, bear it."""
    return secrets.token_urlsafe(16)


def reply(
    request: Request, text: str, nonce: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with HTML. That it is compressed gives no secret away: the token of forms is another one on each page."""
    body = text.encode()
    given = {
        "Content-Security-Policy": POLICY.format(nonce=nonce),
        "Vary": "Accept-Encoding, Cookie, HX-Request",
        **NO_STORE,
    }
    if len(body) > PACKED_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, PACK_LEVEL, mtime=0)
        given["Content-Encoding"] = "gzip"
    return Response(body, status, {**given, **(headers or {})}, "text/html; charset=utf-8")


def see(path: str, request: Request | None = None) -> Response:
    """Send a browser to another page of ours; `path` begins with `/`. htmx is told in its own way: it would swap the page in."""
    if request is not None and request.headers.get(HTMX) == "true":
        return Response(status_code=200, headers={"HX-Redirect": path, **NO_STORE})
    return Response(status_code=303, headers={"Location": path, **NO_STORE})
