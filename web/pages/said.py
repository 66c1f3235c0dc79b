"""What a page says of the deed that led to it: the address names a text of ours and a number, and nothing else."""

from __future__ import annotations

from urllib.parse import urlencode

from web.pages.visit import Visit

SAID = frozenset(
    {
        "created",
        "saved",
        "deleted",
        "set-off",
        "restored",
        "undone",
        "acted",
        "bulk-deleted",
        "bulk-restored",
        "bulk-set",
        "imported",
        "published",
        "rolled-back",
        "password-changed",
        "session-ended",
        "sessions-ended",
        "token-revoked",
        "ticket-taken",
        "ticket-watched",
        "ticket-unwatched",
        "ticket-merged",
        "ticket-unmerged",
        "ticket-linked",
        "ticket-unlinked",
        "article-added",
        "article-split",
        "rights-given",
        "draft-kept",
        "draft-forgotten",
        "rights-roles",
        "draft-discarded",
        "answered",
        "sent",
        "view-deleted",
        "view-saved",
    }
)
_COUNTED = frozenset({"bulk-deleted", "bulk-restored", "bulk-set", "imported", "sessions-ended"})
_LONGEST = 9


def say(path: str, key: str, count: int | None = None) -> str:
    """Add to an address what its page is to say."""
    mark = "&" if "?" in path else "?"
    return f"{path}{mark}{urlencode({'said': key, **({} if count is None else {'n': count})})}"


def said_of(visit: Visit) -> str:
    """Return what the address says; nothing where it names no text of ours."""
    key = visit.request.query_params.get("said", "")
    if key not in SAID:
        return ""
    if key not in _COUNTED:
        return visit.texts(f"said-{key}")
    told = visit.request.query_params.get("n", "")
    count = int(told) if told.isascii() and told.isdigit() and len(told) <= _LONGEST else 0
    return visit.texts.choose(f"said-{key}", count)
