"""Whose pages may reach `/graphql`. Browsers say from where they come; other clients say nothing and are let through."""

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
    if origin is None or origin in settings.origins:
        return True
    # The Host header was checked against the configured names before; the port must be the same as well.
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == headers.get("host", "").lower()


def check_origin(headers: Mapping[str, str], settings: Settings) -> None:
    """Refuse what a page of another site sends: with its Origin, or with our cookies where a browser sends none."""
    site = headers.get("sec-fetch-site")
    is_lent = site is not None and site not in _OWN_SITES and "cookie" in headers and "origin" not in headers
    if is_lent or not is_own_origin(headers, settings):
        raise Refused(403, FOREIGN, Code.FORBIDDEN)
