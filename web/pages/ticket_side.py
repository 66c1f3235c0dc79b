"""What stands beside a ticket: who its customer is and what else he waits for, and the tickets that it is linked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from desk.permits import EVERYTHING
from desk.states import VIEWABLE_TYPES
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import EMPTY, Reader, Shown, selection_of, show
from web.pages.form_query import heading_of, row_id
from web.pages.list_page import reader_of
from web.pages.portions import ROW
from web.pages.ticket_query import state_type
from web.pages.ticket_sight import Part, Sight, desk_address, sight_of, ticket_address
from web.pages.view import Member, is_stamp, view_of
from web.pages.visit import Visit

OTHERS_MOST = 10
FACTS_MOST = 8
_LINKS = "query TicketLinks($id: ID!) { ticketLinks(ticket: $id) { ticket way type } ticketHold(ticket: $id) { keys } }"
_KNOWN = frozenset({"NORMAL", "PARENT", "CHILD"})


@dataclass(frozen=True, slots=True)
class Other:
    """Another ticket in a small list."""

    id: str
    url: str
    number: str
    title: str
    state: Shown
    way: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A row of customers: what it is called, where its page is, and what is known of it."""

    heading: str
    label: str
    url: str
    facts: tuple[tuple[str, Shown], ...]


async def show_customer(visit: Visit) -> Response:
    """Show the customer and his other open tickets; htmx gets them as a part of the page."""
    sight = sight_of(visit)
    found = [(column, item) for column in ("customer_user_id", "customer_id") if (item := sight.member(column))]
    parts = {column: _part(visit, item) for column, item in found}
    asked = " ".join(_selection(item, parts[column]) for column, item in found)
    document = (
        f"query TicketCustomer($id: ID!) {{ {ROW}: {sight.view.module.one_root}(by: {{id: $id}}) {{ id {asked} }} }}"
    )
    row = (await visit.ask(document, {"id": row_id(visit)})).data[ROW]
    if row is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    reader = reader_of(visit, brief=False)
    people = [made for column, item in found if (made := _person(item, parts[column], row, reader)) is not None]
    by, value = _narrowing(found, row)
    others, is_cut = await _others(visit, sight, by, value) if by else ([], False)
    return visit.page(
        "ticket/customer.html",
        block="customer" if visit.is_htmx else "",
        view=sight.view,
        address=ticket_address(visit, sight),
        people=people,
        others=others,
        has_customer=bool(by),
        all=f"/modules/{sight.view.module.name}?{urlencode({f'f.{by}': value})}" if is_cut else "",
    )


async def show_links(visit: Visit) -> Response:
    """Show the linked tickets; htmx gets them as a part of the page."""
    sight = sight_of(visit)
    data = (await visit.ask(_LINKS, {"id": row_id(visit)})).data
    links = data["ticketLinks"]
    if links is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    document = (
        f"query TicketsLinked($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {sight.view.module.type_name} "
        f"{{ id {_shown(sight)} }} }} }}"
    )
    nodes = (await visit.ask(document, {"ids": [item["ticket"] for item in links]})).data["nodes"] if links else []
    rows = {node["id"]: node for node in nodes if node}
    reader = reader_of(visit)
    return visit.page(
        "ticket/links.html",
        block="links" if visit.is_htmx else "",
        view=sight.view,
        address=ticket_address(visit, sight),
        desk=desk_address(visit, sight),
        links=[_other(sight, rows[item["ticket"]], reader, item) for item in links if item["ticket"] in rows],
        may_link=EVERYTHING in data["ticketHold"]["keys"],
    )


# --- the customer ---


def _part(visit: Visit, item: Member) -> Part | None:
    view = view_of(visit.snapshot, visit.access, item.target.name) if item.target is not None else None
    return Part(view) if view is not None else None


def _selection(item: Member, part: Part | None) -> str:
    if part is None or item.target is None:
        return item.name
    raw = item.field.raw_name if item.field is not None and item.field.raw_name else ""
    shown = " ".join(selection_of(member) for member in _facts(part))
    own = "id" if part.view.module.has_id else ""
    return f"{raw} {item.name} {{ {own} {item.shown} {item.called} {shown} }}"


