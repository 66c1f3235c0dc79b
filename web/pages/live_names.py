"""How pages name what they watch: by their own addresses."""

from __future__ import annotations

from urllib.parse import quote

from web.pages.list_state import ListState
from web.pages.view import View


def list_watch(state: ListState) -> str:
    """Return what a list watches: its filter, whatever its page, order and columns are."""
    kept = state.address(sort=None, is_sorted=False, size=state.usual_size, chosen=(), search="")
    return kept if may_be_watched(state.view) else ""


def row_watch(view: View, row_id: str, relation: str = "") -> str:
    """Return what the page of a row watches: the row, or the rows of a relation."""
    base = f"/modules/{view.module.name}/{quote(row_id)}"
    if not relation:
        return base if may_be_watched(view) else ""
    return f"{base}/related/{relation}" if other_end(view, relation) is not None else ""


def may_be_watched(view: View) -> bool:
    """Answer whether the API tells of changes of a module's rows."""
    return view.module.has_id


def other_end(view: View, relation: str) -> tuple[View, str] | None:
    """Return the module that a relation leads to, and its reference back; None where it has none, or the caller may not use it."""
    item, target = view.relations.get(relation, (None, None))
    if item is None or target is None or item.by is None:
        return None
    other = View(target, view.audience, view.access, view.modules)
    back = next((member for member in other.members.values() if member.field and member.field.name == item.by), None)
    return (other, back.name) if back is not None and back.target is not None and back.filters else None
