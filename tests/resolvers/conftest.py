"""The sample desk on each database: made once, read by every test."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiomysql
import asyncpg
import pytest

from storage.engine import Database
from tests.resolvers.world import World, build, snapshot

NAME = f"ld_resolvers_{os.getpid()}"
DIALECTS = ("sqlite", "mysql", "postgresql")


async def _on_mysql(statement: str) -> None:
    connection = await aiomysql.connect(host="127.0.0.1", user="root")
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
    connection.close()


async def _on_postgresql(statement: str) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", user="postgres", database="postgres")
    await connection.execute(statement)
    await connection.close()


_SERVERS: dict[str, Callable[[str], Awaitable[None]]] = {"mysql": _on_mysql, "postgresql": _on_postgresql}


async def _make(dialect: str, url: str) -> None:
    if dialect in _SERVERS:
        await _SERVERS[dialect](f"CREATE DATABASE {NAME}")
    database = Database(url)
    try:
        await build(database)
    finally:
        await database.close()


@pytest.fixture(scope="session", params=DIALECTS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the sample rows."""
    dialect: str = request.param
    folder: Path = tmp_path_factory.mktemp("resolvers")
    found = {
        "sqlite": f"sqlite:///{folder}/desk.db",
        "mysql": f"mysql://root@127.0.0.1:3306/{NAME}",
        "postgresql": f"postgresql://postgres@127.0.0.1:5432/{NAME}",
    }[dialect]
    asyncio.run(_make(dialect, found))
    yield found
    if dialect in _SERVERS:
        asyncio.run(_SERVERS[dialect](f"DROP DATABASE {NAME}"))  # type: ignore[arg-type]


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    """The sample desk, with every statement's text kept."""
    database = Database(url)
    await database.fetch("SELECT 1")  # what a first connection asks about the server is not counted
    found = World(database, snapshot(database.dialect.name))
    database.statements = found.seen.append
    yield found
    await database.close()
