"""The hand-written part fits into generated schemas, and leaves nothing behind in the process."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    get_named_type,
    graphql_sync,
    introspection_types,
    print_type,
    validate_schema,
)

from schema.build import build_schema as build_lambdesk_schema
from schema.kernel import KERNEL
from schema.spec import Audience
from web.platform import hand_written

LOCK = Path(__file__).parent.parent.parent / "requirements" / "run.txt"


def test_strawberry_does_not_change_what_introspection_says_of_one_of_inputs() -> None:
    hand_written()
    schema = build_schema(
        "type Query { a(by: Key): Int } input Key @oneOf { id: ID name: String } input Plain { a: Int }"
    )

    answer = graphql_sync(schema, '{ key: __type(name: "Key") { isOneOf } plain: __type(name: "Plain") { isOneOf } }')

    assert answer.data == {"key": {"isOneOf": True}, "plain": {"isOneOf": False}}
    assert "strawberry" not in introspection_types["__Type"].fields["isOneOf"].resolve.__module__  # type: ignore[attr-defined] # it is an object type


def test_the_patch_is_known_for_the_strawberry_that_is_locked() -> None:
    """Whoever takes another version looks at `PlatformSchema._extend_introspection` first."""
    assert version("strawberry-graphql") == "0.341.2"
    assert "strawberry-graphql==0.341.2" in LOCK.read_text(encoding="utf-8")


def test_the_hand_written_part_is_in_the_schema_of_every_audience() -> None:
    for audience in Audience:
        schema = build_lambdesk_schema({}, audience, hand_written())
        whole = GraphQLSchema(schema.query_type, schema.mutation_type, schema.subscription_type)

        assert validate_schema(whole) == []
        assert "modules: [ModuleStatus!]!" in print_type(whole.query_type)  # type: ignore[arg-type] # there is one
        assert "schemaChanged: SchemaChanged!" in print_type(whole.subscription_type)  # type: ignore[arg-type] # the same


@pytest.mark.parametrize("audience", list(Audience))
def test_one_name_is_one_type_everywhere(audience: Audience) -> None:
    """Strawberry makes types of its own for names that the kernel has; none of them may be left."""
    schema = build_lambdesk_schema({}, audience, hand_written(audience))
    whole = GraphQLSchema(  # a second type of one name is refused here
        schema.query_type, schema.mutation_type, schema.subscription_type, types=list(schema.type_map.values())
    )

    assert validate_schema(whole) == []
    for name, type_ in whole.type_map.items():
        assert type_ is schema.get_type(name), name
    assert {name for name in KERNEL if name in hand_written(audience).types} == set()


def test_payloads_have_the_kernel_s_errors_moments_and_json() -> None:
    types: Mapping[str, Any] = hand_written().types

    assert get_named_type(types["PublishModulePayload"].fields["errors"].type) is KERNEL["UserError"]
    assert get_named_type(types["SavedView"].fields["createdAt"].type) is KERNEL["DateTime"]
    assert get_named_type(types["SaveViewInput"].fields["filter"].type) is KERNEL["JSON"]


def test_customers_cannot_publish_and_know_nothing_of_what_lambdas_do() -> None:
    customers, agents = hand_written(Audience.CUSTOMER), hand_written(Audience.AGENT)

    own = {"changePassword", "createApiToken", "deleteView", "revokeApiToken", "saveView"} | {
        "revokeSession",
        "revokeOtherSessions",
    }
    beside = {"retryDelivery", "runSchedule", "setSecret", "removeSecret", "saveDraft", "deleteDraft"} | {
        "saveModuleDraft",
        "deleteModuleDraft",
    }
    assert set(agents.mutation) == own | beside | {"importRows", "publishModule", "rollbackModule"}
    assert set(customers.mutation) == own
    assert not {"checkModule", "moduleVersions"} & set(customers.query)
    words = ("Publish", "Version", "Lambda", "Delivery", "Secret")
    assert not [name for name in customers.types if any(word in name for word in words)]


def test_the_hand_written_part_as_clients_see_it() -> None:
    types = hand_written().types

    assert print_type(types["ModuleStatus"]) == (
        '"""A module with its files and what serves for it."""\n'
        "type ModuleStatus {\n"
        "  name: String!\n"
        "\n"
        '  """Changes with whatever serves; empty when nothing does."""\n'
        "  version: String!\n"
        "  state: ModuleState!\n"
        "\n"
        '  """The files it is made of, lowest layer first."""\n'
        "  files: [String!]!\n"
        "  problems: [ModuleProblem!]!\n"
        "}"
    )


def test_a_change_of_the_schema_leaves_the_name_of_a_change_of_data_free() -> None:
    types = hand_written().types

    assert "kind: SchemaChangeKind!" in print_type(types["SchemaChange"])
    assert "ChangeKind" not in types
