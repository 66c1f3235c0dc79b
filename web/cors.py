"""CORS: pages of configured sites may use the API from a browser. Nobody else's may, and no `*` and no `null` ever counts."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answers import refusal
from web.edge import note_of
from web.errors import Code, Refused
from web.origin import FOREIGN

PATHS = ("/graphql", "/auth/", "/files", "/export/", "/schema")
METHODS = "GET, HEAD, POST"
HEADERS = "Accept-Language, Authorization, Content-Disposition, Content-Type, Idempotency-Key, If-None-Match, If-Range, Range, X-File-Name"
EXPOSED = "Content-Disposition, Content-Range, ETag, Retry-After, X-Lambdesk-Schema, X-Request-Id"
MAX_AGE_S = 600


class Cors:
    """Wraps the application: answers preflights, and lets configured sites read the answers."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        is_shared = scope["type"] == "http" and scope["path"].startswith(PATHS)
        if not is_shared or not (self.origins or scope["method"] == "OPTIONS"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        is_known = origin is not None and origin in self.origins
        if scope["method"] == "OPTIONS" and origin is not None and "access-control-request-method" in headers:
            response = self._preflight(scope, is_known=is_known)
            await response(scope, receive, self._allowing(send, origin if is_known else None))
            return
        await self.app(scope, receive, self._allowing(send, origin if is_known else None))

    def _preflight(self, scope: Scope, *, is_known: bool) -> Response:
        if not is_known:
            note_of(scope).code = Code.FORBIDDEN
            return refusal(Refused(403, FOREIGN, Code.FORBIDDEN), note_of(scope).request_id)
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": HEADERS,
                "Access-Control-Max-Age": str(MAX_AGE_S),
            },
        )

    def _allowing(self, send: Send, origin: str | None) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and self.origins:
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers.add_vary_header("Origin")
                if origin is not None:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Credentials"] = "true"
                    headers["Access-Control-Expose-Headers"] = EXPOSED
                message["headers"] = headers.raw
            await send(message)

        return send_with_headers
