"""Publishing module files through the API: check, publish, roll back."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

import strawberry

from resolvers.errors import BadRequest
from resolvers.faults import Fault, FaultCode
from schema.placing import Busy, place
from schema.problems import Problem
from schema.publish import Basis, Published, Superseded, publish, rollback
from schema.registry import Outcome
from schema.snapshot import ModuleState
from schema.source import SIZE_LIMIT_BYTES
from web.administrators import administrators_only
from web.module_drafts import forget_drafts
from web.platform_errors import UserError, tell
from web.platform_modules import ModuleProblem, ModuleView, SchemaChange, view_change, view_module, view_problem
from web.workshop import PlatformContext, status_of

Info = strawberry.Info[PlatformContext, Any]


@strawberry.type(description="What a check of a module file found. Nothing is published.")
class ModuleCheck:
    """The answer of `checkModule`."""

    file: str = strawberry.field(description="Where the file would be put.")
    problems: list[ModuleProblem]
    changes: list[SchemaChange] = strawberry.field(description="What publishing it would change for clients.")


@strawberry.input
class PublishModuleInput:
    """What `publishModule` takes."""

    source: str = strawberry.field(description="The YAML of the file, up to 256 kB.")
    file: str | None = strawberry.field(
        default=None,
        description="The file to write, as `modules { files }` names it. Without it: the top folder, by the module's name.",
    )
    if_version: str | None = strawberry.field(
        default=None, description="The `version` of the module that you started from; CONFLICT when another one serves."
    )
    if_digest: str | None = strawberry.field(
        default=None,
        description="The `digest` of the file that you started from, empty for a new file; CONFLICT when it has changed.",
    )
    allow_breaking: bool = strawberry.field(
        default=False, description="Publish also what breaks clients, unless the server refuses that."
    )
    client_mutation_id: str | None = None


@strawberry.input
class RollbackModuleInput:
    """What `rollbackModule` takes."""

    name: str
    version: int | None = strawberry.field(
        default=None, description="The `id` of a version. Without it: the version before the newest of its file."
    )
    allow_breaking: bool = strawberry.field(
        default=False, description="Go back also where that breaks clients, unless the server refuses that."
    )
    client_mutation_id: str | None = None


@strawberry.type(description="What publishing did. When `errors` is empty, the file serves: the next request sees it.")
class PublishModulePayload:
    """The answer of `publishModule` and `rollbackModule`."""

    module: ModuleView | None = strawberry.field(default=None, description="The module as it serves now.")
    file: str | None = strawberry.field(default=None, description="The file that was written; null when none was.")
    version: str | None = strawberry.field(default=None, description="The version of the schema that serves it.")
    problems: list[ModuleProblem] = strawberry.field(default_factory=list)
    changes: list[SchemaChange] = strawberry.field(
        default_factory=list, description="What it changes for clients, or would have changed."
    )
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class PublishingQuery:
    """Root fields about publishing."""

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="Check a module file as if it were published: its problems, and what it would change. Nothing is written."
    )
    async def check_module(self, info: Info, source: str, file: str | None = None) -> ModuleCheck:
        """Check a draft."""
        administrators_only(info.context, "checkModule")
        workshop, data = info.context.workshop, as_bytes(source)
        try:
            placed = place(workshop.folders, data, file)
        except LookupError:
            raise BadRequest("file: name a file in a module folder, as `modules { files }` does.") from None
        outcome = await workshop.registry.check(placed.shown, data)
        return ModuleCheck(file=placed.shown, problems=_problems(outcome), changes=_changes(outcome))


@strawberry.type
class PublishingMutation:
    """Mutations of module files."""

    @strawberry.mutation(  # type: ignore[untyped-decorator] # the same
        description="Check a module file and put it in place. Answers when it serves, or says why it does not."
    )
    async def publish_module(self, info: Info, input: PublishModuleInput) -> PublishModulePayload:  # noqa: A002 - its name in the API
        """Publish a file."""
        administrators_only(info.context, "publishModule")
        workshop, data = info.context.workshop, as_bytes(input.source)
        example = f"{place(workshop.folders, b'').shown.rpartition('/')[0]}/name.yaml"
        file = Fault(FaultCode.INVALID, "module-file", ("file",), {"file": input.file or "", "example": example})
        if len(data) > SIZE_LIMIT_BYTES:
            sizes = {"size": len(data), "limit": SIZE_LIMIT_BYTES}
            fault = Fault(FaultCode.LIMIT, "file-too-large", ("source",), sizes)
            return _refused(info.context, fault, input.client_mutation_id)
        work = publish(
            workshop.registry,
            workshop.folders,
            data,
            file=input.file,
            refuse_breaking=workshop.refuse_breaking or not input.allow_breaking,
            keeper=workshop.library,
            author=info.context.caller.login,
            basis=Basis(input.if_version, input.if_digest),
        )
        payload = await _settle(info.context, work, file, input.client_mutation_id)
        if payload.file is not None:
            await forget_drafts(info.context, {payload.file, input.file or payload.file})
        return payload

    @strawberry.mutation(description="Put an earlier version of a module's file back, as `publishModule` would.")  # type: ignore[untyped-decorator] # the same
    async def rollback_module(self, info: Info, input: RollbackModuleInput) -> PublishModulePayload:  # noqa: A002 - the same
        """Roll a file back."""
        administrators_only(info.context, "rollbackModule")
        workshop = info.context.workshop
        missing = Fault(FaultCode.NOT_FOUND, "module-version", ("version",), {"name": input.name})
        work = rollback(
            workshop.registry,
            workshop.library,
            workshop.folders,
            input.name,
            input.version,
            author=info.context.caller.login,
            refuse_breaking=workshop.refuse_breaking or not input.allow_breaking,
        )
        return await _settle(info.context, work, missing, input.client_mutation_id)


def as_bytes(source: str) -> bytes:
    """Encode a source; what is no character stays wrong, so that reading it names the place."""
    return source.encode("utf-8", "surrogatepass")


async def _settle(
    context: PlatformContext, work: Awaitable[Published], missing: Fault, client_mutation_id: str | None
) -> PublishModulePayload:
    """Wait until what was published serves, and answer what became of it."""
    workshop = context.workshop
    try:
        published = await work
    except LookupError:
        return _refused(context, missing, client_mutation_id)
    except Superseded:
        return _refused(context, Fault(FaultCode.CONFLICT, "module-changed"), client_mutation_id)
    except Busy:
        return _refused(context, Fault(FaultCode.CONFLICT, "module-busy"), client_mutation_id)
    except (
        ConnectionError,
        TimeoutError,
    ):  # of the database: nothing is in place, and the request says so as any other
        raise
    except OSError as error:
        reason = {"reason": error.strerror or type(error).__name__}
        return _refused(context, Fault(FaultCode.FORBIDDEN, "module-read-only", None, reason), client_mutation_id)
    outcome = published.outcome
    payload = PublishModulePayload(
        problems=_problems(outcome), changes=_changes(outcome), client_mutation_id=client_mutation_id
    )
    if published.file is None:
        payload.errors = tell(context, [_why(outcome, refuses=workshop.refuse_breaking)])
        return payload
    payload.file = published.shown
    try:
        snapshot = await workshop.reload()
    except (ConnectionError, TimeoutError):  # the file is in place, and goes live when the database is back
        payload.errors = tell(context, [Fault(FaultCode.CONFLICT, "module-not-live")])
        return payload
    payload.version = snapshot.version
    status = status_of(snapshot, published.name or "")
    if status is not None:
        payload.module = view_module(status)
        payload.problems = [view_problem(problem) for problem in status.problems]
    if status is None or status.state not in {ModuleState.LIVE, ModuleState.ABSENT}:
        payload.errors = tell(context, [Fault(FaultCode.CONFLICT, "module-not-live")])
    return payload


def _why(outcome: Outcome, *, refuses: bool) -> Fault:
    if all(problem.code == "breaking-change" for problem in _errors(outcome)):
        return Fault(FaultCode.INVALID, "module-breaking-refused" if refuses else "module-breaking", ("source",))
    return Fault(FaultCode.INVALID, "module-problems", ("source",))


def _errors(outcome: Outcome) -> Sequence[Problem]:
    return [problem for problem in outcome.problems if problem.level == "error"]


def _refused(context: PlatformContext, fault: Fault, client_mutation_id: str | None) -> PublishModulePayload:
    return PublishModulePayload(errors=tell(context, [fault]), client_mutation_id=client_mutation_id)


def _problems(outcome: Outcome) -> list[ModuleProblem]:
    return [view_problem(problem) for problem in outcome.problems]


def _changes(outcome: Outcome) -> list[SchemaChange]:
    return [view_change(item) for item in outcome.changes]
