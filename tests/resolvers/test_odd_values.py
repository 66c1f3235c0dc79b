"""One odd stored value concerns one field of one row; filters, groups and sums agree with what is read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from storage.engine import Database
from tests.databases import DIALECTS, fresh_url
from tests.resolvers.world import World, build, snapshot

# By dialect: what its columns take that is no value of their kind.
ODD = {
    "sqlite": (
        "UPDATE ticket SET create_time = '0000-00-00 00:00:00', due = 'abc', start_at = '25:00', price = 'abc' WHERE id = 1",
        "UPDATE ticket SET due = '', effort = 'long', until_time = 253402300800 WHERE id = 2",
    ),
    "mysql": (
        "SET SESSION sql_mode = ''",
        "UPDATE ticket SET create_time = 0, due = '0000-00-00', start_at = '-01:00:00' WHERE id = 1",
        "UPDATE ticket SET due = '2026-00-00', start_at = '838:59:59' WHERE id = 2",
    ),
    "postgresql": (
        "UPDATE ticket SET create_time = '0044-03-15 BC', due = 'infinity', start_at = '24:00', price = 'NaN' WHERE id = 1",
        "UPDATE ticket SET due = '20000-01-01', create_time = 'infinity' WHERE id = 2",
    ),
}
EVERYWHERE = (
    "UPDATE ticket SET until_time = -5 WHERE id = 1",
    "UPDATE ticket SET hot = 2 WHERE id IN (3, 4)",
    "UPDATE ticket SET urgency = 'weird' WHERE id IN (3, 4)",
)


async def make(url: str) -> None:
    database = Database(url)
    try:
        await build(database)
        async with database.transaction() as transaction:
            for statement in (*ODD[database.dialect.name], *EVERYWHERE):
                await transaction.execute(statement)
    finally:
        await database.close()


@pytest.fixture(scope="module", params=DIALECTS)
def odd_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param, installed=False) as found:
        asyncio.run(make(found))
        yield found


@pytest.fixture
async def odd(odd_url: str) -> AsyncIterator[World]:
    database = Database(odd_url)
    await database.fetch("SELECT 1")
    yield World(database, snapshot(database.dialect.name))
    await database.close()


async def test_an_unreadable_value_is_null_with_an_error_and_the_list_survives(odd: World) -> None:
    result = await odd.run("{tickets(first: 3) {nodes {databaseId due startAt}}}")
    assert result.data is not None
    rows = result.data["tickets"]["nodes"]
    assert [row["databaseId"] for row in rows] == [1, 2, 3]
    assert [row["due"] for row in rows[:2]] == [None, None]
    assert rows[0]["startAt"] is None
    told = {(tuple(error.path or ()), error.message) for error in result.errors or ()}
    assert {
        (("tickets", "nodes", 0, "due"), "The stored value cannot be read as Date."),
        (("tickets", "nodes", 1, "due"), "The stored value cannot be read as Date."),
        (("tickets", "nodes", 0, "startAt"), "The stored value cannot be read as Time."),
    } <= told
    assert {(error.extensions or {})["code"] for error in result.errors or ()} == {"INTERNAL"}


async def test_an_unreadable_moment_that_is_never_null_is_the_first_one(odd: World) -> None:
    rows = (await odd.data("{tickets(first: 1) {nodes {createdAt}}}"))["tickets"]["nodes"]
    assert rows == [{"createdAt": "0001-01-01T00:00:00Z"}]


async def test_only_what_is_selected_can_be_unreadable(odd: World) -> None:
    rows = (await odd.data("{tickets(first: 2) {nodes {number version}}}"))["tickets"]["nodes"]
    assert len({row["version"] for row in rows}) == 2


async def test_aggregates_over_unreadable_values_are_null_there(odd: World) -> None:
    data = await odd.data(
        """{ticketAggregate {count minCreatedAt maxDue minDue minStartAt maxStartAt maxEffort maxPrice}
        days: ticketAggregate(groupBy: [CREATED_DAY], first: 500) {count key {createdDay}}
        months: ticketAggregate(groupBy: [CREATED_MONTH], first: 500) {count key {createdMonth}}
        due: ticketAggregate(groupBy: [DUE], first: 500) {count key {due}}}"""
    )
    assert data["ticketAggregate"][0]["count"] == 60
    for name in ("days", "months", "due"):
        assert sum(row["count"] for row in data[name]) == 60


async def ids(world: World, given: dict[str, Any]) -> list[int]:
    data = await world.data(
        "query($f: TicketFilter) {tickets(first: 500, filter: $f) {nodes {databaseId}}}", {"f": given}
    )
    return [row["databaseId"] for row in data["tickets"]["nodes"]]
