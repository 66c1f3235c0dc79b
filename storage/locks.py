"""Names that a transaction holds until it ends, so that what needs the same name happens one after the other."""

from __future__ import annotations

import sqlalchemy as sa

from storage.direct import Kept
from storage.transaction import Transaction

# One statement each. On MariaDB a row of its own stands for the name: the duplicate is locked for writing at once, where
# INSERT IGNORE would lock it for reading first, and two who both did could never go on. Rows stay, so names must be few.
_HOLD = {
    "mysql": Kept(sa.text("INSERT INTO lambdesk_lock (name) VALUES (:name) ON DUPLICATE KEY UPDATE name = :name")),
    "postgresql": Kept(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")),
}


async def hold(transaction: Transaction, name: str) -> None:
    """Wait until no other transaction holds the name (at most 100 characters), and hold it until this one ends.

    SQLite has one writer, so a transaction there holds everything already. Take several names in one order everywhere.
    """
    statement = _HOLD.get(transaction.dialect.name)
    if statement is not None:
        await transaction.execute(statement, {"name": name})
