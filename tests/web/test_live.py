"""The whole program as an operator sees it: start, a database that comes and goes, files that change, the end."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.databases import fresh_url
from tests.web.server import REAL, Server, running, start

pytestmark = pytest.mark.timed

ROOM = """\
module:
  name: room
  singular: Room
  plural: Rooms
  table: room
fields:
  - {name: name, type: string, label: Name, required: true}
"""
WIDER = ROOM + "  - {name: seats, type: int, label: Seats}\n"
ROOMS = "{ rooms { totalCount nodes { name } } }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path


def until(true: Callable[[], bool], seconds: float = 10) -> float:
    """Wait for something and return how long it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - begun


def is_ready(server: Server) -> bool:
    return httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_file_that_is_dropped_into_the_folder_is_served(folder: Path) -> None:
    with fresh_url("sqlite") as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        until(lambda: is_ready(server))
        unknown = server.ask(ROOMS).json()
        (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")
        until(lambda: "errors" not in server.ask(ROOMS).json())

        assert unknown["errors"][0]["message"] == "Cannot query field 'rooms' on type 'Query'."
        assert server.ask(ROOMS).json()["data"] == {"rooms": {"totalCount": 0, "nodes": []}}

        (folder / "site" / "room.yaml").write_text(ROOM + "  - {nam: x}\n", encoding="utf-8")
        line = server.line("modules are live, some with problems")
        assert "site/room.yaml:8" in line["message"]
        assert httpx.get(f"{server.url}/readyz").json()["status"] == "degraded"
        assert "errors" not in server.ask(ROOMS).json()  # the last good version serves
        assert server.stop() == 0


def test_l10_a_sqlite_file_has_one_server(folder: Path) -> None:
    with fresh_url("sqlite") as url:
        with running(REAL, folder, database_url=url, modules_dir="site"):
            second = start(folder, database_url=url, modules_dir="site")
        with running(REAL, folder, database_url=url, modules_dir="site") as third:
            assert third.stop() == 0  # the file is free again, although the first one was killed

    assert second.returncode == 1
    assert second.stderr == (
        f"Another Lambdesk serves {url.removeprefix('sqlite:///')} already. "
        "Stop it, or set LAMBDESK_DATABASE_URL to a database of its own.\n"
    )


def test_schema_changed_reaches_a_client_on_a_socket(folder: Path) -> None:
    async def listen(server: Server) -> Any:
        async with websockets.connect(
            f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        ) as connection:
            await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": server.bearer}}))
            assert json.loads(await connection.recv()) == {"type": "connection_ack"}
            query = "subscription { schemaChanged { version changes { kind module } } }"
            await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            await asyncio.sleep(0.3)
            (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")
            async with asyncio.timeout(30):
                return json.loads(await connection.recv())

    with fresh_url("sqlite") as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        until(lambda: is_ready(server))
        message = asyncio.run(listen(server))

        changed = message["payload"]["data"]["schemaChanged"]
        assert {"kind": "ADDED", "module": "room"} in changed["changes"]
        until(lambda: server.ask(ROOMS).headers["x-lambdesk-schema"] == changed["version"])


def test_c17_a_page_of_another_site_gets_no_socket(folder: Path) -> None:
    async def come(server: Server) -> int:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(
                f"ws://127.0.0.1:{server.port}/graphql",
                subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
                origin=websockets.Origin("https://evil.example"),
            )
        return refused.value.response.status_code

    with fresh_url("sqlite") as url, running(REAL, folder, database_url=url, modules_dir="site") as server:
        assert asyncio.run(come(server)) == 403


@contextmanager
def forwarding(port: int, target: tuple[str, int]) -> Iterator[None]:
    """Pass a port on to another one until the block ends; then every connection breaks."""
    listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
    listener.settimeout(0.1)
    ends: list[socket.socket] = []
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            with suppress(OSError):
                near, _ = listener.accept()
                far = socket.create_connection(target)
                ends.extend((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        listener.close()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_j1_a_database_that_is_away_at_start_and_later_is_survived(folder: Path, dialect: str) -> None:
    (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")
    with fresh_url(dialect) as url, socket.create_server(("127.0.0.1", 0)) as probe:
        parts = urlsplit(url)
        port = probe.getsockname()[1]
        probe.close()
        target = (str(parts.hostname), int(parts.port or 0))
        through = url.replace(f":{parts.port}", f":{port}", 1)
        with running(REAL, folder, database_url=through, modules_dir="site") as server:
            away = httpx.get(f"{server.url}/readyz")
            refused = httpx.post(f"{server.url}/auth/login", json={"login": "somebody", "password": "something"})
            assert httpx.get(f"{server.url}/healthz").status_code == 200
            assert away.status_code == 503
            assert {reason["what"] for reason in away.json()["reasons"]} == {"modules", "database"}
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "1"

            with forwarding(port, target):
                until(lambda: is_ready(server))
                assert server.ask(ROOMS).json() == {
                    "data": {"rooms": {"totalCount": 0, "nodes": []}}, "extensions": server.ask(ROOMS).json()["extensions"],
                }  # fmt: skip

            cut = server.ask(ROOMS)
            assert cut.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            assert cut.status_code == 503
            assert not is_ready(server)

            with forwarding(port, target):
                assert until(lambda: "errors" not in server.ask(ROOMS).json()) < 1.5
            assert server.stop() == 0
