"""What an agent may do with a ticket, the OTRS way: by the group of its queue and a key, or as its owner.

Who sees a ticket at all is said by its module's rules; which of its columns asks for which key is OTRS's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desk.desk import Desk
from identity.access import Right
from identity.principals import Agent, person_of
from resolvers.conduct import RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.images import Image
from schema.spec import AUDIT_COLUMNS, Home

EVERYTHING, OWNER, PRIORITY, NOTE, MOVE = "rw", "owner", "priority", "note", "move_into"
# Changing any other column asks for the key to everything.
_KEYS: Mapping[str, str] = {"user_id": OWNER, "ticket_priority_id": PRIORITY}
_QUEUE = "queue_id"

Columns = Mapping[str, Any]


async def permit(desk: Desk, work: Work, ticket: Columns, key: str, *path: str) -> None:
    """Raise `Faulty` FORBIDDEN unless the caller has a key to a ticket; customers have what the modules' rules give them."""
    if not await _holds(desk, work, ticket, key):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden-key", path or None, {"key": key}))


async def permit_change(desk: Desk, work: Work, change: RowChange) -> None:
    """Hold a change of a ticket, as it was asked for, to the keys; raises `Faulty` with a fault for each field."""
    if work.context.rights.unbounded or not isinstance(person_of(work.context.caller), Agent):
        return
    faults = []
    for name, key in _needed(change).items():
        if not await _holds(desk, work, change.before, key):
            faults.append(Fault(FaultCode.FORBIDDEN, "forbidden-key", (name,), {"key": key}))
        elif key == EVERYTHING and change.changes(_QUEUE) and name == _api_name(change, _QUEUE):
            # As if it were there already, and somebody else's: being its owner opens no other queue.
            target = {_QUEUE: change.after(_QUEUE), "user_id": None}
            if not await _holds(desk, work, target, MOVE):
                faults.append(Fault(FaultCode.FORBIDDEN, "forbidden-key", (name,), {"key": MOVE}))
    if faults:
        raise Faulty(*faults)


def let(image: Image) -> Image:
    """Return a row that the desk's own rules let the caller change, whatever the module's rules say of changing rows."""
    return replace(image, right=Right.UPDATE, allowed=True)


def _needed(change: RowChange) -> dict[str, str]:
    """Return the key that each changed field asks for, by its name in the API."""
    found: dict[str, str] = {}
    for column in change.values:
        if change.changes(column) and column not in AUDIT_COLUMNS:
            found[_api_name(change, column)] = _KEYS.get(column, EVERYTHING)
    for name in change.fields:
        item = change.module.field_named(name)
        if item is not None and item.home is not Home.TABLE:
            found[item.api_name] = EVERYTHING
    return found


def _api_name(change: RowChange, column: str) -> str:
    fields = (item for item in change.module.fields if item.home is Home.TABLE and item.column == column)
    return next((item.api_name for item in fields), column)


async def _holds(desk: Desk, work: Work, ticket: Columns, key: str) -> bool:
    rights, person = work.context.rights, person_of(work.context.caller)
    if rights.unbounded or not isinstance(person, Agent) or ticket.get("user_id") == person.id:
        return True
    queue = await desk.names.queue(work.transaction, ticket[_QUEUE])
    return queue.group_id in rights.groups[key]
