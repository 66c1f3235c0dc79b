"""Creating tickets through the API with 20 workers on all three databases, beside the bare statements of PostgreSQL."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from bench.run import Figure
from tests.databases import DIALECTS, fresh_url
from tests.desk.api import Api, open_api

WORKERS = 20
CREATE = """mutation ($title: String!) {
  createTicket(input: {ticket: {title: $title, queue: {name: "Raw"}, customerUserLogin: "jane"}}) {
    ticket { number } errors { code }
  }
}"""


def run(quick: bool) -> dict[str, Figure]:
    """Create tickets on each database; on PostgreSQL also by the statements alone, one connection after the other."""
    count = 200 if quick else 3_000
    figures: dict[str, Figure] = {}
    for dialect in DIALECTS:
        with ExitStack() as stack:
            url = stack.enter_context(fresh_url(dialect))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            rate, bare = asyncio.run(_measure(url, folder, count, with_bare=dialect == "postgresql"))
        figures[f"{dialect}, {WORKERS} workers"] = {"value": rate, "unit": "tickets/s"}
        if bare:
            figures["the bare statements, one asyncpg connection"] = {"value": bare, "unit": "tickets/s"}
            figures[f"{dialect}, {WORKERS} workers"] |= {"ratio": rate / bare, "ratio_to": "the bare statements"}
    return figures


async def _measure(url: str, folder: Path, count: int, *, with_bare: bool) -> tuple[float, float]:
    async with open_api(url, folder) as api:
        await create(api, 50)
        started = time.perf_counter()
        await create(api, count)
        rate = count / (time.perf_counter() - started)
        return rate, await _bare(url, count) if with_bare else 0.0


async def create(api: Api, count: int, workers: int = WORKERS) -> list[str]:
    """Create tickets, so many at once, and return their numbers. Every one must succeed."""
    waiting = iter(range(count))
    numbers: list[str] = []

    async def work() -> None:
        for number in waiting:
            data = await api.data(CREATE, title=f"Ticket {number}")
            assert data["createTicket"]["errors"] == [], data
            numbers.append(data["createTicket"]["ticket"]["number"])

    await asyncio.gather(*(work() for _ in range(workers)))
    return numbers


async def _bare(url: str, count: int) -> float:
    """Send what one ticket needs at least: its number, its row, its history, its index row, its change and the answer."""
    connection = await asyncpg.connect(url)
    try:
        started = time.perf_counter()
        for number in range(count):
            await _bare_ticket(connection, f"bare{number}")
        return count / (time.perf_counter() - started)
    finally:
        await connection.close()


async def _bare_ticket(connection: asyncpg.Connection, number: str) -> None:
    async with connection.transaction():
        await connection.fetchrow("SELECT id FROM queue WHERE name = $1", "Raw")
        counter = "INSERT INTO ticket_number_counter (counter, counter_uid, create_time) VALUES (0, $1, now())"
        await connection.execute(counter, number)
        ticket = await connection.fetchval(
            "INSERT INTO ticket (tn, title, queue_id, ticket_lock_id, type_id, user_id, responsible_user_id, "
            "ticket_priority_id, ticket_state_id, customer_user_id, timeout, until_time, escalation_time, "
            "escalation_update_time, escalation_response_time, escalation_solution_time, archive_flag, create_time, "
            "create_by, change_time, change_by) VALUES ($1, 'Bare', 2, 1, 1, 1, 1, 3, 1, 'jane', 0, 0, 0, 0, 0, 0, 0, "
            "now(), 1, now(), 1) RETURNING id",
            number,
        )
        await connection.executemany(
            "INSERT INTO ticket_history (name, history_type_id, ticket_id, type_id, queue_id, owner_id, priority_id, "
            "state_id, create_time, create_by, change_time, change_by) VALUES ($1, 1, $2, 1, 2, 1, 3, 1, now(), 1, now(), 1)",
            [("%%new", ticket), ("%%customer", ticket)],
        )
        await connection.execute(
            "INSERT INTO ticket_index (ticket_id, queue_id, queue, group_id, s_lock, s_state, create_time) "
            "VALUES ($1, 2, 'Raw', 1, 'unlock', 'new', now())",
            ticket,
        )
        await connection.execute(
            "INSERT INTO lambdesk_change (module, row_key, kind, actor_kind, actor_id, actor_login, fields, at) "
            "VALUES ('ticket', $1, 1, 'agent', 1, 'root', '{}', 0)",
            f"[{ticket}]",
        )
    await connection.fetchrow("SELECT tn FROM ticket WHERE id = $1", ticket)
