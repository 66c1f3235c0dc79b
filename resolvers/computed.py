"""Computed fields by lambda: the slot in a read, and who runs it. The sandbox takes the stand-in's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from resolvers.errors import LambdaUnavailable
from schema.spec import Computed, Module


class LambdaRunner(Protocol):
    """Runs one lambda over all rows of a page."""

    async def run(
        self, module: Module, computed: Computed, items: Sequence[Mapping[str, Any]], args: Mapping[str, Any]
    ) -> Sequence[Any]:
        """Return one result an item, in their order; an exception instance where the lambda failed on that item."""


@dataclass(frozen=True, slots=True)
class NoRunner:
    """The stand-in while there is no sandbox: every result is an error that says so."""

    async def run(
        self,
        module: Module,
        computed: Computed,
        items: Sequence[Mapping[str, Any]],
        args: Mapping[str, Any],  # noqa: ARG002 - the protocol names it
    ) -> Sequence[Any]:
        """Return one `LAMBDA_UNAVAILABLE` an item."""
        return [LambdaUnavailable(f"{module.name}.{computed.name}") for _ in items]
