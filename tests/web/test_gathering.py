"""Changes in batches: each row once, as it was before the first of its changes, and no more than can be checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from storage.changes import Change
from storage.errors import TooSlow
from web.gathering import BATCH, WAITING, Gathered

pytestmark = pytest.mark.timed


def change(number: int, row: int = 1, **fields: list[object]) -> Change:
    return Change("room", f"[{row}]", 2, "agent", 1, "ada", fields=fields, id=number)


async def given(*changes: Change, failure: Exception | None = None) -> AsyncIterator[Change]:
    for item in changes:
        yield item
    if failure is not None:
        raise failure


async def batches(gathered: Gathered, settles: bool = False) -> list[list[int]]:
    found = []
    async with aclosing(gathered.batches()) as taken:
        async for batch in taken:
            found.append([item.id for item in batch])
            if settles:
                gathered.settle()
    return found


async def test_a_row_that_changed_twice_is_as_it_was_before_the_first() -> None:
    twice = (change(1, seats=["2", "3"], name=["a", "b"]), change(2, seats=["3", "4"], floor=["0", "1"]))
    async with aclosing(Gathered(given(*twice), seconds=0).batches()) as taken:
        (only,) = await anext(taken)
    assert only.id == 2
    assert only.fields == {"seats": ["2", "4"], "name": ["a", "b"], "floor": ["0", "1"]}


async def test_batches_are_small_and_the_newest_come_first() -> None:
    rows = [change(number, row=number) for number in range(BATCH + 5)]
    assert await batches(Gathered(given(*rows), seconds=0)) == [list(range(5, BATCH + 5)), [0, 1, 2, 3, 4]]


async def test_after_something_was_told_the_rest_is_let_go() -> None:
    rows = [change(number, row=number) for number in range(BATCH * 4)]
    assert len(await batches(Gathered(given(*rows), seconds=0), settles=True)) == 1


async def test_what_waits_is_bounded() -> None:
    rows = [change(number, row=number) for number in range(WAITING + 500)]
    assert sum(map(len, await batches(Gathered(given(*rows), seconds=0)))) == WAITING


async def test_where_one_row_matters_others_cost_nothing() -> None:
    rows = [change(number, row=number) for number in range(100)]
    assert await batches(Gathered(given(*rows), "[7]", seconds=0)) == [[7]]


async def test_a_failure_of_the_feed_comes_after_what_was_read() -> None:
    gathered = Gathered(given(change(1), failure=TooSlow()), seconds=0)
    async with aclosing(gathered.batches()) as taken:
        assert [item.id for item in await anext(taken)] == [1]
        with pytest.raises(TooSlow):
            await anext(taken)


async def test_batches_have_a_pause_between_them() -> None:
    rows = [change(number, row=number) for number in range(BATCH * 2)]
    start = asyncio.get_running_loop().time()
    assert len(await batches(Gathered(given(*rows), seconds=0.1))) == 2
    assert asyncio.get_running_loop().time() - start >= 0.1
