"""PostgreSQL connections that part quickly: nobody with a deadline waits for a server that does not answer."""

from __future__ import annotations

import asyncpg

PARTING_S = 0.2  # enough for a server that is there to stop what it does for us


class BriskConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg is untyped
    """asyncpg's connection; SQLAlchemy gives every close two seconds, which a request that is late does not have."""

    __slots__ = ()

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's own parameter
        """Close, or raise TimeoutError with the connection cut."""
        await super().close(timeout=PARTING_S if timeout is None else min(timeout, PARTING_S))
