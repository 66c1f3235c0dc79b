"""A module meets the database. What is refused stands in test_reports.py; here what is made of the rest."""

from dataclasses import replace
from pathlib import Path

import pytest

from schema.bind import bind, plan, side_table, table_of
from schema.catalog import Catalog, Column, ColumnClass, DynamicField, Table
from schema.check import check_module
from schema.dynamic import graphql_name
from schema.ports import PlannedColumn, PlannedTable
from schema.problems import Level
from schema.secrets import is_secret_column, is_secret_table
from schema.source import read
from schema.spec import Audience, Home, Module, Operation
from tests.schema.catalogs import bound, layout, made, shipped

GOOD = Path(__file__).parent / "files" / "good"
ZNUNY = layout("znuny65")
OTRS = layout("otrs6")


@pytest.mark.parametrize("name", ["znuny65", "otrs6"])
def test_every_shipped_module_fits_both_layouts(name: str) -> None:
    catalog = layout(name)
    for module in shipped().values():
        found, problems = bind(module, catalog, shipped())
        assert [problem for problem in problems if problem.level is not Level.INFO] == []
        assert (found is not None) or (module.optional and table_of(module, catalog) is None)
        assert plan(module, catalog, shipped()) == ()


def test_the_group_table_is_found_by_whichever_name_it_has() -> None:
    group = shipped()["group"]
    assert (table_of(group, ZNUNY), table_of(group, OTRS)) == ("permission_groups", "groups")
    gotrs = bound((GOOD / "gotrs_queue.yaml").read_text(), ZNUNY)
    field = gotrs.field_named("group_id")
    assert field is not None
    assert (field.to, field.by, field.by_column) == ("group", None, "id")
    assert field.settings["lookup_filter"].rendered["sqlite"] == '(__t__."valid_id" = 1)'
    assert gotrs.filters[1]["selection"].table == "permission_groups"


def test_a_gotrs_file_is_bound_and_what_it_dreams_of_is_dropped() -> None:
    unbound = made((GOOD / "gotrs_queue.yaml").read_text())
    module, problems = bind(unbound, ZNUNY, {**shipped(), "queue": unbound})
    assert module is not None
    assert [(problem.code, problem.level) for problem in problems] == [
        ("missing-module", "warning"),
        ("unknown-field", "warning"),
        ("unknown-field", "warning"),
    ]
    kinds = {item.name: item.kind for item in module.fields}
    assert kinds["calendar_name"] == "string"  # a lookup of a table without a module stays a plain value
    follow_up = module.field_named("follow_up_id")
    assert follow_up is not None
    assert follow_up.default is not None
    assert ([option.value for option in follow_up.options], follow_up.default.value) == ([1, 2, 3], 1)
    assert module.ui["list_columns"] == ("name", "group_id", "valid_id", "actions")
    assert [item.name for item in module.ui["virtual_fields"]] == ["confirm_name"]
    assert "confirm_name" not in module.by_name
    assert [item["field"] for item in module.filters] == ["valid_id", "group_id"]
    assert [item.api_name for item in module.shown_fields][:2] == ["name", "groupId"]  # `id` is the key, no field


def test_a_row_is_named_by_its_key_and_by_what_is_unique() -> None:
    def keys(name: str) -> list[tuple[str, str, str]]:
        module = bind(shipped()[name], ZNUNY, shipped())[0]
        assert module is not None
        return [(key.api_name, key.column, key.scalar) for key in module.row_keys]

    assert keys("queue") == [("databaseId", "id", "Int"), ("name", "name", "String")]
    assert keys("ticket") == [("databaseId", "id", "BigInt"), ("number", "tn", "String")]
    assert keys("group_user") == []


def test_a_composite_key_and_no_key_at_all() -> None:
    both = bind(shipped()["group_user"], ZNUNY, shipped())[0]
    none = bind(shipped()["postmaster_filter"], ZNUNY, shipped())[0]
    assert both is not None
    assert none is not None
    assert both.key_columns == ("user_id", "group_id", "permission_key")
    assert both.key_classes == (ColumnClass.INT, ColumnClass.INT, ColumnClass.STRING)
    assert (none.key_columns, none.has_id, none.operations) == ((), False, frozenset({Operation.VIEW}))


