"""The printed schema: the same text as graphql-core's, the contract's types, and the golden files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, parse, print_schema, validate_schema
from graphql import build_schema as from_sdl

from schema.build import build_schema
from schema.sdl import module_sdl, print_sdl
from schema.spec import Audience
from tests.schema.sample_modules import desk, everything
from tests.schema.test_introspection import hand_written

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"


@pytest.mark.parametrize("audience", Audience)
def test_the_text_is_what_graphql_core_prints(audience: Audience) -> None:
    schema = build_schema(everything(), audience, hand_written())
    assert print_sdl(schema) == print_schema(build_schema(everything(), audience, hand_written()))
    assert validate_schema(from_sdl(print_sdl(schema))) == []


def test_a_second_schema_is_printed_from_kept_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = everything()
    text = print_sdl(build_schema(modules, Audience.AGENT))
    again = build_schema(modules, Audience.AGENT)
    monkeypatch.setattr("schema.sdl.print_type", None)
    assert print_sdl(again) == text


@pytest.mark.parametrize("name", ["group", "queue", "asset", "asset_note", "member", "customer"])
@pytest.mark.parametrize("audience", Audience)
def test_a_module_makes_its_golden_text(name: str, audience: Audience) -> None:
    """The whole API of a module as a file to read and review; delete the file to write it anew."""
    modules = everything()
    text = module_sdl(modules[name], modules, audience)
    path = GOLDEN / f"{name}.{audience}.graphql"
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"{path} was missing and is written now: read it, then keep it")
    assert text == path.read_text()


def test_a_modules_text_stands_on_its_own_beside_the_others() -> None:
    parts = [module_sdl(module, everything()) for module in everything().values()]
    kernel = print_sdl(build_schema({}, Audience.AGENT)) + "\ntype Mutation { a: ID } type Subscription { a: ID }"
    assert validate_schema(from_sdl("\n".join([kernel, *parts]))) == []


def test_the_contract_is_kept() -> None:
    """Every type, field and argument that the contract names is there with the contract's type, default and order."""
    contract = from_sdl((HERE / "contract.graphql").read_text())
    ours = build_schema(desk(), Audience.AGENT)
    for name, expected in contract.type_map.items():
        if name.startswith("__"):
            continue
        found = ours.type_map[name]
        if isinstance(expected, (GraphQLObjectType, GraphQLInputObjectType)):
            assert isinstance(found, (GraphQLObjectType, GraphQLInputObjectType))
            for field_name, field in expected.fields.items():
                assert str(found.fields[field_name].type) == str(field.type), f"{name}.{field_name}"
        if isinstance(expected, GraphQLInputObjectType):
            assert found.is_one_of == expected.is_one_of  # type: ignore[attr-defined]
        if isinstance(expected, GraphQLObjectType):
            for field_name, field in expected.fields.items():
                given = {key: (str(item.type), _default(item)) for key, item in found.fields[field_name].args.items()}  # type: ignore[attr-defined]
                wanted = {key: (str(item.type), _default(item)) for key, item in field.args.items()}
                given.pop("search", None) if name == "Query" and field_name.endswith("Aggregate") else None
                assert list(given.items()) == list(wanted.items()), f"{name}.{field_name}"
        if hasattr(expected, "values"):
            assert set(expected.values) <= set(found.values)  # type: ignore[attr-defined]


def _default(argument: object) -> object:
    default = argument.default  # type: ignore[attr-defined]
    if default is None:
        return None
    return str(default.value) if default.literal is None else default.literal.value


def test_an_audience_that_sees_nothing_of_a_module_gets_no_text() -> None:
    modules = everything()
    assert module_sdl(modules["user"], modules, Audience.CUSTOMER) == ""
    parse(module_sdl(modules["user"], modules))


def test_customers_find_nothing_of_agents() -> None:
    text = print_sdl(build_schema(everything(), Audience.CUSTOMER))
    for word in ("User", "Queue", "internalNote", "owner", "AssetNote", "assetNotes", "Group"):
        assert re.search(rf"\b{word}\b", text) is None
    for word in ("type Asset ", "type Customer ", "customer: Customer"):
        assert word in text
