"""A lambda that is stopped again and again rests, longer each time, and shows by one try that it has become better."""

from __future__ import annotations

from lambdas.breaker import REST_CEILING_S, REST_S, TRY_S, WINDOW_S, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def kill(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        breaker.killed("a")


def test_two_kills_are_forgiven_and_the_third_opens() -> None:
    breaker = Breaker(Clock())
    kill(breaker, 2)
    assert not breaker.is_open("a")
    kill(breaker, 1)
    assert breaker.is_open("a")
    assert breaker.state("a") == "open"


def test_kills_that_lie_far_apart_do_not_count_together() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(10):
        breaker.killed("a")
        clock.now += WINDOW_S / 2 + 1
    assert not breaker.is_open("a")


def test_after_its_rest_one_may_try_and_the_others_wait() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    kill(breaker)
    clock.now += REST_S + 1
    assert [breaker.is_open("a") for _ in range(3)] == [False, True, True]
    assert breaker.state("a") == "trying"


def test_a_try_that_went_well_closes() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    kill(breaker)
    clock.now += REST_S + 1
    breaker.is_open("a")
    breaker.went_well("a")
    assert not breaker.is_open("a")
    assert breaker.state("a") == "closed"


def test_a_try_of_which_nobody_heard_is_followed_by_another() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    kill(breaker)
    clock.now += REST_S + 1
    breaker.is_open("a")
    clock.now += TRY_S + 1
    assert not breaker.is_open("a")


def test_each_failed_try_doubles_the_rest_up_to_a_ceiling() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    kill(breaker)
    rest = float(REST_S)
    for _ in range(8):
        clock.now += rest - 1
        assert breaker.is_open("a")
        clock.now += 2
        assert not breaker.is_open("a")
        breaker.killed("a")
        rest = min(rest * 2, REST_CEILING_S)
    assert rest == REST_CEILING_S


def test_success_between_kills_does_not_hide_them() -> None:
    breaker = Breaker(Clock())
    for _ in range(3):
        breaker.killed("a")
        breaker.went_well("a")
    assert breaker.is_open("a")


def test_what_was_written_anew_runs_at_once_and_others_are_not_touched() -> None:
    breaker = Breaker(Clock())
    kill(breaker)
    for _ in range(3):
        breaker.killed("b")
    breaker.reset(["a"])
    assert (breaker.is_open("a"), breaker.is_open("b")) == (False, True)
