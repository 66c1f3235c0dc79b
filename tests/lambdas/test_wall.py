"""Lambdas run in processes of their own, which are stopped at their limits and replaced; the server stays as it was."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from lambdas.contract import Answer, Power, Question
from lambdas.errors import FailureCode
from lambdas.limits import CPU_CEILING_MS, FIELD_LIMITS, GRACE_MS, Limits
from lambdas.pool import Sandbox
from tests.counts import count
from tests.lambdas.hostile import HOSTILE
from tests.lambdas.walled import Walled, children, descriptors, job_of, lives, memory_mb, threads, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timed]

RUNS = count(500, 10_000)
WALL_MS = 400
MAIN_GROWTH_MB = 20
WORKER_GROWTH_MB = 128 * 1.1
QUICK = replace(FIELD_LIMITS, cpu_ms=30, wall_ms=WALL_MS)
MANY_QUESTIONS = frozenset({Power.GQL})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walled() -> AsyncIterator[Walled]:
    sandbox = Sandbox()
    await sandbox.start()
    assert sandbox.is_on, sandbox.reason
    yield Walled(sandbox)
    await sandbox.close()


@pytest.fixture(autouse=True)
def _calm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", "lambdesk.lambdas")  # thousands of warnings would hide what a failed test says


async def test_every_step_of_the_lock_down_holds_here(walled: Walled) -> None:
    steps = {"namespaces", "user", "parent", "hidden", "limits", "privileges", "seccomp"}
    held = walled.sandbox.health().held
    if os.geteuid() != 0:  # only root may leave its namespaces
        held = {**held, "namespaces": None}
    assert held == dict.fromkeys(steps)


@pytest.mark.parametrize("what", HOSTILE)
async def test_what_means_harm_is_stopped_and_the_next_one_runs(walled: Walled, what: str) -> None:
    source, codes = HOSTILE[what]
    outcome = await walled.one(source, limits=QUICK)
    assert (outcome.failure and outcome.failure.code) in codes, outcome
    assert (await walled.one("return item.a + 1;", {"a": 1})).value == 2


async def test_thousands_of_bad_lambdas_leave_nothing_behind(walled: Walled) -> None:
    """No process, descriptor or thread more, next to no memory, no request that waits for ever; workers stay within theirs."""
    await walled.settle()
    before = (len(descriptors()), threads(), memory_mb("self"))
    base_mb = max(memory_mb(process) for process in walled.sandbox.processes)
    sources = list(HOSTILE.values())
    longest_ms, largest_mb, ended = 0.0, 0.0, Counter[str]()
    for start in range(0, RUNS, 2):
        pair = [sources[(start + offset) % len(sources)][0] for offset in range(2)]
        started = time.monotonic()
        async with asyncio.timeout(30):
            for outcome in await asyncio.gather(*(walled.one(source, limits=QUICK) for source in pair)):
                ended[outcome.failure.code if outcome.failure else "fine"] += 1
        longest_ms = max(longest_ms, (time.monotonic() - started) * 1000)
        largest_mb = max([largest_mb, *_peaks(walled.sandbox.processes)])
    await walled.settle()
    after = (len(descriptors()), threads(), memory_mb("self"))
    assert after[0] <= before[0] + 1
    assert after[1] <= before[1] + 1
    assert after[2] < before[2] + MAIN_GROWTH_MB
    assert largest_mb <= base_mb + WORKER_GROWTH_MB
    assert children(walled.sandbox.zygote or 0) == set(walled.sandbox.processes)
    assert ended[FailureCode.UNAVAILABLE] + ended[FailureCode.BUSY] == 0, ended
    assert ended[FailureCode.TIMEOUT] > RUNS // 3, ended


def _peaks(processes: tuple[int, ...]) -> list[float]:
    found = []
    for process in processes:
        try:
            found.append(memory_mb(process, "VmHWM"))
        except (OSError, ValueError):
            continue  # it ended in this moment
    return found


async def test_a_lambda_has_its_cpu_time_and_a_worker_that_lost_its_timers_its_deadline(walled: Walled) -> None:
    """The wall time counts while a lambda does nothing, too; the deadline is that of the server."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    outcome = await walled.one("for (;;);", limits=Limits(cpu_ms=5_000, cpu_row_ms=0, wall_ms=100))
    assert outcome.failure
    assert outcome.failure.code == FailureCode.TIMEOUT
    assert loop.time() - started < (100 + GRACE_MS) / 1000 + 1


async def test_more_rows_have_more_time_up_to_a_ceiling() -> None:
    assert FIELD_LIMITS.cpu_for(50) == 100
    assert FIELD_LIMITS.cpu_for(5_000) == CPU_CEILING_MS


