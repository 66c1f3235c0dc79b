"""A database is made ready once, whatever it holds and however often somebody tries."""

import asyncio
import random
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage.engine import Database
from storage.errors import InstallRefused
from storage.install import Outcome, install
from storage.otrs import layout_tables
from storage.own_tables import TABLES
from storage.transaction import Statement, Transaction
from tests.counts import count
from tests.databases import LAYOUTS, foreign_url, fresh_url, opened

ROOT = Path(__file__).parents[2]
COMMAND = """
import asyncio, sys
from storage.engine import Database
from storage.install import install

async def main():
    database = Database(sys.argv[1])
    print((await install(database)).outcome)
    await database.close()

asyncio.run(main())
"""
# Every column, key and index; our own tables left out.
_SCHEMA = {
    "sqlite": (
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%lambdesk%' AND name <> 'sqlite_sequence' ORDER BY 1",
    ),
    "mysql": (
        (
            "SELECT table_name, column_name, column_type, is_nullable, column_default, extra FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name NOT LIKE 'lambdesk%' ORDER BY 1, 2"
        ),
        (
            "SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics"
            " WHERE table_schema = DATABASE() AND table_name NOT LIKE 'lambdesk%' ORDER BY 1, 2, 3"
        ),
        (
            "SELECT table_name, constraint_name, referenced_table_name FROM information_schema.referential_constraints"
            " WHERE constraint_schema = DATABASE() ORDER BY 1, 2"
        ),
    ),
    "postgresql": (
        (
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r'"
            " AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'lambdesk%' AND a.attnum > 0 ORDER BY 1, 2"
        ),
        (
            "SELECT tablename::text, indexname::text, indexdef FROM pg_indexes"
            " WHERE schemaname = 'public' AND tablename NOT LIKE 'lambdesk%' ORDER BY 1, 2"
        ),
        (
            "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'lambdesk%' ORDER BY 1, 2"
        ),
    ),
}
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    "postgresql": "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
}


async def schema_text(database: Database) -> str:
    """Everything that is defined in the database, but for our own tables."""
    parts = [await database.fetch(sa.text(question)) for question in _SCHEMA[database.dialect.name]]
    return "\n".join(repr(row) for part in parts for row in part)


async def counted(database: Database, table: str) -> int:
    rows = await database.fetch(sa.select(sa.func.count()).select_from(sa.table(table)))
    return int(rows[0][0])


async def counts(database: Database) -> dict[str, int]:
    """How many rows the seeded tables have: the figures of a new installation."""
    return {name: await counted(database, name) for name in SEEDED}


SEEDED = {
    "valid": 3,
    "users": 1,
    "permission_groups": 3,
    "group_user": 3,
    "ticket_state_type": 7,
    "ticket_state": 9,
    "ticket_priority": 5,
    "ticket_type": 1,
    "ticket_lock_type": 3,
    "article_sender_type": 3,
    "communication_channel": 4,
    "queue": 4,
    "follow_up_possible": 3,
    "system_address": 1,
    "standard_template": 2,
    "auto_response_type": 5,
    "auto_response": 4,
    "queue_auto_response": 0,
    "ticket_history_type": 52,
    "link_type": 2,
    "link_object": 0,
    "dynamic_field": 5,
    "notification_event": 16,
    "ticket": 1,
    "article": 1,
}


async def test_an_empty_database_gets_the_layout_and_its_first_rows(empty_url: str) -> None:
    async with opened(empty_url) as database:
        installed = await install(database)
        assert (installed.outcome, installed.layout, installed.group_table) == ("created", "znuny", "permission_groups")
        assert await counts(database) == SEEDED
        wanted = set(layout_tables("znuny65", database.dialect.name).tables)
        found = {str(row[0]) for row in await database.fetch(_TABLES[database.dialect.name])}
        assert len(wanted) == 122
        assert {name for name in found if not name.startswith(("lambdesk_", "sqlite_"))} == wanted


async def test_a_second_run_changes_nothing(database: Database) -> None:
    before = await schema_text(database), await counts(database)
    assert (await install(database)).outcome is Outcome.PRESENT
    assert (await schema_text(database), await counts(database)) == before


async def test_new_rows_are_counted_on_above_the_first_ones(database: Database) -> None:
    """The first rows bring their ids; the next one must not collide with them."""
    states = layout_tables("znuny65", database.dialect.name).tables["ticket_state"]
    moment: Any = datetime(2026, 1, 15, 10, 0, tzinfo=UTC).replace(tzinfo=None)
    if database.dialect.name == "sqlite":
        moment = "2026-01-15 10:00:00"
    row = {"name": "waiting", "type_id": 2, "valid_id": 1}
    audit = {"create_time": moment, "create_by": 1, "change_time": moment, "change_by": 1}
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(states).inline(), {**row, **audit})
    rows = await database.fetch(sa.select(sa.column("id")).select_from(states).where(sa.column("name") == "waiting"))
    assert rows == [(10,)]


