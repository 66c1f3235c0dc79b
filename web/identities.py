"""Everything of the identity room that a server works with, put together from its settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from identity.access_tokens import AccessTokens
from identity.api_tokens import ApiTokens
from identity.callers import Callers
from identity.hashing import Hashing
from identity.keys import derive_keys
from identity.own_password import OwnPassword
from identity.providers import DatabaseProvider
from identity.refresh import Refreshed, RefreshTokens
from identity.session_rows import Lifetime
from identity.sessions import Sessions
from identity.sign_in import Limits, SignIn
from identity.throttle import ACCOUNT, ADDRESS, Throttle
from storage.engine import Database
from web.settings import Settings

AUDIENCE = "lambdesk"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client of the API gets when it signs in or refreshes."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Identities:
    """Who there is, and how they come in."""

    database: Database
    hashing: Hashing
    sessions: Sessions
    refresh: RefreshTokens
    access: AccessTokens
    api_tokens: ApiTokens
    callers: Callers
    sign_in: SignIn
    own_password: OwnPassword
    throttle: Throttle

    def pair(self, refreshed: Refreshed) -> Pair:
        """Make the tokens of a session that has just begun or gone on."""
        access = self.access.make(refreshed.person, refreshed.session_id)
        return Pair(access, refreshed.token, self.access.lifetime_s)


def make_identities(settings: Settings, database: Database, secret: bytes) -> Identities:
    """Put it together; nothing is read yet."""
    keys = derive_keys(secret)
    hashing = Hashing()
    page = Lifetime(settings.page_idle_seconds, settings.page_longest_seconds)
    api = Lifetime(settings.refresh_idle_seconds, settings.refresh_longest_seconds)
    sessions = Sessions(database, keys, page=page)
    access = AccessTokens(
        keys, issuer=settings.public_url or AUDIENCE, audience=AUDIENCE, lifetime_s=settings.access_seconds
    )
    api_tokens = ApiTokens(database, keys)
    provider = DatabaseProvider(database, keys, hashing, plain=settings.plain_passwords)
    limits = Limits(replace(ACCOUNT, free=settings.account_tries), replace(ADDRESS, free=settings.address_tries))
    sign_in = SignIn(database, keys, [provider], limits=limits)
    return Identities(
        database=database,
        hashing=hashing,
        sessions=sessions,
        refresh=RefreshTokens(database, keys, sessions.forget, lifetime=api),
        access=access,
        api_tokens=api_tokens,
        callers=Callers(sessions, access, api_tokens),
        sign_in=sign_in,
        own_password=OwnPassword(database, keys, hashing, sign_in, sessions),
        throttle=Throttle(database),
    )
