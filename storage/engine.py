"""The database as the rest of Lambdesk sees it: reads with deadlines, short transactions, typed errors.

Connections are opened when first needed, so a server starts while its database is away. Reads run without a transaction
(autocommit); the few writes say BEGIN and COMMIT themselves, the same way on all three databases.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from storage.dialects import DIALECTS, Dialect
from storage.errors import BadParameter, PoolExhausted, StatementTimeout, StorageError, Unavailable
from storage.faults import is_stale_plan, translate
from storage.lean import create_async_engine
from storage.session import Session, prepare_connection, probe_dialect
from storage.urls import parse_url

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

GRACE_S = 0.3  # the server's own timeout should come first: it says why, and it stops the work
PING_TIMEOUT_S = 0.5
_SCALARS = (str, int, float, Decimal, datetime, date, clock, type(None))
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "mysql": "START TRANSACTION", "postgresql": "BEGIN"}

Statement = Executable | str
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Transaction:
    """A running transaction. It ends with the `async with` block: committed, or rolled back on any error.

    `limit_s` is how long we wait for one statement: a database behind a broken route never says that it is late.
    """

    def __init__(self, connection: AsyncConnection, dialect: Dialect, limit_s: float | None = None) -> None:
        self.dialect = dialect
        self._connection = connection
        self._limit_s = limit_s

    async def execute(self, statement: Statement, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any. A text is sent to the driver as it is."""
        result = await self._run(statement, parameters)
        return [tuple(row) for row in result] if result.returns_rows else []

    async def change(self, statement: Statement, parameters: Parameters = None) -> int:
        """Run a statement and return how many rows it changed."""
        return (await self._run(statement, parameters)).rowcount

    async def raw(self) -> Any:
        """Return the driver's own connection, for bulk loading only."""
        return (await self._connection.get_raw_connection()).driver_connection

    async def _run(self, statement: Statement, parameters: Parameters) -> sa.CursorResult[Any]:
        try:
            async with asyncio.timeout(self._limit_s):
                if isinstance(statement, str):
                    return await self._connection.exec_driver_sql(statement, parameters)
                return await self._connection.execute(statement, parameters)
        except TimeoutError:
            raise StatementTimeout from None
        except (SQLAlchemyError, OSError) as error:
            raise translate(error) from None


