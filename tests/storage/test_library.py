"""What went live is kept: every version of every file, once."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schema.ports import NewVersion
from storage.engine import Database
from storage.library import Library
from tests.databases import DIALECTS, fresh_url


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def library(shared_url: str) -> AsyncIterator[Library]:
    database = Database(shared_url)
    yield Library(database)
    await database.close()


def version(name: str, source: str, *, file: str = "", author: str = "file") -> NewVersion:
    return NewVersion(name, file or f"modules/{name}.yaml", hashlib.sha256(source.encode()).hexdigest(), source, author)


async def test_versions_are_kept_newest_first_and_the_newest_only_once(library: Library) -> None:
    for source in ("one", "two", "two", "one"):
        await library.record_versions([version("queue", source)])
    kept = await library.versions("queue")
    assert [item.source for item in kept] == ["one", "two", "one"]
    assert [item.id for item in kept] == sorted((item.id for item in kept), reverse=True)
    assert datetime.now(UTC) - kept[0].created < timedelta(minutes=5)


async def test_the_last_good_version_is_one_of_each_file(library: Library) -> None:
    site = "site/state.yaml"
    await library.record_versions([version("state", "shipped"), version("state", "extended", file=site, author="jane")])
    await library.record_versions([version("state", "better", file=site, author="jane")])
    good = await library.last_good()
    assert (good["modules/state.yaml"].source, good[site].source, good[site].author) == ("shipped", "better", "jane")
    assert [item.source for item in await library.versions("state")] == ["better", "extended", "shipped"]


async def test_files_are_told_apart_by_case(library: Library) -> None:
    await library.record_versions(
        [version("big", "a", file="modules/Big.yaml"), version("big", "b", file="modules/big.yaml")]
    )
    good = await library.last_good()
    assert (good["modules/Big.yaml"].source, good["modules/big.yaml"].source) == ("a", "b")


async def test_a_file_of_the_greatest_size_is_kept_as_it_is(library: Library) -> None:
    source = "# 🦊 größer, 100 % 'quoted' \\ :name\r\n" + "x" * 250_000
    await library.record_versions([version("large", source)])
    assert (await library.versions("large"))[0].source == source


async def test_an_unknown_module_has_no_versions(library: Library) -> None:
    assert await library.versions("nothing") == ()
