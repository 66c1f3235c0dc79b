"""Plain answers are the same with and without GraphQL's executor, and what is not plain is the executor's."""

from __future__ import annotations

import pytest
from graphql import ExecutionResult

import resolvers.execute
from resolvers.writers import Unplain
from tests.resolvers.world import World

PLAIN = (
    "{ queue(by: {databaseId: 1}) { id name version } }",
    '{ gone: queue(by: {name: "nobody"}) { id } there: queue(by: {databaseId: 2}) { __typename name } }',
    "{ tickets(first: 5) { nodes { databaseId title queue { name } } totalCount pageInfo { hasNextPage endCursor } } }",
    "{ tickets(first: 3, offset: 2) { __typename edges { cursor node { id ...f } } } } fragment f on Ticket { title }",
    "{ tickets(last: 2) { nodes { ... on Ticket { id } } pageInfo { hasPreviousPage } } }",
    '{ tickets(filter: {queue: {name: {eq: "Raw"}}}) { nodes { id linked(first: 2) { nodes { id } totalCount } } } }',
    "{ ticketAggregate(groupBy: [QUEUE]) { count key { queue { name } } } }",
    "{ schemaVersion queue(by: {databaseId: 1}) { name } }",
)
# What a writer cannot be made for.
OTHERS = (
    "{ __typename queue(by: {databaseId: 1}) { name } }",
    '{ node(id: "WyJRdWV1ZSIsMV0") { id } }',
)


async def by_executor(world: World, text: str, monkeypatch: pytest.MonkeyPatch) -> ExecutionResult:
    with monkeypatch.context() as patch:
        patch.setattr(resolvers.execute, "root_writers", lambda *_: None)
        return await world.run(text)


@pytest.mark.parametrize("text", [*PLAIN, *OTHERS])
async def test_answers_are_those_of_the_executor(world: World, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = await by_executor(world, text, monkeypatch)
    for _ in range(2):  # the second time with what is kept
        found = await world.run(text)
        assert (found.data, found.errors) == (expected.data, expected.errors)
    assert expected.data is not None


@pytest.mark.parametrize("text", PLAIN)
async def test_plain_answers_do_without_the_executor(world: World, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> ExecutionResult:
        raise AssertionError("the executor was asked")

    monkeypatch.setattr(resolvers.execute, "_shape", never)
    assert (await world.run(text)).errors is None


@pytest.mark.parametrize("include", [True, False])
async def test_a_selection_that_a_variable_decides_is_looked_at_each_time(world: World, include: bool) -> None:
    text = "query ($with: Boolean!) { queue(by: {databaseId: 1}) { name id @include(if: $with) } }"
    for wanted in (include, not include):
        found = (await world.data(text, {"with": wanted}))["queue"]
        assert ("id" in found) == wanted


async def test_what_a_writer_gives_up_is_answered_by_the_executor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(_: object) -> object:
        raise Unplain

    text = "{ queue(by: {databaseId: 1}) { name } }"
    expected = await world.data(text)
    monkeypatch.setattr(resolvers.execute, "root_writers", lambda *_: {"queue": give_up})
    assert await world.data(text) == expected
