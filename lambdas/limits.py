"""The limits of lambdas: what one job may use, and what an operator may allow at most. Each has a test that runs into it."""

from __future__ import annotations

from dataclasses import dataclass

# --- what an operator cannot exceed ---
CPU_CEILING_MS = 1_000
WALL_CEILING_MS = 5_000

# --- one job ---
ROWS_LIMIT = 2_000
ROUNDS_LIMIT = 8  # of questions and answers
QUESTIONS_LIMIT = 20  # of one row
QUESTION_LIMIT_BYTES = 16 * 1024
ANSWER_LIMIT_BYTES = 256 * 1024
NESTING_LIMIT = 64
SOURCE_LIMIT_BYTES = 64 * 1024
DEEDS_LIMIT = 100  # operations that one lambda may ask for
FRAME_LIMIT_BYTES = 4 * 1024 * 1024  # of anything that crosses the wall
GRACE_MS = 50  # after the wall time a worker that still lives is killed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. `cpu_row_ms` is added for each row of a computed field."""

    cpu_ms: float = 50
    cpu_row_ms: float = 1
    wall_ms: float = 1_000
    heap_mb: int = 32
    input_bytes: int = 256 * 1024
    output_bytes: int = 64 * 1024  # of one value
    log_bytes: int = 1024  # of one row

    def cpu_for(self, rows: int) -> float:
        """Return the CPU time in milliseconds for so many rows."""
        return min(self.cpu_ms + self.cpu_row_ms * rows, CPU_CEILING_MS)


FIELD_LIMITS = Limits()  # computed fields
DEED_LIMITS = Limits(cpu_ms=500, cpu_row_ms=0)  # hooks, actions and schedules
