"""Introspection without the executor says exactly what the executor says."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    execute_sync,
    get_introspection_query,
    introspection_types,
    parse,
    validate,
)

from schema.build import HandWritten, LambdeskSchema, build_schema
from schema.introspection import KEPT_SELECTIONS, answer
from schema.spec import Audience, Module
from tests.schema.sample_modules import asset, by_name, chain, desk, everything, field, queue

OPTIONS = (
    *("descriptions", "specified_by_url", "directive_is_repeatable", "schema_description"),
    *("input_value_deprecation", "experimental_directive_deprecation", "one_of"),
)

# As GraphiQL 3 and Apollo's tools ask: __typename, aliases, named fragments, directives, variables.
OTHERS = {
    "apollo": """
        query IntrospectionQuery { __schema { __typename queryType { name __typename } types { ...T __typename }
          directives { name locations args { ...I } __typename } } }
        fragment T on __Type { kind name description fields(includeDeprecated: true) { name args { ...I } type { ...R }
          isDeprecated deprecationReason __typename } inputFields { ...I } interfaces { ...R }
          enumValues(includeDeprecated: true) { name isDeprecated __typename } possibleTypes { ...R } }
        fragment I on __InputValue { name type { ...R } defaultValue __typename }
        fragment R on __Type { kind name __typename ofType { kind name ofType { kind name ofType { kind name } } } }
    """,
    "possible types": "{ __schema { types { kind name possibleTypes { name } } } }",
    "deep": "{ __schema { types { name fields { name type { name description ofType { name fields { name } } } } } } }",
    "one type": '{ a: __type(name: "Queue") { ...F } b: __type(name: "Nothing") { name } }'
    " fragment F on __Type { name fields { n: name args { name defaultValue type { name ofType { name } } } } }",
    "roots": '{ __type(name: "Query") { fields { name description args { name } } } __typename x: __typename }',
    "current": '{ __type(name: "Asset") { fields { name isDeprecated } current: fields(includeDeprecated: true) { name } } }',
    "merged": "{ __schema { queryType { name } } __schema { queryType { kind } ... { mutationType { name } } } }",
}


def hand_written() -> HandWritten:
    """One of everything that the web room may bring."""
    named = GraphQLInterfaceType("Named", {"name": GraphQLField(GraphQLString)})
    state = GraphQLEnumType("ModuleState", {"LIVE": "LIVE", "STALE": "STALE"})
    module_type = GraphQLObjectType(
        "Module", {"name": GraphQLField(GraphQLString), "state": GraphQLField(state)}, interfaces=[named]
    )
    union = GraphQLUnionType("Anything", [module_type])
    said = GraphQLField(GraphQLString, {"word": GraphQLArgument(GraphQLString, default_value="x")})
    return HandWritten(
        query={"modules": GraphQLField(module_type), "anything": GraphQLField(union), "named": GraphQLField(named)},
        mutation={"say": said},
        subscription={"schemaChanged": GraphQLField(GraphQLString)},
        types={type_.name: type_ for type_ in (named, state, module_type, union)},
    )


@pytest.fixture(scope="module")
def schema() -> LambdeskSchema:
    return build_schema(everything(), Audience.AGENT, hand_written())


def executed(schema: GraphQLSchema, query: str, variables: dict[str, Any] | None = None) -> str:
    document = parse(query)
    assert validate(schema, document) == []
    result = execute_sync(schema, document, variable_values=variables)
    assert result.errors is None
    return json.dumps({"data": result.data})


def answered(schema: LambdeskSchema, query: str, variables: dict[str, Any] | None = None) -> str | None:
    found = answer(schema, parse(query), None, variables)
    return None if found is None else json.dumps(json.loads(found))


@pytest.mark.parametrize("chosen", [*itertools.combinations(OPTIONS, 1), (), OPTIONS, OPTIONS[3:]])
def test_the_standard_query_is_answered_alike(schema: LambdeskSchema, chosen: tuple[str, ...]) -> None:
    query = get_introspection_query(**{option: option in chosen for option in OPTIONS})
    assert answered(schema, query) == executed(schema, query)


@pytest.mark.parametrize("query", OTHERS.values(), ids=OTHERS)
def test_other_tools_are_answered_alike(schema: LambdeskSchema, query: str) -> None:
    assert answered(schema, query) == executed(schema, query)


@pytest.mark.parametrize("shown", [True, False])
def test_directives_and_variables_are_honoured(schema: LambdeskSchema, shown: bool) -> None:
    query = """query ($name: String!, $all: Boolean = true, $shown: Boolean!) {
        __type(name: $name) { name @include(if: $shown) fields(includeDeprecated: $all) @skip(if: $shown) { name } } }"""
    variables = {"name": "Asset", "shown": shown}
    assert answered(schema, query, variables) == executed(schema, query, variables)


def test_customers_are_told_of_their_own_schema() -> None:
    customers = build_schema(everything(), Audience.CUSTOMER)
    query = get_introspection_query()
    text = answered(customers, query)
    assert text == executed(customers, query)
    assert text is not None
    assert re.search(r"\bUser\b", text) is None


@pytest.mark.parametrize(
    "query",
    [
        "{ queues { nodes { id } } }",
        "{ __typename queues { totalCount } }",
        "{ ...F } fragment F on Query { schemaVersion }",
        "mutation { __typename }",
        "query ($x: String!) { __type(name: $x) { name } }",
        '{ __type(name: "Queue") { nothing } }',
    ],
)
def test_everything_else_is_left_to_the_executor(schema: LambdeskSchema, query: str) -> None:
    assert answered(schema, query) is None


def test_keys_are_one_of_inputs_whatever_strawberry_did_to_the_shared_type(
    schema: LambdeskSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = '{ __type(name: "QueueKey") { isOneOf } }'
    patched = introspection_types["__Type"].fields["isOneOf"]  # type: ignore[attr-defined]
    monkeypatch.setattr(patched, "resolve", lambda *_: False)
    assert answered(schema, query) == '{"data": {"__type": {"isOneOf": true}}}'


def test_the_schema_that_serves_stays_small(schema: LambdeskSchema) -> None:
    fresh = build_schema(everything(), Audience.AGENT)
    answered(fresh, get_introspection_query())
    assert {name for name in fresh.types.made if fresh.types.owner(name)} <= {
        module.type_name
        for module in fresh.modules.values()  # named as the possible types of Node
    }


def test_a_reload_works_out_changed_modules_only(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = dict(chain(20))
    query = get_introspection_query()
    answered(build_schema(modules, Audience.AGENT), query)
    old = modules["link_7"]
    modules["link_7"] = replace(old, fields=(*old.fields, field("flag", "bool")))
    scratches: list[LambdeskSchema] = []

    def spy(*arguments: Any) -> LambdeskSchema:
        scratches.append(build_schema(*arguments))
        return scratches[-1]

    monkeypatch.setattr("schema.introspection.build_schema", spy)
    schema = build_schema(modules, Audience.AGENT)
    text = answered(schema, query)
    monkeypatch.undo()
    assert text == executed(schema, query)
    forced = {name for scratch in scratches for name, type_ in scratch.types.made.items() if "fields" in vars(type_)}
    assert "Link7" in forced
    assert not {name for name in forced if name.startswith("Link") and not name.startswith("Link7")}


def test_a_module_is_described_anew_when_what_it_leads_to_changes() -> None:
    """A target that goes takes the reference with it, though the module's own file is the same."""
    query = '{ __schema { types { name fields { name } } } __type(name: "Queue") { fields { name } } }'
    modules: dict[str, Module] = dict(desk())
    both = answered(build_schema(modules, Audience.AGENT), query)
    del modules["group"]
    alone = build_schema(modules, Audience.AGENT)
    assert answered(alone, query) == executed(alone, query) != both


