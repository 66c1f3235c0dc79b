"""One database a kind and origin for all tests of tickets; each test makes tickets of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from storage.install import install
from tests.databases import DIALECTS, foreign_url, fresh_url
from tests.desk.office import Office, open_office

ORIGINS = ("own", "otrs6")


@pytest.fixture(scope="session", params=[(dialect, origin) for dialect in DIALECTS for origin in ORIGINS], ids="-".join)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that Lambdesk made, and one of an OTRS 6 that it adopted."""
    dialect, origin = request.param
    with fresh_url(dialect) if origin == "own" else foreign_url(dialect, origin) as lent:
        yield lent


@pytest.fixture
async def office(url: str) -> AsyncIterator[Office]:
    database = Database(url)
    try:
        await install(database)
        yield await open_office(database)
    finally:
        await database.close()
