"""Links between objects in OTRS's own tables, both ways round one link, and what the histories of linked tickets say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.desk import Desk
from desk.history import Event, parts, write_events
from desk.stamps import audit, wall_now
from desk.tables import LINK_OBJECT, LINK_RELATION, LINK_STATE, LINK_TYPE
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty
from storage.errors import ConstraintViolated, TransactionConflict

NORMAL = "Normal"
PARENT_CHILD = "ParentChild"  # the source is the parent
TICKET = "Ticket"
_VALID = "Valid"

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: OTRS's name of the kind of object, and its key as text."""

    object: str
    key: str


@dataclass(frozen=True, slots=True)
class LinkIds:
    """The ids of a link in its table."""

    source_object: int
    target_object: int
    type: int


async def link(work: Work, source: End, target: End, kind: str) -> bool:
    """Link two objects; answer False where they are linked like that already.

    Raises `Faulty` for an object with itself, and where they are linked the other way round and the way matters.
    """
    if source == target:
        raise Faulty(Fault(FaultCode.INVALID, "link-self", ("other",)))
    ids = await link_ids(work, source, target, kind)
    if await _exists(work, ids, source, target):
        return False
    if await _exists(work, LinkIds(ids.target_object, ids.source_object, ids.type), target, source):
        if kind == PARENT_CHILD:
            raise Faulty(Fault(FaultCode.CONFLICT, "link-opposite", ("other",)))
        return False
    state = await _known(work, LINK_STATE, _VALID)
    await work.transaction.execute(
        sa.insert(LINK_RELATION),
        {
            "source_object_id": ids.source_object,
            "source_key": source.key,
            "target_object_id": ids.target_object,
            "target_key": target.key,
            "type_id": ids.type,
            "state_id": state,
            "create_time": wall_now(work),
            "create_by": work.actor_id,
        },
    )
    return True


async def unlink(work: Work, source: End, target: End, kind: str) -> bool:
    """Remove a link, whichever way round it is written; answer False where there was none."""
    ids = await link_ids(work, source, target, kind)
    one_way = _is(ids, source, target)
    other_way = _is(LinkIds(ids.target_object, ids.source_object, ids.type), target, source)
    return bool(await work.transaction.change(sa.delete(LINK_RELATION).where(sa.or_(one_way, other_way))))


async def link_tickets(desk: Desk, work: Work, source: Columns, target: Columns, kind: str) -> tuple[int, int] | None:
    """Link two locked tickets (a parent with its child); return the history rows of both, None where they were linked."""
    if not await link(work, ticket_end(source["id"]), ticket_end(target["id"]), kind):
        return None
    return await _tell_both(desk, work, source, target, "TicketLinkAdd")


async def unlink_tickets(desk: Desk, work: Work, source: Columns, target: Columns, kind: str) -> tuple[int, int] | None:
    """Take a link between two locked tickets away; return the history rows of both, None where there was none."""
    if not await unlink(work, ticket_end(source["id"]), ticket_end(target["id"]), kind):
        return None
    return await _tell_both(desk, work, source, target, "TicketLinkDelete")


def ticket_end(ticket_id: int) -> End:
    """Return a ticket as the end of a link."""
    return End(TICKET, str(ticket_id))


async def link_ids(work: Work, source: End, target: End, kind: str) -> LinkIds:
    """Find the ids of kinds and type; what a database does not know yet is made, as OTRS does on first use."""
    first = await _known(work, LINK_OBJECT, source.object)
    second = first if target.object == source.object else await _known(work, LINK_OBJECT, target.object)
    return LinkIds(first, second, await _known(work, LINK_TYPE, kind))


# --- inside ---


async def _known(work: Work, table: sa.TableClause, name: str) -> int:
    rows = await work.transaction.execute(sa.select(table.c.id).where(table.c.name == name))
    if rows:
        return int(rows[0][0])
    row: dict[str, Any] = {"name": name}
    if "valid_id" in table.c:
        row |= {"valid_id": 1, **audit(work)}
    try:
        return await work.transaction.insert(table, [row])
    except ConstraintViolated as error:
        if error.kind == "unique":  # somebody made it meanwhile, and the next attempt finds it
            raise TransactionConflict from None
        raise


def _is(ids: LinkIds, source: End, target: End) -> sa.ColumnElement[bool]:
    columns = LINK_RELATION.c
    return sa.and_(
        columns.source_object_id == ids.source_object,
        columns.source_key == source.key,
        columns.target_object_id == ids.target_object,
        columns.target_key == target.key,
        columns.type_id == ids.type,
    )


async def _exists(work: Work, ids: LinkIds, source: End, target: End) -> bool:
    statement = sa.select(LINK_RELATION.c.type_id).where(_is(ids, source, target))
    return bool(await work.transaction.execute(statement))


async def _tell_both(desk: Desk, work: Work, source: Columns, target: Columns, kind: str) -> tuple[int, int]:
    """Write into each ticket's history which other one it is about."""
    newest = []
    for own, other in ((source, target), (target, source)):
        event = Event(kind, parts(other["tn"], other["id"], own["id"]))
        newest.append(await write_events(desk.names, work, own, [event]))
    return newest[0] or 0, newest[1] or 0
