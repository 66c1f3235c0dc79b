"""What only administrators may ask about the platform or change of it, and what tokens that only read may not do at all."""

from __future__ import annotations

from identity.access import Access
from resolvers.context import Context
from resolvers.errors import Forbidden

READER = "{what}: the scope of this token has no operation that writes."
REFUSED = "{what} is for administrators: members of the group admin with the key rw."


def administrators_only(context: Context, what: str) -> None:
    """Refuse everybody else. Raises `Forbidden`; `what` is the field's name in the API."""
    if not context.access.is_administrator:
        raise Forbidden(REFUSED.format(what=what))


def writers_only(access: Access, what: str) -> None:
    """Refuse tokens whose scope has no operation that writes. Raises `Forbidden`."""
    if access.is_reader:
        raise Forbidden(READER.format(what=what))
