"""A lambda that is being written, over a page of real rows as its author: what comes of each, and what it took. Nothing is written.

The draft stands beside the module's own fields in a snapshot that is made for this look alone, so that a preview goes the way of every
other query: the same rules, the same limits, the same wall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import graphql

from lambdas.contract import Answerer, Batch, Failure, Job, Outcome, Question, Result, Runner, Script, Usage
from resolvers.context import Context
from resolvers.errors import BadRequest
from resolvers.execute import execute
from schema.names import camel
from schema.snapshot import Snapshot
from schema.spec import Code, Computed, Module

DRAFT = "lambda_preview"
DRAFT_API = "lambdaPreview"
ROWS_LIMIT = 100
QUESTIONS_SHOWN = 100
_PARTS: Mapping[str, str] = {"badge": " { text tone }"}  # what is selected of values that have parts

Schemas = Callable[[Mapping[str, Module], Mapping[Any, Any]], Mapping[Any, Any]]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row: its id, what the lambda was given, what came of it, and what comes of the version that serves."""

    id: str
    item: Mapping[str, Any]
    value: Any
    old: Any
    failure: Failure | None
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a preview found. With `broken`, the draft does not compile and was not run."""

    rows: Sequence[PreviewRow] = ()
    usage: Usage = field(default_factory=Usage)
    questions: Sequence[Question] = ()
    broken: Failure | None = None


@dataclass(slots=True)
class Recorder:
    """A runner that passes jobs on and keeps what came of the draft in them."""

    runner: Runner
    name: str  # of the draft's lambda
    batches: list[Batch] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    questions: dict[str, Question] = field(default_factory=dict)

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        """Run a job; the draft in a job of its own, so that what it takes is not mixed with others."""
        own = [batch.script.name == self.name for batch in job.batches]
        if not any(own):
            return await self.runner.run(job, answer)
        others = replace(job, batches=[batch for batch, is_own in zip(job.batches, own, strict=True) if not is_own])
        alone = replace(
            job, batches=[batch for batch, is_own in zip(job.batches, own, strict=True) if is_own], measured=True
        )
        made = await self.runner.run(alone, answer and self._listen(answer))
        self.batches += alone.batches
        self.outcomes += [outcome for outcomes in made.outcomes for outcome in outcomes]
        self.usage = made.usage
        rest = iter((await self.runner.run(others, answer)).outcomes if others.batches else ())
        mine = iter(made.outcomes)
        return Result(tuple(next(mine if is_own else rest) for is_own in own), made.usage)

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:
        """Say of each script why it does not compile, or None."""
        return await self.runner.compile(module, scripts)

    def _listen(self, answer: Answerer) -> Answerer:
        async def heard(questions: Sequence[Question]) -> Any:
            for question in questions:
                if len(self.questions) < QUESTIONS_SHOWN:
                    self.questions.setdefault(repr(question), question)
            return await answer(questions)

        return heard


def draft_of(live: Computed | None, module: Module, code: str, kind: str, needs: Sequence[str] | None) -> Computed:
    """Make the draft of a computed field: of one that serves, or of one that is yet to be."""
    source = Code(code, replace(module.place, line=1, column=1))
    base = live or Computed(DRAFT, kind, module.place, module.singular)
    wanted = base.needs if needs is None else tuple(needs)
    return replace(
        base, name=DRAFT, kind=kind, needs=wanted, code=source, expression=None, examples=(), deprecated=None
    )


def with_draft(snapshot: Snapshot, module: Module, draft: Computed, build: Schemas) -> Snapshot:
    """Return a snapshot in which the draft is one more field of its module."""
    modules = {**snapshot.modules, module.name: replace(module, computed=(*module.computed, draft))}
    return replace(
        snapshot, version=f"{snapshot.version}-preview", modules=modules, schemas=build(modules, snapshot.schemas)
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are looked at: the first ones of a filter as the API has it; `args` are those of the field."""

    first: int = 20
    where: Mapping[str, Any] | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


