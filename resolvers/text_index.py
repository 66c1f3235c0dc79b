"""Keeping the full-text index: built in the background, newest rows first, and current by following the changes of rows.

Every step is one transaction that holds one name, so that of several processes one does it, and what a step read cannot be
overtaken by what another wrote. A row is read as it is, whatever its change said; so reading it twice does no harm.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from resolvers.context import FeedReader
from resolvers.scope import OPEN, Scope, Speech
from resolvers.terms import Term
from resolvers.text_sources import TextSource, sources_of
from schema.snapshot import Snapshot
from schema.spec import Module
from storage import text_rows
from storage.changes import Change, newest_id
from storage.dialects import Expression as Sql
from storage.engine import Database
from storage.locks import hold
from storage.text_rows import BUILDING, COMPLETE, LEAVING, LOCK, SourceRow
from storage.transaction import Transaction
from storage.words import has_word_index, text_id, words_of

BATCH = {"sqlite": 100, "mysql": 500, "postgresql": 500}  # rows of one transaction; SQLite's keeps all writers waiting
CHANGES = 500
LOOK_BACK = 1_000  # ids of changes that may still be missing when the following begins
TIMEOUT_S = 60.0
IDLE_S = 600.0  # how long texts that no module asks for stay: another process may have other modules
LEAVE_S = 10.0  # until no process searches in them any more
NOTED_EVERY = 1_000  # changes that are none of texts
_TOLD_EVERY_S = 30.0

_log = logging.getLogger("lambdesk.search")


@dataclass(slots=True)
class TextIndex:
    """The full-text index as one process sees and keeps it. `ready` says which texts are complete and current."""

    database: Database
    feed: FeedReader
    ready: Mapping[str, int] = field(default_factory=dict)
    rows: Sequence[SourceRow] = ()
    _seen: int = 0  # changes up to here are done, or none of texts that there are
    _idle: dict[int, float] = field(default_factory=dict)
    _cleared: dict[int, int] = field(default_factory=dict)
    _told: float = float("-inf")
    _is_there: bool | None = None

    async def step(self, snapshot: Snapshot) -> bool:
        """Do what is to be done next; return whether there is more to do right now."""
        wanted = [source for module in snapshot.modules.values() for source in sources_of(module)]
        if self._is_there is None:
            self._is_there = await has_word_index(self.database)
        elif not wanted and not self.rows:
            return False
        if not self._is_there:
            return False
        self._look([SourceRow(*row) for row in await self.database.fetch(text_rows.ALL_SOURCES)])
        if not wanted and not self.rows:
            return False
        forms = {source.form: source for source in wanted}
        is_behind = await self._follow(snapshot, forms)
        await self._align(snapshot, wanted)
        complete = {row.form: row.slot for row in self.rows if row.state == COMPLETE and row.form in forms}
        # What has not been current since this process began is not searched.
        self.ready = {form: slot for form, slot in complete.items() if not is_behind or form in self.ready}
        building = [row for row in self.rows if row.state == BUILDING and row.form in forms]
        for row in building[:1]:
            await self._build(snapshot, forms[row.form], row.slot)
        is_clearing = await self._clear()
        return is_behind or bool(building) or is_clearing

    def _look(self, rows: Sequence[SourceRow]) -> None:
        """Take note of the texts that there are."""
        if not {row.slot for row in rows} <= {row.slot for row in self.rows}:
            self._seen = 0  # what was none of the others may be one of these
        self.rows = rows

    # --- following ---

    async def _follow(self, snapshot: Snapshot, forms: Mapping[str, TextSource]) -> bool:
        """Read the rows of the next changes; return whether there are more."""
        kept = [row for row in self.rows if row.form in forms and row.state != LEAVING]
        if not kept:
            return False
        start = max(self._seen, min(row.upto for row in kept))
        sources = [forms[form] for form in sorted({row.form for row in kept})]
        followed = _followed(snapshot, sources)
        batch = await self.feed.read_since(start, CHANGES, sorted(followed))
        affected = await self._affected(snapshot, sources, followed, batch.changes)
        if affected or batch.upto - start > NOTED_EVERY:
            async with self.database.transaction(timeout_s=TIMEOUT_S) as transaction:
                await hold(transaction, LOCK)
                await self._apply(transaction, snapshot, sources, affected, batch.upto)
        self._seen = batch.upto
        return batch.more

    async def _apply(
        self,
        transaction: Transaction,
        snapshot: Snapshot,
        sources: Sequence[TextSource],
        affected: Mapping[TextSource, set[int]],
        upto: int,
    ) -> None:
        """Read the rows again, for all texts that are not further; another process may have done it."""
        known = {row.slot for row in self.rows}
        rows = [row for row in await text_rows.read_sources(transaction) if row.state != LEAVING and row.slot in known]
        for source in sources:
            slots = [row.slot for row in rows if row.form == source.form and row.upto < upto]
            owners = affected.get(source)
            if owners and slots:
                texts = await self._read(transaction, snapshot, source, owners)
                await self._put(transaction, slots, dict.fromkeys(owners, "") | texts)
            for slot in slots:
                await text_rows.note_source(transaction, slot, upto=upto)

    async def _settled(self) -> int:
        """Return from where on changes are followed by who reads rows from now on: what is being committed counts."""
        newest = await newest_id(self.database)
        return (await self.feed.read_since(max(0, newest - LOOK_BACK), LOOK_BACK, ())).upto

    async def _affected(
        self,
        snapshot: Snapshot,
        sources: Sequence[TextSource],
        followed: Mapping[str, str],
        changes: Sequence[Change],
    ) -> Mapping[TextSource, set[int]]:
        """Return whose texts changes may have changed."""
        found: dict[TextSource, set[int]] = {}
        for source in sources:
            owners: set[int] = set()
            rows: set[Any] = set()
            of = source.module.search.of
            for change in changes:
                table = followed.get(change.module)
                key = _number(change.row_key)
                if of is not None and table == _owner_module(snapshot, source).table and key is not None:
                    owners.add(key)
                elif table == source.module.table and _may_change(source, change):
                    if of is None:
                        owners |= {key} if key is not None else set()
                    else:
                        rows.add(key)
                        owners.update(_numbers(change.fields.get(source.module.by_name[of].name)))
            if rows:
                owners |= await self._owners(snapshot, source, [row for row in rows if row is not None])
            if owners:
                found[source] = owners
        return found

    async def _owners(self, snapshot: Snapshot, source: TextSource, keys: Collection[int]) -> set[int]:
        """Return whose texts rows with these keys hold."""
        scope = Scope(self._speech(snapshot), source.module)
        key = scope.value(Term((), source.module, source.module.key_columns[0]))
        rows = await self.database.fetch(scope.select(scope.value(source.owner)).where(key.in_(list(keys))))
        return {int(row[0]) for row in rows if row[0] is not None}

    # --- building ---

    async def _align(self, snapshot: Snapshot, wanted: Sequence[TextSource]) -> None:
        """Begin with texts that are wanted and not there, and let go of those that nobody has wanted for a while."""
        known = {row.form for row in self.rows if row.state != LEAVING}
        now = time.monotonic()
        forms = {source.form for source in wanted}
        idle = {row.slot for row in self.rows if row.state != LEAVING and row.form not in forms}
        self._idle = {slot: self._idle.get(slot, now) for slot in idle}
        leaving = [slot for slot, since in self._idle.items() if now - since > IDLE_S]
        missing = [source for source in wanted if source.form not in known]
        if not missing and not leaving:
            return
        upto = await self._settled()
        totals = {source.form: await self._count(snapshot, source) for source in missing}
        async with self.database.transaction(timeout_s=TIMEOUT_S) as transaction:
            await hold(transaction, LOCK)
            known = {row.form for row in await text_rows.read_sources(transaction) if row.state != LEAVING}
            for source in missing:
                if source.form not in known:
                    total = totals[source.form]
                    await text_rows.add_source(transaction, source.module.name, source.form, upto=upto, total=total)
                    _log.info(
                        "texts are being read for search",
                        extra={"fields": {"module": source.module.name, "rows": total}},
                    )
            for slot in leaving:
                await text_rows.note_source(transaction, slot, state=LEAVING, ended=text_rows.now_ms())
            rows = await text_rows.read_sources(transaction)
        self._look(rows)

    async def _build(self, snapshot: Snapshot, source: TextSource, slot: int) -> None:
        """Read the next rows, newest first; after the last one the texts are complete."""
        limit = BATCH[self.database.dialect.name]
        async with self.database.transaction(timeout_s=TIMEOUT_S) as transaction:
            await hold(transaction, LOCK)
            rows = {row.slot: row for row in await text_rows.read_sources(transaction)}
            row = rows.get(slot)
            if row is None or row.state != BUILDING or row.form != source.form:
                return
            found = await self._next(transaction, snapshot, source, row.mark, limit)
            texts = {owner: words_of(parts, self.database.dialect.name) for owner, parts in found.items()}
            await self._put(transaction, [slot], texts)
            done = row.done + len(found)
            if found:
                await text_rows.note_source(transaction, slot, mark=min(found), done=done)
            else:
                await self._complete(transaction, rows.values(), row)
        self._tell(source.module, done, row.total, is_over=not found)

    async def _complete(self, transaction: Transaction, rows: Iterable[SourceRow], done: SourceRow) -> None:
        """Note that texts are complete; others of the same form, which they replace, go."""
        now = text_rows.now_ms()
        await text_rows.note_source(transaction, done.slot, state=COMPLETE, ended=now)
        for row in rows:
            if row.form == done.form and row.state == COMPLETE:
                await text_rows.note_source(transaction, row.slot, state=LEAVING, ended=now)

    async def _clear(self) -> bool:
        """Take some of the texts out that nobody searches any more; return whether there are more."""
        before = text_rows.now_ms() - int(LEAVE_S * 1000)
        gone = [row for row in self.rows if row.state == LEAVING and (row.ended or 0) < before]
        for row in gone[:1]:
            async with self.database.transaction(timeout_s=TIMEOUT_S) as transaction:
                await hold(transaction, LOCK)
                after = await text_rows.clear_texts(transaction, row.slot, self._cleared.get(row.slot, 0))
                if after is None:
                    await text_rows.remove_source(transaction, row.slot)
            if after is None:
                self._cleared.pop(row.slot, None)
            else:
                self._cleared[row.slot] = after
        return bool(gone)

    def _tell(self, module: Module, done: int, total: int, *, is_over: bool) -> None:
        now = time.monotonic()
        fields = {"module": module.name, "done": done, "rows": total}
        if is_over:
            _log.info("the full-text index is complete", extra={"fields": fields})
        elif now - self._told > _TOLD_EVERY_S:
            self._told = now
            _log.info("texts are being read for search", extra={"fields": fields})

    # --- rows ---

    async def _put(self, transaction: Transaction, slots: Collection[int], texts: Mapping[int, str]) -> None:
        ids = {text_id(owner, slot): words for owner, words in texts.items() if owner >= 0 for slot in slots}
        await text_rows.put_texts(transaction, ids)

    async def _count(self, snapshot: Snapshot, source: TextSource) -> int:
        scope = Scope(self._speech(snapshot), source.module)
        async with self.database.transaction(timeout_s=TIMEOUT_S) as transaction:
            return int((await transaction.execute(scope.select(sa.func.count())))[0][0])

    async def _read(
        self, transaction: Transaction, snapshot: Snapshot, source: TextSource, owners: Collection[int]
    ) -> dict[int, str]:
        """Read the words of rows, by their numbers."""
        scope, owner, texts = self._texts(snapshot, source)
        rows = await transaction.execute(scope.select(owner, *texts).where(owner.in_(list(owners))))
        return {number: words_of(parts, self.database.dialect.name) for number, parts in _by_owner(rows).items()}

    async def _next(
        self, transaction: Transaction, snapshot: Snapshot, source: TextSource, mark: int | None, limit: int
    ) -> Mapping[int, list[str]]:
        """Read the texts of the newest rows below a mark. A number that several rows have is read with all of them."""
        scope, owner, texts = self._texts(snapshot, source)
        statement = scope.select(owner, *texts).where(owner.is_not(None))
        statement = statement if mark is None else statement.where(owner < mark)
        rows = await transaction.execute(statement.order_by(owner.desc()).limit(limit))
        found = _by_owner(rows)
        if len(rows) == limit:
            last = int(rows[-1][0])
            again = await transaction.execute(scope.select(owner, *texts).where(owner == last))
            found |= _by_owner(again)
        return found

    def _texts(self, snapshot: Snapshot, source: TextSource) -> tuple[Scope, Sql, list[Sql]]:
        scope = Scope(self._speech(snapshot), source.module)
        owner = scope.value(source.owner)
        return scope, owner, [scope.comparable(Term((), source.module, item)) for item in source.fields]

    def _speech(self, snapshot: Snapshot) -> Speech:
        database = self.database
        return Speech(database.dialect, snapshot.catalog, database.zone, snapshot.modules, snapshot.by_table, OPEN)


def _followed(snapshot: Snapshot, sources: Iterable[TextSource]) -> Mapping[str, str]:
    """Name the modules whose changes are followed, with their tables: rows may be written through any module of a table."""
    tables = set()
    for source in sources:
        tables.add(source.module.table)
        if source.module.search.of is not None:
            tables.add(_owner_module(snapshot, source).table)
    return {module.name: module.table for module in snapshot.modules.values() if module.table in tables}


def _owner_module(snapshot: Snapshot, source: TextSource) -> Module:
    item = source.module.field_named(source.module.search.of or "")
    return snapshot.modules.get(item.to or "", source.module) if item is not None else source.module


def _may_change(source: TextSource, change: Change) -> bool:
    """Answer whether a change may be one of texts. OTRS's changes say no fields."""
    if change.module != source.module.name or not change.fields:
        return True
    names = {name for item in source.fields for name in (item.name, item.api_name)}
    return bool(names & change.fields.keys()) or source.module.search.of in change.fields


def _number(row_key: str) -> int | None:
    """Read a key that is one whole number."""
    key = json.loads(row_key)
    return key[0] if len(key) == 1 and isinstance(key[0], int) else None


def _numbers(pair: Any) -> list[int]:
    return [value for value in pair or () if isinstance(value, int)]


def _by_owner(rows: Iterable[Sequence[Any]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for owner, *texts in rows:
        found.setdefault(int(owner), []).extend(_text(text) for text in texts if text is not None)
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
