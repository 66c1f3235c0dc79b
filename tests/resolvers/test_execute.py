"""Running an operation: what is selected comes out, what fails fails where it stands, and nothing leaves unmasked."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLField, GraphQLNonNull, GraphQLString, parse

from resolvers.analysis import analyse
from resolvers.execute import execute
from resolvers.gate import Use
from resolvers.selection import select
from schema.build import HandWritten, build_schema
from schema.spec import Audience
from storage.errors import PoolExhausted, StatementFailed, StatementTimeout, Unavailable
from tests.resolvers.world import ROWS, World, modules


@pytest.fixture
def failing(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Lets every statement fail that mentions a text."""
    fetch = world.database.fetch

    def fail(mentions: str, error: Exception) -> None:
        async def broken(statement: Any, *, deadline: float | None = None) -> list[tuple[Any, ...]]:
            if mentions in str(statement):
                raise error
            return await fetch(statement, deadline=deadline)

        monkeypatch.setattr(world.database, "fetch", broken)

    return fail


# --- selections ---


async def test_fragments_aliases_and_directives_select_as_graphql_says(world: World) -> None:
    text = """
      query($yes: Boolean!, $no: Boolean!) {
        queue(by: {databaseId: 1}) {
          ...Names
          ... on Queue @include(if: $yes) {key: databaseId}
          ... on Queue @skip(if: $yes) {comment}
          validity @include(if: $no)
          group {__typename}
          group {id: databaseId}
          own: group {...Group}
        }
      }
      fragment Names on Queue {name group {...Group}}
      fragment Group on Group {name}
    """
    assert await world.data(text, {"yes": True, "no": False}) == {
        "queue": {
            "name": "Queue 1",
            "group": {"name": "admin", "__typename": "Group", "id": 2},
            "key": 1,
            "own": {"name": "admin"},
        }
    }


async def test_the_same_relation_under_two_names_has_its_own_arguments(world: World) -> None:
    text = """{queue(by: {databaseId: 1}) {
      few: tickets(first: 1, orderBy: [{databaseId: DESC}]) {nodes {databaseId}}
      many: tickets(first: 3, filter: {hot: {eq: true}}) {nodes {hot}}}}"""
    queue = (await world.data(text))["queue"]
    assert len(queue["few"]["nodes"]) == 1
    assert queue["many"]["nodes"]
    assert all(row == {"hot": True} for row in queue["many"]["nodes"])


async def test_edges_and_nodes_select_differently_from_the_same_rows(world: World) -> None:
    text = "{queues(first: 2) {a: nodes {x: name} b: nodes {x: databaseId} edges {node {x: validity}} again: edges {cursor}}}"
    found = (await world.data(text))["queues"]
    assert found["a"] == [{"x": "Queue 1"}, {"x": "Queue 2"}]
    assert found["b"] == [{"x": 1}, {"x": 2}]
    assert [edge["node"]["x"] for edge in found["edges"]] == ["INVALID", "VALID"]
    assert len(found["again"]) == 2


async def test_every_kind_of_value_comes_out_the_same_on_every_database(world: World) -> None:
    text = """{a: ticket(by: {databaseId: 5}) {...All} b: ticket(by: {databaseId: 60}) {...All}}
      fragment All on Ticket {
        number title body queue {followUp validity createdAt} parent {number} customerUserLogin customerUser {login}
        pendingUntil effort price ratio hot due startAt urgency labels meta seen createdAt
        contract colour areas urgent visit answeredAt}"""
    data = await world.data(text)
    assert data["a"] == {
        "number": "20260005",
        "title": "ζΣς",
        "body": "x!y",
        "queue": {"followUp": "REJECT", "validity": "INVALID", "createdAt": "2026-02-28T12:00:00Z"},
        "parent": None,
        "customerUserLogin": "Anna",
        "customerUser": {"login": "Anna"},
        "pendingUntil": "2023-11-14T22:13:21Z",
        "effort": None,
        "price": None,
        "ratio": 1.25,
        "hot": True,
        "due": "2026-03-01",
        "startAt": "23:59:59",
        "urgency": "UNKNOWN",
        "labels": ["a", "b"],
        "meta": "broken",
        "seen": 1,
        "createdAt": "2026-01-16T12:00:00Z",
        "contract": None,
        "colour": "blue",
        "areas": ["north"],
        "urgent": None,
        "visit": "2026-01-06",
        "answeredAt": "2026-01-01T05:30:00Z",
    }
    assert data["b"] == {
        "number": "20260060",
        "title": "100% sure_thing",
        "body": "straße",
        "queue": {"followUp": "NEW_TICKET", "validity": "VALID", "createdAt": "2026-02-27T12:00:00Z"},
        "parent": None,
        "customerUserLogin": "Anna",
        "customerUser": {"login": "Anna"},
        "pendingUntil": None,
        "effort": "PT0S",
        "price": None,
        "ratio": 1.25,
        "hot": False,
        "due": "2026-03-01",
        "startAt": "08:30:00",
        "urgency": "LOW",
        "labels": [],
        "meta": {"a": 1},
        "seen": None,
        "createdAt": "2026-02-03T12:00:00Z",
        "contract": "C-1",
        "colour": None,
        "areas": ["north"],
        "urgent": True,
        "visit": "2026-01-05",
        "answeredAt": "2026-01-01T12:30:00Z",
    }


