"""A server in a process of its own, for what only a socket or a signal shows."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from identity.first_agent import LOGIN
from tests.web.real import PASSWORD
from tests.web.toy import TOKEN

HOUSE = Path(__file__).parent.parent.parent
START_S = 30.0
TOY = ("-m", "tests.web.toy_server")
REAL = ("-m", "web.cli", "serve")
# What a server is given unless a test says otherwise; lambdas run where they are what is tested.
USUAL: Mapping[str, object] = {"port": 0, "admin_password": PASSWORD, "access_seconds": 86_400, "lambda_workers": 0}


@dataclass
class Server:
    """A running server. `lines` holds its log as it comes."""

    process: subprocess.Popen[str]
    port: int = 0
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    seen: list[dict[str, Any]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)  # what is no line of the log
    is_toy: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def bearer(self) -> str:
        """What the first agent sends as `Authorization`; the small world knows one token."""
        if self.is_toy:
            return f"Bearer {TOKEN}"
        given = {"login": LOGIN, "password": PASSWORD}
        answer = httpx.post(f"{self.url}/auth/login", json=given, timeout=20)
        return f"Bearer {answer.raise_for_status().json()['accessToken']}"

    def ask(self, query: str, **more: Any) -> httpx.Response:
        headers = {"authorization": self.bearer, **more.pop("headers", {})}
        return httpx.post(f"{self.url}/graphql", json={"query": query}, timeout=20, headers=headers, **more)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, data: bytes) -> bytes:
        """Send bytes and return what comes until the server hangs up."""
        with self.connect() as connection:
            connection.sendall(data)
            return receive_all(connection)

    def line(self, message: str, seconds: float = START_S) -> dict[str, Any]:
        """Wait for the next log line with a message."""
        end = time.monotonic() + seconds
        while True:
            found = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            self.seen.append(found)
            if found["message"].startswith(message):
                return found

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)


def receive_all(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LAMBDESK_")}
    given = {f"LAMBDESK_{name.upper()}": str(value) for name, value in {**USUAL, **settings}.items()}
    return {**own, "PYTHONPATH": str(HOUSE), "PYTHONUNBUFFERED": "1", **given}


@contextlib.contextmanager
def running(command: tuple[str, ...], folder: Path, **settings: object) -> Iterator[Server]:
    """Run a server in a folder until the block ends."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=environment(settings), stdout=subprocess.PIPE, text=True
    )
    server = Server(process, is_toy=command == TOY)
    reader = threading.Thread(target=_read, args=(server,), daemon=True)
    reader.start()
    try:
        server.port = int(server.line("listening")["url"].rstrip("/").rpartition(":")[2])
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(5)
        if process.stdout:
            process.stdout.close()


def start(folder: Path, **settings: object) -> "subprocess.CompletedProcess[str]":
    """Start a server that is expected to end at once."""
    return subprocess.run(
        [sys.executable, *REAL],
        cwd=folder, env=environment(settings), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def _read(server: Server) -> None:
    assert server.process.stdout is not None
    with contextlib.suppress(ValueError):
        for line in server.process.stdout:
            if line.startswith("{"):
                server.lines.put(json.loads(line))
            else:
                server.printed.append(line)
