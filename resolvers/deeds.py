"""Carrying out generated mutations: each root field one transaction, tried again whole where another was in the way, done once a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from identity.access import Right
from resolvers.at_once import MARK, fits
from resolvers.conduct import RowChange, Work
from resolvers.context import Context
from resolvers.deed_nodes import AnyDeed, DeedNode, needed_right
from resolvers.door import Door
from resolvers.each import create_each
from resolvers.errors import BadRequest, from_storage, log
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hearing import HEARINGS, Hearing, Unheard
from resolvers.images import Image, Key, read_images
from resolvers.lambda_hooks import LambdaHooks
from resolvers.outcome import Outcome, RowOutcome, read_outcome, write_outcome
from resolvers.payload import Payload, read_rows
from resolvers.refusals import diagnose
from resolvers.shape import Record
from resolvers.stored import protect
from resolvers.writer import Result, Writer
from resolvers.writing import Writing
from schema.writes import Deed
from storage import idempotency, retry
from storage.errors import BadParameter, ConstraintViolated, StatementFailed, StorageError, TransactionConflict
from storage.transaction import Transaction


class Conflict(Faulty):
    """The row was changed since the client read it; `key` names it."""

    def __init__(self, image: Image) -> None:
        self.key = image.key
        super().__init__(Fault(FaultCode.CONFLICT, "conflict"))


class Deeds:
    """Carries out the generated mutations of one request, one after the other."""

    def __init__(self, context: Context, writing: Writing, door: Door) -> None:
        self.context = context
        self.writing = writing
        self.door = door
        self.hooks = writing.hooks or LambdaHooks(context)
        self._looked_again: set[DeedNode] = set()

    async def run(self, node: DeedNode) -> Payload:
        """Carry a generated mutation out and read what its payload shows."""
        try:
            outcome = await self._outcome(node)
        except StorageError as error:
            raise from_storage(error) from error
        rows = await read_rows(self.door, node.payload, outcome)
        return Payload(node, outcome, rows, self.context.languages)

    async def _outcome(self, node: DeedNode) -> Outcome:
        known = await self.recall(node)
        if known is not None:
            return known
        try:
            await self._prepare(node)
        except Faulty as faulty:
            return _refused(node, faulty)
        try:
            at_once = self._is_at_once(node)
            return await self.once(node.path[0], node.fingerprint, partial(self.deed, node), at_once=at_once)
        except Conflict as conflict:
            return Outcome(faults=conflict.faults, current=conflict.key)
        except Faulty as faulty:
            return _refused(node, faulty)
        except ConstraintViolated as error:
            return _refused(
                node,
                Faulty(*await self._diagnose(node, error)),
            )
        except (BadParameter, StatementFailed) as error:
            # Mostly a value out of the column's range; should it be a mistake of ours, this is where to see it.
            log.warning("request %s: %s was refused: %s", self.context.request_id, node.path[0], error)
            return _refused(node, Faulty(Fault(FaultCode.INVALID, "invalid-row")))

    async def recall(self, node: AnyDeed) -> Outcome | None:
        """Return what was done for the client's key before, so that nothing of it happens again: no hook, no default."""
        digest = self._digest(node.path[0])
        known = None if digest is None else await idempotency.look(self.context.database, digest, self.context.deadline)
        return None if known is None else _known(known, node.fingerprint())

    def _digest(self, name: str) -> str | None:
        key, caller = self.writing.idempotency_key, self.context.caller
        return None if key is None else idempotency.digest(caller.kind, caller.id, key, name)

    async def once(
        self,
        name: str,
        fingerprint: Callable[[], str],
        deed: Callable[[Work], Awaitable[Outcome]],
        hearings: int = HEARINGS,
        *,
        at_once: bool = False,
    ) -> Outcome:
        """Run a deed in a transaction of its own. With the client's key, what it did before is its answer again.

        Where hooks have a say, it is run anew once they had it. What is `at_once` is written by one statement if it can be.
        """
        hearing = Hearing(self.hooks, self.context.secret)
        for _ in range(hearings):
            try:
                return await self._once(name, fingerprint, deed, hearing, at_once=at_once)
            except Unheard as unheard:
                await hearing.ask(unheard.showings)
        raise Faulty(Fault(FaultCode.CONFLICT, "conflict"))

    async def _once(
        self,
        name: str,
        fingerprint: Callable[[], str],
        deed: Callable[[Work], Awaitable[Outcome]],
        hearing: Hearing,
        *,
        at_once: bool,
    ) -> Outcome:
        digest = self._digest(name)

        async def work(transaction: Transaction) -> Outcome:
            if digest is not None:
                known = await idempotency.find(transaction, digest)
                if known is not None:
                    return _known(known, fingerprint())
            outcome = await deed(Work(self.context, transaction, datetime.now(UTC).replace(microsecond=0), hearing))
            if digest is not None:
                await idempotency.note(transaction, digest, fingerprint(), write_outcome(outcome))
            return outcome

        outcome = await retry.run(self.context.database, work, deadline=self.context.deadline, at_once=at_once)
        self.writing.committed()
        return outcome

    def _is_at_once(self, node: DeedNode) -> bool:
        """Answer whether a mutation is written by one statement: with a client's key its outcome is noted, too."""
        if self.writing.idempotency_key is not None or node.module.table in self.writing.conducts:
            return False
        return fits(self.door.statements, node.module, node.deed)

    def _writer(self, work: Work, node: DeedNode | None = None) -> Writer:
        writer = Writer(work, self.writing.conducts, self.door.statements)
        if writer.at_once is not None and node is not None and not node.payload.wants_cursors:
            writer.at_once.views = node.payload.views if self.context.notes is None else ()
        return writer

    # --- before the transaction ---

    async def _prepare(self, node: DeedNode) -> None:
        """Do what needs no database, and takes too long for a transaction: hash passwords, seal secrets."""
        for given in node.rows:
            await protect(node.module, given, self.context.secret)
        if not node.skips_failed:
            faults = [fault for given in node.rows for fault in given.faults]
            if faults:
                raise Faulty(*faults)

    # --- the deeds ---

    async def deed(self, node: DeedNode, work: Work) -> Outcome:
        """Do what a mutation asks for inside a transaction. Raises what keeps it from being done."""
        return await _DEEDS[node.deed](self, node, work)

    async def create(self, node: DeedNode, work: Work) -> Outcome:
        """Make one row."""
        writer = self._writer(work, node)
        (result,) = await writer.create(node.module, [given.copy() for given in node.rows])
        change = _done(result)
        await writer.finish()
        return Outcome([RowOutcome(change.key)], affected=1, created=True, shown=_shown(writer))

    async def create_many(self, node: DeedNode, work: Work) -> Outcome:
        """Make rows: all of them, or those without an error."""
        writer = self._writer(work)
        if node.skips_failed:
            results = await create_each(writer, node.module, node.rows)
        else:
            results = await writer.create(node.module, [given.copy() for given in node.rows], whole=True)
            faults = [fault for result in results if isinstance(result, list) for fault in result]
            if faults:
                raise Faulty(*faults)
        await writer.finish()
        rows = [
            RowOutcome(result.key) if isinstance(result, RowChange) else RowOutcome(None, result or ())
            for result in results
        ]
        return Outcome(rows, affected=sum(row.key is not None for row in rows))

    async def update(self, node: DeedNode, work: Work) -> Outcome:
        """Change the row that the key names."""
        writer = self._writer(work, node)
        image = await self._locked(writer, node)
        given = node.rows[0].copy()
        await writer.update(node.module, image, given)
        await writer.finish()
        return Outcome([RowOutcome(image.key)], affected=1, shown=_shown(writer))

    async def upsert(self, node: DeedNode, work: Work) -> Outcome:
        """Change the row that the key names by what the client gave, or make it."""
        writer = self._writer(work)
        images = await self._images(writer, node, 1)
        _may(images)
        if not images:
            given = node.rows[0].copy()
            try:
                (result,) = await writer.create(node.module, [given])
            except ConstraintViolated as error:
                if error.kind == "unique" and node not in self._looked_again:  # perhaps somebody made it meanwhile
                    self._looked_again.add(node)
                    raise TransactionConflict from None
                raise
            change = _done(result)
            await self._is_the_one(writer, node, change)
            await writer.finish()
            return Outcome([RowOutcome(change.key)], affected=1, created=True)
        given = node.rows[0].copy().only(node.named)
        await writer.update(node.module, images[0], given)
        await writer.finish()
        return Outcome([RowOutcome(images[0].key)], affected=1, created=False)

    async def _is_the_one(self, writer: Writer, node: DeedNode, change: RowChange) -> None:
        """Refuse an upsert whose new row is not the one that its key names: a retry would make one more."""
        found = await self._images(writer, node, 1)
        if not found or found[0].key != change.key:
            raise Faulty(Fault(FaultCode.INVALID, "key-mismatch", ("key",)))

    async def delete(self, node: DeedNode, work: Work) -> Outcome:
        """Remove the row that the key names, or set it invalid."""
        writer = self._writer(work)
        image = await self._locked(writer, node)
        await writer.delete(node.module, [image])
        await writer.finish()
        return Outcome([RowOutcome(image.key)], affected=1)

    async def restore(self, node: DeedNode, work: Work) -> Outcome:
        """Set the row that the key names valid again."""
        writer = self._writer(work, node)
        image = await self._locked(writer, node)
        await writer.set_validity(node.module, image, "VALID")
        await writer.finish()
        return Outcome([RowOutcome(image.key)], affected=1, shown=_shown(writer))

    async def update_many(self, node: DeedNode, work: Work) -> Outcome:
        """Give all rows of a filter the same values."""
        writer = self._writer(work)
        images = await self._all(writer, node)
        await writer.update_all(node.module, images, node.rows[0].copy())
        await writer.finish()
        return Outcome([RowOutcome(image.key) for image in images], affected=len(images))

    async def delete_many(self, node: DeedNode, work: Work) -> Outcome:
        """Remove all rows of a filter."""
        writer = self._writer(work)
        images = await self._all(writer, node)
        await writer.delete(node.module, images)
        await writer.finish()
        return Outcome([RowOutcome(image.key) for image in images], affected=len(images))

    # --- rows that are there ---

    async def _locked(self, writer: Writer, node: DeedNode) -> Image:
        images = await self._images(writer, node, 1)
        if not images:
            raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("key",)))
        _may(images)
        if node.if_version is not None and node.if_version != images[0].version:
            raise Conflict(images[0])
        return images[0]

    async def _all(self, writer: Writer, node: DeedNode) -> list[Image]:
        images = await self._images(writer, node, node.most + 1, only=True)
        if len(images) > node.most:
            params = {"limit": node.most, "found": f"{node.most}+"}
            raise Faulty(Fault(FaultCode.LIMIT, "limit", ("maxAffected",), params))
        return images

    async def _images(self, writer: Writer, node: DeedNode, limit: int, *, only: bool = False) -> list[Image]:
        transaction = writer.work.transaction
        return await read_images(
            writer.statements,
            node.module,
            node.where,
            node.version,
            transaction.execute,
            right=needed_right(node.deed),
            limit=limit,
            columns=writer.conduct(node.module) is not None,
            lock=not transaction.at_once,
            only=only,
            mark=MARK if transaction.at_once else None,
        )

    async def _diagnose(self, node: DeedNode, error: ConstraintViolated) -> list[Fault]:
        statements = self.door.statements
        own: Key | None = None
        if node.where and len(node.rows) == 1:  # the row's own values are nobody else's
            found = await read_images(
                statements, node.module, node.where, node.version, self._fetch, right=Right.UPDATE, lock=False
            )
            own = found[0].key if found else None
        rows = [(given, own) for given in node.rows]
        return await diagnose(statements, node.module, rows, error, deed=node.deed, fetch=self._fetch)

    async def _fetch(self, statement: Any) -> list[tuple[Any, ...]]:
        return await self.context.database.fetch(statement, deadline=self.context.deadline)


