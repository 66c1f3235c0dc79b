"""The runner where lambdas do not run: each answers that it is unavailable, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.contract import Answerer, Failure, Job, Outcome, Result, Script
from lambdas.errors import FailureCode

NO_SANDBOX = "Lambdas do not run here."


@dataclass(frozen=True, slots=True)
class Off:
    """Runs nothing. `reason` is a sentence for administrators."""

    reason: str = NO_SANDBOX

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:  # noqa: ARG002 - the protocol names it
        """Return a failure for each row."""
        outcome = Outcome(failure=Failure(FailureCode.UNAVAILABLE, self.reason))
        return Result(tuple((outcome,) * len(batch.rows) for batch in job.batches))

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:  # noqa: ARG002 - as above
        """Return that nothing is known to be wrong."""
        return [None] * len(scripts)