async def test_references_through_texts_and_tables_between_are_exact(world: World) -> None:
    data = await world.data(
        "{customerUsers {nodes {login nickname hobbies tickets {totalCount}}} tickets(first: 3) {nodes {linked {nodes {databaseId}}}}}"
    )
    assert [row["login"] for row in data["customerUsers"]["nodes"]] == ["anna", "Anna", "bert", "cora "]
    assert [row["nickname"] for row in data["customerUsers"]["nodes"]] == ["Annie", None, None, None]
    assert [row["hobbies"] for row in data["customerUsers"]["nodes"]] == [["chess", "golf"], None, None, None]
    # Twice the same link is one row; a link of another type, and one to `4x`, lead nowhere.
    assert [[to["databaseId"] for to in row["linked"]["nodes"]] for row in data["tickets"]["nodes"]] == [[2], [1], []]


async def test_a_reference_to_what_is_not_unique_takes_the_oldest_and_no_row_twice(world: World) -> None:
    data = await world.data(
        "{queues {nodes {databaseId oldestTicket {databaseId}} totalCount} queueAggregate(groupBy: [OLDEST_TICKET]) {key {oldestTicket {databaseId}} count}}"
    )
    oldest = {n: min((t["id"] for t in ROWS["ticket"] if t["queue_id"] == n), default=None) for n in range(1, 8)}
    found = {
        row["databaseId"]: row["oldestTicket"] and row["oldestTicket"]["databaseId"] for row in data["queues"]["nodes"]
    }
    assert found == oldest
    assert data["queues"]["totalCount"] == 7
    keys = [row["key"]["oldestTicket"] for row in data["queueAggregate"]]
    assert [key and key["databaseId"] for key in keys] == [None, *(id_ for id_ in oldest.values() if id_)]


async def test_search_finds_every_word_in_any_searchable_field(world: World) -> None:
    async def found(text: str) -> set[int]:
        data = await world.data("query($s: String) {tickets(first: 500, search: $s) {nodes {databaseId}}}", {"s": text})
        return {row["databaseId"] for row in data["tickets"]["nodes"]}

    assert await found("PRINTER fire") == await found("fire printer") != set()
    assert await found("printer 20260001") <= {1}
    assert len(await found("  ")) == 60
    assert await found("100%") == await found("sure_thing") != set()
    assert await found("%") == await found("100%")
    assert await found("c-1") != set()
    assert await found("nowhere") == set()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 201, "tickets.search: a search may have 200 characters; this one has 201."),
        (" ".join(map(str, range(11))), "tickets.search: a search may have 10 words; this one has 11."),
        ("a\0", "tickets.search: A text must not contain NUL or half of a surrogate pair."),
    ],
)
async def test_searches_have_limits(world: World, text: str, message: str) -> None:
    refused = await world.refusal("query($s: String) {tickets(search: $s) {nodes {id}}}", {"s": text})
    assert refused == f"BAD_REQUEST: {message}"


# --- failures ---


