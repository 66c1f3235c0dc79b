"""Starting and size: shipped modules to ready, memory with 200 modules, 1,000 modules cold and one changed, 1,000 reloads."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench import farm
from bench.run import Figure
from bench.server import running
from schema.collector import settle
from schema.registry import Registry
from storage.engine import Database
from storage.install import install
from storage.library import Library
from web.lifecycle import build

SHIPPED = Path(__file__).parent.parent / "modules"


def run(quick: bool) -> dict[str, Figure]:
    """Measure in processes of their own where memory counts, in this one where only time does."""
    figures: dict[str, Figure] = {}
    figures.update(shipped())
    figures.update(two_hundred())
    figures.update(asyncio.run(thousand(200 if quick else 1_000)))
    figures.update(asyncio.run(reloads(100 if quick else 1_000)))
    return figures


def shipped() -> dict[str, Figure]:
    """Start the shipped modules on SQLite twice: the second start finds its database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"DATABASE_URL": f"sqlite:///{folder}/lambdesk.db", "MODULES_DIR": str(SHIPPED), "DEMO": "0"}
        with running(folder, settings) as server:
            first = server.ready_s
        with running(folder, settings) as server:
            second = server.ready_s
            size = psutil.Process(server.process.pid).memory_info().rss / 1e6
    return {
        "shipped_first_start": Figure(value=first, unit="s, with the tables made"),
        "shipped_start": Figure(value=second, unit="s", ratio=second / 2.0, ratio_to="2 s"),
        "shipped_rss": Figure(value=size, unit="MB"),
    }


def two_hundred() -> dict[str, Figure]:
    """Weigh a server with 200 modules: the shipped ones and a farm beside them."""
    count = 200 - len(list(SHIPPED.rglob("*.yaml")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        farm.plant(folder / "site", max(count, 2))
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/lambdesk.db",
            "MODULES_DIR": f"{SHIPPED}:{folder / 'site'}",
            "DEMO": "0",
        }
        for _ in range(2):
            with running(folder, settings) as server:
                size = psutil.Process(server.process.pid).memory_info().rss / 1e6
    return {"rss_200_modules": Figure(value=size, unit="MB", ratio=size / 150, ratio_to="150 MB")}


async def thousand(total: int) -> dict[str, Figure]:
    """Load a chain of modules cold (tables are there), then with one file changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        farm.plant(folder / "modules", total)
        database = Database(f"sqlite:///{folder}/farm.db")
        await install(database)
        registry = await loaded(folder, database)
        assert len(registry.snapshot.modules) == total
        cold = await asyncio.to_thread(cold_start, folder)
        settle()  # as the server does a second after its start
        times = []
        for turn in range(10):
            (folder / "modules" / f"{farm.name(turn)}.yaml").write_text(farm.text(turn, total, f"probe_{turn}"))
            started = time.perf_counter()
            await registry.reload()
            times.append((time.perf_counter() - started) * 1000)
        gc.unfreeze()
        await database.close()
    return {
        f"cold_{total}_modules": Figure(value=cold, unit="s", ratio=cold / 2, ratio_to="2 s"),
        f"one_of_{total}_changed_median": Figure(
            value=sorted(times)[5], unit="ms", ratio=sorted(times)[5] / 150, ratio_to="150 ms"
        ),
        f"one_of_{total}_changed_max": Figure(value=max(times), unit="ms"),
    }


def cold_start(folder: Path) -> float:
    """Load the folder three times in processes of their own and return the median of their seconds."""
    command = [sys.executable, "-m", "bench.cold", str(folder / "modules"), f"sqlite:///{folder}/farm.db"]
    return sorted(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3))[1]


async def loaded(folder: Path, database: Database) -> Registry:
    """Load a folder from nothing."""
    registry = Registry([folder / "modules"], Library(database), build)
    await registry.start()
    return registry


async def reloads(turns: int) -> dict[str, Figure]:
    """Reload one of 120 modules again and again; old snapshots must die."""
    total = 120
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        farm.plant(folder / "modules", total)
        database = Database(f"sqlite:///{folder}/farm.db")
        await install(database)
        registry = await loaded(folder, database)
        process = psutil.Process()
        base = 0
        for turn in range(turns + 50):
            if turn == 50:  # caches are warm by then
                gc.collect()
                base = process.memory_info().rss
            path = folder / "modules" / f"{farm.name(turn % total)}.yaml"
            path.write_text(farm.text(turn % total, total, f"probe_{turn}"))
            await registry.reload()
        gc.collect()
        grown = (process.memory_info().rss - base) / 1e6
        await database.close()
    return {f"rss_growth_{turns}_reloads": Figure(value=grown, unit="MB", ratio=grown / 20, ratio_to="20 MB")}