def test_references_join_on_keys_and_on_texts_without_a_foreign_key() -> None:
    ticket = bind(shipped()["ticket"], ZNUNY, shipped())[0]
    assert ticket is not None
    found = {item.name: (item.to, item.by, item.by_column, item.raw_name) for item in ticket.fields if item.to}
    assert found["queue"] == ("queue", None, "id", None)
    assert found["customer"] == ("company", "id", "customer_id", "customerId")
    assert found["customer_user"] == ("customer_user", "login", "login", "customerUserLogin")


def test_relations_join_on_what_the_other_end_says() -> None:
    def ends(module: str, relation: str) -> tuple[str, str, str]:
        found = bind(shipped()[module], ZNUNY, shipped())[0]
        assert found is not None
        (one,) = (item for item in found.relations if item.name == relation)
        return one.here_column, one.link_column, one.there_column

    assert ends("queue", "tickets") == ("id", "queue_id", "")
    assert ends("user", "watched_tickets") == ("id", "user_id", "id")
    text = """
module: {name: customer, table: customer_user}
relations:
  - {name: tickets, to: ticket, through: group_customer_user, here: {user_id: login}, there: group_id, where: {permission_value: 1}}
"""
    (relation,) = bound(text.replace("ticket,", "group,"), ZNUNY).relations
    assert (relation.here_column, relation.link_column, relation.there_column) == ("login", "user_id", "id")
    assert relation.where == {"permission_value": 1}


def test_chains_of_any_length_bind_without_recursion() -> None:
    modules = {
        f"m{n}": made(f"module: {{name: m{n}, table: queue}}\nfields: [{{name: next, column: group_id, type: reference, to: m{n + 1}}}]")
        for n in range(3000)
    }  # fmt: skip
    found = bind(modules["m0"], ZNUNY, modules)[0]
    assert found is not None
    assert found.fields[0].to == "m1"
    last, problems = bind(modules["m2999"], ZNUNY, modules)
    assert last is not None
    assert [problem.message for problem in problems] == ["Field `next` is left out: there is no module `m3000`."]


def test_a_button_of_an_action_that_is_not_there_is_told() -> None:
    text = """
module: {name: lamp, table: queue}
actions:
  - {name: switch_off, label: Off, lambda: "return null;"}
ui: {actions: [{name: "Off", action: switch_of}, {name: "Off!", action: switch_off}]}
"""
    unbound = made(text)
    (problem,) = bind(unbound, ZNUNY, shipped())[1]
    assert (problem.code, problem.level, problem.hint) == ("unknown-action", "warning", "Did you mean `switch_off`?")
    assert (problem.line, problem.path) == (5, "ui.actions")


def test_a_missing_target_costs_one_member_and_not_the_module() -> None:
    """A10."""
    others = {name: module for name, module in shipped().items() if name not in ("service", "article")}
    ticket, problems = bind(shipped()["ticket"], ZNUNY, others)
    assert ticket is not None
    assert not {"service", "articles"} & set(ticket.by_name)
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert [problem.message for problem in problems][:2] == [
        "Field `service` is left out: there is no module `service`.",
        "Relation `articles` is left out: there is no module `article`.",
    ]


def test_a_broken_target_is_told_from_a_missing_one_and_its_file_is_named() -> None:
    """A10."""
    module = made(
        """
module: {name: thing, table: ticket}
fields:
  - {name: queue, column: queue_id, type: reference, to: a3}
  - {name: owner, column: user_id, type: reference, to: a4}
relations: [{name: notes, to: a3, by: thing}]
computed_fields: [{name: far, type: string, lambda: return 1, needs: [queue.name]}]
"""
    )
    found, problems = bind(module, ZNUNY, {"a5": shipped()["queue"]}, {"a3": "site/a3.yaml"})
    assert found is not None
    assert [(problem.message, problem.hint) for problem in problems] == [
        ("Field `queue` is left out: module `a3` (site/a3.yaml) is broken.", "Mend site/a3.yaml."),
        ("Field `owner` is left out: there is no module `a4`.", "Add the module, or mend the name."),
        ("Relation `notes` is left out: module `a3` (site/a3.yaml) is broken.", "Mend site/a3.yaml."),
    ]


