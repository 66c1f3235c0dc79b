"""The sample desk on each database: made once, read by every test."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from storage.demo import fill
from storage.engine import Database
from tests.databases import DIALECTS, NOW, fresh_url
from tests.resolvers.test_shipped import load
from tests.resolvers.world import World, build, snapshot


async def make(url: str) -> None:
    database = Database(url)
    try:
        await build(database)
    finally:
        await database.close()


@pytest.fixture(scope="session", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the sample rows."""
    with fresh_url(request.param, installed=False) as found:
        asyncio.run(make(found))
        yield found


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    """The sample desk, with every statement's text kept."""
    database = Database(url)
    await database.fetch("SELECT 1")  # what a first connection asks about the server is not counted
    found = World(database, snapshot(database.dialect.name))
    database.statements = found.seen.append
    yield found
    await database.close()


@pytest.fixture(scope="module", params=DIALECTS)
def desk_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of a module's own, with OTRS's tables."""
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def desk(desk_url: str) -> AsyncIterator[World]:
    """The demo's tickets under the shipped modules, with every statement's text kept."""
    database = Database(desk_url)
    await fill(database, tickets=120, now=NOW)
    found = World(database, await load(database))
    database.statements = found.seen.append
    yield found
    await database.close()
