"""The tables of OTRS that a desk writes: only the columns it speaks of, so that every member of the family fits."""

from __future__ import annotations

import sqlalchemy as sa

from storage.columns import AUDIT

# Keys of 64 bits are named; everything else is bound as the driver likes it.
_WIDE = frozenset({"id", "ticket_id", "article_id", "counter"})


def _table(name: str, columns: str, *, audit: bool = True) -> sa.TableClause:
    names = (*columns.split(), *(AUDIT if audit else ()))
    return sa.table(name, *(sa.column(word, sa.BigInteger if word in _WIDE else None) for word in names))


TICKET = _table(
    "ticket",
    "id tn title queue_id ticket_lock_id type_id service_id sla_id user_id responsible_user_id ticket_priority_id "
    "ticket_state_id customer_id customer_user_id timeout until_time escalation_time escalation_update_time "
    "escalation_response_time escalation_solution_time archive_flag",
)
TICKET_HISTORY = _table(
    "ticket_history",
    "id name history_type_id ticket_id article_id type_id queue_id owner_id priority_id state_id",
)
TICKET_INDEX = _table("ticket_index", "ticket_id queue_id queue group_id s_lock s_state create_time", audit=False)
TICKET_LOCK_INDEX = _table("ticket_lock_index", "ticket_id", audit=False)
TICKET_FLAG = _table("ticket_flag", "ticket_id ticket_key ticket_value create_time create_by", audit=False)
TICKET_WATCHER = _table("ticket_watcher", "ticket_id user_id")
COUNTER = _table("ticket_number_counter", "id counter counter_uid create_time", audit=False)
ARTICLE = _table(
    "article",
    "id ticket_id article_sender_type_id communication_channel_id is_visible_for_customer search_index_needs_rebuild "
    "insert_fingerprint",
)
ARTICLE_MIME = _table(
    "article_data_mime",
    "id article_id a_from a_reply_to a_to a_cc a_bcc a_subject a_message_id a_message_id_md5 a_in_reply_to "
    "a_references a_content_type a_body incoming_time content_path",
)
ATTACHMENT = _table(
    "article_data_mime_attachment",
    "id article_id filename content_size content_type content_id content_alternative disposition content",
)
ARTICLE_FLAG = _table("article_flag", "article_id article_key article_value create_time create_by", audit=False)
ARTICLE_SEARCH = _table("article_search_index", "id ticket_id article_id", audit=False)
TIME_ACCOUNTING = _table("time_accounting", "id ticket_id article_id time_unit")
MENTION = _table("mention", "id user_id ticket_id article_id", audit=False)
LINK_RELATION = _table(
    "link_relation",
    "source_object_id source_key target_object_id target_key type_id state_id create_time create_by",
    audit=False,
)
LINK_OBJECT = _table("link_object", "id name", audit=False)
LINK_TYPE = _table("link_type", "id name valid_id")
LINK_STATE = _table("link_state", "id name valid_id")
QUEUE = _table("queue", "id name group_id follow_up_id", audit=False)
USERS = _table("users", "id login first_name last_name", audit=False)
USER_PREFERENCES = _table("user_preferences", "user_id preferences_key preferences_value", audit=False)
CUSTOMER_USER = _table("customer_user", "id login email first_name last_name", audit=False)
