"""Computed fields by lambda: all rows of a level at once, the fields of one module in one job."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from lambdas.contract import Batch, Failure, Job, Outcome, Power, Script
from lambdas.errors import FailureCode, WrongValue
from lambdas.results import check_value
from resolvers.context import Context
from resolvers.errors import LambdaFailed
from resolvers.lambda_memory import ROW_LIMIT_BYTES, Flights, recipe_of
from resolvers.lambda_pieces import Piece, cut
from resolvers.lambda_questions import answerer_of, job_of
from resolvers.lambda_rows import NOT_THERE, InputReader, Inputs, input_value, weighed
from resolvers.nodes import LambdaSlot
from resolvers.reads import together
from resolvers.shape import LambdaLoad, Shape
from schema.spec import Computed, Module

log = logging.getLogger("lambdesk.lambdas")

DEPTH_LIMIT = 3  # of lambdas that ask for fields which are made by lambdas
_TOO_DEEP = Failure(FailureCode.LIMIT, f"Lambdas may ask for fields of lambdas {DEPTH_LIMIT} levels deep.")
_POWERS: Mapping[str, Power] = {"gql": Power.GQL, "query": Power.SQL}


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A computed field over the rows of a level."""

    load: LambdaLoad
    present: int | None  # the position that is null where there is no row

    @property
    def slot(self) -> LambdaSlot:
        """What is computed."""
        return self.load.slot


def tasks_of(shape: Shape) -> list[Task]:
    """Return the computed fields by lambda of a shape."""
    return [Task(load, shape.present) for load in shape.lambdas]


async def compute(context: Context, tasks: Sequence[Task], rows: Sequence[Any]) -> list[list[Any]]:
    """Return for each field its value in each row; an exception where there is none."""
    if context.depth >= DEPTH_LIMIT:
        return [[_failed(context, task.slot, _TOO_DEEP)] * len(rows) for task in tasks]
    reader = InputReader(rows, apart=context.apart)
    inputs = [reader.read(task.load.reads, task.present) for task in tasks]
    modules: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        modules.setdefault(task.slot.module.name, []).append(number)
    jobs = [
        _run(context, [tasks[number] for number in numbers], [inputs[number] for number in numbers])
        for numbers in modules.values()
    ]
    columns: list[Any] = [None] * len(tasks)
    for numbers, found in zip(modules.values(), await together(jobs), strict=True):
        if isinstance(found, Exception):
            raise found
        for place, number in enumerate(numbers):
            columns[number] = found[place]
    return [_spread(made, column) for made, column in zip(inputs, columns, strict=True)]


def _spread(inputs: Inputs, column: list[Any]) -> list[Any]:
    if isinstance(inputs.places, range):  # each row is one of its own
        return column
    return [None if place == NOT_THERE else column[place] for place in inputs.places]


@dataclass(eq=False)
class _Column:
    """A field's values by row, as far as they are known, and what is still to be run.

    `open_rows` are the places of the others, `rows` what crosses of them, `size` how many bytes that are.
    """

    task: Task
    keys: Sequence[tuple[Any, ...]]
    batch: Batch
    recipe: Hashable | None  # None where nothing may be remembered
    values: list[Any]
    open_rows: Sequence[int]
    rows: Sequence[Any]
    size: int

    @cached_property
    def flight(self) -> Hashable | None:
        """Name what is to be run, for others who want the same at this moment; None where nothing is, or may be shared."""
        if self.recipe is None or not self.open_rows:
            return None
        return self.recipe, tuple(self.keys[place] for place in self.open_rows)


async def _run(context: Context, tasks: Sequence[Task], inputs: Sequence[Inputs]) -> list[list[Any]]:
    """Compute fields of one module."""
    job = job_of(context, tasks[0].slot.module.name, (), context.lambda_limits.of_fields(tasks[0].slot.module))
    columns = [_column(context, job, task, made) for task, made in zip(tasks, inputs, strict=True)]
    flights = context.memory.flights if context.memory is not None else {}
    awaited = [(column, flights.get(column.flight)) for column in columns]
    own = [column for column, flight in awaited if flight is None]
    await _run_columns(context, job, own, flights)
    for column, flight in awaited:
        values = await asyncio.shield(flight) if flight is not None else ()
        if values is None:  # who ran them was stopped, or not all of it went well
            await _run_columns(context, job, [column], {})
        elif flight is not None:
            _fill(column, values)
    return [column.values for column in columns]


async def _run_columns(context: Context, job: Job, columns: Sequence[_Column], flights: Flights) -> None:
    """Run what is not known of some fields. Others who want just that meanwhile wait for it, and are told by `flights`."""
    started = {
        column.flight: asyncio.get_running_loop().create_future() for column in columns if column.flight is not None
    }
    flights.update(started)
    try:
        for column, values in zip(columns, await _run_jobs(context, job, columns), strict=True):
            _fill(column, values)
            _remember(context, column, values)
            flight = started.get(column.flight)
            if flight is not None and not flight.done() and not any(isinstance(value, Exception) for value in values):
                flight.set_result(values)
    finally:
        for key, flight in started.items():
            if not flight.done():
                flight.set_result(None)
            flights.pop(key, None)


