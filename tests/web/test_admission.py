"""Places for operations: taken in turn, and left to others by those who wait for something that takes none."""

from __future__ import annotations

import asyncio

import pytest

from web.admission import Admission, outside

pytestmark = pytest.mark.timed


async def hold(admission: Admission, begun: asyncio.Event, end: asyncio.Event, *, leaves: bool = False) -> None:
    async with admission:
        if leaves:
            async with outside():
                begun.set()
                await end.wait()
        else:
            begun.set()
            await end.wait()


async def begun(task_of: Admission, end: asyncio.Event, *, leaves: bool = False) -> asyncio.Task[None]:
    event = asyncio.Event()
    task = asyncio.create_task(hold(task_of, event, end, leaves=leaves))
    await asyncio.wait_for(event.wait(), 30)
    return task


async def test_who_waits_outside_leaves_the_place_to_others() -> None:
    admission, end = Admission(1, 10, 5), asyncio.Event()
    waiting = await begun(admission, end, leaves=True)
    working = await begun(admission, end)
    end.set()
    await asyncio.gather(waiting, working)
    assert admission._free.free == 1


async def test_who_comes_back_waits_for_a_place() -> None:
    admission, outside_end, inside_end = Admission(1, 10, 5), asyncio.Event(), asyncio.Event()
    waiting = await begun(admission, outside_end, leaves=True)
    working = await begun(admission, inside_end)
    outside_end.set()
    await asyncio.sleep(0.01)
    assert not waiting.done()
    inside_end.set()
    await asyncio.wait_for(asyncio.gather(waiting, working), 30)


async def test_several_parts_of_an_operation_give_one_place_back() -> None:
    admission = Admission(1, 10, 5)

    async def part() -> None:
        async with outside():
            await asyncio.sleep(0.01)

    async with admission:
        await asyncio.gather(part(), part(), part())
        assert admission._free.free == 0
    assert admission._free.free == 1


@pytest.mark.parametrize("places", [1, 2])
async def test_parts_that_come_back_one_after_the_other_take_one_place_together(places: int) -> None:
    admission, is_taken, end = Admission(places, 10, 5), asyncio.Event(), asyncio.Event()

    async def other() -> None:
        async with admission:
            is_taken.set()
            await end.wait()

    async def first() -> None:
        async with outside():
            await is_taken.wait()

    async def second() -> None:
        await is_taken.wait()
        await asyncio.sleep(0.01)  # by now the first one stands in line
        async with outside():
            await asyncio.sleep(0.01)

    async with admission:
        parts = asyncio.gather(first(), second())
        await asyncio.sleep(0)
        others = asyncio.gather(*(other() for _ in range(places)))
        await asyncio.sleep(0.05)
        end.set()
        await asyncio.wait_for(parts, 5)
        await others
    assert admission._free.free == places


@pytest.mark.parametrize("leaves", [False, True])
async def test_an_operation_that_is_given_up_leaves_as_many_places_as_there_were(leaves: bool) -> None:
    admission, end, other_end = Admission(1, 10, 5), asyncio.Event(), asyncio.Event()
    task = await begun(admission, end, leaves=leaves)
    other = await begun(admission, other_end) if leaves else None
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()
    other_end.set()
    await asyncio.gather(task, *([other] if other else []), return_exceptions=True)
    assert admission._free.free == 1


async def test_outside_of_operations_nothing_is_given_back() -> None:
    async with outside():
        pass
