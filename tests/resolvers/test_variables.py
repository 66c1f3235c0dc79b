"""Variables that pass validation and still do not fit: null or nothing in place of a default is the client's mistake, told where."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_variable_values

from resolvers.errors import OperationError, present
from resolvers.variables import MAX_ERRORS, coerce_variables
from tests.resolvers.world import World

QUEUE = "queue(by: {databaseId: 1})"
MISFITS: list[tuple[str, Mapping[str, Any], str]] = [
    ("query($n: Int) {queue(by: {databaseId: $n}) {name}}", {}, "queue: "),
    ("query($n: Int) {queue(by: {databaseId: $n}) {name}}", {"n": None}, "queue: "),
    ("query($n: Int = 1) {mine: queue(by: {databaseId: $n}) {name}}", {"n": None}, "mine: "),
    ("query($n: QueueKey = {databaseId: 1}) {queue(by: $n) {name}}", {"n": None}, "queue: "),
    ("query($n: SortDirection) {tickets(orderBy: [{title: $n}]) {totalCount}}", {}, "tickets: "),
    ("query($n: SortDirection) {tickets(orderBy: [{title: $n}]) {totalCount}}", {"n": None}, "tickets: "),
    ('query($n: ID = "x") {node(id: $n) {id}}', {"n": None}, "node: "),
    ('query($n: ID = "x") {nodes(ids: [$n]) {id}}', {"n": None}, "nodes: "),
    ("query($n: BigInt = 1) {tickets(filter: {databaseId: {in: [1, $n]}}) {totalCount}}", {"n": None}, "tickets: "),
    ("query($n: TicketFilter = {}) {tickets(filter: {or: [$n]}) {totalCount}}", {"n": None}, "tickets: "),
    ("query($n: Boolean = true) {schemaVersion @include(if: $n)}", {"n": None}, ""),
    (f"query($n: Boolean = true) {{{QUEUE} {{group {{name @skip(if: $n)}}}}}}", {"n": None}, "queue.group: "),
    (
        f"query($n: BigInt = 1) {{{QUEUE} {{few: tickets(filter: {{databaseId: {{in: [$n]}}}}) {{totalCount}}}}}}",
        {"n": None},
        "queue.few: ",
    ),
]


@pytest.mark.parametrize(("text", "variables", "place"), MISFITS)
async def test_b11_null_or_nothing_where_a_value_must_be_is_a_bad_request(
    world: World, caplog: pytest.LogCaptureFixture, text: str, variables: Mapping[str, Any], place: str
) -> None:
    code, _, message = (await world.refusal(text, variables)).partition(": ")
    (error,) = (await world.run(text, variables)).errors or [GraphQLError("none")]

    assert code == "BAD_REQUEST"
    assert message.startswith(f"{place}Argument '")
    assert "$n" in message
    assert error.path is None
    assert error.locations
    assert caplog.records == []


async def test_b11_introspection_beside_data_says_so_as_well(world: World) -> None:
    text = f'query($n: String = "Queue") {{{QUEUE} {{name}} __type(name: $n) {{name}}}}'

    result = await world.run(text, {"n": None})

    assert result.data == {"queue": {"name": "Queue 1"}, "__type": None}
    (error,) = result.errors or [GraphQLError("none")]
    assert error.path == ["__type"]
    assert (error.extensions or {})["code"] == "BAD_REQUEST"


async def test_a_default_serves_where_the_variable_is_missing(world: World) -> None:
    text = "query($n: Int = 1, $yes: Boolean = true) {queue(by: {databaseId: $n}) {name @include(if: $yes)}}"

    assert await world.data(text) == {"queue": {"name": "Queue 1"}}


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        (GraphQLError("Cannot return null for non-nullable field Queue.name."), "GraphQLError"),
        (ValueError("secret value 4711"), "ValueError"),
        (OperationError("Nobody gave it a code."), "OperationError"),
    ],
)
def test_every_internal_error_is_one_line_under_its_request_id(
    caplog: pytest.LogCaptureFixture, cause: Exception, name: str
) -> None:
    rows = [GraphQLError(str(cause), path=["queues", "nodes", row, "name"], cause=cause) for row in range(3)]

    told = present(rows, "r1")

    assert [(error.extensions or {})["code"] for error in told] == ["INTERNAL"] * 3
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.request_id == "r1"  # type: ignore[attr-defined] # put there with `extra`
    assert record.getMessage() == f"request r1: {name} at unknown place in queues.nodes.name"


SCHEMA = build_schema("type Query {a(n: [Int!], t: [String], d: [ID!]!, b: [Boolean!]): Int}")
LISTS: list[tuple[str, Any]] = [
    (type_, value)
    for type_ in ("[Int!]", "[Int]", "[Int!]!", "[String!]", "[ID!]!", "[Boolean!]", "[[Int!]]")
    for value in (
        [1, 2], [], None, 1, [1, None], [2**31], [-(2**31)], [2**31 - 1], [True], [1, True], [1.0], [1.5], ["1"], ["a", "b"], "a", [[1]],
        (1, 2), {"a": 1},
    )
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value"), LISTS)
def test_lists_are_taken_as_graphql_takes_them(type_: str, value: Any) -> None:
    (operation,) = parse(f"query($n: {type_}) {{__typename}}").definitions
    assert isinstance(operation, OperationDefinitionNode)

    ours = coerce_variables(SCHEMA, operation, {"n": value})

    theirs = get_variable_values(
        SCHEMA, operation.variable_definitions or (), {"n": value}, max_errors=MAX_ERRORS, hide_suggestions=True
    )
    assert shown(ours) == shown(theirs)


def shown(found: VariableValues | list[GraphQLError]) -> str:
    """Write what came of variables, with its types."""
    return repr(found.coerced if isinstance(found, VariableValues) else [error.message for error in found])
