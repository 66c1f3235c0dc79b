"""A12: what holds secrets cannot be read, whatever a file says. Rows of names and values hold them here and there."""

import sqlite3
from collections.abc import Sequence

import pytest

from schema.bind import bind
from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.problems import Level, Problem
from schema.scaffold import module_yaml
from schema.spec import Computed, Expression, Module, Operation
from tests.schema.catalogs import bound, faults, layout, made, shipped

ZNUNY = layout("znuny65")
GUARDED = [
    ("user_preferences", "preferences_value", "preferences_key"),
    ("customer_preferences", "preferences_value", "preferences_key"),
    ("queue_preferences", "preferences_value", "preferences_key"),
    ("service_preferences", "preferences_value", "preferences_key"),
    ("sla_preferences", "preferences_value", "preferences_key"),
    ("sysconfig_default", "effective_value", "name"),
    ("sysconfig_default_version", "effective_value", "name"),
    ("sysconfig_modified", "effective_value", "name"),
    ("sysconfig_modified_version", "effective_value", "name"),
]
SECRETS = [
    "UserGoogleAuthenticatorSecretKey",
    "USERTOKEN",
    "UserLastPw",
    "UserPassword",
    "SendmailModule::AuthPassword",
    None,
]


def problems_of(text: str, catalog: Catalog = ZNUNY) -> tuple[Module | None, Sequence[Problem]]:
    module = made(text)
    return bind(module, catalog, {**shipped(), module.name: module})


def view(table: str, rest: str) -> str:
    return f"module: {{name: peek, table: {table}, key: none, operations: [view]}}\n{rest}"


def computed(text: str, sql: str, **row: str | None) -> object:
    """Run the expression `peek` of a bound module over one row, on SQLite."""
    (found,) = (item for item in bound(text, ZNUNY).computed if isinstance(item, Computed) and item.name == "peek")
    assert found.expression is not None, sql
    columns = ", ".join(f'? AS "{column}"' for column in row)
    rendered = found.expression.rendered["sqlite"]
    query = f"SELECT {rendered} FROM (SELECT {columns}) AS {Expression.ALIAS}"  # noqa: S608 - the text under test
    connection = sqlite3.connect(":memory:")
    (value,) = connection.execute(query, tuple(row.values())).fetchone()
    connection.close()
    return value


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, column, _ in GUARDED])
@pytest.mark.parametrize("kind", ["string", "text", "html", "email"])
def test_no_field_reads_the_values_of_preferences_and_settings(table: str, column: str, kind: str) -> None:
    found, problems = problems_of(view(table, f"fields: [{{name: peek, column: {column}, type: {kind}}}]"))
    assert found is None
    assert [(problem.code, problem.line, problem.hint) for problem in problems] == [
        (
            "secret-column",
            2,
            f"Make it a computed field with `sql: {column}`: such rows then have no value there.",
        )
    ]


@pytest.mark.parametrize(("table", "column", "key"), GUARDED)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_expression_reads_the_value_of_a_secret(table: str, column: str, key: str, secret: str | None) -> None:
    """The guard is put around the column itself, so nothing that stands around it can undo it."""
    for sql in (column, f"CONCAT({column}, '')", f"CASE WHEN {column} LIKE 's%' THEN 'leak' ELSE NULL END"):
        text = view(table, f'computed_fields: [{{name: peek, type: string, sql: "{sql}"}}]')
        row = {key: secret, column: "s3cret"}
        assert computed(text, sql, **row) in (None, "")
        assert computed(text, sql, **{**row, key: "Ticket::Hook"}) in ("s3cret", "leak")


def test_every_database_is_told_to_leave_secrets_out() -> None:
    text = view("user_preferences", "computed_fields: [{name: peek, type: string, sql: preferences_value}]")
    (found,) = bound(text, ZNUNY).computed
    assert found.expression is not None
    for dialect, like in (("sqlite", "LIKE"), ("mysql", "LIKE"), ("postgresql", "ILIKE")):
        sql = found.expression.rendered[dialect]
        assert sql.startswith("CASE WHEN (")
        assert f"{like} '%secret%'" in sql
        assert "THEN NULL ELSE __t__." in sql


def test_all_settings_in_one_value_cannot_be_read_at_all() -> None:
    text = view("sysconfig_deployment", "computed_fields: [{name: peek, type: string, sql: effective_value}]")
    found, (problem,) = problems_of(text)
    assert found is None
    assert problem.message == "The SQL expression of `peek` cannot use `effective_value`: it holds secrets."