async def test_memory_has_a_limit_before_time_is_up(walled: Walled) -> None:
    roomy = Limits(cpu_ms=2_000, wall_ms=4_000)
    outcome = await walled.one("const all = []; for (;;) all.push({a: 1});", limits=roomy)
    assert outcome.failure
    assert outcome.failure.code == FailureCode.MEMORY
    assert outcome.failure.message == "It used up its memory."


async def test_a_worker_that_broke_a_limit_is_never_used_again(walled: Walled) -> None:
    await walled.settle()
    before = set(walled.sandbox.processes)
    await walled.one("for (;;);", limits=QUICK)
    await walled.settle()
    assert len(before & set(walled.sandbox.processes)) == walled.sandbox.size - 1


async def test_what_asks_and_spins_asked_nothing(walled: Walled) -> None:
    asked: list[Question] = []

    async def answer(questions: object) -> list[Answer]:
        asked.extend(questions)  # type: ignore[arg-type]
        return []

    outcome = await walled.one(
        "try { gql('{a}') } catch {} for (;;);", answer=answer, powers=MANY_QUESTIONS, limits=QUICK
    )
    assert outcome.failure
    assert outcome.failure.code == FailureCode.TIMEOUT
    assert asked == []


async def test_a_worker_is_free_while_its_questions_are_answered() -> None:
    """The answer may need lambdas itself, and there is but one worker."""
    sandbox = Sandbox(size=1)
    await sandbox.start()

    async def answer(questions: object) -> list[Answer]:
        inner = await sandbox.run(job_of("return 20;", name="room.inner"))
        return [Answer(inner.outcomes[0][0].value)]

    try:
        job = job_of("return gql('{ a }') + 1;", powers=MANY_QUESTIONS)
        assert (await asyncio.wait_for(sandbox.run(job, answer), 30)).outcomes[0][0].value == 21
    finally:
        await sandbox.close()


async def test_questions_have_an_end(walled: Walled) -> None:
    async def answer(questions: list[Question]) -> list[Answer]:
        return [Answer(question.args[1]["n"] + 1) for question in questions]

    source = "let n = 0; for (;;) n = gql('q', {n}); return n;"
    outcome = await walled.one(source, answer=answer, powers=MANY_QUESTIONS)  # type: ignore[arg-type]
    assert outcome.failure
    assert (outcome.failure.code, outcome.failure.message) == (
        FailureCode.LIMIT,
        "It asks again after 8 rounds of answers.",
    )


async def test_one_bad_lambda_of_a_page_does_not_touch_the_others(walled: Walled) -> None:
    good, bad, late = (job_of(source, [{"a": 1}] * 3, name=name) for source, name in _PAGE)
    page = replace(good, batches=(*good.batches, *bad.batches, *late.batches), limits=QUICK)
    result = await walled.sandbox.run(page)
    assert [outcome.value for outcome in result.outcomes[0]] == [1, 1, 1]
    assert {outcome.failure and outcome.failure.code for outcome in result.outcomes[1]} == {FailureCode.TIMEOUT}
    assert [outcome.value for outcome in result.outcomes[2]] == [2, 2, 2]


_PAGE = (("return item.a;", "room.good"), ("for (;;);", "room.bad"), ("return item.a + 1;", "room.late"))


async def test_two_modules_share_no_context_and_two_jobs_no_global(walled: Walled) -> None:
    """What one caller's lambda leaves somewhere, another's does not find."""
    traces = (
        "leaked = me.login; globalThis.leaked = me.login; this.leaked = me.login;",
        "Array.prototype.leaked = me.login; Object.leaked = me.login; Math.leaked = me.login; JSON.x = me.login;",
        "/(.*)/.exec(me.login); arguments.callee.leaked = me.login; formatDate.leaked = me.login;",
    )
    look = """return [typeof leaked, globalThis.leaked, [].leaked, Object.leaked, Math.leaked, JSON.x, RegExp.$1,
        arguments.callee.leaked, formatDate.leaked].join('|');"""
    for trace in traces:
        await walled.one(f"try {{ {trace} }} catch {{}} return 1;")
    bob = {"kind": "agent", "id": 8, "login": "bob"}
    for _ in range(4):  # both workers
        outcome = await walled.one(look, me=bob)
        assert outcome.value == "undefined||||||||", outcome


async def test_the_clock_and_chance_are_the_jobs(walled: Walled) -> None:
    source = "return [Date.now() === now.getTime(), new Date().getTime() === now.getTime(), Math.random(), new Date(0).toString()];"
    first, second = (await walled.one(source)).value, (await walled.one(source)).value
    assert first[:2] == [True, True]
    assert first[2] == second[2]
    assert first[3] == "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"


