"""Where the values of a template's placeholders come from: columns of OTRS's tables, as far as the caller may read them.

Everything is asked for in one operation of the caller's own, so that no rule can be passed by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from identity.access import Access
from schema.snapshot import Snapshot
from web.pages.otrs_tables import ARTICLE, QUEUE, TICKET, member_on, target_on, view_on
from web.pages.view import View, view_of

# By the names of OTRS, in which case counts for nothing: the columns that they speak of.
TICKET_COLUMNS: Mapping[str, str] = {
    "TICKETNUMBER": "tn", "TITLE": "title", "QUEUE": "queue_id", "STATE": "ticket_state_id", "PRIORITY": "ticket_priority_id",
    "LOCK": "ticket_lock_id", "TYPE": "type_id", "SERVICE": "service_id", "SLA": "sla_id", "OWNER": "user_id",
    "RESPONSIBLE": "responsible_user_id", "CREATED": "create_time", "CHANGED": "change_time", "CUSTOMERID": "customer_id",
    "CUSTOMERUSERID": "customer_user_id",
}  # fmt: skip
AGENT_COLUMNS: Mapping[str, str] = {
    "USERFIRSTNAME": "first_name", "USERLASTNAME": "last_name", "USERLOGIN": "login", "USERTITLE": "title",
}  # fmt: skip
CUSTOMER_COLUMNS: Mapping[str, str] = {
    **AGENT_COLUMNS, "USEREMAIL": "email", "USERPHONE": "phone", "USERFAX": "fax", "USERMOBILE": "mobile", "USERSTREET": "street",
    "USERZIP": "zip", "USERCITY": "city", "USERCOUNTRY": "country", "CUSTOMERCOMPANYNAME": "customer_id",
}  # fmt: skip
_CONTENT = {"SUBJECT": "a_subject", "BODY": "a_body", "FROM": "a_from", "TO": "a_to"}
# A person of a ticket: the column that he stands in, the table of his columns, and the names that placeholders begin with.
_PEOPLE: Sequence[tuple[str, Mapping[str, str], tuple[str, ...]]] = (
    ("user_id", AGENT_COLUMNS, ("OWNER_", "TICKET_OWNER_")),
    ("responsible_user_id", AGENT_COLUMNS, ("RESPONSIBLE_", "TICKET_RESPONSIBLE_")),
    ("customer_user_id", CUSTOMER_COLUMNS, ("CUSTOMER_DATA_", "CUSTOMER_")),
)
_DYNAMIC = "DYNAMICFIELD_"
ME = ("CURRENT_", "AGENT_")
CUSTOMER = ("CUSTOMER_DATA_", "CUSTOMER_")


@dataclass
class Wanted:
    """What an operation asks for, as it grows: its variables, its root fields, and how values are found in the answer."""

    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)

    def give(self, name: str, type_: str, value: Any) -> str:
        """Add a variable."""
        self.declared.append(f"${name}: {type_}")
        self.variables[name] = value
        return f"${name}"

    @property
    def document(self) -> str:
        """The operation."""
        head = f"({', '.join(self.declared)})" if self.declared else ""
        return f"query TextValues{head} {{ {' '.join(self.roots)} }}"


@dataclass(frozen=True)
class Sources:
    """The modules on OTRS's tables as the caller sees them."""

    snapshot: Snapshot
    access: Access

    def view(self, table: str) -> View | None:
        """Return the module on a table."""
        return view_on(self.snapshot, self.access, table)

    def columns(self, view: View, wanted: Mapping[str, str]) -> str:
        """Select columns, each under its placeholder's name."""
        parts = []
        for name, column in wanted.items():
            member = member_on(view, column)
            raw = member.field.raw_name if member is not None and member.field is not None else None
            if raw and name.endswith("ID"):
                parts.append(f"{name}: {raw}")
            elif member is not None:
                inner = f" {{ value: {member.called or member.shown} }}" if member.target is not None else ""
                parts.append(f"{name}: {member.name}{inner}")
        return " ".join(parts)

    def ticket(self, view: View) -> str:
        """Select all that placeholders tell of a ticket: of itself, of its people, of what was written last."""
        parts = [
            self.columns(view, TICKET_COLUMNS),
            *(f"{name}: {field}" for name, field in self.dynamic(view).items()),
        ]
        for column, wanted, prefixes in _PEOPLE:
            member = target_on(view, column)
            target = view_of(self.snapshot, self.access, member.target.name) if member and member.target else None
            inner = self.columns(target, wanted) if target else ""
            parts += [f"{prefixes[0]}: {member.name} {{ {inner} }}"] if member and inner else []
        return " ".join([*parts, *self._articles(view)])

    def dynamic(self, view: View) -> Mapping[str, str]:
        """Return the dynamic fields of tickets by their placeholders' names."""
        members = ((member.name, member.field.dynamic) for member in view.members.values() if member.field)
        named = {f"{_DYNAMIC}{dynamic.name.upper()}": name for name, dynamic in members if dynamic is not None}
        return {name: field for name, field in named.items() if name.replace("_", "").isascii() and name.isidentifier()}

    def _articles(self, view: View) -> list[str]:
        name = next((name for name, (_, target) in view.relations.items() if target.table == ARTICLE), "")
        article = self.view(ARTICLE)
        sender = target_on(article, "article_sender_type_id") if article else None
        content = target_on(article, "id") if article else None
        mime = view_of(self.snapshot, self.access, content.target.name) if content and content.target else None
        if not name or sender is None or content is None or mime is None:
            return []
        inner = self.columns(mime, _CONTENT)
        return [
            f'{kind}_LAST: {name}(last: 1, filter: {{{sender.name}: {{{sender.shown}: {{eq: "{kind.lower()}"}}}}}}) '
            f"{{ nodes {{ content: {content.name} {{ {inner} }} }} }}"
            for kind in ("CUSTOMER", "AGENT")
            if inner
        ]

    def templates(self, queue: View) -> str:
        """Select the templates of a queue; nothing where the caller may not see them."""
        found = next((item for item in queue.relations.items() if item[1][1].table == "standard_template"), None)
        target = view_of(self.snapshot, self.access, found[1][1].name) if found else None
        if found is None or target is None:
            return ""
        names = {"name": "name", "kind": "template_type", "text": "text", "type": "content_type"}
        shown = {key: member for key, column in names.items() if (member := member_on(target, column)) is not None}
        valid = member_on(target, "valid_id")
        if not {"name", "text"} <= set(shown):
            return ""
        narrowed = f", filter: {{{valid.name}: {{eq: VALID}}}}" if valid is not None else ""
        inner = " ".join(f"{key}: {member.name}" for key, member in shown.items())
        return f"templates: {found[0]}(first: 200{narrowed}) {{ nodes {{ id {inner} }} }}"