def test_only_names_of_the_database_go_on() -> None:
    """A11: every column and table of a bound module is one of the catalog."""
    for unbound in shipped().values():
        module = bind(unbound, ZNUNY, shipped())[0]
        assert module is not None
        table = ZNUNY.tables[module.table]
        assert {item.column for item in module.fields if item.home is Home.TABLE} <= set(table.columns)
        assert set(module.key_columns) | {key.column for key in module.row_keys} <= set(table.columns)
        for computed in module.computed:
            if computed.expression is not None:
                assert set(computed.expression.columns) <= set(table.columns)
        for relation in module.relations:
            assert relation.here_column in table.columns
            assert relation.through is None or relation.through in ZNUNY.tables


def test_optional_fields_vanish_where_their_column_is_missing() -> None:
    text = """
module: {name: priority, table: ticket_priority}
fields: [{name: name, type: string}, {name: shade, type: color, optional: true}]
computed_fields: [{name: bright, type: string, sql: UPPER(shade)}, {name: both, lambda: return 1, needs: [name, shade]}]
ui: {list_columns: [name, shade, bright]}
"""
    found = bound(text, ZNUNY)
    assert list(found.by_name) == ["name", "both"]
    assert (found.computed[0].needs, found.ui["list_columns"]) == (("name",), ("name",))


def test_an_optional_module_is_absent_without_a_word() -> None:
    module = made("module: {name: mention, optional: true, table: mention}")
    assert bind(module, OTRS, {}) == (None, [])
    assert plan(module, OTRS, {}) == ()


def test_columns_of_secrets_go_no_further_than_writing() -> None:
    """A12."""
    user = bind(shipped()["user"], ZNUNY, shipped())[0]
    assert user is not None
    assert "pw" not in user.columns
    password = user.field_named("password")
    assert password is not None
    assert (password.column, password.is_readable, password.filterable, password.sortable) == (
        "pw",
        False,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("table", "column", "secret"),
    [
        ("users", "pw", True),
        ("customer_user", "pw", True),
        ("mail_account", "pw", True),
        ("oauth2_token_config", "config", True),
        ("device", "api_key", True),
        ("device", "access_token", True),
        ("device", "token_hash", True),
        ("device", "client_secret", True),
        ("device", "password_hash", True),
        ("calendar", "salt_string", True),
        ("queue", "default_sign_key", False),
        ("ticket_flag", "ticket_key", False),
        ("group_user", "permission_key", False),
        ("article_data_mime", "a_message_id_md5", False),
        ("queue", "name", False),
        ("power", "pwm_level", False),
    ],
)
def test_secret_columns_are_known_by_their_names(table: str, column: str, secret: bool) -> None:
    assert is_secret_column(table, column) is secret


@pytest.mark.parametrize(
    ("table", "secret"),
    [
        ("sessions", True),
        ("oauth2_token", True),
        ("SESSIONS", True),
        ("user_sessions", True),
        ("oauth2_token_config", False),
        ("ticket", False),
    ],
)
def test_tables_of_sessions_and_tokens_are_no_modules(table: str, secret: bool) -> None:
    assert is_secret_table(table) is secret
    assert (plan(made(f"module: {{name: t, table: {table}}}"), Catalog({}), {}) == ()) is secret


def test_a_salt_makes_its_field_write_only_with_a_warning() -> None:
    module = made("module: {name: calendar}\nfields: [{name: salt_string, type: string}]")
    found, problems = bind(module, ZNUNY, {})
    assert found is not None
    assert (found.fields[0].kind, [problem.level for problem in problems]) == ("secret", [Level.WARNING])


def test_row_rules_are_checked_behind_references_too() -> None:
    text = """
module: {name: thing, table: ticket}
fields: [{name: queue, column: queue_id, type: reference, to: queue}]
access: {agent: {rows: {queue: {group: {nmae: {eq: x}}}}}}
"""
    module = made(text)
    found, problems = bind(module, ZNUNY, shipped())
    assert found is None
    assert [(problem.line, problem.path, problem.message) for problem in problems] == [
        (
            4,
            "access.agent.rows.queue.group.nmae",
            "The filter names `nmae`, which module `group` does not have.",
        )
    ]
    assert bound(text.replace("nmae", "name"), ZNUNY).access.of(Audience.AGENT).rows is not None


