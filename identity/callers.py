"""From what a request brings to who is calling: an access token, an API token, or the cookie of a page."""

from __future__ import annotations

from identity.access_tokens import AccessTokens
from identity.api_tokens import PREFIX as API_TOKEN_PREFIX
from identity.api_tokens import ApiTokens
from identity.errors import NotSignedIn
from identity.principals import Person, Token
from identity.sessions import Sessions
from storage.quick import quick


@quick
class Called:
    """Who is calling, and with which session; a token of a machine has none."""

    principal: Person | Token
    session_id: str | None


class Callers:
    """Recognises callers. A socket that stays open asks again before every event; that costs a statement a second."""

    def __init__(self, sessions: Sessions, access: AccessTokens, api_tokens: ApiTokens) -> None:
        self._sessions = sessions
        self._access = access
        self._api_tokens = api_tokens

    async def by_bearer(self, token: str) -> Called:
        """Recognise what stands behind `Bearer`. Raises `NotSignedIn`, and `StorageError` while the database is away."""
        if token.startswith(API_TOKEN_PREFIX):
            return Called(await self._api_tokens.check(token), None)
        claims = self._access.read(token)
        person = await self._sessions.check(claims.session_id)
        if (person.kind, person.id) != (claims.kind, claims.account_id):
            raise NotSignedIn
        return Called(person, claims.session_id)

    async def again(self, called: Called, secret: str) -> Called:
        """Recognise anew whoever was recognised by this secret and is still connected.

        A socket outlives the access token that it was opened with, but not the session. Raises as the others do.
        """
        if called.session_id is None:
            return Called(await self._api_tokens.check(secret), None)
        return Called(await self._sessions.check(called.session_id), called.session_id)

    async def by_cookie(self, secret: str) -> Called:
        """Recognise a browser. Raises `NotSignedIn`, and `StorageError` while the database is away."""
        session_id, person = await self._sessions.check_page(secret)
        return Called(person, session_id)