async def test_what_would_be_given_is_not_larger_than_may_cross(walled: Walled) -> None:
    outcome = await walled.one("return 1;", {"text": "x" * 300_000})
    assert outcome.failure
    assert outcome.failure.code == FailureCode.INPUT


async def test_more_rows_than_a_job_may_have_are_refused(walled: Walled) -> None:
    result = await walled.run("return 1;", [{}] * 2_001)
    assert {outcome.failure and outcome.failure.code for outcome in result.outcomes[0]} == {FailureCode.LIMIT}


async def test_a_lambda_that_is_stopped_three_times_rests_and_others_go_on(walled: Walled) -> None:
    sandbox = walled.sandbox
    for _ in range(3):
        await sandbox.run(job_of("for (;;);", name="room.wild", limits=QUICK))
    result = await sandbox.run(job_of("return 1;", name="room.wild"))
    failure = result.outcomes[0][0].failure
    assert failure
    assert failure.code == FailureCode.BROKEN
    assert (await sandbox.run(job_of("return 1;", name="room.tame"))).outcomes[0][0].value == 1
    sandbox.reset(["room.wild"])
    assert (await sandbox.run(job_of("return 1;", name="room.wild"))).outcomes[0][0].value == 1


async def test_figures_are_kept_of_each_lambda(walled: Walled) -> None:
    for source in ("return 1;", "throw new Error('no');", "for (;;);"):
        await walled.run(source, [{}, {}], name="room.counted", limits=QUICK)
    metric = walled.sandbox.metrics()["room.counted"]
    assert (metric.calls, metric.rows, metric.failures, metric.kills) == (3, 6, 4, 1)
    assert metric.last_error
    assert metric.last_error.code == FailureCode.TIMEOUT
    assert metric.cpu_ms > 0


async def test_a_lost_zygote_and_its_workers_are_replaced(walled: Walled) -> None:
    await walled.settle()
    zygote, workers = walled.sandbox.zygote, walled.sandbox.processes
    assert zygote
    os.kill(zygote, 9)
    await until(lambda: not set(workers) & set(walled.sandbox.processes))
    await walled.settle()
    assert (await walled.one("return 3;")).value == 3
    await until(lambda: not any(map(lives, workers)))


async def test_a_worker_that_ends_by_itself_fails_its_job_alone(walled: Walled) -> None:
    await walled.settle()
    slow = asyncio.create_task(walled.one("for (;;);", limits=Limits(cpu_ms=3_000, cpu_row_ms=0, wall_ms=3_000)))
    await asyncio.sleep(0.1)
    for process in walled.sandbox.processes:
        os.kill(process, 9)
    outcome = await slow
    assert outcome.failure
    assert outcome.failure.code == FailureCode.CRASHED
    await walled.settle()
    assert (await walled.one("return 3;")).value == 3


async def test_a_caller_who_leaves_takes_no_worker_along(walled: Walled) -> None:
    await walled.settle()
    long = Limits(cpu_ms=200, cpu_row_ms=0, wall_ms=400)
    tasks = [asyncio.create_task(walled.one("for (;;);", limits=long, name=f"room.left{n}")) for n in range(6)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(30):
        assert (await walled.one("return 3;")).value == 3


async def test_beyond_the_line_lambdas_are_told_at_once_that_they_wait_in_vain() -> None:
    sandbox = Sandbox(size=1)
    await sandbox.start()
    try:
        jobs = [job_of("return 1;", name=f"room.{number}") for number in range(100)]
        results = await asyncio.gather(*(sandbox.run(job) for job in jobs))
        codes = Counter(result.outcomes[0][0].failure and result.outcomes[0][0].failure.code for result in results)
        assert codes == {None: 65, FailureCode.BUSY: 35}  # one works, 64 of one caller wait
    finally:
        await sandbox.close()


async def test_workers_are_replaced_after_their_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.pool.JOBS_OF_A_WORKER", 10)
    sandbox = Sandbox(size=1)
    await sandbox.start()
    try:
        first = sandbox.processes
        for number in range(25):
            assert (await sandbox.run(job_of(f"return {number};"))).outcomes[0][0].value == number
        assert sandbox.processes != first
        assert sandbox.health().replaced == 2
    finally:
        await sandbox.close()


async def test_nothing_is_left_when_the_sandbox_is_closed() -> None:
    sandbox = Sandbox()
    await sandbox.start()
    processes = (*sandbox.processes, sandbox.zygote or 0)
    await sandbox.close()
    await until(lambda: not any(map(lives, processes)))
    failure = (await sandbox.run(job_of("return 1;"))).outcomes[0][0].failure
    assert failure
    assert (failure.code, failure.message) == (FailureCode.UNAVAILABLE, "The server stops.")
