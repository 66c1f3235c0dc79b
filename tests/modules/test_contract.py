"""What others rely on in the shipped modules: names, captions, notices, secrets and who sees what."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from schema.secrets import is_secret_column
from schema.spec import VISIBLE, Audience, Caption, Expression, Module, Operation
from tests.modules.shipped import LAYOUTS, shipped, table_in

MODULES = sorted(shipped())


def test_a_ticket_has_the_fields_that_clients_rely_on() -> None:
    promised = (
        "number title queue owner responsible priority state type lock service sla customer customerUser "
        "createdAt changedAt escalatesAt pendingUntil articles history"
    )
    assert set(promised.split()) <= set(shipped()["ticket"].members)


def test_a_ticket_tells_the_stored_texts_of_customers_who_are_not_in_the_database() -> None:
    assert {"customerId", "customerUserLogin"} <= set(shipped()["ticket"].members)


def test_a_queue_has_the_fields_that_clients_rely_on() -> None:
    promised = "name comment unlockTimeout validity createdAt changedAt group tickets unlockSeconds"
    assert set(promised.split()) <= set(shipped()["queue"].members)


AUDIT = {"create_time": "created_at", "create_by": "created_by", "change_time": "changed_at", "change_by": "changed_by"}


@pytest.mark.parametrize("name", MODULES)
def test_audit_columns_and_validity_have_the_same_names_everywhere(name: str) -> None:
    names = {field.column: field.name for field in shipped()[name].fields}
    for column, wanted in {**AUDIT, "valid_id": "validity"}.items():
        assert names.get(column, wanted) == wanted


@pytest.mark.parametrize("name", MODULES)
def test_nobody_writes_audit_columns(name: str) -> None:
    assert all(field.readonly for field in shipped()[name].fields if field.column in AUDIT)


def test_every_reference_and_relation_leads_to_a_shipped_module() -> None:
    for module in shipped().values():
        assert {field.to for field in module.fields if field.to} <= set(MODULES), module.name
        assert {relation.to for relation in module.relations} <= set(MODULES), module.name


def test_a_relation_through_a_reference_names_one_that_points_back() -> None:
    for module in shipped().values():
        for relation in module.relations:
            if relation.by:
                field = shipped()[relation.to].field_named(relation.by)
                assert field is not None, relation.name
                assert field.to == module.name, relation.name


def captions(module: Module) -> Iterator[tuple[str, Caption | None]]:
    yield from (("singular", module.singular), ("plural", module.plural), ("section", module.section))
    yield "description", module.description
    if module.notice:
        yield "notice", module.notice
    for field in module.fields:
        yield field.name, field.label
        if field.help:
            yield f"{field.name}.help", field.help
        if field.validation.message:
            yield f"{field.name}.message", field.validation.message
        yield from ((f"{field.name}.{option.name}", option.label) for option in field.options)
    yield from ((relation.name, relation.label) for relation in module.relations)
    yield from ((computed.name, computed.label) for computed in module.computed)


@pytest.mark.parametrize("name", MODULES)
def test_every_text_is_there_in_english_and_german(name: str) -> None:
    missing = [where for where, text in captions(shipped()[name]) if not text or set(text.languages) != {"en", "de"}]
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_every_list_shows_something_and_every_module_has_an_icon(name: str) -> None:
    module = shipped()[name]
    assert module.icon
    assert set(module.ui["list_columns"]) <= set(module.by_name)
    assert module.ui["list_columns"]


def test_what_has_no_engine_yet_says_so() -> None:
    assert sorted(module.name for module in shipped().values() if module.notice) == [
        "acl",
        "acl_attribute_relation",
        "appointment",
        "appointment_plugin",
        "appointment_ticket",
        "auto_response",
        "auto_response_type",
        "calendar",
        "communication_log",
        "communication_log_entry",
        "communication_log_lookup",
        "communication_log_object",
        "generic_agent_job",
        "mail_account",
        "notification",
        "notification_item",
        "notification_message",
        "oauth2_config",
        "outgoing_mail",
        "package",
        "postmaster_filter",
        "process",
        "process_activity",
        "process_activity_dialog",
        "process_transition",
        "process_transition_action",
        "queue_auto_response",
        "search_profile",
        "sla",
        "sysconfig",
        "sysconfig_deployment",
        "sysconfig_value",
        "sysconfig_value_version",
        "sysconfig_version",
        "system_maintenance",
        "web_service",
    ]


# --- secrets ---


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_field_reads_a_secret_column(layout: str) -> None:
    written = set()
    for module in shipped().values():
        table = table_in(module, layout)
        for field in module.fields:
            if table and is_secret_column(table.name, field.column):
                assert not field.is_readable, (module.name, field.name)
                written.add((module.name, field.name))
    assert written == {("user", "password"), ("customer_user", "password"), ("mail_account", "password")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bytes_are_read_as_files_only(layout: str) -> None:
    for module in shipped().values():
        if table := table_in(module, layout):
            blobs = {column.name for column in table.columns if column.type == "blob"}
            assert all(field.holds_bytes for field in module.fields if field.column in blobs), module.name


@pytest.mark.parametrize("name", ["user_preference", "customer_user_preference"])
@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("UserEmail", "anna@example.org"),
        ("UserLanguage", "de"),
        ("UserGoogleAuthenticatorSecretKey", None),
        ("UserToken", None),
        ("UserLastPw", None),
        ("UserLastPwChangeTime", None),
        ("UserPGPKey", None),
    ],
)
def test_a_preference_that_holds_a_secret_has_no_value(name: str, key: str, shown: str | None) -> None:
    assert evaluate(shipped()[name], "value", preferences_key=key, preferences_value=shown or "secret") == shown


@pytest.mark.parametrize("name", ["sysconfig", "sysconfig_value", "sysconfig_version", "sysconfig_value_version"])
@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("Ticket::Hook", "--- Ticket#"),
        ("SendmailModule::AuthPassword", None),
        ("AuthModule::LDAP::SearchUserPw", None),
        ("PGP::Key::Password", None),
    ],
)
def test_a_setting_that_holds_a_secret_has_no_value(name: str, setting: str, shown: str | None) -> None:
    assert evaluate(shipped()[name], "effective_value", name=setting, effective_value=shown or "secret") == shown


def evaluate(module: Module, computed: str, **row: str | int) -> object:
    """Run a computed field's expression over one row, on SQLite."""
    expression = next(item.expression for item in module.computed if item.name == computed)
    assert expression is not None
    columns = ", ".join(f'? AS "{column}"' for column in row)
    sql = f"SELECT {expression.rendered['sqlite']} FROM (SELECT {columns}) AS {Expression.ALIAS}"  # noqa: S608 - our own file
    with sqlite3.connect(":memory:") as connection:
        return connection.execute(sql, tuple(row.values())).fetchone()[0]


