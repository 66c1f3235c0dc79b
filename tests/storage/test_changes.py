"""Every committed change is read once, in one order, however late it was committed."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from storage.changes import Batch, Change, NewChange, append, history, make_key, newest_id, one, read_since
from storage.engine import Database
from storage.errors import TransactionConflict
from storage.own_tables import CHANGE
from storage.settling import Settling
from storage.transaction import Transaction
from tests.counts import count
from tests.databases import DIALECTS, fresh_url

pytestmark = pytest.mark.timed

SERVERS = ("mysql", "postgresql")
WRITERS = 8
WRITING_S = 0.3


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture(scope="module", params=SERVERS)
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url, pool_size=WRITERS + 2)
    yield opened
    await opened.close()


@pytest.fixture
async def server(server_url: str) -> AsyncIterator[Database]:
    opened = Database(server_url, pool_size=WRITERS + 2)
    yield opened
    await opened.close()


def change(number: int = 1, module: str = "queue", kind: int = 2) -> NewChange:
    return NewChange(module, make_key([number]), kind, "agent", 1, "root@localhost")


async def write(database: Database, *changes: NewChange) -> None:
    async with database.transaction() as transaction:
        await append(transaction, changes)


class Pending:
    """A transaction that has written its change and waits to be told how to end."""

    def __init__(self, database: Database, *changes: NewChange) -> None:
        self._ready = asyncio.Event()
        self._end = asyncio.Event()
        self._rolls_back = False
        self._task = asyncio.create_task(self._run(database, changes))

    async def _run(self, database: Database, changes: tuple[NewChange, ...]) -> None:
        async with database.transaction() as transaction:
            await append(transaction, changes)
            self._ready.set()
            await self._end.wait()
            if self._rolls_back:
                raise TransactionConflict

    async def written(self) -> "Pending":
        await self._ready.wait()
        return self

    async def commit(self) -> None:
        self._end.set()
        await self._task

    async def roll_back(self) -> None:
        self._rolls_back = True
        self._end.set()
        with pytest.raises(TransactionConflict):
            await self._task


def keys(batch: Batch) -> list[str]:
    return [each.row_key for each in batch.changes]


async def settles(database: Database, after: int, settling: Settling) -> Batch:
    """Read until nothing may come any more."""
    deadline = time.monotonic() + 5
    while True:
        batch = await read_since(database, after, 100_000, settling=settling)
        if batch.settled or time.monotonic() > deadline:
            return batch
        await asyncio.sleep(0.02)


async def test_what_is_appended_is_read_as_it_was(database: Database) -> None:
    start = await newest_id(database)
    before = time.time_ns() // 1_000_000
    new = NewChange(
        "queue",
        make_key([1, "ä"]),
        1,
        "customer",
        7,
        "ann",
        request_id="r1",
        fields={"name": [None, "Büro \ud800 \x00"], "count": [1, 2.5]},
        undoes=3,
        source=9,
        origin=f"otrs:test:{start}",
    )
    await write(database, new)
    batch = await read_since(database, start, 10)
    (kept,) = batch.changes
    names = [name for name in NewChange.__slots__ if name not in Change.__slots__]
    assert {name: getattr(kept, name) for name in names} == {name: getattr(new, name) for name in names}
    assert (kept.row_key, batch.upto, batch.settled, batch.more) == ('[1,"ä"]', kept.id, True, False)
    assert before <= kept.at <= time.time_ns() // 1_000_000
    assert await one(database, kept.id) == kept
    assert await one(database, kept.id + 1_000) is None


async def test_many_changes_are_one_statement(database: Database) -> None:
    start = await newest_id(database)
    told: list[str] = []
    database.statements = told.append
    await write(database, *(change(number) for number in range(50)))
    database.statements = None
    assert [text.split()[0] for text in told if text.split()[0] not in {"BEGIN", "START", "COMMIT"}] == ["INSERT"]
    assert keys(await read_since(database, start, 100)) == [make_key([number]) for number in range(50)]


async def test_pages_of_some_modules_lead_on_without_a_gap_or_a_double(database: Database) -> None:
    start = await newest_id(database)
    await write(database, *(change(number, "queue" if number % 3 else "state") for number in range(20)))
    found: list[str] = []
    after = start
    while True:
        batch = await read_since(database, after, 4, ["state"])
        found += keys(batch)
        after = batch.upto
        if not batch.more:
            break
    assert found == [make_key([number]) for number in range(0, 20, 3)]
    assert await read_since(database, after, 4, ["state"]) == Batch((), await newest_id(database))
    assert keys(await read_since(database, start, 100, [])) == []


async def test_history_is_of_one_row_newest_first(database: Database) -> None:
    module = f"history_{await newest_id(database)}"
    await write(database, *(change(number % 2, module) for number in range(6)))
    whole = await history(database, module, make_key([1]))
    assert [each.id for each in whole] == sorted((each.id for each in whole), reverse=True)
    assert len(whole) == 3
    assert await history(database, module, make_key([1]), whole[0].id, 1) == whole[1:2]


async def test_a_change_that_is_committed_late_is_waited_for(server: Database) -> None:
    settling = Settling(WRITING_S)
    start = await newest_id(server)
    late = await Pending(server, change(1)).written()
    await write(server, change(2))
    for _ in range(30):
        batch = await read_since(server, start, 10, settling=settling)
        assert (keys(batch), batch.upto, batch.settled, batch.more) == ([], start, False, False)
        await asyncio.sleep((WRITING_S + 0.5) / 30)
    await late.commit()
    assert keys(await settles(server, start, settling)) == ["[1]", "[2]"]


async def test_what_was_rolled_back_is_not_waited_for(server: Database) -> None:
    settling = Settling(WRITING_S)
    start = await newest_id(server)
    gone = await Pending(server, change(1)).written()
    await write(server, change(2))
    assert not (await read_since(server, start, 10, settling=settling)).settled
    await gone.roll_back()
    began = time.monotonic()
    assert keys(await settles(server, start, settling)) == ["[2]"]
    assert time.monotonic() - began < WRITING_S + 3
    assert keys(await read_since(server, start, 10, settling=settling)) == ["[2]"]  # known from now on


async def test_transactions_that_began_later_hold_nobody_up(server: Database) -> None:
    """Under steady writing there is always somebody who has not committed; only who was there first matters."""
    settling = Settling(WRITING_S)
    start = await newest_id(server)
    gone = await Pending(server, change(1)).written()
    await write(server, change(2))
    await read_since(server, start, 10, settling=settling)
    later = await Pending(server, change(3)).written()
    await gone.roll_back()
    await write(server, change(4))
    after, found = start, list[str]()
    deadline = time.monotonic() + WRITING_S + 2
    while not found and time.monotonic() < deadline:
        batch = await read_since(server, after, 10, settling=settling)
        found += keys(batch)
        after = batch.upto
        await asyncio.sleep(0.02)
    assert found == ["[2]"]
    await later.commit()
    assert keys(await settles(server, after, settling)) == ["[3]", "[4]"]


async def test_a_reader_from_further_back_waits_for_what_another_never_saw(server: Database) -> None:
    settling = Settling(WRITING_S)
    start = await newest_id(server)
    late = await Pending(server, change(1)).written()
    await write(server, change(2))
    middle = await newest_id(server)
    gone = await Pending(server, change(3)).written()
    await write(server, change(4))
    await gone.roll_back()
    deadline = time.monotonic() + WRITING_S + 0.5
    while time.monotonic() < deadline:
        await read_since(server, middle, 10, settling=settling)
        assert keys(await read_since(server, start, 10, settling=settling)) == []
        await asyncio.sleep(0.05)
    await late.commit()
    assert keys(await settles(server, start, settling)) == ["[1]", "[2]", "[4]"]


async def test_old_gaps_are_passed_at_once(server: Database) -> None:
    start = await newest_id(server)
    await write(server, *(change(number) for number in range(10)))
    async with server.transaction() as transaction:
        columns = CHANGE.c
        await transaction.execute(sa.update(CHANGE).where(columns.id > start).values(at=1))
        await transaction.execute(
            sa.delete(CHANGE).where(columns.id > start, columns.row_key.in_(["[0]", "[3]", "[4]"]))
        )
    batch = await read_since(server, start, 100)
    assert (keys(batch), batch.settled) == (["[1]", "[2]", "[5]", "[6]", "[7]", "[8]", "[9]"], True)


async def test_every_committed_change_is_read_once_whoever_writes_beside(database: Database) -> None:
    start = await newest_id(database)
    committed: set[str] = set()
    chooser = random.Random(7)
    rounds = count(15, 400)

    async def writer(number: int) -> None:
        for turn in range(rounds):
            mine = [change(number * 10_000 + turn * 10 + place) for place in range(chooser.randint(1, 3))]

            async def work(transaction: Transaction, mine: list[NewChange] = mine) -> None:
                await append(transaction, mine)
                await asyncio.sleep(chooser.choice((0, 0, 0.001, 0.02)))
                if chooser.random() < 0.2:
                    raise TransactionConflict

            try:
                async with database.transaction(deadline=time.monotonic() + 20) as transaction:
                    await work(transaction)
            except TransactionConflict:
                continue
            committed.update(each.row_key for each in mine)

    read: list[Change] = []
    settling = Settling(WRITING_S)
    writers = asyncio.gather(*map(writer, range(WRITERS)))
    after = start
    while True:
        is_done = writers.done()
        batch = await read_since(database, after, 7, settling=settling)
        read += batch.changes
        after = batch.upto
        if is_done and batch.settled and not batch.more:
            break
        await asyncio.sleep(0 if batch.more else 0.005)
    await writers
    assert len(read) == len({each.row_key for each in read})
    assert {each.row_key for each in read} == committed
    again = await settles(database, start, Settling(WRITING_S))
    assert [each.id for each in read] == [each.id for each in again.changes]  # the order is one and the same
