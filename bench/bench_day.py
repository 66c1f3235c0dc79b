"""A day of simulated work on each database: how long it takes, and whether an OTRS beside us would see the same."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.day import Day, counts_differ, history_differs
from bench.run import Figure
from tests.databases import DIALECTS, foreign_url
from tests.desk.api import open_api


def run(quick: bool) -> dict[str, Figure]:
    """Work on a database of an OTRS 6 and compare; every difference is one too many."""
    operations = 300 if quick else 5_000
    figures: dict[str, Figure] = {}
    for dialect in DIALECTS:
        with ExitStack() as stack:
            url = stack.enter_context(foreign_url(dialect, "otrs6"))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            rate, differences = asyncio.run(_measure(url, folder, operations))
        figures[f"{dialect}, {operations:,} operations"] = {"value": rate, "unit": "operations/s"}
        figures[f"{dialect}, what OTRS sees otherwise"] = {"value": differences, "unit": "rows"}
    return figures


async def _measure(url: str, folder: Path, operations: int) -> tuple[float, int]:
    async with open_api(url, folder) as api:
        day = Day(api)
        started = time.perf_counter()
        await day.work(operations)
        rate = operations / (time.perf_counter() - started)
        differences = len(await counts_differ(api))
        for ticket in day.tickets:
            differences += len(await history_differs(api, ticket))
        return rate, differences
