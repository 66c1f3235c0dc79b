"""The modules on OTRS's tables, as one caller sees them: pages of the desk name tables and columns, never modules and fields."""

from __future__ import annotations

from identity.access import Access
from schema.snapshot import Snapshot
from web.pages.view import Member, View, modules_of, view_of

TICKET, QUEUE, ARTICLE = "ticket", "queue", "article"
# What the types of states mean at every desk; an OTRS has no others.
NEW, OPEN, REMINDER, AUTO = "new", "open", "pending reminder", "pending auto"
CLOSED, MERGED, REMOVED = "closed", "merged", "removed"
PENDING = (REMINDER, AUTO)
VIEWABLE = (NEW, OPEN, *PENDING)
UNLOCKED = "unlock"


def view_on(snapshot: Snapshot, access: Access, table: str) -> View | None:
    """Return the module on a table, if the caller may view it. Of several the one that is called like the table counts."""
    modules = modules_of(snapshot, access.audience).values()
    found = sorted(
        (item for item in modules if item.table == table and item.has_id), key=lambda item: item.name != table
    )
    return view_of(snapshot, access, found[0].name) if found else None


def member_on(view: View, column: str) -> Member | None:
    """Return what the caller sees of a column."""
    return next((member for member in view.members.values() if member.field and member.field.column == column), None)


def target_on(view: View, column: str) -> Member | None:
    """Return the reference that a column is, if the caller may follow it."""
    found = member_on(view, column)
    return found if found is not None and found.target is not None else None
