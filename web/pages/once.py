"""The mark of a form: sent twice, a form is carried out once."""

from __future__ import annotations

import re
import secrets

from web.pages.visit import Visit

ONCE = "once"  # the field that holds it
_MARK = re.compile(r"[\w-]{16,64}", re.ASCII)


def mark_of(visit: Visit) -> str | None:
    """Return the mark of the form that was sent; none where it is not one of ours."""
    told = visit.form.one(ONCE)
    return told if _MARK.fullmatch(told) else None


def shown_mark(visit: Visit) -> str:
    """Return the mark for a form that is shown: the one that it had, or a new one."""
    return mark_of(visit) or secrets.token_urlsafe(16)
