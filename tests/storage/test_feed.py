"""Who listens gets every change soon after its COMMIT, once, and nothing runs for nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from storage.changes import NewChange, append, make_key
from storage.engine import Database
from storage.errors import TooSlow, TransactionConflict, Unavailable
from storage.feed import Feed, Subscription
from tests.databases import DIALECTS, fresh_url
from tests.storage.proxy import Proxy

pytestmark = pytest.mark.timed

# A feed waits for a gap in the log as long as a statement may take.
USUAL_S = 2.0
SERVERS = ("mysql", "postgresql")
overtaking = pytest.mark.parametrize("shared_url", SERVERS, indirect=True)  # SQLite has one writer


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@asynccontextmanager
async def opened(url: str, **options: float) -> AsyncIterator[tuple[Database, Feed]]:
    """One process: a database with its feed."""
    database = Database(url, **{"statement_timeout_s": USUAL_S, **options})  # type: ignore[arg-type] # numbers as they are
    feed = Feed(database)
    yield database, feed
    await feed.close()
    await database.close()


@pytest.fixture
async def process(shared_url: str) -> AsyncIterator[tuple[Database, Feed]]:
    async with opened(shared_url) as made:
        yield made


@pytest.fixture
async def other(shared_url: str) -> AsyncIterator[tuple[Database, Feed]]:
    async with opened(shared_url) as made:
        yield made


async def write(process: tuple[Database, Feed], *numbers: int, module: str = "queue") -> None:
    database, feed = process
    async with database.transaction() as transaction:
        changes = [NewChange(module, make_key([number]), 2, "agent", 1, "root@localhost") for number in numbers]
        await append(transaction, changes)
    feed.notify()


async def take(subscription: Subscription, count: int, seconds: float = 5.0) -> list[str]:
    async with asyncio.timeout(seconds):
        return [(await anext(subscription)).row_key for _ in range(count)]


async def test_a_change_of_this_process_arrives_without_being_looked_for(
    process: tuple[Database, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.feed.POLL_S", 60)
    async with process[1].subscribe() as changes:
        for number in range(10):
            await write(process, number)
            assert await take(changes, 1) == [make_key([number])]


async def test_a_change_of_another_process_arrives_by_itself(
    process: tuple[Database, Feed], other: tuple[Database, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    if process[0].dialect.name == "postgresql":  # it rings; the others are looked at
        monkeypatch.setattr("storage.feed.POLL_S", 60)
    async with process[1].subscribe() as changes:
        for number in range(5):
            await write(other, number)
            assert await take(changes, 1) == [make_key([number])]


async def test_everybody_gets_what_their_modules_ask_for(process: tuple[Database, Feed]) -> None:
    feed = process[1]
    async with feed.subscribe(["queue"]) as queues, feed.subscribe(["state"]) as states, feed.subscribe() as everything:
        await write(process, 1, 2)
        await write(process, 3, module="state")
        await write(process, 4)
        assert await take(queues, 3) == ["[1]", "[2]", "[4]"]
        assert await take(states, 1) == ["[3]"]
        assert await take(everything, 4) == ["[1]", "[2]", "[3]", "[4]"]


async def test_only_what_is_committed_from_then_on_comes(process: tuple[Database, Feed]) -> None:
    await write(process, 1)
    async with process[1].subscribe() as changes:
        await write(process, 2)
        assert await take(changes, 1) == ["[2]"]


@overtaking
async def test_what_was_being_committed_when_the_first_subscriber_came_arrives_too(
    process: tuple[Database, Feed],
) -> None:
    database, feed = process
    async with database.transaction() as transaction:
        await append(transaction, [NewChange("queue", "[1]", 2, "agent", 1, "root@localhost")])
        await write(process, 2)
        subscribing = feed.subscribe()
        changes = await subscribing.__aenter__()
    feed.notify()
    await write(process, 3)
    assert await take(changes, 2) == ["[1]", "[3]"]
    await subscribing.__aexit__(None, None, None)


async def test_it_runs_while_somebody_listens_and_no_longer(process: tuple[Database, Feed]) -> None:
    database, feed = process
    tasks = len(asyncio.all_tasks())
    runs: list[bool] = []
    told: list[str] = []
    async with feed.subscribe():
        async with feed.subscribe():
            runs.append(feed.is_running)
        runs.append(feed.is_running)
    runs.append(feed.is_running)
    assert runs == [True, True, False]
    await asyncio.sleep(0.5)
    assert len(asyncio.all_tasks()) == tasks
    database.statements = told.append
    await asyncio.sleep(0.7)
    assert told == []
    async with feed.subscribe() as changes:
        await write(process, 1)
        assert await take(changes, 1) == ["[1]"]


async def test_a_subscriber_who_takes_too_slowly_is_told_and_the_others_go_on(shared_url: str) -> None:
    database = Database(shared_url, statement_timeout_s=USUAL_S)
    feed = Feed(database, queue_length=5)
    process = (database, feed)
    async with feed.subscribe() as slow, feed.subscribe() as quick:
        for number in range(7):
            await write(process, number)
            assert await take(quick, 1) == [make_key([number])]
        with pytest.raises(TooSlow) as late:
            await take(slow, 1)
        assert str(late.value) == "Changes come faster than they are taken."
    await database.close()
    await feed.close()


async def test_who_comes_while_others_are_read_for_misses_nothing(process: tuple[Database, Feed]) -> None:
    feed = process[1]
    async with feed.subscribe(["queue"]) as first:
        for number in range(20):
            writing = asyncio.create_task(write(process, number))
            await asyncio.sleep(0.001 * (number % 5))
            async with feed.subscribe(["state"]) as second:
                await write(process, number, module="state")
                assert await take(second, 1) == [make_key([number])]
            await writing
        assert await take(first, 20) == [make_key([number]) for number in range(20)]


@overtaking
async def test_a_change_is_told_once_its_predecessors_are(process: tuple[Database, Feed]) -> None:
    database, feed = process

    async def roll_back() -> None:
        async with database.transaction() as transaction:
            await append(transaction, [NewChange("queue", "[0]", 2, "agent", 1, "root@localhost")])
            await write(process, 2)
            raise TransactionConflict

    async with feed.subscribe() as changes:
        async with database.transaction() as transaction:
            await append(transaction, [NewChange("queue", "[1]", 2, "agent", 1, "root@localhost")])
            await write(process, 2)
            with pytest.raises(TimeoutError):
                await take(changes, 1, 0.3)
        feed.notify()
        assert await take(changes, 2) == ["[1]", "[2]"]
        with pytest.raises(TransactionConflict):
            await roll_back()
        assert await take(changes, 1) == ["[2]"]


@pytest.mark.parametrize("dialect", SERVERS)
async def test_nothing_is_lost_while_the_database_is_away(dialect: str) -> None:
    with fresh_url(dialect) as url:
        parsed = sa.make_url(url)
        proxy = Proxy(parsed.port or {"mysql": 3306, "postgresql": 5432}[dialect])
        await proxy.mend()
        through = parsed.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        async with opened(url) as writing, opened(through, connect_timeout_s=0.5, statement_timeout_s=0.5) as reading:
            async with reading[1].subscribe() as changes:
                await write(writing, 1)
                assert await take(changes, 1) == ["[1]"]
                await proxy.cut()
                await write(writing, 2)
                with pytest.raises(TimeoutError):
                    await take(changes, 1, 0.6)
                await write(writing, 3)
                await proxy.mend()
                assert await take(changes, 2) == ["[2]", "[3]"]
                await write(writing, 4)
                assert await take(changes, 1) == ["[4]"]
            await proxy.cut()
            with pytest.raises(Unavailable):
                async with reading[1].subscribe():
                    pass


async def test_what_a_tail_notes_arrives_and_nobody_looks_for_nobody(shared_url: str) -> None:
    database = Database(shared_url, statement_timeout_s=USUAL_S)
    looks = 0

    async def tail() -> int:
        nonlocal looks
        looks += 1
        async with database.transaction() as transaction:
            await append(transaction, [NewChange("ticket", make_key([looks]), 2, "agent", 1, "root@localhost")])
        return 1

    feed = Feed(database, tail)
    async with feed.subscribe() as changes:
        assert await take(changes, 2) == ["[1]", "[2]"]
    seen = looks
    await asyncio.sleep(1.1)
    assert looks == seen
    await feed.close()
    await database.close()


async def test_a_feed_that_is_closed_ends_its_subscriptions(process: tuple[Database, Feed]) -> None:
    feed = process[1]
    came = asyncio.Event()

    async def follow() -> str:
        async with feed.subscribe() as changes:
            came.set()
            async for change in changes:
                return change.row_key
        return "the end"

    following = asyncio.create_task(follow())
    await came.wait()
    await feed.close()
    assert await asyncio.wait_for(following, 30) == "the end"
    assert not feed.is_running
