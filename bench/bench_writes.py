"""Creating, changing and deleting a queue through the API on PostgreSQL, beside the same statements written by hand for asyncpg.

The hand-written transactions send what one writes who knows the table: the same rows and values, ours included for the change
that is kept. Ours may take fewer trips, which are told, too. Both run one after the other in this process, in turns, so that a
busy machine slows both; CPU is this process's own.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench.run import Figure
from schema.collector import settle
from tests.databases import fresh_url
from tests.desk.api import Api, open_api

ROUNDS = 40  # of one kind after the other, ours and by hand in turns
EACH = 10
CREATE = """mutation ($name: String!) {
  createQueue(input: {queue: {
    name: $name, group: {name: "users"}, systemAddress: {databaseId: 1}, salutation: {databaseId: 1}, signature: {databaseId: 1}
  }}) { queue { databaseId name version } errors { code } }
}"""
UPDATE = """mutation ($id: Int!, $comment: String!) {
  updateQueue(input: {key: {databaseId: $id}, patch: {comment: $comment}}) {
    queue { databaseId comment version } errors { code }
  }
}"""
DELETE = """mutation ($id: Int!) {
  deleteQueue(input: {key: {databaseId: $id}}) { deletedQueueId errors { code } }
}"""
COLUMNS = (
    "id, name, group_id, unlock_timeout, first_response_time, first_response_notify, update_time, update_notify, "
    "solution_time, solution_notify, calendar_name, follow_up_id, follow_up_lock, system_address_id, salutation_id, "
    "signature_id, default_sign_key, comments, valid_id, create_time, create_by, change_time, change_by"
)
READ = f"SELECT {COLUMNS} FROM queue WHERE id = $1 ORDER BY id"  # noqa: S608 - constants
LOCK = f"SELECT {COLUMNS} FROM queue WHERE id = $1 ORDER BY id LIMIT 1 FOR UPDATE"  # noqa: S608 - constants
LOOK_UP = (
    "SELECT (SELECT id FROM permission_groups WHERE name = $1 LIMIT 1), (SELECT id FROM system_address WHERE id = $2 LIMIT 1), "
    "(SELECT id FROM salutation WHERE id = $3 LIMIT 1), (SELECT id FROM signature WHERE id = $4 LIMIT 1)"
)
INSERT = (
    "INSERT INTO queue (name, follow_up_id, follow_up_lock, valid_id, group_id, system_address_id, salutation_id, signature_id, "
    "create_time, create_by, change_time, change_by) VALUES ($1, 1, 0, 1, $2, $3, $4, $5, $6, 1, $6, 1) RETURNING id"
)
CHANGE = (
    "INSERT INTO lambdesk_change (module, row_key, kind, at, actor_kind, actor_id, actor_login, fields) "
    "VALUES ('queue', $1, $2, $3, 'system', 1, 'system', $4)"
)


def run(quick: bool) -> dict[str, Figure]:
    """Measure the three mutations, each beside its twin by hand."""
    with fresh_url("postgresql") as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(url, Path(folder), 8 if quick else ROUNDS))


async def _measure(url: str, folder: Path, rounds: int) -> dict[str, Figure]:
    connection = None
    async with open_api(url, folder) as api:
        sent: list[str] = []
        api.database.statements = sent.append
        settle()  # as the server does with what it has loaded
        try:
            connection = await asyncpg.connect(url)
            figures: dict[str, Figure] = {}
            queues, rows = Queues(api), Rows(connection)
            for name in ("create", "update", "delete"):
                ours, hand = await _in_turns(getattr(queues, name), getattr(rows, name), rounds)
                figures[name] = Figure(
                    value=1000 * ours.wall_s,
                    unit="ms",
                    ratio=hand.wall_s / ours.wall_s,
                    ratio_to="speed of the same statements by hand",
                )
                figures[f"{name} by hand"] = Figure(value=1000 * hand.wall_s, unit="ms")
                figures[f"{name}, CPU"] = Figure(
                    value=1000 * ours.cpu_s,
                    unit="ms",
                    ratio=ours.cpu_s / hand.cpu_s,
                    ratio_to="that of the client by hand",
                )
                figures[f"{name}, statements"] = Figure(value=len(sent) / (EACH * (rounds + 2)), unit="a call")
                sent.clear()
            return figures
        finally:
            if connection is not None:
                await connection.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call takes."""

    wall_s: float
    cpu_s: float


async def _in_turns(
    ours: Callable[[int], Awaitable[None]], hand: Callable[[int], Awaitable[None]], rounds: int
) -> tuple[Cost, Cost]:
    """Return the median costs of one call of each."""
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for turn in range(rounds + 2):
        for work, costs in zip((ours, hand), found, strict=True):
            started, cpu = time.perf_counter(), time.process_time()
            for number in range(EACH):
                await work(turn * EACH + number)
            if turn >= 2:  # before that, plans are made
                costs.append(Cost((time.perf_counter() - started) / EACH, (time.process_time() - cpu) / EACH))
    return _median(found[0]), _median(found[1])


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall_s for cost in costs), statistics.median(cost.cpu_s for cost in costs))


class Queues:
    """Queues through the API. What is changed and deleted are those that were made."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids: list[int] = []

    async def create(self, number: int) -> None:
        """Make a queue."""
        payload = await self._do(CREATE, "createQueue", name=f"Ours {number}")
        self._ids.append(payload["queue"]["databaseId"])

    async def update(self, number: int) -> None:
        """Change the comment of a queue."""
        await self._do(UPDATE, "updateQueue", id=self._ids[number], comment=f"Comment {number}")

    async def delete(self, number: int) -> None:
        """Delete a queue, which sets it invalid."""
        await self._do(DELETE, "deleteQueue", id=self._ids[number])

    async def _do(self, text: str, name: str, /, **variables: Any) -> Any:
        payload = (await self._api.data(text, **variables))[name]
        assert payload["errors"] == [], payload
        return payload


class Rows:
    """The same statements by hand."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._ids: list[int] = []

    async def create(self, number: int) -> None:
        """Find what the queue refers to, insert it and its change, and read it."""
        connection = self._connection
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        async with connection.transaction():
            found = await connection.fetchrow(LOOK_UP, "users", 1, 1, 1)
            key = await connection.fetchval(INSERT, f"Hand {number}", *found, now)
            await self._note(key, 1, f'{{"name":[null,"Hand {number}"]}}')
        await connection.fetch(READ, key)
        self._ids.append(key)

    async def update(self, number: int) -> None:
        """Lock the row, change it, note the change, and read it."""
        connection, key = self._connection, self._ids[number]
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        async with connection.transaction():
            await connection.fetch(LOCK, key)
            text = "UPDATE queue SET comments = $1, change_time = $2, change_by = 1 WHERE id = $3"
            await connection.execute(text, f"Comment {number}", now, key)
            await self._note(key, 2, f'{{"comment":[null,"Comment {number}"]}}')
        await connection.fetch(READ, key)

    async def delete(self, number: int) -> None:
        """Lock the row, set it invalid, and note the change."""
        connection, key = self._connection, self._ids[number]
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        async with connection.transaction():
            await connection.fetch(LOCK, key)
            await connection.execute(
                "UPDATE queue SET valid_id = 2, change_time = $1, change_by = 1 WHERE id = $2", now, key
            )
            await self._note(key, 2, '{"validity":[1,2]}')

    async def _note(self, key: int, kind: int, fields: str) -> None:
        await self._connection.execute(CHANGE, f"[{key}]", kind, time.time_ns() // 1_000_000, fields)
