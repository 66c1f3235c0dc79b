"""How the full-text index is built and kept: in steps that another process may go on with, once between them."""

import asyncio
from collections.abc import Iterator

import pytest

from resolvers import text_index
from resolvers.context import OwnFeed
from resolvers.text_index import TextIndex
from storage import text_rows
from storage.engine import Database
from storage.text_rows import BUILDING, COMPLETE
from tests.databases import DIALECTS, fresh_url
from tests.desk.api import Api

TICKETS = 12


@pytest.fixture(params=DIALECTS)
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database for each test, whose index is built in small steps."""
    monkeypatch.setattr(text_index, "BATCH", dict.fromkeys(DIALECTS, 3))
    with fresh_url(request.param) as found:
        yield found


def index_of(api: Api, database: Database | None = None) -> TextIndex:
    """Make what keeps the index, as a process of its own would."""
    return TextIndex(database or api.database, OwnFeed(database or api.database))


async def settle(api: Api, index: TextIndex) -> None:
    while await index.step(api.snapshot):
        pass


async def texts(api: Api) -> set[int]:
    return {row[0] for row in await api.database.fetch("SELECT id FROM lambdesk_text")}


async def find(api: Api, text: str) -> int:
    found: int = (await api.data("query ($s: String) { tickets(search: $s) { totalCount } }", s=text))["tickets"][
        "totalCount"
    ]
    return found


async def test_the_newest_rows_come_first_and_another_process_goes_on(api: Api) -> None:
    for number in range(TICKETS):
        await api.ticket(f"Ticket number{number}")
    first = index_of(api)
    while len(some := await texts(api)) < 4:  # one article, and some of the tickets
        await first.step(api.snapshot)
    assert BUILDING in {row[3] for row in await api.database.fetch(text_rows.ALL_SOURCES)}

    await settle(api, index_of(api))

    every = await texts(api)
    assert len(some) < len(every)
    slot = max(some) & 255  # of tickets
    done, left = ([number >> 8 for number in group if number & 255 == slot] for group in (some, every - some))
    assert min(done) > max(left)


async def test_several_processes_build_it_once_between_them(api: Api, url: str) -> None:
    for number in range(TICKETS):
        await api.ticket(f"Ticket number{number}")
    other = Database(url)
    try:
        one, two = index_of(api), index_of(api, other)
        await asyncio.gather(settle(api, one), settle(api, two))
        await settle(api, one)
        await settle(api, two)
    finally:
        await other.close()

    rows = await api.database.fetch(text_rows.ALL_SOURCES)
    assert {row[3] for row in rows} == {COMPLETE}
    assert len({row[2] for row in rows}) == len(rows)
    assert one.ready == two.ready
    api.texts = one
    assert await find(api, "number") == TICKETS
    assert await find(api, "number1") == 3, "1, 10 and 11"


async def test_what_is_written_while_it_is_built_is_in_it(api: Api) -> None:
    keys = [await api.ticket(f"Ticket before{number}") for number in range(TICKETS)]
    index = index_of(api)
    for step in range(200):
        more = await index.step(api.snapshot)
        if step < TICKETS:  # rows that are in, and rows that are not
            await api.done("updateTicket", "ticket { id }", key={"databaseId": keys[step]}, patch={"title": "after"})
            await api.ticket("after")
        elif not more:
            break
    api.texts = index

    assert index.ready
    assert await find(api, "after") == 2 * TICKETS
    assert await find(api, "before") == 0


async def test_a_process_that_comes_back_searches_when_it_has_caught_up(api: Api) -> None:
    await settle(api, index_of(api))
    await api.ticket("Meanwhile")
    back = api.texts = index_of(api)
    assert await find(api, "eanwhil") == 1, "in the texts themselves"

    await settle(api, back)

    assert back.ready
    assert await find(api, "meanw") == 1
    assert await find(api, "eanwhil") == 0


async def test_a_step_that_fails_is_made_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    index = api.texts = index_of(api)
    await settle(api, index)
    await api.ticket("Again")
    put = text_rows.put_texts

    async def fail(*_: object) -> int:
        raise TimeoutError

    monkeypatch.setattr(text_rows, "put_texts", fail)
    with pytest.raises(TimeoutError):
        await index.step(api.snapshot)
    monkeypatch.setattr(text_rows, "put_texts", put)
    await settle(api, index)

    assert await find(api, "again") == 1


async def test_what_is_kept_of_an_operation_does_not_outlive_the_texts_it_searches(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_index, "LEAVE_S", 0.0)
    query = '{ tickets(search: "kept") { totalCount } }'
    await api.ticket("Kept ticket")
    index = api.texts = index_of(api)

    async def found() -> list[int]:
        return [(await api.data(query))["tickets"]["totalCount"] for _ in range(4)]

    await settle(api, index)
    before = dict(index.ready)
    assert await found() == [1] * 4
    async with api.database.transaction() as transaction:
        await text_rows.begin_again(transaction, await text_rows.read_sources(transaction))
    await asyncio.sleep(0.01)
    await settle(api, index)
    await asyncio.sleep(0.01)
    await settle(api, index)
    assert not set(before.values()) & {row.slot for row in index.rows}
    assert await found() == [1] * 4


async def test_texts_that_nobody_wants_go_after_a_while(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_index, "IDLE_S", 0.0)
    monkeypatch.setattr(text_index, "LEAVE_S", 0.0)
    index = index_of(api)
    await settle(api, index)
    async with api.database.transaction() as transaction:
        slot = await text_rows.add_source(transaction, "gone", "of a module that is gone", upto=0, total=1)
        assert slot is not None
        await text_rows.put_texts(transaction, {1 << 8 | slot: "word"})

    for _ in range(50):
        await asyncio.sleep(0.01)
        await index.step(api.snapshot)
        if slot not in {row.slot for row in index.rows}:
            break

    assert slot not in {row.slot for row in index.rows}
    assert 1 << 8 | slot not in await texts(api)
