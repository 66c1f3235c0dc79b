"""What the ticket page knows of the modules on OTRS's tables, found by tables and columns, as one caller sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from desk.permits import EVERYTHING, OWNER, PRIORITY
from desk.roles import Role, find_role
from identity.access import Access
from schema.snapshot import Snapshot
from schema.spec import Audience, Home
from schema.writes import Deed
from web.errors import NOTHING_HERE, Refused
from web.pages.form_query import form_members, row_id
from web.pages.view import Member, View, view_of
from web.pages.visit import Visit

MIME = "article_data_mime"
ATTACHMENT = "article_data_mime_attachment"
_BADGE = "badge"


@dataclass(frozen=True)
class Part:
    """A module that stands on a table of OTRS's: its members by their columns."""

    view: View

    @cached_property
    def columns(self) -> Mapping[str, Member]:
        """The members that are columns of the table."""
        return {
            item.column: member
            for member in self.view.members.values()
            if (item := member.field) is not None and item.home is Home.TABLE
        }

    def on(self, table: str) -> str:
        """Name the relation that leads to the rows of a table, or through it; empty where there is none for the caller."""
        for name, (item, target) in self.view.relations.items():
            if table in {item.through, target.table if item.through is None else None}:
                return name
        return ""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that are changed together, and the key that it takes."""

    name: str
    key: str
    members: tuple[Member, ...]


# What stands in the head of the page, by columns. `title` is changed there too, but stands above.
_GROUPS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("state", EVERYTHING, ("ticket_state_id", "until_time")),
    ("priority", PRIORITY, ("ticket_priority_id",)),
    ("queue", EVERYTHING, ("queue_id",)),
    ("owner", OWNER, ("user_id",)),
    ("lock", EVERYTHING, ("ticket_lock_id",)),
    ("responsible", EVERYTHING, ("responsible_user_id",)),
    ("customer", EVERYTHING, ("customer_user_id", "customer_id")),
    ("type", EVERYTHING, ("type_id",)),
    ("service", EVERYTHING, ("service_id", "sla_id")),
    ("title", EVERYTHING, ("title",)),
)


@dataclass(frozen=True)
class Sight:
    """The ticket page as one caller may see it."""

    ticket: Part
    article: Part | None
    articles: str  # the relation to them
    mime: Part | None
    attachment: Part | None
    attachments: str
    watchers: str
    state: Part | None

    @property
    def view(self) -> View:
        """The module of tickets."""
        return self.ticket.view

    @cached_property
    def badges(self) -> tuple[Member, ...]:
        """The computed badges: those of the site's lambdas too."""
        return tuple(item for item in self.view.members.values() if item.kind == _BADGE)

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """The groups of fields that the caller sees."""
        found = {}
        for name, key, columns in _GROUPS:
            members = tuple(self.ticket.columns[column] for column in columns if column in self.ticket.columns)
            if members:
                found[name] = Group(name, key, members)
        return found

    @cached_property
    def writable(self) -> frozenset[str]:
        """Name the fields that the caller may change in some tickets."""
        if not self.view.may(Deed.UPDATE):
            return frozenset()
        return frozenset(item.name for item in form_members(self.view, is_new=False))

    def member(self, column: str) -> Member | None:
        """Return what stands for a column of the ticket."""
        return self.ticket.columns.get(column)


def sight_of(visit: Visit) -> Sight:
    """Return the ticket page of the module that the address names. Raises `Refused` (404) where it is none of tickets."""
    found = find_sight(visit, visit.view())
    if found is None:
        raise Refused(404, NOTHING_HERE)
    return found


def find_sight(visit: Visit, view: View) -> Sight | None:
    """Return the ticket page of a module; None for any other module, and for customers."""
    if visit.audience is not Audience.AGENT or view.module is not find_role(visit.snapshot.modules, Role.TICKET):
        return None
    key = ("ticket sight", visit.access.rights.shape)
    found: Sight | None = visit.snapshot.memo.get(key)
    if found is None:
        found = visit.snapshot.memo[key] = _make(visit.snapshot, visit.access, view)
    return found


def desk_address(visit: Visit, sight: Sight, rest: str = "") -> str:
    """Return where a deed of the desk with this ticket is."""
    return f"{ticket_address(visit, sight)}/desk{rest}"


def ticket_address(visit: Visit, sight: Sight) -> str:
    """Return where the ticket's page is. A global id is letters of base64, and what is none is not found."""
    return f"/modules/{sight.view.module.name}/{row_id(visit)}"


def _make(snapshot: Snapshot, access: Access, view: View) -> Sight:
    ticket = Part(view)

    def part(name: str | None) -> Part | None:
        found = view_of(snapshot, access, name) if name else None
        return Part(found) if found is not None else None

    articles = ticket.on(Role.ARTICLE)
    article = part(view.relations[articles][1].name) if articles else None
    attachments = article.on(ATTACHMENT) if article else ""
    content = next(
        (item for item in article.view.members.values() if item.target is not None and item.target.table == MIME)
        if article
        else iter(()),
        None,
    )
    state = ticket.columns.get("ticket_state_id")
    return Sight(
        ticket,
        article,
        articles if article else "",
        part(content.target.name) if content is not None and content.target is not None else None,
        part(article.view.relations[attachments][1].name) if article and attachments else None,
        attachments,
        ticket.on(Role.WATCHER),
        part(state.target.name) if state is not None and state.target is not None else None,
    )
