"""The database answers, or says in our own words why it does not; it never hangs and never keeps a broken connection."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomysql
import asyncpg
import pytest
import sqlalchemy as sa

from storage.engine import Database, check_parameters
from storage.errors import (
    BadDatabaseUrl,
    BadParameter,
    ConstraintViolated,
    PoolExhausted,
    StatementFailed,
    StatementTimeout,
    StorageError,
    Unavailable,
)
from storage.faults import translate
from storage.one_trip import OneTripConnection
from storage.transaction import Transaction
from storage.urls import parse_url
from storage.values import bind_int, bind_text
from tests.databases import DIALECTS, fresh_url
from tests.storage.proxy import Proxy

pytestmark = pytest.mark.timed

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "mysql": "SELECT SLEEP(20)",
    "postgresql": "SELECT pg_sleep(20)",
}


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One database for all tests here: each makes the tables that it needs."""
    with fresh_url(request.param, installed=False) as url:
        yield url


@pytest.fixture
async def quick(shared_url: str) -> AsyncIterator[Database]:
    """A database with one connection and little patience."""
    database = Database(shared_url, pool_size=1, statement_timeout_s=0.5, acquire_timeout_s=0.3)
    yield database
    await database.close()


async def recovers(database: Database) -> bool:
    return await database.fetch("SELECT 1") == [(1,)]


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "postgresql"])
async def test_a_closed_port_is_told_as_unavailable(scheme: str) -> None:
    database = Database(f"{scheme}://ann:secret@127.0.0.1:1/desk")
    with pytest.raises(Unavailable) as refused:
        await database.fetch("SELECT 1")
    assert str(refused.value) == "The database is not available (connection refused)."
    assert isinstance(refused.value, ConnectionError)
    await database.close()


@pytest.mark.parametrize("url", ["", "desk", "oracle://ann:secret@host/desk", "mysql://ann:secret@host", "sqlite://"])
def test_a_url_that_names_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(url)
    assert "secret" not in str(refused.value)
    assert "Write sqlite:///var/lambdesk.db" in str(refused.value)


def test_a_server_of_mysql_cannot_ask_for_our_files() -> None:
    target = parse_url("mysql://ann@host/desk", zone_name="UTC", statement_timeout_s=1, connect_timeout_s=1)
    assert target.arguments["local_infile"] is False


async def test_a_statement_that_takes_too_long_is_stopped(quick: Database) -> None:
    began = time.monotonic()
    with pytest.raises(StatementTimeout) as stopped:
        await quick.fetch(SLOW[quick.dialect.name])
    assert time.monotonic() - began < 10  # not the twenty seconds, nor for ever
    assert str(stopped.value) == "The database took too long to answer; the statement was stopped."
    assert await recovers(quick)


async def test_the_deadline_of_a_request_is_shorter_than_the_statement_s(shared_url: str) -> None:
    database = Database(shared_url, statement_timeout_s=60)
    with pytest.raises(StatementTimeout):
        await database.fetch(SLOW[database.dialect.name], deadline=time.monotonic() + 0.5)
    assert await recovers(database)
    await database.close()


async def test_a_cancelled_read_gives_its_connection_back(quick: Database) -> None:
    task = asyncio.create_task(quick.fetch(SLOW[quick.dialect.name]))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await recovers(quick)


