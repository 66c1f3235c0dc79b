"""A running transaction: statements within their time, typed errors, and the numbers that the database gives to new rows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from storage.dialects import Dialect
from storage.direct import Answer, DirectWire, Kept, Ready
from storage.errors import OutcomeUnknown, StatementTimeout, StorageError, Unavailable
from storage.faults import translate
from storage.keeping import insert_into, insert_kept, insert_returning, insert_several
from storage.patience import Within
from storage.session import Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SEVERAL = 8  # rows of one statement that are written out
BEGIN = {"sqlite": "BEGIN IMMEDIATE", "mysql": "START TRANSACTION", "postgresql": "BEGIN"}
GRACE_S = 0.3  # the server's own timeout should come first: it says why, and it stops the work

# What may be run: a statement, the text of one, or one that its maker keeps (`storage.direct`).
Statement: TypeAlias = "Executable | Kept | Ready | str"
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Result(Protocol):
    """What a statement gave; SQLAlchemy's results are such, and those of a wire."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    @property
    def lastrowid(self) -> int:
        """The id that MySQL and SQLite gave."""

    @property
    def returns_rows(self) -> bool:
        """Whether there are rows, be it none."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows."""


class Transaction:
    """A running transaction. It ends with the `async with` block: committed, or rolled back on any error.

    One that is `at_once` has not begun: what it reads is read by itself, and `conclude` alone writes. `limit_s` is how long the
    database may take for one statement (None: as long as it wants), `deadline` the instant at which nobody waits any more. We
    keep both ourselves too: a database behind a broken route never says that it is late.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        dialect: Dialect,
        limit_s: float | None = None,
        deadline: float | None = None,
        *,
        session: Session | None = None,
        wire: DirectWire | None = None,
        at_once: bool = False,
    ) -> None:
        self.dialect = dialect
        self._wire = wire
        self._connection = connection
        self._limit_s = limit_s
        self._deadline = deadline
        self._session = session
        self.at_once = at_once
        self.is_open = False
        self._has_answered = False

    async def execute(self, statement: Statement, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any. A text is sent to the driver as it is."""
        return _rows(await self._run(statement, parameters))

    async def change(self, statement: Statement, parameters: Parameters = None) -> int:
        """Run a statement and return how many rows it changed."""
        return (await self._run(statement, parameters)).rowcount

    async def insert(self, table: sa.TableClause, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows that all have the same columns; return the `id` that the database gave to the last of them."""
        shows = self.dialect.name != "mysql"
        if len(rows) > SEVERAL:
            if shows:
                return max(int(row[0]) for row in await self._run(sa.insert(table).returning(table.c.id), rows))
            await self._run(insert_into(table), rows[:-SEVERAL])
            rows = rows[-SEVERAL:]
        count, columns = len(rows), tuple(rows[0])
        values = {f"c{place}_{row}": rows[row][name] for row in range(count) for place, name in enumerate(columns)}
        made = await self._run(insert_several(table, columns, count, shows=shows), values)
        return max(int(row[0]) for row in made) if shows else self._ids(made, count)[-1]

    async def insert_counted(self, statement: sa.Insert, key: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Insert rows that all have the same columns; return the numbers that the database gave them, in their order.

        The statement should be one that its maker keeps.
        """
        if self.dialect.name != "mysql":
            # One row is compiled, whatever their number: writing all of them out takes longer than inserting them.
            found = await self.execute(insert_returning(statement, key), rows if len(rows) > 1 else rows[0])
            return [row[0] for row in found]
        # MySQL knows no RETURNING; the numbers of one statement with a known count of rows follow each other.
        many = len(rows) > 1
        shown = statement.values(list(rows)) if many else insert_kept(statement)
        return self._ids(await self._run(shown, None if many else rows[0]), len(rows))

    def _ids(self, made: Result, count: int) -> list[int]:
        """Return the numbers that MySQL gave the rows of one statement: it tells the first, and a cluster counts in steps."""
        first, step = int(made.lastrowid), 1 if self._session is None else self._session.step
        return list(range(first, first + count * step, step))

    async def raw(self) -> Any:
        """Return the driver's own connection, for bulk loading only."""
        return (await self._connection.get_raw_connection()).driver_connection

    async def begin(self) -> None:
        """Begin; the `async with` block does, unless all is written at once."""
        await self._run(BEGIN[self.dialect.name], None)
        self.is_open = True

    async def commit(self) -> None:
        """Commit; the `async with` block does. Raises OutcomeUnknown when the database did not say whether it took place."""
        left = self._time_left()
        try:
            await self._send("COMMIT", None, left)
        except (Unavailable, StatementTimeout):
            raise OutcomeUnknown from None
        self.is_open = False

    async def conclude(self, statement: Statement, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Write everything with one statement, which the database carries out wholly or not at all; return its rows.

        Raises OutcomeUnknown when the database did not say whether it took place. Where it says that it took too long, it did
        not, so that there must be time enough for it to say so.
        """
        left = self._time_left()
        if not self._has_answered or left is None or left != self._limit_s:
            # A connection that broke while nobody used it must be found out by what writes nothing.
            await self.begin()
            rows = await self.execute(statement, parameters)
            await self.commit()
            return rows
        try:
            return _rows(await self._send(statement, parameters, left, silence=OutcomeUnknown))
        except Unavailable:
            raise OutcomeUnknown from None

    async def _run(self, statement: Statement, parameters: Parameters) -> Result:
        return await self._send(statement, parameters, self._time_left())

    async def _send(
        self,
        statement: Statement,
        parameters: Parameters,
        left: float | None,
        silence: type[StorageError] = StatementTimeout,
    ) -> Result:
        """Send a statement; `silence` is raised where nothing comes back in time."""
        if self._session is not None:
            self._session.start(float("inf") if left is None else left)
        wire = self._wire
        try:
            ready = None if wire is None else wire.make_ready(statement, parameters)
            running: Awaitable[Result]
            if wire is None or ready is None:
                running = run_by_sqlalchemy(self._connection, statement, parameters)
            else:
                running = wire.run(ready)
            # Past the deadline there is no grace: whoever waits has given up by then, and must hear of a COMMIT's fate before.
            limit = float("inf") if left is None else left + (GRACE_S if left == self._limit_s else 0)
            async with Within(limit):
                result = await running
        except StatementTimeout:  # the database has stopped it
            raise
        except TimeoutError:
            raise silence from None
        except (SQLAlchemyError, OSError) as error:
            raise translate(error) from None
        self._has_answered = True
        return result

    def _time_left(self) -> float | None:
        """Return the seconds for one statement. Raises StatementTimeout when there are none: nothing is sent any more."""
        if self._deadline is None:
            return self._limit_s
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise StatementTimeout
        return left if self._limit_s is None else min(left, self._limit_s)


def _rows(result: Result) -> list[tuple[Any, ...]]:
    if isinstance(result, Answer):
        return list(result.rows)
    return [tuple(row) for row in result] if result.returns_rows else []


async def run_by_sqlalchemy(connection: AsyncConnection, statement: Statement, parameters: Parameters) -> Any:
    """Run a statement the long way: what has converters of its own, and what is sent before there is a wire."""
    if isinstance(statement, Ready):
        return await connection.exec_driver_sql(statement.text, statement.values)
    if isinstance(statement, str):
        return await connection.exec_driver_sql(statement, parameters)
    return await connection.execute(statement.statement if isinstance(statement, Kept) else statement, parameters)