async def test_a_relation_that_fails_is_an_error_at_its_place(
    world: World, failing: Callable[[str, Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    failing("dynamic_field_value", StatementFailed("42P01"))
    result = await world.run("{tickets(first: 2) {nodes {number areas}}}")
    assert result.data == {"tickets": {"nodes": [{"number": f"2026000{n}", "areas": None} for n in (1, 2)]}}
    assert [error.path for error in result.errors or ()] == [["tickets", "nodes", n, "areas"] for n in (0, 1)]
    assert {error.message for error in result.errors or ()} == {"Internal error"}
    assert len(caplog.records) == 1
    assert "request r1: StatementFailed" in caplog.text


async def test_a_connection_that_fails_takes_its_nearest_nullable_parent(
    world: World, failing: Callable[[str, Exception], None]
) -> None:
    failing("ticket_service", StatementFailed("42P01"))
    result = await world.run(
        "{queue(by: {databaseId: 1}) {name tickets {nodes {services {nodes {name}}}}} other: group(by: {databaseId: 1}) {name}}"
    )
    assert result.data == {"queue": None, "other": {"name": "users"}}
    assert [error.path for error in result.errors or ()] == [["queue", "tickets", "nodes", 0, "services"]]


async def test_a_failing_root_leaves_the_others(world: World, failing: Callable[[str, Exception], None]) -> None:
    failing("permission_groups", ValueError("secret value 4711"))
    result = await world.run("{group(by: {databaseId: 1}) {name} queue(by: {databaseId: 1}) {name}}")
    assert result.data == {"group": None, "queue": {"name": "Queue 1"}}
    (error,) = result.errors or [GraphQLError("none")]
    assert (error.message, error.extensions) == ("Internal error", {"code": "INTERNAL", "requestId": "r1"})


async def test_the_log_has_the_request_and_no_values(
    world: World, failing: Callable[[str, Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    failing("permission_groups", ValueError("secret value 4711"))
    with caplog.at_level(logging.DEBUG, "lambdesk"):
        await world.run("{group(by: {databaseId: 1}) {name}}")
    (record,) = caplog.records
    assert record.request_id == "r1"  # type: ignore[attr-defined]
    assert "ValueError" in record.getMessage()
    assert "4711" not in caplog.text


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (Unavailable("no answer"), {"code": "UNAVAILABLE", "retryAfter": 1.0, "requestId": "r1"}),
        (PoolExhausted(2.5), {"code": "UNAVAILABLE", "retryAfter": 2.5, "requestId": "r1"}),
        (StatementTimeout(), {"code": "TIMEOUT", "requestId": "r1"}),
    ],
)
async def test_a_database_that_is_away_concerns_the_whole_operation(
    world: World, failing: Callable[[str, Exception], None], error: Exception, extensions: dict[str, Any]
) -> None:
    failing("queue", error)
    result = await world.run("{group(by: {databaseId: 1}) {name queues {nodes {name}}}}")
    assert result.data is None
    assert [found.extensions for found in result.errors or ()] == [extensions]


async def test_the_deadline_stops_the_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = asyncio.Event()

    async def slow(statement: Any, *, deadline: float | None = None) -> list[tuple[Any, ...]]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return []

    monkeypatch.setattr(world.database, "fetch", slow)
    began = time.monotonic()
    result = await world.run("{queues {nodes {name}} groups {nodes {name}}}", deadline=began + 2)
    assert time.monotonic() - began < 10  # not the thirty seconds
    assert stopped.is_set()
    (error,) = result.errors or [GraphQLError("none")]
    assert error.extensions == {"code": "TIMEOUT", "requestId": "r1"}
    assert "took too long" in error.message


async def test_a_deadline_that_has_passed_runs_nothing(world: World) -> None:
    result = await world.run("{queues {nodes {name}}}", deadline=time.monotonic() - 1)
    assert [error.extensions for error in result.errors or ()] == [{"code": "TIMEOUT", "requestId": "r1"}]
    assert world.seen == []


# --- requests ---


async def test_variables_that_do_not_fit_are_refused_one_by_one(world: World) -> None:
    document = parse("query($n: Int!, $f: QueueFilter) {queues(first: $n, filter: $f) {nodes {name}}}")
    result = await execute(world.context(), document, None, {"n": "one", "f": {"nam": {}}})
    assert result.data is None
    assert [(error.extensions or {})["code"] for error in result.errors or ()] == ["BAD_REQUEST", "BAD_REQUEST"]
    assert "Did you mean" not in str(result.errors)


async def test_an_operation_must_be_named_where_there_are_several(world: World) -> None:
    document = parse("query A {schemaVersion} query B {queue(by: {databaseId: 1}) {name}}")
    named = await execute(world.context(), document, "B")
    assert named.data == {"queue": {"name": "Queue 1"}}
    for name, message in (
        (None, "The document has several operations: name one."),
        ("C", "The document has no operation of this name."),
    ):
        result = await execute(world.context(), document, name)
        assert [error.message for error in result.errors or ()] == [message]
        assert [(error.extensions or {})["code"] for error in result.errors or ()] == ["BAD_REQUEST"]


async def test_the_cost_is_rows_times_fields_and_has_a_ceiling(world: World) -> None:
    text = "{queues(first: 10) {nodes {name tickets(first: 5) {nodes {title}}}}}"
    result = await world.run(text)
    # A ticket costs 2 (itself, one field); a queue 1 + 1 + 5 tickets of 2; ten of those.
    assert result.extensions == {"cost": 120}
    refused = await world.run(text, cost_limit=119)
    assert refused.data is None
    assert refused.extensions == {"cost": 120}
    assert [(error.extensions or {})["code"] for error in refused.errors or ()] == ["COMPLEXITY_LIMIT"]
    assert world.seen == []


async def test_refusals_say_where_in_the_document_and_have_no_place_in_an_answer(world: World) -> None:
    """Nothing ran, so there is no answer: not even below a field that may be null."""
    result = await world.run('{schemaVersion queue(by: {name: "Queue 1"}) {tickets(first: 1000) {nodes {id}}}}')
    assert result.data is None
    assert world.seen == []
    (error,) = result.errors or [GraphQLError("none")]
    assert error.formatted == {
        "message": "tickets.first: must be between 0 and 500; found 1000.",
        "locations": [{"line": 1, "column": 46}],
        "extensions": {"code": "BAD_REQUEST", "requestId": "r1"},
    }


async def test_hand_written_fields_stand_beside_generated_ones(world: World) -> None:
    async def hello(_source: Any, info: Any) -> str:
        return f"hello {info.context.request_id}"

    field = GraphQLField(GraphQLNonNull(GraphQLString), resolve=hello)
    made = modules(world.database.dialect.name)
    schema = build_schema(made, Audience.AGENT, HandWritten(query={"hello": field}))
    world.snapshot = type(world.snapshot)("v2", 2, made, (), {Audience.AGENT: schema}, world.snapshot.catalog)
    assert await world.data("{hello schemaVersion queue(by: {databaseId: 1}) {name}}") == {
        "hello": "hello r1",
        "schemaVersion": "v2",
        "queue": {"name": "Queue 1"},
    }


def touched(world: World, text: str) -> list[tuple[str, str, str]]:
    context = world.context()
    analysis = analyse(context, select(context.schema, parse(text), None, None))
    return [(touch.module, touch.name, touch.use) for touch in analysis.touched]


def test_the_analysis_names_everything_that_an_operation_touches(world: World) -> None:
    text = """{queues(filter: {group: {name: {eq: "x"}}}, orderBy: [{group: {validity: ASC}}], search: "y") {
      nodes {name loadLabel tickets(filter: {services: {some: {name: {eq: "z"}}}}) {totalCount}}}}"""
    assert touched(world, text.replace("validity", "name")) == [
        ("queue", "", Use.ROWS),
        ("queue", "group", Use.FILTER),
        ("group", "", Use.ROWS),
        ("group", "name", Use.FILTER),
        ("queue", "name", Use.SEARCH),
        ("queue", "comment", Use.SEARCH),
        ("queue", "group", Use.ORDER),
        ("group", "", Use.ROWS),
        ("group", "name", Use.ORDER),
        ("queue", "name", Use.SELECT),
        ("queue", "load_label", Use.SELECT),
        ("queue", "unlock_timeout", Use.NEEDS),
        ("queue", "group", Use.NEEDS),
        ("group", "", Use.ROWS),
        ("group", "name", Use.NEEDS),
        ("queue", "tickets", Use.SELECT),
        ("ticket", "", Use.ROWS),
        ("ticket", "services", Use.FILTER),
        ("service", "", Use.ROWS),
        ("service", "name", Use.FILTER),
    ]


def test_keys_groups_sums_and_versions_are_touches_too(world: World) -> None:
    text = '{group(by: {name: "x"}) {version id} ticketAggregate(groupBy: [HOT]) {sumEffort key {queue {name}}}}'
    assert touched(world, text) == [
        ("group", "", Use.ROWS),
        ("group", "name", Use.KEY),
        ("group", "name", Use.VERSION),
        ("group", "validity", Use.VERSION),
        ("group", "id", Use.SELECT),
        ("ticket", "", Use.ROWS),
        ("ticket", "hot", Use.GROUP),
        ("ticket", "effort", Use.AGGREGATE),
    ]
