"""Expected failures of a write: data in the payload's `errors`, never exceptions of the operation.

A fault says what is wrong by a stable code and a stable message key; `resolvers.messages` has the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class FaultCode(StrEnum):
    """The codes of `UserErrorCode`."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    UNIQUE = "UNIQUE"
    REFERENCE = "REFERENCE"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    LIMIT = "LIMIT"
    LAMBDA_REJECTED = "LAMBDA_REJECTED"
    LAMBDA_FAILED = "LAMBDA_FAILED"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a write.

    `key` names the text in `resolvers.messages`, `params` what it says; `path` leads into the mutation's input
    (`("queue", "name")`) and is None where the write as a whole is meant.
    """

    code: FaultCode
    key: str
    path: tuple[str, ...] | None = None
    params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def under(self, *steps: str) -> Fault:
        """Return the fault with a path that begins with these steps."""
        return replace(self, path=(*steps, *(self.path or ())))


class Faulty(Exception):
    """A write cannot be done; its transaction is rolled back and the faults are the answer."""

    def __init__(self, *faults: Fault) -> None:
        self.faults: Sequence[Fault] = faults
        super().__init__(", ".join(f"{fault.code} {fault.key}" for fault in faults))
