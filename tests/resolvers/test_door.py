"""Reads that belong together stand and fall together, and nothing of them is left lying about."""

import asyncio
import inspect

import pytest

from resolvers.errors import DatabaseAway
from resolvers.reads import together


async def test_reads_that_a_failure_stops_before_they_begin_are_closed() -> None:
    """Python would warn of a coroutine that nobody awaited; warnings are errors here."""

    async def away() -> None:
        raise DatabaseAway

    async def later() -> int:
        await asyncio.sleep(60)
        return 1

    jobs = [away(), later(), later()]
    with pytest.raises(DatabaseAway):
        await together(jobs)
    assert {inspect.getcoroutinestate(job) for job in jobs} == {inspect.CORO_CLOSED}
