"""The slots of lambdas around a write: what they are shown of rows, and what they say. Whoever has the sandbox runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from resolvers.faults import Fault, FaultCode
from schema.spec import Field, Module

BEFORE_CREATE = "before_create"
BEFORE_UPDATE = "before_update"
BEFORE_DELETE = "before_delete"


@dataclass(frozen=True, slots=True)
class HookEvent:
    """A row that is about to be written: by field as it is (nothing of a new one) and as it would be; without secrets.

    `beside` is what else is known of it that is no field of its module.
    """

    module: Module
    on: str
    key: tuple[int | str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookOutcome:
    """What lambdas said of one row: values to set, by field, and why it must not be written; paths begin at the row."""

    values: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


class HookRunner(Protocol):
    """Runs the lambdas of a module's writes. What goes wrong stands in the outcomes, one a row, in their order."""

    async def before(self, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Run the hooks of events of one kind and module, in the file's order."""

    async def default(self, field: Field, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Make the default value of a field for new rows of one module."""


@dataclass(frozen=True, slots=True)
class NoHooks:
    """The stand-in where there is no sandbox: a hook that cannot run denies the write."""

    async def before(self, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Deny."""
        return [HookOutcome(faults=(_FAILED,)) for _ in events]

    async def default(self, field: Field, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Deny."""
        return [HookOutcome(faults=(_FAILED.under(field.api_name),)) for _ in events]


_FAILED = Fault(FaultCode.LAMBDA_FAILED, "lambda-failed")


def has_hook(module: Module, on: str) -> bool:
    """Answer whether a module has lambdas for an event."""
    return any(hook.on == on for hook in module.hooks)
