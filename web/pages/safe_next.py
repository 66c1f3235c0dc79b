"""Where a form of ours may lead to."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST_NEXT = 2_000


def safe_next(wanted: str) -> str:
    """Return where to go after signing in: a path of ours, else the front page."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or len(wanted) > LONGEST_NEXT:
        return "/"
    if not wanted.isascii() or not wanted.isprintable() or " " in wanted:
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    leads_away = parts.scheme or parts.netloc or parts.path in {"/login", "/logout"}
    return "/" if leads_away else wanted
