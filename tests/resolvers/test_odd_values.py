"""One odd stored value concerns one field of one row; filters, groups and sums agree with what is read."""

import asyncio
from collections import Counter
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
    "UPDATE queue SET valid_id = 9 WHERE id IN (1, 2)",
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


async def test_a_validity_that_there_is_not_is_invalid(odd: World) -> None:
    rows = (await odd.data("{queues(first: 4) {nodes {validity}}}"))["queues"]["nodes"]
    assert [row["validity"] for row in rows] == ["INVALID", "INVALID", "INVALID", "VALID"]


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


BIG = 2**63 - 1


async def test_what_is_no_moment_is_null_to_filters_groups_and_sums(odd: World) -> None:
    rows = (await odd.data("{tickets(first: 500) {nodes {databaseId pendingUntil}}}"))["tickets"]["nodes"]
    read = {row["databaseId"]: row["pendingUntil"] for row in rows}
    assert read[1] is None
    there = [key for key, value in read.items() if value]
    assert await ids(odd, {"pendingUntil": {"isNull": False}}) == there
    assert await ids(odd, {"pendingUntil": {"lt": "9999-12-31T23:59:59Z"}}) == there
    assert await ids(odd, {"pendingUntil": {"gt": "0001-01-01T00:00:00Z"}}) == there
    assert await ids(odd, {"pendingUntil": {"eq": "1969-12-31T23:59:55Z"}}) == []
    data = await odd.data(
        """{ticketAggregate {minPendingUntil maxPendingUntil}
        days: ticketAggregate(groupBy: [PENDING_UNTIL_DAY]) {count key {pendingUntilDay}}}"""
    )
    assert data["ticketAggregate"] == [
        {"minPendingUntil": min(read[key] for key in there), "maxPendingUntil": max(read[key] for key in there)}
    ]
    counts = {row["key"]["pendingUntilDay"]: row["count"] for row in data["days"]}
    assert len(counts) == len(data["days"])
    assert counts[None] == 60 - len(there)


@pytest.mark.parametrize("group", ["HOT hot", "URGENCY urgency", "CUSTOMER_USER customerUser {login}", "PARENT parent {id}",
    "CREATED_DAY createdDay", "CREATED_MONTH createdMonth", "DUE due", "DUE_MONTH dueMonth"])  # fmt: skip
async def test_no_two_groups_have_the_same_key(odd: World, group: str) -> None:
    value, shown = group.split(" ", 1)
    rows = (await odd.data(f"{{ticketAggregate(groupBy: [{value}], first: 500) {{count key {{{shown}}}}}}}"))[
        "ticketAggregate"
    ]
    keys = [repr(row["key"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert sum(row["count"] for row in rows) == 60


async def test_options_that_are_none_are_one_group(odd: World) -> None:
    text = "{ticketAggregate(groupBy: [URGENCY]) {count key {urgency}} queueAggregate(groupBy: [FOLLOW_UP]) {count key {followUp}}}"
    data = await odd.data(text)
    for name, key in (("ticketAggregate", "urgency"), ("queueAggregate", "followUp")):
        plural = "tickets" if key == "urgency" else "queues"
        rows = (await odd.data(f"{{{plural}(first: 500) {{nodes {{{key}}}}}}}"))[plural]["nodes"]
        assert {row["key"][key]: row["count"] for row in data[name]} == Counter(row[key] for row in rows)


SUMS = (
    "UPDATE ticket SET seen = NULL, effort = NULL, price = NULL",
    "UPDATE ticket SET seen = 9223372036854775807, effort = 2147483647, price = 0.01 WHERE id < 3",
    "UPDATE ticket SET seen = -7, effort = -1, price = 0.05 WHERE id = 3",
    "UPDATE queue SET unlock_timeout = NULL",
    "UPDATE queue SET unlock_timeout = 2000000000 WHERE id IN (1, 2)",
    "UPDATE queue SET unlock_timeout = 1 WHERE id = 3",
)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_means_have_all_digits_and_sums_pass_64_bits(dialect: str) -> None:
    with fresh_url(dialect, installed=False) as url:
        database = Database(url)
        await build(database)
        async with database.transaction() as transaction:
            for statement in SUMS:
                await transaction.execute(statement)
        data = await World(database, snapshot(dialect)).data(
            """{ticketAggregate {sumSeen sumEffort avgPrice sumPrice}
            queueAggregate {sumUnlockTimeout avgUnlockTimeout}}"""
        )
        await database.close()
    assert data == {
        "ticketAggregate": [
            {"sumSeen": str(2 * BIG - 7), "sumEffort": "P49710DT6H28M13S", "avgPrice": "0.023333", "sumPrice": "0.07"}
        ],
        "queueAggregate": [{"sumUnlockTimeout": 4_000_000_001, "avgUnlockTimeout": pytest.approx(4_000_000_001 / 3)}],
    }