async def test_a_busy_pool_is_told_apart_from_a_database_that_is_away(quick: Database) -> None:
    async with quick.connection():
        with pytest.raises(PoolExhausted) as busy:
            await quick.fetch("SELECT 1")
        await quick.ping()  # busy is alive
    assert str(busy.value) == "The database is not available (every connection is busy)."
    assert busy.value.retry_after == 1.0
    assert await recovers(quick)


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_it_serves_again_within_a_second_of_the_database_s_return(dialect: str) -> None:
    with fresh_url(dialect, installed=False) as url:
        proxy = Proxy(sa.make_url(url).port or {"mysql": 3306, "postgresql": 5432}[dialect])
        await proxy.mend()
        target = sa.make_url(url).set(host="127.0.0.1", port=proxy.port)
        database = Database(target.render_as_string(hide_password=False))
        assert await recovers(database)
        await proxy.cut()
        with pytest.raises(Unavailable):
            await database.fetch("SELECT 1")
        with pytest.raises(Unavailable):
            await database.ping()
        await proxy.mend()
        returned = time.monotonic()
        assert await recovers(database)  # the first question already
        assert time.monotonic() - returned < 1
        await proxy.cut()
        await proxy.mend()
        assert await recovers(database)  # a connection that broke while nobody used it is not noticed at all
        await database.close()
        await proxy.cut()


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_nobody_waits_long_behind_a_route_that_swallows_everything(dialect: str) -> None:
    """Nothing refuses and nothing answers: only our own clock ends the waiting, in reads and in transactions."""
    with fresh_url(dialect, installed=False) as url:
        proxy = Proxy(sa.make_url(url).port or {"mysql": 3306, "postgresql": 5432}[dialect])
        await proxy.mend()
        target = sa.make_url(url).set(host="127.0.0.1", port=proxy.port)
        database = Database(
            target.render_as_string(hide_password=False),
            statement_timeout_s=0.5,
            acquire_timeout_s=0.3,
            connect_timeout_s=0.5,
        )

        async def write() -> None:
            async with database.transaction() as transaction:
                proxy.swallow()
                await transaction.execute("SELECT 1")

        assert await recovers(database)
        started = time.monotonic()
        with pytest.raises(StatementTimeout):
            await write()
        with pytest.raises(Unavailable, match="no answer"):
            await database.fetch("SELECT 1")
        proxy.flow()
        assert await recovers(database)
        proxy.swallow()
        with pytest.raises(StatementTimeout):
            await database.fetch("SELECT 1")
        assert time.monotonic() - started < 6
        await proxy.cut()
        await database.close()


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_whoever_goes_on_with_a_lost_connection_is_told_again_and_the_next_gets_another(dialect: str) -> None:
    """As one does who releases a lock whatever has happened."""
    with fresh_url(dialect, installed=False) as url:
        proxy = Proxy(sa.make_url(url).port or {"mysql": 3306, "postgresql": 5432}[dialect])
        await proxy.mend()
        target = sa.make_url(url).set(host="127.0.0.1", port=proxy.port)
        database = Database(target.render_as_string(hide_password=False), pool_size=1)

        async def lock_and_release() -> None:
            async with database.connection() as connection:
                transaction = Transaction(connection, database.dialect)
                try:
                    await proxy.cut()
                    await proxy.mend()
                    await transaction.execute("SELECT 1")
                finally:
                    await transaction.execute("SELECT 2")

        with pytest.raises(Unavailable, match="connection lost") as lost:
            await lock_and_release()
        assert lost.value.lost
        async with database.connection() as connection:
            assert await Transaction(connection, database.dialect).execute("SELECT 1") == [(1,)]
        await database.close()
        await proxy.cut()


def test_a_connection_on_which_the_server_said_goodbye_is_lost() -> None:
    error = asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")
    told = translate(error)
    assert isinstance(told, Unavailable)
    assert told.lost


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_closing_does_not_wait_long_for_a_database_that_does_not_answer(dialect: str) -> None:
    with fresh_url(dialect, installed=False) as url:
        proxy = Proxy(sa.make_url(url).port or {"mysql": 3306, "postgresql": 5432}[dialect])
        await proxy.mend()
        target = sa.make_url(url).set(host="127.0.0.1", port=proxy.port)
        database = Database(target.render_as_string(hide_password=False), connect_timeout_s=0.5)
        await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(4)))
        proxy.swallow()
        async with asyncio.timeout(10):
            await database.close()
        await proxy.cut()


async def test_a_transaction_is_there_as_a_whole_or_not_at_all(quick: Database) -> None:
    async with quick.transaction() as transaction:
        await transaction.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")

    async def write_twice() -> None:
        async with quick.transaction() as transaction:
            await transaction.execute("INSERT INTO one VALUES (1)")
            await transaction.execute("INSERT INTO one VALUES (1)")

    with pytest.raises(ConstraintViolated) as violated:
        await write_twice()
    assert violated.value.kind == "unique"
    assert await quick.fetch("SELECT count(*) FROM one") == [(0,)]


async def test_rows_that_are_inserted_tell_the_id_of_the_last(quick: Database) -> None:
    table = sa.table("counted", sa.column("id"), sa.column("name"))
    key = {
        "sqlite": "INTEGER PRIMARY KEY",
        "mysql": "INT AUTO_INCREMENT PRIMARY KEY",
        "postgresql": "SERIAL PRIMARY KEY",
    }
    async with quick.transaction() as transaction:
        await transaction.execute(f"CREATE TABLE counted (id {key[quick.dialect.name]}, name VARCHAR(9))")
        first = await transaction.insert(table, [{"name": "a"}])
        last = await transaction.insert(table, [{"name": name} for name in "bcd"])
    rows = await quick.fetch("SELECT id, name FROM counted ORDER BY id")
    async with quick.transaction() as transaction:
        await transaction.execute("DROP TABLE counted")

    assert (first, last) == (rows[0][0], rows[3][0])
    assert [row[1] for row in rows] == list("abcd")


