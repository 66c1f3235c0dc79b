"""The moment and the author of a write, as OTRS's tables hold them."""

from __future__ import annotations

from typing import Any

from resolvers.conduct import Work
from storage.values import wall_clock


def wall_now(work: Work) -> Any:
    """Return the write's moment as a wall-clock column holds it."""
    database = work.context.database
    return wall_clock(work.now, database.dialect.name, database.zone)


def epoch_now(work: Work) -> int:
    """Return the write's moment in seconds since 1970."""
    return int(work.now.timestamp())


def audit(work: Work) -> dict[str, Any]:
    """Return the audit columns of a new row."""
    moment, author = wall_now(work), work.actor_id
    return {"create_time": moment, "create_by": author, "change_time": moment, "change_by": author}


def touched(work: Work) -> dict[str, Any]:
    """Return the audit columns of a row that changes."""
    return {"change_time": wall_now(work), "change_by": work.actor_id}
