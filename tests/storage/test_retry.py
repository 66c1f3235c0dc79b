"""A transaction is tried again where nothing of it remains, and never where it may be there already."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from resolvers.execute import LAST_WORD_S
from storage.direct import Kept
from storage.engine import Database
from storage.errors import OutcomeUnknown, StatementFailed, StatementTimeout, TransactionConflict, Unavailable
from storage.retry import run
from storage.transaction import Transaction
from tests.databases import DIALECTS, fresh_url
from tests.storage.proxy import Proxy

pytestmark = pytest.mark.timed

SERVERS = ("mysql", "postgresql")
ADD = sa.text("UPDATE pair SET n = n + 1 WHERE id = :id")


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param, installed=False) as url:
        asyncio.run(make_rows(url))
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url)
    yield opened
    await opened.close()


async def make_rows(url: str) -> None:
    opened = Database(url)
    async with opened.transaction() as transaction:
        await transaction.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
        await transaction.execute("INSERT INTO pair VALUES (1, 0), (2, 0)")
    await opened.close()


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


async def numbers(database: Database) -> list[int]:
    return [row[0] for row in await database.fetch("SELECT n FROM pair ORDER BY id")]


async def test_two_that_lock_each_other_out_are_both_done(database: Database) -> None:
    before = await numbers(database)
    tries = []

    async def both(first: int, second: int) -> None:
        async def work(transaction: Transaction) -> None:
            tries.append(first)
            await transaction.execute(ADD, {"id": first})
            await asyncio.sleep(0.1)
            await transaction.execute(ADD, {"id": second})

        await run(database, work, deadline=soon())

    await asyncio.gather(both(1, 2), both(2, 1))
    assert await numbers(database) == [number + 2 for number in before]
    assert len(tries) == (2 if database.dialect.name == "sqlite" else 3)  # SQLite lets one in at a time


async def test_a_conflict_that_does_not_end_is_told_after_six_attempts(database: Database) -> None:
    tries = []

    async def work(_: Transaction) -> None:
        tries.append(1)
        raise TransactionConflict

    with pytest.raises(TransactionConflict):
        await run(database, work, deadline=soon())
    assert len(tries) == 6


async def test_nothing_is_tried_again_after_the_deadline(database: Database) -> None:
    tries = []

    async def work(_: Transaction) -> None:
        tries.append(1)
        await asyncio.sleep(0.1)
        raise TransactionConflict

    with pytest.raises(TransactionConflict):
        await run(database, work, deadline=soon(0.15), attempts=100)
    assert len(tries) <= 2


async def test_a_transaction_whose_deadline_has_passed_is_not_committed(database: Database) -> None:
    before = await numbers(database)

    async def work(transaction: Transaction) -> None:
        await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
        await asyncio.sleep(0.3)

    with pytest.raises(StatementTimeout):
        await run(database, work, deadline=soon(0.25))
    assert await numbers(database) == before


async def test_a_statement_gets_no_more_time_than_the_request_has(database: Database) -> None:
    slow = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "mysql": "SELECT SLEEP(20)",
        "postgresql": "SELECT pg_sleep(20)",
    }[database.dialect.name]

    async def work(transaction: Transaction) -> None:
        await transaction.execute(slow)

    started = time.monotonic()
    with pytest.raises(StatementTimeout):
        await run(database, work, deadline=soon(0.3))
    assert time.monotonic() - started < 10  # not the twenty seconds


async def test_what_work_returns_is_what_run_returns_once_it_is_committed(database: Database) -> None:
    async def work(transaction: Transaction) -> int:
        return await transaction.change("UPDATE pair SET n = n WHERE id = 1")

    assert await run(database, work, deadline=soon()) == 1


async def test_writers_of_one_process_take_turns_and_leave_connections_to_readers(database: Database) -> None:
    before = await numbers(database)

    async def work(transaction: Transaction) -> None:
        await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
        await asyncio.sleep(0.005)

    writers = [asyncio.create_task(run(database, work, deadline=soon())) for _ in range(30)]
    await asyncio.sleep(0.01)
    await database.ping()
    await asyncio.gather(*writers)
    assert (await numbers(database))[0] == before[0] + 30


class Wire:
    """A database behind a proxy."""

    def __init__(self, url: str, dialect: str) -> None:
        parsed = sa.make_url(url)
        self.proxy = Proxy(parsed.port or {"mysql": 3306, "postgresql": 5432}[dialect])
        self._parsed = parsed

    async def open(self) -> Database:
        await self.proxy.mend()
        url = self._parsed.set(host="127.0.0.1", port=self.proxy.port).render_as_string(hide_password=False)
        return Database(url, statement_timeout_s=0.5, acquire_timeout_s=0.5, connect_timeout_s=0.5)

    async def blink(self) -> None:
        await self.proxy.cut()
        await self.proxy.mend()


@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_connection_that_breaks_before_commit_costs_one_more_try(dialect: str) -> None:
    with fresh_url(dialect, installed=False) as url:
        await make_rows(url)
        wire = Wire(url, dialect)
        database = await wire.open()
        tries = []

        async def work(transaction: Transaction) -> None:
            tries.append(1)
            await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
            if len(tries) == 1:
                await wire.blink()
            await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 2")

        await run(database, work, deadline=soon())
        assert (len(tries), await numbers(database)) == (2, [1, 1])

        tries.clear()
        await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(5)))
        await wire.blink()  # while nobody used any of them
        tries.append(0)
        await run(database, work, deadline=soon())
        assert await numbers(database) == [2, 2]
        await database.close()
        await wire.proxy.cut()


@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_database_that_stays_away_is_told_at_once(dialect: str) -> None:
    with fresh_url(dialect, installed=False) as url:
        await make_rows(url)
        wire = Wire(url, dialect)
        database = await wire.open()
        await database.ping()
        await wire.proxy.cut()

        async def work(transaction: Transaction) -> None:
            await transaction.execute("UPDATE pair SET n = n + 1")

        started = time.monotonic()
        with pytest.raises(Unavailable) as away:
            await run(database, work, deadline=soon())
        assert not isinstance(away.value, OutcomeUnknown)
        assert time.monotonic() - started < 4  # it was not waited for until the deadline
        await database.close()


@pytest.mark.parametrize("dialect", SERVERS)
@pytest.mark.parametrize("swallowed", [False, True], ids=["cut", "swallowed"])
async def test_a_commit_without_an_answer_is_never_tried_again(dialect: str, swallowed: bool) -> None:
    with fresh_url(dialect, installed=False) as url:
        await make_rows(url)
        wire = Wire(url, dialect)
        database = await wire.open()
        tries = []

        async def work(transaction: Transaction) -> None:
            tries.append(1)
            await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
            if swallowed:
                wire.proxy.swallow()
            else:
                await wire.proxy.cut()

        with pytest.raises(OutcomeUnknown) as unknown:
            await run(database, work, deadline=soon())
        assert str(unknown.value) == "The database is not available (it did not say whether it committed)."
        assert len(tries) == 1
        await database.close()
        wire.proxy.flow()
        await wire.proxy.cut()


@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_commit_that_the_deadline_ends_is_told_as_such_at_the_deadline(dialect: str) -> None:
    """Not some time later: whoever waits for it has given up by then."""
    with fresh_url(dialect, installed=False) as url:
        await make_rows(url)
        wire = Wire(url, dialect)
        database = await wire.open()

        async def work(transaction: Transaction) -> None:
            await transaction.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
            wire.proxy.swallow()

        await database.ping()
        deadline = soon(0.4)  # the statement timeout is half a second
        with pytest.raises(OutcomeUnknown):
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + 0.4 + LAST_WORD_S):
                await run(database, work, deadline=deadline)
        wire.proxy.flow()
        await wire.proxy.cut()
        await database.close()


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    """A database that does all of a statement or nothing: others cannot say in one what was read, and what is kept of it."""
    with fresh_url("postgresql", installed=False) as url:
        asyncio.run(make_rows(url))
        yield url


@pytest.fixture
async def hasty(postgresql_url: str) -> AsyncIterator[Database]:
    """One whose statements are stopped long before the deadline, as it is usual."""
    opened = Database(postgresql_url, statement_timeout_s=1.0)
    yield opened
    await opened.close()


async def add_at_once(transaction: Transaction, number: int = 1) -> list[tuple[int, ...]]:
    """Look at a row, then write it with one statement."""
    await transaction.execute(f"SELECT n FROM pair WHERE id = {number}")  # noqa: S608 - our own number
    return await transaction.conclude(ADD_SHOWN, {"id": number})


ADD_SHOWN = Kept(sa.text("UPDATE pair SET n = n + 1 WHERE id = :id RETURNING n"))


async def test_what_is_written_at_once_needs_no_begin_and_no_commit(hasty: Database) -> None:
    before, seen = await numbers(hasty), list[str]()
    hasty.statements = seen.append
    assert await run(hasty, add_at_once, deadline=soon(), at_once=True) == [(before[0] + 1,)]
    assert [text.partition(" ")[0] for text in seen] == ["SELECT", "UPDATE"]

    async def without_a_look(transaction: Transaction) -> None:
        await transaction.conclude(ADD_SHOWN, {"id": 1})

    seen.clear()
    await run(hasty, without_a_look, deadline=soon(), at_once=True)  # perhaps on a connection that is broken
    await run(hasty, add_at_once, deadline=soon(0.9), at_once=True)  # too late to be told whether it took place
    assert [text.partition(" ")[0] for text in seen] == [
        "BEGIN",
        "UPDATE",
        "COMMIT",
        "SELECT",
        "BEGIN",
        "UPDATE",
        "COMMIT",
    ]
    assert await numbers(hasty) == [before[0] + 3, before[1]]


async def test_what_was_to_be_written_at_once_is_begun_where_another_was_in_the_way(hasty: Database) -> None:
    before, ways = await numbers(hasty), list[bool]()

    async def work(transaction: Transaction) -> None:
        ways.append(transaction.at_once)
        if transaction.at_once:
            raise TransactionConflict
        await transaction.execute(ADD, {"id": 2})

    await run(hasty, work, deadline=soon(), at_once=True)
    assert (ways, await numbers(hasty)) == ([True, False], [before[0], before[1] + 1])


async def test_what_fails_while_it_is_written_at_once_leaves_nothing_and_a_good_connection(hasty: Database) -> None:
    before = await numbers(hasty)

    async def work(transaction: Transaction) -> None:
        await transaction.execute("SELECT 1")
        await transaction.conclude("WITH w AS (UPDATE pair SET n = n + 1 RETURNING n) SELECT 1 / 0 FROM w")

    with pytest.raises(StatementFailed):
        await run(hasty, work, deadline=soon(), at_once=True)
    assert await numbers(hasty) == before


async def test_a_statement_that_the_database_stops_was_not_written_at_once(hasty: Database) -> None:
    """It says so itself, within its own time: the outcome is known."""
    before = await numbers(hasty)
    held, tries = asyncio.Event(), list[int]()

    async def hold(transaction: Transaction) -> None:
        await transaction.execute(ADD, {"id": 1})
        held.set()
        await asyncio.sleep(2)
        raise ZeroDivisionError

    async def work(transaction: Transaction) -> None:
        tries.append(1)
        await add_at_once(transaction)

    holder = asyncio.create_task(run(hasty, hold, deadline=soon(10)))
    await held.wait()
    with pytest.raises(StatementTimeout):
        await run(hasty, work, deadline=soon(10), at_once=True)
    with pytest.raises(ZeroDivisionError):
        await holder
    assert (tries, await numbers(hasty)) == ([1], before)


@pytest.mark.parametrize("swallowed", [False, True], ids=["cut", "swallowed"])
async def test_a_write_at_once_without_an_answer_is_never_tried_again(swallowed: bool) -> None:
    with fresh_url("postgresql", installed=False) as url:
        await make_rows(url)
        wire = Wire(url, "postgresql")
        database = await wire.open()
        tries = []

        async def work(transaction: Transaction) -> None:
            tries.append(1)
            await transaction.execute("SELECT 1")
            if swallowed:
                wire.proxy.swallow()
            else:
                await wire.proxy.cut()
            await transaction.conclude(ADD_SHOWN, {"id": 1})

        with pytest.raises(OutcomeUnknown):
            await run(database, work, deadline=soon(), at_once=True)
        assert len(tries) == 1
        await database.close()
        wire.proxy.flow()
        await wire.proxy.cut()


async def test_a_connection_that_breaks_before_it_is_written_at_once_costs_one_more_try() -> None:
    with fresh_url("postgresql", installed=False) as url:
        await make_rows(url)
        wire = Wire(url, "postgresql")
        database = await wire.open()
        await database.ping()
        await wire.blink()  # while nobody uses it
        await run(database, add_at_once, deadline=soon(), at_once=True)
        await wire.blink()

        async def without_a_look(transaction: Transaction) -> None:
            await transaction.conclude(ADD_SHOWN, {"id": 2})

        await run(database, without_a_look, deadline=soon(), at_once=True)
        assert await numbers(database) == [1, 1]
        await database.close()
        await wire.proxy.cut()
