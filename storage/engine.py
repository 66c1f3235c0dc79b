"""The database as the rest of Lambdesk sees it: reads with deadlines, short transactions, typed errors.

Connections are opened when first needed, so a server starts while its database is away. Reads run without a transaction
(autocommit); the few writes say BEGIN and COMMIT themselves, the same way on all three databases.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from storage.dialects import DIALECTS, Dialect
from storage.direct import Direct, Driver, Kept, Ready, StalePlan
from storage.errors import (
    BadParameter,
    PoolExhausted,
    StatementTimeout,
    StorageError,
    TransactionConflict,
    Unavailable,
)
from storage.faults import is_stale_plan, translate
from storage.lean import create_async_engine
from storage.lending import Lender, Loan
from storage.patience import Within
from storage.session import Session, prepare_connection, probe_dialect
from storage.transaction import GRACE_S, Parameters, Statement, Transaction, run_by_sqlalchemy
from storage.urls import parse_url

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

PING_TIMEOUT_S = 0.5
READERS = 4  # connections that cannot write, of a pool of their own
_SCALARS = (str, int, float, Decimal, datetime, date, clock, type(None))
_PLAIN = frozenset(_SCALARS)


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
        read_only: bool = False,
    ) -> None:
        target = parse_url(
            url, zone_name=db_time_zone, statement_timeout_s=statement_timeout_s, connect_timeout_s=connect_timeout_s
        )
        self.zone = ZoneInfo(db_time_zone)
        self.file: Path | None = target.file
        self.dialect: Dialect = DIALECTS[target.dialect]
        self.statement_timeout_s = statement_timeout_s
        self.statements: Callable[[str], None] | None = None
        self._patience_s = (acquire_timeout_s, connect_timeout_s)
        self._url = url
        self._beside: list[Database] = []
        self._readers: Database | None = None
        self._read_only = read_only
        self._probed = False
        self._writer = asyncio.Lock() if target.dialect == "sqlite" else None
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
        self._direct = Direct(self._engine.sync_engine, _driver(self._engine.dialect.driver))
        self._lender = Lender(
            self._engine,
            pool_size,
            lambda lent: self._direct.wire(lent, self._look),
            acquire_timeout_s=acquire_timeout_s,
            connect_timeout_s=connect_timeout_s,
        )

    def readers(self) -> Database:
        """Return a small pool whose connections cannot write, for statements that others write: the SQL of lambdas."""
        if self._readers is None:
            self._readers = self.beside(pool_size=READERS, read_only=True)
            self._readers.statements = self._pass_on
        return self._readers

    def _pass_on(self, text: str) -> None:
        if self.statements is not None:
            self.statements(text)

    def beside(self, *, pool_size: int = 1, read_only: bool = False) -> Database:
        """Make a small pool of its own for the same database, for what must not wait behind this one's transactions.

        It is closed with this one.
        """
        twin = Database(
            self._url,
            db_time_zone=self.zone.key,
            pool_size=pool_size,
            statement_timeout_s=self.statement_timeout_s,
            acquire_timeout_s=self._patience_s[0],
            connect_timeout_s=self._patience_s[1],
            read_only=read_only,
        )
        twin.dialect, twin._probed = self.dialect, self._probed  # the server is the same
        self._beside.append(twin)
        return twin

    async def fetch(self, statement: Statement, *, deadline: float | None = None) -> list[tuple[Any, ...]]:
        """Read rows. A connection that broke since its last use, or a plan gone stale, is tried once more."""
        try:
            return await self._read(statement, deadline)
        except Unavailable as error:
            if not error.lost:
                raise
        except StalePlan:
            pass
        return await self._read(statement, deadline)

    def prepare(self, statement: Executable | Kept, parameters: Parameters = None) -> Ready | None:
        """Return a statement as the driver takes it, to be kept and sent again; None where only SQLAlchemy can run it."""
        return self._direct.prepare(statement, parameters)

    async def fetch_kept(
        self, statement: Kept, parameters: Mapping[str, Any], *, deadline: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Read rows with a statement that its maker keeps, as `fetch` does."""
        ready = self.prepare(statement, parameters)
        if ready is None:
            unprepared: Any = statement.statement
            return await self.fetch(unprepared.params(parameters), deadline=deadline)
        return await self.fetch(ready, deadline=deadline)

    @asynccontextmanager
    async def transaction(
        self, *, timeout_s: float | None = None, deadline: float | None = None, at_once: bool = False
    ) -> AsyncIterator[Transaction]:
        """Open a short transaction; see `storage.retry.run` for one that is tried again when another was in the way.

        `timeout_s` replaces the statement timeout inside; 0 means none (installation, bulk loading). One that is `at_once`
        is not begun: it reads, and writes with one statement. Raises `OutcomeUnknown` when the database did not say whether
        COMMIT took place.
        """
        limit_s = self.statement_timeout_s if timeout_s is None else timeout_s
        async with self._turn(limit_s, deadline):
            loan = await self._acquire(deadline)
            broken, connection, session = True, loan.connection, loan.session
            try:
                session.writes = True
                wire = self._direct.wire(loan.lent, self._tell)
                runner = Transaction(
                    connection, self.dialect, limit_s or None, deadline, session=session, wire=wire, at_once=at_once
                )
                try:
                    await self._begin(connection, session, runner, limit_s)
                    try:
                        yield runner
                    except (Unavailable, StatementTimeout):
                        raise  # the connection is thrown away, and its transaction with it
                    except Exception:
                        broken = runner.is_open and not await self._roll_back(connection)
                        raise
                    if runner.is_open:
                        await runner.commit()
                    # What happens from here on is no failure of what was written.
                    broken = limit_s != self.statement_timeout_s and not await self._restore(connection, session)
                except StorageError as error:  # of BEGIN and COMMIT as well
                    self._heed(error)
                    raise
            finally:
                await self._lender.give_back(loan, broken=broken)

    @asynccontextmanager
    async def connection(
        self, *, deadline: float | None = None, timeout_s: float | None = None, writes: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Lend a connection without a transaction, for what must hold a session: locks, several steps."""
        loan = await self._acquire(deadline)
        connection, session = loan.connection, loan.session
        try:
            async with asyncio.timeout(self._patience(None)):
                await session.limit(connection, self.statement_timeout_s if timeout_s is None else timeout_s)
            session.writes = writes
            yield connection
            if timeout_s is not None:
                async with asyncio.timeout(self._patience(None)):
                    await session.limit(connection, self.statement_timeout_s)
        except StorageError as error:
            self._heed(error)
            await self._lender.give_back(loan, broken=isinstance(error, Unavailable | StatementTimeout))
            raise
        except (SQLAlchemyError, OSError) as error:
            ours = translate(error)
            self._heed(ours)
            await self._lender.give_back(loan, broken=isinstance(ours, Unavailable | StatementTimeout))
            raise ours from None
        except BaseException:
            await self._lender.give_back(loan, broken=True)
            raise
        await self._lender.give_back(loan, broken=False)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[Any]:
        """Lend the driver's own connection, one more than the pool has, for what takes one for long: listening."""
        loan = await self._acquire(None)
        connection, driver = loan.connection, loan.lent.driver_connection
        await self._lender.let_go(loan)
        try:
            yield driver
        finally:
            with suppress(SQLAlchemyError, OSError):
                await connection.close()

    async def ping(self, timeout_s: float = PING_TIMEOUT_S) -> None:
        """Answer quickly whether the database serves, by returning or by raising Unavailable."""
        try:
            await self.fetch("SELECT 1", deadline=time.monotonic() + timeout_s)
        except PoolExhausted:
            return  # busy is not away
        except StatementTimeout:
            raise Unavailable("no answer") from None

    async def close(self) -> None:
        """Close every connection, also those of the pools made beside."""
        for twin in self._beside:
            await twin.close()
        await self._lender.close()
        await self._engine.dispose()

    # --- inside ---

    async def _read(self, statement: Statement, deadline: float | None) -> list[tuple[Any, ...]]:
        loan = await self._acquire(deadline)
        left = self.statement_timeout_s
        if deadline is not None:
            left = min(left, deadline - time.monotonic())
        session, wire = loan.session, loan.wire
        session.start(left)
        session.writes = False
        try:
            async with Within(left + GRACE_S if left == self.statement_timeout_s else left):
                ready = wire.make_ready(statement)
                if ready is not None:
                    rows = (await wire.run(ready)).rows
                else:
                    rows = [tuple(row) for row in await run_by_sqlalchemy(loan.connection, statement, None)]
        except TimeoutError:
            await self._lender.give_back(loan, broken=True)
            raise StatementTimeout from None
        except (SQLAlchemyError, StorageError) as error:
            ours = StalePlan() if is_stale_plan(error) else translate(error)
            self._heed(ours)
            await self._lender.give_back(loan, broken=isinstance(ours, Unavailable | StatementTimeout))
            raise ours from None
        except BaseException:
            session.stop()
            await self._lender.give_back(loan, broken=True)
            raise
        session.finish()
        self._lender.put_back(loan)
        return rows

    async def _acquire(self, deadline: float | None) -> Loan:
        loan = await self._lender.lend(deadline)
        if not self._probed:
            await self._probe(loan)
        return loan

    def _heed(self, error: StorageError) -> None:
        """Do not use again what has probably broken together with the connection of this error."""
        if isinstance(error, Unavailable) and error.lost:
            self._lender.forget_idle()

    async def _probe(self, loan: Loan) -> None:
        """Learn from the first connection what this server can do."""
        try:
            async with asyncio.timeout(self._patience(None)):
                self.dialect = await probe_dialect(loan.connection, self.dialect)
        except BaseException as error:
            await self._lender.give_back(loan, broken=True)
            if isinstance(error, SQLAlchemyError | OSError):
                raise translate(error) from None
            raise
        self._probed = True

    def _patience(self, timeout_s: float | None) -> float | None:
        """How long we wait for a statement of a session with this timeout: a little longer than the server does."""
        seconds = self.statement_timeout_s if timeout_s is None else timeout_s
        return seconds + GRACE_S if seconds else None

    @asynccontextmanager
    async def _turn(self, limit_s: float, deadline: float | None) -> AsyncIterator[None]:
        """Wait for this process's turn to write. SQLite has one writer, and whoever waits for it inside polls and starves."""
        if self._writer is None:
            yield
            return
        left = None if deadline is None else deadline - time.monotonic()
        try:
            async with asyncio.timeout(left if left is not None else (limit_s + GRACE_S if limit_s else None)):
                await self._writer.acquire()
        except TimeoutError:
            raise TransactionConflict from None
        try:
            yield
        finally:
            self._writer.release()

    def _tell(self, text: str, parameters: Any, *, many: bool) -> None:
        """Look at a statement of a transaction before the driver sees it."""
        check_parameters(parameters, many=many, writes=True)
        if self.statements is not None:
            self.statements(text)

    def _look(self, text: str, parameters: Any, *, many: bool) -> None:
        """Look at a statement that only reads before the driver sees it."""
        check_parameters(parameters, many=many)
        if self.statements is not None:
            self.statements(text)

    async def _begin(self, connection: AsyncConnection, session: Session, runner: Transaction, limit_s: float) -> None:
        if session.limit_s != limit_s or session.dialect == "sqlite":
            try:
                async with asyncio.timeout(self._patience(None)):
                    await session.limit(connection, limit_s)
            except TimeoutError:
                raise StatementTimeout from None
            except (SQLAlchemyError, OSError) as error:
                raise translate(error) from None
        if runner.at_once:
            return
        try:
            await runner.begin()
        except StorageError as error:
            self._heed(error)
            raise

    async def _restore(self, connection: AsyncConnection, session: Session) -> bool:
        """Give a connection its usual statement timeout back; answer whether that worked."""
        try:
            async with asyncio.timeout(self._patience(None)):
                await session.limit(connection, self.statement_timeout_s)
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _roll_back(self, connection: AsyncConnection) -> bool:
        """Roll back; answer whether that worked: what cannot be rolled back must not be used again."""
        try:
            async with asyncio.timeout(self.statement_timeout_s):
                await connection.exec_driver_sql("ROLLBACK")
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    def _listen(self) -> None:
        engine = self._engine.sync_engine
        timeout_s, read_only = self.statement_timeout_s, self._read_only

        @event.listens_for(engine, "connect")
        def connected(adapted: Any, record: Any) -> None:
            record.info["session"] = prepare_connection(adapted, self.dialect.name, timeout_s, read_only=read_only)

        @event.listens_for(engine, "before_cursor_execute")
        def before(
            connection: sa.Connection, _cursor: Any, text: str, parameters: Any, _context: Any, many: bool
        ) -> None:
            check_parameters(parameters, many=many, writes=connection.connection.info["session"].writes)
            if self.statements is not None:
                self.statements(text)


def _driver(name: str) -> Driver:
    """Return the short way of a driver, which is loaded only where it is used."""
    found: Driver = import_module(f"storage.direct_{name}").DRIVER
    return found


def check_parameters(parameters: Any, *, many: bool = False, writes: bool = False) -> None:
    """Refuse everything but scalars before a driver sees it: drivers turn structures into SQL in surprising ways."""
    if type(parameters) is tuple and _PLAIN.issuperset(map(type, parameters)):
        return
    several = many and isinstance(parameters, list)  # rows written by one statement come as one tuple
    for row in parameters if several else (parameters or (),):
        for value in row.values() if isinstance(row, Mapping) else row:
            if not (isinstance(value, _SCALARS) or (writes and isinstance(value, bytes))):
                raise BadParameter(f"A {type(value).__name__} cannot be a parameter of a statement.")
