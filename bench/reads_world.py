"""What the benchmark of reads asks, and the databases that it asks: the demo's desk with an agent who sees two of its groups."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.server import PASSWORD
from identity.passwords import hash_password
from storage.demo import fill
from storage.engine import Database
from tests.databases import NOW, fresh_url

TICKETS = 2_000
AGENT = "tomas.novak"  # of the groups operations (rw) and support (ro), and of no other
SUPPORT, OPERATIONS = 5, 11  # a queue of each group
REGIONS = range(101, 111)  # queues that we add to the group support, so that he sees twenty
QUEUES = (*range(5, 15), *REGIONS)
STATES = (1, 2, 3, 4, 6)  # all but removed, merged and closing by themselves
# Those of the demo's tickets that go into the added queues, and into one that has none.
_MOVED = {**{number: number - REGIONS.start for number in REGIONS}, OPERATIONS: 11}
_EVERY = 20


@dataclass(frozen=True, slots=True)
class Operation:
    """A question with its variables."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The request's body, as clients write it."""
        return orjson.dumps({"query": self.text, "variables": self.variables})


QUEUE = Operation(
    """query Queue($id: Int!) {
  queue(by: {databaseId: $id}) { databaseId name comment unlockTimeout group { databaseId name comment } }
}""",
    {"id": SUPPORT},
)
TICKET_PAGE = Operation(
    """query Tickets($first: Int!, $queues: [Int!]!, $states: [Int!]!) {
  tickets(
    first: $first
    filter: {queue: {databaseId: {in: $queues}}, state: {databaseId: {in: $states}}}
    orderBy: [{createdAt: DESC}]
  ) {
    nodes {
      databaseId number title createdAt
      queue { name group { name } }
      priority { name }
      owner { login firstName lastName }
    }
  }
}""",
    {"first": 50, "queues": list(QUEUES), "states": list(STATES)},
)
QUEUES_WITH_TICKETS = Operation(
    """query Queues($queues: [Int!]!, $first: Int!, $newest: Int!) {
  queues(first: $first, filter: {databaseId: {in: $queues}}, orderBy: [{name: ASC}]) {
    nodes {
      databaseId name
      tickets(first: $newest, orderBy: [{createdAt: DESC}]) {
        nodes { databaseId number title createdAt owner { login firstName lastName } }
      }
    }
  }
}""",
    {"first": 20, "newest": 10, "queues": list(QUEUES)},
)
THIRD_PAGE = Operation(
    """query Page($first: Int!, $offset: Int!, $queues: [Int!]!, $states: [Int!]!) {
  tickets(
    first: $first
    offset: $offset
    filter: {queue: {databaseId: {in: $queues}}, state: {databaseId: {in: $states}}}
    orderBy: [{changedAt: DESC}]
  ) {
    totalCount
    nodes { databaseId number title changedAt queue { name } state { name } owner { login } }
  }
}""",
    {"first": 25, "offset": 50, "queues": list(QUEUES), "states": list(STATES)},
)
OPERATIONS_BY_NAME = {"q1": QUEUE, "q2": TICKET_PAGE, "q3": QUEUES_WITH_TICKETS, "q4": THIRD_PAGE}


@contextmanager
def desk_url(dialect: str, tickets: int = TICKETS) -> Iterator[str]:
    """Lend the URL of a new database that holds the benchmark's desk."""
    with fresh_url(dialect) as url:
        asyncio.run(_furnish(url, tickets))
        yield url


async def _furnish(url: str, tickets: int) -> None:
    database = Database(url)
    try:
        await fill(database, tickets=tickets, now=NOW, password_hash=hash_password(PASSWORD, cost=4))
        async with database.transaction(timeout_s=0) as transaction:
            for number in REGIONS:
                await transaction.execute(_add_queue(number))
            for queue, rest in _MOVED.items():
                await transaction.execute(_move_tickets(queue, range(rest, tickets, _EVERY)))
        await _analyse(database)
    finally:
        await database.close()


def _add_queue(number: int) -> str:
    columns = (
        "unlock_timeout, follow_up_id, follow_up_lock, system_address_id, salutation_id, signature_id, group_id, valid_id, "
        "create_time, create_by, change_time, change_by"
    )
    return (
        f"INSERT INTO queue (id, name, comments, {columns}) "  # noqa: S608 - words of ours
        f"SELECT {number}, 'Support::Region {number}', 'Added by the benchmark', {columns} FROM queue WHERE id = {SUPPORT}"
    )


def _move_tickets(queue: int, tickets: Iterable[int]) -> str:
    return f"UPDATE ticket SET queue_id = {queue} WHERE queue_id IN {tuple(range(5, 15))} AND id IN {tuple(tickets)}"  # noqa: S608 - numbers of ours


async def _analyse(database: Database) -> None:
    """Count what the planner wants to know now, and not during the measurement."""
    names = ("ticket", "queue", "users")
    texts = [f"ANALYZE TABLE {', '.join(names)}"] if database.dialect.name == "mysql" else ["ANALYZE"]
    async with database.transaction(timeout_s=0) as transaction:
        for text in texts:
            await transaction.execute(text)
