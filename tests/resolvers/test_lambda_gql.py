"""What lambdas ask the API: as the same caller, with statements that the operation alone decides the number of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLError, parse

from lambdas.contract import Power
from resolvers.document import Documents
from resolvers.execute import execute
from resolvers.ids import write_id
from resolvers.lambda_gql import Queries
from resolvers.limits import Limits
from schema.build import build_schema
from schema.spec import Audience, Caption, Code, Computed
from tests.programmed import Programmed, Row
from tests.resolvers.world import PLACE, ROWS, World, modules

NEEDS: Mapping[str, tuple[str, ...]] = {
    "ticket": ("id", "number", "title", "queue", "customer_user", "parent"),
    "queue": ("id", "name", "group"),
}


@pytest.fixture
def desk(world: World) -> World:
    """The sample desk with computed fields that ask."""
    found = modules(world.database.dialect.name)
    for name, needs in NEEDS.items():
        asking = Computed("asked", "json", PLACE, Caption("asked"), needs=needs, code=Code("return gql()", PLACE))
        found[name] = replace(found[name], computed=(*found[name].computed, asking))
    schemas = {audience: build_schema(found, audience) for audience in Audience}
    return World(world.database, replace(world.snapshot, modules=found, schemas=schemas), world.seen)


DOCUMENTS = Documents(Limits(), introspection=False)
ASKS: Mapping[str, Any] = {"asks": {"gql": Queries(DOCUMENTS)}}


def _in_other_letters(row: Row) -> str:
    """Name a ticket's customer, every second time as nobody is called though an index may take it for the same."""
    name: str = row.item["customer_user"] or "nobody"
    return name if row.item["id"] % 2 else name.swapcase()


# By name: what is asked for a ticket, and how many statements that takes for any number of tickets.
QUESTIONS: Mapping[str, tuple[str, Callable[[Row], dict[str, Any]], int]] = {
    "one row by its key": (
        "query ($v: Int!) { queue(by: {databaseId: $v}) { databaseId name group { name } } }",
        lambda row: {"v": row.item["queue"]},
        1,
    ),
    "one row by its name": (
        "query ($v: String!) { queue(by: {name: $v}) { databaseId } }",
        lambda row: {"v": f"Queue {row.item['queue']}"},
        1,
    ),
    "a count": (
        "query ($v: String!) { tickets(filter: {customerUserLogin: {eq: $v}}) { totalCount } }",
        lambda row: {"v": row.item["customer_user"] or "nobody"},
        1,
    ),
    "a count by two keys": (
        "query ($v: String!, $q: Int!) { tickets(filter: {customerUserLogin: {eq: $v}, queue: {databaseId: {eq: $q}}}) { totalCount } }",
        lambda row: {"v": row.item["customer_user"] or "nobody", "q": row.item["queue"]},
        1,
    ),
    "a count by two keys, whose letters count": (
        "query ($v: String!, $q: Int!) { tickets(filter: {customerUserLogin: {eq: $v}, queue: {databaseId: {eq: $q}}}) { totalCount } }",
        lambda row: {"v": _in_other_letters(row), "q": row.item["queue"]},
        1,
    ),
    "a page by two keys": (
        "query ($v: String!, $q: Int!) { tickets(first: 2, orderBy: [{title: DESC}], filter: {customerUserLogin: {eq: $v}, queue: {databaseId: {eq: $q}}}) { nodes { number title } } }",
        lambda row: {"v": row.item["customer_user"] or "nobody", "q": row.item["queue"]},
        1,
    ),
    "a list with a count": (
        "query ($v: Int!, $t: String) { tickets(first: 3, filter: {queue: {databaseId: {eq: $v}}, title: {ne: $t}}, orderBy: [{title: DESC}]) { totalCount pageInfo { hasNextPage endCursor } nodes { number title } } }",
        lambda row: {"v": row.item["queue"], "t": row.item["title"] or ""},
        2,
    ),
    "an aggregate": (
        "query ($v: Int!) { ticketAggregate(filter: {queue: {databaseId: {eq: $v}}}) { count sumEffort } }",
        lambda row: {"v": row.item["queue"] + 3},
        1,
    ),
    "an aggregate of groups": (
        "query ($v: Int!) { ticketAggregate(first: 2, filter: {queue: {databaseId: {eq: $v}}}, groupBy: [URGENCY]) { count sumEffort key { urgency } } }",
        lambda row: {"v": row.item["queue"] + 3},
        1,
    ),
    "an aggregate of references": (
        "query ($v: String!) { ticketAggregate(filter: {customerUserLogin: {ne: $v}}, groupBy: [QUEUE]) { count key { queue { name } } } }",
        lambda row: {"v": row.item["customer_user"] or "nobody"},
        2,
    ),
    "a relation inside": (
        "query ($v: Int!) { queue(by: {databaseId: $v}) { name tickets(first: 2) { totalCount nodes { number children(first: 1) { nodes { number } } } } } }",
        lambda row: {"v": row.item["queue"]},
        4,
    ),
    "a relation inside, filtered by what differs": (
        "query ($v: Int!, $t: String!) { queue(by: {databaseId: $v}) { tickets(first: 2, filter: {title: {ne: $t}}) { nodes { number } } } }",
        lambda row: {"v": row.item["queue"], "t": row.item["title"] or ""},
        2,
    ),
    "lists from the end, with cursors inside": (
        "query ($v: Int!) { queues(last: 2, filter: {databaseId: {lte: $v}}) { edges { cursor node { name tickets(last: 2) { edges { cursor node { number } } } } } } }",
        lambda row: {"v": row.item["queue"]},
        2,
    ),
    "a node": (
        "query ($v: ID!) { node(id: $v) { id ... on Queue { name } } }",
        lambda row: {"v": write_id(modules("sqlite")["queue"], [row.item["queue"]])},
        1,
    ),
    "several roots, and some that are known": (
        "query ($v: Int!) { __typename schemaVersion a: queue(by: {databaseId: $v}) { name } b: tickets(filter: {queue: {databaseId: {eq: $v}}}) { totalCount } }",
        lambda row: {"v": row.item["queue"]},
        2,
    ),
    "what does not differ": ("{ groups { nodes { name } } }", lambda _row: {}, 1),
}


