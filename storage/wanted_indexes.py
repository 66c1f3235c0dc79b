"""The indexes that the shipped lists need beside those of the OTRS layout, each with the reason why.

Measured with a million tickets and three million articles (`bench/bench_scale.py`). An index costs space and slows every
write a little, so a list that is quick enough without one gets none.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = frozenset({"sqlite", "mysql", "postgresql"})
_WITHOUT_KEY = frozenset({"sqlite", "mysql"})  # where every index ends in the primary key without being told
PREFIX = "lambdesk_ix_"  # of all names, so that they are told from those of OTRS


@dataclass(frozen=True, slots=True)
class WantedIndex:
    """An index of a table.

    With `key`, it ends in the primary key: it answers a statement without the table, or has the rows in the whole order of a
    list, of which PostgreSQL otherwise reads and sorts 32 for each queue to find ten.
    """

    label: str
    table: str
    columns: tuple[str, ...]
    reason: str
    key: str = ""
    databases: frozenset[str] = EVERYWHERE

    @property
    def name(self) -> str:
        """The name that it is made under."""
        return f"{PREFIX}{self.label}"

    def columns_on(self, dialect: str) -> tuple[str, ...]:
        """Return the columns as a database must be told them."""
        return self.columns if dialect in _WITHOUT_KEY or not self.key else (*self.columns, self.key)


WANTED: tuple[WantedIndex, ...] = (
    WantedIndex(
        "open_tickets",
        "ticket",
        ("ticket_state_id", "queue_id", "ticket_lock_id", "user_id", "archive_flag"),
        "counts of open tickets by queue and lock: state, row rule and groups stand in the index, closed tickets are not read",
        key="id",
        databases=frozenset({"sqlite", "postgresql"}),
    ),
    WantedIndex(
        "open_tickets",
        "ticket",
        ("ticket_state_id", "queue_id", "ticket_lock_id", "user_id", "archive_flag", "create_time"),
        "the same counts, and open tickets from the newest on: MariaDB finds those of a page without looking at the others' rows",
        key="id",
        databases=frozenset({"mysql"}),
    ),
    WantedIndex(
        "queue_tickets",
        "ticket",
        ("queue_id", "ticket_state_id", "ticket_lock_id", "user_id", "archive_flag"),
        "the same below a list of queues: SQLite goes through one queue after the other",
        key="id",
        databases=frozenset({"sqlite"}),
    ),
    WantedIndex(
        "state_newest",
        "ticket",
        ("ticket_state_id", "create_time"),
        "the tickets of a state from the newest on; SQLite reads all that there are to find none of a state without tickets",
        databases=frozenset({"sqlite"}),
    ),
    WantedIndex(
        "queue_newest",
        "ticket",
        ("queue_id", "create_time"),
        "the tickets of a queue from the newest on, open ones too: no further back than the queue goes",
        key="id",
    ),
    WantedIndex(
        "owner_newest",
        "ticket",
        ("user_id", "create_time"),
        "an agent's tickets from the newest on, without reading and sorting all that he ever had",
        key="id",
    ),
    WantedIndex(
        "responsible_newest",
        "ticket",
        ("responsible_user_id", "create_time"),
        "the same for who is responsible",
        key="id",
    ),
    WantedIndex(
        "owner_changed",
        "ticket",
        ("user_id", "change_time"),
        "an agent's tickets by their last change: MariaDB read and sorted all of them",
        databases=frozenset({"mysql"}),
    ),
    WantedIndex(
        "responsible_changed",
        "ticket",
        ("responsible_user_id", "change_time"),
        "the same for who is responsible",
        databases=frozenset({"mysql"}),
    ),
    WantedIndex(
        "ticket_changed",
        "ticket",
        ("change_time",),
        "tickets in the order of their last change, and what changed since",
        key="id",
    ),
    WantedIndex("company_people", "customer_user", ("customer_id",), "the people of a company"),
    WantedIndex(
        "log_parts",
        "communication_log_object",
        ("communication_id",),
        "the parts of a communication; the log grows with every mail",
    ),
    WantedIndex(
        "log_entries",
        "communication_log_object_entry",
        ("communication_log_object_id",),
        "the entries of a part of a communication; the log grows with every mail",
    ),
)