# --- who sees what ---


def test_customers_see_their_tickets_and_what_those_need() -> None:
    granted = {name for name, module in shipped().items() if not module.access.of(Audience.CUSTOMER).view.is_never}
    assert granted == {
        "article",
        "article_attachment",
        "article_mime",
        "article_sender_type",
        "chat_message",
        "communication_channel",
        "company",
        "customer_user",
        "priority",
        "queue",
        "service",
        "sla",
        "state",
        "state_type",
        "ticket",
        "ticket_type",
    }


def rows_of(name: str, audience: Audience) -> str:
    """The rule of a module's rows, with those of the rows that it leads to in their places."""

    def expanded(module: Module, rows: Any) -> Any:
        if isinstance(rows, dict):
            return {key: led(module, key, value) for key, value in rows.items()}
        return [expanded(module, item) for item in rows] if isinstance(rows, list) else rows

    def led(module: Module, key: str, value: Any) -> Any:
        target: str = getattr(module.members.get(key), "to", None) or ""
        if value == VISIBLE:
            return expanded(shipped()[target], shipped()[target].access.of(audience).rows)
        return expanded(shipped()[target] if target else module, value)

    return str(expanded(shipped()[name], shipped()[name].access.of(audience).rows))


@pytest.mark.parametrize(
    "name", ["ticket", "article", "article_mime", "article_attachment", "chat_message", "company", "customer_user"]
)
def test_customers_see_only_rows_of_their_own(name: str) -> None:
    assert "$me." in rows_of(name, Audience.CUSTOMER)


@pytest.mark.parametrize("name", ["article", "article_mime", "article_attachment", "chat_message"])
def test_customers_see_only_articles_made_visible_to_them(name: str) -> None:
    assert "'visibleForCustomer': {'eq': True}" in rows_of(name, Audience.CUSTOMER)


def test_customers_see_of_a_queue_only_its_name_and_tickets() -> None:
    module = shipped()["queue"]
    hidden = {name for name, rules in module.access.fields.items() if rules[Audience.CUSTOMER].is_never}
    own = {field.name for field in module.fields if not field.to} | {computed.name for computed in module.computed}
    assert own - hidden == {"name"}


@pytest.mark.parametrize(
    "name",
    [
        "ticket",
        "article",
        "article_mime",
        "article_attachment",
        "article_send_error",
        "chat_message",
        "article_flag",
        "ticket_flag",
        "ticket_history",
        "time_entry",
        "watcher",
        "mention",
        "appointment_ticket",
    ],
)
def test_agents_see_what_belongs_to_a_ticket_by_the_group_of_its_queue(name: str) -> None:
    assert "'queue': {'group': {'databaseId': {'in': '$me.groups.ro'}}}" in rows_of(name, Audience.AGENT)


def test_rows_that_cannot_be_told_apart_are_only_viewed() -> None:
    keyless = {name for name, module in shipped().items() if module.declared_key == ()}
    assert keyless == {
        "customer_user_preference",
        "generic_agent_job",
        "notification_item",
        "postmaster_filter",
        "queue_preference",
        "search_profile",
        "service_preference",
        "sla_preference",
        "user_preference",
    }
    assert all(shipped()[name].operations == {Operation.VIEW} for name in keyless)


def test_a_table_without_a_key_of_its_own_gets_one_or_says_that_it_has_none() -> None:
    for module in shipped().values():
        table = table_in(module, "znuny65")
        assert table is not None
        assert any(column.is_key for column in table.columns) != (module.declared_key is not None), module.name


@pytest.mark.parametrize(("seconds", "pending"), [(0, 0), (1_767_225_600, 1)])
def test_a_ticket_is_pending_while_it_has_a_time_to_wait_for(seconds: int, pending: int) -> None:
    assert evaluate(shipped()["ticket"], "is_pending", until_time=seconds) == pending
