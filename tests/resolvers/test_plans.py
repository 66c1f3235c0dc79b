"""Planned operations answer what GraphQL's own executor answers, errors and paths included, and plans are made where they can be."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import DocumentNode, parse, validate

from resolvers.execute import execute
from resolvers.planning import find_plan
from resolvers.selection import select
from tests.resolvers.world import World, snapshot

PLANNED: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("{ queue(by: {databaseId: 1}) { id databaseId name version } }", {}),
    ("query ($id: Int!) { queue(by: {databaseId: $id}) { name group { name } } }", {"id": 2}),
    ("query ($name: String!) { queue(by: {name: $name}) { id } }", {"name": "Raw"}),
    ("query ($id: ID!) { queue(by: {id: $id}) { id name } }", {"id": "WyJRdWV1ZSIsMV0"}),
    ("query ($key: QueueKey!) { queue(by: $key) { name } }", {"key": {"databaseId": 3}}),
    ('{ gone: queue(by: {name: "nobody"}) { id } there: queue(by: {databaseId: 2}) { __typename name } }', {}),
    ("{ __typename schemaVersion queue(by: {databaseId: 1}) { name } }", {}),
    ("{ a: queue(by: {databaseId: 1}) { name } b: queue(by: {databaseId: 1}) { name } }", {}),
    ("{ tickets(first: 5) { nodes { databaseId title queue { name } } totalCount pageInfo { hasNextPage endCursor } } }", {}),
    ("{ tickets { nodes { id title createdAt due startAt price ratio hot urgency labels meta pendingUntil effort } } }", {}),
    ("{ tickets(first: 3, offset: 2) { __typename edges { __typename cursor node { id ...f } } } } fragment f on Ticket { title }", {}),
    ("{ tickets(last: 2) { nodes { ... on Ticket { id } } pageInfo { hasPreviousPage hasNextPage startCursor } } }", {}),
    ("query ($size: Int, $from: Int) { tickets(first: $size, offset: $from) { nodes { id } pageInfo { hasPreviousPage } } }", {"size": 2, "from": 1}),
    ("query ($filter: TicketFilter) { tickets(filter: $filter) { totalCount nodes { id title } } }", {"filter": {"queue": {"name": {"eq": "Raw"}}}}),
    ("query ($ids: [Int!]) { queues(filter: {databaseId: {in: $ids}}) { nodes { name } } }", {"ids": [1, 3, 4]}),
    ("query ($word: String!) { tickets(filter: {title: {contains: $word}}) { nodes { title } } }", {"word": "e"}),
    ("query ($with: Boolean!) { queues { nodes { name comment @include(if: $with) id @skip(if: $with) } } }", {"with": True}),
    ("{ queues { nodes { name tickets(first: 2) { nodes { id title queue { name } } totalCount } } } }", {}),
    ("{ queues { nodes { name tickets(last: 2) { edges { cursor node { id } } pageInfo { hasPreviousPage endCursor startCursor } } } } }", {}),
    ("query ($n: Int!, $t: String) { queues { nodes { tickets(first: $n, filter: {title: {ne: $t}}) { totalCount nodes { title } } } } }", {"n": 1, "t": "x"}),
    ("{ tickets(first: 4) { nodes { id queue { name tickets(first: 1) { nodes { id children(first: 2) { nodes { id } } } } } } } }", {}),
    ('{ tickets(filter: {queue: {name: {eq: "Raw"}}}) { nodes { id linked(first: 2) { nodes { id } totalCount } } } }', {}),
    ("query ($id: ID!) { node(id: $id) { __typename id ... on Queue { name tickets(first: 1) { nodes { id } } } } }", {"id": "WyJRdWV1ZSIsMV0"}),
    ('{ nodes(ids: ["WyJRdWV1ZSIsMl0", "none", "WyJRdWV1ZSIsMV0", "WyJRdWV1ZSIsMl0"]) { id ... on Queue { name } } }', {}),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Queue { name } ... on Ticket { title } } }", {"ids": ["WyJRdWV1ZSIsMl0", "WyJUaWNrZXQiLDFd"]}),
    ("{ ticketAggregate(groupBy: [QUEUE]) { count key { queue { name } } } }", {}),
    ("query ($n: String!) { ticketAggregate(filter: {queue: {name: {eq: $n}}}) { count sumEffort } queues { totalCount } }", {"n": "Raw"}),
    ("{ queues(first: 0) { nodes { name } totalCount } tickets(first: 1) { nodes { parent { parent { id } } } } }", {}),
)  # fmt: skip


async def ask(world: World, document: DocumentNode, variables: Mapping[str, Any], *, plain: bool) -> Any:
    world.seen.clear()
    result = await execute(world.context(), document, None, variables, plain=plain)
    return result.data, [error.formatted for error in result.errors or ()], result.extensions


def has_plan(world: World, document: DocumentNode, variables: Mapping[str, Any]) -> bool:
    context = world.context()
    return find_plan(context, select(context.schema, document, None, variables)) is not None


@pytest.mark.parametrize(("text", "variables"), PLANNED)
async def test_a_plan_answers_what_the_executor_answers_with_as_many_statements(
    world: World, text: str, variables: Mapping[str, Any]
) -> None:
    document = parse(text)
    assert validate(world.context().schema, document) == []
    expected = await ask(world, document, variables, plain=True)
    statements = len(world.seen)
    for _ in range(4):
        assert await ask(world, document, variables, plain=False) == expected
        assert len(world.seen) == statements
    assert has_plan(world, document, variables)


COUNTS: tuple[tuple[str, int], ...] = (
    ("query ($n: Int!) { tickets(first: $n) { nodes { id } } }", 1),
    ("query ($n: Int!) { tickets(first: $n) { nodes { id queue { name group { name } } parent { title queue { name } } } } }", 1),
    ("query ($n: Int!) { tickets(first: $n) { nodes { id } totalCount } }", 2),
    ("query ($n: Int!) { tickets(first: $n) { totalCount } }", 1),
    ("query ($n: Int!) { tickets(first: $n, offset: 1) { nodes { id } totalCount pageInfo { hasPreviousPage } } }", 3),
    ("query ($n: Int!) { queues(first: $n) { nodes { tickets(first: $n) { nodes { id queue { name } } } } } }", 2),
    ("query ($n: Int!) { queues(first: $n) { nodes { tickets(first: $n) { nodes { id } totalCount } } } }", 3),
    ("query ($n: Int!) { queues(first: $n) { nodes { tickets(first: $n) { nodes { children(first: $n) { nodes { id } } } } } } }", 3),
    ("query ($n: Int!) { tickets(first: $n) { nodes { queue { tickets(first: 1) { nodes { id } } } services { nodes { name } } } } }", 3),
    ("query ($n: Int!) { a: tickets(first: $n) { nodes { id } } b: queues(first: $n) { nodes { id } } c: queue(by: {databaseId: 1}) { id } }", 3),
    ("query ($n: Int!) { a: tickets(first: $n) { nodes { id } } b: tickets(first: $n) { nodes { id } } }", 1),
    ("query ($n: Int!) { ticketAggregate(groupBy: [QUEUE], first: $n) { count key { queue { name } } } }", 2),
    ('query ($n: Int!) { tickets(first: $n, filter: {children: {some: {queue: {name: {eq: "Raw"}}}}}) { nodes { id } } }', 1),
)  # fmt: skip


@pytest.mark.parametrize(("text", "statements"), COUNTS)
async def test_the_operation_alone_decides_how_many_statements_it_takes(
    world: World, text: str, statements: int
) -> None:
    document = parse(text)
    assert validate(world.context().schema, document) == []
    for size in (3, 40, 3, 40, 40):  # without a plan, and with one
        _, errors, _ = await ask(world, document, {"n": size}, plain=False)
        assert errors == []
        assert len(world.seen) == statements, size
    assert has_plan(world, document, {"n": 40})


WALKS = (
    "query ($at: String) { tickets(first: 3, %s) { edges { cursor } nodes { id title } pageInfo { hasNextPage hasPreviousPage } } }",
    "query ($at: String) { tickets(first: 4, orderBy: [{createdAt: DESC}], %s) { edges { cursor } nodes { id } totalCount } }",
    'query ($at: String, $not: String = "x") { tickets(first: 3, filter: {title: {ne: $not}}, orderBy: [{title: ASC}, {due: DESC}], %s) { edges { cursor } nodes { id } } }',
)


@pytest.mark.parametrize("text", WALKS)
@pytest.mark.parametrize(("argument", "edge"), [("after: $at", -1), ("before: $at", 0)])
async def test_pages_that_begin_at_a_cursor_are_planned(world: World, text: str, argument: str, edge: int) -> None:
    text = text % argument
    document = parse(text.replace("first:", "last:") if edge == 0 else text)
    assert validate(world.context().schema, document) == []
    given: dict[str, Any] = {}
    pages = 0
    while True:
        expected = await ask(world, document, given, plain=True)
        statements = len(world.seen)
        assert expected[1] == []
        for _ in range(2):
            assert await ask(world, document, given, plain=False) == expected
            assert len(world.seen) == statements
        edges = expected[0]["tickets"]["edges"]
        if not edges:
            break
        if pages > 1:
            assert has_plan(world, document, given)
        pages += 1
        given = {"at": edges[edge]["cursor"]}
    assert pages > 3


async def test_a_plan_takes_no_cursor_of_another_list_or_caller(world: World) -> None:
    text = "query ($at: String) { tickets(first: 2, after: $at) { edges { cursor } nodes { id } } }"
    other = text.replace("first: 2", "first: 2, orderBy: [{title: ASC}]")
    document = parse(text)
    own = (await ask(world, document, {}, plain=False))[0]["tickets"]["edges"][0]["cursor"]
    foreign = (await ask(world, parse(other), {}, plain=False))[0]["tickets"]["edges"][0]["cursor"]
    for _ in range(3):
        assert (await ask(world, document, {"at": own}, plain=False))[1] == []
    for cursor in (foreign, own[:-1], own[:-4] + "AAAA", "", "x" * 1_000):
        data, errors, _ = await ask(world, document, {"at": cursor}, plain=False)
        assert data is None
        assert errors[0]["extensions"]["code"] == "BAD_REQUEST"


async def test_plans_keep_no_snapshot_alive(world: World) -> None:
    """A snapshot dies with its last request; one that waited for the garbage collector would wait long."""
    made = snapshot(world.database.dialect.name)
    other = World(world.database, made)
    for text, variables in PLANNED:
        document = parse(text)
        for _ in range(3):
            await ask(other, document, variables, plain=False)
    old = weakref.ref(made)
    gc.collect()  # of what the test itself made
    gc.disable()
    try:
        del made, other
        assert old() is None
    finally:
        gc.enable()
