"""How far an import is, and which of its rows are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resolvers.faults import Fault
from resolvers.importing import Mapped

ERRORS_KEPT = 10_000  # of one import; all of them are counted


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row of the file: `column` as its header has it, `field` as the API calls it, where it is about one."""

    row: int
    column: str | None
    field: str | None
    fault: Fault


@dataclass(slots=True)
class Tally:
    """Rows of an import. `done` counts those that are dealt with, `failed` those among them that are wrong."""

    done: int = 0
    failed: int = 0
    created: int = 0
    updated: int = 0
    errors: list[RowError] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what became of more rows."""
        self.done += other.done
        self.failed += other.failed
        self.created += other.created
        self.updated += other.updated
        self.errors += other.errors[: max(ERRORS_KEPT - len(self.errors), 0)]

    def refuse(self, columns: Mapping[str, str], row: int, faults: Sequence[Fault]) -> None:
        """Count a row that is wrong."""
        self.failed += 1
        for fault in faults:
            name = fault.path[0] if fault.path else None
            if len(self.errors) < ERRORS_KEPT:
                self.errors.append(RowError(row, columns.get(name) if name else None, name, fault))


def columns_of(mapped: Mapped) -> dict[str, str]:
    """Return the columns of a file by the names of the inputs that they stand for."""
    found: dict[str, str] = {}
    for place, target in mapped.targets.items():
        found.setdefault(target.name, mapped.header[place])
        found.setdefault(target.what, mapped.header[place])
    return found
