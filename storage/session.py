"""What every new connection is told, and how its statements are kept within their time, a database at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.dialects import Dialect, MySql, PostgreSql, fold
from storage.moments import tell_moments
from storage.urls import IDLE_TRANSACTION_S

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# SQLite looks at the clock every so many steps of its virtual machine: some tenths of a millisecond.
STEPS_BETWEEN_LOOKS = 20_000
BUSY_TIMEOUT_MS = 5_000
WAL_RETRY_S = 0.01

_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET default_transaction_read_only = on",
}

# Collations whose tables know every letter's case, newest first.
_COLLATIONS = ("utf8mb4_uca1400_ai_ci", "utf8mb4_0900_ai_ci", "utf8mb4_unicode_520_ci")


class Session:
    """One connection's time limit. For SQLite it holds the instant at which the running statement is interrupted."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.limit_s: float | None = None
        self.deadline = float("inf")
        self.is_mariadb = False
        self.step = 1  # between the numbers that the database gives to rows
        self.writes = False  # whether its next statement may have bytes among its values

    def start(self, seconds: float) -> None:
        """Give the next statement so many seconds."""
        self.deadline = time.monotonic() + seconds

    def finish(self) -> None:
        """Take the limit away when the statement has ended."""
        self.deadline = float("inf")

    def stop(self) -> None:
        """Interrupt what runs: nobody waits for it any more."""
        self.deadline = 0.0

    def is_late(self) -> int:
        """Answer SQLite's progress handler: not zero interrupts the statement."""
        return int(time.monotonic() > self.deadline)

    async def limit(self, connection: AsyncConnection, seconds: float) -> None:
        """Set the server's own statement timeout of this connection; 0 means none."""
        if self.dialect == "sqlite":
            self.deadline = time.monotonic() + seconds if seconds else float("inf")
        if seconds == self.limit_s:
            return
        if self.dialect == "postgresql":
            await connection.exec_driver_sql(f"SET statement_timeout = {int(seconds * 1000)}")
        elif self.dialect == "mysql":
            await connection.exec_driver_sql(_mysql_limit(seconds, mariadb=self.is_mariadb))
        self.limit_s = seconds


def prepare_connection(adapted: Any, dialect: str, timeout_s: float, *, read_only: bool = False) -> Session:
    """Set a new connection up (called by the pool, in SQLAlchemy's synchronous disguise)."""
    session = Session(dialect)
    session.limit_s = timeout_s
    if dialect == "sqlite":
        _prepare_sqlite(adapted, session)
    elif dialect == "postgresql":
        adapted.run_async(tell_moments)
    elif dialect == "mysql":
        session.is_mariadb = "mariadb" in adapted.driver_connection.get_server_info().lower()
        cursor = adapted.cursor()
        idle = f", SESSION idle_write_transaction_timeout = {IDLE_TRANSACTION_S}" if session.is_mariadb else ""
        cursor.execute(_mysql_limit(timeout_s, mariadb=session.is_mariadb) + idle)
        cursor.execute("SELECT @@auto_increment_increment")
        session.step = int(cursor.fetchall()[0][0])
        cursor.close()
    if read_only:
        cursor = adapted.cursor()
        cursor.execute(_READ_ONLY[dialect])
        cursor.close()
    return session


def _prepare_sqlite(adapted: Any, session: Session) -> None:
    adapted.create_function("lambdesk_fold", 1, _fold, deterministic=True)
    adapted.run_async(lambda driver: driver.set_progress_handler(session.is_late, STEPS_BETWEEN_LOOKS))
    adapted.run_async(_set_pragmas)


async def _set_pragmas(driver: Any) -> None:
    """Tell SQLite how to work.

    Two processes that meet at a new file both ask it to become WAL. Where waiting could last for ever, SQLite turns one of
    them away at once, whatever busy_timeout says; so asking again is up to us.
    """
    await driver.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            await driver.execute_fetchall("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        await asyncio.sleep(WAL_RETRY_S)
    await driver.execute_fetchall("PRAGMA synchronous = FULL")
    await driver.execute_fetchall("PRAGMA foreign_keys = ON")


def _fold(value: Any) -> Any:
    """Fold a text; numbers and null pass, bytes are taken as UTF-8."""
    if isinstance(value, bytes):
        return fold(value.decode("utf-8", "replace"))
    return fold(value) if isinstance(value, str) else value


def _mysql_limit(seconds: float, *, mariadb: bool) -> str:
    if mariadb:
        return f"SET SESSION max_statement_time = {seconds:g}"
    return f"SET SESSION max_execution_time = {int(seconds * 1000)}"  # MySQL limits SELECT only


async def probe_dialect(connection: AsyncConnection, dialect: Dialect) -> Dialect:
    """Return the dialect as this server speaks it: which collations it has."""
    if isinstance(dialect, PostgreSql):
        found = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu' AND collencoding IN (-1, "
            "(SELECT encoding FROM pg_database WHERE datname = current_database()))"
        )
        return replace(dialect, collation="und-x-icu" if found.scalar() else "")
    if isinstance(dialect, MySql):
        names = await connection.exec_driver_sql(
            "SELECT DISTINCT collation_name FROM information_schema.collations WHERE collation_name IN "
            "('utf8mb4_0900_ai_ci', 'utf8mb4_unicode_520_ci', 'utf8mb4_uca1400_ai_ci', 'uca1400_ai_ci')"
        )
        known = {str(row[0]).removeprefix("utf8mb4_") for row in names}
        best = next((name for name in _COLLATIONS if name.removeprefix("utf8mb4_") in known), dialect.collation)
        return replace(dialect, collation=best)
    return dialect
