"""A database of each kind for the tests of this room, shared by the tests of a file: each makes accounts of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from tests.databases import DIALECTS, PATIENCE_S, fresh_url
from tests.identity.world import Clock, Desk


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url, statement_timeout_s=PATIENCE_S)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(database: Database, clock: Clock) -> AsyncIterator[Desk]:
    found = Desk(database, clock)
    yield found
    found.hashing.close()
