"""Whose pages may reach the server. Browsers say from where they come; other clients say nothing and are let through."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from web.errors import Code, Refused
from web.settings import Settings

FOREIGN = "Pages of other sites may not use this API."
# What a browser says of a request that no other site caused: its own page, or the person at the keyboard.
_OWN_SITES = frozenset({"same-origin", "none"})


def is_own_origin(headers: Mapping[str, str], settings: Settings) -> bool:
    """Tell whether a page of ours, of a configured site, or no page at all asks; a browser always sends its Origin."""
    origin = headers.get("origin")
    return origin is None or origin in settings.origins or _is_ours(origin, headers, settings)


def check_origin(headers: Mapping[str, str], settings: Settings) -> None:
    """Refuse what a page of another site sends: with its Origin, or with our cookies where a browser sends none."""
    site = headers.get("sec-fetch-site")
    is_lent = site is not None and site not in _OWN_SITES and "cookie" in headers and "origin" not in headers
    if is_lent or not is_own_origin(headers, settings):
        raise Refused(403, FOREIGN, Code.FORBIDDEN)


def check_named_origin(headers: Mapping[str, str], settings: Settings) -> bool:
    """Refuse what does not come from a page that is ours or of a configured site; tell whether it is another site's.

    For what a browser would send for anybody: a page that does not say who it is gets nothing.
    """
    origin = headers.get("origin")
    if origin is None or not is_own_origin(headers, settings):
        raise Refused(403, FOREIGN, Code.FORBIDDEN)
    return not _is_ours(origin, headers, settings)


def check_not_lent(headers: Mapping[str, str], settings: Settings) -> None:
    """Refuse to read with the cookie of a session for a page that is not ours, also one of a configured site.

    Such a site on a neighbouring name would be sent the cookie, and could read what its own sign-in does not give it.
    """
    origin = headers.get("origin")
    if origin is not None and not _is_ours(origin, headers, settings):
        raise Refused(403, FOREIGN, Code.FORBIDDEN)


def check_own_page(headers: Mapping[str, str], settings: Settings) -> None:
    """Refuse what a browser sends with the cookie of a session unless a page of ours made it do so."""
    origin = headers.get("origin")
    said = headers.get("sec-fetch-site")
    is_named = _is_ours(origin, headers, settings) if origin is not None else said == "same-origin"
    if settings.is_https and origin is not None and not origin.startswith("https://"):
        is_named = False  # a page of ours without TLS may be anybody's on the way
    if not is_named or said not in {None, "same-origin"}:
        raise Refused(403, FOREIGN, Code.FORBIDDEN)


def _is_ours(origin: str, headers: Mapping[str, str], settings: Settings) -> bool:
    """Tell whether an origin is the server's own."""
    if settings.public_origin and origin == settings.public_origin:
        return True
    # The Host header was checked against the configured names before; the port must be the same as well.
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == headers.get("host", "").lower()
