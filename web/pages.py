"""The pages that need no data: the front page and GraphiQL, for browsers that are signed in, and the files below `/static`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from web.answers import refusal
from web.edge import note_of
from web.errors import Refused
from web.live import Live

ROOM = Path(__file__).parent
FRESH = {"Cache-Control": "no-cache"}
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
NO_STORE = {"Cache-Control": "no-store"}  # they hold the token of a session's forms


class Page:
    """A page for whoever is signed in, as an ASGI application; everybody else is sent to `/login`."""

    def __init__(self, live: Live, template: str) -> None:
        self._live = live
        self._template = template

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            refused = Refused(405, "Pages are fetched with GET.", headers={"Allow": "GET, HEAD"})
            return refusal(refused, note_of(request.scope).request_id)
        try:
            caller = await self._live.guard.admit_browser(request)
        except Refused as refused:
            return refusal(refused, note_of(request.scope).request_id)
        if caller is None:
            return see(f"/login?next={quote(request.url.path)}")
        values = {"csrf": self._live.guard.form_token(caller.secret), "login": caller.principal.login}
        return page(self._template, values)


def page(template: str, values: Mapping[str, str], status: int = 200) -> Response:
    """Fill a template; every value is a text, and stays one."""
    text = _PLACE.sub(lambda place: escape(values[place[1]]), (ROOM / "templates" / template).read_text("utf-8"))
    return Response(text, status, NO_STORE, "text/html; charset=utf-8")


def see(path: str) -> Response:
    """Send a browser to another page of ours; `path` begins with `/`."""
    return Response(status_code=303, headers={"Location": path, **NO_STORE})


class StaticFolder(StaticFiles):
    """The files below `/static`. A browser keeps them, and asks each time whether they changed."""

    def __init__(self) -> None:
        super().__init__(directory=ROOM / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; its ETag makes the next answer short."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FRESH["Cache-Control"]
        return response
