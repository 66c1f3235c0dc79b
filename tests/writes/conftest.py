"""One desk a kind of database for all tests of writing; each test makes rows of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from tests.databases import DIALECTS, foreign_url, fresh_url
from tests.writes.world import Desk, Place, run_alone


@pytest.fixture(scope="session", params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A database that Lambdesk made."""
    with fresh_url(request.param) as url:
        yield run_alone(url, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session", params=DIALECTS)
def adopted_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A database of an OTRS 6."""
    with foreign_url(request.param, "otrs6") as url:
        yield run_alone(url, tmp_path_factory.mktemp("site"))


@pytest.fixture
async def desk(place: Place) -> AsyncIterator[Desk]:
    found = await open_desk(place)
    yield found
    await found.database.close()


@pytest.fixture
async def adopted(adopted_place: Place) -> AsyncIterator[Desk]:
    found = await open_desk(adopted_place)
    yield found
    await found.database.close()


async def open_desk(place: Place, zone: str = "UTC") -> Desk:
    """Open a desk, its statements noted from now on."""
    database = Database(place.url, db_time_zone=zone)
    await database.fetch("SELECT 1")
    found = Desk(database, place.snapshot)
    database.statements = found.seen.append
    return found
