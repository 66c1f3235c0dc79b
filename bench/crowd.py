"""A desk of any size, made inside the database: tickets, three articles each, 120 queues in 40 groups, 3 % open.

The same rows come out on all three databases, by arithmetic instead of chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.bulk import bulk_writer
from storage.engine import Database
from storage.install import continue_counting
from storage.otrs import layout_tables
from storage.rows import complete_row
from storage.transaction import Transaction
from storage.values import wall_clock

QUEUES = 120
GROUPS = 40
OWN_GROUPS = 10  # of the agent who is measured
AGENTS = 200
AGENT = 7
COMPANIES = 2_000
FIRST_QUEUE = 101
FIRST_GROUP = 101
FIRST_TICKET = 1_000
ARTICLES = 3
BATCH = 250_000
MANY = 100_000  # tickets; from there on MariaDB's indexes are made after the rows
BEGIN = 1_672_531_200  # 2023-01-01T00:00:00Z
YEARS_S = 3 * 365 * 86_400
END = BEGIN + YEARS_S
TABLES = ("ticket", "article", "article_data_mime", "ticket_watcher")

_BIG_PRIME = 2_147_483_647
_PRIMES = (1_000_003, 15_485_863, 32_452_843, 49_979_687, 67_867_967, 86_028_121, 104_395_301, 122_949_823, 141_650_939)
_THINGS = ("Printer", "Laptop", "Invoice", "VPN", "Mailbox", "Phone", "Scanner", "Password")
_TROUBLES = (
    "does not answer",
    "is broken",
    "is late",
    "was lost",
    "needs a change",
    "makes noise",
    "is slow",
    "expired",
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the databases spell differently."""

    numbers: str
    moment: str
    join: Callable[[Sequence[str]], str]
    rest: str
    least: str


def _piped(parts: Sequence[str]) -> str:
    return " || ".join(f"CAST({part} AS TEXT)" for part in parts)


_WORDS: Mapping[str, _Words] = {
    "sqlite": _Words(
        "(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s) AS numbers",
        "datetime({0}, 'unixepoch')",
        _piped,
        "(({0}) % {1})",
        "min({0}, {1})",
    ),
    "mysql": _Words(
        "(SELECT seq AS n FROM seq_{first}_to_{last}) AS numbers",
        "TIMESTAMPADD(SECOND, {0} - " + str(BEGIN) + ", '2023-01-01')",
        lambda parts: f"CONCAT({', '.join(parts)})",
        "MOD({0}, {1})",
        "LEAST({0}, {1})",
    ),
    "postgresql": _Words(
        "(SELECT generate_series(CAST({first} AS bigint), {last}) AS n) AS numbers",
        "(to_timestamp({0}) AT TIME ZONE 'UTC')",
        _piped,
        "MOD({0}, {1})",
        "LEAST({0}, {1})",
    ),
}

# What the servers do by themselves some time after so many rows came.
_TIDY = {"mysql": "ANALYZE TABLE", "postgresql": "VACUUM ANALYZE"}


async def fill(database: Database, tickets: int) -> None:
    """Fill an installed database. Keys and indexes are made after the rows where that can be done."""
    dialect = database.dialect.name
    tables = layout_tables("znuny65", dialect).tables
    async with database.transaction(timeout_s=0) as transaction:
        await _people_and_queues(transaction, tables)
    async with database.transaction(timeout_s=0) as transaction:
        again = await _without_indexes(transaction) if dialect == "mysql" and tickets >= MANY else []
        async with bulk_writer(transaction, [tables[name] for name in TABLES], tickets):
            for first in range(1, tickets + 1, BATCH):
                last = min(first + BATCH - 1, tickets)
                for statement in _Rows(_WORDS[dialect], tickets).statements(first, last):
                    await transaction.execute(statement)
        for statement in again:
            await transaction.execute(statement)
        for name in TABLES[:3]:
            await continue_counting(transaction, tables[name])
    async with database.connection(timeout_s=0, writes=True) as connection:
        for name in TABLES if dialect in _TIDY else ():
            await Transaction(connection, database.dialect).execute(f"{_TIDY[dialect]} {name}")


