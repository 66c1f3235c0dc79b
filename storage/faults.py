"""From what drivers raise to our errors, by the databases' own codes."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

from sqlalchemy import exc

from storage.errors import (
    BadParameter,
    ConstraintViolated,
    PoolExhausted,
    StatementFailed,
    StatementTimeout,
    StorageError,
    TransactionConflict,
    Unavailable,
    WriteFailed,
)

# What a code means: a word of `_MEANINGS`, or the kind of a violated constraint.
_POSTGRES = {
    "57014": "timeout",
    "40001": "conflict",
    "40P01": "conflict",
    "55P03": "conflict",
    "23505": "unique",
    "23503": "foreign_key",
    "23502": "not_null",
    "23514": "check",
    "22001": "length",
    # What the statement itself makes of stored data; a value of the client's is refused before, by our binders or the driver.
    "22003": "data",
    "22007": "data",
    "22008": "data",
    "22012": "data",
    "22P02": "data",
    "53100": "full",
    "25006": "read-only",
    "25P03": "connection lost",
    "28P01": "login refused",
    "28000": "login refused",
    "3D000": "no such database",
    "53300": "too many connections",
}
_POSTGRES_CLASSES = {"08": "connection lost", "57": "shutting down", "22": "parameter"}
_MYSQL = {
    1969: "timeout",
    3024: "timeout",
    1317: "timeout",
    1213: "conflict",
    1205: "conflict",
    1020: "conflict",
    3572: "conflict",
    1062: "unique",
    1451: "foreign_key",
    1452: "foreign_key",
    1048: "not_null",
    1364: "not_null",
    4025: "check",
    3819: "check",
    1406: "length",
    1021: "full",
    1114: "full",
    1290: "read-only",
    1836: "read-only",
    1792: "read-only",
    1264: "parameter",
    1366: "parameter",
    1040: "too many connections",
    1203: "too many connections",
    1044: "login refused",
    1045: "login refused",
    1698: "login refused",
    1049: "no such database",
    1053: "shutting down",
    1927: "connection lost",
    2002: "connection refused",
    2003: "connection refused",
    2005: "unknown host",
    2006: "connection lost",
    2013: "connection lost",
    2014: "connection lost",
    2055: "connection lost",
}
_SQLITE = {
    "SQLITE_INTERRUPT": "timeout",
    "SQLITE_BUSY": "conflict",
    "SQLITE_LOCKED": "conflict",
    "SQLITE_CONSTRAINT_UNIQUE": "unique",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "unique",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign_key",
    "SQLITE_CONSTRAINT_NOTNULL": "not_null",
    "SQLITE_CONSTRAINT_CHECK": "check",
    "SQLITE_TOOBIG": "parameter",
    "SQLITE_FULL": "full",
    "SQLITE_READONLY": "read-only",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_NOTADB": "the file is not a database",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_IOERR": "the disk fails",
}
_DISK_FULL = "No space left on device"
# The last is asyncpg's, for a connection on which the server has said goodbye unasked and that is not closed yet.
_CLOSED = ("connection is closed", "connection was closed", "not connected", "cannot switch to state")
_CONSTRAINTS = frozenset({"unique", "foreign_key", "not_null", "check", "length"})


def translate(error: BaseException) -> StorageError:
    """Turn a driver's or SQLAlchemy's error into ours; what is unknown becomes StatementFailed."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, exc.TimeoutError):
        return PoolExhausted()
    if isinstance(error, exc.StatementError) and isinstance(error.orig, StorageError):
        return error.orig
    if isinstance(
        error, exc.PendingRollbackError
    ):  # somebody went on after an error that said so: releasing a lock, say
        return Unavailable("connection lost", lost=True)
    cause = _root(error)
    if isinstance(cause, UnicodeError | OverflowError):
        return BadParameter("A value cannot be stored in the database's range or encoding.")
    code, meaning = _diagnose(cause)
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    return _meant(code, meaning, cause, lost=lost)


def is_stale_plan(error: BaseException) -> bool:
    """Whether PostgreSQL refused a prepared statement because a table changed since: trying again mends it."""
    return type(_root(error)).__name__ in {"InvalidCachedStatementError", "OutdatedSchemaCacheError"}


def _root(error: BaseException) -> BaseException:
    """Find the driver's own exception under SQLAlchemy's wrappers."""
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    if not isinstance(cause, sqlite3.Error) and cause.__cause__ is not None and getattr(cause, "sqlstate", None):
        return cause.__cause__
    return cause


def _diagnose(cause: BaseException) -> tuple[str, str]:
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
        return name, _SQLITE.get(name) or _SQLITE.get("_".join(name.split("_")[:2]), "")
    code = cause.args[0] if cause.args else None
    if isinstance(code, int) and code in _MYSQL:
        return str(code), _MYSQL[code]
    state = getattr(cause, "sqlstate", None)
    if isinstance(code, int) and state:  # MySQL's; several codes only wrap what the disk said
        return str(code), "full" if _DISK_FULL in str(cause) else ""
    if isinstance(state, str):
        return state, _POSTGRES.get(state) or _POSTGRES_CLASSES.get(state[:2], "")
    if isinstance(cause, asyncio.TimeoutError):
        return "timeout", "no answer"
    if isinstance(cause, ConnectionRefusedError):
        return "refused", "connection refused"
    if isinstance(cause, OSError):
        return str(cause.errno), "connection refused" if cause.errno else "connection lost"
    return str(code) if isinstance(code, int) else type(cause).__name__, ""


def _meant(code: str, meaning: str, cause: BaseException, *, lost: bool) -> StorageError:
    if meaning == "timeout":
        return StatementTimeout()
    if meaning == "conflict":
        return TransactionConflict()
    if meaning == "data":
        return StatementFailed(code)
    if meaning == "parameter":
        return BadParameter("A value does not fit what it is compared with or stored in.")
    if meaning in _CONSTRAINTS:
        return ConstraintViolated(meaning, _constraint_name(cause))
    if meaning in {"full", "read-only"}:
        return WriteFailed("the disk is full" if meaning == "full" else "it is read-only")
    if meaning:
        return Unavailable(meaning, lost=lost or meaning in {"connection lost", "shutting down"})
    return Unavailable("connection lost", lost=True) if lost or _is_closed(cause) else StatementFailed(code)


def _is_closed(cause: BaseException) -> bool:
    """Drivers say this without a code."""
    return any(word in str(cause).lower() for word in _CLOSED)


def _constraint_name(cause: Any) -> str | None:
    name = getattr(cause, "constraint_name", None)
    return name if isinstance(name, str) else None
