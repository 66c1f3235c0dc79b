"""Arguments are read as graphql-core reads them: the same values, the same refusals, in whatever mix of literals and variables."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_argument_values,
    parse,
)
from graphql.execution.values import VariableValues, get_variable_values

from resolvers import literals
from resolvers.literals import read_arguments

SCHEMA = build_schema("""
scalar JSON
enum Color { RED GREEN }
input Key @oneOf { id: Int, name: String }
input Inner { n: Int!, color: Color = RED, tags: [String!], more: [Inner!] }
input Outer { key: Key!, inner: Inner, size: Int = 7, free: JSON, must: Int! = 3 }
type Query { f(input: Outer!, first: Int = 5, list: [Int], word: String): Int }
""")
VALUES: list[Mapping[str, Any]] = [{}, {"n": 1}, {"n": None}, {"s": "x", "n": 2}, {"s": None}]
ARGUMENTS = [
    "input: {key: {id: 1}}",
    "input: {key: {id: $n}}, first: $n",
    "input: {key: {name: $s}, size: $n, must: $n}",
    "input: {key: {id: 1}, must: $n}",
    "input: {key: {id: 1}, must: null}",
    "input: {key: {id: 1, name: $s}}",
    "input: {key: {}}",
    "input: {key: null}",
    "input: {}",
    "input: null",
    "input: $n",
    "first: 1",
    'input: {key: {id: "x"}}',
    "input: {key: {id: 1}, unknown: 2}",
    "input: {key: {id: 1}, inner: {n: $n, color: GREEN}}",
    "input: {key: {id: 1}, inner: {n: 1, color: BLUE}}",
    'input: {key: {id: 1}, inner: {n: 1, tags: ["a", $s]}}',
    'input: {key: {id: 1}, inner: {n: 1, tags: "a", more: {n: $n}}}',
    "input: {key: {id: 1}, inner: {n: 1, tags: [null]}}",
    "input: {key: {id: 1}, inner: {n: 1, more: [{n: $n}, {n: 2, more: []}]}}",
    "input: {key: {id: 1}, inner: $n}",
    'input: {key: {id: 1}, free: {a: [1, $n, {b: $s}], c: "d"}}',
    "input: {key: {id: 1}, free: 5}",
    "input: {key: {id: 1}}, list: [1, $n, null], word: $s",
    "input: {key: {id: 1}}, list: 4",
    "input: {key: {id: 1}}, list: $n, first: null",
    'input: {key: {id: 1}}, word: "x"',
]


def read(node: FieldNode, variables: VariableValues, schema: GraphQLSchema = SCHEMA) -> Any:
    assert schema.query_type is not None
    return told(lambda: read_arguments(schema, "Query", schema.query_type.fields["f"], node, variables))


def told(work: Any) -> Any:
    """Return what comes of it, be it a refusal."""
    try:
        return work()
    except GraphQLError as error:
        return error.message, error.locations


def asked(arguments: str, values: Mapping[str, Any]) -> tuple[FieldNode, VariableValues]:
    (operation,) = parse(f"query($n: Int, $s: String) {{ f({arguments}) }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (node,) = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    variables = get_variable_values(SCHEMA, operation.variable_definitions or (), dict(values))
    assert isinstance(variables, VariableValues)
    return node, variables


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_arguments_are_what_graphql_core_makes_of_them(arguments: str) -> None:
    assert SCHEMA.query_type is not None
    definition = SCHEMA.query_type.fields["f"]
    node, _ = asked(arguments, {})
    for values in VALUES:  # one after the other, so that what was kept of one is used for the next
        _, variables = asked(arguments, values)
        expected = told(lambda: get_argument_values(definition, node, variables, hide_suggestions=True))  # noqa: B023
        found = read(node, variables)
        assert found == expected
        if isinstance(found, dict):
            assert [*found] == [*expected]
            assert repr(found) == repr(expected)  # 1 is not 1.0, and the order of fields is the schema's


def test_what_is_done_to_arguments_is_seen_by_nobody_else() -> None:
    node, variables = asked('input: {key: {id: 1}, inner: {n: 1, tags: ["a"]}}, list: [1]', {})
    first = read(node, variables)
    first["input"]["inner"]["tags"].append("b")
    first["input"]["key"]["id"] = 2
    first["list"].clear()
    again = read(node, variables)
    assert (again["input"]["inner"]["tags"], again["input"]["key"], again["list"]) == (["a"], {"id": 1}, [1])


def test_plain_arguments_are_read_without_graphql_core(monkeypatch: pytest.MonkeyPatch) -> None:
    node, variables = asked("input: {key: {id: $n}, inner: {n: 2, more: {n: $n}}}, word: $s", {"n": 1, "s": "x"})
    expected = read(node, variables)

    def never(*_arguments: object, **_how: object) -> None:
        raise AssertionError("graphql-core was asked")

    monkeypatch.setattr(literals, "get_argument_values", never)
    assert read(node, variables) == expected
