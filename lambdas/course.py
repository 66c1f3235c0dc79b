"""The course of one job: which rows are done, which wait for answers, what has been asked and answered so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import orjson

from lambdas.contract import Answer, Failure, Job, Outcome, Question, Result, Usage
from lambdas.errors import FailureCode
from lambdas.frames import encode_job
from lambdas.limits import ROUNDS_LIMIT
from lambdas.replies import Round, decode_round


@dataclass(slots=True)
class Part:
    """One batch of a job, which is what a worker does at a stretch: with a budget of its own, and its own failures."""

    job: Job  # of this batch alone
    waiting: tuple[int, ...]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    asks: bool = False  # what it asked has not been answered yet

    @property
    def name(self) -> str:
        """The lambda's name."""
        return self.job.batches[0].script.name

    def encode(self, answers: Iterable[tuple[Question, Answer]]) -> bytes:
        """Write what still waits.

        Raises JobRefused.
        """
        return encode_job(self.job, [self.waiting], answers)

    def take(self, frame: bytes) -> tuple[Question, ...]:
        """Read what a worker made of it and return what it asks.

        Raises BadFrame.
        """
        made: Round = decode_round(frame, self.job, [self.waiting])
        self.outcomes |= {row: outcome for (_, row), outcome in made.outcomes.items()}
        self.waiting = made.waiting[0]
        self.asks = bool(made.questions)
        return made.questions

    def fail(self, failure: Failure) -> None:
        """Say of everything that waits why it has no value."""
        self.outcomes |= dict.fromkeys(self.waiting, Outcome(failure=failure))
        self.waiting = ()


class Course:
    """A job's way through its rounds."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.parts = [
            Part(replace(job, batches=(batch,)), tuple(range(len(batch.rows)))) for batch in job.batches if batch.rows
        ]
        self._asked: dict[bytes, Question] = {}
        self._answered: dict[bytes, tuple[Question, Answer]] = {}
        self._cpu_ms = self._wall_ms = 0.0
        self._heap_bytes = 0

    @property
    def open_parts(self) -> list[Part]:
        """The parts in which rows wait."""
        return [part for part in self.parts if part.waiting]

    @property
    def answers(self) -> Iterable[tuple[Question, Answer]]:
        """All answers so far."""
        return self._answered.values()

    @property
    def questions(self) -> Sequence[Question]:
        """What was asked and is not answered, each once."""
        return tuple(self._asked.values())

    def ask(self, questions: Iterable[Question]) -> None:
        """Take note of questions."""
        for question in questions:
            key = orjson.dumps([question.verb, question.args], option=orjson.OPT_SORT_KEYS)
            if key not in self._answered:
                self._asked[key] = question

    def answer(self, answers: Sequence[Answer]) -> None:
        """Take the answers of all questions, in their order."""
        for (key, question), answer in zip(self._asked.items(), answers, strict=True):
            self._answered[key] = (question, answer)
        self._asked.clear()
        for part in self.parts:
            part.asks = False

    def fail(self, failure: Failure) -> None:
        """Fail every row that waits."""
        for part in self.open_parts:
            part.fail(failure)

    def fail_rounds(self) -> None:
        """Fail the rows that still ask after the last round."""
        self.fail(Failure(FailureCode.LIMIT, f"It asks again after {ROUNDS_LIMIT} rounds of answers."))

    def used(self, cpu_ms: float, wall_ms: float, heap_bytes: int) -> None:
        """Add what a worker says it took."""
        self._cpu_ms += cpu_ms
        self._wall_ms += wall_ms
        self._heap_bytes = max(self._heap_bytes, heap_bytes)

    def result(self, rounds: int) -> Result:
        """Return what came out, once no row waits."""
        parts = iter(self.parts)
        outcomes = tuple(
            tuple(made[row] for row in range(len(batch.rows))) if (made := batch.rows and next(parts).outcomes) else ()
            for batch in self.job.batches
        )
        usage = Usage(self._cpu_ms, self._wall_ms, self._heap_bytes, rounds, len(self._answered))
        return Result(outcomes, usage)
