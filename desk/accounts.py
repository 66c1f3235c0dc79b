"""What accounts of agents and customers ask of a write: a login that is nobody else's, texts without blanks around, passwords."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from desk.logins import Logins
from desk.names import Names
from desk.permissions import field_at
from desk.renames import follow_login
from identity.accounts import LOGIN_COLUMN, PASSWORD_COLUMN, TABLES
from identity.credentials import drop_hash
from identity.principals import Kind
from resolvers.checks import fault
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.stored import TYPED, weak_password
from storage.transaction import Transaction

# OTRS's forms cut the blanks off whatever is typed into them.
_TRIMMED = (LOGIN_COLUMN, "title", "first_name", "last_name", "email", "customer_id")
KINDS: Mapping[str, Kind] = {table: kind for kind, table in TABLES.items()}


class AccountConduct:
    """The conduct of `users` or `customer_user`."""

    def __init__(self, names: Names, kind: Kind) -> None:
        self._names = names
        self._kind = kind
        self._logins = Logins(TABLES[kind])

    async def prepare(self, work: Work, change: RowChange) -> None:
        """Trim texts, and refuse logins that are taken and passwords that are the login; raises `Faulty`."""
        if change.kind is ChangeKind.DELETED:
            return
        for column in _TRIMMED:
            value = change.values.get(column)
            if isinstance(value, str):
                change.values[column] = unicodedata.normalize("NFC", value).strip()
        if change.changes(LOGIN_COLUMN):
            _keep_apart(change, await self._logins.is_taken(*self._asked(work, change)))
        typed = change.extras.get(TYPED)
        item = field_at(change.module, PASSWORD_COLUMN)
        if typed is not None and item is not None:
            wrong = weak_password(item, typed, str(change.after(LOGIN_COLUMN) or ""))
            if wrong is not None:
                raise Faulty(wrong.under(item.api_name))

    async def written(self, work: Work, change: RowChange) -> None:
        """Let what names a login follow it, and forget what was kept of another password.

        Rows that are written together are held against each other.
        """
        if change.kind is ChangeKind.DELETED:
            return
        if change.changes(LOGIN_COLUMN):
            _keep_apart(change, await self._logins.is_taken_beside(*self._asked(work, change)))
            if self._kind is Kind.CUSTOMER and change.kind is ChangeKind.UPDATED:
                change.along += await follow_login(
                    self._names, work, change.before[LOGIN_COLUMN], change.values[LOGIN_COLUMN]
                )
        if change.kind is ChangeKind.UPDATED and PASSWORD_COLUMN in change.values:
            await drop_hash(work.transaction, self._kind, int(change.key[0]))

    def _asked(self, work: Work, change: RowChange) -> tuple[Transaction, str, Any]:
        return work.transaction, str(change.values[LOGIN_COLUMN]), change.key[0] if change.key else None


def _keep_apart(change: RowChange, is_taken: bool) -> None:
    if not is_taken:
        return
    item = field_at(change.module, LOGIN_COLUMN)
    if item is None:
        raise Faulty(Fault(FaultCode.UNIQUE, "unique-row"))
    raise Faulty(fault(item, FaultCode.UNIQUE, "login-taken").under(item.api_name))