# --- tables made from files ---


def test_a_table_that_does_not_exist_is_planned_from_the_file() -> None:
    module = made(
        """
module: {name: asset}
fields:
  - {name: id, type: int}
  - {name: name, type: string, required: true, unique: true, validation: {max_length: 300}}
  - {name: holder, type: reference, to: customer_user, by: login}
  - {name: company, type: reference, to: company}
  - {name: ticket, column: ticket_id, type: reference, to: ticket}
  - {name: state, type: select, options: [{value: 1, label: new}, {value: 2, label: old}], default: 1}
  - {name: notes, type: text, default: none}
  - {name: active, type: bool, default: true}
  - {name: validity, column: valid_id, type: validity}
  - {name: created_at, column: create_time, type: datetime}
  - {name: shown, type: string, virtual: true}
"""
    )
    assert plan(module, ZNUNY, shipped()) == (
        PlannedTable(
            name="asset",
            module="asset",
            columns=(
                PlannedColumn("name", ColumnClass.STRING, 300, nullable=False, unique=True),
                PlannedColumn("holder", ColumnClass.STRING, 200, refers=True),
                PlannedColumn("company", ColumnClass.STRING, 150, refers=True),
                PlannedColumn("ticket_id", ColumnClass.BIGINT, refers=True),
                PlannedColumn("state", ColumnClass.INT, default=1),
                PlannedColumn("notes", ColumnClass.TEXT),
                PlannedColumn("active", ColumnClass.SMALLINT, default=1),
            ),
            validity=True,
        ),
    )


def test_keys_of_text_and_of_several_columns_are_planned() -> None:
    text = "module: {name: price, key: [product, currency]}\nfields: [{name: product, type: string}, {name: amount, type: decimal}]"
    (table,) = plan(made(text), ZNUNY, {})
    assert table.key == ("product", "currency")
    assert [(column.name, column.type, column.size, column.nullable) for column in table.columns] == [
        ("product", ColumnClass.STRING, 150, False),
        ("amount", ColumnClass.DECIMAL, None, True),
        ("currency", ColumnClass.INT, None, False),
    ]


def managed(*columns: Column) -> Catalog:
    audit = [Column(name, ColumnClass.DATETIME) for name in ("create_time", "create_by", "change_time", "change_by")]
    found = {column.name: column for column in (Column("id", ColumnClass.INT, nullable=False), *columns, *audit)}
    return Catalog({"asset": Table("asset", found, ("id",))}, managed=frozenset({"asset"}))


ASSET = "module: {name: asset}\nfields: [{name: name, type: string, required: true}, {name: weight, type: int, required: true}]"


def test_a_managed_table_gains_columns_that_take_null_for_the_rows_it_has() -> None:
    catalog = managed(Column("name", ColumnClass.STRING, size=250))
    assert plan(made(ASSET), catalog, {}) == (
        PlannedTable("asset", "asset", (PlannedColumn("weight", ColumnClass.INT),), ("id",)),
    )


def test_a_type_that_could_lose_data_is_refused_with_the_way_out() -> None:
    catalog = managed(Column("name", ColumnClass.STRING, size=250), Column("weight", ColumnClass.STRING, size=250))
    assert plan(made(ASSET), catalog, {}) == ()
    found, (problem,) = bind(made(ASSET), catalog, {})
    assert found is None
    assert (problem.code, problem.message) == (
        "type-changed",
        "Field `weight` is now of type int, but column `weight` of table `asset` was made as string(250).",
    )
    assert problem.hint is not None
    assert problem.hint.endswith("or give the field a new `column`.")


def with_side(*columns: Column) -> Catalog:
    key = ZNUNY.tables["ticket"].columns["id"]
    side = Table("lambdesk_ext_ticket", {column.name: column for column in (key, *columns)}, ("id",))
    return replace(ZNUNY, tables={**ZNUNY.tables, side.name: side})


def extended() -> Module:
    base = (Path(__file__).parents[2] / "modules" / "tickets" / "ticket.yaml").read_bytes()
    extension = b"module: {extend: ticket}\nfields: [{name: contract_no, type: string, required: true}, {name: archive_flag, type: int}]"
    module, problems = check_module([read("modules/ticket.yaml", base), read("site/ticket.yaml", extension)])
    assert module is not None, problems
    return module