# Those that differ in what columns are compared with are one statement over all of these values, planned once.
BY_KEYS = (
    "one row by its key",
    "one row by its name",
    "a count",
    "a count by two keys",
    "a count by two keys, whose letters count",
    "a page by two keys",
    "an aggregate",
    "an aggregate of groups",
    "a relation inside",
    "several roots, and some that are known",
)


@pytest.mark.parametrize("name", list(QUESTIONS))
async def test_the_questions_of_all_rows_are_answered_with_as_many_statements_as_one(desk: World, name: str) -> None:
    query, variables, statements = QUESTIONS[name]
    given: dict[int, dict[str, Any]] = {}

    def asked(row: Row) -> Any:
        given[row.item["id"]] = variables(row)
        return row.gql(query, **given[row.item["id"]])

    runner = Programmed({"ticket.asked": asked})
    document = parse("query ($n: Int!) { tickets(first: $n) { nodes { databaseId asked } } }")
    for size in (1, 2, 25, 60, 60):
        desk.seen.clear()
        context = desk.context(lambdas=runner, **ASKS)
        result = await execute(context, document, None, {"n": size})
        assert result.errors is None, result.errors
        assert len(desk.seen) == 1 + statements, "\n".join(desk.seen)
        assert context.statements == len(desk.seen)
    asked_by_keys = not any("UNION" in text or "LATERAL" in text for text in desk.seen)
    assert asked_by_keys == (name in (*BY_KEYS, "what does not differ"))
    expected: dict[str, Any] = {}
    assert result.data is not None
    for row in result.data["tickets"]["nodes"]:
        values = given[row["databaseId"]]
        if str(values) not in expected:
            plain = await execute(desk.context(), parse(query), None, values, plain=True)
            assert plain.errors is None
            expected[str(values)] = plain.data
        assert row["asked"] == expected[str(values)]
    assert len(runner.rounds) == 5


async def test_what_has_no_plan_is_answered_one_by_one(desk: World) -> None:
    """A pattern stands in the statement in another form than it was given."""
    query = "query ($v: String!) { tickets(filter: {title: {contains: $v}}) { totalCount } }"
    runner = Programmed({"queue.asked": lambda row: row.gql(query, v=row.item["name"][-1])})
    data = await desk.data("{ queues { nodes { asked } } }", lambdas=runner, **ASKS)
    assert len(desk.seen) == 1 + 7
    for place, row in enumerate(data["queues"]["nodes"], 1):
        assert row["asked"] == (await desk.data(query, {"v": str(place)}))


async def test_different_questions_of_a_row_are_answered_in_one_round(desk: World) -> None:
    def asked(row: Row) -> Any:
        one = "query ($v: Int!) { queue(by: {databaseId: $v}) { name } }"
        waiting = []
        for query in (one, "{ groups { totalCount } }", "{ tickets { totalCount } }"):
            try:
                waiting.append(row.gql(query, **({"v": row.item["id"]} if "$v" in query else {})))
            except Exception as error:  # noqa: BLE001 - a question without an answer, to be asked together with the others
                open_ = error
        if len(waiting) < 3:
            raise open_
        return waiting

    runner = Programmed({"queue.asked": asked})
    data = await desk.data("{ queues(first: 2) { nodes { name asked } } }", lambdas=runner, **ASKS)
    assert len(runner.rounds) == 1
    assert len(desk.seen) == 4
    for row in data["queues"]["nodes"]:
        assert row["asked"][0] == {"queue": {"name": row["name"]}}
        assert row["asked"][1:] == [{"groups": {"totalCount": 3}}, {"tickets": {"totalCount": len(ROWS["ticket"])}}]


