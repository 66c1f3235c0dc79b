"""The columns that the demo writes of every table of tickets. All members of the OTRS family have them."""

from __future__ import annotations

_AUDIT = ("create_time", "create_by", "change_time", "change_by")
# Table → columns, in an order in which keys exist before they are used.
COLUMNS: dict[str, tuple[str, ...]] = {
    "ticket": (
        "id", "tn", "title", "queue_id", "ticket_lock_id", "type_id", "service_id", "sla_id", "user_id",
        "responsible_user_id", "ticket_priority_id", "ticket_state_id", "customer_id", "customer_user_id", "timeout",
        "until_time", "escalation_time", "escalation_update_time", "escalation_response_time",
        "escalation_solution_time", "archive_flag", *_AUDIT,
    ),
    "article": (
        "id", "ticket_id", "article_sender_type_id", "communication_channel_id", "is_visible_for_customer",
        "search_index_needs_rebuild", *_AUDIT,
    ),
    "article_data_mime": (
        "id", "article_id", "a_from", "a_to", "a_subject", "a_message_id", "a_message_id_md5", "a_in_reply_to",
        "a_content_type", "a_body", "incoming_time", *_AUDIT,
    ),
    "ticket_history": (
        "id", "name", "history_type_id", "ticket_id", "article_id", "type_id", "queue_id", "owner_id", "priority_id",
        "state_id", *_AUDIT,
    ),
    "ticket_flag": ("ticket_id", "ticket_key", "ticket_value", "create_time", "create_by"),
    "ticket_index": ("ticket_id", "queue_id", "queue", "group_id", "s_lock", "s_state", "create_time"),
    "ticket_lock_index": ("ticket_id",),
    "ticket_watcher": ("ticket_id", "user_id", *_AUDIT),
    "time_accounting": ("id", "ticket_id", "article_id", "time_unit", *_AUDIT),
    "dynamic_field_value": ("id", "field_id", "object_id", "value_text", "value_date", "value_int"),
    "link_relation": (
        "source_object_id", "source_key", "target_object_id", "target_key", "type_id", "state_id", "create_time",
        "create_by",
    ),
    "ticket_number_counter": ("counter", "counter_uid", "create_time"),
}  # fmt: skip