_DEEDS: Mapping[Deed, Callable[[Deeds, DeedNode, Work], Awaitable[Outcome]]] = {
    Deed.CREATE: Deeds.create,
    Deed.CREATE_MANY: Deeds.create_many,
    Deed.UPDATE: Deeds.update,
    Deed.UPDATE_MANY: Deeds.update_many,
    Deed.UPSERT: Deeds.upsert,
    Deed.DELETE: Deeds.delete,
    Deed.DELETE_MANY: Deeds.delete_many,
    Deed.RESTORE: Deeds.restore,
}


def _may(images: Sequence[Image]) -> None:
    """Refuse a row that the caller may see and not write, before anything is done with it."""
    if not all(image.allowed for image in images):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden", ("key",)))


def _shown(writer: Writer) -> Mapping[Key, Sequence[Record]] | None:
    return None if writer.at_once is None else writer.at_once.shown


def _done(result: Result) -> RowChange:
    if isinstance(result, list):
        raise Faulty(*result)
    if result is None:
        raise LookupError("A new row was made and has no change.")
    return result


def _known(known: idempotency.Done, fingerprint: str) -> Outcome:
    if known.fingerprint != fingerprint:
        raise BadRequest("The Idempotency-Key was used for another input before. Send a new key with a new mutation.")
    return read_outcome(known.result)


def _refused(node: DeedNode, faulty: Faulty) -> Outcome:
    """Tell faults where they belong: in lists that were written, beside their row."""
    if node.deed is not Deed.CREATE_MANY:
        return Outcome(faults=faulty.faults)
    rows = []
    for given in node.rows:
        own = [
            fault for fault in faulty.faults if fault.path is not None and fault.path[: len(given.path)] == given.path
        ]
        rows.append(RowOutcome(None, own))
    others = [fault for fault in faulty.faults if not any(fault in row.faults for row in rows)]
    return Outcome(rows, others or [Fault(FaultCode.INVALID, "not-written")])
