"""A day of simulated work on tickets through the API, and what an OTRS on the same database would then see of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.desk.api import Api

WORKERS = 8
FIRST_TICKETS = 20
QUEUES = ("Postmaster", "Raw", "Junk", "Misc")
STATES = ("new", "open", "closed successful", "closed unsuccessful", "pending reminder", "pending auto close+")
LOCKS = ("lock", "unlock")
# Refusals that belong to a day on which several people work on the same tickets.
EXPECTED = frozenset(
    {"conflict", "merge-merged", "merge-self", "unmerge-nothing", "unmerge-chained", "link-self", "link-opposite"}
)

# What OTRS's queue view counts, by its accelerator, and how its history lists a ticket.
INDEX = "SELECT queue_id, s_lock, COUNT(*) FROM ticket_index WHERE group_id IN ({groups}) GROUP BY queue_id, s_lock"
HISTORY = """
  SELECT t.name, h.name, h.article_id, h.queue_id, h.owner_id, h.priority_id, h.state_id
  FROM ticket_history h JOIN ticket_history_type t ON t.id = h.history_type_id
  WHERE h.ticket_id = {ticket} ORDER BY h.create_time, h.id
"""
COUNTS = """query ($groups: [Int!]) {
  ticketAggregate(
    groupBy: [QUEUE, LOCK], first: 500
    filter: {
      state: {type: {name: {in: ["new", "open", "pending reminder", "pending auto"]}}}
      archived: {eq: false}
      queue: {group: {databaseId: {in: $groups}}}
    }
  ) { count key { queue { databaseId } lock { name } } }
}"""
ENTRIES = """query ($ticket: BigInt) {
  ticket(by: {databaseId: $ticket}) {
    history(first: 500, orderBy: [{createdAt: ASC}, {databaseId: ASC}]) {
      nodes {
        name historyType { name } article { databaseId } queue { databaseId } owner { databaseId }
        priority { databaseId } state { databaseId }
      }
    }
  }
}"""


@dataclass
class Day:
    """One day: the tickets that there are, and what was done and refused how often. `seed` makes it the same again."""

    api: Api
    seed: int = 1
    tickets: list[int] = field(default_factory=list)
    articles: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    async def work(self, operations: int, workers: int = WORKERS) -> None:
        """Carry out so many operations, several at once. Raises AssertionError for what no day brings."""
        chance = random.Random(self.seed)
        for _ in range(FIRST_TICKETS):
            await _create(self, chance)
        plans = [(chance.choices(list(_DEEDS), _WEIGHTS)[0], chance.random()) for _ in range(operations)]
        waiting = iter(plans)

        async def one() -> None:
            for name, seed in waiting:
                await _DEEDS[name](self, random.Random(seed))

        await asyncio.gather(*(one() for _ in range(workers)))

    async def do(self, name: str, shown: str, **given: Any) -> Any:
        """Carry a mutation out and count it."""
        payload = await self.api.do(name, shown, **given)
        errors = {error["messageKey"] for error in payload["errors"]}
        assert errors <= EXPECTED, (name, given, payload["errors"])
        (self.refused if errors else self.done)[name] += 1
        return payload


async def counts_differ(api: Api) -> list[Any]:
    """Compare the counts of OTRS's queue view with the API's; return what only one of them says."""
    groups = [row[0] for row in await api.database.fetch("SELECT DISTINCT group_id FROM queue")]
    rows = await api.database.fetch(INDEX.format(groups=", ".join(map(str, groups))))
    otrs = {(queue, lock): count for queue, lock, count in rows}
    found = (await api.data(COUNTS, groups=groups))["ticketAggregate"]
    ours = {(item["key"]["queue"]["databaseId"], item["key"]["lock"]["name"]): item["count"] for item in found}
    return sorted(otrs.items() ^ ours.items())


async def history_differs(api: Api, ticket: int) -> list[Any]:
    """Compare a ticket's history as OTRS lists it with the API's; return what is not the same."""
    otrs = [tuple(row) for row in await api.database.fetch(HISTORY.format(ticket=ticket))]
    nodes = (await api.data(ENTRIES, ticket=ticket))["ticket"]["history"]["nodes"]
    ours = [
        (
            node["historyType"]["name"],
            node["name"],
            *(node[name] and node[name]["databaseId"] for name in ("article", "queue", "owner", "priority", "state")),
        )
        for node in nodes
    ]
    if len(otrs) != len(ours):
        return [(len(otrs), len(ours))]
    return [pair for pair in zip(otrs, ours, strict=True) if pair[0] != pair[1]]


# --- what is done ---


async def _create(day: Day, chance: random.Random) -> None:
    article = {"subject": "Help", "body": "It does not work", "kind": "PHONE_FROM_CUSTOMER"}
    given = {"title": f"Request {chance.randrange(10_000)}", "queue": {"name": chance.choice(QUEUES)}}
    if chance.random() < 0.7:
        given["article"] = article
    shown = "ticket { databaseId articles { nodes { databaseId } } }"
    ticket = (await day.do("createTicket", shown, ticket=given))["ticket"]
    day.tickets.append(ticket["databaseId"])
    day.articles += [node["databaseId"] for node in ticket["articles"]["nodes"]]


async def _note(day: Day, chance: random.Random) -> None:
    article = {"subject": "Note", "body": "Looked at it", "visibleForCustomer": chance.random() < 0.5}
    if chance.random() < 0.3:
        article["timeUnits"] = "5"
    given: dict[str, Any] = {"ticket": _pick(day, chance), "article": article}
    if chance.random() < 0.4:
        given["patch"] = _patch(chance)
    payload = await day.do("addArticle", "article { databaseId }", **given)
    day.articles += [payload["article"]["databaseId"]] if payload["article"] else []


async def _change(day: Day, chance: random.Random) -> None:
    await day.do("updateTicket", "ticket { databaseId }", key=_pick(day, chance), patch=_patch(chance))


async def _change_many(day: Day, chance: random.Random) -> None:
    some = chance.sample(day.tickets, min(5, len(day.tickets)))
    await day.do("updateTickets", "affected", filter={"databaseId": {"in": some}}, patch=_patch(chance), maxAffected=5)


async def _split(day: Day, chance: random.Random) -> None:
    article = {"databaseId": chance.choice(day.articles)}
    payload = await day.do("splitArticle", "ticket { databaseId }", article=article)
    day.tickets += [payload["ticket"]["databaseId"]] if payload["ticket"] else []


async def _merge(day: Day, chance: random.Random) -> None:
    await day.do("mergeTickets", "ticket { databaseId }", ticket=_pick(day, chance), into=_pick(day, chance))


async def _unmerge(day: Day, chance: random.Random) -> None:
    await day.do("unmergeTickets", "ticket { databaseId }", ticket=_pick(day, chance))


async def _link(day: Day, chance: random.Random) -> None:
    name = chance.choice(("linkTickets", "linkTickets", "unlinkTickets"))
    kind = chance.choice(("NORMAL", "PARENT_CHILD"))
    await day.do(name, "ticket { databaseId }", ticket=_pick(day, chance), other=_pick(day, chance), type=kind)


async def _watch(day: Day, chance: random.Random) -> None:
    name = chance.choice(("watchTicket", "unwatchTicket"))
    await day.do(name, "ticket { databaseId }", ticket=_pick(day, chance))


def _pick(day: Day, chance: random.Random) -> dict[str, int]:
    return {"databaseId": chance.choice(day.tickets)}


def _patch(chance: random.Random) -> dict[str, Any]:
    """Return a change that the rules of states allow whatever the ticket is."""
    state = chance.choice(STATES)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    pending = until.isoformat() if state.startswith("pending") else None
    return chance.choice(
        (
            {"state": {"name": state}, "pendingUntil": pending},
            {"queue": {"name": chance.choice(QUEUES)}},
            {"lock": {"name": chance.choice(LOCKS)}},
            {"priority": {"databaseId": chance.randint(1, 5)}, "title": f"Request {chance.randrange(10_000)}"},
        )
    )


_SHARES: Mapping[Callable[[Day, random.Random], Awaitable[None]], int] = {
    _create: 30,
    _note: 25,
    _change: 25,
    _change_many: 3,
    _split: 3,
    _merge: 4,
    _unmerge: 2,
    _link: 4,
    _watch: 4,
}
_DEEDS = {deed.__name__: deed for deed in _SHARES}
_WEIGHTS = list(_SHARES.values())
