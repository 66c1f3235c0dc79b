"""What is asked of the lambdas of a module before it serves: that they compile, and do what their examples say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from lambdas.contract import Answer, Answerer, Batch, Failure, Job, Outcome, Power, Question, Runner, Script
from lambdas.errors import FailureCode, WrongValue
from lambdas.limits import DEED_LIMITS
from lambdas.results import check_value
from resolvers.example_items import make_items
from resolvers.lambda_texts import texts_of
from schema.names import camel
from schema.problems import Place, Problem
from schema.spec import Code, Computed, Example, Field, Module

# Who calls in an example that does not say who.
EXAMPLE_ME: Mapping[str, Any] = {
    "kind": "agent",
    "id": 1,
    "login": "example",
    "email": "example@example.org",
    "groups": ["users"],
    "keys": {},
    "roles": [],
    "companies": [],
    "locale": "en",
}
EXAMPLE_NOW = "2026-01-15T12:00:00Z"  # a Thursday
_POWERS = frozenset({Power.GQL, Power.SQL})
_NO_ANSWER = Answer(error="The example has no answer for this.")
_SHOWN_CHARS = 120
# Nothing is wrong with a lambda that could not be tried: it is tried when it is needed.
_NOT_TRIED = frozenset({FailureCode.BUSY, FailureCode.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class LambdaChecker:
    """Implements the schema's `ExampleRunner` with a sandbox."""

    runner: Runner

    async def check(self, modules: Sequence[Module]) -> Mapping[str, Sequence[Problem]]:
        """Return the problems of lambdas by module."""
        found = {}
        for module in modules:
            problems = await self._compile(module) or await self._try(module)
            if problems:
                found[module.name] = problems
        return found

    async def _compile(self, module: Module) -> list[Problem]:
        codes = list(codes_of(module))
        if not codes:
            return []
        scripts = [Script(name, code.source, code.place.line) for name, code in codes]
        failures = await self.runner.compile(module.name, scripts)
        return [
            Problem(
                "bad-lambda",
                f"Lambda `{name}` does not compile: {failure.message}",
                _place(code, failure),
                hint="Write the body of a function, such as `return item.name;`.",
            )
            for (name, code), failure in zip(codes, failures, strict=True)
            if failure is not None and failure.code not in _NOT_TRIED
        ]

    async def _try(self, module: Module) -> list[Problem]:
        return [
            problem
            for computed in module.computed
            if computed.code is not None
            for example in computed.examples
            if (problem := await self.try_example(module, computed, example)) is not None
        ]

    async def try_example(self, module: Module, computed: Computed, example: Example) -> Problem | None:
        """Hold a computed field against one example."""
        rows: Sequence[Mapping[str, Any]] = [example.item]
        if example.for_all:
            rows = make_items(example.for_all, f"{module.name}.{computed.name}")
        items = [named(module, row) for row in rows]
        script = _script(module, computed, computed.code)
        outcomes = await self._outcomes(module, script, items, example)
        values: list[Any] = []
        for row, outcome in zip(rows, outcomes, strict=True):
            try:
                values.append(check_value(computed.kind, _value(outcome)))
            except _Fails as failure:
                return None if failure.is_not_tried else _failed(computed, example, row, str(failure))
            except WrongValue as error:
                return _failed(computed, example, row, str(error))
        if example.for_all:
            return await self._judge(module, computed, example, rows, [outcome.value for outcome in outcomes])
        try:
            wanted = check_value(computed.kind, example.returns)
        except WrongValue:
            return _failed(computed, example, example.item, f"`returns` is nothing of type {computed.kind}.")
        if values[0] != wanted:
            return _failed(computed, example, example.item, f"It returned {_shown(values[0])}, not {_shown(wanted)}.")
        return None

    async def _judge(
        self, module: Module, computed: Computed, example: Example, rows: Sequence[Any], values: Sequence[Any]
    ) -> Problem | None:
        """Ask whether what `holds` says is true for each generated row."""
        if example.holds is None:
            return None
        source = f"return ((item, result) => (\n{example.holds}\n))(item.item, item.result);"
        items = [{"item": named(module, row), "result": value} for row, value in zip(rows, values, strict=True)]
        script = Script(f"{module.name}.{computed.name}", source, example.place.line - 1)
        for row, outcome in zip(rows, await self._outcomes(module, script, items, example), strict=True):
            try:
                holds = _value(outcome)
            except _Fails as failure:
                return None if failure.is_not_tried else _failed(computed, example, row, f"`holds`: {failure}")
            if holds is not True:
                return _failed(computed, example, row, f"`{example.holds.strip()}` does not hold.")
        return None

    async def _outcomes(
        self, module: Module, script: Script, items: Sequence[Any], example: Example
    ) -> Sequence[Outcome]:
        me = {**EXAMPLE_ME, **example.me}
        job = Job(
            module.name,
            (Batch(script, items, example.args),),
            me,
            _milliseconds(example.now or EXAMPLE_NOW),
            seed=1,
            limits=replace(DEED_LIMITS, cpu_row_ms=1),
            texts=texts_of(module, _languages(me["locale"])),
        )
        return (await self.runner.run(job, _answerer(example.answers))).outcomes[0]