async def _people_and_queues(transaction: Transaction, tables: Mapping[str, sa.Table]) -> None:
    dialect = transaction.dialect.name
    moment = wall_clock(datetime.fromtimestamp(BEGIN, UTC).replace(tzinfo=None), dialect, UTC)
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"id": number, "login": f"agent{number}", "pw": "!", "first_name": "Agent", "last_name": str(number)}
            for number in range(2, AGENTS + 1)
        ],
        "permission_groups": [{"id": FIRST_GROUP + number, "name": f"group {number}"} for number in range(GROUPS)],
        "queue": [
            {
                "id": FIRST_QUEUE + number,
                "name": f"Queue {number:03d}",
                "group_id": FIRST_GROUP + number % GROUPS,
                "system_address_id": 1,
                "salutation_id": 1,
                "signature_id": 1,
                "follow_up_id": 1,
                "follow_up_lock": 0,
            }
            for number in range(QUEUES)
        ],
        "group_user": [
            {"user_id": AGENT, "group_id": FIRST_GROUP + number, "permission_key": "rw"}
            for number in range(0, GROUPS, GROUPS // OWN_GROUPS)
        ],
        "customer_company": [
            {"customer_id": f"company{number}", "name": f"Company {number}"} for number in range(COMPANIES)
        ],
    }
    for name, values in rows.items():
        await transaction.execute(
            sa.insert(tables[name]).inline(), [complete_row(tables[name], row, moment) for row in values]
        )
        await continue_counting(transaction, tables[name])


async def _without_indexes(transaction: Transaction) -> list[str]:
    """Drop MariaDB's indexes, which are made again in one go: row by row they take many times longer."""
    await transaction.execute("SET SESSION foreign_key_checks = 0")
    again = []
    for table in TABLES:
        found = await transaction.execute(
            "SELECT index_name, GROUP_CONCAT(CONCAT(column_name, COALESCE(CONCAT('(', sub_part, ')'), '')) "  # noqa: S608 - names of ours
            "ORDER BY seq_in_index) FROM information_schema.statistics WHERE table_schema = DATABASE() "
            f"AND table_name = '{table}' AND non_unique GROUP BY index_name"
        )
        await transaction.execute(f"ALTER TABLE {table} {', '.join(f'DROP INDEX {name}' for name, _ in found)}")
        added = ", ".join(f"ADD INDEX {name} ({columns})" for name, columns in found)
        again += ["SET SESSION foreign_key_checks = 0", f"ALTER TABLE {table} {added}"]
    return [*again, "SET SESSION foreign_key_checks = 1"]


