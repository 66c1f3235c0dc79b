"""Two tickets: one merged into another, or linked with it. The other one is found by its number, or by words of its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.form_page import UNPROCESSABLE
from web.pages.form_query import heading_of, row_id
from web.pages.portions import ROW
from web.pages.said import say
from web.pages.ticket_deeds import REFUSED, carry_out, deal_of, refusal, send
from web.pages.ticket_sight import Sight, sight_of, ticket_address
from web.pages.visit import Visit

OTHER = "other"
WAY = "way"
WAYS = ("NORMAL", "CHILD", "PARENT")  # what the other ticket is to this one
SEARCH_LETTERS = 100
FOUND_MOST = 10
_BOTH = "PARENT_CHILD"


@dataclass(frozen=True, slots=True)
class Choice:
    """A ticket that may be meant."""

    number: str
    title: str


async def show_merge(visit: Visit) -> Response:
    """Show the form of a merge."""
    return await _form(visit, "merge")


async def show_link(visit: Visit) -> Response:
    """Show the form of a link."""
    return await _form(visit, "link")


async def take_merge(visit: Visit) -> Response:
    """Merge the ticket into another one, and go there."""
    sight = sight_of(visit)
    number = _number(visit)
    choices = await find(visit, sight, number)
    if number not in {item.number for item in choices}:
        return await _form(visit, "merge", choices=choices, status=UNPROCESSABLE)
    deal = deal_of("mergeTickets", {"ticket": {"id": row_id(visit)}, "into": _key(sight, number)}, "ticket { id }")
    done = await send(visit, deal)
    if done.is_done:
        return visit.see(say(f"/modules/{sight.view.module.name}/{done.payload['ticket']['id']}", "ticket-merged"))
    return await _form(visit, "merge", choices=choices, problem=refusal(visit, done), status=REFUSED)


async def take_link(visit: Visit) -> Response:
    """Link the ticket with another one."""
    sight = sight_of(visit)
    number = _number(visit)
    choices = await find(visit, sight, number)
    if number not in {item.number for item in choices}:
        return await _form(visit, "link", choices=choices, status=UNPROCESSABLE)
    own, other = {"id": row_id(visit)}, _key(sight, number)
    way = visit.form.one(WAY)
    done = await send(visit, deal_of("linkTickets", _linked(own, other, way)))
    if done.is_done:
        return visit.see(say(ticket_address(visit, sight), "ticket-linked"))
    return await _form(visit, "link", choices=choices, problem=refusal(visit, done), status=REFUSED)


async def take_unlink(visit: Visit) -> Response:
    """Take a link away."""
    own, other = {"id": row_id(visit)}, {"id": visit.form.one(OTHER)}
    deal = deal_of("unlinkTickets", _linked(own, other, visit.form.one(WAY)))
    return await carry_out(visit, sight_of(visit), deal, "ticket-unlinked")


async def show_found(visit: Visit) -> Response:
    """Answer with tickets that what was typed may mean."""
    sight = sight_of(visit)
    found = await find(visit, sight, visit.request.query_params.get(OTHER, "")[:SEARCH_LETTERS].strip())
    return visit.page("options.html", options=[(item.number, f"{item.number} · {item.title}") for item in found])


async def find(visit: Visit, sight: Sight, typed: str) -> list[Choice]:
    """Find tickets by their number or its beginning, or by a part of their title; never this one."""
    number, title = sight.member("tn"), sight.member("title")
    if not typed or number is None:
        return []
    wanted: Mapping[str, Any] = {number.name: {"startsWith": typed}}
    if title is not None and title.filters and not typed.isdigit():
        wanted = {title.name: {"contains": typed}}
    module = sight.view.module
    shown = " ".join(["id", *(item.name for item in (number, title) if item is not None)])
    order = "orderBy: [{databaseId: DESC}], " if module.has_database_id else ""
    document = (
        f"query TicketsFound($key: {module.type_name}Key!, $filter: {module.type_name}Filter!) "
        f"{{ exact: {module.one_root}(by: $key) {{ {shown} }} "
        f"found: {module.many_root}({order}first: {FOUND_MOST + 1}, filter: $filter) {{ nodes {{ {shown} }} }} }}"
    )
    answer = await visit.ask(document, {"key": {number.name: typed}, "filter": wanted})
    nodes: list[Mapping[str, Any]] = [answer.data["exact"], *answer.data["found"]["nodes"]]
    found = {
        str(node[number.name]): str(node[title.name] or "") if title else ""
        for node in nodes
        if node is not None and node["id"] != row_id(visit)
    }
    return [Choice(*item) for item in found.items()][:FOUND_MOST]


async def _form(
    visit: Visit, deed: str, *, choices: Sequence[Choice] = (), problem: str = "", status: int = 200
) -> Response:
    sight = sight_of(visit)
    title = sight.view.title
    shown = title.name if title is not None and title.target is None else ""
    document = f"query TicketJoined($id: ID!) {{ {ROW}: {sight.view.module.one_root}(by: {{id: $id}}) {{ id databaseId {shown} }} }}"
    row = (await visit.ask(document, {"id": row_id(visit)})).data[ROW]
    if row is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    typed = _number(visit)
    return visit.page(
        "ticket/join.html",
        status,
        view=sight.view,
        deed=deed,
        heading=heading_of(sight.view, row),
        address=ticket_address(visit, sight),
        desk=f"{ticket_address(visit, sight)}/desk",
        typed=typed,
        way=visit.form.one(WAY) if visit.form.one(WAY) in WAYS else WAYS[0],
        ways=WAYS,
        choices=choices,
        problem=problem or (visit.texts("ticket-which" if choices else "ticket-none-such") if status != 200 else ""),  # noqa: PLR2004 - as HTTP has it
    )


def _number(visit: Visit) -> str:
    return visit.form.one(OTHER)[:SEARCH_LETTERS].strip()


def _key(sight: Sight, number: str) -> Mapping[str, str]:
    item = sight.member("tn")
    return {item.name: number} if item is not None else {}


def _linked(own: Mapping[str, str], other: Mapping[str, str], way: str) -> Mapping[str, Any]:
    """Return the input of a link: a parent is named first."""
    first, second = (other, own) if way == "PARENT" else (own, other)
    return {"ticket": first, "other": second, "type": "NORMAL" if way not in {"CHILD", "PARENT"} else _BOTH}