class _Fails(Exception):
    """A lambda has no value."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message if failure.line is None else f"{failure.message} (line {failure.line})")
        self.is_not_tried = failure.code in _NOT_TRIED


def _value(outcome: Outcome) -> Any:
    if outcome.failure is not None:
        raise _Fails(outcome.failure)
    return outcome.value


def codes_of(module: Module) -> Iterator[tuple[str, Code]]:
    """Yield every lambda of a module with its name."""
    for computed in module.computed:
        if computed.code is not None:
            yield f"{module.name}.{computed.name}", computed.code
    written = {hook.code: hook for hook in reversed(module.hooks)}  # one for several events is one lambda
    for code, hook in reversed(written.items()):
        yield f"{module.name}.{hook.on}", code
    for action in module.actions:
        yield f"{module.name}.{action.name}", action.code
    for schedule in module.schedules:
        yield f"{module.name}.{schedule.name}", schedule.code
    for field in module.fields:
        if field.default is not None and field.default.code is not None:
            yield f"{module.name}.{field.name}.default", field.default.code


def _script(module: Module, computed: Computed, code: Code | None) -> Script:
    if code is None:
        raise TypeError(f"{computed.name} of {module.name} has no lambda.")
    return Script(f"{module.name}.{computed.name}", code.source, code.place.line, _POWERS)


def named(module: Module, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of an example as a lambda gets rows: each value under its names; dotted names lead into references."""
    fields = {name: field for field in module.fields for name in _names(field)}
    made: dict[str, Any] = {}
    for name, value in item.items():
        first, *rest = name.split(".")
        names = _names(fields[first]) if first in fields else (first, camel(first))
        for alias in dict.fromkeys(names):
            place, steps = made, [alias, *rest]
            for step in steps[:-1]:
                inner = place.get(step)
                place[step] = place = dict(inner) if isinstance(inner, dict) else {}
            place[steps[-1]] = value
    return made


def _names(field: Field) -> tuple[str, ...]:
    return tuple(filter(None, (field.name, field.api_name, field.column)))


def _answerer(answers: Sequence[Any]) -> Answerer:
    """Answer questions in the order in which they are asked."""
    left = iter([Answer(value) for value in answers])

    async def answer(questions: Sequence[Question]) -> Sequence[Answer]:
        return [next(left, _NO_ANSWER) for _ in questions]

    return answer


def _languages(locale: Any) -> tuple[str, ...]:
    """Return the language of a locale such as `de_AT`, and what it is a form of."""
    tag = str(locale).replace("_", "-")
    return tag, tag.partition("-")[0]


def _milliseconds(moment: str) -> float:
    """Read a moment; without a zone it is in UTC."""
    read = datetime.fromisoformat(moment)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000


def _place(code: Code, failure: Failure) -> Place:
    if failure.line is None:
        return code.place
    # Of a body that starts in the line of its key, columns count from there.
    column = (failure.column or 1) + (code.place.column - 1)
    return Place(code.place.file, failure.line, column)


def _failed(computed: Computed, example: Example, item: Mapping[str, Any], why: str) -> Problem:
    given = json.dumps(item, ensure_ascii=False, default=str)[:_SHOWN_CHARS]
    return Problem(
        "failed-example",
        f"The lambda of `{computed.name}` does not do what an example says, given {given}: {why}",
        example.place,
        hint="Mend the lambda, or the example.",
    )


def _shown(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()[:_SHOWN_CHARS]
