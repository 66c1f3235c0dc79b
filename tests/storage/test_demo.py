"""The demo is a desk that could be real, the same one every time, and never lands in a database in use."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from storage.demo import fill
from storage.demo_plan import checksum_number, plan_tickets
from storage.engine import Database
from storage.errors import StorageError
from storage.install import install
from storage.otrs import layout_tables
from tests.databases import DIALECTS, foreign_url, fresh_url

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
TICKETS = 2_000


@pytest.fixture(scope="module", params=DIALECTS)
def filled_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One database with the whole demo for all tests that only read it."""
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def demo(filled_url: str) -> AsyncIterator[Database]:
    database = Database(filled_url)
    await fill(database, tickets=TICKETS, now=NOW)  # the first test fills it, the others find it filled
    yield database
    await database.close()


async def ask(database: Database, question: str) -> list[tuple[Any, ...]]:
    return await database.fetch(sa.text(question))


async def number(database: Database, question: str) -> int:
    return int((await ask(database, question))[0][0])


FIGURES = {
    "SELECT count(*) FROM ticket": 2_001,  # with the welcome
    "SELECT count(*) FROM article": 6_001,
    "SELECT count(*) FROM article_data_mime": 6_001,
    "SELECT count(*) FROM queue": 20,
    "SELECT count(*) FROM users": 13,  # with root@localhost
    "SELECT count(*) FROM customer_user": 60,
    "SELECT count(*) FROM customer_company": 15,
    "SELECT count(DISTINCT ticket_state_id) FROM ticket": 9,
    "SELECT count(DISTINCT ticket_priority_id) FROM ticket": 5,
    "SELECT count(DISTINCT customer_user_id) FROM ticket WHERE id > 1": 60,
}


async def test_it_has_the_figures_that_are_promised(demo: Database) -> None:
    assert {question: await number(demo, question) for question in FIGURES} == FIGURES


