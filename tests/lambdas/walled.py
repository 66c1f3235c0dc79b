"""A sandbox with real workers, and short ways to ask it and to look at its processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lambdas.contract import Answerer, Batch, Job, Outcome, Power, Result, Script
from lambdas.limits import FIELD_LIMITS, Limits
from lambdas.pool import Sandbox

ANN = {"kind": "agent", "id": 7, "login": "ann", "groups": ["users"], "locale": "en"}
PATIENCE_S = 10


def job_of(
    source: str,
    rows: Sequence[Any] = ({},),
    *,
    name: str = "room.probe",
    me: Mapping[str, Any] = ANN,
    limits: Limits = FIELD_LIMITS,
    powers: frozenset[Power] = frozenset(),
    module: str = "room",
) -> Job:
    script = Script(name, source, 1, powers)
    return Job(module, [Batch(script, rows)], me, time.time() * 1000, 1, limits)


class Walled:
    """A sandbox whose lambdas never rest, unless a test wants them to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def one(self, source: str, item: Any = None, answer: Answerer | None = None, **how: Any) -> Outcome:
        """What comes of one row."""
        return (await self.run(source, [item or {}], answer, **how)).outcomes[0][0]

    async def run(self, source: str, rows: Sequence[Any], answer: Answerer | None = None, **how: Any) -> Result:
        job = job_of(source, rows, **how)
        self.sandbox.reset([job.batches[0].script.name])
        return await self.sandbox.run(job, answer)

    async def settle(self) -> None:
        """Wait until as many workers as there should be have nothing to do."""
        await until(lambda: len(self.sandbox.processes) == self.sandbox.size)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what other processes bring about."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)


def children(process: int) -> set[int]:
    """The processes that a process has."""
    found: set[int] = set()
    for task in Path(f"/proc/{process}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def lives(process: int) -> bool:
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def memory_mb(process: int | str, what: str = "VmRSS") -> float:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) / 1024


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def descriptors(process: int | str = "self") -> set[str]:
    return {entry.name for entry in Path(f"/proc/{process}/fd").iterdir()}


def status_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
