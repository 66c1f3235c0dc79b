"""Module files in the API: what serves for each, and the event that says so when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.listing import shown_module
from schema.problems import Level, Problem
from schema.snapshot import ModuleState, ModuleStatus, SchemaChangeItem, Snapshot

ModuleStateType = strawberry.enum(ModuleState, name="ModuleState", description="What serves for a module file.")


@strawberry.enum(description="How much a problem matters: an error keeps a file from going live.")
class ProblemLevel(Enum):
    """The level of a problem."""

    ERROR = Level.ERROR
    WARNING = Level.WARNING
    INFO = Level.INFO


@strawberry.enum(description="How a change of the schema concerns clients.")
class SchemaChangeKind(Enum):
    """The kind of a change of the schema."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    DEPRECATED = "DEPRECATED"
    BREAKING = "BREAKING"


@strawberry.type(description="A finding in a module file.")
class ModuleProblem:
    """A problem as the API shows it."""

    code: str = strawberry.field(description="Stable and documented.")
    message: str
    file: str
    line: int
    column: int
    hint: str | None = strawberry.field(description="What to do.")
    excerpt: str | None = strawberry.field(description="The line of the file.")
    path: str | None = strawberry.field(description="The keys that lead to it, such as `fields.priority.type`.")
    level: ProblemLevel


@strawberry.type(name="ModuleStatus", description="A module with its files and what serves for it.")
class ModuleView:
    """A module as the API shows it."""

    name: str
    version: str = strawberry.field(description="Changes with whatever serves; empty when nothing does.")
    state: ModuleStateType  # type: ignore[valid-type] # Strawberry returns the enum itself
    files: list[str] = strawberry.field(description="The files it is made of, lowest layer first.")
    problems: list[ModuleProblem]


@strawberry.type(description="One difference between two versions of the schema.")
class SchemaChange:
    """A change as the API shows it."""

    kind: SchemaChangeKind
    module: str
    description: str


@strawberry.type(description="A new version of the schema is live.")
class SchemaChanged:
    """An event of `schemaChanged`."""

    version: str
    snapshot: strawberry.Private[Snapshot]

    @strawberry.field
    async def changes(self) -> list[SchemaChange]:
        """Compare with what served before, beside the event loop; who does not ask does not wait for it."""
        return [view_change(item) for item in await asyncio.to_thread(lambda: self.snapshot.changes)]


@dataclass(frozen=True, slots=True)
class Listener:
    """The context of a subscription: where snapshots come from."""

    changes: Callable[[], AsyncIterator[Snapshot]]


@strawberry.type
class ModuleQuery:
    """Root fields about module files."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Every module file with its state and problems, also one that is broken. "
        "Who is no administrator has the modules that serve and that he may view, without their files."
    )
    def modules(self, info: strawberry.Info[Any, Any]) -> list[ModuleView]:
        """Answer from the request's own snapshot."""
        context: Context = info.context
        if context.access.is_administrator:
            return [view_module(status) for status in context.snapshot.status]
        shown = (status for status in context.snapshot.status if shown_module(context, status.name) is not None)
        return [view_module(replace(status, files=(), problems=())) for status in shown]


@strawberry.type
class ModuleSubscription:
    """Events about module files."""

    @strawberry.subscription(  # type: ignore[untyped-decorator] # the same
        description="Says so whenever module files have changed what the API offers."
    )
    async def schema_changed(self, info: strawberry.Info[Any, Any]) -> AsyncGenerator[SchemaChanged]:
        """Yield every snapshot from now on; a slow reader gets the newest."""
        listener: Listener = info.context
        version = ""
        async for snapshot in listener.changes():
            if snapshot.version != version:  # a snapshot may differ in problems alone
                version = snapshot.version
                yield SchemaChanged(version=version, snapshot=snapshot)


def view_module(status: ModuleStatus) -> ModuleView:
    """Make the API's view of a module's status."""
    return ModuleView(
        name=status.name,
        version=status.version,
        state=status.state,
        files=list(status.files),
        problems=[view_problem(problem) for problem in status.problems],
    )


def view_problem(problem: Problem) -> ModuleProblem:
    """Make the API's view of a problem."""
    return ModuleProblem(
        code=problem.code,
        message=problem.message,
        file=problem.file,
        line=problem.line,
        column=problem.column,
        hint=problem.hint,
        excerpt=problem.excerpt,
        path=problem.path,
        level=ProblemLevel(problem.level),
    )


def view_change(item: SchemaChangeItem) -> SchemaChange:
    """Make the API's view of a change."""
    return SchemaChange(kind=SchemaChangeKind(item.kind), module=item.module, description=item.description)
