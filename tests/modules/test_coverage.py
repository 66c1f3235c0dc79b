"""Which tables of OTRS the shipped modules serve, and why the rest are left out."""

import pytest

from storage.otrs import read_layout
from tests.modules.shipped import LAYOUTS, shipped, sources, table_in

# Every table that no module serves, with the reason. A new table of a layout must come here or get a module.
LEFT_OUT = {
    "valid": "its three rows are the shared enum Validity",
    "sessions": "holds the sessions of OTRS, which are secrets",
    "oauth2_token": "holds tokens",
    "smime_keys": "holds where private keys are kept",
    "smime_signer_cert_relations": "belongs to the certificates of S/MIME, which Lambdesk does not handle",
    "gi_webservice_config_history": "holds settings of web services, passwords among them",
    "gi_debugger_entry": "leads to messages of web services, passwords among them",
    "gi_debugger_entry_content": "holds messages of web services, passwords among them",
    "cloud_service_config": "holds the credentials of a cloud service that is no more",
    "system_data": "holds keys of the installation beside counters of OTRS",
    "ticket_index": "an accelerator of OTRS, made from tickets",
    "ticket_lock_index": "an accelerator of OTRS, made from tickets",
    "ticket_loop_protection": "counts answers of one day, for the mail loop protection of OTRS alone",
    "ticket_number_counter": "belongs to the ticket number generators",
    "article_search_index": "the full-text index of OTRS, made from articles",
    "article_data_mime_plain": "holds raw messages only, which are files",
    "form_draft": "holds half-written forms of OTRS in its own packed form",
    "web_upload_cache": "holds uploads of forms that are not sent yet",
    "acl_sync": "tells OTRS which ACLs are not deployed yet",
    "pm_entity_sync": "tells OTRS which parts of processes are not deployed yet",
    "process_id": "lists the running processes of OTRS on its machines",
    "scheduler_task": "belongs to the daemon of OTRS",
    "scheduler_future_task": "belongs to the daemon of OTRS",
    "scheduler_recurrent_task": "belongs to the daemon of OTRS",
    "sysconfig_deployment_lock": "a lock that OTRS holds while it deploys",
    "virtual_fs": "a file store of OTRS",
    "virtual_fs_db": "a file store of OTRS",
    "virtual_fs_preferences": "a file store of OTRS",
    "xml_storage": "XML documents of OTRS, split into their leaves",
}

# Columns that a served table has and no field shows, with the reason.
COLUMNS_LEFT_OUT = {
    ("article", "search_index_needs_rebuild"): "a note of the full-text index of OTRS",
    ("article", "insert_fingerprint"): "how OTRS finds the row that it has just written",
    ("calendar", "salt_string"): "signs the public address of the calendar",
    ("communication_log", "insert_fingerprint"): "how OTRS finds the row that it has just written",
    ("communication_log_object", "insert_fingerprint"): "how OTRS finds the row that it has just written",
    ("customer_preferences", "preferences_value"): "shown by an expression that leaves secrets out",
    ("user_preferences", "preferences_value"): "shown by an expression that leaves secrets out",
    ("gi_webservice_config", "config"): "holds passwords",
    ("oauth2_token_config", "config"): "holds client secrets",
    ("oauth2_token_config", "dbcrud_uuid"): "the name of the row in exports of OTRS",
    ("mail_queue", "insert_fingerprint"): "how OTRS finds the row that it has just written",
    ("mail_queue", "raw_message"): "bytes of a message that has no name",
    ("package_repository", "content"): "the packed extension",
    ("queue_preferences", "preferences_value"): "shown by an expression that leaves secrets out",
    ("service_preferences", "preferences_value"): "shown by an expression that leaves secrets out",
    ("sla_preferences", "preferences_value"): "shown by an expression that leaves secrets out",
    ("sysconfig_default", "effective_value"): "shown by an expression that leaves secrets out",
    ("sysconfig_default", "exclusive_lock_guid"): "the key to a lock of OTRS",
    ("sysconfig_default", "xml_content_raw"): "the setting's definition as shipped",
    ("sysconfig_default", "xml_content_parsed"): "the setting's definition as shipped",
    ("sysconfig_default_version", "effective_value"): "shown by an expression that leaves secrets out",
    ("sysconfig_default_version", "xml_content_raw"): "the setting's definition as shipped",
    ("sysconfig_default_version", "xml_content_parsed"): "the setting's definition as shipped",
    ("sysconfig_deployment", "effective_value"): "all values in one, secrets among them",
    ("sysconfig_modified", "effective_value"): "shown by an expression that leaves secrets out",
    ("sysconfig_modified_version", "effective_value"): "shown by an expression that leaves secrets out",
    ("system_address", "value2"): "never used by OTRS",
    ("system_address", "value3"): "never used by OTRS",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_table_is_served_or_left_out_for_a_reason(layout: str) -> None:
    tables = {table.name for module in shipped().values() if (table := table_in(module, layout))}
    assert tables.isdisjoint(LEFT_OUT)
    assert set(read_layout(layout)) - tables == set(LEFT_OUT) & set(read_layout(layout))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_column_of_a_served_table_is_a_field_or_left_out_for_a_reason(layout: str) -> None:
    missing = set()
    for module in shipped().values():
        if table := table_in(module, layout):
            shown = {field.column for field in module.fields}
            missing |= {(table.name, item.name) for item in table.columns if item.name not in shown and not item.is_key}
    present = {(table.name, column.name) for table in read_layout(layout).values() for column in table.columns}
    assert missing == set(COLUMNS_LEFT_OUT) & present


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_column_that_a_layout_lacks_is_marked_as_optional(layout: str) -> None:
    lacking = set()
    for module in shipped().values():
        if table := table_in(module, layout):
            present = {column.name for column in table.columns}
            lacking |= {(module.name, field.name) for field in module.fields if field.column not in present}
            assert not [f for f in module.fields if f.column not in present and not f.optional], module.name
    assert (
        lacking
        == {
            "znuny65": {
                ("mail_account", "auth_method"),
                ("priority", "color"),
                ("state", "color"),
            },
            "otrs6": {
                ("mail_account", "authentication_type"),
                ("state", "color"),
            },
        }[layout]
    )


def test_only_tables_of_newer_layouts_may_be_absent() -> None:
    absent = {module.name for module in shipped().values() if table_in(module, "otrs6") is None}
    assert absent == {"mention", "appointment_plugin", "acl_attribute_relation"}
    assert {module.name for module in shipped().values() if module.optional} == absent | {"oauth2_config"}


def test_a_file_is_named_like_its_module() -> None:
    for source in sources():
        assert source.file.endswith(f"/{source.name}.yaml")
