"""Who is calling: recognised for every request by a bearer token or by the cookie of a page, or refused with 401."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import field
from secrets import token_hex
from typing import Protocol

from starlette.requests import HTTPConnection, Request

from identity.callers import Called
from identity.errors import NotSignedIn
from identity.keys import mark
from identity.principals import Person, Principal, Token
from identity.rights import Rights
from storage.errors import StorageError
from storage.quick import quick
from web.cookies import PAGE
from web.edge import note_of
from web.errors import Code, Refused, unavailable
from web.origin import check_not_lent, check_own_page
from web.settings import Settings

CSRF_HEADER = "X-CSRF-Token"
NO_FORM_TOKEN = f"The header {CSRF_HEADER} is missing or does not belong to this session. Load the page anew."
GET_BY_COOKIE = "Send it with POST: GET is not answered by the cookie of a page."
WATCH_S = 10.0  # a connection on which nothing happens is looked at so often; before every event it is anyway
CLIENT_LETTERS = 250
SALT_LETTERS = 16  # of a form's token
_SAFE = frozenset({"GET", "HEAD"})


class Recognises(Protocol):
    """What `identity.callers.Callers` does."""

    async def by_bearer(self, token: str) -> Called:
        """Recognise what stands behind `Bearer`."""

    async def by_cookie(self, secret: str) -> Called:
        """Recognise a browser."""

    async def again(self, called: Called, secret: str) -> Called:
        """Recognise anew who is still connected."""


class ReadsRights(Protocol):
    """What `identity.rights.RightsReader` does."""

    async def of(self, principal: Principal) -> Rights:
        """Return what somebody may do now."""


@quick
class Caller:
    """Who is calling, with which session, what they may do, and from where."""

    called: Called
    rights: Rights
    has_cookie: bool
    address: str
    client: str
    secret: str = field(repr=False)

    @property
    def principal(self) -> Person | Token:
        """Who is calling."""
        return self.called.principal

    @property
    def session_id(self) -> str | None:
        """With which session; a machine's token has none."""
        return self.called.session_id


def unauthenticated(message: str = str(NotSignedIn())) -> Refused:
    """Make the refusal of whoever is not recognised."""
    return Refused(401, message, Code.UNAUTHENTICATED, {"WWW-Authenticate": 'Bearer realm="lambdesk"'})


