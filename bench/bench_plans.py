"""What a plan costs: to make it, and to find it and run it, beside the same statement handed to the driver alone.

Queries of the read path's benchmark, in this process and without HTTP, as an agent of one group on PostgreSQL with demo tickets.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import DocumentNode, parse, validate

from bench.reads_world import QUEUE, QUEUES_WITH_TICKETS, THIRD_PAGE, TICKET_PAGE, Operation
from bench.run import Figure
from identity.principals import Agent
from identity.rights import Grant, Rights
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.planning import plan_ahead
from schema.collector import settle
from storage.demo import fill
from storage.direct import Ready
from storage.engine import Database
from tests.databases import NOW, fresh_url
from tests.desk.api import Api, open_api

OPERATIONS: Mapping[str, Operation] = {
    "q1": QUEUE,
    "q2": TICKET_PAGE,
    "q3": QUEUES_WITH_TICKETS,
    "q4": THIRD_PAGE,
}
COLD_LIMIT_MS = 5.0
HIT_LIMIT_MS = 0.15
_MADE = 9  # times each plan


def run(quick: bool) -> dict[str, Figure]:
    """Measure plans of the four questions."""
    with fresh_url("postgresql") as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(url, Path(folder), 60 if quick else 600))


async def _measure(url: str, folder: Path, rounds: int) -> dict[str, Figure]:
    database = Database(url)
    await fill(database, tickets=500, now=NOW)
    await database.close()
    figures: dict[str, Figure] = {}
    async with open_api(url, folder) as api:
        settle()  # as the server does with what it has loaded
        for name, operation in OPERATIONS.items():
            cold = [_make(api, operation) for _ in range(_MADE)]
            figures[f"{name} plan made"] = Figure(
                value=statistics.median(cold),
                unit="ms",
                ratio=statistics.median(cold) / COLD_LIMIT_MS,
                ratio_to=f"the limit of {COLD_LIMIT_MS:g} ms",
            )
            if name in ("q1", "q2"):  # of one statement
                ours, driver = await _hit(api, operation, rounds)
                added = ours - driver
                figures[f"{name} plan run"] = Figure(
                    value=ours, unit="ms CPU", ratio=ours / driver, ratio_to="the driver"
                )
                figures[f"{name} plan adds"] = Figure(
                    value=added, unit="ms CPU", ratio=added / HIT_LIMIT_MS, ratio_to=f"the limit of {HIT_LIMIT_MS:g} ms"
                )
    return figures


def _context(api: Api) -> Context:
    """Begin a request of an agent who sees the queues of one group, as the rules of the modules say."""
    rights = Rights(Agent(1, "root@localhost"), (Grant(1, "users", "rw"),))
    return Context(api.snapshot, api.database, b"secret of the benchmark, 32 bytes", rights)


def _parsed(api: Api, operation: Operation) -> DocumentNode:
    document = parse(operation.text)
    mistakes = validate(_context(api).schema, document)
    if mistakes:
        raise ValueError(mistakes[0].message)
    return document


def _make(api: Api, operation: Operation) -> float:
    """Return the milliseconds that a plan takes to be made for a document that nothing is known of."""
    document = _parsed(api, operation)
    began = time.perf_counter()
    plan = plan_ahead(_context(api), document, None, operation.variables)
    if plan is None:
        raise ValueError("There is no plan.")
    return 1000 * (time.perf_counter() - began)


async def _hit(api: Api, operation: Operation, rounds: int) -> tuple[float, float]:
    """Return the milliseconds of CPU of one answer, and of its statement alone, in turns."""
    document = _parsed(api, operation)
    sent: list[Any] = []
    fetch = api.database.fetch

    async def noting(statement: Any, *, deadline: float | None = None) -> Any:
        sent.append(statement)
        return await fetch(statement, deadline=deadline)

    for _ in range(3):
        await execute(_context(api), document, None, operation.variables)
    api.database.fetch = noting  # type: ignore[method-assign]
    await execute(_context(api), document, None, operation.variables)
    api.database.fetch = fetch  # type: ignore[method-assign]
    statement = sent[-1]
    if not isinstance(statement, Ready):
        raise TypeError("The statement is not kept.")
    ours: list[float] = []
    driver: list[float] = []
    for _ in range(rounds // 20):
        began = time.process_time()
        for _ in range(20):
            await execute(_context(api), document, None, operation.variables)
        ours.append((time.process_time() - began) * 50)
        began = time.process_time()
        for _ in range(20):
            await fetch(statement)
        driver.append((time.process_time() - began) * 50)
    return statistics.median(ours), statistics.median(driver)
