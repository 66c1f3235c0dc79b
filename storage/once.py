"""Rows that are there once, whoever writes them first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from storage.errors import ConstraintViolated
from storage.transaction import Transaction


async def insert_once(transaction: Transaction, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row, or answer False because one with its unique key is there; the transaction goes on either way.

    A row of that key which another transaction has not committed is waited for.
    """
    if transaction.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - a dialect is loaded where it is used

        return await transaction.change(insert(table).inline().on_conflict_do_nothing(), values) == 1
    # Elsewhere a refused row ends only its statement. MariaDB's IGNORE would warn, and would swallow other refusals too.
    try:
        return await transaction.change(sa.insert(table).inline(), values) == 1
    except ConstraintViolated as violated:
        if violated.kind != "unique":
            raise
        return False
