"""Databases of their own for tests: empty, installed, or made by an OTRS, on each of the three kinds.

SQLite and PostgreSQL copy an installed template that is made once a run; MariaDB has no such copy that keeps foreign
keys, so there the installation runs (about a second). Servers come from the environment:
LAMBDESK_TEST_POSTGRESQL_URL and LAMBDESK_TEST_MARIADB_URL name one each, without a database.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import aiomysql
import asyncpg
import pytest
import sqlalchemy as sa

from storage.demo import write_demo
from storage.engine import Database
from storage.install import add_foreign_keys, create_layout, fill_tables, install
from storage.otrs import layout_tables
from storage.rows import first_rows

PATIENCE_S = 60.0  # for proofs of what happens, however long it takes
DIALECTS = ("sqlite", "mysql", "postgresql")
LAYOUTS = ("otrs6", "znuny65")
TEMPLATES = (
    "LAMBDESK_TEST_TEMPLATES"  # names a folder where short processes after each other keep the template of SQLite
)
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # of demo rows

_VARIABLES = {
    "mysql": ("LAMBDESK_TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306"),
    "postgresql": ("LAMBDESK_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432"),
}
_CONNECT_TIMEOUT_S = 3
_numbers = count(1)


@contextmanager
def fresh_url(dialect: str, *, installed: bool = True) -> Iterator[str]:
    """Lend the URL of a new database, with the layout and its first rows or with nothing at all."""
    require(dialect)
    with _database(dialect, _template(dialect) if installed and dialect != "mysql" else None) as url:
        if installed and dialect == "mysql":
            _run(_install(url))
        yield url


@contextmanager
def foreign_url(dialect: str, layout: str, *, tickets: int = 0) -> Iterator[str]:
    """Lend the URL of a database as an OTRS 6 (`otrs6`) or Znuny 6.5 (`znuny65`) leaves it: nothing of Lambdesk in it.

    With `tickets` it has been at work for a year: the rows of the demo, up to a fixed moment.
    """
    require(dialect)
    with _database(dialect, None) as url:
        _run(make_layout(url, layout, tickets))
        yield url


def require(dialect: str) -> None:
    """Skip the test, loudly, where the server of a dialect is missing; in CI that is a failure."""
    problem = _problem(dialect)
    if problem is None:
        return
    message = f"NO {dialect.upper()} SERVER for this test: {problem} Set {_VARIABLES[dialect][0]}."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """A database until the block ends."""
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def make_layout(url: str, layout: str, tickets: int = 0) -> None:
    """Make the tables and first rows of a layout, as its own installer would."""
    database = Database(url)
    try:
        dialect = database.dialect.name
        tables = layout_tables(layout, dialect).tables
        async with database.transaction(timeout_s=0) as transaction:
            await create_layout(transaction, list(tables.values()), frozenset())
            rows = first_rows(tables, dialect, datetime.now(UTC).replace(tzinfo=None, microsecond=0))
            await fill_tables(transaction, list(rows))
            if tickets:
                await write_demo(transaction, layout, tickets=tickets, now=NOW, zone=UTC)
            await add_foreign_keys(transaction, list(tables.values()))
    finally:
        await database.close()


async def on_server(dialect: str, *statements: str) -> None:
    """Run statements on the server itself, outside of every database."""
    await _SERVERS[dialect](sa.make_url(_server(dialect)), statements)


# --- inside ---


async def _on_mysql(url: sa.URL, statements: tuple[str, ...]) -> None:
    connection = await aiomysql.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
        connect_timeout=_CONNECT_TIMEOUT_S,
    )
    try:
        async with connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
    finally:
        connection.close()


async def _on_postgresql(url: sa.URL, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 5432,
        user=url.username or "postgres",
        password=url.password,
        database="postgres",
        timeout=_CONNECT_TIMEOUT_S,
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


_SERVERS: dict[str, Callable[[sa.URL, tuple[str, ...]], Coroutine[Any, Any, None]]] = {
    "mysql": _on_mysql,
    "postgresql": _on_postgresql,
}


def _server(dialect: str) -> str:
    variable, usual = _VARIABLES[dialect]
    return os.environ.get(variable) or usual


@cache
def _problem(dialect: str) -> str | None:
    if dialect == "sqlite":
        return None
    try:
        _run(on_server(dialect, "SELECT 1"))
    except (OSError, asyncpg.PostgresError, aiomysql.MySQLError) as error:
        return f"{type(error).__name__}: {error}."
    return None


@contextmanager
def _database(dialect: str, template: str | None) -> Iterator[str]:
    url = _make(dialect, template)
    try:
        yield url
    finally:
        _run(_drop(url))


def _make(dialect: str, template: str | None) -> str:
    name = f"lambdesk_test_{os.getpid()}_{next(_numbers)}"
    if dialect == "sqlite":
        file = Path(tempfile.mkdtemp(prefix="lambdesk_test_")) / "desk.db"
        if template:
            shutil.copyfile(template.removeprefix("sqlite:///"), file)
        return f"sqlite:///{file}"
    # Not from template1: PostgreSQL copies nothing that anybody is connected to, and others copy at the same time.
    source = (
        f" TEMPLATE {sa.make_url(template).database if template else 'template0'}" if dialect == "postgresql" else ""
    )
    _run(on_server(dialect, f"CREATE DATABASE {name}{source}"))
    return sa.make_url(_server(dialect)).set(database=name).render_as_string(hide_password=False)


async def _drop(url: str) -> None:
    scheme, _, _ = url.partition("://")
    if scheme == "sqlite":
        shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)
        return
    dialect = "postgresql" if scheme.startswith("postgres") else "mysql"
    force = " WITH (FORCE)" if dialect == "postgresql" else ""  # whoever is still connected is a mistake of a test
    await on_server(dialect, f"DROP DATABASE IF EXISTS {sa.make_url(url).database}{force}")


@cache
def _template(dialect: str) -> str:
    folder = os.environ.get(TEMPLATES)
    if dialect == "sqlite" and folder:
        return _shared_template(Path(folder) / "template.db")
    url = _make(dialect, None)
    atexit.register(lambda: asyncio.run(_drop(url)))
    _run(_install(url))
    return url


def _shared_template(file: Path) -> str:
    if not file.exists():
        url = _make("sqlite", None)
        _run(_install(url))
        made = file.with_suffix(f".{os.getpid()}")
        shutil.copyfile(url.removeprefix("sqlite:///"), made)
        made.replace(file)  # at once: others may be looking
        _run(_drop(url))
    return f"sqlite:///{file}"


async def _install(url: str) -> None:
    database = Database(url)
    try:
        await install(database)
    finally:
        await database.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also inside a test that has an event loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
