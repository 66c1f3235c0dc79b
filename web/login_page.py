"""`/login` and `/logout`: a browser gets a session and loses it. Plain pages that need no script."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from identity.errors import NotSignedIn, SignInRefused, Throttled
from identity.principals import Kind
from storage.errors import StorageError
from web.body import Pace, read_chunks
from web.cookies import FORM, PAGE
from web.edge import note_of
from web.endpoint import Endpoint
from web.errors import Code, Refused, log_failure, unavailable
from web.identities import Identities
from web.live import Live
from web.origin import check_own_page
from web.pages.look import read_look
from web.pages.rendering import render
from web.pages.replies import make_nonce, reply, see
from web.pages.safe_next import safe_next
from web.pages.texts import Texts
from web.recognition import address_of, client_of

FORM_TYPE = "application/x-www-form-urlencoded"
BODY_BYTES = 16_384
FIELDS = ("login", "password", "kind", "next", "csrf")
CLEARED = '"cache", "storage"'
MAX_LETTERS = 300


class LoginPage(Endpoint):
    """`/login` as an ASGI application: GET shows the form, POST signs in and goes on to `next`."""

    def __init__(self, live: Live, identities: Identities) -> None:
        self._live = live
        self._identities = identities

    async def answer(self, request: Request) -> Response:
        """Show the form, or take it."""
        return await self._show(request) if request.method in {"GET", "HEAD"} else await self._take(request)

    async def _show(self, request: Request) -> Response:
        target = safe_next(request.query_params.get("next", ""))
        if await self._live.guard.admit_browser(request) is not None:
            return see(target)
        return self._form(request, target)

    async def _take(self, request: Request) -> Response:
        if request.method != "POST":
            raise Refused(405, "Sign in with POST.", headers={"Allow": "GET, HEAD, POST"})
        check_own_page(request.headers, self._live.settings)
        given = await _read_form(request, self._live)
        target, login = safe_next(given.get("next", "")), given.get("login", "")
        mark = FORM.read(request.headers, self._live.settings)
        try:
            self._live.guard.check_form(request.headers, mark or "", given.get("csrf", "") if mark else "")
        except Refused:
            return self._form(request, target, login, problem=self._texts(request)("stale-form"), status=403)
        if given.get("kind") not in {str(Kind.AGENT), str(Kind.CUSTOMER)}:
            raise Refused(400, "The form has no such choice.")
        self._live.snapshot()  # 503 until everything is ready
        try:
            return await self._enter(request, Kind(given["kind"]), login, given.get("password", ""), target)
        except SignInRefused as error:
            note_of(request.scope).code = Code.UNAUTHENTICATED
            return self._form(request, target, login, problem=str(error), status=401)
        except Throttled as error:
            note_of(request.scope).code = Code.RATE_LIMITED
            response = self._form(request, target, login, problem=str(error), status=429)
            response.headers["Retry-After"] = str(error.retry_after_s)
            return response
        except StorageError as error:
            log_failure("a sign-in failed inside", error, note_of(request.scope).request_id)
            raise unavailable() from None

    async def _enter(self, request: Request, kind: Kind, login: str, password: str, target: str) -> Response:
        settings, sessions = self._live.settings, self._identities.sessions
        address = address_of(request)
        standing = await self._identities.sign_in.check(kind, login, password, address)
        secret = await sessions.start_page(standing, address=address, client=client_of(request))
        old = PAGE.read(request.headers, settings)
        if old is not None:  # whoever signs in anew leaves what was there, and nothing that was planted counts
            with suppress(NotSignedIn):
                session_id, _ = await sessions.check_page(old)
                await sessions.end(session_id)
        note_of(request.scope).caller = f"{kind}:{standing.person.id}"
        response = see(target)
        response.headers.append("Set-Cookie", PAGE.write(secret, settings))
        response.headers.append("Set-Cookie", FORM.clear(settings))
        return response

    def _texts(self, request: Request) -> Texts:
        return Texts(read_look(request, self._live.settings).lang)

    def _form(
        self, request: Request, target: str, login: str = "", *, problem: str = "", status: int = 200
    ) -> Response:
        settings = self._live.settings
        mark = FORM.read(request.headers, settings) or secrets.token_urlsafe(32)
        look = read_look(request, settings)
        values = {
            "problem": problem,
            "login": login[:MAX_LETTERS],
            "next": target,
            "csrf": self._live.guard.form_token(mark),
            "look": look,
            "t": Texts(look.lang),
        }
        response = reply(request, render("login.html", values), make_nonce(), status)
        response.headers.append("Set-Cookie", FORM.write(mark, settings))
        return response


class LogoutPage(Endpoint):
    """`/logout` as an ASGI application: POST ends the session of the browser."""

    def __init__(self, live: Live, identities: Identities) -> None:
        self._live = live
        self._identities = identities

    async def answer(self, request: Request) -> Response:
        """End the session."""
        if request.method != "POST":
            raise Refused(405, "Sign out with POST.", headers={"Allow": "POST"})
        settings = self._live.settings
        check_own_page(request.headers, settings)
        secret = PAGE.read(request.headers, settings)
        given = await _read_form(request, self._live)
        caller = await self._live.guard.admit_browser(request)
        if secret is not None and caller is not None and caller.session_id is not None:
            self._live.guard.check_form(request.headers, secret, given.get("csrf", ""))
            try:
                await self._identities.sessions.end(caller.session_id)
            except StorageError:
                raise unavailable() from None
        response = see("/login")
        response.headers.append("Set-Cookie", PAGE.clear(settings))
        response.headers["Clear-Site-Data"] = CLEARED  # what GraphiQL and the cache keep is nobody's after this
        return response


async def _read_form(request: Request, live: Live) -> Mapping[str, str]:
    """Read the fields of a form. Raises `Refused`."""
    settings = live.settings
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused(415, f"Send the form as {FORM_TYPE}.")
    pace = Pace(min(BODY_BYTES, settings.body_bytes), settings.body_seconds, settings.body_rate)
    body = b"".join([chunk async for chunk in read_chunks(request, pace)])
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=len(FIELDS), errors="strict")
    except ValueError:
        raise Refused(400, "The form is not URL-encoded UTF-8, or has too many fields.") from None
    if any(name not in FIELDS for name, _ in pairs) or len({name for name, _ in pairs}) < len(pairs):
        raise Refused(400, "The form has a field that it should not have, or one twice.")
    return dict(pairs)
