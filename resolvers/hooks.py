"""The slots of lambdas around a write: before it, and for defaults. The sandbox takes the stand-in's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from resolvers.faults import Fault, FaultCode, Faulty
from schema.spec import Field, Module

BEFORE_CREATE = "before_create"
BEFORE_UPDATE = "before_update"
BEFORE_DELETE = "before_delete"


@dataclass(frozen=True, slots=True)
class HookEvent:
    """A write that is about to happen: the row by field as it is (empty for a new one) and as it would be."""

    module: Module
    on: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HookOutcome:
    """What the hooks said: values to set, by field."""

    values: Mapping[str, Any] = field(default_factory=dict)


class HookRunner(Protocol):
    """Runs the lambdas of a module's writes. Both raise `Faulty`: rejected, or failed, which denies the write too."""

    async def before(self, event: HookEvent) -> HookOutcome:
        """Run the hooks of an event in the file's order."""

    async def default(self, module: Module, field: Field, row: Mapping[str, Any]) -> Any:
        """Make the default value of a field for a new row."""


@dataclass(frozen=True, slots=True)
class NoHooks:
    """The stand-in while there is no sandbox: a hook that cannot run denies the write."""

    async def before(self, event: HookEvent) -> HookOutcome:  # noqa: ARG002 - the protocol names it
        """Deny."""
        raise Faulty(Fault(FaultCode.LAMBDA_FAILED, "lambda-failed"))

    async def default(self, module: Module, field: Field, row: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Deny."""
        raise Faulty(Fault(FaultCode.LAMBDA_FAILED, "lambda-failed", (field.api_name,)))


def has_hook(module: Module, on: str) -> bool:
    """Answer whether a module has lambdas for an event."""
    return any(hook.on == on for hook in module.hooks)
