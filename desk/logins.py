"""Logins, which OTRS keeps apart whatever their letter case, also where the database's own key does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from identity.accounts import LOGIN_COLUMN
from storage.locks import hold
from storage.transaction import Transaction

_FEW = 2  # so many are asked for one by one


@dataclass(slots=True)
class _Seen:
    """What one transaction knows of the logins of a table: how many it asked about, and all of them once it is several."""

    asked: int = 0
    ids: dict[str, set[Any]] | None = None


class Logins:
    """The logins of one table. Reading all of them for a third row costs less than asking for each of a thousand."""

    def __init__(self, table: str) -> None:
        self._hold = f"login {table}"
        columns = sa.table(table, sa.column("id", sa.BigInteger()), sa.column(LOGIN_COLUMN, sa.String())).c
        self._id, self._login = columns.id, columns.login
        self._rows = sa.select(self._id, self._login)
        self._seen: WeakKeyDictionary[Transaction, _Seen] = WeakKeyDictionary()

    async def is_taken(self, transaction: Transaction, login: str, own: Any) -> bool:
        """Answer whether another row than `own` (None: a new one) has a login, and keep others from taking it until the end."""
        seen = self._seen.setdefault(transaction, _Seen())
        seen.asked += 1
        if seen.asked <= _FEW:
            if seen.asked == 1:
                await hold(transaction, self._hold)
            return bool(await self._others(transaction, self._alike(login), login, own))
        return await self._is_known(transaction, seen, login, own)

    async def is_taken_beside(self, transaction: Transaction, login: str, own: Any) -> bool:
        """Answer the same of a row that is written, for what was written together with it, and note its login."""
        seen = self._seen.setdefault(transaction, _Seen())
        found = seen.asked > 1 and await self._is_known(transaction, seen, login, own)
        if seen.ids is not None:
            seen.ids.setdefault(_fold(login), set()).add(own)
        return found

    # --- inside ---

    async def _is_known(self, transaction: Transaction, seen: _Seen, login: str, own: Any) -> bool:
        if seen.ids is None:
            seen.ids = {}
            for number, stored in await transaction.execute(self._rows):
                seen.ids.setdefault(_fold(stored), set()).add(number)
        known = seen.ids.get(_fold(login), set()) - {own}
        # A savepoint may have taken back what was noted.
        return bool(known) and bool(await self._others(transaction, self._id.in_(known), login, own))

    async def _others(self, transaction: Transaction, where: Any, login: str, own: Any) -> list[Any]:
        rows = await transaction.execute(self._rows.where(where))
        return [number for number, stored in rows if number != own and _fold(stored) == _fold(login)]

    def _alike(self, login: str) -> Any:
        lowered = sa.func.lower(self._login)
        return sa.or_(lowered == sa.func.lower(login), lowered == login.lower())


def _fold(login: Any) -> str:
    return str(login).lower()
