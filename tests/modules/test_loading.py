"""The shipped modules against the layouts that they are meant for."""

from dataclasses import replace
from functools import cache

import pytest
from graphql import validate_schema

from schema.bind import bind
from schema.build import build_schema
from schema.catalog import Catalog, ColumnClass
from schema.check import check_module
from schema.problems import Level, Problem, report
from schema.spec import Audience, Module
from storage.otrs import read_layout
from tests.modules.shipped import LAYOUTS, catalog, shipped, sources


@cache
def bound(layout: str) -> tuple[dict[str, Module], list[Problem]]:
    return bind_all(catalog(layout))


def bind_all(tables: Catalog) -> tuple[dict[str, Module], list[Problem]]:
    found: dict[str, Module] = {}
    problems: list[Problem] = []
    for name, module in shipped().items():
        live, noted = bind(module, tables, shipped())
        problems += noted
        if live:
            found[name] = live
    return found, problems


def test_every_shipped_file_is_read_and_checked_without_a_problem() -> None:
    problems = [problem for source in sources() for problem in (*source.problems, *check_module((source,))[1])]
    assert report(problems) == ""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_shipped_module_serves_a_layout_without_a_warning(layout: str) -> None:
    modules, problems = bound(layout)
    assert report(problem for problem in problems if problem.level is not Level.INFO) == ""
    absent = {"znuny65": set(), "otrs6": {"mention", "appointment_plugin", "acl_attribute_relation"}}
    assert set(shipped()) - set(modules) == absent[layout]


def test_a_stock_otrs_6_without_oauth_tables_and_colours_is_served_too() -> None:
    stock = {name: table for name, table in catalog("otrs6").tables.items() if not name.startswith("oauth2_")}
    for name, lacking in (("mail_account", "oauth2_token_config_id auth_method"), ("ticket_priority", "color")):
        table = stock[name]
        kept = {key: column for key, column in table.columns.items() if key not in lacking.split()}
        stock[name] = replace(table, columns=kept, foreign_keys=())
    modules, problems = bind_all(Catalog(stock))
    assert report(problem for problem in problems if problem.level is not Level.INFO) == ""
    assert "oauth2_config" not in modules
    assert "color" not in modules["priority"].members


@pytest.mark.parametrize("layout", LAYOUTS)
def test_long_texts_are_served_where_mysql_keeps_them_as_bytes(layout: str) -> None:
    as_mysql = {ColumnClass.TEXT: ColumnClass.BYTES}
    tables = {
        name: replace(
            table,
            columns={
                key: replace(column, type=as_mysql.get(column.type, column.type))
                for key, column in table.columns.items()
            },
        )
        for name, table in catalog(layout).tables.items()
    }
    modules, problems = bind_all(Catalog(tables))
    assert report(problem for problem in problems if problem.level is not Level.INFO) == ""
    assert set(modules) == set(bound(layout)[0])


def test_the_group_table_is_served_by_whichever_name_it_has() -> None:
    assert bound("znuny65")[0]["group"].table == "permission_groups"
    assert bound("otrs6")[0]["group"].table == "groups"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("audience", Audience)
def test_the_shipped_modules_make_a_valid_schema(layout: str, audience: Audience) -> None:
    assert validate_schema(build_schema(bound(layout)[0], audience)) == []


def test_every_column_that_must_have_a_value_can_be_given_one_where_rows_are_created() -> None:
    audit = {"create_time", "create_by", "change_time", "change_by"}
    for module in bound("znuny65")[0].values():
        if "create" not in module.operations:
            continue
        given = {field.column for field in module.fields}
        needed = {
            column.name
            for column in read_layout("znuny65")[module.table].columns
            if not column.nullable and column.default is None and not column.counts_up
        }
        assert needed - given - audit == set(), module.name


def test_an_article_leads_straight_to_its_subject_and_text() -> None:
    mime = bound("znuny65")[0]["article"].field_named("mime")
    assert mime is not None
    assert (mime.column, mime.to, mime.by_column) == ("id", "article_mime", "article_id")
