"""The sandbox of lambdas in the API: whether it runs, what locks it up, and what each lambda did. For administrators."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry

from lambdas.metrics import Metric
from web.administrators import administrators_only
from web.lambdas import Lambdas
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.enum(description="Whether a lambda is run.")
class LambdaState(Enum):
    """The states of `lambdas.breaker`."""

    RUNS = "closed"
    RESTS = strawberry.enum_value(
        "open", description="It was stopped several times in a row, and is not run for a while."
    )
    TRIES = strawberry.enum_value("trying", description="It rested, and is run once to see what it does now.")


@strawberry.type(description="Why a lambda failed last.")
class LambdaError:
    """A failure as the API shows it."""

    code: str
    message: str
    line: int | None = strawberry.field(description="Of the module's file.")
    at: datetime


@strawberry.type(description="What a lambda did since the server started.")
class LambdaFigures:
    """A lambda as the API shows it."""

    name: str = strawberry.field(description="Module and name, as in `ticket.urgency`.")
    state: LambdaState
    calls: int = strawberry.field(description="A call is one lambda over all rows of a page.")
    rows: int
    failures: int = strawberry.field(description="Rows for which it had no value.")
    kills: int = strawberry.field(description="How often its process was stopped.")
    cpu_ms: float
    wall_ms: float
    last_error: LambdaError | None


@strawberry.type(description="A step of locking up the processes that run lambdas.")
class SandboxStep:
    """A step as the API shows it."""

    name: str
    holds: bool
    reason: str | None = strawberry.field(description="Why the host refused it.")


@strawberry.type(description="The processes that run lambdas, on the server that answers.")
class LambdaSandbox:
    """The sandbox as the API shows it."""

    is_on: bool
    reason: str | None = strawberry.field(description="Why lambdas do not run.")
    workers: int
    waiting: int = strawberry.field(description="Jobs that wait for a worker.")
    kills: int = strawberry.field(description="How many workers were stopped because a lambda used too much.")
    replaced: int = strawberry.field(description="How many workers were replaced, for whatever reason.")
    steps: list[SandboxStep]
    lambdas: list[LambdaFigures]


@strawberry.type
class LambdaQuery:
    """Root fields about lambdas."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Whether lambdas run here, what locks them up, and what each of them did. For administrators."
    )
    def lambda_sandbox(self, info: Info) -> LambdaSandbox:
        """Answer from the process itself."""
        administrators_only(info.context, "lambdaSandbox")
        found = info.context.lambdas
        return view_sandbox(found if isinstance(found, Lambdas) else Lambdas(None))


def view_sandbox(lambdas: Lambdas) -> LambdaSandbox:
    """Make the API's view of the sandbox."""
    health, sandbox = lambdas.health, lambdas.sandbox
    figures = sandbox.metrics() if sandbox is not None else {}
    return LambdaSandbox(
        is_on=health.is_on,
        reason=health.reason,
        workers=health.workers,
        waiting=health.waiting,
        kills=health.kills,
        replaced=health.replaced,
        steps=[SandboxStep(name=name, holds=why is None, reason=why) for name, why in health.held.items()],
        lambdas=[_view(name, metric, lambdas) for name, metric in figures.items()],
    )


def _view(name: str, metric: Metric, lambdas: Lambdas) -> LambdaFigures:
    return LambdaFigures(
        name=name,
        state=LambdaState(lambdas.state(name)),
        calls=metric.calls,
        rows=metric.rows,
        failures=metric.failures,
        kills=metric.kills,
        cpu_ms=round(metric.cpu_ms, 3),
        wall_ms=round(metric.wall_ms, 3),
        last_error=_error(metric),
    )


def _error(metric: Metric) -> LambdaError | None:
    failure, at = metric.last_error, metric.last_error_at
    if failure is None or at is None:
        return None
    return LambdaError(
        code=str(failure.code), message=failure.message, line=failure.line, at=datetime.fromtimestamp(at, UTC)
    )
