"""`lambdesk new-module --from-table`: a file that needs no mending."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.bind import bind
from schema.catalog import Catalog, Column, ColumnClass, ForeignKey, Table
from schema.check import check_module
from schema.problems import Problem
from schema.scaffold import module_yaml
from schema.secrets import is_secret_table
from schema.source import read
from tests.schema.catalogs import layout, shipped

FOLLOW_UPS = [(1, "possible"), (2, "reject"), (3, "new ticket")]


def problems_of(text: str, catalog: Catalog) -> list[Problem]:
    module, problems = check_module([read("site/new.yaml", text.encode())])
    if module is not None:
        problems += bind(module, catalog, {**shipped(), module.name: module})[1]
    return problems


@pytest.mark.parametrize("name", ["znuny65", "otrs6"])
@pytest.mark.parametrize("with_modules", [True, False])
def test_every_table_of_both_layouts_makes_a_file_without_problems(name: str, with_modules: bool) -> None:
    catalog = layout(name)
    for table in catalog.tables.values():
        if is_secret_table(table.name):
            with pytest.raises(ValueError, match="can be no module"):
                module_yaml(table, catalog, {})
            continue
        lookups = {"follow_up_possible": FOLLOW_UPS}
        text = module_yaml(table, catalog, lookups, shipped() if with_modules else None)
        assert problems_of(text, catalog) == [], text


def test_a_file_reads_as_if_written_by_hand() -> None:
    catalog = layout("znuny65")
    others = {name: module for name, module in shipped().items() if name in ("group", "user")}
    text = module_yaml(catalog.tables["queue"], catalog, {"follow_up_possible": FOLLOW_UPS}, others)
    assert text.startswith(
        """# yaml-language-server: $schema=/schema/module.json
module:
  name: queue
  singular: Queue
  table: queue
  operations: [view, create, update, delete]

fields:
  - name: name
    type: string
    required: true
    searchable: true
    show_in_list: true
    unique: true
  - name: group
    column: group_id
    type: reference
    to: group
    required: true
  - name: unlock_timeout
    type: int
"""
    )
    assert (
        """  - name: follow_up
    column: follow_up_id
    type: select
    options: [{name: POSSIBLE, value: 1, label: possible}, {name: REJECT, value: 2, label: reject}, {name: NEW_TICKET, value: 3, label: new ticket}]
"""
        in text
    )


def test_passwords_become_write_only_fields() -> None:
    catalog = layout("znuny65")
    text = module_yaml(catalog.tables["users"], catalog, {}, shipped())
    assert "  - name: pw\n    type: password\n" in text


def test_what_cannot_be_read_is_in_no_list() -> None:
    text = module_yaml(layout("znuny65").tables["users"], layout("znuny65"), {}, shipped())
    (columns,) = (line for line in text.splitlines() if line.startswith("  list_columns:"))
    assert columns == "  list_columns: [login, title, first_name, last_name, validity]"


def test_values_that_are_secret_in_some_rows_become_expressions() -> None:
    catalog = layout("znuny65")
    text = module_yaml(catalog.tables["user_preferences"], catalog, {}, shipped())
    assert "  operations: [view]\n" in text
    assert "computed_fields:\n  - {name: preferences_value, type: string, sql: preferences_value}\n" in text


NAMES = st.text("aZ0_ äß-:#'\"{}%", min_size=1, max_size=12) | st.sampled_from(
    ["id", "version", "null", "query", "class", "database_id", "DatabaseID", "Yes", "valid_id", "create_by"]
)


@given(
    st.lists(NAMES, min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(list(ColumnClass)), min_size=6, max_size=6),
    st.lists(st.tuples(st.integers() | st.text(max_size=5), st.text(max_size=8)), max_size=5),
)
def test_no_name_caption_or_value_of_a_database_breaks_the_file(
    names: list[str], classes: list[ColumnClass], rows: list[tuple[str | int, str]]
) -> None:
    """Columns that no module file could name are left out."""
    columns = {name: Column(name, kind) for name, kind in zip(names, classes, strict=False)}
    first = next(iter(columns))
    table = Table("weird", columns, (first,), foreign_keys=(ForeignKey((names[-1],), "other", ("id",)),))
    text = module_yaml(table, Catalog({table.name: table}), {"other": rows})
    source = read("site/new.yaml", text.encode())
    assert source.problems == ()
    assert check_module([source])[1] == []
