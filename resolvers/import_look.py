"""Looking at the rows of an import before anything is written: what each is given, which row it changes, what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from identity.access import Right
from resolvers.assignments import Given
from resolvers.context import Context
from resolvers.door import Door
from resolvers.faults import Fault, FaultCode
from resolvers.hearing import NEW_ROW, NO_FIELDS, Hearable, Hearing
from resolvers.hooks import BEFORE_CREATE, BEFORE_UPDATE
from resolvers.images import Fetch, Image, Key, read_images
from resolvers.import_inputs import OnceGate, RowReader
from resolvers.import_order import ID, ImportPlan
from resolvers.importing import RowInput, convert_rows
from resolvers.lambda_hooks import LambdaHooks
from resolvers.lookups import resolve
from resolvers.nodes import VersionSlot
from resolvers.predicate import Compare, KeyIn, Predicate
from resolvers.shape import link_key
from resolvers.statements import Statement
from resolvers.stored import protect
from resolvers.taken import mark_taken, unique_keys
from resolvers.terms import Term
from resolvers.writing import Writing

ROWS_AT_ONCE = 250
BREATH_ROWS = 25  # after so many rows others have their turn


@dataclass(slots=True)
class Ready:
    """A row before its transaction: what it is given, and the row of the table that it changes, if there is one."""

    row: RowInput
    given: Given
    key: Key | None = None
    image: Image | None = None


class ImportLook:
    """Looks at the rows of one import. `pause` is called between parts and may raise."""

    def __init__(self, context: Context, writing: Writing, plan: ImportPlan, pause: Callable[[], None]) -> None:
        self.context = context
        self.plan = plan
        self.hearing = Hearing(writing.hooks or LambdaHooks(context), context.secret, hashes=not plan.dry_run)
        self.pause = pause
        self.statements = Door(context).statements
        self._reader = RowReader(context, OnceGate(context.access, context.snapshot.by_table), plan.mapped)
        self._seen: dict[str, int] = {}  # numbers of rows by the key that finds them

    async def parts(self) -> AsyncIterator[list[Ready]]:
        """Yield the rows of the file, some at once."""
        table = self.plan.table
        for start in range(0, self.plan.total, ROWS_AT_ONCE):
            self.pause()
            rows: list[RowInput] = []
            for first in range(start, min(start + ROWS_AT_ONCE, self.plan.total), BREATH_ROWS):
                part = replace(table, rows=table.rows[first : min(first + BREATH_ROWS, start + ROWS_AT_ONCE)])
                rows += convert_rows(part, self.plan.mapped, zone=self.context.database.zone)
                await asyncio.sleep(0)
            yield await self.look(rows)

    async def look(self, rows: Sequence[RowInput]) -> list[Ready]:
        """Find the rows that are there, and read what each is given."""
        target = self.plan.key
        keys = [self._reader.key(row, target) if target else None for row in rows]
        images = await self.images(keys, self._fetch, lock=False)
        found: list[Ready] = []
        for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
            image = images.get(text_of_key(key)) if key else None
            given = self._reader.create(row) if image is None else self._reader.patch(row)
            self._check_key(row, key, given, image)
            if image is not None and not image.allowed:
                given.faults.append(Fault(FaultCode.FORBIDDEN, "forbidden"))
            hashes = not self.plan.dry_run and not given.faults
            await protect(self.plan.module, given, self.context.secret, hashes=hashes)
            found.append(Ready(row, given, key, image))
            if number % BREATH_ROWS == 0:
                await asyncio.sleep(0)
        return found

    async def images(
        self, keys: Sequence[Key | None], fetch: Fetch, *, lock: bool, columns: bool = False
    ) -> dict[str, Image]:
        """Read the rows that these keys find, by `text_of_key`."""
        target, module = self.plan.key, self.plan.module
        wanted = list(dict.fromkeys(key for key in keys if key))
        if target is None or not wanted:
            return {}
        where: Predicate = KeyIn((), module, tuple(wanted))
        known = next((key for key in module.row_keys if key.api_name == target.name), None)
        if target.name != ID and known is not None:
            where = Compare(Term((), module, known.column), "in", [key[0] for key in wanted], "upsertBy")
        found = await read_images(
            self.statements,
            module,
            [where],
            VersionSlot(()),
            fetch,
            right=Right.UPDATE,
            limit=len(wanted),
            lock=lock,
            columns=columns,
        )
        name = known.field if known is not None and target.name != ID else None
        return {text_of_key(image.key if name is None else (image.fields[name],)): image for image in found}

    async def check(self, rows: Sequence[Ready]) -> list[list[Fault]]:
        """Tell what would keep each row from being written: hooks, and what it takes from the table or from a row before it."""
        module, speech = self.plan.module, self.statements.speech()
        copies = [(row.given.copy(), row.image.key if row.image else None) for row in rows]
        await resolve(self._fetch, self.statements, [given for given, _ in copies])
        self.pause()
        await self._hear(rows, [given for given, _ in copies])
        self.pause()
        await mark_taken(self._fetch, speech, module, unique_keys(module, self.statements.catalog), copies)
        return [given.faults for given, _ in copies]

    def _check_key(self, row: RowInput, key: Key | None, given: Given, image: Image | None) -> None:
        """Refuse a key that an earlier row has, and a number that no row has: the new row would get another."""
        target, module = self.plan.key, self.plan.module
        if target is None or key is None:
            return
        before = self._seen.setdefault(text_of_key(key), row.number) if key else row.number
        if before != row.number:
            given.faults.append(Fault(FaultCode.UNIQUE, "import-key-twice", (target.name,), {"row": before}))
        elif image is None and target.field is None and (target.name == ID or module.counted_key or not key):
            given.faults = [Fault(FaultCode.NOT_FOUND, "not-found", (target.name,))]

    async def _hear(self, rows: Sequence[Ready], copies: Sequence[Given]) -> None:
        """Show rows to the hooks, new ones and others."""
        module = self.plan.module
        new, there = [], []
        for row, given in zip(rows, copies, strict=True):
            if row.image is None:
                new.append(Hearable(module, NEW_ROW, NO_FIELDS, given))
            else:
                there.append(Hearable(module, row.image.key, row.image.fields, given))
        await self.hearing.attend(BEFORE_CREATE, new)
        await self.hearing.attend(BEFORE_UPDATE, there)

    async def _fetch(self, statement: Statement) -> list[tuple[object, ...]]:
        return await self.context.database.fetch(statement, deadline=self.context.deadline)


def text_of_key(key: Key) -> str:
    """Write a key so that a number and its digits are the same."""
    return "\x00".join(map(link_key, key))
