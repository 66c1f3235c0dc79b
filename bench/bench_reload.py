"""How long after saving one of 120 modules its new field answers, in four ways of saving, under 50 requests a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench import farm
from bench.run import Figure
from bench.server import Server, running

MODULES = 120
SAVES = 100
RATE_PER_S = 50
LIMIT_S = 3.0
PAUSE_S = 0.1  # between two saves
# One record by key with its reference. Every background request asks for the schema's version twice: a request must never see two.
BACKGROUND = "{ a: schemaVersion farm0001(by: {databaseId: 1}) { name amount next { name } } b: schemaVersion }"


def rename_over(path: Path, text: str) -> None:
    """Save like vim and most editors: write beside it, rename over it."""
    other = path.with_name(f".{path.name}.swp")
    other.write_text(text)
    other.replace(path)


def truncate_and_write(path: Path, text: str) -> None:
    """Save like a plain open-for-write, in two chunks."""
    with path.open("w") as out:
        out.write(text[: len(text) // 2])
        out.flush()
        time.sleep(0.002)
        out.write(text[len(text) // 2 :])


def delete_and_create(path: Path, text: str) -> None:
    """Save like tools that remove the old file first."""
    path.unlink()
    time.sleep(0.002)
    path.write_text(text)


def write_in_place(path: Path, text: str) -> None:
    """Save by overwriting bytes, then cutting to length, then a sync."""
    with path.open("r+") as out:
        out.write(text)
        out.truncate()
        out.flush()
        os.fsync(out.fileno())


STYLES: Mapping[str, Callable[[Path, str], None]] = {
    "rename_over": rename_over,
    "truncate_and_write": truncate_and_write,
    "delete_and_create": delete_and_create,
    "write_in_place": write_in_place,
}


@dataclass
class Load:
    """What the background requests saw."""

    times_ms: list[float] = field(default_factory=list)
    failed: int = 0
    torn: int = 0

    def p(self, percent: float) -> float:
        """Return a percentile of the answer times, in milliseconds."""
        return percentile(self.times_ms, percent)


def percentile(values: list[float], percent: float) -> float:
    """Return a percentile by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def one_request(client: httpx.AsyncClient, load: Load) -> None:
    """Send one background request and note what came back."""
    started = time.perf_counter()
    try:
        answer = await client.post("/graphql", json={"query": BACKGROUND})
        body = answer.json()
    except httpx.HTTPError:
        load.failed += 1
        return
    load.times_ms.append((time.perf_counter() - started) * 1000)
    if answer.status_code != 200 or "errors" in body:
        load.failed += 1
    elif body["data"]["a"] != body["data"]["b"]:
        load.torn += 1


async def background(client: httpx.AsyncClient, load: Load, stop: asyncio.Event) -> None:
    """Send requests at a steady rate, whether or not earlier ones have answered."""
    tasks: set[asyncio.Task[None]] = set()
    due = time.perf_counter()
    while not stop.is_set():
        task = asyncio.create_task(one_request(client, load))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += 1 / RATE_PER_S
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    await asyncio.gather(*tasks)


