"""What became of a mutation, before anything of it is shown: rows written, faults found. Kept for a retry with the same key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resolvers.faults import Fault, FaultCode
from resolvers.images import Key
from resolvers.messages import plain_params
from resolvers.shape import Record


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row: its key where it was written, else what is wrong with it."""

    key: Key | None = None
    faults: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutation's result. `current` is the key of the row that stood in the way; `created` is said by upserts.

    `told` is what lambdas said, as JSON. `shown` is the written row as the payload's views see it, where the statement that
    wrote it has said so; it is not kept.
    """

    rows: Sequence[RowOutcome] = ()
    faults: Sequence[Fault] = ()
    current: Key | None = None
    created: bool | None = None
    affected: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)  # keys of rows that hand-written mutations keep beside
    told: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[Key, Sequence[Record]] | None = None

    @property
    def key(self) -> Key | None:
        """The key of the one row that was written."""
        return self.rows[0].key if self.rows else None

    def named(self, name: str) -> Key | None:
        """Return the key of a row that a payload shows under a name."""
        if name == "record":
            return self.key
        return self.current if name == "current" else self.beside(name)

    def beside(self, name: str) -> Key | None:
        """Return the key of a row that is kept beside under a name."""
        found = self.extra.get(name)
        return tuple(found) if isinstance(found, list | tuple) else None


def write_outcome(outcome: Outcome) -> str:
    """Write an outcome as JSON."""
    return json.dumps(
        {
            "rows": [[list(row.key) if row.key else None, _faults(row.faults)] for row in outcome.rows],
            "faults": _faults(outcome.faults),
            "created": outcome.created,
            "affected": outcome.affected,
            "extra": outcome.extra,
            "told": outcome.told,
        }
    )


def read_outcome(text: str) -> Outcome:
    """Read an outcome as `write_outcome` wrote it."""
    data = json.loads(text)
    return Outcome(
        [RowOutcome(tuple(key) if key else None, _read_faults(faults)) for key, faults in data["rows"]],
        _read_faults(data["faults"]),
        None,
        data["created"],
        data["affected"],
        data["extra"],
        data.get("told", {}),  # which those of an older version do not have
    )


def _faults(faults: Sequence[Fault]) -> list[list[Any]]:
    return [[fault.code.value, fault.key, fault.path, plain_params(fault.params)] for fault in faults]


def _read_faults(data: Sequence[Sequence[Any]]) -> list[Fault]:
    return [
        Fault(FaultCode(code), key, tuple(path) if path is not None else None, params)
        for code, key, path, params in data
    ]
