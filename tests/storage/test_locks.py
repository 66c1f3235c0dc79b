"""Who holds a name holds it alone until the transaction ends, and nobody waits for another name."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from storage.errors import TransactionConflict
from storage.locks import hold
from storage.retry import run
from storage.transaction import Transaction
from tests.databases import DIALECTS, fresh_url


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url, pool_size=20, acquire_timeout_s=5)
    yield opened
    await opened.close()


async def test_twenty_who_want_one_name_come_one_after_the_other(database: Database) -> None:
    inside = 0
    most = 0
    tries = 0

    async def work(transaction: Transaction) -> None:
        nonlocal inside, most, tries
        tries += 1
        await hold(transaction, "ticket number")
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.005)
        inside -= 1

    await asyncio.gather(*(run(database, work, deadline=time.monotonic() + 10) for _ in range(20)))
    assert (most, tries) == (1, 20)  # nobody was thrown out by a deadlock either


async def test_another_name_is_not_waited_for_but_where_there_is_one_writer(database: Database) -> None:
    async def hold_another() -> bool:
        try:
            async with database.transaction(deadline=time.monotonic() + 0.5) as transaction:
                await hold(transaction, "another")
        except TransactionConflict:
            return False
        return True

    async with database.transaction() as transaction:
        await hold(transaction, "one")
        assert await hold_another() == (database.dialect.name != "sqlite")


async def test_a_name_is_free_again_after_a_rollback(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await hold(transaction, "rolled back")
            raise TransactionConflict

    with pytest.raises(TransactionConflict):
        await fail()
    async with database.transaction(deadline=time.monotonic() + 1) as transaction:
        await hold(transaction, "rolled back")
        await hold(transaction, "rolled back")  # again is nothing
