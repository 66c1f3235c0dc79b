"""The sandbox of a server: started beside everything else, told of reloads, and looked at by administrators."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.contract import Answerer, Failure, Job, Result, Runner, Script
from lambdas.off import Off
from lambdas.pool import Health, Sandbox
from resolvers.context import Ask
from resolvers.document import Documents
from resolvers.lambda_gql import Queries
from resolvers.sql_answers import VERBS
from resolvers.sql_answers import answer as answer_sql
from schema.snapshot import Snapshot
from web.admission import outside
from web.settings import Settings

SWITCHED_OFF = "Lambdas are switched off: LAMBDESK_LAMBDA_WORKERS is 0."
FAILED = "Lambdas could not be started; the log says why."
PATIENCE_S = 2.0  # of those who need lambdas while they start
TOLD_EVERY_S = 600.0
FIGURES = ("calls", "rows", "failures", "kills", "cpu_ms", "wall_ms")

_log = logging.getLogger("lambdesk.lambdas")


@dataclass(slots=True)
class Lambdas:
    """Runs lambdas in the sandbox, if there is one. Who asks while it starts waits for it. Implements `contract.Runner`."""

    sandbox: Sandbox | None
    _started: asyncio.Event = field(default_factory=asyncio.Event)
    _starting: asyncio.Task[None] | None = None
    _modules: dict[str, str] = field(default_factory=dict)  # digests of those that serve

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        """Run a job. An operation whose job must wait for a worker leaves its place to others meanwhile."""
        runner = await self._runner()
        if self.sandbox is None or self.sandbox.is_free:
            return await runner.run(job, answer)
        async with outside():
            return await runner.run(job, answer)

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:
        """Say of each script why it does not compile, or None."""
        return await (await self._runner()).compile(module, scripts)

    async def _runner(self) -> Runner:
        if self.sandbox is None:
            return Off(SWITCHED_OFF)
        if not self._started.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._started.wait(), PATIENCE_S)
        return self.sandbox

    def start(self) -> None:
        """Begin to start; nothing waits for it."""
        if self.sandbox is not None:
            self._starting = asyncio.get_running_loop().create_task(self._start(self.sandbox))

    async def _start(self, sandbox: Sandbox) -> None:
        try:
            await sandbox.start()
        except OSError:
            sandbox.reason = FAILED
            _log.exception("lambdas could not be started")
        finally:
            self._started.set()

    async def close(self) -> None:
        """End all of its processes."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self.sandbox is not None:
            await self.sandbox.close()

    @property
    def health(self) -> Health:
        """How the sandbox is."""
        if self.sandbox is None:
            return Health(is_on=False, reason=SWITCHED_OFF, held={}, workers=0, waiting=0, kills=0, replaced=0)
        return self.sandbox.health()

    @property
    def trouble(self) -> str | None:
        """Why lambdas do not run though they should; None where they do, or are not to."""
        if self.sandbox is None or not self._started.is_set():
            return None
        return self.sandbox.reason

    def state(self, name: str) -> str:
        """Return whether a lambda rests, as `lambdas.breaker` names it."""
        return self.sandbox.breaker.state(name) if self.sandbox is not None else "closed"

    def forgive(self, name: str) -> None:
        """Let a lambda run at once that was stopped: its author is at work on it."""
        if self.sandbox is not None:
            self.sandbox.reset([name])

    def loaded(self, snapshot: Snapshot) -> None:
        """Let lambdas run at once that rested, if their module was written anew."""
        digests = {name: module.digest for name, module in snapshot.modules.items()}
        changed = {name for name, digest in digests.items() if self._modules.get(name) != digest}
        self._modules = digests
        if self.sandbox is not None:
            self.sandbox.reset(name for name in self.sandbox.metrics() if name.partition(".")[0] in changed)


async def keep_told(lambdas: Lambdas, stop: asyncio.Event, every_s: float = TOLD_EVERY_S) -> None:
    """Tell the log now and then what each lambda did since the last time."""
    told: dict[str, dict[str, float]] = {}
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
        for name, metric in (lambdas.sandbox.metrics() if lambdas.sandbox is not None else {}).items():
            figures = {figure: getattr(metric, figure) for figure in FIGURES}
            before = told.get(name, {})
            told[name] = figures
            since = {figure: round(value - before.get(figure, 0), 3) for figure, value in figures.items()}
            if since["calls"]:
                _log.info("lambda %s ran", name, extra={"fields": {"lambda": name, **since}})


def make_lambdas(settings: Settings) -> Lambdas:
    """Make the sandbox of the settings; nothing runs before it is started."""
    size = settings.lambda_processes
    if not size:
        return Lambdas(None)
    return Lambdas(Sandbox(size=size, trusted=settings.lambda_trust == "authors"))


def make_asks(settings: Settings) -> Mapping[str, Ask]:
    """Return who answers what lambdas ask, by verb."""
    documents = Documents(settings.limits, introspection=False, cache_size=settings.document_cache)
    asks: dict[str, Ask] = {"gql": Queries(documents)}
    return asks | (dict.fromkeys(VERBS, answer_sql) if settings.lambda_sql else {})
