"""What the shipped lists need beside OTRS's indexes is made on our own installations, and only said of adopted ones."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from storage.bulk import BIG
from storage.columns import NAME_LIMIT
from storage.demo import fill
from storage.engine import Database
from storage.indexes import NOTED, count_again, digest, find_missing, make_missing
from storage.install import install
from storage.otrs import read_layout
from storage.own_tables import META
from storage.reflect_statements import INDEXES
from storage.transaction import Transaction
from storage.wanted_indexes import EVERYWHERE, WANTED, WantedIndex
from tests.databases import LAYOUTS, foreign_url, fresh_url, opened

TICKETS = WantedIndex("test", "ticket", ("archive_flag", "create_time"), "for the test", key="id")
_DROP = {"mysql": "ALTER TABLE ticket DROP INDEX {0}"}


@pytest.fixture(params=LAYOUTS)
def adopted_url(dialect: str, request: pytest.FixtureRequest) -> Iterator[str]:
    with foreign_url(dialect, request.param) as url:
        yield url


async def run(database: Database, *statements: str) -> None:
    """Run what an administrator would: statement by statement, in no transaction."""
    async with database.connection(timeout_s=0, writes=True) as connection:
        for statement in statements:
            await Transaction(connection, database.dialect).execute(statement)


async def drop(database: Database, name: str) -> None:
    await run(database, _DROP.get(database.dialect.name, "DROP INDEX {0}").format(name))


async def index_names(database: Database) -> set[tuple[Any, ...]]:
    rows = await database.fetch(INDEXES[database.dialect.name].format(only=""))
    return {row[:2] for row in rows if not row[0].startswith("lambdesk_")}


async def names(database: Database, wanted: tuple[WantedIndex, ...] = WANTED) -> list[str]:
    return [missing.wanted.name for missing in await find_missing(database, wanted)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_wanted_is_of_columns_that_both_layouts_have(layout: str) -> None:
    tables = read_layout(layout)
    for index in WANTED:
        assert {*index.columns, index.key or index.columns[0]} <= {
            column.name for column in tables[index.table].columns
        }
        assert len(index.name) <= NAME_LIMIT
        assert index.databases <= EVERYWHERE
    made = [(index.name, database) for index in WANTED for database in index.databases]
    assert len(set(made)) == len(made)


async def test_an_installation_of_our_own_has_every_wanted_index(database: Database) -> None:
    assert await names(database) == []
    made = {name for _, name in await index_names(database)}
    assert {"lambdesk_ix_open_tickets", "lambdesk_ix_ticket_changed"} <= made


async def test_an_adopted_database_keeps_the_indexes_that_it_has(adopted_url: str) -> None:
    async with opened(adopted_url) as database:
        before = await index_names(database)
        await install(database)
        await install(database)
        assert await index_names(database) == before
        assert "lambdesk_ix_open_tickets" in await names(database)


async def test_the_statements_make_what_is_missing(adopted_url: str) -> None:
    async with opened(adopted_url) as database:
        for missing in await find_missing(database):
            await run(database, *missing.statements)
        assert await names(database) == []


async def test_an_index_that_an_older_version_did_not_make_comes_with_the_next_start(database: Database) -> None:
    await drop(database, "lambdesk_ix_ticket_changed")
    async with database.transaction() as transaction:
        await transaction.execute(sa.update(META).where(META.c.name == NOTED).values(value="of an older version"))
    await install(database)
    assert await names(database) == []
    assert (NOTED, digest()) in await database.fetch(sa.select(META.c.name, META.c.value))


async def test_what_somebody_drops_stays_away_until_other_indexes_are_wanted(database: Database) -> None:
    await drop(database, "lambdesk_ix_ticket_changed")
    await install(database)
    assert await names(database) == ["lambdesk_ix_ticket_changed"]


async def test_an_index_of_another_name_with_more_columns_behind_is_as_good(database: Database) -> None:
    assert await names(database, (TICKETS,)) == [TICKETS.name]
    await run(database, "CREATE INDEX of_the_site ON ticket (archive_flag, create_time, id, title)")
    assert await names(database, (TICKETS,)) == []


async def test_an_index_with_other_columns_in_front_is_not(database: Database) -> None:
    await run(database, "CREATE INDEX of_the_site ON ticket (create_time, archive_flag, id)")
    assert await names(database, (TICKETS,)) == [TICKETS.name]


async def test_an_index_that_finds_only_some_rows_is_not(database: Database, dialect: str) -> None:
    part = {"mysql": "(title(10), id)"}.get(dialect, "(title, id) WHERE archive_flag = 0")
    wanted = WantedIndex("test", "ticket", ("title",), "for the test", key="id")
    await drop(database, "ticket_title")
    await run(database, f"CREATE INDEX of_the_site ON ticket {part}")
    assert await names(database, (wanted,)) == [wanted.name]


async def test_what_has_the_name_and_is_something_else_gives_way(database: Database) -> None:
    await run(database, f"CREATE INDEX {TICKETS.name} ON ticket (archive_flag)")
    before = await index_names(database)
    (missing,) = await find_missing(database, (TICKETS,))
    assert len(missing.statements) == {"mysql": 1, "sqlite": 2, "postgresql": 3}[database.dialect.name]
    await run(database, *missing.statements)
    assert await names(database, (TICKETS,)) == []
    assert await index_names(database) == before


@pytest.mark.parametrize("is_made", [False, True])
async def test_what_an_attempt_left_that_was_broken_off_gives_way(database: Database, is_made: bool) -> None:
    before = await index_names(database)
    await run(database, f"CREATE INDEX {TICKETS.name} ON ticket (archive_flag)")
    (missing,) = await find_missing(database, (TICKETS,))
    await run(database, *missing.statements[: len(missing.statements) // 2 + is_made])
    for missing in await find_missing(database, (TICKETS,)):
        await run(database, *missing.statements)
    assert await names(database, (TICKETS,)) == []
    assert {name for _, name in await index_names(database) - before} <= {TICKETS.name, f"{TICKETS.name}_older"}


async def test_the_key_itself_is_an_index(database: Database) -> None:
    assert await names(database, (WantedIndex("test", "ticket", ("id",), "for the test"),)) == []


async def test_a_table_or_column_that_is_not_there_needs_no_index(database: Database) -> None:
    strange = (
        WantedIndex("one", "no_such_table", ("id",), "for the test"),
        WantedIndex("two", "ticket", ("no_such_column",), "for the test"),
    )
    assert await names(database, strange) == []


async def test_two_who_start_at_once_make_every_index_once(database: Database, installed_url: str) -> None:
    await drop(database, "lambdesk_ix_ticket_changed")
    async with opened(installed_url) as other:
        await asyncio.gather(make_missing(database), make_missing(other))
    assert await names(database) == []


async def test_sqlite_counts_its_rows_again_when_tickets_have_doubled(database: Database, dialect: str) -> None:
    count = "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'ticket'"
    columns = [column.name for column in read_layout("znuny65")["ticket"].columns if column.name not in ("id", "tn")]
    copied = ", ".join(columns)
    numbers = "WITH RECURSIVE s(n) AS (SELECT {0} UNION ALL SELECT n + 1 FROM s WHERE n < {1})"
    insert = f"INSERT INTO ticket (id, tn, {copied}) {numbers} SELECT n, n, {copied} FROM s, ticket WHERE id = 1"  # noqa: S608 - our words
    assert not await count_again(database)
    if dialect != "sqlite":
        return
    await run(database, insert.format(2, 1_000))
    assert await count_again(database)
    assert await database.fetch(count) == [(1_000,)]
    await run(database, insert.format(1_001, 1_999))
    assert not await count_again(database)
    await run(database, insert.format(2_000, 2_000))
    assert await count_again(database)
    assert await database.fetch(count) == [(2_000,)]


def test_sqlite_plans_nothing_by_how_little_there_once_was_in_the_full_text_index() -> None:
    """What it counted while the index was empty made it read all of it for every part that is merged."""
    counted = "SELECT count(*) FROM sqlite_stat1 WHERE tbl LIKE 'lambdesk_text_words%'"
    with fresh_url("sqlite") as url:

        async def count_by_hand() -> None:
            async with opened(url) as database:
                await run(database, "ANALYZE")
                assert (await database.fetch(counted))[0][0]
                await count_again(database)
                assert await database.fetch(counted) == [(0,)]

        async def count_by_us() -> None:
            async with opened(url) as database:
                await fill(database, tickets=BIG)
                assert await database.fetch("SELECT stat FROM sqlite_stat1 WHERE tbl = 'ticket'")
                assert await database.fetch(counted) == [(0,)]

        asyncio.run(count_by_hand())
        asyncio.run(count_by_us())
