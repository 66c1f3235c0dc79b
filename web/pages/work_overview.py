"""The overview of the queues: what waits where, and what waits for oneself. One operation, however many queues there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from identity.principals import person_of
from schema.spec import Audience
from schema.writes import Deed
from web.pages.otrs_tables import QUEUE, TICKET, member_on
from web.pages.visit import Visit
from web.pages.work_piles import (
    MOST_QUEUES,
    Bench,
    Pile,
    column_piles,
    counts_by_queue,
    list_address,
    of_queue,
    own_piles,
    states_by_type,
    write_document,
)
from web.pages.work_queues import Node, tree_of
from web.pages.work_tables import audience_only, the_target, the_view, view_behind

EVERY = "every"


async def show_overview(visit: Visit) -> Response:
    """Show the queues with what waits in them."""
    bench = bench_of(visit)
    every = visit.request.query_params.get(EVERY) == "1"
    moment = datetime.now(UTC).replace(second=0, microsecond=0)
    person = person_of(visit.caller.principal)
    columns = column_piles(bench, moment, visit.look.time_zone())
    own = own_piles(bench, person.login if person else "")
    variables = {"queues": queues_with(visit, "ro"), **{pile.name: pile.filter for pile in (*columns, *own)}}
    data = (await visit.ask(write_document(bench, columns, own), variables)).data
    names = [str(node["name"]) for node in data["queues"]["nodes"]]
    counts = {pile.name: counts_by_queue(data[pile.name]) for pile in columns}
    states = states_by_type(data["states"]["nodes"])
    addresses = {pile.name: list_address(bench, pile, states) for pile in (*columns, *own)}

    def cell(pile: Pile, node: Node) -> tuple[int, str]:
        count = node.counts.get(pile.name, 0)
        return count, of_queue(bench, addresses[pile.name], node.name) if count else ""

    return visit.page(
        "work/overview.html",
        columns=[(pile.name, sum(counts[pile.name].values()), addresses[pile.name]) for pile in columns],
        nodes=[(node, [cell(pile, node) for pile in columns]) for node in tree_of(names, counts, every=every)],
        own=[(pile.name, data[pile.name]["totalCount"], addresses[pile.name]) for pile in own],
        every=every,
        most=MOST_QUEUES if len(names) >= MOST_QUEUES else 0,
        creates=bench.view.may(Deed.CREATE),
    )


def bench_of(visit: Visit) -> Bench:
    """Return what an overview is made of. Raises `Refused` (404) where the caller has no such tables."""
    audience_only(visit, Audience.AGENT)
    view = the_view(visit, TICKET)
    queue, queues = the_target(view, "queue_id")
    state, states = the_target(view, "ticket_state_id")
    kind, _ = the_target(view_behind(visit, states), "type_id")
    return Bench(view, queue, queues, state, states, kind)


def queues_with(visit: Visit, key: str) -> Mapping[str, Any] | None:
    """Return the filter of the queues in whose group the caller has a key; None where he cannot ask for that."""
    group = member_on(the_view(visit, QUEUE), "group_id")
    if group is None or group.target is None or visit.access.rights.unbounded:
        return None
    return {group.name: {"databaseId": {"in": sorted(visit.access.rights.groups[key])}}}
