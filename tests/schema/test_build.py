"""The schema of a snapshot: types on demand that stand up to graphql-core's whole scrutiny."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, graphql_sync, parse, print_schema, validate, validate_schema
from graphql import build_schema as from_sdl

from schema.bindings import BINDING, ManyRoot, NodeRoot, OneRoot, ToMany, ToOne, VersionRoot
from schema.build import LambdeskSchema, build_schema
from schema.kinds import UNKNOWN
from schema.spec import Audience, Caption
from tests.schema.sample_modules import by_name, chain, desk, everything, field, module, queue

RELATIONS = """
query Q($filter: QueueFilter, $order: [QueueOrder!]) {
  queues(first: 3, filter: $filter, orderBy: $order) {
    nodes { id name group { name queues(first: 2) { edges { cursor node { name loadLabel(locale: "de") } } } } }
    pageInfo { endCursor }
    totalCount
  }
  node(id: "x") { id ... on Group { name } }
}
"""


def made(schema: GraphQLSchema) -> set[str]:
    """The generated types that have been made."""
    assert isinstance(schema, LambdeskSchema)
    return {name for name in schema.types.made if schema.types.owner(name) is not None}


def force(schema: GraphQLSchema) -> list[str]:
    schema._validation_errors = None
    return [error.message for error in validate_schema(schema)]


@pytest.mark.parametrize("audience", Audience)
def test_the_whole_schema_is_valid_when_it_is_forced(audience: Audience) -> None:
    assert force(build_schema(everything(), audience)) == []


def test_building_makes_no_type() -> None:
    assert made(build_schema(everything(), Audience.AGENT)) == set()


def test_an_operation_makes_only_the_types_in_reach_of_its_fields() -> None:
    schema = build_schema(chain(300), Audience.AGENT)
    query = "{ link7Rows { nodes { name before { name before { name } } } } }"
    assert validate(schema, parse(query)) == []
    assert len(made(schema)) < 60
    assert "Link4" in made(schema)
    assert "Link3" not in made(schema)


def test_a_chain_of_a_thousand_modules_is_whole() -> None:
    """No recursion runs along the chain, however long it is."""
    schema = build_schema(chain(1000), Audience.AGENT)
    last = schema.get_type("Link999")
    assert last is not None
    assert set(last.fields) > {"before", "name"}  # type: ignore[attr-defined]
    assert force(schema) == []


def test_names_are_known_before_their_types_are_made() -> None:
    schema = build_schema(desk(), Audience.AGENT)
    assert "QueueFilter" in schema.type_map
    assert "QueueFilters" not in schema.type_map
    assert {"Queue", "Group", "Query", "__Type", "String", "Node"} <= set(schema.type_map)
    assert schema.get_type("Nothing") is None
    assert list(schema.query_type.fields)[:4] == ["node", "nodes", "schemaVersion", "group"]  # type: ignore[union-attr]
    assert "queueAggregate" in schema.query_type.fields  # type: ignore[union-attr]
    assert made(schema) == set()


def test_a_type_is_made_once() -> None:
    schema = build_schema(desk(), Audience.AGENT)
    assert schema.get_type("Queue") is schema.type_map["Queue"]
    assert schema.get_type("Group").fields["queues"].type.of_type is schema.type_map["QueueConnection"]  # type: ignore[union-attr]
    assert schema.query_type.fields["queue"].type is schema.type_map["Queue"]  # type: ignore[union-attr]


def test_two_schemas_share_no_generated_type() -> None:
    modules = desk()
    one, two = (build_schema(modules, Audience.AGENT) for _ in range(2))
    assert one.get_type("Queue") is not two.get_type("Queue")
    assert one.get_type("Node") is two.get_type("Node")


def test_a_mortal_schema_takes_its_types_along_without_the_garbage_collector() -> None:
    schema = build_schema(desk(), Audience.AGENT).mortal()
    assert set(schema.query_fields["queues"].args) > {"first", "filter"}
    assert schema.type_map["Queue"].fields["group"].type.name == "Group"  # type: ignore[attr-defined]
    watched = [weakref.ref(type_) for name, type_ in schema.types.made.items() if name in made(schema)]
    gc.disable()
    try:
        del schema
        assert [ref() for ref in watched if ref() is not None] == []
    finally:
        gc.enable()


def test_a_mortal_schema_is_whole() -> None:
    assert force(build_schema(everything(), Audience.AGENT).mortal()) == []


def test_documents_are_validated_and_variables_read() -> None:
    schema = build_schema(desk(), Audience.AGENT)
    assert validate(schema, parse(RELATIONS)) == []
    wrong = "{ queues(filter: {nme: {eq: 1}}) { nodes { id nothing } } }"
    assert len(validate(schema, parse(wrong))) == 2


def test_wrong_documents_are_refused_as_by_a_schema_built_at_once() -> None:
    """Every rule of graphql-core finds in the lazy schema what it finds in one with all types made."""
    lazy = build_schema(everything(), Audience.AGENT)
    eager = from_sdl(print_schema(build_schema(everything(), Audience.AGENT)))
    for query in (
        '{ queue(by: {id: "1", name: "x"}) { id } }',
        "{ queue { id } }",
        "{ queues(orderBy: [{name: UP}]) { nodes { id } } }",
        "{ node(id: 1) { name ... on PageInfo { endCursor } } }",
        "{ node(id: 1) { ... on Queue { nme } ... on Quee { id } } }",
        "query ($x: QueueFilterr, $y: Queue) { queues(filter: $x) { nodes { id } } }",
        "query ($k: GroupKey!) { queue(by: $k) { group } }",
        "{ assets(filter: {followUp: {eq: OPEN}, aDate: {lt: 7}, aBigint: {in: [1.5]}}) { nodes { id } } }",
        "subscription { queueChanged { ident } }",
        "mutation { createQueue { id } }",
        'mutation { updateQueue(input: {key: {id: "x"}, patch: {nme: "x"}}) { queue { nme } current { id } } }',
        'mutation { createAsset(input: {asset: {name: 1, queue: {id: "x", name: "y"}}}) { errors { code } } }',
        "{ a: queue(by: {id: 1}) { x: name } a: queue(by: {id: 1}) { x: id } }",
        "{ queues { nodes { group { name @skip } } } }",
    ):
        found = [error.message for error in validate(lazy, parse(query))]
        expected = [error.message for error in validate(eager, parse(query))]
        assert found
        if "eq: OPEN" not in query:  # scalars built from SDL take anything
            assert found == expected


def test_execution_runs_on_it() -> None:
    """The executor reaches rows, and the concrete type behind Node, by name."""
    row = {"id": "x", "name": "Raw", "group": {"name": "users"}, "__typename": "Queue"}
    result = graphql_sync(
        build_schema(desk(), Audience.AGENT),
        '{ node(id: "x") { __typename id ... on Queue { name group { name } } ... on Group { name } } }',
        {"node": row},
        type_resolver=lambda value, *_: value["__typename"],
        field_resolver=lambda source, info, **_: source[info.field_name],
    )
    assert result.errors is None
    assert result.data == {"node": {"__typename": "Queue", "id": "x", "name": "Raw", "group": {"name": "users"}}}


def test_types_of_an_interface_are_known_by_name() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    node = schema.get_type("Node")
    assert [type_.name for type_ in schema.get_possible_types(node)] == [  # type: ignore[arg-type]
        *("Group", "Queue", "Asset", "User", "Customer", "Member")
    ]
    assert schema.is_sub_type(node, schema.type_map["Queue"])  # type: ignore[arg-type]
    assert not schema.is_sub_type(node, schema.type_map["AssetNote"])  # type: ignore[arg-type]


def test_every_generated_field_is_bound() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    fields = schema.type_map["Asset"].fields  # type: ignore[attr-defined]
    assert isinstance(fields["queue"].extensions[BINDING], ToOne)
    assert isinstance(fields["notes"].extensions[BINDING], ToMany)
    assert fields["customerLogin"].extensions[BINDING].raw
    roots = schema.query_type.fields  # type: ignore[union-attr]
    assert roots["queue"].extensions[BINDING] == OneRoot(schema.modules["queue"])
    assert roots["assetNotes"].extensions[BINDING] == ManyRoot(schema.modules["asset_note"])
    assert roots["nodes"].extensions[BINDING] == NodeRoot(many=True)
    assert roots["schemaVersion"].extensions[BINDING] == VersionRoot()
    plumbing = {"PageInfo", "Badge", "File", "UserError", "LambdaOperation"}
    for name, type_ in schema.type_map.items():
        if not name.startswith("__") and name not in plumbing and isinstance(type_, GraphQLObjectType):
            assert all(BINDING in item.extensions for item in type_.fields.values()), name


def test_the_values_of_enums_are_what_is_stored() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    values = schema.type_map["AssetFollowUp"].values  # type: ignore[attr-defined]
    assert {name: item.value for name, item in values.items()} == {
        "POSSIBLE": 1,
        "REJECT": 2,
        "NEW_TICKET": 3,
        UNKNOWN: UNKNOWN,
    }
    group_by = schema.type_map["QueueGroupBy"].values["CREATED_DAY"].value  # type: ignore[attr-defined]
    assert (group_by.api_name, group_by.field.name, group_by.bucket) == ("createdDay", "created_at", "day")


def test_rows_without_a_key_have_no_identity_and_no_cursors() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    assert list(schema.type_map["AssetNoteConnection"].fields) == ["nodes", "pageInfo", "totalCount"]  # type: ignore[attr-defined]
    assert not schema.type_map["AssetNote"].interfaces  # type: ignore[attr-defined]
    assert "assetNote" not in schema.query_type.fields  # type: ignore[union-attr]
    arguments = schema.query_type.fields["assetNotes"].args  # type: ignore[union-attr]
    assert list(arguments) == ["first", "offset", "filter", "search", "orderBy"]
    assert list(schema.type_map["Asset"].fields["notes"].args) == ["first", "offset", "filter", "orderBy"]  # type: ignore[attr-defined]


def test_a_key_of_several_columns_has_no_database_id() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    assert list(schema.type_map["MemberKey"].fields) == ["id"]  # type: ignore[attr-defined]
    assert list(schema.type_map["Member"].fields) == ["id", "version", "user", "group"]  # type: ignore[attr-defined]
    assert "MemberOrder" not in schema.type_map


def test_passwords_and_secrets_cannot_be_named_anywhere() -> None:
    schema = build_schema(everything(), Audience.AGENT)
    for name in ("Asset", "AssetFilter", "AssetOrder", "AssetAggregateKey", "AssetAggregateRow", "AssetKey"):
        assert not {"password", "token", "hidden"} & set(schema.type_map[name].fields)  # type: ignore[attr-defined]


def test_a_reference_to_a_module_that_is_not_there_is_left_out() -> None:
    lonely = build_schema(by_name(queue()), Audience.AGENT)
    assert "group" not in lonely.type_map["Queue"].fields  # type: ignore[attr-defined]
    assert "group" not in lonely.type_map["QueueFilter"].fields  # type: ignore[attr-defined]
    assert "GROUP" not in lonely.type_map["QueueGroupBy"].values  # type: ignore[attr-defined]
    assert force(lonely) == []


def test_a_column_that_may_be_guarded_is_nullable() -> None:
    fields = build_schema(everything(), Audience.AGENT).type_map["Asset"].fields  # type: ignore[attr-defined]
    assert {name: str(fields[name].type) for name in ("oldPrice", "price", "extra", "aEpoch", "aJson", "queue")} == {
        "oldPrice": "Decimal!",
        "price": "Decimal",  # a rule stands on it
        "extra": "Int",  # in a side table, where a row may be missing
        "aEpoch": "DateTime",  # 0 is null
        "aJson": "JSON",  # a stored text may be broken
        "queue": "Queue",  # the row may be out of sight
    }
    assert fields["oldPrice"].deprecation_reason == "use price instead"


def test_names_claimed_twice_are_refused() -> None:
    clashing = by_name(module("page", "pages"), module("page_edge", "page_edges", field("x", "int")))
    with pytest.raises(ValueError, match=r"Clash\(name='PageEdge', first='page', second='page_edge'\)"):
        build_schema(clashing, Audience.AGENT)


def test_a_module_replaced_by_a_new_version_is_worked_out_anew() -> None:
    old = queue()
    build_schema(by_name(old), Audience.AGENT)
    new = replace(old, fields=(*old.fields, field("flag", "bool")))
    assert "flag" in build_schema(by_name(new), Audience.AGENT).type_map["Queue"].fields  # type: ignore[attr-defined]


def test_a_caption_stands_in_a_sentence_as_a_person_would_write_it() -> None:
    sla = replace(module("sla", "slas", field("id", "int")), singular=Caption("SLA"))
    plan = replace(module("care_plan", "care_plans", field("id", "int")), singular=Caption("Care plan"))
    item = module(
        "page",
        "pages",
        field("sla", "reference", to="sla"),
        field("plan", "reference", to="care_plan", nullable=True, help=Caption("Who pays.")),
    )
    fields = build_schema(by_name(sla, plan, item), Audience.AGENT).type_map["Page"].fields  # type: ignore[attr-defined]
    assert fields["sla"].description == "Null only if the caller may not see the SLA."
    assert fields["plan"].description == (
        "Who pays. Null if there is no such care plan, or if the caller may not see it."
    )


def test_only_a_label_that_says_more_than_the_name_describes_a_field() -> None:
    item = module(
        "page", "pages", field("created_at", "datetime", label="Created"), field("size", "int", label="Size (kB)")
    )
    fields = build_schema(by_name(item), Audience.AGENT).type_map["Page"].fields  # type: ignore[attr-defined]
    assert fields["createdAt"].description is None
    assert fields["size"].description == "Size (kB)"
