"""One desk a kind of database for the tests of the outbox."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.outbox.world import World, open_world


@pytest.fixture(scope="session", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture
async def world(shared_url: str, site: Path) -> AsyncIterator[World]:
    async with open_world(shared_url, site) as found:
        yield found