# What would be wrong in a real desk; none of it may be found.
FAULTS = {
    "a ticket from before the year": "SELECT count(*) FROM ticket WHERE id > 1 AND create_time < '2025-06-01 00:00:00'",
    "a ticket of tomorrow": "SELECT count(*) FROM ticket WHERE id > 1 AND change_time > '2026-06-01 12:00:00'",
    "an article of tomorrow": "SELECT count(*) FROM article WHERE id > 1 AND create_time > '2026-06-01 12:00:00'",
    "an article before its ticket": "SELECT count(*) FROM article a JOIN ticket t ON t.id = a.ticket_id"
    " WHERE a.create_time < t.create_time",
    "a ticket that changed before it came": "SELECT count(*) FROM ticket WHERE change_time < create_time",
    "a waiting ticket that waits for nothing": "SELECT count(*) FROM ticket WHERE (until_time > 0)"
    " <> (ticket_state_id IN (6, 7, 8))",
    "a closed ticket that escalates": "SELECT count(*) FROM ticket WHERE escalation_time > 0"
    " AND ticket_state_id IN (2, 3, 5, 9)",
    "an escalation that is not the earliest": "SELECT count(*) FROM ticket WHERE"
    " (escalation_solution_time > 0 AND escalation_time > escalation_solution_time)"
    " OR (escalation_update_time > 0 AND escalation_time > escalation_update_time)"
    " OR (escalation_response_time > 0 AND escalation_time > escalation_response_time)"
    " OR (escalation_time = 0 AND escalation_solution_time + escalation_update_time + escalation_response_time > 0)",
    "a closed ticket in the index of open ones": "SELECT count(*) FROM ticket_index i JOIN ticket t ON t.id ="
    " i.ticket_id WHERE t.ticket_state_id IN (2, 3, 5, 9)",
    "an open ticket that is not in the index": "SELECT count(*) FROM ticket t WHERE t.ticket_state_id NOT IN (2, 3, 5, 9)"
    " AND NOT EXISTS (SELECT 1 FROM ticket_index i WHERE i.ticket_id = t.id)",
    "a locked ticket that is not in the index of locks": "SELECT count(*) FROM ticket t WHERE (t.ticket_lock_id <> 1)"
    " <> (EXISTS (SELECT 1 FROM ticket_lock_index i WHERE i.ticket_id = t.id))",
    "a ticket without an article": "SELECT count(*) FROM ticket t WHERE NOT EXISTS"
    " (SELECT 1 FROM article a WHERE a.ticket_id = t.id)",
    "a ticket without a history": "SELECT count(*) FROM ticket t WHERE NOT EXISTS"
    " (SELECT 1 FROM ticket_history h WHERE h.ticket_id = t.id AND h.history_type_id = 1)",
    "a new ticket that was answered": "SELECT count(*) FROM ticket t JOIN article a ON a.ticket_id = t.id"
    " WHERE t.ticket_state_id = 1 AND a.article_sender_type_id = 1",
    "a ticket of a customer of another company": "SELECT count(*) FROM ticket t JOIN customer_user c"
    " ON c.login = t.customer_user_id WHERE c.customer_id <> t.customer_id",
    "a ticket of nobody": "SELECT count(*) FROM ticket t WHERE t.id > 1 AND NOT EXISTS"
    " (SELECT 1 FROM customer_user c WHERE c.login = t.customer_user_id)",
    "a history that is not in OTRS's form": "SELECT count(*) FROM ticket_history WHERE id > 1"
    " AND name NOT LIKE '!%!%%' ESCAPE '!'",
    "an unfilled word": "SELECT count(*) FROM article_data_mime WHERE a_body LIKE '%{%' OR a_subject LIKE '%{%'",
    "a link from nowhere": "SELECT count(*) FROM link_relation l WHERE NOT EXISTS"
    " (SELECT 1 FROM ticket t WHERE t.id = l.source_key)",
    "a link to nowhere": "SELECT count(*) FROM link_relation l WHERE NOT EXISTS"
    " (SELECT 1 FROM ticket t WHERE t.id = l.target_key AND l.target_key <> l.source_key)",
    "a merged ticket without its parent": "SELECT count(*) FROM ticket t WHERE t.ticket_state_id = 9 AND NOT EXISTS"
    " (SELECT 1 FROM ticket_history h WHERE h.ticket_id = t.id AND h.name LIKE '!%!%' || t.tn || '!%!%%' ESCAPE '!')",
    "a value of a field that is none": "SELECT count(*) FROM dynamic_field_value v WHERE v.value_text IS NULL"
    " AND v.value_date IS NULL AND v.value_int IS NULL",
    "an agent whom no group lets in": "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM group_user g"
    " WHERE g.user_id = u.id) AND NOT EXISTS (SELECT 1 FROM role_user r WHERE r.user_id = u.id)",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_is_in_it_that_could_not_be(demo: Database, fault: str) -> None:
    question = FAULTS[fault]
    if demo.dialect.name == "mysql":  # where || is an or
        question = question.replace("'!%!%' || t.tn || '!%!%%'", "CONCAT('!%!%', t.tn, '!%!%%')")
    if demo.dialect.name == "postgresql":  # where a number is no text
        question = question.replace("t.id = l.", "CAST(t.id AS text) = l.")
    assert await number(demo, question) == 0


async def test_what_hangs_on_tickets_is_there(demo: Database) -> None:
    """Watchers, times, links, flags, fields of every kind, services and agreements: each is used by some tickets."""
    used = ("ticket_watcher", "time_accounting", "link_relation", "ticket_flag", "dynamic_field_value", "service_sla")
    questions = {table: sa.select(sa.func.count()).select_from(sa.table(table)) for table in used}
    assert [table for table, question in questions.items() if (await demo.fetch(question))[0][0] < 20] == []
    fields = await ask(demo, "SELECT DISTINCT f.field_type FROM dynamic_field f JOIN dynamic_field_value v"
                             " ON v.field_id = f.id ORDER BY 1")  # fmt: skip
    assert [kind for (kind,) in fields] == ["Checkbox", "Date", "Dropdown", "Multiselect", "Text"]
    assert await number(demo, "SELECT count(*) FROM ticket WHERE service_id > 0 AND sla_id > 0") > 1_000
    assert await number(demo, "SELECT count(*) FROM calendar_appointment") == 15


async def test_every_reference_leads_somewhere(demo: Database) -> None:
    """The bulk path looks no keys up on MariaDB, so this does it: every foreign key of every table of the demo."""
    tables = layout_tables("znuny65", demo.dialect.name).tables
    lost = []
    for table in tables.values():
        for key in table.foreign_keys:
            target = tables[key.column.table.name].alias()
            own = table.c[key.parent.name]
            found = sa.exists(sa.select(1).select_from(target).where(target.c[key.column.name] == own))
            rows = await demo.fetch(
                sa.select(sa.literal(1)).select_from(table).where(own.is_not(None), ~found).limit(1)
            )
            lost += [f"{table.name}.{key.parent.name}"] if rows else []
    assert lost == []


async def test_keys_and_indexes_are_as_before(demo: Database, filled_url: str) -> None:
    """They are taken off while a big demo is written."""
    question = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1",
        "mysql": "SELECT table_name, index_name, column_name FROM information_schema.statistics"
        " WHERE table_schema = DATABASE() ORDER BY 1, 2, 3",
        "postgresql": "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
        " SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace ="
        " 'public'::regnamespace ORDER BY 1, 2",
    }[demo.dialect.name]
    with fresh_url(demo.dialect.name) as url:
        database = Database(url)
        untouched = await ask(database, question)
        await database.close()
    assert len(untouched) > 100
    assert await ask(demo, question) == untouched


