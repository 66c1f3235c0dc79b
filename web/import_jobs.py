"""Imports that go on after their request: one task each, its progress in the database, and an end in every case."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from identity.principals import Principal
from resolvers.conduct import Work
from resolvers.context import Context
from resolvers.deeds import Deeds
from resolvers.door import Door
from resolvers.errors import DatabaseAway, DeadlinePassed
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.import_order import ImportPlan
from resolvers.import_run import ImportRun
from resolvers.import_tally import RowError, Tally
from resolvers.messages import text_of
from resolvers.outcome import Outcome
from resolvers.writing import Writing
from storage.engine import Database
from storage.errors import OutcomeUnknown, StatementTimeout, StorageError, Unavailable
from storage.file_claims import Owner
from storage.files import Files
from storage.jobs import DONE, FAILED, RUNNING, Job, JobState, add_job, bury_job, note_job, read_job

KIND = "import"
AT_ONCE = 2  # the others wait for their turn
MOST = 20  # of one process
LIMIT_S = 3_600.0
NOTED_EVERY_S = 0.5
ALIVE_EVERY_S = 5.0  # also where nothing changes
STOP_S = 4.0  # to finish what is being written when the server stops
FIRST_END_PAUSE_S, END_ATTEMPTS = 0.2, 6

_log = logging.getLogger("lambdesk.imports")
_DEADLINES = (TimeoutError, DeadlinePassed, StatementTimeout)
_ABSENCES = (DatabaseAway, Unavailable, OutcomeUnknown)


class Stopped(Exception):
    """The server stops; what is written so far stays."""


@dataclass(slots=True)
class Running:
    """An import of this process."""

    run: ImportRun
    plan: ImportPlan
    languages: tuple[str, ...]
    task: asyncio.Task[None] | None = None
    failure: Mapping[str, str] | None = None
    noted: JobState | None = None
    noted_at: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, key: str, **params: Any) -> None:
        """Say why the import as a whole has failed."""
        self.failure = {"key": key, "message": text_of(key, params, self.languages)}

    def now(self, state: str, *, errors: bool = True) -> JobState:
        """Return how far it is. Without `errors` only how many there are: they may be long."""
        tally = self.run.tally
        return JobState(
            state, self.plan.total, tally.done, tally.failed, self._result(tally, tally.errors if errors else ())
        )

    def _result(self, tally: Tally, errors: Sequence[RowError]) -> dict[str, Any]:
        return {
            "dryRun": self.plan.dry_run,
            "created": tally.created,
            "updated": tally.updated,
            "ignored": list(self.plan.mapped.unknown),
            "failure": self.failure,
            "errors": [
                [error.row, error.column, error.field, error.fault.code.value, error.fault.key, self._told(error.fault)]
                for error in errors
            ],
        }

    def _told(self, fault: Fault) -> str:
        return text_of(fault.key, fault.params, self.languages)


class ImportJobs:
    """The imports of this process, and where those of all processes are asked for."""

    def __init__(self, database: Database, files: Files) -> None:
        self.files = files
        self._database = database
        self._places = asyncio.Semaphore(AT_ONCE)
        self._running: dict[int, Running] = {}
        self._is_stopping = False

    async def begin(self, context: Context, writing: Writing, plan: ImportPlan, name: str, fingerprint: str) -> int:
        """Make a job and let it run; with an idempotency key once. Return its number. Raises `Faulty`."""
        if self._is_stopping or len(self._running) >= MOST:
            raise Faulty(Fault(FaultCode.LIMIT, "import-busy", None, {"limit": MOST}))
        running = self._prepare(context, writing, plan)
        owner = owner_of(context.caller)
        made: list[int] = []

        async def make(work: Work) -> Outcome:
            made[:] = [await add_job(work.transaction, KIND, plan.module.name, owner, running.now(RUNNING))]
            return Outcome(extra={"job": made[0]})

        outcome = await Deeds(context, writing, Door(context)).once(name, lambda: fingerprint, make)
        number = int(outcome.extra["job"])
        if made == [number]:
            self._running[number] = running
            running.task = asyncio.create_task(self._live(number, running), name=f"import {number}")
        return number

    async def find(self, context: Context, number: int) -> Job | None:
        """Return the caller's job; of this process's own how far it is right now."""
        owner = owner_of(context.caller)
        job = await read_job(self._database, KIND, number, owner, deadline=context.deadline)
        running = self._running.get(number)
        if job is None:
            return None
        if running is not None and not running.ended.is_set():
            return replace(job, now=running.now(RUNNING))
        if not job.is_dead:
            return job
        failure = {"key": "import-died", "message": text_of("import-died", {}, context.languages)}
        await bury_job(self._database, job, {**job.now.result, "failure": failure})
        return await read_job(self._database, KIND, number, owner, deadline=context.deadline)

    async def wait(self, number: int, seconds: float) -> None:
        """Wait for the end of an import of this process, so long at most."""
        running = self._running.get(number)
        if running is not None and seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.ended.wait(), seconds)

    async def stop(self) -> None:
        """Let running imports finish what they write, and end all of them."""
        self._is_stopping = True
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=STOP_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- inside ---

    def _prepare(self, context: Context, writing: Writing, plan: ImportPlan) -> Running:
        """Make what runs: with a deadline of its own, and without the request's key, which stands for the job."""
        own = Context(
            snapshot=context.snapshot,
            database=context.database,
            secret=context.secret,
            rights=context.rights,
            request_id=context.request_id,
            deadline=time.monotonic() + LIMIT_S,
            lambdas=context.lambdas,
            lambda_limits=context.lambda_limits,
            asks=context.asks,
            languages=context.languages,
        )
        run = ImportRun(own, replace(writing, idempotency_key=None), plan, self._pause)
        return Running(run, plan, context.languages)

    def _pause(self) -> None:
        if self._is_stopping:
            raise Stopped

    async def _live(self, number: int, running: Running) -> None:
        """Run an import to its end, whatever that is, and note it."""
        beat = asyncio.create_task(self._beat(number, running))
        state = FAILED
        try:
            async with self._places, asyncio.timeout(LIMIT_S):
                if await running.run.run():
                    state = DONE
                else:
                    running.fail("import-rows")
        except asyncio.CancelledError:
            running.fail("import-stopped")
            raise
        except Stopped:
            running.fail("import-stopped")
        except _DEADLINES:
            running.fail("import-late", limit=round(LIMIT_S))
        except _ABSENCES:
            running.fail("import-away")
        except Exception:  # noqa: BLE001 - the owner gets a code and the operator the stack
            running.fail("import-broken")
            _log.exception("an import failed", extra={"fields": {"job": number}})
        finally:
            beat.cancel()
            await asyncio.shield(asyncio.create_task(self._end(number, running, state)))

    async def _beat(self, number: int, running: Running) -> None:
        """Note progress now and then. An import that somebody has buried meanwhile is stopped."""
        while True:
            await asyncio.sleep(NOTED_EVERY_S)
            now, moment = running.now(RUNNING, errors=False), time.monotonic()
            if now == running.noted and moment - running.noted_at < ALIVE_EVERY_S:
                continue
            try:
                is_there = await note_job(self._database, number, now)
            except StorageError:
                continue  # on SQLite while the import itself writes; whoever asks this process is told anyway
            running.noted, running.noted_at = now, moment
            if not is_there and running.task is not None:
                running.task.cancel()

    async def _end(self, number: int, running: Running, state: str) -> None:
        if state == FAILED and not running.plan.skips_failed:
            running.run.tally.created = running.run.tally.updated = 0
        try:
            for attempt in range(END_ATTEMPTS):
                with contextlib.suppress(StorageError):
                    await note_job(self._database, number, running.now(state))
                    break
                await asyncio.sleep(FIRST_END_PAUSE_S * 2**attempt)
            else:
                _log.error("the end of an import could not be noted", extra={"fields": {"job": number}})
        finally:
            running.ended.set()
            del self._running[number]


def owner_of(caller: Principal) -> Owner:
    """Say whose an import is."""
    return Owner(str(caller.kind), caller.id)
