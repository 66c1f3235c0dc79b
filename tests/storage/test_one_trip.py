"""The event loop stands still for a short statement on SQLite, never for long, and never for one that has proved to be long."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from storage import one_trip
from storage.one_trip import OneTripConnection, connect

PATIENCE_S = 20.0


@pytest.fixture
async def connection(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OneTripConnection]:
    monkeypatch.setattr(one_trip, "STILL_S", PATIENCE_S)  # also where the machine is busy
    monkeypatch.setattr(one_trip, "TURNS", 1)
    monkeypatch.setattr(one_trip, "_slow", {})
    opened = await connect(":memory:")
    yield opened  # type: ignore[misc] # aiosqlite says its own class
    await opened.close()


def held() -> tuple[threading.Event, Callable[[], str]]:
    """Return work that lasts until it is let go."""
    gate = threading.Event()

    def work() -> str:
        assert gate.wait(PATIENCE_S)
        return "done"

    return gate, work


async def test_a_short_statement_has_its_answer_before_others_go_on(connection: OneTripConnection) -> None:
    seen: list[str] = []

    def work() -> str:
        seen.append("statement")
        return "done"

    asyncio.get_running_loop().call_soon(lambda: seen.append("others"))
    assert await connection.short_trip("SELECT 1", work) == "done"
    assert seen == ["statement", "others"]


async def test_whoever_has_many_statements_lets_others_run_between_them(connection: OneTripConnection) -> None:
    turns: list[str] = []

    async def many(name: str) -> None:
        for _ in range(3):
            await connection.short_trip("SELECT 1", lambda: None)
            turns.append(name)

    await asyncio.gather(many("a"), many("b"))
    assert turns == ["a", "b"] * 3


async def test_others_run_while_a_long_statement_does(
    connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_trip, "STILL_S", 0.001)
    gate, work = held()
    waiting = asyncio.create_task(connection.short_trip("SELECT long", work))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(gate.set)  # by the loop itself: it is free
    assert await waiting == "done"


async def test_what_is_a_little_longer_has_several_turns_and_counts_as_short(
    connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_trip, "TURNS", 1_000)
    monkeypatch.setattr(one_trip, "STILL_S", 0.02)
    gate, work = held()
    asyncio.get_running_loop().call_soon(gate.set)  # between two turns
    assert await connection.short_trip("SELECT 1", work) == "done"
    assert one_trip._slow == {}


async def test_nobody_stands_still_for_a_text_that_was_long(
    connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_trip, "STILL_S", 0.001)
    monkeypatch.setattr(one_trip, "SLOW_FOR_S", PATIENCE_S)
    gate, work = held()
    waiting = asyncio.create_task(connection.short_trip("SELECT long", work))
    await asyncio.sleep(0)
    gate.set()
    await waiting

    monkeypatch.setattr(one_trip, "STILL_S", PATIENCE_S)
    gate, work = held()
    waiting = asyncio.create_task(connection.short_trip("SELECT long", work))
    await asyncio.sleep(0)  # comes back, although the work is held
    gate.set()
    assert await waiting == "done"


async def test_an_error_comes_out_as_it_was(connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        raise sqlite3.OperationalError("no such table")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.short_trip("SELECT 1", work)

    monkeypatch.setattr(one_trip, "STILL_S", 0.001)
    gate, held_work = held()

    def late() -> None:
        held_work()
        work()

    waiting = asyncio.create_task(connection.short_trip("SELECT 2", late))
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await waiting


async def test_texts_that_were_long_are_remembered_within_a_bound(
    connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_trip, "STILL_S", 0.0)
    monkeypatch.setattr(one_trip, "SLOW_KEPT", 3)
    for number in range(9):
        gate, work = held()
        waiting = asyncio.create_task(connection.short_trip(f"SELECT {number}", work))
        await asyncio.sleep(0)
        gate.set()
        await waiting
    assert 0 < len(one_trip._slow) <= 3


async def test_a_closed_connection_runs_nothing() -> None:
    opened = await connect(":memory:")
    await opened.close()
    with pytest.raises(ValueError, match="closed"):
        await opened.short_trip("SELECT 1", lambda: None)  # type: ignore[attr-defined] # as above
