"""Places: as many at once as there are, taken in turn, and none lost with whoever is given up while he waits."""

from __future__ import annotations

import asyncio

import pytest

from storage.places import Places


async def until_waiting(places: Places, order: list[int], number: int) -> asyncio.Task[None]:
    async def wait() -> None:
        await places.wait()
        order.append(number)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


async def test_places_are_taken_at_once_until_there_are_none() -> None:
    places = Places(2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert places.take()


async def test_who_waits_longest_is_next_and_nobody_comes_between() -> None:
    places, order = Places(1), list[int]()
    assert places.take()
    tasks = [await until_waiting(places, order, number) for number in range(3)]
    for _ in tasks:
        places.give_back()
        assert not places.take()
        await asyncio.sleep(0)
    assert order == [0, 1, 2]
    places.give_back()
    assert places.free == 1


@pytest.mark.parametrize("is_given", [False, True])
async def test_a_place_is_not_lost_with_whoever_is_given_up(is_given: bool) -> None:
    places, order = Places(1), list[int]()
    assert places.take()
    first, second = [await until_waiting(places, order, number) for number in range(2)]
    if is_given:
        places.give_back()  # to the first, which does not come to know it
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    if not is_given:
        places.give_back()
    await asyncio.wait_for(second, 5)
    assert order == [1]
    places.give_back()
    assert places.free == 1
