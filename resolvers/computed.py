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
from lambdas.results import AS_THEY_ARE, check_value
from resolvers.context import Context
from resolvers.errors import LambdaFailed
from resolvers.lambda_memory import ROW_LIMIT_BYTES, UNKNOWN, Flights
from resolvers.lambda_pieces import Piece, cut
from resolvers.lambda_questions import answerer_of, job_of
from resolvers.lambda_recall import Recalled, recall, recipe_of
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
    recalled = [recall(context, task.load, task.present, rows) for task in tasks]
    waiting = [number for number, known in enumerate(recalled) if known.waiting]
    if waiting:
        await _complete(context, [tasks[number] for number in waiting], [recalled[number] for number in waiting], rows)
    return [known.values for known in recalled]


async def _complete(context: Context, tasks: Sequence[Task], recalled: Sequence[Recalled], rows: Sequence[Any]) -> None:
    """Find the values that are not known yet."""
    inputs = _inputs(context, tasks, recalled, rows)
    modules: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        modules.setdefault(task.slot.module.name, []).append(number)
    jobs = [
        _run(context, [(tasks[number], inputs[number], recalled[number]) for number in numbers])
        for numbers in modules.values()
    ]
    for numbers, found in zip(modules.values(), await together(jobs), strict=True):
        if isinstance(found, Exception):
            raise found
        for number, column in zip(numbers, found, strict=True):
            recalled[number].fill(_spread(inputs[number], column))


def _inputs(context: Context, tasks: Sequence[Task], recalled: Sequence[Recalled], rows: Sequence[Any]) -> list[Inputs]:
    """Read what is needed of the rows that wait. Fields for which the same rows do share what they need."""
    readers: dict[tuple[int, ...], InputReader] = {}
    found = []
    for task, known in zip(tasks, recalled, strict=True):
        places = tuple(known.waiting)
        if places not in readers:
            waiting = rows if len(places) == len(rows) else [rows[place] for place in places]
            readers[places] = InputReader(waiting, apart=context.apart)
        found.append(readers[places].read(task.load.reads, task.present))
    return found


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
    inputs: Inputs
    recalled: Recalled
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
        return self.recipe, tuple(self.inputs.rows[place] for place in self.open_rows)


async def _run(context: Context, fields: Sequence[tuple[Task, Inputs, Recalled]]) -> list[list[Any]]:
    """Compute fields of one module."""
    module = fields[0][0].slot.module
    job = job_of(context, module.name, (), context.lambda_limits.of_fields(module))
    columns = [_column(context, *field) for field in fields]
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


def _column(context: Context, task: Task, inputs: Inputs, recalled: Recalled) -> _Column:
    memory, keys = context.memory, inputs.rows
    recipe = recipe_of(context, task.slot, task.load.form) if memory is not None and inputs.are_keys else None
    values = memory.find(recipe, keys) if memory is not None and recipe is not None else [UNKNOWN] * len(keys)
    missing = [place for place, value in enumerate(values) if value is UNKNOWN]
    open_rows = keys if len(missing) == len(keys) else [keys[place] for place in missing]
    rows, size = weighed(open_rows) if missing else ((), 0)
    if size > ROW_LIMIT_BYTES * len(rows):
        recipe = None
    return _Column(task, inputs, recalled, _batch(context, task.load), recipe, values, missing, rows, size)


def _fill(column: _Column, values: Sequence[Any]) -> None:
    """Put values into their places."""
    for place, value in zip(column.open_rows, values, strict=True):
        column.values[place] = value


def _remember(context: Context, column: _Column, values: Sequence[Any]) -> None:
    """Remember those that will be the same the next time."""
    memory = context.memory
    if memory is None or column.recipe is None or not values:
        return
    if not column.recalled.keep(memory, _spread(column.inputs, column.values), column.size):
        made = [(column.inputs.rows[place], value) for place, value in zip(column.open_rows, values, strict=True)]
        memory.keep(column.recipe, [pair for pair in made if not isinstance(pair[1], Exception)], column.size)


async def _run_job(context: Context, job: Job, columns: Sequence[_Column], pieces: Sequence[Piece]) -> list[list[Any]]:
    batches = [replace(columns[piece.number].batch, rows=piece.rows) for piece in pieces]
    answerer = answerer_of(context) if context.asks else None
    result = await context.lambdas.run(replace(job, batches=batches), answerer)
    for batch, outcomes in zip(batches, result.outcomes, strict=True):
        _tell(context, batch.script.name, outcomes)
    return [
        _values(context, columns[piece.number].task.slot, outcomes)
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


def _values(context: Context, slot: LambdaSlot, outcomes: Sequence[Outcome]) -> list[Any]:
    taken = AS_THEY_ARE.get(slot.computed.kind)
    return [
        outcome.value
        if outcome.value.__class__ is taken and outcome.failure is None
        else _value(context, slot, outcome)
        for outcome in outcomes
    ]


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
