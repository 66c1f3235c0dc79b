"""What a request leaves behind: nothing that waits for the garbage collector and holds the request or its schema."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import graphql
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, parse, specified_rules

from bench.bench_documents import SCHEMA, shapes
from resolvers.lean import LeanExecutor, validate
from schema.build import build_schema
from schema.spec import Audience
from tests.schema.sample_modules import desk


class Request:
    """Stands for everything that a request carries."""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the garbage collector."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("query", ["{ queues { nodes { id } } }", "{ queues { nothing } }"])
def test_a_validated_schema_dies_with_its_last_user(query: str) -> None:
    schema = build_schema(desk(), Audience.AGENT).mortal()
    errors = validate(schema, parse(query), specified_rules, max_errors=3, hide_suggestions=True)
    assert len(errors) == ("nothing" in query)
    watched = weakref.ref(schema)
    del schema
    assert watched() is None


@pytest.mark.usefixtures("uncollected")
def test_a_request_dies_when_it_is_answered() -> None:
    schema = build_schema(desk(), Audience.AGENT).mortal()
    request = Request()
    result = graphql.execute(
        schema, parse("{ schemaVersion }"), {"schemaVersion": "1"}, request, executor_class=LeanExecutor
    )
    assert result == ({"schemaVersion": "1"}, None)
    watched: list[weakref.ref[object]] = [weakref.ref(request), weakref.ref(schema)]
    del request, schema
    assert [ref() for ref in watched] == [None, None]


async def test_resolvers_may_gather_and_track() -> None:
    async def one() -> int:
        await asyncio.sleep(0)
        return 1

    async def several(_: object, info: graphql.GraphQLResolveInfo[None]) -> int:
        info.async_helpers.track([one()])
        return sum(await info.async_helpers.gather([one(), one()]))

    query = GraphQLObjectType("Query", {"several": graphql.GraphQLField(graphql.GraphQLInt, resolve=several)})
    found = graphql.execute(GraphQLSchema(query), parse("{ several }"), executor_class=LeanExecutor)
    assert not isinstance(found, graphql.ExecutionResult)
    assert await found == ({"several": 2}, None)


@pytest.mark.parametrize("name", ["a cycle of fragments", "conflicts", "deep conflicts", "directives", "equal input fields", "fragments of fragments", "fragments within limits", "operations", "tokens", "unknown fields", "unknown input fields", "unknown types", "unused fragments", "used variables"])  # fmt: skip
def test_it_finds_what_graphql_core_finds(name: str) -> None:
    document = parse(shapes()[name])
    for limit in (3, 1000):
        found = validate(SCHEMA, document, specified_rules, max_errors=limit, hide_suggestions=False)
        theirs = graphql.validate(SCHEMA, document, specified_rules, limit)[:limit]
        assert [(error.message, error.locations) for error in found] == [
            (error.message, error.locations) for error in theirs
        ]


@pytest.mark.parametrize(
    "query",
    [
        "query ($a: Int) { queues(first: $b) { totalCount } }",
        "query ($a: String) { ...F } fragment F on Query { queues(first: $a) { totalCount } }",
        "query A($a: Int) { ...F } query B { ...F } fragment F on Query { queues(first: $a) { totalCount } }",
        "{ queue @skip(if: true) @skip(if: false) { id @include } }",
        'mutation { rename(name: "$") { id } } mutation { rename(name: "$") { id } }',
        "query ($a: Int = 1, $a: Nothing) { queue(by: {id: $a, name: 1}) { id } node(id: 1) { ... on Queue { name } ... on Int { a } } }",
    ],
)
def test_it_finds_what_graphql_core_finds_about_variables(query: str) -> None:
    document = parse(query)
    found = validate(SCHEMA, document, specified_rules, max_errors=100, hide_suggestions=False)
    theirs = graphql.validate(SCHEMA, document, specified_rules)
    assert found
    assert [(error.message, error.locations) for error in found] == [
        (error.message, error.locations) for error in theirs
    ]
