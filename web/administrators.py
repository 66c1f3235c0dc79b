"""What only administrators may ask about the platform, or change of it."""

from __future__ import annotations

from resolvers.context import Context
from resolvers.errors import Forbidden

REFUSED = "{what} is for administrators: members of the group admin with the key rw."


def administrators_only(context: Context, what: str) -> None:
    """Refuse everybody else. Raises `Forbidden`; `what` is the field's name in the API."""
    if not context.access.is_administrator:
        raise Forbidden(REFUSED.format(what=what))
