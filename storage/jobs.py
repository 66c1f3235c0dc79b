"""Jobs: work that goes on after its request, with its progress for everybody who asks, also in another process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.file_claims import Owner
from storage.own_tables import JOB
from storage.transaction import Transaction

RUNNING, DONE, FAILED = "RUNNING", "DONE", "FAILED"
DEAD_AFTER_S = 20  # a running job says so more often; one that does not is dead


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is. `result` is what JSON can hold."""

    state: str = RUNNING
    total: int = 0
    done: int = 0
    failed: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is kept; moments are to the second."""

    id: int
    module: str
    now: JobState
    created: datetime
    changed: datetime

    @property
    def is_dead(self) -> bool:
        """Whether it should run, and nothing was heard of it for too long."""
        return self.now.state == RUNNING and time.time() - self.changed.timestamp() > DEAD_AFTER_S


async def add_job(transaction: Transaction, kind: str, module: str, owner: Owner, now: JobState) -> int:
    """Make a job and return its number."""
    moment = int(time.time())
    values = {"kind": kind, "module": module, "owner_kind": owner.kind, "owner_id": owner.id, "created": moment}
    return await transaction.insert(JOB, [{**values, **_values(now)}])


async def note_job(database: Database, id_: int, now: JobState) -> bool:
    """Note how far a running job is, or that it has ended. False: it does not run any more, somebody has buried it."""
    where = (JOB.c.id == id_, JOB.c.state == RUNNING)
    async with database.transaction() as transaction:
        if await transaction.change(sa.update(JOB).where(*where).values(_values(now))):
            return True
        # MariaDB does not count a row whose values are the same already.
        return bool(await transaction.execute(sa.select(JOB.c.id).where(*where)))


async def bury_job(database: Database, job: Job, result: Mapping[str, Any]) -> None:
    """Say of a dead job that it has failed, unless it shows a sign of life meanwhile."""
    values = {"state": FAILED, "result": json.dumps(result, ensure_ascii=False)}
    seen = int(job.changed.timestamp())
    async with database.transaction() as transaction:
        where = (JOB.c.id == job.id, JOB.c.state == RUNNING, JOB.c.changed == seen)
        await transaction.change(sa.update(JOB).where(*where).values(values))


async def read_job(
    database: Database, kind: str, id_: int, owner: Owner, *, deadline: float | None = None
) -> Job | None:
    """Return an owner's job."""
    columns = JOB.c
    question = sa.select(
        columns.id, columns.module, columns.state, columns.total, columns.done, columns.failed, columns.result,
        columns.created, columns.changed,
    ).where(columns.id == id_, columns.kind == kind, columns.owner_kind == owner.kind, columns.owner_id == owner.id)  # fmt: skip
    rows = await database.fetch(question, deadline=deadline)
    if not rows:
        return None
    number, module, state, total, done, failed, result, created, changed = rows[0]
    now = JobState(state, total, done, failed, json.loads(result))
    return Job(number, module, now, datetime.fromtimestamp(created, UTC), datetime.fromtimestamp(changed, UTC))


def _values(now: JobState) -> dict[str, Any]:
    return {
        "state": now.state,
        "total": now.total,
        "done": now.done,
        "failed": now.failed,
        "result": json.dumps(now.result, ensure_ascii=False),
        "changed": int(time.time()),
    }
