"""What foreign keys and indexes spare a statement; the rows are the same as without them."""

from collections import defaultdict
from dataclasses import replace

import pytest

from tests.resolvers.world import World

BY_QUEUE = """query ($first: Int) {
  queues(first: 50) {nodes {databaseId tickets(first: $first, orderBy: [{createdAt: DESC}]) {
    nodes {databaseId owner {login}} totalCount pageInfo {hasNextPage}
  }}}
}"""


async def numbers(desk: World, statement: str) -> set[int]:
    return {row[0] for row in await desk.database.fetch(statement)}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("queue: {databaseId: {eq: 6}}", "queue_id = 6"),
        ("queue: {databaseId: {in: [5, 6, 7]}}", "queue_id IN (5, 6, 7)"),
        ("queue: {databaseId: {in: []}}", "queue_id IS NULL"),
        ("queue: {databaseId: {eq: 12345}}", "queue_id = 12345"),
        ("not: {queue: {databaseId: {in: [5, 6]}}}", "queue_id NOT IN (5, 6)"),
        ("not: {type: {databaseId: {in: [1]}}}", "type_id IS NULL OR type_id <> 1"),
        ("queue: {group: {databaseId: {in: [3, 4]}}}", "queue_id IN (SELECT id FROM queue WHERE group_id IN (3, 4))"),
    ],
)
async def test_a_key_behind_a_foreign_key_is_compared_where_it_is_stored(desk: World, asked: str, kept: str) -> None:
    expected = await numbers(desk, f"SELECT id FROM ticket WHERE {kept}")  # noqa: S608 - of the test
    found = await desk.data(f"{{tickets(first: 200, filter: {{{asked}}}) {{nodes {{databaseId}}}}}}")
    assert {row["databaseId"] for row in found["tickets"]["nodes"]} == expected
    assert desk.seen[0].count("JOIN") == desk.database.dialect.finds_keys_first
    assert desk.seen[0].count("SELECT") == 1 + ("group" in asked) + desk.database.dialect.finds_keys_first


@pytest.mark.parametrize(
    "part", ["name: {isNull: false}", "databaseId: {gt: 5}", "databaseId: {eq: 5}, comment: {isNull: false}"]
)
async def test_what_more_is_asked_of_the_row_behind_is_looked_for_there(desk: World, part: str) -> None:
    await desk.data(f"{{tickets(filter: {{queue: {{{part}}}}}) {{totalCount}}}}")
    assert desk.seen[0].count("SELECT") > 1


@pytest.mark.parametrize("first", [3, 100])
async def test_the_first_rows_of_many_owners_are_those_of_each(desk: World, first: int) -> None:
    rows = await desk.database.fetch("SELECT queue_id, id FROM ticket ORDER BY create_time DESC, id DESC")
    expected: dict[int, list[int]] = defaultdict(list)
    for queue, ticket in rows:
        expected[queue].append(ticket)

    found = await desk.data(BY_QUEUE, {"first": first})

    assert len(found["queues"]["nodes"]) > len(expected) > 2
    for queue in found["queues"]["nodes"]:
        tickets, whole = queue["tickets"], expected[queue["databaseId"]]
        assert [row["databaseId"] for row in tickets["nodes"]] == whole[:first]
        assert tickets["totalCount"] == len(whole)
        assert tickets["pageInfo"]["hasNextPage"] is (len(whole) > first)
    looks_up = any("LATERAL" in text for text in desk.seen)
    assert looks_up is (desk.database.dialect.name == "postgresql")


async def test_rows_that_no_index_finds_are_numbered(desk: World) -> None:
    """To look each owner's up would read their whole table for every one of them."""
    table = desk.snapshot.catalog.tables["ticket"]
    columns = {**table.columns, "queue_id": replace(table.columns["queue_id"], is_indexed=False)}
    tables = {**desk.snapshot.catalog.tables, "ticket": replace(table, columns=columns)}
    bare = replace(desk.snapshot, catalog=replace(desk.snapshot.catalog, tables=tables))
    whole = await desk.data(BY_QUEUE, {"first": 3})
    assert await World(desk.database, bare, desk.seen).data(BY_QUEUE, {"first": 3}) == whole
    assert not any("LATERAL" in text for text in desk.seen)
