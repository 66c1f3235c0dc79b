"""Carrying out an import: a look at every row, or the rows in one transaction, or as many of them as can be written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from resolvers.conduct import RowChange, Work
from resolvers.context import Context
from resolvers.each import create_each, update_each
from resolvers.faults import Fault, FaultCode
from resolvers.hearing import HEARINGS, Unheard
from resolvers.images import Image
from resolvers.import_look import ROWS_AT_ONCE, ImportLook, Ready, text_of_key
from resolvers.import_order import ImportPlan
from resolvers.import_tally import Tally, columns_of
from resolvers.writer import Result, Writer
from resolvers.writing import Writing
from storage import retry
from storage.transaction import Transaction

ROUNDS = 3  # how often rows are looked at again that somebody has changed meanwhile


class Stale(Exception):
    """Rows are not any more what they were when they were looked at."""


class NotAll(Exception):
    """Rows of an import that is all or nothing are wrong; nothing of it stays."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        super().__init__("Rows of the import are wrong.")


class ImportRun:
    """One import on its way. `tally` may be read at any time; `pause` is called between parts and may raise."""

    def __init__(self, context: Context, writing: Writing, plan: ImportPlan, pause: Callable[[], None]) -> None:
        self.tally = Tally()
        self._context = context
        self._writing = writing
        self._plan = plan
        self._look = ImportLook(context, writing, plan, pause)
        self._columns = columns_of(plan.mapped)

    async def run(self) -> bool:
        """Do it; False where nothing was written because of rows that are wrong."""
        if self._plan.skips_failed and not self._plan.dry_run:
            async for rows in self._look.parts():
                await self._write_some(rows)
            return True
        every = [row async for rows in self._look.parts() for row in rows]
        checked = self._checked(every, await self._look.check(every))
        if self._plan.dry_run or checked.failed:
            self.tally = checked
            return self._plan.dry_run
        return await self._write_all(every)

    def _checked(self, rows: Sequence[Ready], faults: Sequence[Sequence[Fault]]) -> Tally:
        """Count what a real run would do."""
        tally = Tally(done=len(rows))
        for row, found in zip(rows, faults, strict=True):
            if found:
                tally.refuse(self._columns, row.row.number, found)
            elif row.image is not None:
                tally.updated += 1
            else:
                tally.created += 1
        if tally.failed and not self._plan.dry_run:
            tally.created = tally.updated = 0
        return tally

    async def _write_some(self, rows: list[Ready]) -> None:
        """Write those of some rows that can be written, in a transaction of their own."""

        async def write(work: Work) -> Tally:
            writer = self._writer(work)
            tally = await self._write(writer, rows)
            await writer.finish()
            return tally

        for _ in range(ROUNDS):
            try:
                found = await self._transact(write)
            except Stale:
                rows = await self._look.look([row.row for row in rows])
                found = self._changed_meanwhile(rows)
            else:
                break
        self.tally.add(found)

    async def _write_all(self, rows: list[Ready]) -> bool:
        """Write all rows in one transaction, or none."""

        async def write(work: Work) -> Tally:
            writer = self._writer(work)
            whole = Tally()
            for start in range(0, len(rows), ROWS_AT_ONCE):
                self._look.pause()
                whole.add(await self._write(writer, rows[start : start + ROWS_AT_ONCE]))
                self.tally.done = whole.done
            if whole.failed:
                raise NotAll(whole)
            await writer.finish()
            return whole

        for _ in range(ROUNDS):
            try:
                self.tally = await self._transact(write)
            except NotAll as failed:
                self.tally = Tally(failed.tally.done, failed.tally.failed, errors=failed.tally.errors)
            except Stale:
                rows = [row for start in range(0, len(rows), ROWS_AT_ONCE) for row in await self._again(rows, start)]
                self.tally = self._changed_meanwhile(rows)
                continue
            break
        return not self.tally.failed

    async def _again(self, rows: Sequence[Ready], start: int) -> list[Ready]:
        return await self._look.look([row.row for row in rows[start : start + ROWS_AT_ONCE]])

    async def _write(self, writer: Writer, rows: Sequence[Ready]) -> Tally:
        """Write rows; what is wrong with one keeps none of the others from it."""
        tally = Tally(done=len(rows))
        images = await self._locked(writer, rows)
        there = [(row, images[text_of_key(row.key)]) for row in rows if row.image is not None and row.key]
        new = [row for row in rows if row.image is None]
        module = self._plan.module
        changed = await update_each(writer, module, [(image, row.given) for row, image in there]) if there else []
        made = await create_each(writer, module, [row.given for row in new]) if new else []
        results: list[tuple[Ready, Result]] = [*zip((row for row, _ in there), changed, strict=True)]
        results += zip(new, made, strict=True)
        for row, result in sorted(results, key=lambda found: found[0].row.number):
            if isinstance(result, list):
                tally.refuse(self._columns, row.row.number, result)
            elif row.image is not None:
                tally.updated += 1
            elif isinstance(result, RowChange):
                tally.created += 1
        return tally

    async def _locked(self, writer: Writer, rows: Sequence[Ready]) -> dict[str, Image]:
        """Read and lock the rows that are there. Raises `Stale` when they are others than those that were looked at."""
        module = self._plan.module
        has_conduct = writer.conduct(module) is not None
        fetch = writer.work.transaction.execute
        images = await self._look.images([row.key for row in rows], fetch, lock=True, columns=has_conduct)
        for row in rows:
            now = images.get(text_of_key(row.key)) if row.key else None
            if (now is None) != (row.image is None):
                raise Stale
        return images

    def _changed_meanwhile(self, rows: Sequence[Ready]) -> Tally:
        tally = Tally(done=len(rows))
        for row in rows:
            tally.refuse(self._columns, row.row.number, [Fault(FaultCode.CONFLICT, "conflict")])
        return tally

    def _writer(self, work: Work) -> Writer:
        return Writer(work, self._writing.conducts, self._look.statements)

    async def _transact(self, write: Callable[[Work], Awaitable[Tally]]) -> Tally:
        """Write in a transaction, anew where hooks must have their say first. Raises `Stale` when that does not end."""
        hearing = self._look.hearing

        async def work(transaction: Transaction) -> Tally:
            now = datetime.now(UTC).replace(microsecond=0)
            return await write(Work(self._context, transaction, now, hearing))

        for _ in range(HEARINGS):
            try:
                tally = await retry.run(self._context.database, work, deadline=self._context.deadline)
            except Unheard as unheard:
                await hearing.ask(unheard.showings)
            else:
                self._writing.committed()
                return tally
        raise Stale
