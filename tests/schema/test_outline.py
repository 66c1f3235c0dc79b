"""What an audience sees of a module, and which GraphQL names it claims."""

from __future__ import annotations

from dataclasses import replace

from schema.catalog import ColumnClass
from schema.outline import Clash, clashes, group_value_name, groups, outline_of, visible
from schema.spec import Access, Action, Audience, AudienceAccess, Caption, Code, Module, Operation, Rule
from schema.writes import writes_of
from tests.schema.sample_modules import (
    COLOURS,
    EVERYBODY,
    PLACE,
    asset,
    asset_note,
    by_name,
    chain,
    everything,
    field,
    module,
)


def seen(item: Module, audience: Audience = Audience.AGENT) -> set[str]:
    return {member.name for member in outline_of(item, audience).fields}


def test_customers_see_modules_that_grant_them_something() -> None:
    assert set(visible(everything(), Audience.AGENT)) == set(everything())
    assert set(visible(everything(), Audience.CUSTOMER)) == {"asset", "customer"}


def test_a_module_that_may_not_be_viewed_has_no_types() -> None:
    silent = replace(asset(), operations=frozenset({Operation.CREATE}))
    assert visible(by_name(silent), Audience.AGENT) == {}


def test_a_rule_that_is_never_hides_a_field_from_customers_only() -> None:
    assert seen(asset()) - seen(asset(), Audience.CUSTOMER) == {"internal_note"}
    assert [relation.name for relation in outline_of(asset(), Audience.CUSTOMER).relations] == ["groups"]


def test_what_cannot_be_read_is_not_seen() -> None:
    assert not {"password", "token", "hidden"} & seen(asset())


def test_a_module_without_a_single_member_is_left_out() -> None:
    empty = module("empty", "empties", field("pw", "password"), key_columns=(), row_keys=())
    assert visible(by_name(empty), Audience.AGENT) == {}


def test_names_of_sensible_modules_do_not_clash() -> None:
    assert clashes(everything()) == []


def test_a_type_that_another_module_makes_is_a_clash() -> None:
    pages = by_name(module("page", "pages"), module("page_edge", "page_edges"))
    assert clashes(pages) == [Clash("PageEdge", "page", "page_edge")]


def test_a_root_that_another_module_makes_is_a_clash() -> None:
    pages = by_name(module("page", "sheets"), module("sheet", "sheet_list"), module("leaf", "sheets"))
    found = clashes(pages)
    assert found[0] == Clash("sheets", "page", "leaf")
    assert {clash.name for clash in found[1:]} == {"createSheets", "CreateSheetsInput", "CreateSheetsPayload"}


def test_an_action_may_clash_with_a_mutation_of_another_module() -> None:
    """The action `page` of a module `create` would be called like the mutation that makes pages."""
    action = Action("page", Caption("Page"), Code("return 1", PLACE), PLACE)
    pages = by_name(module("page", "pages"), module("create", "creates", actions=(action,)))
    assert clashes(pages) == [
        Clash("CreatePageInput", "page", "create"),
        Clash("CreatePagePayload", "page", "create"),
        Clash("createPage", "page", "create"),
    ]


def test_customers_have_the_actions_of_rows_that_they_may_change() -> None:
    change = AudienceAccess(view=EVERYBODY, update=EVERYBODY)
    assert writes_of(asset(), Audience.CUSTOMER).actions == ()
    open_to_all = replace(asset(), access=replace(asset().access, customer=change))
    assert [action.name for action in writes_of(open_to_all, Audience.CUSTOMER).actions] == ["check_in", "throw_away"]


def test_the_enum_of_a_field_may_clash_with_a_module() -> None:
    pages = by_name(
        module("page_colour", "page_colours"), module("page", "pages", field("colour", "select", options=COLOURS))
    )
    assert Clash("PageColour", "page_colour", "page") in clashes(pages)


def test_a_module_may_clash_with_itself_and_with_the_kernel() -> None:
    odd = by_name(module("page", "pages", field("filter", "select", options=COLOURS)), module("node", "nodes"))
    assert clashes(odd) == [
        Clash("PageFilter", "page", "page"),
        Clash("node", "", "node"),
        Clash("nodes", "", "node"),
        Clash("Node", "", "node"),
    ]


def test_hand_written_names_are_taken() -> None:
    assert clashes(by_name(module("viewer", "viewers")), reserved=["Viewer", "viewer"]) == [
        Clash("viewer", "", "viewer"),
        Clash("Viewer", "", "viewer"),
    ]


def test_clashes_of_a_thousand_modules_are_found() -> None:
    modules = {**chain(1000), "late": module("link_500", "late")}
    assert {(clash.first, clash.second) for clash in clashes(modules)} == {("link_500", "link_500")}


def test_the_buckets_of_a_moment_drop_its_at() -> None:
    item = module("page", "pages", field("created_at", "datetime"), field("due", "date"))
    assert [group_value_name(value) for value in groups(outline_of(item, Audience.AGENT), ())] == [
        *("CREATED_DAY", "CREATED_MONTH", "DUE", "DUE_MONTH")
    ]


def test_buckets_keep_out_of_the_way_of_other_fields() -> None:
    item = module(
        "page",
        "pages",
        field("created", "date"),
        field("created_at", "datetime"),
        field("changed_day", "string"),
        field("changed_at", "datetime"),
    )
    assert [value.api_name for value in groups(outline_of(item, Audience.AGENT), ())] == [
        *("created", "createdMonth", "createdAtDay", "createdAtMonth", "changedDay", "changedAtDay", "changedMonth")
    ]


def test_search_needs_a_searchable_text() -> None:
    assert outline_of(asset_note(), Audience.AGENT).has_search
    assert not outline_of(module("page", "pages", field("size", "int", searchable=True)), Audience.AGENT).has_search


def test_a_rule_that_allows_everybody_leaves_a_column_certain() -> None:
    rules = {"open": {"agent": EVERYBODY}, "shut": {"agent": Rule(role="boss")}}
    item = module(
        "page",
        "pages",
        field("open", "string", column_class=ColumnClass.STRING),
        field("shut", "string"),
        access=Access(agent=AudienceAccess(view=EVERYBODY), fields=rules),
    )
    outline = outline_of(item, Audience.AGENT)
    assert [outline.is_certain(member) for member in outline.fields] == [True, False]
