"""How many statements an operation takes: a function of the operation, never of the rows."""

import re

import pytest

from tests.resolvers.world import World

# operation → statements: a root is one; each level of to-many one more; each selected count, aggregate, far side one.
COUNTS = {
    "{queue(by: {databaseId: 1}) {name}}": 1,
    '{queue(by: {name: "Queue 1"}) {name group {name}}}': 1,
    "{tickets {nodes {queue {group {name}} parent {queue {name}} customerUser {email}}}}": 1,
    '{tickets(filter: {queue: {group: {name: {eq: "users"}}}}, orderBy: [{queue: {name: ASC}}]) {nodes {title}}}': 1,
    '{tickets(filter: {services: {some: {name: {eq: "Service 1"}}}}) {nodes {title}}}': 1,
    "{tickets {nodes {contract colour urgent visit}}}": 1,
    "{tickets {nodes {areas}}}": 2,
    "{tickets {totalCount}}": 1,
    "{tickets {nodes {title} totalCount}}": 2,
    "{tickets {nodes {title} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}}": 1,
    "{tickets(offset: 5) {nodes {title} pageInfo {hasNextPage}}}": 1,
    "{tickets(offset: 5) {nodes {title} pageInfo {hasPreviousPage}}}": 2,
    "{queues {nodes {tickets {nodes {title}}}}}": 2,
    "{queues {nodes {tickets {nodes {title} totalCount}}}}": 3,
    "{queues {nodes {a: tickets(first: 1) {nodes {title}} b: tickets(first: 2) {nodes {title}}}}}": 3,
    "{queues {nodes {a: group {name} b: group {id}}}}": 1,
    "{groups(first: 3) {nodes {queues(first: 3) {nodes {tickets {nodes {services {nodes {name}}}}}}}}}": 4,
    "{queues {nodes {group {queues {nodes {name}}}}}}": 2,
    "{queues {nodes {name} edges {cursor node {name}}}}": 1,
    "{queueAggregate(groupBy: [VALIDITY]) {key {validity} count}}": 1,
    "{queueAggregate(groupBy: [GROUP]) {key {group {name}} count}}": 2,
    "{queues {nodes {loadLabel}}}": 1,
    "{queues {nodes {name}} groups {nodes {name}}}": 2,
    "{a: queues {nodes {name}} b: queues {nodes {name}}}": 1,
    "{schemaVersion}": 0,
}


@pytest.mark.parametrize(("text", "expected"), COUNTS.items())
async def test_the_operation_alone_decides_how_many_statements_run(world: World, text: str, expected: int) -> None:
    result = await world.run(text)
    assert result.data
    assert len(world.seen) == expected


async def test_three_rows_and_sixty_rows_take_the_same_statements(world: World) -> None:
    text = "query($n: Int) {tickets(first: $n) {nodes {children {nodes {services {nodes {name}}}} areas} totalCount}}"
    await world.data(text, {"n": 3})
    few = len(world.seen)
    await world.data(text, {"n": 60})
    assert len(world.seen) == few == 5


async def test_only_what_is_selected_and_filtered_is_in_a_statement(world: World) -> None:
    await world.data('{tickets(filter: {title: {eq: "a"}}) {nodes {number}}}')
    (text,) = world.seen
    assert text.count("JOIN") == world.database.dialect.finds_keys_first
    assert "body" not in text
    await world.data("query($f: TicketFilter) {tickets(filter: $f) {nodes {number}}}", {"f": None})
    assert "WHERE" not in world.seen[0]


async def test_a_reference_under_two_names_is_joined_once(world: World) -> None:
    await world.data("{queues(orderBy: [{group: {name: ASC}}]) {nodes {a: group {name} b: group {id}}}}")
    assert world.seen[0].count("JOIN") == 1


async def test_rows_behind_references_to_small_tables_are_listed_and_not_joined(world: World) -> None:
    filtered = '{tickets(first: 60, filter: {queue: {group: {name: {eq: "users"}}}}) {nodes {databaseId}}}'
    found = {row["databaseId"] for row in (await world.data(filtered))["tickets"]["nodes"]}
    (text,) = world.seen
    assert text.count("JOIN") == world.database.dialect.finds_keys_first
    assert text.count(" IN (SELECT ") == 2
    whole = await world.data("{tickets(first: 60) {nodes {databaseId queue {group {name}}}}}")
    groups = {row["databaseId"]: (row["queue"] or {}).get("group") for row in whole["tickets"]["nodes"]}
    assert found == {key for key, group in groups.items() if group == {"name": "users"}}
    assert found


async def test_who_asks_for_one_key_behind_a_reference_finds_the_rows_of_it(world: World) -> None:
    """SQLite is told twice: through a list alone it would not see that an index has the rows in their order."""
    whole = await world.data("{tickets(first: 60) {nodes {databaseId queue {databaseId}}}}")
    queues = {row["databaseId"]: (row["queue"] or {}).get("databaseId") for row in whole["tickets"]["nodes"]}
    filtered = "query($n: Int) {tickets(first: 60, filter: {queue: {databaseId: {eq: $n}}}) {nodes {databaseId}}}"
    for number in {*queues.values(), 12345} - {None}:
        found = {row["databaseId"] for row in (await world.data(filtered, {"n": number}))["tickets"]["nodes"]}
        assert found == {key for key, queue in queues.items() if queue == number}
        (text,) = world.seen
        assert text.count(" IN (SELECT ") == 1
        assert ('"queue_id" = ' in text) is (world.database.dialect.name == "sqlite")


async def test_a_reference_to_a_table_that_grows_with_every_ticket_is_joined(world: World) -> None:
    await world.data('{tickets(filter: {parent: {number: {eq: "1"}}}) {nodes {databaseId}}}')
    assert "JOIN" in world.seen[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("{queue(by: {databaseId: 1}) {name}}", {"1"}),
        ("{tickets(first: 7) {nodes {title}}}", {"7"}),
        ("{tickets(first: 7) {nodes {title} pageInfo {hasNextPage}}}", {"8"}),
        ("{tickets(first: 7) {nodes {title} pageInfo {hasPreviousPage}}}", {"7"}),
        ("{tickets(last: 7) {nodes {title} ...on TicketConnection {info: pageInfo {hasPreviousPage}}}}", {"8"}),
        ("{tickets(first: 7, offset: 14) {nodes {title}}}", {"7", "14"}),
        ("{queueAggregate(first: 4, groupBy: [VALIDITY]) {count}}", {"4"}),
    ],
)
async def test_how_many_rows_are_wanted_stands_in_the_text_of_a_statement(
    world: World, text: str, numbers: set[str]
) -> None:
    """PostgreSQL plans a statement anew at every run where that is a value. One row more shows that the list goes on."""
    await world.data(text)

    assert set(re.findall(r"\b[0-9]+\b", world.seen[-1].rpartition("LIMIT")[2])) >= numbers


async def test_a_list_with_a_filter_is_planned_for_its_values(world: World) -> None:
    """One plan for all of them would look for what there is none of among all rows."""
    await world.data('{tickets(first: 7, offset: 14, filter: {title: {eq: "a"}}) {nodes {title}}}')

    assert not re.findall(r"\b(7|14)\b", world.seen[-1].rpartition("LIMIT")[2])
