"""One database a kind and origin for all tests of tickets; each test makes tickets of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from schema.catalog import Catalog
from storage.engine import Database
from storage.install import install
from storage.reflect import reflect
from tests.databases import DIALECTS, foreign_url, fresh_url
from tests.desk.api import Api, open_api
from tests.desk.office import Office, open_office

ORIGINS = ("own", "otrs6")


@pytest.fixture(scope="session", params=[(dialect, origin) for dialect in DIALECTS for origin in ORIGINS], ids="-".join)
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, Catalog]]:
    """A database that Lambdesk made, and one of an OTRS 6 that it adopted."""
    dialect, origin = request.param
    with fresh_url(dialect) if origin == "own" else foreign_url(dialect, origin) as url:
        yield url, asyncio.run(_adopt(url))


@pytest.fixture
def url(place: tuple[str, Catalog]) -> str:
    return place[0]


@pytest.fixture
async def office(place: tuple[str, Catalog]) -> AsyncIterator[Office]:
    url, catalog = place
    database = Database(url)
    try:
        yield open_office(database, catalog)
    finally:
        await database.close()


async def _adopt(url: str) -> Catalog:
    database = Database(url)
    try:
        await install(database)
        return await reflect(database)
    finally:
        await database.close()


@pytest.fixture
async def api(url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(url, tmp_path) as opened:
        yield opened
