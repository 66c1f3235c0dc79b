"""Access tokens: JSON Web Tokens of ten minutes, with one algorithm, one key, and nothing in them that is not needed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from identity.errors import NotSignedIn
from identity.keys import Keys
from identity.lean_jwt import load_jwt
from identity.principals import Kind, Person, subject

LIFETIME_S = 600
LEEWAY_S = 30  # clocks of servers differ
TYPE = "access"
LONGEST = 4_096  # letters; ours have about 400
REMEMBERED = 2_000  # checking a signature takes 54 µs, a fifth of a fast read

_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "JWT"}  # and nothing else: no kid, no jwk, no jku, no x5u, no crit
_CLAIMS = frozenset({"iss", "aud", "sub", "iat", "exp", "jti", "typ", "sid"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says that was signed here: whose it is, of which session, and until when (seconds since 1970)."""

    kind: Kind
    account_id: int
    session_id: str
    expires: int


class AccessTokens:
    """Makes access tokens and reads them. `issuer` and `audience` name this installation; `clock` gives seconds since 1970.

    A token that says it lasts longer than `lifetime_s` was not made under today's settings, and does not count.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        lifetime_s: int = LIFETIME_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lifetime_s = lifetime_s
        self._key = keys.access
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._known: dict[str, tuple[Claims, int]] = {}

    def make(self, person: Person, session_id: str) -> str:
        """Make a token for a session; it is good for `lifetime_s` seconds, or until the session ends."""
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject(person),
            "iat": now,
            "exp": now + self.lifetime_s,
            "jti": secrets.token_hex(16),
            "typ": TYPE,
            "sid": session_id,
        }
        made: str = load_jwt().encode(claims, self._key, algorithm=_ALGORITHM)
        return made

    def read(self, token: str) -> Claims:
        """Check a token's signature, claims and times. Raises `NotSignedIn` for whatever is wrong with it.

        Whether its session still counts is for `Sessions.check` to say.
        """
        claims, issued = self._known.get(token) or self._verify(token)
        now = self._clock()
        if not issued - LEEWAY_S <= now < claims.expires + LEEWAY_S:
            self._known.pop(token, None)
            raise NotSignedIn
        return claims

    def _verify(self, token: str) -> tuple[Claims, int]:
        if len(token) > LONGEST:
            raise NotSignedIn
        jwt = load_jwt()
        try:
            decoded = jwt.decode_complete(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # Times are looked at in `read`, by our own clock and every time.
                options={"require": sorted(_CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise NotSignedIn from None
        if decoded["header"] != _HEADER:
            raise NotSignedIn
        known = _claims(decoded["payload"], self.lifetime_s)
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[token] = known
        return known


def _claims(payload: dict[str, Any], lifetime_s: int) -> tuple[Claims, int]:
    kind, _, number = str(payload["sub"]).partition(":")
    issued, expires, session_id = payload["iat"], payload["exp"], payload["sid"]
    is_ours = (
        set(payload) == _CLAIMS
        and payload["typ"] == TYPE
        and kind in {Kind.AGENT, Kind.CUSTOMER}
        and number.isascii()
        and number.isdigit()
        and type(issued) is int
        and type(expires) is int
        and 0 < expires - issued <= lifetime_s
        and isinstance(session_id, str)
    )
    if not is_ours:
        raise NotSignedIn
    return Claims(Kind(kind), int(number), session_id, expires), issued