# What is asked, and what the lambda gets thrown.
REFUSED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "a mutation": (
        "mutation { deleteQueue(input: {key: {databaseId: 1}}) { errors { code } } }",
        {},
        "gql() asks queries; this is a mutation.",
    ),
    "a subscription": (
        "subscription { queueChanged { kind } }",
        {},
        "gql() asks queries; this is a subscription.",
    ),
    "no GraphQL": ("{", {}, "Syntax Error: Expected Name, found <EOF>."),
    "an unknown field": ("{ queues { nodes { secret } } }", {}, "Cannot query field 'secret' on type 'Queue'."),
    "a variable too few": (
        "query ($v: Int!) { queue(by: {databaseId: $v}) { name } }",
        {},
        "Variable '$v' has invalid value: Expected a value of non-null type 'Int!' to be provided.",
    ),
    "a wrong argument": (
        "{ queues(first: 900) { totalCount } }",
        {},
        "queues.first: must be between 0 and 500; found 900.",
    ),
    "the schema": (
        "{ __schema { types { name } } }",
        {},
        "GraphQL introspection has been disabled, but the requested query contained the field '__schema'.",
    ),
    "several operations": (
        "query A { schemaVersion } query B { schemaVersion }",
        {},
        "The document has several operations: name one with `operationName`.",
    ),
    "too much of it": ("{" + "queues { totalCount } " * 21 + "}", {}, ""),
}


@pytest.mark.parametrize("name", list(REFUSED))
async def test_what_may_not_be_asked_is_thrown_and_sends_no_statement(desk: World, name: str) -> None:
    query, variables, message = REFUSED[name]
    runner = Programmed({"queue.asked": lambda row: row.gql(query, **variables)})
    result = await desk.run(
        "{ queue(by: {databaseId: 1}) { asked } }", lambdas=runner, asks={"gql": Queries(DOCUMENTS)}
    )
    (error,) = result.errors or [GraphQLError("none")]
    assert error.message.startswith("The lambda of queue.asked failed. ")
    assert message in error.message
    assert len(desk.seen) == 1


async def test_an_error_in_an_answer_is_thrown_with_its_place(desk: World) -> None:
    def asked(row: Row) -> Any:
        return row.gql("{ queues(first: 2) { nodes { loadLabel } } }")

    runner = Programmed({"ticket.asked": asked, "queue.load_label": lambda _row: {}})
    result = await desk.run("{ tickets(first: 1) { nodes { asked } } }", lambdas=runner, **ASKS)
    (error,) = result.errors or [GraphQLError("none")]
    assert "queues.nodes.0.loadLabel: The lambda of queue.load_label failed." in error.message


async def test_a_lambda_without_the_power_to_ask_is_told_so(desk: World) -> None:
    runner = Programmed({"queue.asked": lambda row: row.gql("{ schemaVersion }")})
    await desk.run("{ queue(by: {databaseId: 1}) { asked } }", lambdas=runner)
    assert runner.jobs[0].batches[0].script.powers == frozenset()
    await desk.run("{ queue(by: {databaseId: 1}) { asked } }", lambdas=runner, **ASKS)
    assert runner.jobs[1].batches[0].script.powers == {Power.GQL}


async def test_lambdas_that_ask_for_lambdas_do_so_three_levels_deep(desk: World) -> None:
    """Without an end to it one field could ask for itself for as long as the request lives."""
    deep: list[int] = []

    def asked(row: Row) -> Any:
        found = row.gql("{ queue(by: {databaseId: 1}) { asked } }")
        deep.append(1)
        return found

    runner = Programmed({"queue.asked": asked})
    result = await desk.run("{ queue(by: {databaseId: 1}) { asked } }", lambdas=runner, **ASKS)
    (error,) = result.errors or [GraphQLError("none")]
    assert "Lambdas may ask for fields of lambdas 3 levels deep." in error.message
    assert len(runner.jobs) == 3
    assert deep == []


async def test_what_is_asked_counts_together_towards_what_an_operation_may_cost(desk: World) -> None:
    query = "query ($v: Int!) { queue(by: {databaseId: $v}) { tickets(first: 100) { nodes { title } } } }"
    runner = Programmed({"queue.asked": lambda row: row.gql(query, v=row.item["id"])})
    text = "{ queues(first: 7) { nodes { asked } } }"
    assert (await desk.run(text, lambdas=runner, cost_limit=3_000, **ASKS)).errors is None
    result = await desk.run(text, lambdas=runner, cost_limit=1_000, **ASKS)
    assert {(error.extensions or {})["code"] for error in result.errors or ()} == {"LAMBDA_FAILED"}
    assert "ask for more than a cost of 1000" in (result.errors or [GraphQLError("")])[0].message


async def test_the_same_clock_and_caller_are_seen_on_every_level(desk: World) -> None:
    runner = Programmed(
        {
            "ticket.asked": lambda row: row.gql("{ queue(by: {databaseId: 1}) { loadLabel } }"),
            "queue.load_label": lambda row: row.me["login"],
        }
    )
    await desk.data("{ tickets(first: 1) { nodes { asked } } }", lambdas=runner, **ASKS)
    first, second = runner.jobs
    assert (first.now_ms, first.seed, first.me) == (second.now_ms, second.seed, second.me)
