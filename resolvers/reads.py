"""How a request reads: each statement within its deadline and its share of the pool, several at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Any

from resolvers.context import Context, Sent
from resolvers.errors import DeadlinePassed, from_storage, is_fatal
from resolvers.statements import Statement
from storage.direct import Ready
from storage.engine import Database
from storage.errors import StorageError


class Reads:
    """Sends the statements of one request, to its database or to another pool of the same."""

    def __init__(self, context: Context, database: Database | None = None) -> None:
        self.context = context
        self._database = database or context.database

    async def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Send a statement, within the request's deadline and its share of the pool. Raises `OperationError`."""
        context = self.context
        places = context.places
        if not places.take():
            await places.wait()
        try:
            if time.monotonic() >= context.deadline:
                raise DeadlinePassed
            context.statements += 1
            if context.notes is not None:
                return await self._noted(statement, context.notes)
            return await self._database.fetch(statement, deadline=context.deadline)
        except StorageError as error:
            raise from_storage(error) from error
        finally:
            places.give_back()

    async def _noted(self, statement: Statement, notes: list[Sent]) -> list[tuple[Any, ...]]:
        ready = statement if isinstance(statement, Ready) else self._database.prepare(statement)
        began = time.perf_counter()
        rows = await self._database.fetch(statement, deadline=self.context.deadline)
        ms = round(1000 * (time.perf_counter() - began), 3)
        notes.append(Sent(ready.text if ready else str(statement), len(rows), ms))
        return rows


async def together(jobs: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Do several reads at once; a failure is its answer, unless it concerns the whole operation: then all are stopped."""

    async def guard(job: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await job
        except Exception as error:  # noqa: BLE001 - returned in the answer's place; what is fatal goes on
            return caught(error)

    waiting = list(jobs)
    if len(waiting) == 1:
        return [await guard(waiting[0])]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(guard(job)) for job in waiting]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        for job in waiting:  # one that was stopped before it began would be missed by Python
            job.close()
    return [task.result() for task in tasks]


def caught(error: Exception) -> Exception:
    """Return an error that belongs to one field; raise one that concerns the whole operation."""
    if is_fatal(error):
        raise error
    return error
