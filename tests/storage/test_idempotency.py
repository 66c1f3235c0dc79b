"""What an idempotency key stands for is done once, however often and however simultaneously it is asked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from storage.engine import Database
from storage.errors import AlreadyDone
from storage.idempotency import Done, digest, find, note, sweep
from storage.own_tables import IDEMPOTENCY
from storage.retry import run
from storage.transaction import Transaction
from tests.databases import DIALECTS, fresh_url

NAMES = iter(range(1_000))


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url)
    yield opened
    await opened.close()


@pytest.fixture
def name() -> str:
    return digest("agent", 1, f"key {next(NAMES)}", "createQueue")


async def once(database: Database, name: str, *, pause_s: float = 0.0, done: list[str]) -> str:
    """Do a mutation as the write path does, and return its result: the first one's, for all."""

    async def work(transaction: Transaction) -> str:
        found = await find(transaction, name)
        if found is not None:
            return found.result
        await asyncio.sleep(pause_s)
        result = f'{{"n": {len(done)}}}'
        done.append(result)
        await note(transaction, name, "f" * 64, result)
        return result

    return await run(database, work, deadline=time.monotonic() + 5)


async def test_the_second_of_two_at_once_waits_and_gets_the_first_one_s_result(database: Database, name: str) -> None:
    done: list[str] = []
    results = await asyncio.gather(*(once(database, name, pause_s=0.2, done=done) for _ in range(5)))
    assert results == ['{"n": 0}'] * 5
    assert done == ['{"n": 0}']


async def test_what_is_noted_is_found_with_its_fingerprint(database: Database, name: str) -> None:
    await once(database, name, done=[])
    async with database.transaction() as transaction:
        assert await find(transaction, name) == Done("f" * 64, '{"n": 0}')


async def test_what_was_rolled_back_was_never_done(database: Database, name: str) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            assert await find(transaction, name) is None
            await note(transaction, name, "f" * 64, "{}")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with database.transaction() as transaction:
        assert await find(transaction, name) is None


async def test_the_second_waits_also_for_one_that_is_rolled_back(database: Database, name: str) -> None:
    done: list[str] = []
    is_taken = asyncio.Event()

    async def fail() -> None:
        async with database.transaction() as transaction:
            assert await find(transaction, name) is None
            is_taken.set()
            await asyncio.sleep(0.2)
            raise KeyError

    async def second() -> str:
        await is_taken.wait()
        return await once(database, name, done=done)

    failed, result = await asyncio.gather(fail(), second(), return_exceptions=True)
    assert isinstance(failed, KeyError)
    assert (result, done) == ('{"n": 0}', ['{"n": 0}'])


async def test_noting_what_another_has_noted_is_told(database: Database, name: str) -> None:
    await once(database, name, done=[])
    with pytest.raises(AlreadyDone):
        async with database.transaction() as transaction:
            await note(transaction, name, "f" * 64, "{}")
    async with database.transaction() as transaction:
        assert await find(transaction, name) == Done("f" * 64, '{"n": 0}')


async def test_only_what_is_old_is_swept(database: Database, name: str) -> None:
    await sweep(database, -10)
    await once(database, name, done=[])
    old = [digest("agent", 2, f"old {number}", "x") for number in range(3)]
    rows = [{"digest": each, "fingerprint": "f", "result": "{}", "created": 1} for each in old]
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(IDEMPOTENCY).inline(), rows)
    assert await sweep(database, 3600) == 3
    assert await database.fetch(sa.select(IDEMPOTENCY.c.digest)) == [(name,)]


def test_a_digest_stands_for_caller_key_and_response_name_together() -> None:
    assert digest("agent", 1, "k", "a") == digest("agent", 1, "k", "a")
    others = {
        digest(*each)
        for each in [
            ("agent", 1, "k", "a"),
            ("customer", 1, "k", "a"),
            ("agent", 2, "k", "a"),
            ("agent", 1, "k2", "a"),
            ("agent", 1, "k", "b"),
            ("agent", 1, 'k", "a', ""),
        ]
    }
    assert len(others) == 6
    assert {len(each) for each in others} == {64}