async def test_a_pool_beside_works_while_the_other_is_busy_and_closes_with_it(quick: Database) -> None:
    beside = quick.beside()

    async with quick.transaction():  # the only connection
        assert await recovers(beside)

    await quick.close()
    assert beside._engine.pool.checkedin() == 0  # type: ignore[attr-defined] # of every pool that has a size


WRITING = (
    "INSERT INTO readable (id) VALUES (2)",
    "UPDATE readable SET id = 3",
    "DELETE FROM readable",
    "DROP TABLE readable",
    "CREATE TABLE another (id INTEGER)",
)


async def test_the_readers_see_what_is_there_and_can_write_nothing(quick: Database) -> None:
    readers = quick.readers()
    sent: list[str] = []
    quick.statements = sent.append
    async with quick.transaction() as transaction:
        await transaction.execute("CREATE TABLE readable (id INTEGER)")
        await transaction.execute("INSERT INTO readable (id) VALUES (1)")
    for text in WRITING:
        with pytest.raises(StorageError):
            await readers.fetch(text)
        assert sent[-1] == text
    assert quick.readers() is readers
    assert await readers.fetch("SELECT id FROM readable") == [(1,)]


def test_a_full_disk_of_mariadb_is_told_as_one() -> None:
    error = aiomysql.OperationalError(1005, 'Can\'t create table (errno: 28 "No space left on device")')
    error.sqlstate = "HY000"
    assert str(translate(error)) == "The database cannot write (the disk is full)."


async def test_our_mistakes_say_no_sql(quick: Database) -> None:
    with pytest.raises(StatementFailed) as failed:
        await quick.fetch("SELECT secret FROM nowhere")
    assert "secret" not in str(failed.value)
    assert await recovers(quick)


@pytest.mark.parametrize("value", [["a"], {"a": 1}, ("a",), {1}, b"bytes", object()])
async def test_a_structure_never_reaches_a_driver(quick: Database, value: Any) -> None:
    with pytest.raises(BadParameter):
        await quick.fetch(sa.select(sa.bindparam("x", value, type_=sa.types.NullType())))
    assert await recovers(quick)


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_scalars_pass(value: Any) -> None:
    check_parameters({"x": value})
    check_parameters((value,))
    check_parameters([(value,)], many=True)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "b\udfff"])
def test_a_text_that_no_database_can_store_is_refused(text: str) -> None:
    with pytest.raises(BadParameter) as refused:
        bind_text(text)
    assert str(refused.value) == "A text must not contain NUL or half of a surrogate pair."


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, float("inf"), float("nan"), "x", None])
def test_a_number_beyond_64_bits_is_refused(number: Any) -> None:
    with pytest.raises(BadParameter):
        bind_int(number)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
async def test_64_bits_pass_through_every_driver(quick: Database, number: int) -> None:
    question = sa.select(sa.cast(sa.literal(bind_int(number), sa.BigInteger), sa.BigInteger))
    assert await quick.fetch(question) == [(number,)]


TOO_MUCH = {
    "sqlite": "SELECT sum(n) FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT 1) AS t",
    "mysql": "SELECT 9223372036854775807 + 1",
    "postgresql": "SELECT 9223372036854775807 + n FROM (SELECT 1 AS n) AS t",
}


async def test_what_stored_data_make_of_a_statement_is_no_fault_of_a_parameter(quick: Database) -> None:
    with pytest.raises(StatementFailed):
        await quick.fetch(TOO_MUCH[quick.dialect.name])
    assert await recovers(quick)


def test_a_server_does_not_carry_an_orm() -> None:
    """Half a second of every start, and 6 MB; and whoever wants the package itself still gets all of it."""
    code = (
        "import sys, web.lifecycle; assert 'sqlalchemy.orm' not in sys.modules; "
        "import storage.engine; from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession; "
        "from storage.lean import create_async_engine; "
        "assert isinstance(create_async_engine('sqlite+aiosqlite://'), AsyncEngine)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=60)


async def test_a_statement_on_sqlite_is_one_trip_to_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with fresh_url("sqlite") as url:
        database = Database(url)
        await database.fetch("SELECT 1")
        trips: list[object] = []
        original = OneTripConnection.short_trip

        async def counted(self: OneTripConnection, text: str, work: Any) -> Any:
            trips.append(work)
            return await original(self, text, work)

        monkeypatch.setattr(OneTripConnection, "short_trip", counted)
        assert await database.fetch(sa.select(sa.literal_column("1"), sa.literal_column("'x'"))) == [(1, "x")]
        assert len(trips) == 1
        await database.close()
