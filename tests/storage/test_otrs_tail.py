"""What OTRS writes beside us is noted once, whoever looks; what we write ourselves is not noted again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from storage.changes import Change, NewChange, append, ids_since, make_key, newest_id, read_since
from storage.engine import Database
from storage.errors import TransactionConflict, Unavailable
from storage.otrs_tail import Tail
from storage.own import read_meta
from storage.own_tables import META
from storage.transaction import Transaction
from storage.values import wall_clock
from tests.databases import DIALECTS, fresh_url

SERVERS = ("mysql", "postgresql")
overtaking = pytest.mark.parametrize("shared_url", SERVERS, indirect=True)  # SQLite has one writer
TICKET = 1
NEW_TICKET, NOTE = "NewTicket", "AddNote"
INSERT_HISTORY = sa.text(
    "INSERT INTO ticket_history (name, history_type_id, ticket_id, type_id, queue_id, owner_id, priority_id, state_id, "
    "create_time, create_by, change_time, change_by) "
    "SELECT 'x', id, :ticket, 1, 1, 1, 1, 1, :moment, :agent, :moment, :agent FROM ticket_history_type WHERE name = :type"
)
INSERT_ARTICLE = sa.text(
    "INSERT INTO article (ticket_id, article_sender_type_id, communication_channel_id, is_visible_for_customer, "
    "search_index_needs_rebuild, create_time, create_by, change_time, change_by) "
    "VALUES (:ticket, 1, 1, 1, 1, '2026-06-01 12:00:00', 1, '2026-06-01 12:00:00', 1)"
)
NEWEST_ROW = "SELECT max(id) FROM ticket_history"


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.otrs_tail.PAUSE_S", 0)


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url)
    yield opened
    await opened.close()


@pytest.fixture
async def tail(database: Database) -> Tail:
    """Somebody who knows what was there before."""
    made = Tail(database)
    while await look(made):
        pass
    return made


async def look(tail: Tail) -> int:
    return await tail.look("ticket", "article")


async def add_row(transaction: Transaction, kind: str = NOTE, *, second: int = 0, agent: int = 1) -> int:
    """Write a row of history as OTRS does, and as we do; return its id, which the transaction itself sees."""
    moment = datetime(2026, 6, 1, 12, 0, second, tzinfo=UTC)
    values = {
        "ticket": TICKET,
        "agent": agent,
        "type": kind,
        "moment": wall_clock(moment, transaction.dialect.name, ZoneInfo("UTC")),
    }
    await transaction.execute(INSERT_HISTORY, values)
    return int((await transaction.execute(NEWEST_ROW))[0][0])


async def otrs(database: Database, kind: str = NOTE, **values: int) -> int:
    async with database.transaction() as transaction:
        return await add_row(transaction, kind, **values)


async def ours(transaction: Transaction, source: int) -> None:
    await append(transaction, [NewChange("ticket", make_key([TICKET]), 2, "agent", 1, "root@localhost", source=source)])


async def noted(database: Database, start: int) -> list[Change]:
    return [change for change in await all_since(database, start) if change.origin]


async def all_since(database: Database, start: int) -> tuple[Change, ...]:
    batch = await read_since(database, start, 1_000)
    assert len(batch.changes) == len(await ids_since(database, start))
    return batch.changes


async def test_a_row_of_otrs_becomes_a_change_of_its_ticket(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    number = await otrs(database)
    assert await look(tail) == 1
    (change,) = await all_since(database, start)
    assert (change.module, change.row_key, change.kind, change.fields) == ("ticket", "[1]", 2, {})
    assert (change.actor_kind, change.actor_id, change.actor_login) == ("agent", 1, "root@localhost")
    assert (change.origin, change.source) == (f"otrs:ticket_history:{number}", number)
    assert await look(tail) == 0


async def test_a_ticket_begins_with_its_first_row(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    await otrs(database, NEW_TICKET)
    await look(tail)
    assert [change.kind for change in await all_since(database, start)] == [1]


async def test_an_article_of_otrs_is_a_new_one(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    async with database.transaction() as transaction:
        await transaction.execute(INSERT_ARTICLE, {"ticket": TICKET})
    assert await look(tail) == 1
    (change,) = await all_since(database, start)
    number = (await database.fetch("SELECT max(id) FROM article"))[0][0]
    assert (change.module, change.row_key, change.kind) == ("article", make_key([number]), 1)
    assert change.origin == f"otrs:article:{number}"


async def test_what_we_write_ourselves_is_left_out(database: Database, tail: Tail) -> None:
    async with database.transaction() as transaction:
        await add_row(transaction)
        source = await add_row(transaction)
        await transaction.execute(INSERT_ARTICLE, {"ticket": TICKET})
        number = (await transaction.execute("SELECT max(id) FROM article"))[0][0]
        await ours(transaction, source)
        await append(transaction, [NewChange("article", make_key([number]), 1, "agent", 1, "root@localhost")])
    assert await look(tail) == 0


async def test_a_row_of_otrs_before_and_after_ours_is_told_apart(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    before = await otrs(database, second=1)
    async with database.transaction() as transaction:
        await add_row(transaction, second=2)
        await ours(transaction, await add_row(transaction, second=2))
    after = await otrs(database, second=2)
    assert await look(tail) == 2
    assert [change.source for change in await noted(database, start)] == [before, after]


@overtaking
async def test_a_row_of_otrs_in_the_middle_of_ours_is_told_apart(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    async with database.transaction() as transaction:
        await add_row(transaction, second=2)
        between = await otrs(database, second=3)
        await ours(transaction, await add_row(transaction, second=2))
    await look(tail)
    assert [change.source for change in await noted(database, start)] == [between]


async def test_what_was_there_at_the_first_start_is_not_noted(shared_url: str, database: Database) -> None:
    await otrs(database)
    async with database.transaction() as transaction:
        await transaction.execute(sa.delete(META).where(META.c.name.startswith("tail:")))
    start = await newest_id(database)
    first = Tail(database)
    assert await look(first) == 0
    async with database.transaction() as transaction:
        meta = await read_meta(transaction)
    newest = (await database.fetch(NEWEST_ROW))[0][0]
    assert meta["tail:ticket_history"] == str(newest)
    assert "tail:article" in meta
    await otrs(database)
    assert await look(first) == 1
    assert len(await all_since(database, start)) == 1


async def test_what_came_while_nobody_looked_is_noted_by_whoever_looks_next(
    database: Database, tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.growing.BATCH", 3)
    monkeypatch.setattr("storage.otrs_tail.BATCH", 3)
    start = await newest_id(database)
    numbers = [await otrs(database) for _ in range(8)]
    assert await look(Tail(database)) == 8
    assert [change.source for change in await noted(database, start)] == numbers
    assert await look(tail) == 0


async def test_two_processes_note_a_row_once(shared_url: str, database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    other = Database(shared_url)
    others = Tail(other)
    await look(others)
    for _ in range(5):
        numbers = [await otrs(database) for _ in range(3)]
        assert sum(await asyncio.gather(look(tail), look(others))) == len(numbers)
    changes = await noted(database, start)
    assert len({change.origin for change in changes}) == len(changes) == 15
    await other.close()


@overtaking
async def test_a_row_that_becomes_visible_late_is_noted(database: Database, tail: Tail) -> None:
    start = await newest_id(database)
    async with database.transaction() as transaction:
        late = await add_row(transaction)
        early = await otrs(database)
        assert await look(tail) == 1
        assert await look(Tail(database)) == 0  # another process, or the same one started again
    assert await look(tail) == 1
    assert [change.source for change in await noted(database, start)] == [early, late]

    async with database.transaction() as transaction:
        late = await add_row(transaction)
        await otrs(database)
        assert await look(tail) == 1
    assert await look(Tail(database)) == 1  # it was remembered as missing
    assert await look(tail) == 0


@overtaking
async def test_a_row_that_never_comes_is_given_up(
    database: Database, tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mark() -> int:
        async with database.transaction() as transaction:
            return int((await read_meta(transaction))["tail:ticket_history"])

    async def roll_back() -> None:
        async with database.transaction() as transaction:
            await add_row(transaction)
            await otrs(database)
            raise TransactionConflict

    with pytest.raises(TransactionConflict):
        await roll_back()
    newest = (await database.fetch(NEWEST_ROW))[0][0]
    await look(tail)
    assert await mark() < newest
    monkeypatch.setattr("storage.growing.LATE_S", 0)
    await look(tail)
    assert await mark() == newest


async def test_a_failure_loses_nothing(database: Database, tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise Unavailable("away")

    start = await newest_id(database)
    number = await otrs(database)
    with monkeypatch.context() as broken:
        broken.setattr("storage.otrs_tail.append", fail)
        with pytest.raises(Unavailable):
            await look(tail)
    assert await look(tail) == 1
    assert [change.source for change in await noted(database, start)] == [number]


async def test_it_looks_once_a_second_however_often_it_is_asked(
    database: Database, tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.otrs_tail.PAUSE_S", 3600)
    await otrs(database)
    assert await look(tail) == 0
    monkeypatch.setattr("storage.otrs_tail.PAUSE_S", 0)
    assert await look(tail) == 1


async def test_modules_that_are_not_there_have_no_changes(database: Database, tail: Tail) -> None:
    await otrs(database)
    assert await tail.look(None, "article") == 0
    assert await tail.look("case", None) == 1  # the name is the module's, not the table's
