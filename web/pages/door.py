"""Addresses of pages: the guard before a page function, and what becomes of its refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.edge import note_of
from web.errors import Refused
from web.live import Live
from web.origin import check_own_page
from web.pages.form_body import Form, read_form
from web.pages.look import Look, read_look
from web.pages.rendering import render
from web.pages.replies import HTMX, make_nonce, reply, see
from web.pages.texts import Texts
from web.pages.visit import Visit, sign_in_address
from web.recognition import Caller

Page = Callable[[Visit], Awaitable[Response]]
ReadForm = Callable[[Request, Live, Caller], Awaitable[Form]]
SAFE = frozenset({"GET", "HEAD"})
TOKEN = "csrf"  # noqa: S105 - the name of a field
_TOLD = frozenset({403, 404, 503})


async def read_plain(request: Request, live: Live, caller: Caller) -> Form:
    """Read a form without files, and check that a page of ours sent it. Raises `Refused`."""
    check_own_page(request.headers, live.settings)
    form = await read_form(request, live.settings)
    live.guard.check_form(request.headers, caller.secret, form.one(TOKEN))
    return form


class Door:
    """An address of pages, as an ASGI application: `get` shows, `post` acts. Whoever is unknown is sent to the sign-in."""

    def __init__(
        self, live: Live, get: Page | None = None, post: Page | None = None, read: ReadForm = read_plain
    ) -> None:
        self._live = live
        self._pages = {"GET": get, "HEAD": get, "POST": post}
        self._allowed = ", ".join(method for method, page in self._pages.items() if page)
        self._read = read

    @property
    def shows(self) -> bool:
        """Whether there is something to look at."""
        return self._pages["GET"] is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        look = read_look(request, self._live.settings)
        try:
            response = await self._answer(request, look)
        except Refused as refused:
            note_of(scope).code = refused.code
            response = refuse(request, look, refused)
        await response(scope, receive, send)

    async def _answer(self, request: Request, look: Look) -> Response:
        page = self._pages.get(request.method)
        if page is None:
            raise Refused(405, "This address does not support the method.", headers={"Allow": self._allowed})
        caller = await self._live.guard.admit_browser(request)
        if caller is None:
            return see(sign_in_address(request), request)
        form = Form() if request.method in SAFE else await self._read(request, self._live, caller)
        visit = Visit(self._live, request, caller, self._live.snapshot(), look, form)
        try:
            return await page(visit)
        except Refused as refused:
            note_of(request.scope).code = refused.code
            return refuse(request, look, refused, visit)


def refuse(request: Request, look: Look, refused: Refused, visit: Visit | None = None) -> Response:
    """Answer with a page that says what is wrong; inside the menu, where somebody is signed in."""
    texts = visit.texts if visit else Texts(look.lang)
    nonce = visit.nonce if visit else make_nonce()
    title = texts(f"error-{refused.status}") if refused.status in {*_TOLD, 400, 409} else texts("error-other")
    told = texts(f"told-{refused.status}") if refused.status in _TOLD else refused.message
    values: dict[str, Any] = {
        "title": title,
        "told": told,
        "detail": refused.message if told != refused.message and refused.status == 403 else "",  # noqa: PLR2004 - which right
        "number": note_of(request.scope).request_id,
        "status": refused.status,
    }
    if visit is not None and not visit.is_htmx:
        return visit.page("error.html", refused.status, headers=refused.headers, **values)
    around = {"t": texts, "look": look, "nonce": nonce, **values}
    template, block = ("error.html", "problem") if request.headers.get(HTMX) == "true" else ("error_alone.html", "")
    return reply(request, render(template, around, block), nonce, refused.status, refused.headers)
