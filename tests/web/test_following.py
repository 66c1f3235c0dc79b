"""Subscriptions to rows on running servers: over a socket, from another process, through a reload, and no work for nobody."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import websockets

from storage.errors import TooSlow
from tests.databases import DIALECTS, fresh_url
from tests.web.server import REAL, Server, running
from tests.web.test_live import ROOM, is_ready, until
from web.following import Following

WATCH = """subscription ($f: RoomFilter) { roomChanged(filter: $f) { kind id room { name } changedFields } }"""
OTHERS_S = 3.0  # a change of another process is there in 1.2 s on a quiet machine


class Subscriber:
    """One subscription over one socket."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def event(self, seconds: float = 10) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            message = json.loads(await self.connection.recv())
        assert message["type"] == "next", message
        found: dict[str, Any] = message["payload"]
        return found

    async def silence(self, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await self.event(seconds)


@asynccontextmanager
async def subscribed(server: Server, query: str, variables: dict[str, Any] | None = None) -> AsyncIterator[Subscriber]:
    async with websockets.connect(
        f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
    ) as connection:
        await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": server.bearer}}))
        await connection.recv()
        payload = {"query": query, "variables": variables or {}}
        await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        await asyncio.sleep(0.5)  # the protocol does not say when a subscription has begun
        yield Subscriber(connection)


def write(server: Server, mutation: str) -> dict[str, Any]:
    answer = server.ask(f"mutation {{ {mutation} }}").json()
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    assert payload["errors"] == []
    found: dict[str, Any] = payload
    return found


def create(server: Server, name: str) -> dict[str, Any]:
    return write(server, f'createRoom(input: {{room: {{name: "{name}"}}}}) {{ room {{ id }} errors {{ code }} }}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_subscriber_hears_of_writes_soon_after_they_are_committed(folder: Path, dialect: str) -> None:
    async def listen(server: Server) -> None:
        async with subscribed(server, WATCH, {"f": {"name": {"startsWith": "A"}}}) as subscriber:
            made = await asyncio.to_thread(create, server, "Atrium")
            told = (await subscriber.event())["data"]["roomChanged"]
            assert told["kind"] == "CREATED"
            assert told["room"] == {"name": "Atrium"}
            assert told["id"] == made["room"]["id"]
            await asyncio.to_thread(create, server, "Basement")
            await subscriber.silence(0.8)

    with fresh_url(dialect) as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        until(lambda: is_ready(server))
        asyncio.run(listen(server))


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
def test_servers_on_one_database_tell_each_others_subscribers(folder: Path, dialect: str) -> None:
    async def listen(here: Server, there: Server) -> float:
        async with subscribed(here, WATCH) as subscriber:
            await asyncio.to_thread(create, there, "Atrium")
            begun = time.monotonic()
            assert (await subscriber.event())["data"]["roomChanged"]["room"] == {"name": "Atrium"}
            return time.monotonic() - begun

    with (
        fresh_url(dialect) as url,
        running(REAL, folder, database_url=url, modules_dir="site") as here,
        running(REAL, folder, database_url=url, modules_dir="site") as there,
    ):
        until(lambda: is_ready(here) and is_ready(there))
        assert asyncio.run(listen(here, there)) < OTHERS_S


def test_a_reload_that_takes_away_what_is_asked_for_ends_the_subscription(folder: Path) -> None:
    async def listen(server: Server) -> None:
        async with subscribed(server, "subscription { roomChanged { room { seats } } }") as subscriber:
            await asyncio.to_thread(create, server, "One")
            assert (await subscriber.event())["data"]["roomChanged"]["room"] == {"seats": None}
            before = server.ask("{ schemaVersion }").json()["data"]["schemaVersion"]
            (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")
            until(lambda: server.ask("{ schemaVersion }").json()["data"]["schemaVersion"] != before)
            await asyncio.to_thread(create, server, "Two")
            ended = await subscriber.event()
            assert ended["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
            assert json.loads(await subscriber.connection.recv())["type"] == "complete"

    (folder / "site" / "room.yaml").write_text(ROOM + "  - {name: seats, type: int, label: Seats}\n", encoding="utf-8")
    with fresh_url("sqlite") as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        until(lambda: is_ready(server))
        asyncio.run(listen(server))


def test_a_filter_that_cannot_be_asked_ends_the_subscription_at_once(folder: Path) -> None:
    async def listen(server: Server) -> dict[str, Any]:
        async with subscribed(server, WATCH, {"f": {"name": {"in": ["x"] * 501}}}) as subscriber:
            return json.loads(await subscriber.connection.recv())  # type: ignore[no-any-return]

    with fresh_url("sqlite") as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        until(lambda: is_ready(server))
        message = asyncio.run(listen(server))
        told = json.dumps(message)
        assert "BAD_REQUEST" in told


class Overrun:
    """A source whose subscriber is too slow from the beginning."""

    @asynccontextmanager
    async def subscribe(self, _modules: object) -> AsyncIterator["Overrun"]:
        yield self

    def __aiter__(self) -> "Overrun":
        return self

    async def __anext__(self) -> Any:
        raise TooSlow


async def test_a_subscriber_that_falls_behind_is_told_how_to_go_on() -> None:
    following = object.__new__(Following)
    node, call = SimpleNamespace(module=SimpleNamespace(name="room")), SimpleNamespace(request_id="r1")
    vars(following).update(_node=node, _call=call)
    source: Any = Overrun()

    (result,) = [result async for result in following.results(source)]

    assert result.data is None
    assert result.errors is not None
    (error,) = result.errors
    assert error.extensions is not None
    assert error.extensions["code"] == "UNAVAILABLE"
    assert "changes(since:)" in error.message
