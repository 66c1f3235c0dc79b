"""`/auth/login`, `/auth/refresh`, `/auth/logout` and `/auth/sessions`: signing in for clients of the API, in JSON.

A browser's app may keep the refresh token in a cookie that its own scripts cannot read; then every use of it must come
from a page of ours or of a configured site. Nothing is taken from an address, where it would be logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from identity.errors import NotSignedIn, SignInRefused, Throttled
from identity.principals import Kind, Token
from identity.refresh import Refreshed
from storage.errors import StorageError
from web.answers import JSON, encode
from web.body import Pace, read_chunks, read_json
from web.cookies import PAGE, REFRESH
from web.edge import note_of
from web.endpoint import Endpoint
from web.errors import Code, Refused, log_failure, unavailable
from web.identities import Identities
from web.live import Live
from web.origin import check_named_origin, check_origin
from web.recognition import address_of, bearer_of, client_of, unauthenticated

BODY_BYTES = 8_192
NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
NO_LOGOUT = "A token of a machine is revoked, not logged out."
FOR_PEOPLE = "A token of a machine has no sessions."
WRONG = "The parameter `{}` must be {}."

Work = Callable[[Request], Awaitable[Response]]


def make_sign_in(live: Live, identities: Identities) -> list[BaseRoute]:
    """Return the addresses below `/auth`."""
    doors = _Doors(live, identities)
    works: Mapping[str, tuple[str, Work]] = {
        "login": ("POST", doors.log_in),
        "refresh": ("POST", doors.refresh),
        "logout": ("POST", doors.log_out),
        "sessions": ("GET", doors.sessions),
    }
    return [Route(f"/auth/{name}", _Endpoint(live, method, work)) for name, (method, work) in works.items()]


class _Endpoint(Endpoint):
    """One address, as an ASGI application: a method, a check of where it comes from, and refusals as flat JSON."""

    def __init__(self, live: Live, method: str, work: Work) -> None:
        self._live = live
        self._method = method
        self._work = work

    def refuse(self, refused: Refused, request_id: str) -> Response:
        """Write a refusal as programs that are no clients of GraphQL read it."""
        body = {"code": str(refused.code), "message": refused.message, "requestId": request_id}
        return Response(encode(body), refused.status, {**NO_STORE, **refused.headers}, JSON)

    async def answer(self, request: Request) -> Response:
        """Do the work of the address."""
        if request.method != self._method:
            raise Refused(405, f"The method is {self._method}.", headers={"Allow": self._method})
        check_origin(request.headers, self._live.settings)
        if request.scope["query_string"]:
            raise Refused(400, "Parameters stand in the body, never in the address.")
        try:
            return await self._work(request)
        except Throttled as error:
            headers = {"Retry-After": str(error.retry_after_s)}
            raise Refused(429, str(error), Code.RATE_LIMITED, headers) from None
        except SignInRefused as error:
            raise unauthenticated(str(error)) from None
        except NotSignedIn as error:
            raise unauthenticated(str(error)) from None
        except ConnectionError:
            raise unavailable() from None
        except StorageError as error:
            log_failure("a sign-in failed inside", error, note_of(request.scope).request_id)
            raise unavailable() from None


class _Doors:
    """What the addresses do."""

    def __init__(self, live: Live, identities: Identities) -> None:
        self._live = live
        self._identities = identities

    async def log_in(self, request: Request) -> Response:
        """Check login and password; start a session with its first pair of tokens."""
        given = await self._read(request, "login", "password", "kind", "cookie")
        login, password = _text(given, "login"), _text(given, "password")
        kind = _kind(given)
        is_foreign = self._named(request) if _flag(given, "cookie") else None
        self._live.snapshot()  # 503 until everything is ready: before, nobody knows what the database holds
        standing = await self._identities.sign_in.check(kind, login, password, address_of(request))
        made = await self._identities.refresh.start(standing, address=address_of(request), client=client_of(request))
        _note(request, made)
        return self._pair(made, is_foreign)

    async def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair."""
        given = await self._read(request, "refreshToken")
        token, is_foreign = self._refresh_token(request, given)
        if token is None:
            raise unauthenticated()
        made = await self._identities.refresh.refresh(token, address=address_of(request))
        _note(request, made)
        return self._pair(made, is_foreign)

    async def log_out(self, request: Request) -> Response:
        """End the session of a refresh token, of an access token, or of a page."""
        given = await self._read(request, "refreshToken")
        has_bearer = bearer_of(request.headers) is not None
        response = Response(status_code=204, headers=NO_STORE)
        token, is_foreign = self._refresh_token(request, given, cookie=not has_bearer)
        if token is not None:
            await self._identities.refresh.log_out(token)
            if is_foreign is not None:
                response.headers.append("Set-Cookie", REFRESH.clear(self._live.settings, foreign=is_foreign))
            return response
        caller = await self._live.guard.admit(request)
        if caller.session_id is None:
            raise Refused(400, NO_LOGOUT)
        await self._identities.sessions.end(caller.session_id)
        if caller.has_cookie:
            response.headers.append("Set-Cookie", PAGE.clear(self._live.settings))
        return response

    async def sessions(self, request: Request) -> Response:
        """List the caller's own sessions."""
        caller = await self._live.guard.admit(request)
        if isinstance(caller.principal, Token):
            raise Refused(403, FOR_PEOPLE, Code.FORBIDDEN)
        found = await self._identities.sessions.list_of(caller.principal)
        listed = [
            {
                "id": session.id,
                "kind": str(session.kind),
                "createdAt": _moment(session.created),
                "seenAt": _moment(session.seen),
                "expiresAt": _moment(session.expires),
                "address": session.address,
                "client": session.client,
                "isCurrent": session.id == caller.session_id,
            }
            for session in found
        ]
        return Response(encode({"sessions": listed}), 200, NO_STORE, JSON)

    # --- inside ---

    def _named(self, request: Request) -> bool:
        return check_named_origin(request.headers, self._live.settings)

    def _refresh_token(
        self, request: Request, given: Mapping[str, Any], *, cookie: bool = True
    ) -> tuple[str | None, bool | None]:
        """Return the refresh token; and, where it came as a cookie, whether from a page of another site."""
        if "refreshToken" in given:
            return _text(given, "refreshToken"), None
        found = REFRESH.read(request.headers, self._live.settings) if cookie else None
        return (found, self._named(request)) if found is not None else (None, None)

    def _pair(self, made: Refreshed, is_foreign: bool | None) -> Response:
        """Answer with a pair; the refresh token goes into a cookie where it is known from whose page."""
        pair = self._identities.pair(made)
        body: dict[str, Any] = {"accessToken": pair.access_token, "expiresIn": pair.expires_in}
        if is_foreign is None:
            body["refreshToken"] = pair.refresh_token
        response = Response(encode(body), 200, NO_STORE, JSON)
        if is_foreign is not None:
            settings = self._live.settings
            age = int(settings.refresh_idle_seconds)
            cookie = REFRESH.write(pair.refresh_token, settings, max_age=age, foreign=is_foreign)
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _read(self, request: Request, *names: str) -> Mapping[str, Any]:
        """Read the parameters of a request. Raises `Refused`."""
        settings = self._live.settings
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        charset = parameters.partition("charset=")[2].strip(' "').lower()
        if kind.strip().lower() != JSON or charset not in {"", "utf-8"}:
            raise Refused(415, f"Send the request as {JSON} in UTF-8.")
        pace = Pace(min(BODY_BYTES, settings.body_bytes), settings.body_seconds, settings.body_rate)
        data = read_json(b"".join([chunk async for chunk in read_chunks(request, pace)]))
        for name in data:
            if name not in names:
                raise Refused(400, f"The parameter {name[:50]!r} is unknown; there are {', '.join(names)}.")
        return data


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, WRONG.format(name, "a text"))
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Refused(400, WRONG.format(name, "true or false"))
    return value


def _kind(given: Mapping[str, Any]) -> Kind:
    value = given.get("kind", str(Kind.AGENT))
    if not isinstance(value, str) or value not in {str(Kind.AGENT), str(Kind.CUSTOMER)}:
        raise Refused(400, WRONG.format("kind", f"`{Kind.AGENT}` or `{Kind.CUSTOMER}`"))
    return Kind(value)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _note(request: Request, made: Refreshed) -> None:
    note_of(request.scope).caller = f"{made.person.kind}:{made.person.id}"
