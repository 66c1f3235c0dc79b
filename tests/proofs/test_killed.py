"""kill -9 at random moments under load: what was acknowledged is there, nothing is there twice, and the files are sound.

SQLite lives in the process of Lambdesk, so there Lambdesk is killed, and its clients speak HTTP. Of the others the
database server is killed, and Lambdesk, which is in the test's own process, goes on.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.engine import Database
from storage.install import install
from tests.counts import count
from tests.desk.api import MODULES, Api, load, make_api
from tests.proofs.load import Load, Send, books, put_site, under_load
from tests.proofs.servers import Killable, Lambdesk, lent_server

# Together 20 in the suite and 500 in the soak.
KILLS = {"sqlite": count(6, 150), "mysql": count(7, 175), "postgresql": count(7, 175)}
REQUEST_S = 5.0
TABLES = ("entry", "ticket", "ticket_history", "article", "article_data_mime", "lambdesk_ext_ticket")
OURS = ("lambdesk_change", "lambdesk_idempotency", "lambdesk_lock")

Check = Callable[[Database], Awaitable[list[str]]]


async def kill_again_and_again(
    victim: Killable, load: Load, sound: Check, kills: int, commits: asyncio.Event | None = None
) -> None:
    """Kill at random moments, each time after something was written, and look at the files when they serve again.

    Where we are told of commits, every other kill is while one is on its way.
    """
    chance = random.Random(victim.url.partition(":")[0])
    caught = 0
    for number in range(kills):
        await load.grow(chance.randint(1, 12))
        await asyncio.sleep(chance.uniform(0, 0.05))
        if commits is not None and number % 2:
            commits.clear()
            await commits.wait()
        caught += load.under_way
        victim.kill()
        await victim.start()
        async with looked_into(victim) as database:
            assert await sound(database) == []
    assert caught >= kills  # or nobody was writing when it was killed
    print(f"{kills} kills, {caught} writes under way at them")  # noqa: T201 - the figures of a soak


@asynccontextmanager
async def looked_into(victim: Killable) -> AsyncIterator[Database]:
    """Open the database as somebody who was not there when it was killed."""
    database = Database(victim.url, pool_size=1)
    try:
        yield database
    finally:
        await database.close()


async def check_books(victim: Killable, load: Load) -> None:
    async with looked_into(victim) as database:
        assert await books(database, load.entries, load.tickets) == []
    print(f"{len(load.entries) + len(load.tickets)} writes acknowledged, {load.again} times sent again")  # noqa: T201 - the same


async def test_killing_lambdesk_loses_no_acknowledged_write_and_doubles_none(tmp_path: Path) -> None:
    victim = Lambdesk(tmp_path, put_site(tmp_path))
    await victim.start()
    try:
        async with (
            httpx.AsyncClient(base_url=victim.address, timeout=REQUEST_S + 1) as client,
            under_load(through(client, victim)) as load,
        ):
            await kill_again_and_again(victim, load, integrity_of_sqlite, KILLS["sqlite"])
    finally:
        victim.kill()
    await check_books(victim, load)


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
async def test_killing_the_database_loses_no_acknowledged_write_and_doubles_none(dialect: str, tmp_path: Path) -> None:
    with lent_server(dialect) as victim:
        await victim.start()
        async with desk_on(victim, put_site(tmp_path)) as api:
            commits = asyncio.Event()
            api.database.statements = lambda text: commits.set() if text == "COMMIT" else None

            async def send(query: str, key: str, mark: str) -> dict[str, Any]:
                return await api.ask(query, once=key, mark=mark)

            async with under_load(send) as load:
                await kill_again_and_again(victim, load, INTEGRITY[dialect], KILLS[dialect], commits)
        await check_books(victim, load)


@asynccontextmanager
async def desk_on(victim: Killable, site: Path) -> AsyncIterator[Api]:
    database = Database(victim.url)
    try:
        await install(database)
        api = make_api(database, await load(database, [MODULES, site]))
        api.deadline_s = REQUEST_S
        yield api
    finally:
        await database.close()


async def integrity_of_sqlite(database: Database) -> list[str]:
    """Ask a connection of its own, which has none of our settings."""

    def ask() -> list[str]:
        assert database.file is not None
        connection = sqlite3.connect(database.file)
        try:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            return [*(line for line in said if line != "ok"), *map(str, connection.execute("PRAGMA foreign_key_check"))]
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


async def integrity_of_mariadb(database: Database) -> list[str]:
    names = ", ".join((*TABLES, *OURS))
    async with database.transaction(timeout_s=0) as transaction:
        return [str(row) for row in await transaction.execute(f"CHECK TABLE {names} EXTENDED") if row[3] != "OK"]


async def integrity_of_postgresql(database: Database) -> list[str]:
    """Every index entry has its row and every row its index entries: amcheck raises what is not so."""
    names = ", ".join(f"'{name}'" for name in (*TABLES, *OURS))
    async with database.transaction(timeout_s=0) as transaction:
        await transaction.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
        await transaction.execute(
            "SELECT bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid IN "  # noqa: S608 - our own names
            f"(SELECT oid FROM pg_class WHERE relname IN ({names}))"
        )
        corrupt = await transaction.execute(
            "SELECT relname, msg FROM pg_class, LATERAL verify_heapam(pg_class.oid) "  # noqa: S608 - our own names
            f"WHERE relname IN ({names}) AND relkind = 'r'"
        )
        return [str(row) for row in corrupt]


INTEGRITY: dict[str, Check] = {"mysql": integrity_of_mariadb, "postgresql": integrity_of_postgresql}


def through(client: httpx.AsyncClient, victim: Lambdesk) -> Send:
    """Send over HTTP. A connection that breaks is an answer that did not come."""

    async def send(query: str, key: str, mark: str) -> dict[str, Any] | None:
        body = {"query": query, "variables": {"mark": mark}}
        try:
            headers = {"Authorization": victim.bearer, "Idempotency-Key": key.replace(" ", "-")}
            answer = await client.post("/graphql", json=body, headers=headers)
        except httpx.TransportError:
            return None
        found: dict[str, Any] = answer.json()
        return found

    return send