class Database:
    """One database with its pool.

    `statements`, when set, is told the text of every statement. A `deadline` is an instant of `time.monotonic()`.
    """

    def __init__(
        self,
        url: str,
        *,
        db_time_zone: str = "UTC",
        pool_size: int = 10,
        statement_timeout_s: float = 2.0,
        acquire_timeout_s: float = 1.0,
        connect_timeout_s: float = 2.0,
    ) -> None:
        target = parse_url(
            url, zone_name=db_time_zone, statement_timeout_s=statement_timeout_s, connect_timeout_s=connect_timeout_s
        )
        self.zone = ZoneInfo(db_time_zone)
        self.file: Path | None = target.file
        self.dialect: Dialect = DIALECTS[target.dialect]
        self.statement_timeout_s = statement_timeout_s
        self.statements: Callable[[str], None] | None = None
        self._acquire_timeout_s = acquire_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._probed = False
        if target.file is not None:
            target.file.parent.mkdir(parents=True, exist_ok=True)
        self._engine: AsyncEngine = create_async_engine(
            target.url,
            connect_args=target.arguments,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=acquire_timeout_s,
            pool_reset_on_return=None,  # nothing is open when a connection goes back; broken ones are thrown away
            hide_parameters=True,
        )
        self._listen()

    async def fetch(self, statement: Statement, *, deadline: float | None = None) -> list[tuple[Any, ...]]:
        """Read rows. A connection that broke since its last use, or a plan gone stale, is tried once more."""
        try:
            return await self._read(statement, deadline)
        except Unavailable as error:
            if not error.lost:
                raise
        except SQLAlchemyError as error:
            if not is_stale_plan(error):
                raise translate(error) from None
        try:
            return await self._read(statement, deadline)
        except SQLAlchemyError as error:
            raise translate(error) from None

    @asynccontextmanager
    async def transaction(self, *, timeout_s: float | None = None) -> AsyncIterator[Transaction]:
        """Open a short transaction; a commit is never tried again, because its outcome may be unknown.

        `timeout_s` replaces the statement timeout inside; 0 means none (installation, bulk loading).
        """
        limit_s = self._patience(timeout_s)
        async with self.connection(timeout_s=timeout_s, writes=True) as connection:
            runner = Transaction(connection, self.dialect, limit_s)
            await runner.execute(_BEGIN[self.dialect.name])
            try:
                yield runner
            except (Unavailable, StatementTimeout):
                raise  # the connection is thrown away, and its transaction with it
            except Exception:
                await self._roll_back(connection)
                raise
            await runner.execute("COMMIT")

    @asynccontextmanager
    async def connection(
        self, *, deadline: float | None = None, timeout_s: float | None = None, writes: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Lend a connection without a transaction, for what must hold a session: locks, several steps."""
        connection = await self._acquire(deadline)
        try:
            session = await self._session(connection)
            async with asyncio.timeout(self._patience(None)):
                await session.limit(connection, self.statement_timeout_s if timeout_s is None else timeout_s)
            if writes:
                connection = await connection.execution_options(lambdesk_writes=True)
            yield connection
            if timeout_s is not None:
                async with asyncio.timeout(self._patience(None)):
                    await session.limit(connection, self.statement_timeout_s)
        except StorageError as error:
            await self._give_back(connection, broken=isinstance(error, Unavailable | StatementTimeout))
            raise
        except (SQLAlchemyError, OSError) as error:
            ours = translate(error)
            await self._give_back(connection, broken=isinstance(ours, Unavailable | StatementTimeout))
            raise ours from None
        except BaseException:
            await self._give_back(connection, broken=True)
            raise
        await self._give_back(connection, broken=False)

    async def ping(self, timeout_s: float = PING_TIMEOUT_S) -> None:
        """Answer quickly whether the database serves, by returning or by raising Unavailable."""
        try:
            await self.fetch("SELECT 1", deadline=time.monotonic() + timeout_s)
        except PoolExhausted:
            return  # busy is not away
        except StatementTimeout:
            raise Unavailable("no answer") from None

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    # --- inside ---

    async def _read(self, statement: Statement, deadline: float | None) -> list[tuple[Any, ...]]:
        connection = await self._acquire(deadline)
        left = self.statement_timeout_s
        if deadline is not None:
            left = min(left, deadline - time.monotonic())
        session = await self._session(connection)
        session.start(left)
        try:
            async with asyncio.timeout(left + GRACE_S if left == self.statement_timeout_s else left):
                if isinstance(statement, str):
                    result = await connection.exec_driver_sql(statement)
                else:
                    result = await connection.execute(statement)
                rows = [tuple(row) for row in result]
        except TimeoutError:
            await self._give_back(connection, broken=True)
            raise StatementTimeout from None
        except SQLAlchemyError as error:
            ours = translate(error)
            await self._give_back(connection, broken=isinstance(ours, Unavailable | StatementTimeout))
            if is_stale_plan(error):
                raise
            raise ours from None
        except BaseException:
            session.stop()
            await self._give_back(connection, broken=True)
            raise
        session.finish()
        await self._give_back(connection, broken=False)
        return rows

    async def _acquire(self, deadline: float | None) -> AsyncConnection:
        """Take a connection from the pool; the limit covers waiting for a free one and connecting."""
        limit = self._acquire_timeout_s + self._connect_timeout_s
        if deadline is not None:
            limit = min(limit, deadline - time.monotonic())
        try:
            async with asyncio.timeout(limit):
                connection = await self._engine.connect()
        except TimeoutError:
            raise self._no_connection() from None
        except (SQLAlchemyError, OSError) as error:
            raise translate(error) from None
        if not self._probed:
            await self._probe(connection)
        return connection

    def _no_connection(self) -> Unavailable:
        pool = self._engine.pool
        busy = isinstance(pool, sa.AsyncAdaptedQueuePool) and pool.checkedout() >= pool.size()
        return PoolExhausted() if busy else Unavailable("no answer")

    async def _probe(self, connection: AsyncConnection) -> None:
        """Learn from the first connection what this server can do."""
        try:
            async with asyncio.timeout(self._patience(None)):
                self.dialect = await probe_dialect(connection, self.dialect)
        except BaseException as error:
            await self._give_back(connection, broken=True)
            if isinstance(error, SQLAlchemyError | OSError):
                raise translate(error) from None
            raise
        self._probed = True

    async def _session(self, connection: AsyncConnection) -> Session:
        info: dict[Any, Any] = (await connection.get_raw_connection()).info
        session: Session = info["session"]
        return session

    def _patience(self, timeout_s: float | None) -> float | None:
        """How long we wait for a statement of a session with this timeout: a little longer than the server does."""
        seconds = self.statement_timeout_s if timeout_s is None else timeout_s
        return seconds + GRACE_S if seconds else None

    async def _roll_back(self, connection: AsyncConnection) -> None:
        try:
            async with asyncio.timeout(self.statement_timeout_s):
                await connection.exec_driver_sql("ROLLBACK")
        except (SQLAlchemyError, OSError, TimeoutError):
            await connection.invalidate()  # what cannot be rolled back must not be used again

    async def _give_back(self, connection: AsyncConnection, *, broken: bool) -> None:
        with suppress(SQLAlchemyError, OSError):
            if broken:
                await connection.invalidate()
            await connection.close()

    def _listen(self) -> None:
        engine = self._engine.sync_engine
        timeout_s = self.statement_timeout_s

        @event.listens_for(engine, "connect")
        def connected(adapted: Any, record: Any) -> None:
            record.info["session"] = prepare_connection(adapted, self.dialect.name, timeout_s)

        @event.listens_for(engine, "before_cursor_execute")
        def before(
            connection: sa.Connection, _cursor: Any, text: str, parameters: Any, _context: Any, many: bool
        ) -> None:
            writes = connection.get_execution_options().get("lambdesk_writes", False)
            check_parameters(parameters, many=many, writes=bool(writes))
            if self.statements is not None:
                self.statements(text)


def check_parameters(parameters: Any, *, many: bool = False, writes: bool = False) -> None:
    """Refuse everything but scalars before a driver sees it: drivers turn structures into SQL in surprising ways."""
    for row in parameters if many else (parameters or (),):
        for value in row.values() if isinstance(row, Mapping) else row:
            if not (isinstance(value, _SCALARS) or (writes and isinstance(value, bytes))):
                raise BadParameter(f"A {type(value).__name__} cannot be a parameter of a statement.")
