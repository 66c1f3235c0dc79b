"""Waits with one timer for all of them: each ends in its own time, as with `asyncio.timeout`."""

import asyncio
from typing import Any

import pytest

from storage.patience import Within, clock_of_loop

SHORT_S, LONG_S = 0.02, 30.0


async def test_what_takes_too_long_is_cancelled_and_times_out() -> None:
    with pytest.raises(TimeoutError):
        async with Within(SHORT_S):
            await asyncio.sleep(LONG_S)

    assert asyncio.current_task() is not None
    await asyncio.sleep(0)  # nothing of the cancellation is left


async def test_what_is_done_in_time_is_left_alone() -> None:
    async with Within(SHORT_S):
        pass

    await asyncio.sleep(2 * SHORT_S)
    assert not clock_of_loop().waiting


async def test_a_time_that_has_passed_ends_the_next_wait() -> None:
    with pytest.raises(TimeoutError):
        async with Within(-1):
            await asyncio.sleep(LONG_S)


async def test_a_shorter_wait_inside_a_longer_one_ends_alone() -> None:
    async with Within(LONG_S):
        with pytest.raises(TimeoutError):
            async with Within(SHORT_S):
                await asyncio.sleep(LONG_S)
        await asyncio.sleep(0)


async def test_a_shorter_wait_outside_ends_both() -> None:
    ended = []

    async def wait() -> None:
        try:
            async with Within(LONG_S):
                await asyncio.sleep(LONG_S)
        except BaseException as error:
            ended.append(type(error))
            raise

    with pytest.raises(TimeoutError):
        async with Within(SHORT_S):
            await wait()

    assert ended == [asyncio.CancelledError]


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def wait() -> None:
        async with Within(LONG_S):
            await asyncio.sleep(LONG_S)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failure_inside_is_told_as_it_is() -> None:
    with pytest.raises(LookupError):
        async with Within(LONG_S):
            raise LookupError


async def test_many_waits_have_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    armed: list[float] = []
    call_at = loop.call_at

    def counting(when: float, *given: Any, **named: Any) -> Any:
        armed.append(when)
        return call_at(when, *given, **named)

    async with Within(1):
        monkeypatch.setattr(loop, "call_at", counting)
        for _ in range(50):
            async with Within(LONG_S):
                pass

    assert not armed


async def test_waits_end_in_the_order_of_their_time() -> None:
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        with pytest.raises(TimeoutError):
            async with Within(seconds):
                await asyncio.sleep(LONG_S)
        ended.append(seconds)

    await asyncio.gather(*(wait(seconds) for seconds in (0.15, 0.05, 0.1)))

    assert ended == [0.05, 0.1, 0.15]
