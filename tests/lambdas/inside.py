"""A lambda's world without a worker: jobs go through the same frames, and nothing limits time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas.contract import Answer, Batch, Failure, Job, Outcome, Power, Question, Script
from lambdas.frames import encode_job
from lambdas.language import Isolate
from lambdas.limits import FIELD_LIMITS, ROUNDS_LIMIT, Limits
from lambdas.replies import Round, decode_round

ALL = frozenset(Power)
NOW_MS = 1_772_366_400_000  # 2026-03-01T12:00:00Z
ME = {"id": 7, "login": "ann", "groups": ["users"], "locale": "en"}

Answers = Callable[[Question], Answer]


def job_of(
    source: str,
    rows: Sequence[Any] = ({},),
    *,
    powers: frozenset[Power] = ALL,
    me: Mapping[str, Any] = ME,
    seed: int = 1,
    now_ms: float = NOW_MS,
    limits: Limits = FIELD_LIMITS,
    texts: Mapping[str, str] | None = None,
    line: int = 1,
    **batch: Any,
) -> Job:
    script = Script("probe", source, line, powers)
    return Job("room", [Batch(script, rows, **batch)], me, now_ms, seed, limits, texts or {})


class Inside:
    """One isolate and short ways to ask it."""

    def __init__(self) -> None:
        self.isolate = Isolate()

    def close(self) -> None:
        self.isolate.close()

    def round(self, job: Job, todo: Any = None, answers: Any = ()) -> Round:
        return decode_round(self.isolate.answer(encode_job(job, todo, answers)), job, todo)

    def outcomes(self, source: str, rows: Sequence[Any] = ({},), **more: Any) -> list[Outcome]:
        found = self.round(job_of(source, rows, **more))
        assert found.is_last
        return [found.outcomes[0, index] for index in range(len(rows))]

    def outcome(self, source: str, item: Any = None, **more: Any) -> Outcome:
        return self.outcomes(source, [{} if item is None else item], **more)[0]

    def value(self, source: str, item: Any = None, **more: Any) -> Any:
        outcome = self.outcome(source, item, **more)
        assert outcome.failure is None, outcome.failure
        return outcome.value

    def failure(self, source: str, item: Any = None, **more: Any) -> Failure:
        failure = self.outcome(source, item, **more).failure
        assert failure is not None
        return failure

    def said(self, source: str, item: Any = None, **more: Any) -> str:
        return self.failure(source, item, **more).message

    def dialogue(self, job: Job, answer: Answers) -> tuple[dict[tuple[int, int], Outcome], list[tuple[Question, ...]]]:
        """Run a job to its end; return the outcomes and what was asked in each round."""
        outcomes: dict[tuple[int, int], Outcome] = {}
        asked: list[tuple[Question, ...]] = []
        known: list[tuple[Question, Answer]] = []
        todo = None
        for _ in range(ROUNDS_LIMIT + 1):
            found = self.round(job, todo, known)
            outcomes |= found.outcomes
            if found.is_last:
                return outcomes, asked
            asked.append(found.questions)
            known += [(question, answer(question)) for question in found.questions]
            todo = found.waiting
        raise AssertionError("the lambda asks on and on")