def test_what_an_extension_adds_to_a_foreign_table_lives_beside_it() -> None:
    module = extended()
    assert plan(module, ZNUNY, shipped()) == (
        PlannedTable(
            "lambdesk_ext_ticket",
            "ticket",
            (PlannedColumn("contract_no", ColumnClass.STRING, 250),),
            ("id",),
            audit=False,
            beside="ticket",
        ),
    )
    catalog = with_side(Column("contract_no", ColumnClass.STRING, size=250))
    assert plan(module, catalog, shipped()) == ()
    found = bind(module, catalog, shipped())[0]
    assert found is not None
    assert found.side_table == "lambdesk_ext_ticket"
    homes = {item.name: (item.home, item.nullable) for item in found.fields}
    assert homes["contract_no"] == (Home.SIDE, True)
    assert homes["archive_flag"] == (Home.TABLE, False)  # the table has the column: nothing is made


def test_an_expression_may_use_what_an_extension_adds() -> None:
    base = "module: {name: thing, table: ticket}"
    more = "module: {extend: thing}\nfields: [{name: contract, column: contract_no, type: string}]\ncomputed_fields: [{name: loud, type: string, sql: UPPER(contract)}]"
    module, problems = check_module([read("modules/thing.yaml", base.encode()), read("site/thing.yaml", more.encode())])
    assert module is not None, problems
    found, problems = bind(module, with_side(Column("contract_no", ColumnClass.STRING, size=250)), shipped())
    assert found is not None, problems
    (loud,) = found.computed
    assert loud.expression is not None
    assert loud.expression.rendered["postgresql"] == (
        'UPPER((SELECT lambdesk_beside."contract_no" FROM "lambdesk_ext_ticket" lambdesk_beside'
        ' WHERE lambdesk_beside."id" = __t__."id"))'
    )


def test_side_tables_of_long_names_stay_within_the_limit() -> None:
    long = side_table("x" * 60)
    assert (len(long), long == side_table("x" * 60), long == side_table("x" * 59 + "y")) == (63, True, False)


# --- dynamic fields ---


@pytest.mark.parametrize(
    ("name", "graphql"),
    [
        ("ProcessManagementProcessID", "processManagementProcessId"),
        ("ITSMImpact", "itsmImpact"),
        ("Order_number", "orderNumber"),
        ("contract", "contract"),
        ("Field2Name", "field2Name"),
    ],
)
def test_dynamic_fields_are_called_like_other_fields(name: str, graphql: str) -> None:
    assert graphql_name(name) == graphql


def test_dynamic_fields_appear_by_themselves_as_typed_fields() -> None:
    types = ("Text", "TextArea", "Dropdown", "Multiselect", "Checkbox", "Date", "DateTime")
    dynamic = tuple(DynamicField(n, f"My{kind}", kind, "Ticket", kind, {"a": "A"}) for n, kind in enumerate(types))
    taken = (
        DynamicField(20, "Title", "Title", "Ticket", "Text"),
        DynamicField(21, "version", "Version", "Ticket", "Text"),
        DynamicField(22, "MyText_", "Again", "Ticket", "Text"),
        DynamicField(23, "2nd", "Second", "Ticket", "Text"),
        DynamicField(24, "Other", "Other", "Article", "Text"),
    )
    catalog = replace(ZNUNY, dynamic_fields=(*dynamic, *taken))
    ticket = bind(shipped()["ticket"], catalog, shipped())[0]
    assert ticket is not None
    assert [(item.api_name, item.kind) for item in ticket.fields if item.home is Home.DYNAMIC] == [
        ("myText", "string"),
        ("myTextArea", "text"),
        ("myDropdown", "string"),
        ("myMultiselect", "multiselect"),
        ("myCheckbox", "bool"),
        ("myDate", "date"),
        ("myDateTime", "datetime"),
        ("dfTitle", "string"),
        ("dfVersion", "string"),
        ("dfMyText", "string"),
        ("df2Nd", "string"),
    ]
    article = bind(shipped()["article"], catalog, shipped())[0]
    assert article is not None
    assert [item.api_name for item in article.fields if item.dynamic] == ["other"]
