"""The cookies that Lambdesk sets: a browser's session, the mark of a sign-in form, and the refresh token of an app in a browser.

Over https their names begin with `__Host-`: a browser takes such a cookie from this very host only, so that no neighbour
(another sub-domain, a page without TLS) can put one of its own in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from web.settings import Settings

HOST_PREFIX = "__Host-"
LONGEST = 300  # letters; ours have 47


@dataclass(frozen=True, slots=True)
class Cookie:
    """One of our cookies. `same_site` is `Lax`, `Strict` or `None`."""

    short: str
    same_site: str

    def name(self, settings: Settings) -> str:
        """Return its name."""
        return f"{HOST_PREFIX}{self.short}" if settings.is_https else self.short

    def read(self, headers: Mapping[str, str], settings: Settings) -> str | None:
        """Return its value in a request; None where there is none, or where it is there twice: one would be a stranger's."""
        wanted = self.name(settings)
        found = []
        for part in headers.get("cookie", "").split(";"):
            name, is_pair, value = part.strip().partition("=")
            if is_pair and name == wanted:
                found.append(value)
        return found[0] if len(found) == 1 and 0 < len(found[0]) <= LONGEST else None

    def write(self, value: str, settings: Settings, *, max_age: int | None = None, foreign: bool = False) -> str:
        """Make the header that sets it; `foreign` for a page of another site, which gets it back over https only."""
        jar: SimpleCookie = SimpleCookie()
        name = self.name(settings)
        try:
            jar[name] = value
        except CookieError:  # our names and values are letters, digits, `-` and `_`
            raise ValueError("a cookie cannot hold this") from None
        made = jar[name]
        made["path"] = "/"
        made["httponly"] = True
        made["samesite"] = "None" if foreign and settings.is_https else self.same_site
        if settings.is_https:
            made["secure"] = True
        if max_age is not None:
            made["max-age"] = max_age
        return made.OutputString()

    def clear(self, settings: Settings, *, foreign: bool = False) -> str:
        """Make the header that removes it."""
        return self.write("", settings, max_age=0, foreign=foreign)


# Ends with the browser; how long it counts is the server's to say.
PAGE = Cookie("lambdesk", "Lax")
FORM = Cookie("lambdesk-form", "Strict")
REFRESH = Cookie("lambdesk-refresh", "Lax")
LOOK = Cookie("lambdesk-look", "Lax")  # how the pages look; no secret