async def listen(client: httpx.AsyncClient, news: asyncio.Event) -> None:
    """Follow `schemaChanged` as GraphiQL does, and say when there is news."""
    body = {"query": "subscription { schemaChanged { version } }"}
    headers = {"accept": "text/event-stream"}
    async with client.stream("POST", "/graphql", json=body, headers=headers, timeout=None) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: {"):
                news.set()


async def answers_after(
    client: httpx.AsyncClient, folder: Path, save: Callable[[Path, str], None], turn: int, news: asyncio.Event
) -> float:
    """Save one module with a new field and return the milliseconds until a query for it has answered."""
    number = turn * 7 % MODULES
    probe = f"probe_{save.__name__}_{turn}"
    path = folder / f"{farm.name(number)}.yaml"
    query = f"{{ farm{number:04d}s(first: 1) {{ nodes {{ {camel(probe)} }} }} }}"
    content = farm.text(number, MODULES, probe)
    news.clear()
    started = time.perf_counter()
    await asyncio.to_thread(save, path, content)
    body: object = "no schemaChanged came"
    while time.perf_counter() - started < LIMIT_S:
        await asyncio.wait_for(news.wait(), LIMIT_S)
        news.clear()
        answer = (await client.post("/graphql", json={"query": query})).json()
        if "errors" not in answer:
            return (time.perf_counter() - started) * 1000
        body = answer
    raise RuntimeError(f"the new field did not answer within {LIMIT_S} s: {body}")


def camel(name: str) -> str:
    """Turn a field's name into its GraphQL name."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


async def measure(server: Server, folder: Path, saves: int) -> dict[str, Figure]:
    """Measure quiet answers first, then saves in every style."""
    figures: dict[str, Figure] = {}
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=20)
    async with httpx.AsyncClient(
        base_url=server.url, timeout=10, limits=limits, headers={"authorization": server.bearer}
    ) as client:
        quiet = await quiet_load(client, seconds=4 if saves > 20 else 2)
        figures["quiet_p50"] = Figure(value=quiet.p(50), unit="ms")
        figures["quiet_p99"] = Figure(value=quiet.p(99), unit="ms")
        busy, news = Load(), asyncio.Event()
        listener = asyncio.create_task(listen(client, news))
        await asyncio.sleep(0.5)
        for style, save in STYLES.items():
            stop = asyncio.Event()
            pump = asyncio.create_task(background(client, busy, stop))
            times = []
            for turn in range(saves):
                times.append(await answers_after(client, folder, save, turn, news))
                await asyncio.sleep(PAUSE_S)
            stop.set()
            await pump
            figures[f"{style}_p50"] = Figure(value=statistics.median(times), unit="ms")
            figures[f"{style}_p95"] = Figure(
                value=percentile(times, 95), unit="ms", ratio=percentile(times, 95) / quiet.p(50), ratio_to="quiet_p50"
            )
        listener.cancel()
        base = quiet.p(50)
        figures["stall_p99"] = Figure(
            value=busy.p(99) - base, unit="ms over the quiet median", ratio=busy.p(99) / base, ratio_to="quiet_p50"
        )
        figures["stall_max"] = Figure(value=busy.p(100) - base, unit="ms over the quiet median")
        figures["requests"] = Figure(value=len(busy.times_ms), unit="requests during saves")
        figures["failed"] = Figure(value=busy.failed, unit="requests")
        figures["saw_two_versions"] = Figure(value=busy.torn, unit="requests")
    return figures


def plant_row(file: Path) -> None:
    """Give two modules a row each, the first leading to the second."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        audit = "'2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1"
        names = "(id, name, amount, next_id, create_time, create_by, change_time, change_by)"
        database.execute(f"INSERT INTO farm_0002 {names} VALUES (1, 'two', 2, NULL, {audit})")  # noqa: S608 - constants
        database.execute(f"INSERT INTO farm_0001 {names} VALUES (1, 'one', 1, 1, {audit})")  # noqa: S608 - constants
        database.commit()


async def quiet_load(client: httpx.AsyncClient, seconds: float) -> Load:
    """Run the background requests alone, after a short warm-up."""
    for load in (Load(), Load()):
        stop = asyncio.Event()
        pump = asyncio.create_task(background(client, load, stop))
        await asyncio.sleep(seconds / 2 if not load.times_ms else seconds)
        stop.set()
        await pump
    return load


def run(quick: bool) -> dict[str, Figure]:
    """Serve 120 modules from a temporary folder and measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        farm.plant(folder / "modules", MODULES)
        settings = {"DATABASE_URL": f"sqlite:///{folder}/farm.db", "MODULES_DIR": str(folder / "modules"), "DEMO": "0"}
        with running(folder, settings) as server:
            plant_row(folder / "farm.db")
            return asyncio.run(measure(server, folder / "modules", 10 if quick else SAVES))
