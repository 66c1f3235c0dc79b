"""What the wall around lambdas costs: a worker's memory, a job's way there and back, how soon one that goes on is stopped and replaced."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.run import Figure
from lambdas.contract import Batch, Job, Script
from lambdas.limits import FIELD_LIMITS, GRACE_MS, Limits
from lambdas.pool import Sandbox

ME = {"kind": "agent", "id": 1, "login": "bench", "groups": [], "locale": "en"}
LABEL = """const age = (now - new Date(item.create_time)) / 36e5;
return age > 24 && item.priority >= 4 ? badge("Urgent", "red") : badge("Normal", "green");"""
ROW = {"create_time": "2026-01-01T10:00:00Z", "priority": 4, "title": "x" * 40}
BUDGET_MS = 50
ENDLESS = Limits(cpu_ms=5_000, cpu_row_ms=0, wall_ms=BUDGET_MS)


def run(quick: bool) -> dict[str, Figure]:
    """Measure a sandbox without a server."""
    return asyncio.run(_measure(10 if quick else 200))


async def _measure(times: int) -> dict[str, Figure]:
    started = time.perf_counter()
    sandbox = Sandbox(size=1)
    await sandbox.start()
    figures: dict[str, Figure] = {"start": _ms([time.perf_counter() - started])}
    try:
        figures["memory of a new worker (USS)"] = _megabytes(sandbox.processes[0])
        figures["a job of 1 row"] = await _timed(times * 10, lambda: sandbox.run(_job(LABEL, 1)))
        figures["a job of 50 rows"] = await _timed(times * 10, lambda: sandbox.run(_job(LABEL, 50)))
        figures["memory of a worker with a module (USS)"] = _megabytes(sandbox.processes[0])
        stopped, replaced = await _endless(sandbox, times)
        figures["stopped after its budget, p99"] = _ms(stopped, 0.99, GRACE_MS)
        figures["a worker replaced, p50"] = _ms(replaced, 0.5, 40)
        figures["a worker replaced, p99"] = _ms(replaced, 0.99, 40)
    finally:
        await sandbox.close()
    return figures


async def _endless(sandbox: Sandbox, times: int) -> tuple[list[float], list[float]]:
    """Return by how much lambdas without end went over their budget, and how long there was no worker after each."""
    stopped, replaced = [], []
    for _ in range(times):
        sandbox.reset(["bench.probe"])
        started = time.perf_counter()
        await sandbox.run(_job("for (;;);", 1, ENDLESS))
        ended = time.perf_counter()
        stopped.append(ended - started - BUDGET_MS / 1000)
        while not sandbox.is_free:  # noqa: ASYNC110 - an event would be another thing to measure
            await asyncio.sleep(0)
        replaced.append(time.perf_counter() - ended)
    return stopped, replaced


def _job(source: str, rows: int, limits: Limits = FIELD_LIMITS) -> Job:
    return Job("bench", (Batch(Script("bench.probe", source), [ROW] * rows),), ME, time.time() * 1000, 1, limits)


async def _timed(times: int, work: Callable[[], Awaitable[object]]) -> Figure:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        found.append(time.perf_counter() - started)
    return _ms(found)


def _ms(seconds: list[float], share: float = 0.5, limit: float | None = None) -> Figure:
    value = 1000 * (
        statistics.median(seconds)
        if share == 0.5
        else sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]
    )
    figure: Figure = {"value": value, "unit": "ms"}
    return figure if limit is None else figure | {"ratio": value / limit, "ratio_to": f"the limit of {limit:g} ms"}


def _megabytes(process: int) -> Figure:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    kilobytes = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return {"value": kilobytes / 1024, "unit": "MB", "ratio": kilobytes / 1024 / 6, "ratio_to": "the limit of 6 MB"}