async def preview(context: Context, module: Module, old: Computed | None, wanted: Wanted) -> Preview:
    """Run the draft of a context's snapshot (`with_draft`) over a page of rows.

    Raises BadRequest where the filter, the arguments or the needs do not fit.
    """
    draft = context.snapshot.modules[module.name].computed[-1]
    name = f"{module.name}.{DRAFT}"
    (broken,) = await context.lambdas.compile(module.name, [Script(name, draft.code.source if draft.code else "")])
    if broken is not None:
        return Preview(broken=broken)
    recorder = Recorder(context.lambdas, name)
    looking = replace(context, lambdas=recorder, apart=True, memory=None)
    result = await execute(looking, _document(context, module, draft, old), None, _variables(wanted))
    if result.data is None or result.data.get("rows") is None:
        raise BadRequest(f"previewLambda: {(result.errors or [graphql.GraphQLError('')])[0].message}")
    nodes = result.data["rows"]["nodes"]
    items = [_item(batch, values) for batch in recorder.batches for values in batch.rows]
    failures = _failures(result)
    rows = [
        PreviewRow(
            node["id"],
            items[place],
            node[DRAFT_API],
            node.get("old"),
            recorder.outcomes[place].failure or failures.get(place),
            recorder.outcomes[place].log,
        )
        for place, node in enumerate(nodes)
    ]
    return Preview(rows, recorder.usage, tuple(recorder.questions.values()))


def _failures(result: graphql.ExecutionResult) -> Mapping[int, Failure]:
    """Return what the answer says of rows whose value is none of the declared type."""
    found: dict[int, Failure] = {}
    for error in result.errors or ():
        path, cause = error.path or (), (error.extensions or {}).get("code")
        if cause and len(path) > 1 and path[-1] == DRAFT_API:
            found[int(path[-2])] = Failure(cause, error.message)
    return found


def _document(context: Context, module: Module, draft: Computed, old: Computed | None) -> graphql.DocumentNode:
    root = context.schema.query_type
    if root is None or module.many_root not in root.fields:
        raise BadRequest(f"previewLambda: {module.name} has no list that you may see.")
    declared = [f"$arg_{argument.name}: {_type_of(context, module, argument.name)}" for argument in draft.args]
    variables = ["$first: Int", f"$where: {module.type_name}Filter", *declared]
    given = ", ".join(f"{camel(argument.name)}: $arg_{argument.name}" for argument in draft.args)
    args = f"({given})" if given else ""
    before = f"old: {old.api_name}{args}{_PARTS.get(old.kind, '')}" if old is not None else ""
    text = (
        f"query({', '.join(variables)}) {{ rows: {module.many_root}(first: $first, filter: $where)"
        f" {{ nodes {{ id {DRAFT_API}{args}{_PARTS.get(draft.kind, '')} {before} }} }} }}"
    )
    document = graphql.parse(text)
    for error in graphql.validate(context.schema, document):
        raise BadRequest(f"previewLambda: {error.message}")
    return document


def _type_of(context: Context, module: Module, name: str) -> str:
    made = context.schema.type_map[module.type_name]
    if not isinstance(made, graphql.GraphQLObjectType):
        raise TypeError(f"{module.type_name} is no type of rows.")
    return str(made.fields[DRAFT_API].args[camel(name)].type)


def _variables(wanted: Wanted) -> Mapping[str, Any]:
    where = None if wanted.where is None else dict(wanted.where)
    args = {f"arg_{name}": value for name, value in wanted.args.items()}
    return {"first": min(wanted.first, ROWS_LIMIT), "where": where, **args}


def _item(batch: Batch, values: Any) -> Mapping[str, Any]:
    """Show a row as the lambda saw it: each value under its first name."""
    if batch.shape is None:
        return dict(values)
    found: dict[str, Any] = {}
    for (inside, names), value in zip(batch.shape, values, strict=True):
        found[".".join((*inside, names[0]))] = value
    return found