@pytest.mark.parametrize(
    "rest",
    [
        "computed_fields: [{name: peek, type: string, lambda: return item.preferences_value, needs: [preferences_value]}]",
        "fields: [{name: a, column: user_id, type: reference, to: user_preference, by: preferences_value}]",
        "relations: [{name: peek, to: user_preference, by: preferences_value}]",
        (
            "fields: [{name: a, column: user_id, type: int}]\n"
            "filters: [{field: a, query: 'SELECT preferences_key, preferences_value FROM user_preferences'}]"
        ),
        (
            "fields: [{name: a, column: user_id, type: int}]\n"
            "filters: [{field: a, query: 'SELECT data_key, data_value FROM sessions'}]"
        ),
        (
            "fields: [{name: a, column: user_id, type: int}]\n"
            "filters: [{field: a, lookup_table: user_preferences, lookup_key: user_id, lookup_display: preferences_value}]"
        ),
        "relations: [{name: peek, to: user, through: sessions, here: {data_key: login}, there: {data_value: login}}]",
    ],
)
def test_no_other_way_leads_to_the_value(rest: str) -> None:
    found, problems = problems_of(
        f"module: {{name: peek, table: user_preferences, key: [user_id, preferences_key]}}\n{rest}"
    )
    assert {problem.code for problem in problems} & {
        "secret-column",
        "secret-table",
        "bad-query",
        "bad-reference",
        "bad-relation",
    }
    if found is not None:
        assert "peek" not in found.by_name
        assert all("selection" not in item and "lookup_table" not in item for item in found.filters)
        assert "preferences_value" not in found.columns
        assert [item.name for item in found.fields if item.kind == "reference"] == []


@pytest.mark.parametrize(("table", "column"), [("user_preferences", "preferences_value"), ("users", "pw")])
def test_a_key_is_shown_and_so_never_a_secret(table: str, column: str) -> None:
    found, problems = problems_of(f"module: {{name: peek, table: {table}, key: {column}}}")
    assert found is None
    assert [problem.code for problem in problems] == ["secret-column"]


def test_the_name_of_a_value_is_not_changed_to_a_harmless_one() -> None:
    """Else: rename the secret, read it, name it back."""
    text = """
module: {name: peek, table: user_preferences, key: [user_id, preferences_key], operations: [view, create, update, delete, upsert, bulk]}
fields: [{name: key, column: preferences_key, type: string}]
"""
    found, problems = problems_of(text)
    assert found is not None
    assert found.operations == {Operation.VIEW, Operation.CREATE, Operation.DELETE}
    assert [(problem.code, problem.level) for problem in problems] == [("secret-column", Level.WARNING)]
    found, problems = problems_of(text.replace("type: string", "type: string, readonly: true"))
    assert found is not None
    assert Operation.UPDATE in found.operations
    assert problems == []


def test_a_value_may_be_written_unseen() -> None:
    text = view("user_preferences", "fields: [{name: value, column: preferences_value, type: secret}]")
    found, problems = problems_of(text)
    assert found is not None
    assert (problems, found.fields[0].is_readable) == ([], False)


def test_a_table_of_ones_own_with_such_columns_is_guarded_as_well() -> None:
    columns = {name: Column(name, ColumnClass.STRING) for name in ("device", "preferences_key", "preferences_value")}
    catalog = Catalog({"device_preferences": Table("device_preferences", columns, ("device", "preferences_key"))})
    text = "module: {name: peek, table: device_preferences}\nfields: [{name: value, column: preferences_value, type: string}]"
    found, (problem,) = problems_of(text, catalog)
    assert found is None
    assert problem.code == "secret-column"


@pytest.mark.parametrize(
    "table",
    [
        "sqlite_master",
        "SQLITE_SEQUENCE",
        "pg_authid",
        "information_schema",
        "information_schema_x",
        "mysql",
        "lambdesk_credential",
        "lambdesk_ext_ticket",
    ],
)
def test_tables_of_the_database_itself_and_of_lambdesk_are_refused_by_their_name(table: str) -> None:
    message = f"The table `{table}` belongs to the database or to Lambdesk itself and can be no module."
    assert faults(f"module: {{name: peek, table: [queue, {table}]}}") == [f"1:29 reserved-name: {message}"]
    with pytest.raises(ValueError, match="can be no module"):
        module_yaml(Table(table, {}), Catalog({}), {})
    if table == table.lower():
        assert faults(f"module: {{name: {table}}}") == [f"1:16 reserved-name: {message}"]
        assert faults(f"module: {{name: {table}, table: queue}}") == []


def test_a_table_of_lambdesk_is_between_no_two_modules() -> None:
    key = {"id": Column("id", ColumnClass.INT), "user": Column("user", ColumnClass.STRING)}
    catalog = Catalog({**ZNUNY.tables, "lambdesk_role": Table("lambdesk_role", key, ("id",))})
    text = "module: {name: peek, table: users}\nrelations: [{name: a, to: user, through: lambdesk_role, here: id, there: id}]"
    found, problems = problems_of(text, catalog)
    assert found is not None
    assert (found.relations, [problem.code for problem in problems]) == ((), ["secret-table"])
