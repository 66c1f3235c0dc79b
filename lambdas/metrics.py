"""What each lambda did since the server started."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lambdas.contract import Failure, Outcome

NAMES_LIMIT = 5_000


@dataclass(slots=True)
class Metric:
    """One lambda's figures. A call is one batch; times in milliseconds; `last_error_at` in seconds since 1970."""

    calls: int = 0
    rows: int = 0
    failures: int = 0
    kills: int = 0
    cpu_ms: float = 0
    wall_ms: float = 0
    last_error: Failure | None = None
    last_error_at: float | None = None


@dataclass(slots=True)
class Metrics:
    """The figures of all lambdas, by name."""

    _of: dict[str, Metric] = field(default_factory=dict)

    def called(self, name: str, rows: int) -> None:
        """Count a call."""
        metric = self._metric(name)
        metric.calls += 1
        metric.rows += rows

    def took(self, name: str, cpu_ms: float, wall_ms: float) -> None:
        """Add a worker's time."""
        metric = self._metric(name)
        metric.cpu_ms += cpu_ms
        metric.wall_ms += wall_ms

    def came_out(self, name: str, outcomes: Iterable[Outcome]) -> None:
        """Count the rows that failed and keep the last reason."""
        failures = [outcome.failure for outcome in outcomes if outcome.failure]
        if failures:
            metric = self._metric(name)
            metric.failures += len(failures)
            metric.last_error, metric.last_error_at = failures[-1], time.time()

    def killed(self, name: str) -> None:
        """Count a worker that was ended for it."""
        self._metric(name).kills += 1

    def all(self) -> Mapping[str, Metric]:
        """Return the figures by name."""
        return dict(sorted(self._of.items()))

    def _metric(self, name: str) -> Metric:
        metric = self._of.get(name)
        if metric is None:
            if len(self._of) >= NAMES_LIMIT:
                self._of.pop(next(iter(self._of)))
            metric = self._of[name] = Metric()
        return metric
