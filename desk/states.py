"""What a ticket's state means, by the type of the state, and what follows for the columns beside it."""

from __future__ import annotations

from desk.names import Names, State
from resolvers.conduct import RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty

VIEWABLE_TYPES = frozenset({"new", "open", "pending reminder", "pending auto"})
PENDING_TYPES = frozenset({"pending reminder", "pending auto"})
CLOSED = "closed"
MERGED = "merged"

_PENDING_PATH = ("pendingUntil",)


async def apply_states(names: Names, work: Work, change: RowChange) -> None:
    """Complete a change by what its state, queue and lock bring with them; raises `Faulty`.

    - A pending state needs a time to come; any other state clears it.
    - A ticket that is closed or moved to another queue is unlocked, as OTRS does, unless the same change locks it.
    - Locking starts the time after which the queue unlocks it again.
    - A ticket that views show again leaves the archive.
    - Nothing but a merge makes a ticket merged: otherwise it would say that it lives on, and nobody knew where.
    """
    state = await names.state(work.transaction, change.after("ticket_state_id"))
    if state.type == MERGED and change.changes("ticket_state_id"):
        raise Faulty(Fault(FaultCode.INVALID, "merged-by-merging", ("state",)))
    _check_pending(work, change, state)
    await _unlock(names, work, change, state)
    lock = await names.name(work.transaction, "ticket_lock_type", change.after("ticket_lock_id"))
    if change.changes("ticket_lock_id") and lock == "lock":
        change.values["timeout"] = int(work.now.timestamp())
    if change.changes("ticket_state_id") and state.type in VIEWABLE_TYPES and change.before.get("archive_flag"):
        change.values.setdefault("archive_flag", 0)


def is_merged(state: State) -> bool:
    """Answer whether a ticket in this state lives on in another one."""
    return state.type == MERGED


def _check_pending(work: Work, change: RowChange, state: State) -> None:
    given = change.values.get("until_time") or 0
    if state.type not in PENDING_TYPES:
        if given and given != (change.before.get("until_time") or 0):
            raise Faulty(Fault(FaultCode.INVALID, "pending-without-state", _PENDING_PATH, {"state": state.name}))
        if change.after("until_time") != 0:
            change.values["until_time"] = 0
        return
    if not change.after("until_time"):
        raise Faulty(Fault(FaultCode.REQUIRED, "pending-time-required", _PENDING_PATH, {"state": state.name}))
    if change.changes("until_time") and given <= int(work.now.timestamp()):
        raise Faulty(Fault(FaultCode.INVALID, "pending-time-past", _PENDING_PATH))


async def _unlock(names: Names, work: Work, change: RowChange, state: State) -> None:
    leaves = change.changes("queue_id") or (change.changes("ticket_state_id") and state.type == CLOSED)
    if change.before and leaves and "ticket_lock_id" not in change.values:
        change.values["ticket_lock_id"] = await names.known_id(work.transaction, "ticket_lock_type", "unlock")
