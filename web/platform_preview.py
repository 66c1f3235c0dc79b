"""`previewLambda`: the draft of a computed field over real rows, for the editor. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import strawberry
from strawberry.scalars import JSON

from lambdas.contract import Failure, Question
from lambdas.results import KINDS
from resolvers.errors import BadRequest
from resolvers.lambda_check import LambdaChecker
from resolvers.preview import Preview, PreviewRow, Wanted, draft_of, preview, with_draft
from schema.shapes import LAMBDA_LIMIT_BYTES
from schema.spec import Computed, Module
from storage.plain import plain
from web.administrators import administrators_only
from web.lambdas import Lambdas
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.input
class PreviewLambdaInput:
    """What `previewLambda` takes."""

    module: str = strawberry.field(description="The module's name in its file.")
    code: str = strawberry.field(description="The draft: JavaScript, up to 64 kB.")
    field: str | None = strawberry.field(
        default=None, description="The computed field that the draft is to replace, by its name in the file."
    )
    type: str | None = strawberry.field(
        default=None, description="What it returns; without it, as the field: or string."
    )
    needs: list[str] | None = strawberry.field(
        default=None, description="What `item` carries; without it, as the field: or all own columns."
    )
    args: JSON | None = strawberry.field(default=None, description="The field's arguments, by their names in the file.")
    filter: JSON | None = strawberry.field(default=None, description="Which rows, as the module's list takes it.")
    first: int = strawberry.field(default=20, description="How many rows, up to 100.")


@strawberry.type(description="Why a draft has no value. Line and column are those of the draft.")
class PreviewError:
    """A failure as the editor shows it."""

    code: str
    message: str
    line: int | None
    column: int | None


@strawberry.type(description="A row that a draft was run over.")
class LambdaPreviewRow:
    """A row as the editor shows it."""

    id: strawberry.ID
    item: JSON = strawberry.field(description="What the lambda was given, by first names.")
    value: JSON | None = strawberry.field(description="What the draft made of it.")
    old: JSON | None = strawberry.field(description="What the version that serves makes of it.")
    error: PreviewError | None
    log: list[str]


@strawberry.type(description="A question that a draft asked.")
class LambdaQuestion:
    """A question as the editor shows it."""

    verb: str = strawberry.field(description="gql, query, queryRow …")
    args: JSON


@strawberry.type(description="An example of the file, held against the draft.")
class LambdaExample:
    """An example as the editor shows it: green, or with what is wrong."""

    line: int = strawberry.field(description="Of the module's file.")
    holds: bool
    message: str | None


@strawberry.type(description="A draft over a page of real rows, as whoever asks sees them.")
class LambdaPreview:
    """The answer of `previewLambda`."""

    rows: list[LambdaPreviewRow]
    error: PreviewError | None = strawberry.field(description="Why the draft does not compile; then nothing was run.")
    cpu_ms: float
    wall_ms: float
    heap_bytes: int
    rounds: int = strawberry.field(description="How often it ran: once, and once more for each round of answers.")
    questions: list[LambdaQuestion]
    examples: list[LambdaExample]


@strawberry.type
class PreviewQuery:
    """Root fields about drafts of lambdas."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Run the draft of a computed field over real rows. Nothing is written. For administrators."
    )
    async def preview_lambda(self, info: Info, input: PreviewLambdaInput) -> LambdaPreview:  # noqa: A002 - its name in the API
        """Run a draft."""
        administrators_only(info.context, "previewLambda")
        context = info.context
        module = context.snapshot.modules.get(input.module)
        if module is None:
            raise BadRequest("previewLambda: there is no such module.")
        live = _live(module, input.field)
        draft = draft_of(live, module, _code(input.code), _kind(input, live), input.needs)
        if isinstance(context.lambdas, Lambdas):
            context.lambdas.forgive(f"{module.name}.{draft.name}")
        # What makes schemas is the registry's own; the draft's is gone with this answer.
        snapshot = with_draft(context.snapshot, module, draft, context.workshop.registry.build)
        drafted = replace(context, snapshot=snapshot, is_planned=False, has_failed=False)
        found = await preview(drafted, module, live, Wanted(input.first, _map(input.filter), _map(input.args) or {}))
        examples = [] if live is None or found.broken else await _examples(context, module, live, draft)
        return _view(found, examples)


def _live(module: Module, name: str | None) -> Computed | None:
    if name is None:
        return None
    for computed in module.computed:
        if computed.name == name and computed.code is not None:
            return computed
    raise BadRequest("previewLambda: the module has no such computed field by lambda.")


def _map(value: Any) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise BadRequest("previewLambda: filter and args are objects.")
    return value


def _code(text: str) -> str:
    if not text.strip() or len(text.encode()) > LAMBDA_LIMIT_BYTES:
        raise BadRequest("previewLambda: the code is empty, or longer than 64 kB.")
    return text


def _kind(input: PreviewLambdaInput, live: Computed | None) -> str:  # noqa: A002 - as above
    kind = input.type or (live.kind if live is not None else "string")
    if kind not in KINDS:
        raise BadRequest(f"previewLambda: type is one of {', '.join(sorted(KINDS))}.")
    return kind


async def _examples(context: PlatformContext, module: Module, live: Computed, draft: Computed) -> list[LambdaExample]:
    checker = LambdaChecker(context.lambdas)
    return [
        LambdaExample(line=example.place.line, holds=problem is None, message=problem.message if problem else None)
        for example in live.examples
        for problem in [await checker.try_example(module, draft, example)]
    ]


def _view(found: Preview, examples: list[LambdaExample]) -> LambdaPreview:
    usage = found.usage
    return LambdaPreview(
        rows=[_row(row) for row in found.rows],
        error=_error(found.broken),
        cpu_ms=round(usage.cpu_ms, 3),
        wall_ms=round(usage.wall_ms, 3),
        heap_bytes=usage.heap_bytes,
        rounds=usage.rounds,
        questions=[_question(question) for question in found.questions],
        examples=examples,
    )


def _row(row: PreviewRow) -> LambdaPreviewRow:
    return LambdaPreviewRow(
        id=strawberry.ID(row.id),
        item=plain(row.item),
        value=plain(row.value),
        old=plain(row.old),
        error=_error(row.failure),
        log=list(row.log),
    )


def _question(question: Question) -> LambdaQuestion:
    return LambdaQuestion(verb=question.verb, args=plain(question.args))


def _error(failure: Failure | None) -> PreviewError | None:
    if failure is None:
        return None
    return PreviewError(code=str(failure.code), message=failure.message, line=failure.line, column=failure.column)
