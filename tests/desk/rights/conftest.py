"""Rights are the same whoever made the tables: these tests run on a database of each kind that Lambdesk made."""

import asyncio
from collections.abc import Iterator

import pytest

from schema.catalog import Catalog
from storage.engine import Database
from storage.reflect import reflect
from tests.databases import DIALECTS, fresh_url


@pytest.fixture(scope="session", params=DIALECTS)
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, Catalog]]:
    with fresh_url(request.param) as url:
        yield url, asyncio.run(_catalog(url))


async def _catalog(url: str) -> Catalog:
    database = Database(url)
    try:
        return await reflect(database)
    finally:
        await database.close()