def test_only_a_handful_of_selections_is_kept() -> None:
    modules = by_name(queue())
    schema = build_schema(modules, Audience.AGENT)
    for number in range(20):
        answered(schema, f"{{ __schema {{ types {{ a{number}: name }} }} }}")
    _neighbours, shelf = modules["queue"].derived["introspection", Audience.AGENT]
    assert len(shelf) == KEPT_SELECTIONS


def test_selections_that_repeat_a_field_are_answered_and_not_kept() -> None:
    modules = by_name(queue())
    schema = build_schema(modules, Audience.AGENT)
    query = "{ __schema { types { a: fields { name } b: fields(includeDeprecated: true) { name } } } }"
    assert answered(schema, query) == executed(schema, query)
    assert ("introspection", Audience.AGENT) not in modules["queue"].derived


def test_deprecations_reach_clients() -> None:
    schema = build_schema(by_name(asset()), Audience.AGENT)
    query = '{ __type(name: "Asset") { fields(includeDeprecated: true) { name deprecationReason } } }'
    fields = json.loads(answered(schema, query) or "")["data"]["__type"]["fields"]
    assert {item["name"]: item["deprecationReason"] for item in fields if item["deprecationReason"]} == {
        "oldPrice": "use price instead",
        "card": "use state",
    }