async def _run_jobs(context: Context, job: Job, columns: Sequence[_Column]) -> list[list[Any]]:
    """Run rows of fields in one job, unless they are too many for one."""
    jobs = cut([column.rows for column in columns], job.limits.input_bytes, [column.size for column in columns])
    answers = await together(_run_job(context, job, columns, pieces) for pieces in jobs)
    found: list[list[Any]] = [[] for _ in columns]
    for pieces, answer in zip(jobs, answers, strict=True):
        for place, piece in enumerate(pieces):
            if isinstance(answer, Exception):  # a runner that breaks breaks the fields of its job only
                context.has_failed = True
                found[piece.number] += [answer] * len(piece.rows)
            else:
                found[piece.number] += answer[place]
    return found


def _column(context: Context, job: Job, task: Task, inputs: Inputs) -> _Column:
    batch, memory, keys = _batch(context, task.load), context.memory, inputs.rows
    recipe = recipe_of(job, batch) if memory is not None and inputs.are_keys else None
    known = memory.find(recipe, keys) if memory is not None and recipe is not None else {}
    values = [known.get(row) for row in keys] if known else [None] * len(keys)
    missing = [place for place, row in enumerate(keys) if row not in known] if known else range(len(keys))
    rows, size = weighed([keys[place] for place in missing] if known else keys) if missing else ((), 0)
    if size > ROW_LIMIT_BYTES * len(rows):
        recipe = None
    return _Column(task, keys, batch, recipe, values, missing, rows, size)


def _fill(column: _Column, values: Sequence[Any]) -> None:
    """Put values into their places."""
    for place, value in zip(column.open_rows, values, strict=True):
        column.values[place] = value


def _remember(context: Context, column: _Column, values: Sequence[Any]) -> None:
    """Remember those that will be the same the next time."""
    if context.memory is not None and column.recipe is not None and values:
        made = [(column.keys[place], value) for place, value in zip(column.open_rows, values, strict=True)]
        kept = [pair for pair in made if not isinstance(pair[1], Exception)]
        context.memory.keep(column.recipe, kept, column.size)


async def _run_job(context: Context, job: Job, columns: Sequence[_Column], pieces: Sequence[Piece]) -> list[list[Any]]:
    batches = [replace(columns[piece.number].batch, rows=piece.rows) for piece in pieces]
    answerer = answerer_of(context) if context.asks else None
    result = await context.lambdas.run(replace(job, batches=batches), answerer)
    for batch, outcomes in zip(batches, result.outcomes, strict=True):
        _tell(context, batch.script.name, outcomes)
    return [
        [_value(context, columns[piece.number].task.slot, outcome) for outcome in outcomes]
        for piece, outcomes in zip(pieces, result.outcomes, strict=True)
    ]


def _tell(context: Context, name: str, outcomes: Sequence[Outcome]) -> None:
    """Tell the log what failed and where. What was thrown may hold what a row holds, so it stays out of it."""
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    for (code, line), rows in Counter((failure.code, failure.line) for failure in failures).items():
        if code is not FailureCode.UNAVAILABLE:  # which the server says of itself
            told = {"lambda": name, "code": str(code), "line": line, "rows": rows, "request_id": context.request_id}
            log.warning("lambda %s failed", name, extra={"fields": told})


def _batch(context: Context, load: LambdaLoad) -> Batch:
    slot = load.slot
    args = {name: input_value(value) for name, value in slot.args.items()}
    return Batch(script_of(slot.module, slot.computed, context.asks), (), args, load.crossing)


def script_of(module: Module, computed: Computed, verbs: Iterable[str]) -> Script:
    """Return a computed field's lambda, with the power to ask what can be answered."""
    powers = frozenset(_POWERS[verb] for verb in verbs if verb in _POWERS)
    key = (Script, computed.name, powers)
    known: Script | None = module.derived.get(key)
    if known is None:
        if computed.code is None:
            raise TypeError(f"{computed.name} of {module.name} has no lambda.")
        code, name = computed.code, f"{module.name}.{computed.name}"
        known = module.derived[key] = Script(name, code.source, code.place.line, powers)
    return known


def _value(context: Context, slot: LambdaSlot, outcome: Outcome) -> Any:
    if outcome.failure is not None:
        return _failed(context, slot, outcome.failure)
    try:
        return check_value(slot.computed.kind, outcome.value)
    except WrongValue as error:
        return _failed(context, slot, Failure(FailureCode.FAILED, str(error)))


def _failed(context: Context, slot: LambdaSlot, failure: Failure) -> LambdaFailed:
    """Tell of a failure: what its author's code says, and where, is for those who may change it."""
    context.has_failed = True
    name = f"{slot.module.name}.{slot.computed.name}"
    return LambdaFailed(name, failure, is_told=context.access.is_administrator)
