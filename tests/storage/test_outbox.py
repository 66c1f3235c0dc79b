"""An entry of the outbox is somebody's at a time, is settled once, and waits for those of its row before it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from storage.engine import Database
from storage.outbox import (
    CallerNote,
    Claimed,
    ClaimLost,
    Ending,
    NewEntry,
    State,
    Trouble,
    append,
    claim,
    postpone,
    reopen,
    settle,
    sweep,
)
from storage.own_tables import OUTBOX, SCHEDULE
from tests.databases import DIALECTS, fresh_url

ANNA = CallerNote("agent", 7, "anna")
LEASE_S = 60.0
DONE = Ending(State.DONE, log=("said",), took_ms=3)


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url)
    async with opened.transaction() as transaction:
        await transaction.execute(sa.delete(OUTBOX))
        await transaction.execute(sa.delete(SCHEDULE))
    yield opened
    await opened.close()


def entry(row: int, *, trouble: Trouble | None = None) -> NewEntry:
    return NewEntry("asset", f"[{row}]", "after_update 1", "c" * 64, '{"item": 1}', ANNA, "r1", 2, trouble)


async def put(database: Database, *rows: int) -> None:
    async with database.transaction() as transaction:
        await append(transaction, [entry(row) for row in rows])


async def take(database: Database, count: int = 10, *, worker: str = "w", lease_s: float = LEASE_S) -> list[Claimed]:
    return await claim(database, worker, count, lease_s)


async def finish(database: Database, claimed: Claimed, ending: Ending = DONE) -> None:
    async with database.transaction() as transaction:
        await settle(transaction, claimed, ending)


async def stored(database: Database, *names: str) -> list[tuple[object, ...]]:
    return await database.fetch(sa.select(*(OUTBOX.c[name] for name in names)).order_by(OUTBOX.c.id))


async def test_what_was_noted_is_taken_as_it_was_noted(database: Database) -> None:
    await put(database, 1)
    (taken,) = await take(database)
    assert taken == Claimed(
        taken.id, taken.delivery, "asset", "[1]", "after_update 1", "c" * 64, '{"item": 1}', ANNA, "r1", 2, 1, "w"
    )
    assert len(taken.delivery) == 32


async def test_an_entry_is_taken_once_however_many_want_it(database: Database) -> None:
    await put(database, *range(40))
    found: list[Claimed] = []

    async def work(worker: str) -> None:
        while True:
            taken = await take(database, 3, worker=worker)
            if not taken and len(found) >= 40:
                return
            found.extend(taken)

    await asyncio.wait_for(asyncio.gather(*(work(f"w{number}") for number in range(4))), 30)
    assert sorted(int(item.row_key[1:-1]) for item in found) == list(range(40))


async def test_of_one_row_the_next_is_taken_when_the_one_before_is_over(database: Database) -> None:
    await put(database, 1, 1, 2, 1)
    first, other = await take(database)
    assert (first.row_key, other.row_key) == ("[1]", "[2]")
    assert await take(database) == []
    await finish(database, first, Ending(State.FAILED, Trouble("LAMBDA_FAILED", "It threw.")))
    (second,) = await take(database)
    assert second.id > first.id
    await postpone(database, second, 60, Ending(State.OPEN, Trouble("LAMBDA_BUSY", "Later.")))
    assert await take(database) == [], "what waits to be tried again keeps its place"


async def test_an_entry_whose_worker_is_gone_is_taken_again_after_the_lease(database: Database) -> None:
    await put(database, 1)
    (lost,) = await take(database, worker="gone", lease_s=0.2)
    assert await take(database) == []
    await asyncio.sleep(0.25)
    (again,) = await take(database, worker="alive")
    assert (again.id, again.delivery, again.attempts) == (lost.id, lost.delivery, 2)


async def test_whoever_lost_an_entry_settles_nothing_and_keeps_nothing_of_what_he_did(database: Database) -> None:
    await put(database, 1)
    (lost,) = await take(database, worker="slow", lease_s=0.05)
    await asyncio.sleep(0.1)
    (again,) = await take(database, worker="quick")

    async def write() -> None:
        async with database.transaction() as transaction:
            await append(transaction, [entry(2)])
            await settle(transaction, lost, DONE)

    with pytest.raises(ClaimLost):
        await write()
    await postpone(database, lost, 0, Ending(State.OPEN))
    assert await stored(database, "row_key", "state", "worker") == [("[1]", "open", "quick")]
    await finish(database, again)
    with pytest.raises(ClaimLost):
        await finish(database, again)


async def test_what_became_of_an_entry_is_kept(database: Database) -> None:
    await put(database, 1, 2)
    first, second = await take(database)
    await finish(database, first)
    await finish(database, second, Ending(State.DEAD, Trouble("LAMBDA_BUSY", "x" * 2_000)))
    names = ("state", "failure_code", "failure", "log", "worker", "took_ms")
    assert await stored(database, *names) == [
        ("done", None, None, '["said"]', None, 3),
        ("dead", "LAMBDA_BUSY", "x" * 1_000, None, None, 0),
    ]
    assert await take(database) == []


async def test_what_is_done_keeps_nothing_of_the_row_and_what_may_be_tried_again_does(database: Database) -> None:
    await put(database, 1, 2)
    first, second = await take(database)
    await finish(database, first)
    await finish(database, second, Ending(State.FAILED, Trouble("LAMBDA_FAILED", "It threw.")))
    assert await stored(database, "payload") == [("{}",), ('{"item": 1}',)]


async def test_an_entry_that_is_over_before_it_begins_is_never_taken(database: Database) -> None:
    async with database.transaction() as transaction:
        await append(transaction, [entry(1, trouble=Trouble("LAMBDA_LIMIT", "Too deep."))])
    assert await take(database) == []
    assert await stored(database, "state", "failure_code", "failure") == [("failed", "LAMBDA_LIMIT", "Too deep.")]


async def test_what_has_failed_is_tried_again_when_somebody_says_so_and_nothing_else_is(database: Database) -> None:
    await put(database, 1, 2)
    failed, done = await take(database)
    await finish(database, failed, Ending(State.FAILED, Trouble("LAMBDA_FAILED", "It threw.")))
    await finish(database, done)
    async with database.transaction() as transaction:
        assert await reopen(transaction, failed.id)
        assert not await reopen(transaction, done.id)
        assert not await reopen(transaction, 0)
    (again,) = await take(database)
    assert (again.id, again.attempts) == (failed.id, 1)


async def test_old_entries_go_and_the_last_run_of_a_schedule_stays(database: Database) -> None:
    await put(database, *range(5))
    done, failed, run, young, _open = await take(database)
    for taken in (done, run, young):
        await finish(database, taken)
    await finish(database, failed, Ending(State.FAILED))
    old = int(time.time()) - 100
    async with database.transaction() as transaction:
        aged = OUTBOX.c.id.in_([done.id, failed.id, run.id])
        await transaction.execute(sa.update(OUTBOX).where(aged).values(ended=old))
        values = {"module": "asset", "name": "nightly", "rhythm": "0 3 * * * UTC", "entry": run.id}
        await transaction.execute(sa.insert(SCHEDULE).values(values))
    assert await sweep(database, 50, 1_000) == 1
    assert await sweep(database, 50, 50) == 1
    assert await stored(database, "row_key") == [("[2]",), ("[3]",), ("[4]",)]
