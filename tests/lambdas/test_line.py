"""Who waits for a worker is served in turn, a caller at a time; beyond the line everybody is told at once."""

from __future__ import annotations

import pytest

from lambdas.line import CALLER_LIMIT, LINE_LIMIT, Line, LineFull


async def test_callers_are_served_in_turn() -> None:
    line: Line[int] = Line()
    busy = [line.join("busy") for _ in range(3)]
    modest = line.join("modest")
    for thing in range(3):
        line.serve(thing)
    assert [future.done() and future.result() for future in (*busy, modest)] == [0, 2, False, 1]


async def test_who_left_is_passed_over() -> None:
    line: Line[int] = Line()
    gone, there = line.join("a"), line.join("b")
    gone.cancel()
    assert line.serve(7)
    assert there.result() == 7
    assert not line.serve(8)
    assert line.length == 0


async def test_one_caller_cannot_fill_the_line() -> None:
    line: Line[int] = Line()
    waiting = [line.join("busy") for _ in range(CALLER_LIMIT)]
    with pytest.raises(LineFull):
        line.join("busy")
    assert line.join("modest")
    assert len(waiting) == CALLER_LIMIT


async def test_the_line_has_an_end() -> None:
    line: Line[int] = Line()
    waiting = [line.join(str(number % 10)) for number in range(LINE_LIMIT)]
    with pytest.raises(LineFull):
        line.join("another")
    line.refuse(ValueError())
    assert all(isinstance(future.exception(), ValueError) for future in waiting)
