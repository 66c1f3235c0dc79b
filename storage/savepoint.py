"""A part of a transaction that can be taken back alone: the rest goes on, also on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.errors import StatementTimeout, TransactionConflict, Unavailable
from storage.transaction import Transaction

_NAME = "lambdesk_part"


@asynccontextmanager
async def savepoint(transaction: Transaction) -> AsyncIterator[None]:
    """Take back what the block did when it raises. What ends the whole transaction goes on as it is."""
    await transaction.execute(f"SAVEPOINT {_NAME}")
    try:
        yield
    except (Unavailable, StatementTimeout, TransactionConflict):
        raise  # the connection is gone, or the database has rolled everything back itself
    except Exception:
        await transaction.execute(f"ROLLBACK TO SAVEPOINT {_NAME}")
        raise
    await transaction.execute(f"RELEASE SAVEPOINT {_NAME}")