class Guard:
    """Recognises callers. `rights` reads what they may do; `secret` is the server's: tokens of forms are derived from it."""

    def __init__(self, settings: Settings, callers: Recognises, rights: ReadsRights, secret: bytes) -> None:
        self._settings = settings
        self._callers = callers
        self._rights = rights
        self._form_key = hmac.digest(secret, b"lambdesk form token\x01", "sha256")

    async def admit(self, request: Request) -> Caller:
        """Recognise who sends a request. Raises `Refused`: 401, 403 for a page that may not ask, 503.

        A bearer token goes before a cookie: no page of another site can send one. With a cookie alone, what changes
        anything must come from a page of ours and bring its token.
        """
        token = bearer_of(request.headers)
        if token is not None:
            return await self._recognise(request, token, has_cookie=False)
        secret = PAGE.read(request.headers, self._settings)
        if secret is None:
            raise unauthenticated()
        if request.method in _SAFE:
            check_not_lent(request.headers, self._settings)
        else:
            self.check_form(request.headers, secret, request.headers.get(CSRF_HEADER, ""))
        return await self._recognise(request, secret, has_cookie=True)

    async def admit_to_graphql(self, request: Request) -> Caller:
        """Recognise who sends an operation: by a cookie with POST only, for a GET may be caused by anybody's link."""
        if request.method in _SAFE and bearer_of(request.headers) is None:
            raise unauthenticated(GET_BY_COOKIE if PAGE.read(request.headers, self._settings) else str(NotSignedIn()))
        return await self.admit(request)

    async def admit_browser(self, request: Request) -> Caller | None:
        """Recognise the browser that asks for a page; None when it has to sign in. Raises `Refused` (503)."""
        secret = PAGE.read(request.headers, self._settings)
        if secret is None:
            return None
        try:
            return await self._recognise(request, secret, has_cookie=True)
        except Refused as refused:
            if refused.code != Code.UNAUTHENTICATED:
                raise
            return None

    async def admit_socket(self, connection: HTTPConnection, given: object) -> Caller:
        """Recognise who opened a socket: by what its first message gives, by its header, or by a cookie and its Origin."""
        if given is not None:
            token = read_bearer(given) if isinstance(given, str) else None
            if token is None:
                raise unauthenticated()
            return await self._recognise(connection, token, has_cookie=False)
        token = bearer_of(connection.headers)
        if token is not None:
            return await self._recognise(connection, token, has_cookie=False)
        secret = PAGE.read(connection.headers, self._settings)
        if secret is None:
            raise unauthenticated()
        check_own_page(connection.headers, self._settings)
        return await self._recognise(connection, secret, has_cookie=True)

    async def again(self, caller: Caller) -> Caller:
        """Look again at a caller who is still connected, and at his rights.

        Raises `NotSignedIn` when he has been logged out or disabled since, and `Refused` (503).
        """
        try:
            called = await self._callers.again(caller.called, caller.secret)
            rights = await self._rights.of(called.principal)
        except StorageError:
            raise unavailable() from None
        return Caller(called, rights, caller.has_cookie, caller.address, caller.client, caller.secret)

    async def watch(self, caller: Caller) -> None:
        """Return when a caller who stays connected does not count any more."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await self.again(caller)
            except NotSignedIn:
                return
            except Refused:
                continue  # the database is away, and nothing can be read meanwhile

    def form_token(self, secret: str) -> str:
        """Return what a page puts into its forms and requests: it belongs to one cookie, and cannot be made without the key.

        It begins with a salt and is another one each time, so that nothing is learnt from how well a page compresses.
        """
        return self._salted(token_hex(SALT_LETTERS // 2), secret)

    def _salted(self, salt: str, secret: str) -> str:
        return salt + mark(self._form_key, "form", salt, secret)

    def check_form(self, headers: Mapping[str, str], secret: str, token: str) -> None:
        """Check that a page of ours made the browser send this. Raises `Refused` (403)."""
        check_own_page(headers, self._settings)
        expected = self._salted(token[:SALT_LETTERS], secret)
        if not hmac.compare_digest(expected.encode("utf-8", "replace"), token.encode("utf-8", "replace")):
            raise Refused(403, NO_FORM_TOKEN, Code.FORBIDDEN)

    async def _recognise(self, connection: HTTPConnection, secret: str, *, has_cookie: bool) -> Caller:
        ask = self._callers.by_cookie if has_cookie else self._callers.by_bearer
        try:
            called = await ask(secret)
            rights = await self._rights.of(called.principal)
        except NotSignedIn:
            raise unauthenticated() from None
        except StorageError:
            raise unavailable() from None
        note_of(connection.scope).caller = f"{called.principal.kind}:{called.principal.id}"
        return Caller(called, rights, has_cookie, address_of(connection), client_of(connection), secret)


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request; None where it has no `Authorization`. Raises `Refused` for another kind."""
    given = headers.get("authorization")
    if given is None:
        return None
    token = read_bearer(given)
    if token is None:
        raise unauthenticated("Send `Authorization: Bearer` with a token.")
    return token


def read_bearer(given: str) -> str | None:
    """Return the token after `Bearer`."""
    scheme, _, token = given.strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token and token.isascii() else None


def address_of(connection: HTTPConnection) -> str:
    """Return the client's address, as the server or a trusted proxy knows it."""
    client = connection.scope.get("client")
    return client[0] if client else ""


def client_of(connection: HTTPConnection) -> str:
    """Return what the client calls itself."""
    return connection.headers.get("user-agent", "")[:CLIENT_LETTERS]
