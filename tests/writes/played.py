"""Plays the sandbox: lambdas are Python functions by name, so that a test can have one fail in every way there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lambdas.contract import (
    Answerer,
    Batch,
    Deed,
    Failure,
    Job,
    Outcome,
    Power,
    Question,
    Rejection,
    Result,
    Script,
)
from lambdas.errors import FailureCode


class Failed(Exception):
    """What the sandbox says of a lambda that failed."""

    def __init__(self, code: FailureCode, message: str = "Error: a secret of the author", line: int | None = 7) -> None:
        self.failure = Failure(code, message, line)
        super().__init__(message)


@dataclass
class Stage:
    """What a lambda has: the row, what it was, the arguments, the caller, and its helpers."""

    item: Mapping[str, Any]
    before: Any  # None for a new row
    args: Mapping[str, Any]
    me: Mapping[str, Any]
    powers: frozenset[Power]
    asked: Callable[[str, tuple[Any, ...]], Any]
    values: dict[str, Any] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def set(self, name: str, value: Any) -> None:
        """Set a field."""
        self._need(Power.SET)
        self.values[name] = value

    def reject(self, name: str | None, message: str) -> None:
        """Refuse the row."""
        self._need(Power.REJECT)
        self.rejections.append(Rejection(name, message))

    def do(self, verb: str, *args: Any) -> None:
        """Ask for an operation."""
        self._need(Power.WRITE)
        self.deeds.append(Deed(verb, args))

    def log(self, text: str) -> None:
        """Note a line."""
        self.lines.append(text)

    def gql(self, query: str, **variables: Any) -> Any:
        """Ask the API."""
        self._need(Power.GQL)
        return self.asked("gql", (query, variables))

    def ask(self, power: Power, verb: str, *args: Any) -> Any:
        """Ask something else."""
        self._need(power)
        return self.asked(verb, args)

    def _need(self, power: Power) -> None:
        if power not in self.powers:
            raise Failed(FailureCode.FAILED, f"{power} is not available here.")


Act = Callable[[Stage], Any]


def nothing(_: Stage) -> None:
    """Do nothing."""


class _Open(Exception):
    """A question has no answer yet."""


@dataclass
class Played:
    """Runs the functions of `acts` by the names of scripts; others do nothing. `jobs` are kept."""

    acts: dict[str, Act] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        assert orjson.dumps([job.me, [[batch.rows, batch.args, batch.befores] for batch in job.batches]])
        self.jobs.append(job)
        return Result(
            tuple(
                [
                    tuple([await self._row(job, batch, n, answer) for n in range(len(batch.rows))])
                    for batch in job.batches
                ]
            )
        )

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:  # noqa: ARG002 - the protocol names it
        return [None] * len(scripts)

    async def _row(self, job: Job, batch: Batch, number: int, answer: Answerer | None) -> Outcome:
        known: dict[str, Any] = {}
        while True:
            waiting: list[Question] = []

            def asked(verb: str, args: tuple[Any, ...], waiting: list[Question] = waiting) -> Any:
                key = repr((verb, args))
                if key not in known:
                    waiting.append(Question(verb, args))
                    raise _Open
                if known[key].error is not None:
                    raise Failed(FailureCode.FAILED, known[key].error)
                return known[key].value

            before = None if batch.befores is None else batch.befores[number]
            stage = Stage(item_of(batch, number), before, batch.args, job.me, batch.script.powers, asked)
            try:
                value = self.acts.get(batch.script.name, nothing)(stage)
            except Failed as failed:
                return Outcome(failure=failed.failure, log=tuple(stage.lines))
            except _Open:
                assert answer is not None
                for question, found in zip(waiting, await answer(waiting), strict=True):
                    known[repr((question.verb, question.args))] = found
                continue
            deeds, rejections = tuple(stage.deeds), tuple(stage.rejections)
            return Outcome(value, None, tuple(stage.lines), stage.values, rejections, deeds)


def item_of(batch: Batch, number: int) -> Mapping[str, Any]:
    """Make the item of a row: each value under all its names."""
    row = batch.rows[number]
    if batch.shape is None:
        found: Mapping[str, Any] = row
        return found
    return {name: value for (_, names), value in zip(batch.shape, row, strict=True) for name in names}
