"""What was read is remembered for a second, and never longer."""

import asyncio

import pytest

from identity.memory import Memory
from tests.identity.world import Clock


class Source:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.value = "first"

    async def ask(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        return self.value


@pytest.fixture
def memory(clock: Clock) -> Memory[str, str]:
    return Memory(clock, entries=3)


async def test_an_answer_counts_for_a_second(memory: Memory[str, str], clock: Clock) -> None:
    source = Source()
    for _ in range(3):
        assert await memory.get("a", source.ask) == "first"
    source.value = "second"
    clock.now += 0.999
    assert await memory.get("a", source.ask) == "first"
    clock.now += 0.001
    assert await memory.get("a", source.ask) == "second"
    assert source.asked == 2


async def test_the_second_begins_with_the_question_not_with_the_answer(memory: Memory[str, str], clock: Clock) -> None:
    source = Source()

    async def slowly() -> str:
        clock.now += 0.9
        return await source.ask()

    await memory.get("a", slowly)
    clock.now += 0.1
    await memory.get("a", source.ask)
    assert source.asked == 2


async def test_what_is_forgotten_is_asked_anew(memory: Memory[str, str]) -> None:
    source = Source()
    await memory.get("a", source.ask)
    await memory.get("b", source.ask)
    memory.forget("a")
    await memory.get("a", source.ask)
    await memory.get("b", source.ask)
    assert source.asked == 3
    memory.forget_all()
    await memory.get("b", source.ask)
    assert source.asked == 4


async def test_an_answer_that_was_under_way_when_something_was_forgotten_is_not_kept(
    memory: Memory[str, str],
) -> None:
    source = Source()

    async def overtaken() -> str:
        answer = await source.ask()
        memory.forget("a")
        source.value = "second"
        return answer

    assert await memory.get("a", overtaken) == "first"
    assert await memory.get("a", source.ask) == "second"


async def test_what_is_remembered_is_bounded(memory: Memory[str, str]) -> None:
    source = Source()
    for name in "abcd":
        await memory.get(name, source.ask)
    assert list(memory._known) == ["b", "c", "d"]
    await memory.get("a", source.ask)
    assert source.asked == 5
