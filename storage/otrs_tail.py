"""What OTRS itself writes to tickets on a database that we share, noted among the changes.

OTRS leaves a row in `ticket_history` for everything that it does with a ticket, and articles are only added. What changed in
which field is not to be known from there. Our own writes leave such rows too; they are told apart and left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from storage.changes import NewChange, append, make_key
from storage.engine import Database
from storage.growing import BATCH, Growing
from storage.locks import hold
from storage.own import write_meta
from storage.own_tables import CHANGE, META
from storage.transaction import Transaction

CREATED, UPDATED = 1, 2
PAUSE_S = 1.0
ROUNDS = 20  # of full batches in one look: what came while nobody looked

_HISTORY = sa.table(
    "ticket_history",
    sa.column("id", sa.BigInteger),
    sa.column("ticket_id", sa.BigInteger),
    sa.column("create_by", sa.Integer),
    sa.column("create_time"),
    sa.column("history_type_id", sa.Integer),
)
_ARTICLE = sa.table("article", sa.column("id", sa.BigInteger), sa.column("create_by", sa.Integer))
_TYPE = sa.table("ticket_history_type", sa.column("id", sa.Integer), sa.column("name", sa.String))
_AGENT = sa.table("users", sa.column("id", sa.Integer), sa.column("login", sa.String))
_LOCK = "otrs tail"

Rows = Sequence[tuple[Any, ...]]


class Tail:
    """One process's view of what OTRS writes. Several processes note every row once between them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_at_a_time = asyncio.Lock()
        self._looked = float("-inf")
        self._places: dict[str, Growing] = {}
        self._first_row: int | None = None

    async def look(self, ticket: str | None, article: str | None) -> int:
        """Note what is new, for the modules of the tables `ticket` and `article`; return how many changes were noted.

        More than one look a second is none. The very first one of a database only remembers where it is.
        """
        async with self._one_at_a_time:
            if time.monotonic() - self._looked < PAUSE_S:
                return 0
            noted = 0
            if ticket is not None:
                noted += await self._follow(_HISTORY, ticket)
            if article is not None:
                noted += await self._follow(_ARTICLE, article)
            self._looked = time.monotonic()
            return noted

    # --- inside ---

    async def _follow(self, table: sa.TableClause, module: str) -> int:
        noted = 0
        for _ in range(ROUNDS):
            place = await self._place(table)
            mark = place.mark
            try:
                rows = await place.read(self._database)
                noted += await self._note(place, module, rows, mark)
            except BaseException:
                del self._places[table.name]  # they are read again, from what is remembered
                raise
            if len(rows) < BATCH:
                break
        return noted

    async def _place(self, table: sa.TableClause) -> Growing:
        """Return where we are, which is not behind what any process has remembered."""
        mark = await self._remembered(table)
        place = self._places.get(table.name)
        if place is None:
            place = self._places[table.name] = Growing(table, mark)
        place.skip_to(mark)
        return place

    async def _remembered(self, table: sa.TableClause) -> int:
        name = f"tail:{table.name}"
        question = sa.select(META.c.value).where(META.c.name == name)
        rows = await self._database.fetch(question)
        if not rows:
            async with self._database.transaction() as transaction:
                await hold(transaction, _LOCK)
                rows = await transaction.execute(question)
                if not rows:
                    rows = await transaction.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)))
                    await write_meta(transaction, name, str(rows[0][0]))
        return int(rows[0][0])

    async def _note(self, place: Growing, module: str, rows: Rows, mark: int) -> int:
        """Note the rows that are not ours nor noted already, and remember the place."""
        is_history = place.table is _HISTORY
        if rows:
            ours = await (self._our_history(module, rows) if is_history else self._our_articles(module, rows))
            rows = [row for row in rows if row[0] not in ours]
        if not rows and place.mark == mark:
            return 0
        changes = await self._changes(place.table.name, module, rows)
        async with self._database.transaction() as transaction:
            await hold(transaction, _LOCK)
            known = await _known(transaction, [change.origin for change in changes])
            new = [change for change in changes if change.origin not in known]
            await _remember(transaction, f"tail:{place.table.name}", place.mark)
            await append(transaction, new)
        return len(new)

    async def _our_history(self, module: str, rows: Rows) -> set[int]:
        """Find the rows that came with changes of our own.

        Such a change names the newest row of its transaction, and all of that transaction's rows have the same second and
        the same author. So a row of the ticket that is not newer, with that second and author, is ours. An id that OTRS got in
        between for the same ticket, in the same second and for the same agent, is taken for ours too.
        """
        columns = CHANGE.c
        keys = {make_key([row[1]]) for row in rows}
        question = sa.select(columns.row_key, columns.source).where(
            columns.module == module,
            columns.row_key.in_(keys),
            columns.source >= min(row[0] for row in rows),
            columns.origin.is_(None),
        )
        sources = [(key, int(source)) for key, source in await self._database.fetch(question)]
        if not sources:
            return set()
        marks = await self._marks({source for _, source in sources})
        stamps: dict[str, list[tuple[int, tuple[Any, ...] | None]]] = {}
        for key, source in sources:
            stamps.setdefault(key, []).append((source, marks.get(source)))
        return {
            row[0]
            for row in rows
            for source, stamp in stamps.get(make_key([row[1]]), ())
            if row[0] == source or (row[0] < source and (row[2], row[3]) == stamp)
        }

    async def _marks(self, numbers: Iterable[int]) -> Mapping[int, tuple[Any, ...]]:
        columns = _HISTORY.c
        question = sa.select(columns.id, columns.create_by, columns.create_time).where(columns.id.in_(set(numbers)))
        return {row[0]: tuple(row[1:]) for row in await self._database.fetch(question)}

    async def _our_articles(self, module: str, rows: Rows) -> set[int]:
        columns = CHANGE.c
        keys = {make_key([row[0]]): row[0] for row in rows}
        question = sa.select(columns.row_key).where(
            columns.module == module, columns.row_key.in_(list(keys)), columns.origin.is_(None)
        )
        return {keys[row[0]] for row in await self._database.fetch(question)}

    async def _changes(self, table: str, module: str, rows: Rows) -> list[NewChange]:
        if not rows:
            return []
        is_history = table == _HISTORY.name
        author = 2 if is_history else 1
        logins = await self._logins({row[author] for row in rows})
        first = await self._first_type() if is_history else 0
        return [
            NewChange(
                module,
                make_key([row[1] if is_history else row[0]]),
                UPDATED if is_history and row[4] != first else CREATED,
                "agent",
                row[author],
                logins.get(row[author], ""),
                source=row[0] if is_history else None,
                origin=f"otrs:{table}:{row[0]}",
            )
            for row in rows
        ]

    async def _first_type(self) -> int:
        """Return which kind of history row a ticket begins with."""
        if self._first_row is None:
            rows = await self._database.fetch(sa.select(_TYPE.c.id).where(_TYPE.c.name == "NewTicket"))
            self._first_row = rows[0][0] if rows else 0
        return self._first_row or 0

    async def _logins(self, numbers: set[int]) -> Mapping[int, str]:
        rows = await self._database.fetch(sa.select(_AGENT.c.id, _AGENT.c.login).where(_AGENT.c.id.in_(numbers)))
        return {row[0]: row[1] for row in rows}


async def _known(transaction: Transaction, origins: Sequence[str | None]) -> set[str]:
    """Find out which rows another process has noted."""
    if not origins:
        return set()
    rows = await transaction.execute(sa.select(CHANGE.c.origin).where(CHANGE.c.origin.in_(origins)))
    return {row[0] for row in rows}


async def _remember(transaction: Transaction, name: str, mark: int) -> None:
    """Remember a place, unless another process is further."""
    rows = await transaction.execute(sa.select(META.c.value).where(META.c.name == name))
    if not rows or int(rows[0][0]) < mark:
        await write_meta(transaction, name, str(mark))
