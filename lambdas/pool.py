"""The sandbox: a zygote, a few workers, a fair line of jobs before them, and what is known of how lambdas behave."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas import wire
from lambdas.attendant import KILLS, Attendant, Reply
from lambdas.breaker import Breaker
from lambdas.contract import Answerer, Failure, Job, Result, Script
from lambdas.course import Course, Part
from lambdas.errors import BadFrame, FailureCode, HostRefusal, JobRefused
from lambdas.frames import encode_scripts
from lambdas.limits import DEED_LIMITS, ROUNDS_LIMIT
from lambdas.line import Line, LineFull
from lambdas.metrics import Metric, Metrics
from lambdas.nursery import Nursery
from lambdas.replies import decode_failures

JOBS_OF_A_WORKER = 1_000
AGE_OF_A_WORKER_S = 15 * 60
WAIT_TIMEOUT_S = 5
HELLO_TIMEOUT_S = 5
RESTART_PAUSE_S = 1.0
HEAP_LINE_MB = 64  # V8 itself ends a process that grows beyond it; the limit of an isolate comes before

log = logging.getLogger("lambdesk.lambdas")

BUSY = Failure(FailureCode.BUSY, "Too many lambdas wait.")
RESTS = Failure(FailureCode.BROKEN, "It was stopped several times in a row and rests for a while.")
NONSENSE = Failure(FailureCode.CRASHED, "The engine broke down.")


@dataclass(frozen=True, slots=True)
class Health:
    """How the sandbox is. `held` says of each step of the lock-down why it does not hold, or None."""

    is_on: bool
    reason: str | None
    held: Mapping[str, str | None]
    workers: int
    waiting: int
    kills: int
    replaced: int


@dataclass(slots=True, repr=False)
class Sandbox:
    """Runs lambdas in workers. Implements `contract.Runner`; one for a server."""

    size: int = 2
    trusted: bool = False  # run without the lock-down's steps that must hold
    heap_line_mb: int = HEAP_LINE_MB
    breaker: Breaker = field(default_factory=Breaker)
    metrics_of: Metrics = field(default_factory=Metrics)
    reason: str | None = "Lambdas are starting."
    held: Mapping[str, str | None] = field(default_factory=dict)
    kills: int = 0
    replaced: int = 0
    _nursery: Nursery | None = None
    _workers: list[Attendant] = field(default_factory=list)
    _idle: deque[Attendant] = field(default_factory=deque)
    _line: Line[Attendant] = field(default_factory=Line)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _is_closed: bool = False

    # --- life ---

    async def start(self) -> None:
        """Start the zygote and the workers. Where the host refuses what must hold, lambdas stay off and `reason` says why."""
        if not sys.platform.startswith("linux") and not self.trusted:
            self.reason = "Lambdas need Linux, whose kernel locks their workers up."
            return
        nursery = self._nursery = Nursery(
            {"trusted": self.trusted, "heap_line_mb": self.heap_line_mb}, self._zygote_lost
        )
        try:
            await nursery.start()
            await asyncio.gather(*(self._hire() for _ in range(self.size)))
        except HostRefusal as error:
            self.reason = str(error)
        if self.reason:
            log.warning("lambdas are off: %s", self.reason)

    async def close(self) -> None:
        """End all workers and the zygote; whoever waits is told that lambdas do not run."""
        self._is_closed = True
        self.reason = "The server stops."
        self._line.refuse(HostRefusal(self.reason))
        for worker in tuple(self._workers):
            worker.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._nursery is not None:
            await self._nursery.close()

    @property
    def is_on(self) -> bool:
        """Whether lambdas run."""
        return self.reason is None

    @property
    def is_free(self) -> bool:
        """Whether a worker has nothing to do."""
        return bool(self._idle)

    def health(self) -> Health:
        """Say how the sandbox is."""
        return Health(
            self.is_on, self.reason, self.held, len(self._workers), self._line.length, self.kills, self.replaced
        )

    def metrics(self) -> Mapping[str, Metric]:
        """Return the figures of every lambda that ran, by name."""
        return self.metrics_of.all()

    def reset(self, names: Iterable[str]) -> None:
        """Let lambdas that were written anew run at once."""
        self.breaker.reset(names)

    @property
    def processes(self) -> tuple[int, ...]:
        """The process numbers of the workers."""
        return tuple(worker.process for worker in self._workers)

    @property
    def zygote(self) -> int | None:
        """The process number of the one that forks them."""
        return self._nursery.process if self._nursery else None

    # --- jobs ---

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        """Run a job round by round. What goes wrong stands in the outcomes."""
        course = Course(job)
        for part in course.parts:
            self.metrics_of.called(part.name, len(part.waiting))
        rounds = 0
        while course.open_parts:
            await self._round(course)
            rounds += 1
            if course.questions:
                if answer is None or rounds > ROUNDS_LIMIT:
                    course.fail_rounds()
                else:
                    course.answer(await answer(course.questions))
        for part in course.parts:
            self.metrics_of.came_out(part.name, part.outcomes.values())
        return course.result(rounds)

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:
        """Say of each script why it does not compile, or None."""
        limits = DEED_LIMITS
        head = {"module": module, "cpu_ms": limits.cpu_ms, "wall_ms": limits.wall_ms, "heap_mb": limits.heap_mb}
        try:
            message = wire.Message({**head, "measured": False}, encode_scripts(module, scripts))
            (reply,) = await self._exchange("compiling", [(message, limits.wall_ms)])
        except JobRefused as refusal:
            return [Failure(refusal.code, str(refusal))] * len(scripts)
        failure = reply if isinstance(reply, Failure) else NONSENSE
        if isinstance(reply, wire.Message) and reply.head.get("failure") is None:
            try:
                return decode_failures(reply.frame, scripts)
            except (BadFrame, TypeError):
                failure = NONSENSE
        if len(scripts) == 1:
            return [failure]
        return [found for script in scripts for found in await self.compile(module, [script])]

    async def _round(self, course: Course) -> None:
        """Run all parts that wait, in one worker if it lives long enough."""
        while todo := self._sendable(course):
            messages = [(self._message(course, part, frame), part.job.limits.wall_ms) for part, frame in todo]
            replies = await self._exchange(_caller(course.job), messages)
            for (part, _), reply in zip(todo, replies, strict=True):
                self._take(course, part, reply)
            if all(reply is not None for reply in replies):
                return

    def _sendable(self, course: Course) -> list[tuple[Part, bytes]]:
        """Return what can be sent of the parts that wait and have nothing to be answered first."""
        found = []
        for part in course.open_parts:
            if self.reason:
                part.fail(Failure(FailureCode.UNAVAILABLE, self.reason))
            elif self.breaker.is_open(part.name):
                part.fail(RESTS)
            elif not part.asks:
                try:
                    found.append((part, part.encode(course.answers)))
                except JobRefused as refusal:
                    part.fail(Failure(refusal.code, str(refusal)))
        return found

    def _message(self, course: Course, part: Part, frame: bytes) -> wire.Message:
        limits = course.job.limits
        head = {
            "module": part.job.module,
            "cpu_ms": limits.cpu_for(len(part.waiting)),
            "wall_ms": limits.wall_ms,
            "heap_mb": limits.heap_mb,
            "measured": course.job.measured,
        }
        return wire.Message(head, frame)

    def _take(self, course: Course, part: Part, reply: Reply) -> None:
        """Take what a worker made of a part; None means that it never began, and is sent again."""
        if reply is None:
            return
        if isinstance(reply, Failure):
            self._punish(part, reply)
            return
        head = reply.head
        try:
            took = float(head["cpu"]), float(head["wall"])
            course.used(*took, int(head.get("heap", 0)))
            self.metrics_of.took(part.name, *took)
            if head.get("failure") is not None:
                self._punish(part, Failure(FailureCode(head["failure"]), "It used up its memory."))
                return
            course.ask(part.take(reply.frame))
        except (BadFrame, KeyError, TypeError, ValueError):
            self._punish(part, NONSENSE)
            return
        self.breaker.went_well(part.name)

    def _punish(self, part: Part, failure: Failure) -> None:
        """Fail a part whose worker was stopped or broke down over it, and remember that."""
        part.fail(failure)
        if failure.code in KILLS:
            self.kills += 1
            self.breaker.killed(part.name)
            self.metrics_of.killed(part.name)
            log.warning("lambda %s was stopped: %s %s", part.name, failure.code, failure.message)

    async def _exchange(self, caller: str, messages: list[tuple[wire.Message, float]]) -> list[Reply]:
        """Send messages to a worker, when there is one, and wait for what comes of each."""
        try:
            worker = await self._worker(caller)
        except (LineFull, TimeoutError):
            return [BUSY] * len(messages)
        except HostRefusal as error:
            return [Failure(FailureCode.UNAVAILABLE, str(error))] * len(messages)
        return [await answer for answer in worker.ask(messages)]

    # --- workers ---

    async def _worker(self, caller: str) -> Attendant:
        """Return a worker that has nothing to do, or the next one that has not.

        Raises LineFull, TimeoutError, HostRefusal.
        """
        while self._idle:
            worker = self._idle.popleft()
            if not worker.is_spent:
                return worker
        if self.reason:
            raise HostRefusal(self.reason)
        turn = self._line.join(caller)
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            try:
                return await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # it was given to somebody who left
                    self._free(turn.result())
                raise

    def _free(self, worker: Attendant) -> None:
        """Give a worker that has nothing to do to whoever waits."""
        if worker.is_busy:
            return
        if not worker.is_spent and _is_old(worker):
            worker.is_spent = True
        if worker.is_spent:
            worker.close()  # the next one is hired when it is gone
        elif not self._line.serve(worker):
            self._idle.append(worker)

    async def _hire(self) -> None:
        """Have a worker forked and wait until it is locked down.

        Raises HostRefusal.
        """
        nursery = self._nursery
        if nursery is None:
            raise HostRefusal("The process that starts workers is gone.")
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        with theirs:
            _, worker = await loop.create_unix_connection(lambda: Attendant(self._free, self._left), sock=ours)
            try:
                process, worker.ended = await nursery.fork(theirs)
            except BaseException:  # also who is stopped in the middle leaves no open socket behind
                worker.close()
                raise
        worker.process = process
        worker.kill = lambda: nursery.kill(process)
        try:
            hello = await asyncio.wait_for(asyncio.shield(worker.hello), HELLO_TIMEOUT_S)
        except TimeoutError:
            worker.kill()
            raise HostRefusal("A worker does not answer.") from None
        except asyncio.CancelledError:
            worker.close()
            raise
        self._welcome(worker, hello)

    def _welcome(self, worker: Attendant, hello: Mapping[str, Any]) -> None:
        self.held = hello.get("held", self.held)
        if hello.get("refused"):
            worker.close()
            missing = ", ".join(f"{step} ({why})" for step, why in self.held.items() if why)
            raise HostRefusal(f"The host does not lock workers up: {missing or 'a worker did not start'}.")
        self._workers.append(worker)
        self.reason = None if not self._is_closed else self.reason
        self._free(worker)

    def _left(self, worker: Attendant) -> None:
        """Replace a worker that is gone."""
        if worker in self._workers:
            self._workers.remove(worker)
            if not self._is_closed and self._nursery is not None:
                self.replaced += 1
                self._spawn(self._replace())

    async def _replace(self) -> None:
        while not self._is_closed:
            try:
                await self._hire()
            except (HostRefusal, OSError) as error:
                log.warning("a worker for lambdas did not start: %s", error)
                await asyncio.sleep(RESTART_PAUSE_S)
            else:
                return

    def _zygote_lost(self) -> None:
        """Start a new zygote; its workers die with the old one and are replaced as they go."""
        if not self._is_closed:
            log.error("the process that starts workers for lambdas ended; a new one is started")
            self._spawn(self._restart())

    async def _restart(self) -> None:
        nursery = self._nursery
        while nursery is not None and not self._is_closed:
            await nursery.close()
            try:
                await nursery.start()
            except (HostRefusal, OSError) as error:
                log.warning("the process that starts workers for lambdas did not start: %s", error)
                await asyncio.sleep(RESTART_PAUSE_S)
            else:
                return

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_old(worker: Attendant) -> bool:
    return worker.jobs >= JOBS_OF_A_WORKER or time.monotonic() - worker.born > AGE_OF_A_WORKER_S


def _caller(job: Job) -> str:
    """Name whose turn it is: each caller stands in a line of his own."""
    return f"{job.me.get('kind')} {job.me.get('id')}"
