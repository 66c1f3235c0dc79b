"""Database URLs: what an operator writes, and the async driver with its options that it picks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from storage.errors import BadDatabaseUrl

# scheme → dialect, driver. Drivers are imported by SQLAlchemy when an engine is made: only the one in use costs memory.
_DRIVERS = {
    "sqlite": ("sqlite", "sqlite+aiosqlite"),
    "mysql": ("mysql", "mysql+aiomysql"),
    "mariadb": ("mysql", "mysql+aiomysql"),
    "postgresql": ("postgresql", "postgresql+asyncpg"),
    "postgres": ("postgresql", "postgresql+asyncpg"),
}
IDLE_TRANSACTION_S = 60  # the server ends what somebody forgot, or could not end: others wait for it
_HINT = (
    "Write sqlite:///var/lambdesk.db, mariadb://user:password@host/database or postgresql://user:password@host/database"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A database to connect to: the dialect's name, the driver's URL and arguments, the file if it is SQLite."""

    dialect: str
    url: sa.URL
    arguments: dict[str, Any]
    file: Path | None = None


def parse_url(text: str, *, zone_name: str, statement_timeout_s: float, connect_timeout_s: float) -> Target:
    """Read a database URL or raise BadDatabaseUrl, which never repeats the URL: it may hold a password."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in _DRIVERS:
        raise BadDatabaseUrl(f"The database URL has an unknown scheme. {_HINT}.")
    dialect, driver = _DRIVERS[scheme.lower()]
    try:
        url = sa.make_url(f"{driver}://{rest}")
    except (ArgumentError, ValueError):
        raise BadDatabaseUrl(f"The database URL cannot be read. {_HINT}.") from None
    if not url.database or url.database == ":memory:":
        raise BadDatabaseUrl(f"The database URL names no database. {_HINT}.")
    if dialect == "sqlite":
        from storage.one_trip import connect  # noqa: PLC0415 - a driver is loaded where it is used

        return Target(dialect, url, {"timeout": 5.0, "async_creator_fn": connect}, Path(url.database).absolute())
    if dialect == "mysql":
        from storage.lean_mysql import connect as connect_lean  # noqa: PLC0415 - a driver is loaded where it is used

        arguments = {"connect_timeout": connect_timeout_s, "local_infile": False, "async_creator_fn": connect_lean}
        return Target(dialect, _with_charset(url), arguments)
    from storage.parting import BriskConnection  # noqa: PLC0415 - a driver is loaded where it is used

    settings = {
        "application_name": "lambdesk",
        "statement_timeout": str(int(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": str(IDLE_TRANSACTION_S * 1000),
        "timezone": zone_name,  # of columns WITH time zone: they are compared with wall-clock times
        "jit": "off",  # compiling costs more than our short statements
    }
    options = {
        "timeout": connect_timeout_s,
        "server_settings": settings,
        "connection_class": BriskConnection,
    }
    return Target(dialect, _with_ssl(url), options)


def _with_charset(url: sa.URL) -> sa.URL:
    return url.update_query_dict({"charset": "utf8mb4"})


def _with_ssl(url: sa.URL) -> sa.URL:
    """Accept libpq's `sslmode`, which asyncpg's dialect calls `ssl`."""
    mode = url.query.get("sslmode")
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode}) if mode else url
