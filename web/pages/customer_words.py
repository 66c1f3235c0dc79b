"""What customers are told of tickets, in words that need no knowledge of the desk; and what their pages ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from desk.plain_text import plain_text
from schema.spec import Audience
from web.pages.cells import Shown, show_moment
from web.pages.list_page import reader_of
from web.pages.otrs_tables import AUTO, CLOSED, MERGED, NEW, OPEN, REMINDER, REMOVED, TICKET, member_on, target_on
from web.pages.view import Member, View
from web.pages.visit import Visit
from web.pages.work_tables import audience_only, the_target, the_view, view_behind

# By the type of a state: the key of its word, and its tone.
WORDS: Mapping[str, tuple[str, str]] = {
    NEW: ("my-state-new", "blue"),
    OPEN: ("my-state-open", "amber"),
    REMINDER: ("my-state-waiting", "purple"),
    AUTO: ("my-state-ending", "teal"),
    CLOSED: ("my-state-closed", "green"),
    MERGED: ("my-state-merged", "gray"),
    REMOVED: ("my-state-removed", "gray"),
}
ENDED = (CLOSED, MERGED, REMOVED)
SILENT = (MERGED, REMOVED)  # no answers go there
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Desk:
    """The columns of tickets that customers' pages are made of."""

    view: View
    state: Member
    kind: Member

    def select(self) -> str:
        """Select what is told of a ticket."""
        columns = {"number": "tn", "title": "title", "created": "create_time", "changed": "change_time"}
        parts = [f"{key}: {found.name}" for key, name in columns.items() if (found := member_on(self.view, name))]
        owner = member_on(self.view, "customer_user_id")
        if owner is not None and owner.field is not None and owner.field.raw_name:
            parts.append(f"login: {owner.field.raw_name}")
        queue = target_on(self.view, "queue_id")
        parts += [f"queue: {queue.name} {{ name: {queue.shown} }}"] if queue is not None else []
        kind = f"kind: {self.kind.name} {{ name: {self.kind.shown} }}"
        return " ".join(["id", *parts, f"state: {self.state.name} {{ name: {self.state.shown} {kind} }}"])

    def is_ended(self, *, ended: bool) -> Mapping[str, Any]:
        """Return the filter for tickets that are over, or are not."""
        return {self.state.name: {self.kind.name: {self.kind.shown: {"in" if ended else "notIn": list(ENDED)}}}}


@dataclass(frozen=True, slots=True)
class Told:
    """A ticket as its customer reads it."""

    url: str
    number: str
    title: str
    queue: str
    state: Shown
    kind: str  # of its state
    login: str
    created: Shown
    changed: Shown


def desk_of(visit: Visit) -> Desk:
    """Return what customers' pages are made of. Raises `Refused` (404) for agents, and where there are no tickets."""
    audience_only(visit, Audience.CUSTOMER)
    view = the_view(visit, TICKET)
    state, states = the_target(view, "ticket_state_id")
    kind, _ = the_target(view_behind(visit, states), "type_id")
    return Desk(view, state, kind)


def tell(visit: Visit, node: Mapping[str, Any]) -> Told:
    """Put a ticket into words."""
    reader = reader_of(visit)
    state = node["state"] or {}
    kind = str((state.get("kind") or {}).get("name") or "")
    key, tone = WORDS.get(kind, ("", "gray"))
    word = visit.texts(key) if key else str(state.get("name") or "")
    return Told(
        f"/my/{node['id']}",
        str(node.get("number") or ""),
        str(node.get("title") or ""),
        str((node.get("queue") or {}).get("name") or ""),
        Shown(word, "tone", tone=tone),
        kind,
        str(node.get("login") or ""),
        show_moment(node.get("created"), reader),
        show_moment(node.get("changed"), reader),
    )


def name_of(sender: str) -> tuple[str, str]:
    """Return the name and the address that stand in a sender's line."""
    name, address = parseaddr(sender)
    return name or address or sender, address


def body_of(content: Mapping[str, Any]) -> str:
    """Return the text of a message; of one that is kept as HTML, what it says."""
    body = str(content.get("body") or "")
    return plain_text(body) if str(content.get("type") or "").strip().lower().startswith(HTML) else body