class _Rows:
    """Writes the statements that make rows out of numbers."""

    def __init__(self, words: _Words, tickets: int) -> None:
        self._words = words
        self._tickets = tickets

    def statements(self, first: int, last: int) -> list[str]:
        """Make the statements for the tickets with these numbers."""
        numbers = self._words.numbers.format(first=first, last=last)
        made = [self._insert("ticket", self._ticket(), numbers)]
        made += [
            self._insert(table, columns(place), numbers)
            for place in range(ARTICLES)
            for table, columns in (("article", self._article), ("article_data_mime", self._mime))
        ]
        watched = self._words.numbers.format(first=max(1, first // 50), last=max(1, last // 50))
        return [*made, self._insert("ticket_watcher", self._watcher(), watched)]

    def _insert(self, table: str, columns: Mapping[str, str], numbers: str) -> str:
        return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {numbers}"  # noqa: S608 - words of ours

    def _any(self, salt: int, limit: int) -> str:
        """Return a number below the limit that looks like chance."""
        mixed = self._words.rest.format(f"n * {_PRIMES[salt]} + {salt * 7919}", _BIG_PRIME)
        return self._words.rest.format(mixed, limit)

    def _one_of(self, salt: int, texts: Sequence[str]) -> str:
        cases = " ".join(f"WHEN {place} THEN '{text}'" for place, text in enumerate(texts))
        return f"CASE {self._any(salt, len(texts))} {cases} END"

    def _ticket(self) -> dict[str, str]:
        rest = self._words.rest.format
        created = f"({BEGIN} + n * {YEARS_S // self._tickets})"
        new = f"n > {self._tickets * 97 // 100}"
        is_open = f"({self._any(0, 1000)} < CASE WHEN {new} THEN 800 ELSE 6 END)"
        share = self._any(1, 100)
        open_state = f"CASE WHEN {share} < 20 THEN 1 WHEN {share} < 68 THEN 4 WHEN {share} < 86 THEN 6 ELSE 7 END"
        ended = f"CASE WHEN {share} < 82 THEN 2 WHEN {share} < 95 THEN 3 WHEN {share} < 97 THEN 5 ELSE 9 END"
        pending = f"({is_open} AND {share} >= 68)"
        due = f"CASE WHEN {is_open} AND {self._any(2, 2)} = 0 THEN {END} + {self._any(3, 864_000)} ELSE 0 END"
        queue = self._words.least.format(self._any(4, QUEUES), self._any(5, QUEUES))
        return {
            "id": f"n + {FIRST_TICKET}",
            "tn": self._words.join(["2023010110", f"n + {FIRST_TICKET}"]),
            "title": self._words.join(
                [self._one_of(6, _THINGS), "' '", self._one_of(7, _TROUBLES), "' '", self._any(8, 10_000)]
            ),
            "queue_id": f"{FIRST_QUEUE} + {queue}",
            "ticket_lock_id": f"1 + {self._any(2, 2)}",
            "type_id": "1",
            "user_id": f"1 + {self._any(3, AGENTS)}",
            "responsible_user_id": f"1 + {self._any(6, AGENTS)}",
            "ticket_priority_id": f"1 + {self._any(7, 5)}",
            "ticket_state_id": f"CASE WHEN {is_open} THEN {open_state} ELSE {ended} END",
            "customer_id": self._words.join(["'company'", self._any(8, COMPANIES)]),
            "customer_user_id": self._words.join(["'customer'", self._any(0, COMPANIES * 10)]),
            "timeout": "0",
            "until_time": f"CASE WHEN {pending} THEN {END} + {self._any(5, 864_000)} ELSE 0 END",
            "escalation_time": due,
            "escalation_update_time": due,
            "escalation_response_time": "0",
            "escalation_solution_time": due,
            "archive_flag": f"CASE WHEN n < {self._tickets // 2} THEN {rest('n', 2)} ELSE 0 END",
            **self._audit(created, f"{created} + {self._any(1, 2_592_000)}"),
        }

    def _article(self, place: int) -> dict[str, str]:
        created = f"({BEGIN} + n * {YEARS_S // self._tickets} + {place * 3_600})"
        return {
            "id": f"n * {ARTICLES} + {place} + {FIRST_TICKET}",
            "ticket_id": f"n + {FIRST_TICKET}",
            "article_sender_type_id": "1" if place else "3",
            "communication_channel_id": "1",
            "is_visible_for_customer": "1",
            "search_index_needs_rebuild": "0",
            **self._audit(created, created),
        }

    def _mime(self, place: int) -> dict[str, str]:
        created = f"({BEGIN} + n * {YEARS_S // self._tickets} + {place * 3_600})"
        subject = [self._one_of(6, _THINGS), "' '", self._one_of(7, _TROUBLES)]
        words = [part for salt in range(1, 7) for part in (self._one_of(salt, (_THINGS, _TROUBLES)[salt % 2]), "' '")]
        return {
            "id": f"n * {ARTICLES} + {place} + {FIRST_TICKET}",
            "article_id": f"n * {ARTICLES} + {place} + {FIRST_TICKET}",
            "a_from": self._words.join(["'customer'", self._any(0, COMPANIES * 10), "'@example.org'"]),
            "a_to": "'desk@example.org'",
            "a_subject": self._words.join(subject),
            "a_content_type": "'text/plain; charset=utf-8'",
            "a_body": self._words.join([*words, self._any(place, 1_000_000)]),
            "incoming_time": created,
            **self._audit(created, created),
        }

    def _watcher(self) -> dict[str, str]:
        moment = str(BEGIN)
        return {
            "ticket_id": f"{FIRST_TICKET} + n * 50 - {self._any(1, 49)}",
            "user_id": f"1 + {self._any(3, AGENTS)}",
            **self._audit(moment, moment),
        }

    def _audit(self, created: str, changed: str) -> dict[str, str]:
        return {
            "create_time": self._words.moment.format(created),
            "create_by": "1",
            "change_time": self._words.moment.format(changed),
            "change_by": "1",
        }