def _facts(part: Part) -> list[Member]:
    """Return what is told of a customer: the columns of its list, then lines of text."""
    listed = [item for item in part.view.columns if item.kind != "validity"]
    more = [
        item
        for item in part.view.members.values()
        if item.kind in {"email", "phone", "string"} and item.field is not None
    ]
    found = {item.name: item for item in [*listed, *more] if item.target is None and not is_stamp(item)}
    return list(found.values())[: 2 * FACTS_MOST]


def _person(item: Member, part: Part | None, row: Mapping[str, Any], reader: Reader) -> Person | None:
    label = item.label.in_language(reader.texts.language)
    value = row[item.name]
    raw = row.get(item.field.raw_name) if item.field is not None and item.field.raw_name else None
    if part is None or not isinstance(value, Mapping):
        told = str(value if value is not None and not isinstance(value, Mapping) else raw or "")
        return Person(told, label, "", ()) if told else None
    heading = heading_of(part.view, value) if _has_title(part, value) else str(value.get(item.called) or "")
    url = f"/modules/{part.view.module.name}/{value['id']}" if value.get("id") else ""
    facts = (
        (member.label.in_language(reader.texts.language), show(value.get(member.name), member, reader))
        for member in _facts(part)
    )
    return Person(
        heading,
        label,
        url,
        tuple(fact for fact in facts if not fact[1].is_empty and fact[1].text != heading)[:FACTS_MOST],
    )


def _has_title(part: Part, value: Mapping[str, Any]) -> bool:
    title = part.view.title
    return title is not None and title.name in value


def _narrowing(found: Sequence[tuple[str, Member]], row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the filter that finds the customer's tickets: by the person, else by the company."""
    for _, item in found:
        name = item.field.raw_name if item.field is not None and item.field.raw_name else item.name
        value = row.get(name)
        if isinstance(value, str) and value:
            return name, value
    return "", ""


async def _others(visit: Visit, sight: Sight, by: str, value: str) -> tuple[list[Other], bool]:
    """Find the customer's other open tickets, the newest first."""
    state, kind, module = sight.member("ticket_state_id"), state_type(sight), sight.view.module
    wanted: dict[str, Any] = {by: {"eq": value}}
    if state is not None and kind is not None:
        wanted[state.name] = {kind.name: {kind.called: {"in": sorted(VIEWABLE_TYPES)}}}
    order = "orderBy: [{databaseId: DESC}], " if module.has_database_id else ""
    document = (
        f"query CustomersTickets($filter: {module.type_name}Filter!) {{ {module.many_root}({order}first: {OTHERS_MOST + 1}, "
        f"filter: $filter) {{ nodes {{ id {_shown(sight)} }} }} }}"
    )
    nodes = (await visit.ask(document, {"filter": wanted})).data[module.many_root]["nodes"]
    reader = reader_of(visit)
    others = [_other(sight, node, reader) for node in nodes if node["id"] != row_id(visit)]
    return others[:OTHERS_MOST], len(others) > OTHERS_MOST


# --- tickets in small lists ---


def _shown(sight: Sight) -> str:
    found = (sight.member(column) for column in ("tn", "title", "ticket_state_id"))
    return " ".join(selection_of(item) for item in found if item is not None)


def _other(sight: Sight, node: Mapping[str, Any], reader: Reader, link: Mapping[str, Any] | None = None) -> Other:
    number, title, state = (sight.member(column) for column in ("tn", "title", "ticket_state_id"))
    shown = show(node[state.name], state, reader) if state else EMPTY
    way = str(link["way"]) if link else ""
    return Other(
        str(node["id"]),
        f"/modules/{sight.view.module.name}/{node['id']}",
        str(node[number.name]) if number else str(node["id"]),
        str(node[title.name] or "") if title else "",
        Shown(shown.text),
        way if way in _KNOWN else "",
        str(link["type"]) if link else "",
    )
