"""OTRS's accelerators: `ticket_index` has a row for every ticket that views show, `ticket_lock_index` for every locked one.

An OTRS that uses them (its StaticDB module) counts its queues by these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from desk.names import Names
from desk.states import VIEWABLE_TYPES
from desk.tables import TICKET_INDEX, TICKET_LOCK_INDEX
from resolvers.conduct import Work
from storage.keeping import insert_into

FREE_LOCKS = frozenset({"unlock", "tmp_lock"})  # OTRS's viewable locks
_COLUMNS = ("queue_id", "ticket_state_id", "ticket_lock_id", "archive_flag")


async def index_new(names: Names, work: Work, ticket: Mapping[str, Any]) -> None:
    """Write the rows of a new ticket."""
    row = await _index_row(names, work, ticket)
    if row is not None:
        await _add(work, ticket, row)
    if await _is_locked(names, work, ticket):
        await work.transaction.execute(insert_into(TICKET_LOCK_INDEX), {"ticket_id": ticket["id"]})


async def index_changed(names: Names, work: Work, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Make the rows of a ticket right after a change, whatever they were."""
    if all(before[column] == after[column] for column in _COLUMNS):
        return
    here = TICKET_INDEX.c.ticket_id == after["id"]
    row = await _index_row(names, work, after)
    if row is None:
        await work.transaction.execute(sa.delete(TICKET_INDEX).where(here))
    elif not await work.transaction.change(sa.update(TICKET_INDEX).where(here).values(**row)):
        await _add(work, after, row)
    if before["ticket_lock_id"] != after["ticket_lock_id"]:
        await work.transaction.execute(sa.delete(TICKET_LOCK_INDEX).where(TICKET_LOCK_INDEX.c.ticket_id == after["id"]))
        if await _is_locked(names, work, after):
            await work.transaction.execute(insert_into(TICKET_LOCK_INDEX), {"ticket_id": after["id"]})


async def _index_row(names: Names, work: Work, ticket: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what an update writes, or None where views do not show the ticket."""
    state = await names.state(work.transaction, ticket["ticket_state_id"])
    if state.type not in VIEWABLE_TYPES or ticket["archive_flag"]:
        return None
    queue = await names.queue(work.transaction, ticket["queue_id"])
    lock = await names.name(work.transaction, "ticket_lock_type", ticket["ticket_lock_id"])
    return {
        "queue_id": queue.id,
        "queue": queue.name,
        "group_id": queue.group_id,
        "s_lock": lock,
        "s_state": state.name,
    }


async def _add(work: Work, ticket: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    await work.transaction.execute(
        insert_into(TICKET_INDEX), {"ticket_id": ticket["id"], **row, "create_time": ticket["create_time"]}
    )


async def _is_locked(names: Names, work: Work, ticket: Mapping[str, Any]) -> bool:
    lock = await names.name(work.transaction, "ticket_lock_type", ticket["ticket_lock_id"])
    return lock not in FREE_LOCKS
