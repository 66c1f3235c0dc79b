"""kill -9 of who works off the outbox, mostly between the claim of an entry and its commit: each takes effect once."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.engine import Database
from storage.install import install
from tests.counts import count
from tests.databases import DIALECTS, PATIENCE_S, fresh_url
from tests.desk.api import Api, load, make_api
from tests.proofs.delivering import RUNS
from tests.web.server import HOUSE

# Together 9 in the suite and 300 in the soak.
KILLS = count(3, 100)
LEASE_S = 1.0
THING = """\
module: {name: thing, table: thing, operations: [view, create]}
fields: [{name: name, type: string, required: true}]
hooks: [{on: after_create, lambda: "create('mark', {text: item.name})"}]
"""
# Nothing but the key is unique: what is done twice is there twice.
MARK = """\
module: {name: mark, table: mark, operations: [view, create]}
fields: [{name: text, type: string, required: true}]
"""


@asynccontextmanager
async def courier(url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a courier until the block ends, which is by SIGKILL."""
    command = (sys.executable, "-m", "tests.proofs.delivering", url, str(folder), str(LEASE_S))
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    process = await asyncio.create_subprocess_exec(*command, cwd=HOUSE, env=environment, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def runs(process: asyncio.subprocess.Process, lambdas: int) -> None:
    """Wait until so many more lambdas were run."""
    assert process.stdout is not None
    for _ in range(lambdas):
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line.decode().strip() == RUNS, "the courier has ended by itself"


async def write(api: Api, names: list[str], stop: asyncio.Event) -> None:
    """Make things, faster than their marks are made, until told to stop."""
    while not stop.is_set():
        if await open_entries(api.database) > 40:
            await asyncio.sleep(0.02)
            continue
        name = f"thing {len(names)}"
        answer = await api.ask(
            "mutation ($n: String!) { createThing(input: {thing: {name: $n}}) { errors { code } } }", n=name
        )
        if not answer["errors"]:
            names.append(name)


async def open_entries(database: Database) -> int:
    return int((await database.fetch("SELECT COUNT(*) FROM lambdesk_outbox WHERE state = 'open'"))[0][0])


async def rows(database: Database, text: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.fetch(text)]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_killing_who_works_off_the_outbox_loses_no_effect_and_doubles_none(dialect: str, tmp_path: Path) -> None:
    for name, text in (("thing", THING), ("mark", MARK)):
        (tmp_path / f"{name}.yaml").write_text(text)
    chance = random.Random(dialect)
    with fresh_url(dialect) as url:
        database = Database(url)
        await install(database)
        api = make_api(database, await load(database, [tmp_path]))
        names: list[str] = []
        stop = asyncio.Event()
        writing = asyncio.create_task(write(api, names, stop))
        try:
            for _ in range(KILLS):
                async with courier(url, tmp_path) as victim:
                    await runs(victim, chance.randint(1, 30))
                    await asyncio.sleep(chance.uniform(0, 0.03))
            stop.set()
            await writing
            async with courier(url, tmp_path), courier(url, tmp_path), asyncio.timeout(PATIENCE_S):
                while await open_entries(database):  # noqa: ASYNC110 - other processes do what is waited for
                    await asyncio.sleep(0.05)
            await check(database, names)
        finally:
            stop.set()
            await asyncio.gather(writing, return_exceptions=True)
            await database.close()


async def check(database: Database, names: list[str]) -> None:
    things = [row[0] for row in await rows(database, "SELECT name FROM thing")]
    marks = Counter(row[0] for row in await rows(database, "SELECT text FROM mark"))
    assert set(things) >= set(names)
    assert [name for name, number in marks.items() if number != 1] == []
    assert sorted(marks) == sorted(things)
    entries = await rows(database, "SELECT state, attempts FROM lambdesk_outbox")
    assert {state for state, _ in entries} == {"done"}
    lost = sum(attempts > 1 for _, attempts in entries)
    assert lost >= KILLS // 2, "hardly anything was on its way when it was killed"
    print(f"{KILLS} kills, {lost} of {len(entries)} entries taken up again")  # noqa: T201 - the figures of a soak
