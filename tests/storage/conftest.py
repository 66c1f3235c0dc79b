"""A database of each kind for the tests of this room."""

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from tests.databases import DIALECTS, fresh_url


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def empty_url(dialect: str) -> Iterator[str]:
    """A database without a single table."""
    with fresh_url(dialect, installed=False) as url:
        yield url


@pytest.fixture
def installed_url(dialect: str) -> Iterator[str]:
    """A database with the layout and its first rows."""
    with fresh_url(dialect) as url:
        yield url


@pytest.fixture
async def database(installed_url: str) -> AsyncIterator[Database]:
    """An installed database, open."""
    found = Database(installed_url)
    yield found
    await found.close()
