"""Slow hashes run in threads, few at a time, and whoever comes when too many wait is sent away."""

import asyncio
from collections.abc import Iterator
from threading import Event, Lock

import pytest

from identity.errors import Throttled
from identity.hashing import Hashing


@pytest.fixture
def hashing() -> Iterator[Hashing]:
    made = Hashing(at_once=2, waiting=3)
    yield made
    made.close()


async def test_no_more_than_two_run_at_once_and_the_loop_goes_on(hashing: Hashing) -> None:
    lock, gate, running, most = Lock(), Event(), 0, 0

    def work() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1
        return 1

    tasks = [asyncio.create_task(hashing.run(work)) for _ in range(5)]
    await asyncio.sleep(0.05)
    with pytest.raises(Throttled):
        await hashing.run(work)
    gate.set()
    assert sum(await asyncio.gather(*tasks)) == 5
    assert most == 2
    assert await hashing.run(lambda: "free again") == "free again"


async def test_a_caller_that_goes_away_frees_no_place_before_its_hash_has_ended(hashing: Hashing) -> None:
    gate = Event()
    tasks = [asyncio.create_task(hashing.run(lambda: gate.wait(5))) for _ in range(2)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert hashing._count == 2
    gate.set()
    hashing.close()
    await asyncio.to_thread(hashing._pool.shutdown)
    assert hashing._count == 0


async def test_what_a_hash_raises_reaches_its_caller(hashing: Hashing) -> None:
    with pytest.raises(ZeroDivisionError):
        await hashing.run(lambda: 1 // 0)
    assert hashing._count == 0
