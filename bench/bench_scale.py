"""Lists and counts over a million tickets and three million articles, for an agent with 10 of 40 groups, on each database.

The row rule of tickets (group, owner, watcher) is in every statement. Lists are measured with each filter from the newest on,
in each order without a filter, and with every filter in every order: the last is what no index is made for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench import crowd
from bench.run import Figure
from identity.principals import Agent
from identity.rights import RightsReader
from schema.collector import settle
from storage.engine import Database
from tests.databases import DIALECTS, fresh_url
from tests.desk.api import MODULES, Api, load, make_api

TICKETS = 1_000_000
FEW_TICKETS = 20_000
TURNS = 20  # of one request; of every combination of filter and order, a quarter, and none in a short look
FEW_TURNS = 3
PAGE_MS = 150.0
COUNTS_MS = 50.0
DEEP_MS = 20.0
DEEP = 50_000  # rows before a deep page, or a tenth of the tickets
PATIENCE_S = 300.0
OPEN_TYPES = ("new", "open", "pending reminder", "pending auto")

Variables = dict[str, Any]

PAGE = """query ($filter: TicketFilter, $order: [TicketOrder!], $after: String) {
  tickets(first: 25, filter: $filter, orderBy: $order, after: $after) {
    pageInfo { endCursor hasNextPage }
    nodes {
      databaseId number title createdAt changedAt customerId
      queue { name } state { name type { name } } priority { name } owner { login }
    }
  }
}"""
SKIP = """query ($offset: Int, $order: [TicketOrder!]) {
  tickets(first: 1, offset: $offset, orderBy: $order) { pageInfo { endCursor } }
}"""
COUNTS = """query ($filter: TicketFilter) {
  ticketAggregate(groupBy: [QUEUE], first: 500, filter: $filter) { count key { queue { databaseId name } } }
}"""
BELOW = """query ($filter: TicketFilter) {
  queues(first: 500) { nodes { databaseId name tickets(first: 1, filter: $filter) { totalCount } } }
}"""
OPEN = {"state": {"type": {"name": {"in": list(OPEN_TYPES)}}}}
# The same counts, by somebody who knows the tables.
BY_HAND = f"""SELECT t.queue_id, count(*) FROM ticket t JOIN queue q ON q.id = t.queue_id
  JOIN ticket_state s ON s.id = t.ticket_state_id JOIN ticket_state_type y ON y.id = s.type_id
  WHERE y.name IN {OPEN_TYPES} AND (
    t.user_id = {crowd.AGENT} OR q.group_id IN (SELECT group_id FROM group_user WHERE user_id = {crowd.AGENT})
    OR t.id IN (SELECT ticket_id FROM ticket_watcher WHERE user_id = {crowd.AGENT})
  ) GROUP BY t.queue_id"""  # noqa: S608 - numbers of ours


def _day(number: int, hour: int = 0) -> str:
    return f"2024-{1 + number % 12:02d}-{1 + number % 20:02d}T{hour:02d}:00:00Z"


# Each makes a filter of a number, so that no two requests in a row ask for the same rows.
FILTERS: Mapping[str, Callable[[int], Variables]] = {
    "queue": lambda n: {"queue": {"databaseId": {"eq": crowd.FIRST_QUEUE + n * 4 % crowd.QUEUES}}},
    "open of a queue": lambda n: {"queue": {"databaseId": {"eq": crowd.FIRST_QUEUE + n * 4 % crowd.QUEUES}}, **OPEN},
    "open": lambda _: OPEN,
    "state": lambda n: {"state": {"databaseId": {"eq": 1 + n % 9}}},
    "priority": lambda n: {"priority": {"databaseId": {"eq": 1 + n % 5}}},
    "lock": lambda n: {"lock": {"databaseId": {"eq": 1 + n % 2}}},
    "not archived": lambda _: {"archived": {"eq": False}},
    "owner": lambda n: {"owner": {"databaseId": {"eq": 2 + n}}},
    "responsible": lambda n: {"responsible": {"databaseId": {"eq": 2 + n}}},
    "customer": lambda n: {"customerId": {"eq": f"company{n * 17}"}},
    "customer user": lambda n: {"customerUserLogin": {"eq": f"customer{n * 137}"}},
    "number": lambda n: {"number": {"eq": f"2023010110{crowd.FIRST_TICKET + n * 37}"}},
    "title": lambda n: {"title": {"eq": f"Printer is slow {n}"}},
    "created": lambda n: {"createdAt": {"gte": _day(n), "lt": _day(n, 23)}},
    "changed": lambda n: {"changedAt": {"gte": _day(n), "lt": _day(n, 23)}},
    "escalates": lambda n: {"escalatesAt": {"lt": f"2026-01-{1 + n % 10:02d}T00:00:00Z"}},
    "pending": lambda n: {"pendingUntil": {"lt": f"2026-01-{1 + n % 10:02d}T00:00:00Z"}},
}
NEWEST: Variables = {"createdAt": "DESC"}
ORDERS: Sequence[Variables] = [
    {name: direction} for name in ("databaseId", "number", "createdAt", "changedAt") for direction in ("ASC", "DESC")
]


def run(quick: bool) -> dict[str, Figure]:
    """Measure each database with as many tickets; it is dropped afterwards."""
    figures: dict[str, Figure] = {}
    for dialect in DIALECTS:
        figures |= measure(dialect, FEW_TICKETS if quick else TICKETS, FEW_TURNS if quick else TURNS)
    return figures


def measure(dialect: str, tickets: int, turns: int) -> dict[str, Figure]:
    """Measure one database."""
    with fresh_url(dialect) as url:
        found = asyncio.run(_measure(url, tickets, turns))
    return {f"{dialect}: {name}": figure for name, figure in found.items()}


async def _measure(url: str, tickets: int, turns: int) -> dict[str, Figure]:
    database = Database(url)
    try:
        started = time.perf_counter()
        await crowd.fill(database, tickets)
        figures = {f"{tickets:,} tickets made": Figure(value=time.perf_counter() - started, unit="s")}
        api = make_api(database, await load(database, [MODULES]))
        api.caller = Agent(crowd.AGENT, f"agent{crowd.AGENT}")
        api.rights = await RightsReader(database, lambda: "permission_groups").of(api.caller)
        settle()  # as the server does with what it has loaded
        figures |= await _counts(api, turns)
        figures |= await _deep(api, url, min(DEEP, tickets // 10), turns)
        figures |= await _pages(api, turns)
        return figures if turns == FEW_TURNS else figures | await _combinations(api, turns // 4)
    finally:
        await database.close()


async def _counts(api: Api, turns: int) -> dict[str, Figure]:
    """Count the open tickets of every queue, in the two ways in which the API says it; both must be exact."""
    by_hand = {int(queue): int(number) for queue, number in await api.database.fetch(BY_HAND)}
    rows = (await api.data(COUNTS, filter=OPEN))["ticketAggregate"]
    assert {row["key"]["queue"]["databaseId"]: row["count"] for row in rows} == by_hand
    nodes = (await api.data(BELOW, filter=OPEN))["queues"]["nodes"]
    below = {node["databaseId"]: node["tickets"]["totalCount"] for node in nodes}
    assert {queue: number for queue, number in below.items() if number} == by_hand
    assert len(below) >= crowd.QUEUES
    queues = f"open counts of {crowd.QUEUES} queues"
    return {
        queues: _figure(await _p95(api, COUNTS, turns, lambda _: {"filter": OPEN}), COUNTS_MS),
        f"{queues}, below each queue": _figure(await _p95(api, BELOW, turns, lambda _: {"filter": OPEN}), COUNTS_MS),
    }


async def _deep(api: Api, url: str, rows: int, turns: int) -> dict[str, Figure]:
    """Read the page after a cursor far down, in every order. How long it takes to get there does not count."""
    slowest = 0.0
    patient = Database(url, statement_timeout_s=PATIENCE_S)
    walker = replace(api, database=patient, deadline_s=PATIENCE_S)
    for order in ORDERS:
        skipped = await walker.data(SKIP, offset=rows, order=[order])
        after = skipped["tickets"]["pageInfo"]["endCursor"]
        assert after, "There are too few tickets for a deep page."
        slowest = max(slowest, await _p95(api, PAGE, turns, _page_of(order, after=after)))
    await patient.close()
    return {f"page after {rows:,} rows, slowest order": _figure(slowest, DEEP_MS)}


async def _pages(api: Api, turns: int) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, make in FILTERS.items():
        taken = await _p95(api, PAGE, turns, _page_of(NEWEST, make))
        figures[f"page by {name}, newest first"] = _figure(taken, PAGE_MS)
    for order in ORDERS:
        taken = await _p95(api, PAGE, turns, _page_of(order))
        figures[f"page of all, {_said(order)}"] = _figure(taken, PAGE_MS)
    slowest = max(figures, key=lambda name: figures[name]["value"])
    return {**figures, f"slowest page ({slowest.removeprefix('page ')})": figures[slowest]}


async def _combinations(api: Api, turns: int) -> dict[str, Figure]:
    taken = {
        f"{name}, {_said(order)}": await _p95(api, PAGE, turns, _page_of(order, make))
        for name, make in FILTERS.items()
        for order in ORDERS
    }
    slowest = max(taken, key=lambda name: taken[name])
    slow = sum(value > PAGE_MS for value in taken.values())
    return {
        f"every filter in every order, slowest ({slowest})": _figure(taken[slowest], PAGE_MS),
        f"combinations above {PAGE_MS:g} ms": Figure(value=slow, unit=f"of {len(taken)}"),
    }


def _page_of(
    order: Variables, make: Callable[[int], Variables] | None = None, after: str | None = None
) -> Callable[[int], Variables]:
    def given(turn: int) -> Variables:
        return {"filter": make(turn) if make else None, "order": [order], "after": after}

    return given


async def _p95(api: Api, text: str, turns: int, make: Callable[[int], Variables]) -> float:
    """Return the p95 of the milliseconds of one request; the first one, for which plans are made, does not count."""
    taken = []
    for turn in range(turns + 1):
        given = make(turn)
        started = time.perf_counter()
        answer = await api.ask(text, **given)
        taken.append(1000 * (time.perf_counter() - started))
        if answer["errors"]:
            code = answer["errors"][0]["extensions"]["code"]
            assert code == "TIMEOUT", answer
            return taken[-1]  # it was stopped then
    return sorted(taken[1:])[math.ceil(turns * 0.95) - 1]


def _figure(milliseconds: float, limit: float) -> Figure:
    return Figure(value=milliseconds, unit="ms p95", ratio=milliseconds / limit, ratio_to=f"the limit of {limit:g} ms")


def _said(order: Mapping[str, str]) -> str:
    ((name, direction),) = order.items()
    return f"{name} {direction}"
