"""A runner of lambdas whose lambdas are Python functions: what is around lambdas is tested with it, without V8.

Questions suspend a row and are answered together, as the real one does it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lambdas.contract import Answerer, Batch, Failure, Job, Outcome, Question, Result, Script, Usage
from lambdas.errors import FailureCode
from lambdas.limits import ROUNDS_LIMIT

Known = dict[str, Any]


class Thrown(Exception):
    """What a lambda throws; with a code it is what the runner says of it."""

    def __init__(
        self, message: str, code: FailureCode = FailureCode.FAILED, line: int | None = None, column: int | None = None
    ) -> None:
        self.failure = Failure(code, message, line, column)
        super().__init__(message)


class _Open(Exception):
    """A question has no answer yet."""


@dataclass
class Row:
    """What a function sees: the row, its arguments, the caller, and a way to ask."""

    item: Mapping[str, Any]
    args: Mapping[str, Any]
    me: Mapping[str, Any]
    job: Job
    answers: Known
    open: dict[str, Question]
    asked: int = 0

    def ask(self, verb: str, *args: Any) -> Any:
        """Ask a question; the answer comes in another round."""
        key = json.dumps([verb, *args], sort_keys=True)
        self.asked += 1
        if key not in self.answers:
            self.open.setdefault(key, Question(verb, args))
            raise _Open
        answer = self.answers[key]
        if answer.error is not None:
            raise Thrown(answer.error)
        return answer.value

    def gql(self, query: str, **variables: Any) -> Any:
        """Ask the API."""
        return self.ask("gql", query, variables)


Lambda = Callable[[Row], Any]


@dataclass
class Programmed:
    """Runs functions by the names of lambdas, and keeps the jobs."""

    lambdas: Mapping[str, Lambda]
    jobs: list[Job] = field(default_factory=list)
    rounds: list[list[Question]] = field(default_factory=list)

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        self.jobs.append(job)
        assert orjson.dumps([job.me, [[batch.rows, batch.args] for batch in job.batches]])  # only JSON crosses
        known: Known = {}
        found: list[list[Outcome | None]] = [[None] * len(batch.rows) for batch in job.batches]
        rounds = 0
        while True:
            waiting: dict[str, Question] = {}
            for batch, outcomes in zip(job.batches, found, strict=True):
                for place, row in enumerate(batch.rows):
                    if outcomes[place] is None:
                        outcomes[place] = self._one(job, batch, row, known, waiting)
            if not waiting or answer is None or rounds == ROUNDS_LIMIT:
                break
            rounds += 1
            questions = list(waiting.values())
            self.rounds.append(questions)
            known.update(zip(waiting, await answer(questions), strict=True))
        lost = Outcome(failure=Failure(FailureCode.LIMIT, "too many rounds"))
        return Result(tuple(tuple(item or lost for item in outcomes) for outcomes in found), Usage(rounds=rounds))

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:  # noqa: ARG002 - the protocol names it
        return [None] * len(scripts)

    def _one(self, job: Job, batch: Batch, values: Any, known: Known, waiting: dict[str, Question]) -> Outcome | None:
        row = Row(item_of(batch, values), batch.args, job.me, job, known, waiting)
        try:
            return Outcome(json.loads(json.dumps(self.lambdas[batch.script.name](row))), questions=row.asked)
        except _Open:
            return None
        except Thrown as error:
            return Outcome(failure=error.failure)


def item_of(batch: Batch, values: Any) -> Mapping[str, Any]:
    """Make the item of a row: each value under all its names, related ones inside their references."""
    if batch.shape is None:
        found: Mapping[str, Any] = values
        return found
    item: dict[str, Any] = {}
    for (inside, names), value in zip(batch.shape, values, strict=True):
        place = item
        for step in inside:
            inner = place.get(step)
            place[step] = place = inner if isinstance(inner, dict) else {}
        for name in names:
            if not isinstance(place.get(name), dict):
                place[name] = value
    return item