def ask_ticket(sources: Sources, wanted: Wanted, ticket: str) -> None:
    """Ask for a ticket with the templates of its queue."""
    view = sources.view(TICKET)
    queue = target_on(view, "queue_id") if view else None
    target = sources.view(QUEUE)
    if view is None or queue is None or target is None:
        return
    key = wanted.give("ticket", "ID!", ticket)
    wanted.roots.append(
        f"ticket: {view.module.one_root}(by: {{id: {key}}}) "
        f"{{ {sources.ticket(view)} home: {queue.name} {{ {sources.templates(target)} }} }}"
    )


def ask_queue(sources: Sources, wanted: Wanted, name: str) -> None:
    """Ask for the templates of a queue by its name."""
    view = sources.view(QUEUE)
    if view is not None:
        key = wanted.give("queue", "String!", name)
        wanted.roots.append(f"queue: {view.module.one_root}(by: {{name: {key}}}) {{ {sources.templates(view)} }}")


def ask_people(sources: Sources, wanted: Wanted, me: int, customer: str | None) -> None:
    """Ask for the caller himself, and for a customer by his login."""
    agents, customers = sources.view("users"), sources.view("customer_user")
    inner = sources.columns(agents, AGENT_COLUMNS) if agents else ""
    if agents is not None and inner:
        key = wanted.give("me", "Int!", me)
        wanted.roots.append(f"me: {agents.module.one_root}(by: {{databaseId: {key}}}) {{ {inner} }}")
    inner = sources.columns(customers, CUSTOMER_COLUMNS) if customers else ""
    if customer and customers is not None and inner:
        key = wanted.give("customer", "String!", customer)
        wanted.roots.append(f"customer: {customers.module.one_root}(by: {{login: {key}}}) {{ {inner} }}")


def read_values(data: Mapping[str, Any]) -> dict[str, str]:
    """Take an answer apart: values by the names of placeholders."""
    found: dict[str, str] = {}
    ticket = data.get("ticket") or {}
    _add(found, ("TICKET_",), ticket, [*TICKET_COLUMNS, *(name for name in ticket if name.startswith(_DYNAMIC))])
    for _, columns, prefixes in _PEOPLE:
        _add(found, prefixes, ticket.get(prefixes[0]), columns)
    for kind in ("CUSTOMER", "AGENT"):
        nodes = (ticket.get(f"{kind}_LAST") or {}).get("nodes") or [None]
        content = (nodes[0] or {}).get("content")
        _add(found, (f"{kind}_",), content, _CONTENT)
        if f"{kind}_BODY" in found:
            found[f"{kind}_EMAIL"] = found[f"{kind}_BODY"]
    _add(found, CUSTOMER, data.get("customer"), CUSTOMER_COLUMNS)
    _add(found, ME, data.get("me"), AGENT_COLUMNS)
    return found


def _add(found: dict[str, str], prefixes: Sequence[str], row: Mapping[str, Any] | None, columns: Iterable[str]) -> None:
    """Note the values of a row. What is empty is known to be empty; what was not asked for is not known."""
    for name in columns:
        if row and name in row:
            value = row[name]
            told = value.get("value") if isinstance(value, dict) else value
            text = ", ".join(map(str, told)) if isinstance(told, list) else "" if told is None else str(told)
            found |= {f"{prefix}{name}": text for prefix in prefixes}
    for prefix in prefixes:
        names = [found.get(f"{prefix}{part}") for part in ("USERFIRSTNAME", "USERLASTNAME")]
        if None not in names:
            found[f"{prefix}USERFULLNAME"] = " ".join(part for part in names if part)
            if prefix == "CUSTOMER_":
                found["CUSTOMER_REALNAME"] = found[f"{prefix}USERFULLNAME"]
