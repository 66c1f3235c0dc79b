"""Who wrote something before, now that something is to be done as them: the account or token must still be good."""

from __future__ import annotations

from identity.accounts import Standing, find_standing, read_standing
from identity.api_tokens import ApiTokens
from identity.principals import Kind, Principal, System
from storage.engine import Database

BY_LOGIN = 0  # the id of somebody who is known by login only


class Returning:
    """Finds principals again. `task` names what the system is doing when it was the system itself."""

    def __init__(self, database: Database, tokens: ApiTokens, key: bytes, task: str) -> None:
        self._database = database
        self._tokens = tokens
        self._key = key
        self._task = task

    async def find(self, kind: str, number: int, login: str) -> Principal | None:
        """Return who it is, as it is now; None where nobody of the kind may sign in with it any more.

        Raises `StorageError` while the database is away.
        """
        known = Kind(kind)
        if known is Kind.SYSTEM:
            return System(self._task)
        if known is Kind.TOKEN:
            return await self._tokens.by_id(number)
        standing = await self._standing(known, number, login)
        return standing.person if standing is not None and standing.is_valid else None

    async def _standing(self, kind: Kind, number: int, login: str) -> Standing | None:
        fetch = self._database.fetch_kept
        if number != BY_LOGIN:
            return await read_standing(fetch, self._key, kind, number)
        return await find_standing(fetch, self._key, kind, login)
