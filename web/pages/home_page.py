"""Home: what somebody does next, then the modules. One operation for what waits; desks without tickets have the modules alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from identity.principals import person_of
from schema.spec import Audience
from web.errors import Refused
from web.pages.cells import Reader, Shown, show_moment
from web.pages.home_query import DRAFTS, Shelf, shelves_of, write_home
from web.pages.list_page import reader_of
from web.pages.navigation import sections_of
from web.pages.otrs_tables import TICKET, view_on
from web.pages.safe_next import safe_next
from web.pages.visit import Visit
from web.pages.work_overview import bench_of, queues_with
from web.pages.work_piles import Bench, column_piles, list_address, states_by_type
from web.pages.work_tables import ticket_address

SERVER = "query HomeServer { modules { state } lambdaSandbox { isOn } }"
DRAFT_LETTERS = 90
DUE = "due"  # is not there where nothing is


@dataclass(frozen=True, slots=True)
class Item:
    """A ticket or a draft, with where it is."""

    title: str
    url: str
    number: str
    queue: str
    when: Shown | None


@dataclass(frozen=True, slots=True)
class Board:
    """A short list with its name, how many there are in all, and where."""

    name: str
    items: Sequence[Item]
    count: int
    url: str


async def show_home(visit: Visit) -> Response:
    """Show what somebody does next, and every module that the caller may view, by section. Customers begin with their tickets."""
    if visit.audience is Audience.CUSTOMER and view_on(visit.snapshot, visit.access, TICKET) is not None:
        return visit.see("/my")
    told = await _told(visit)
    menu = sections_of(visit.snapshot, visit.access, visit.texts)
    return visit.page("home.html", menu=menu, **told, **await _server(visit))


async def _told(visit: Visit) -> Mapping[str, Any]:
    try:
        bench = bench_of(visit)
    except Refused:  # a desk without tickets, or somebody who may not see them
        return {"boards": (), "tiles": ()}
    return await _for_agent(visit, bench)


async def _for_agent(visit: Visit, bench: Bench) -> Mapping[str, Any]:
    moment = datetime.now(UTC).replace(second=0, microsecond=0)
    zone, person = visit.look.time_zone(), person_of(visit.caller.principal)
    shelves = shelves_of(bench, person.login if person else "", queues_with(visit, "ro"), moment, zone)
    counted = column_piles(bench, moment, zone)
    document = write_home(bench, shelves, counted, drafts=person is not None)
    piles = [*(shelf.pile for shelf in shelves), *counted]
    data = (await visit.ask(document, {pile.name: pile.filter for pile in piles})).data
    states = states_by_type(data["states"]["nodes"])
    reader = reader_of(visit)
    boards = [_board(bench, shelf, data[shelf.pile.name], states, reader) for shelf in shelves]
    drafts = [_draft(item, reader) for item in data.get("drafts", ())]
    return {
        "boards": [
            *(item for item in boards if item.items or item.name != DUE),
            *([Board("drafts", drafts[:DRAFTS], len(drafts), "")] if drafts else []),
        ],
        "tiles": [(pile.name, data[pile.name]["totalCount"], list_address(bench, pile, states)) for pile in counted],
    }


async def _server(visit: Visit) -> Mapping[str, Any]:
    """Return, for administrators, how many modules are broken and whether lambdas run."""
    if not visit.access.is_administrator:
        return {"broken": 0, "is_off": False}
    try:
        data = (await visit.ask(SERVER)).data
    except Refused:  # how the server is can be read on its own page; home is there without it
        return {"broken": 0, "is_off": False}
    states = Counter(item["state"] for item in data["modules"])
    return {"broken": states["BROKEN"] + states["STALE"], "is_off": not data["lambdaSandbox"]["isOn"]}


def _board(
    bench: Bench, shelf: Shelf, found: Mapping[str, Any], states: Mapping[str, Sequence[str]], reader: Reader
) -> Board:
    items = [_item(ticket_address(bench.view, node["id"]), node, reader) for node in found["nodes"]]
    return Board(shelf.pile.name, items, found["totalCount"], list_address(bench, shelf.pile, states))


def _item(url: str, node: Mapping[str, Any], reader: Reader) -> Item:
    made, queue = node.get("made"), node.get("queue")
    return Item(
        title=str(node.get("title") or node.get("number") or node["id"]),
        url=url,
        number=str(node.get("number") or ""),
        queue=str(queue["name"]) if queue else "",
        when=show_moment(made, reader) if made else None,
    )


def _draft(item: Mapping[str, Any], reader: Reader) -> Item:
    """Show what somebody has begun to write. Its place leads back where it is the address of a page."""
    content = item["content"] if isinstance(item["content"], dict) else {}
    texts = [" ".join(text.split()) for text in content.values() if isinstance(text, str) and text.strip()]
    place = str(item["place"])
    url = safe_next(place) if place.startswith("/") else ""
    title = max(texts, key=len, default=place)[:DRAFT_LETTERS]
    return Item(title, url, "", "", show_moment(item["changedAt"], reader))