class Killed(Exception):
    """The end of a process in the middle of an installation."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Stop the installation instead of its so-and-so-many-th statement."""
    left = number
    execute = Transaction.execute

    async def counting(self: Transaction, statement: Statement, parameters: Any = None) -> list[tuple[Any, ...]]:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return await execute(self, statement, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "execute", counting)
        yield


async def test_an_installation_that_was_killed_is_finished_by_the_next(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_url(dialect) as url:
        async with opened(url) as database:
            whole = await schema_text(database)
    numbers = random.Random(7)
    # All but MariaDB start again from nothing; there every statement is a place of its own to stop at.
    for _ in range(count(2 if dialect == "mysql" else 1, 40)):
        with fresh_url(dialect, installed=False) as url:
            async with opened(url) as database:
                with killed_at(monkeypatch, numbers.randint(2, 150)), pytest.raises(Killed):
                    await install(database)
            async with opened(url) as database:
                assert (await install(database)).outcome in {Outcome.CREATED, Outcome.RESUMED}
                assert await counts(database) == SEEDED
                assert await schema_text(database) == whole


async def test_two_processes_that_start_at_once_do_not_clash(empty_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMAND, empty_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    answers = [await process.communicate() for process in processes]
    assert sorted(out.decode().strip() for out, _ in answers) == ["created", "present"]
    async with opened(empty_url) as database:
        assert await counts(database) == SEEDED


async def test_a_new_file_that_another_process_is_writing_to_is_waited_for(tmp_path: Path) -> None:
    # Not in WAL yet, and locked for writing: SQLite refuses the change of its journal without waiting.
    path = tmp_path / "desk.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE theirs (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.2, other.execute, "COMMIT")
    async with opened(f"sqlite:///{path}") as database:
        assert await database.fetch("PRAGMA journal_mode") == [("wal",)]
    other.close()


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_database_of_otrs_is_found_and_never_altered(dialect: str, layout: str) -> None:
    with foreign_url(dialect, layout, tickets=20) as url:
        async with opened(url) as database:
            before = await schema_text(database)
            assert await counted(database, "ticket") == 21
            first, second = await install(database), await install(database)
            assert (first.outcome, second.outcome) == (Outcome.ADOPTED, Outcome.PRESENT)
            assert first.group_table == {"otrs6": "groups", "znuny65": "permission_groups"}[layout]
            assert first.layout == second.layout == {"otrs6": "otrs", "znuny65": "znuny"}[layout]
            assert await schema_text(database) == before
            assert await counted(database, "ticket") == 21


async def test_tables_of_somebody_else_stay_beside_ours(empty_url: str) -> None:
    async with opened(empty_url) as database:
        async with database.transaction() as transaction:
            await transaction.execute("CREATE TABLE shop_order (id INTEGER)")
            await transaction.execute("INSERT INTO shop_order VALUES (7)")
        assert (await install(database)).outcome is Outcome.CREATED
        assert await database.fetch("SELECT id FROM shop_order") == [(7,)]


async def test_a_table_of_somebody_else_with_a_name_of_ours_is_refused_and_kept(empty_url: str) -> None:
    async with opened(empty_url) as database:
        async with database.transaction() as transaction:
            await transaction.execute("CREATE TABLE queue (job INTEGER)")
        before = await schema_text(database)
        with pytest.raises(InstallRefused) as refused:
            await install(database)
        assert str(refused.value) == (
            "The database holds tables that are no OTRS layout but have names of it: queue. "
            "Give Lambdesk an empty database, or a complete OTRS 6 or Znuny database."
        )
        assert await schema_text(database) == before


DYING = """
import os, signal
from storage.transaction import Transaction

left, execute = int(sys.argv[2]), Transaction.execute

async def dying(self, *arguments):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return await execute(self, *arguments)

Transaction.execute = dying
"""


async def test_a_process_that_was_killed_leaves_no_lock_and_nothing_that_is_in_the_way(empty_url: str) -> None:
    """SIGKILL: nothing is released, rolled back or closed but by the database itself."""
    text = COMMAND.replace("import asyncio, sys", f"import asyncio, sys{DYING}")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", text, empty_url, "90", cwd=ROOT)
    assert await process.wait() == -signal.SIGKILL
    async with opened(empty_url) as database:
        outcome = (await install(database)).outcome
        assert outcome is (Outcome.RESUMED if database.dialect.name == "mysql" else Outcome.CREATED)
        assert await counts(database) == SEEDED


async def test_a_database_of_an_earlier_version_gets_the_tables_that_are_new(database: Database) -> None:
    kept = {"lambdesk_meta", "lambdesk_change"}
    gone = sorted(table.name for table in TABLES if table.name not in kept)
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO lambdesk_meta (name, value) VALUES ('mine', 'stays')")
        for name in gone:
            await transaction.execute(f"DROP TABLE {name}")
    before = await schema_text(database), await counts(database)
    assert (await install(database)).outcome is Outcome.PRESENT
    found = {str(row[0]) for row in await database.fetch(_TABLES[database.dialect.name])}
    assert found >= {table.name for table in TABLES}
    assert (await schema_text(database), await counts(database)) == before
    assert ("stays",) in await database.fetch("SELECT value FROM lambdesk_meta")
