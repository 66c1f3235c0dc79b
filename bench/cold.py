"""Loads the modules of a folder once, in a process of its own, and prints the seconds: `python -m bench.cold FOLDER URL`."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from schema.registry import Registry
from storage.engine import Database
from storage.library import Library
from web.lifecycle import build


async def load(folder: Path, url: str) -> float:
    """Load everything from nothing: files, checks, the database's tables, the schema."""
    database = Database(url)
    await database.ping()
    started = time.perf_counter()
    registry = Registry([folder], Library(database), build)
    await registry.start()
    seconds = time.perf_counter() - started
    await database.close()
    return seconds


if __name__ == "__main__":
    print(asyncio.run(load(Path(sys.argv[1]), sys.argv[2])))
