"""A Lambdesk server in a process of its own, for the benchmarks: loopback, a free port, ended by its id."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from identity.first_agent import LOGIN

CHECKOUT = Path(__file__).parent.parent
START_LIMIT_S = 60.0
INDEX_LIMIT_S = 60.0
BEGINS_S = 0.5  # after which a server has said what it will read
_BEGUN, _COMPLETE = "texts are being read for search", "the full-text index is complete"
PASSWORD = "a password of benchmarks"  # noqa: S105 - of the first agent of a database that is thrown away


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, its process, and the seconds from start to ready."""

    port: int
    process: subprocess.Popen[bytes]
    ready_s: float
    bearer: str = field(repr=False)  # what the first agent sends as `Authorization`

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_index(folder: Path) -> None:
    """Wait until the server of a folder has read the texts that were there into the full-text index. Raises TimeoutError.

    It does so once, in the background; meanwhile it has half as much time for requests.
    """
    log, until = folder / "server.log", time.monotonic() + INDEX_LIMIT_S
    time.sleep(BEGINS_S)
    while True:
        lines = log.read_text().splitlines()
        begun = sum(_BEGUN in line and '"done"' not in line for line in lines)
        if sum(_COMPLETE in line for line in lines) >= begun:
            return
        if time.monotonic() > until:
            raise TimeoutError("The full-text index is not complete.")
        time.sleep(0.1)


@contextmanager
def running(folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Serve from a folder with these `LAMBDESK_` settings (names without the prefix) until the block ends."""
    port = free_port()
    environment = {
        **os.environ,
        "LAMBDESK_ADMIN_PASSWORD": PASSWORD,
        "LAMBDESK_ACCESS_SECONDS": "86400",
        "PYTHONPATH": str(CHECKOUT),  # this one is measured, even where another is installed
        **{f"LAMBDESK_{key}": value for key, value in settings.items()},
        "LAMBDESK_PORT": str(port),
    }
    command = [str(Path(sys.executable).parent / "lambdesk"), "serve"]
    with (folder / "server.log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            ready_s = _wait(port, process, started, folder / "server.log")
            yield Server(port, process, ready_s, sign_in(port))
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, at once where it does not within 15 seconds."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sign_in(port: int, login: str = LOGIN, password: str = PASSWORD) -> str:
    """Sign an agent in and return what he sends as `Authorization`."""
    given = json.dumps({"login": login, "password": password}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/auth/login", given, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the address is ours
        return f"Bearer {json.load(answer)['accessToken']}"


def _wait(port: int, process: subprocess.Popen[bytes], started: float, log: Path) -> float:
    while time.perf_counter() - started < START_LIMIT_S:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - started
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.01)
    raise RuntimeError(f"the server was not ready within {START_LIMIT_S} s:\n{log.read_text()[-2000:]}")