async def test_a_second_time_it_changes_nothing(demo: Database) -> None:
    assert await fill(demo, tickets=50, now=NOW) is False
    assert await number(demo, "SELECT count(*) FROM ticket") == 2_001


async def test_new_rows_are_counted_on_above_it(demo: Database) -> None:
    async with demo.transaction() as transaction:
        await transaction.execute(sa.text("INSERT INTO link_object (name) VALUES ('FAQ')"))
        found = await transaction.execute("SELECT id FROM link_object WHERE name = 'FAQ'")
        await transaction.execute("DELETE FROM link_object WHERE name = 'FAQ'")
    assert found[0][0] > 1


async def contents(dialect: str) -> list[list[tuple[Any, ...]]]:
    with fresh_url(dialect) as url:
        database = Database(url)
        told: list[tuple[int, int]] = []
        assert (
            await fill(database, tickets=60, now=NOW, progress=lambda done, total: told.append((done, total))) is True
        )
        assert told == [(60, 60)]
        tables = layout_tables("znuny65", dialect).tables
        demo_tables = ("ticket", "article", "article_data_mime", "ticket_history", "users", "customer_user", "queue")
        rows = []
        for name in demo_tables:
            columns: list[sa.ColumnClause[Any]] = [sa.column(column.name) for column in tables[name].c]
            question = (
                sa.select(*columns).select_from(sa.table(name)).where(sa.column("id") > 13).order_by(sa.column("id"))
            )
            rows.append(await database.fetch(question))
        await database.close()
    return rows


async def test_it_is_the_same_for_the_same_moment() -> None:
    first, second = await contents("sqlite"), await contents("sqlite")
    assert first == second
    assert len(first[0]) == 60 - 12


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_it_is_the_same_on_every_database(dialect: str) -> None:
    def plain(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [tuple(str(v) if isinstance(v, datetime) else v for v in row) for row in rows]

    here, sqlite = await contents(dialect), await contents("sqlite")
    assert [plain(rows) for rows in here] == [plain(rows) for rows in sqlite]


async def test_a_database_that_somebody_uses_is_left_alone(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO users (login, pw, first_name, last_name, valid_id, create_time, create_by,"
                                  " change_time, change_by) SELECT 'ann', pw, 'Ann', 'Lee', 1, create_time, 1,"
                                  " change_time, 1 FROM users WHERE id = 1")  # fmt: skip
    assert await fill(database, tickets=50, now=NOW) is False
    assert await number(database, "SELECT count(*) FROM ticket") == 1


async def test_a_database_of_otrs_is_left_alone() -> None:
    with foreign_url("sqlite", "otrs6") as url:
        database = Database(url)
        await install(database)
        assert await fill(database, tickets=50, now=NOW) is False
        assert await number(database, "SELECT count(*) FROM ticket") == 1
        await database.close()


async def test_it_is_there_as_a_whole_or_not_at_all(database: Database) -> None:
    def stop(done: int, total: int) -> None:
        raise StorageError

    with pytest.raises(StorageError):
        await fill(database, tickets=50, now=NOW, progress=stop)
    assert await number(database, "SELECT count(*) FROM ticket") == 1
    assert await number(database, "SELECT count(*) FROM queue") == 4
    assert await fill(database, tickets=50, now=NOW) is True


@pytest.mark.parametrize(
    ("day", "counter", "expected"),
    [
        ("20260115", 42, "2026011510000421"),
        ("20260115", 1, "2026011510000019"),
        ("20260728", 99_999, "2026072810999998"),
        ("20020701", 10_152, "2002070110101523"),
    ],
)
def test_ticket_numbers_carry_otrs_s_check_digit(day: str, counter: int, expected: str) -> None:
    assert checksum_number(day, counter) == expected


def test_a_large_demo_has_three_per_cent_open_and_three_articles_a_ticket() -> None:
    plan = plan_tickets(100_000, Random(1))
    opened = sum(state in {1, 4, 6, 7, 8} for state in plan.states)
    assert 2_800 < opened < 3_200
    assert sum(plan.lengths) == 300_000
