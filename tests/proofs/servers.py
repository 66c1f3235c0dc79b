"""What a proof may kill: database servers of its own, and a Lambdesk that serves an SQLite file.

Each has a folder and a port of its own. `kill` is SIGKILL, to nothing but processes that were started here.
"""

import asyncio
import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

import httpx
import pytest

from bench.server import free_port
from storage.engine import Database
from storage.errors import StorageError
from tests.desk.api import MODULES
from tests.web.server import REAL, Server, running

START_S = 60.0
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin")


class Killable(Protocol):
    """A process that writes a database."""

    url: str  # of the database

    async def start(self) -> None:
        """Start it, and return when it answers."""

    def kill(self) -> None:
        """End it as a power cut would."""


class DatabaseServer:
    """A server process, of the operating system's user whom the package made for it: none of them runs as root."""

    def __init__(self, url: str, user: str, command: Sequence[str], log: Path) -> None:
        self.url = url
        self._user = user
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = popen(self._command, self._user, log.fileno())
        end = time.monotonic() + START_S
        while not await self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self._command[0]} does not start:\n{self._log.read_text()[-2_000:]}")
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """Kill the process and all that it started, none of which is given the time to see the other die."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGSTOP)  # it starts no more of them, and none of their ids is given away again
        handles = [os.pidfd_open(number) for number in children(process.pid)]
        process.kill()
        for handle in handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        process.wait()
        for handle in handles:
            select.select([handle], [], [], 10)
            os.close(handle)

    async def _answers(self) -> bool:
        database = Database(self.url, pool_size=1)
        try:
            await database.ping()
        except StorageError:
            return False
        finally:
            await database.close()
        return True


class Lambdesk:
    """The program on an SQLite file, with the module files of a folder beside its own."""

    def __init__(self, folder: Path, site: Path, **settings: object) -> None:
        self.url = f"sqlite:///{folder}/desk.db"
        self._settings = settings
        self.address = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._site = site
        self.bearer = ""  # of the first agent, the same after every start: sessions outlive the process
        self._running = contextlib.ExitStack()

    async def start(self) -> None:
        server = running(
            REAL,
            self._folder,
            database_url=self.url,
            port=self.address.rpartition(":")[2],
            modules_dir=f"{MODULES}:{self._site}",
            watch="off",
            **self._settings,
        )
        started = await asyncio.to_thread(self._running.enter_context, server)
        self.bearer = self.bearer or await asyncio.to_thread(sign_in, started)

    def kill(self) -> None:
        self._running.close()  # which is how the tests end every server: by SIGKILL


def sign_in(server: Server) -> str:
    """Sign the first agent in as soon as the server lets anybody in."""
    end = time.monotonic() + START_S
    while True:
        try:
            return server.bearer
        except httpx.HTTPStatusError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that are still there."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def popen(command: Sequence[str], user: str, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=output, stderr=output, cwd="/", **_identity(user))  # type: ignore[call-overload, no-any-return] # one of ten overloads fits


@contextmanager
def lent_server(dialect: str) -> Iterator[DatabaseServer]:
    """Lend a new database server, not started yet; skip the test, loudly, where its program is missing."""
    server_program, setup_program, user = _PROGRAMS[dialect]
    server, setup = (_program(dialect, name) for name in (server_program, setup_program))
    if os.geteuid() == 0 and user not in {entry.pw_name for entry in pwd.getpwall()}:
        _lack(dialect, f"root cannot run it, and there is no user {user}")
    folder = Path(tempfile.mkdtemp(prefix="lambdesk_proof_"))
    made = None
    try:
        if _identity(user):
            shutil.chown(folder, user)
        port = free_port()
        made = _MAKERS[dialect](folder, port, user, server, setup)
        yield made
    finally:
        if made is not None:
            made.kill()
        shutil.rmtree(folder)


# --- inside ---

# The server, what makes its first files, and the operating system's user.
_PROGRAMS = {
    "mysql": ("mariadbd", "mariadb-install-db", "mysql"),
    "postgresql": ("postgres", "initdb", "postgres"),
}


def _make_postgresql(folder: Path, port: int, user: str, server: str, setup: str) -> DatabaseServer:
    data, log = folder / "data", folder / "log"
    _run([setup, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"], user, log)
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "max_connections": "50"}
    command = [server, "-D", str(data), "-p", str(port), *(f"--{name}={value}" for name, value in options.items())]
    return DatabaseServer(f"postgresql://postgres@127.0.0.1:{port}/postgres", user, command, log)


def _make_mysql(folder: Path, port: int, user: str, server: str, setup: str) -> DatabaseServer:
    data, log = folder / "data", folder / "log"
    _run([setup, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"], user, log)
    options = {
        "datadir": data,
        "socket": folder / "socket",
        "pid-file": folder / "pid",
        "port": port,
        "bind-address": "127.0.0.1",
        "character-set-server": "utf8mb4",
        "innodb-buffer-pool-size": "64M",
    }
    command = [server, "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]
    return DatabaseServer(f"mysql://root@127.0.0.1:{port}/test", user, command, log)


_MAKERS = {"mysql": _make_mysql, "postgresql": _make_postgresql}


def _run(command: Sequence[str], user: str, log: Path) -> None:
    with log.open("ab") as output:
        code = popen(command, user, output.fileno()).wait(START_S)
    if code:
        raise RuntimeError(f"{command[0]} ended with {code}:\n{log.read_text()[-2_000:]}")


def _identity(user: str) -> dict[str, object]:
    """Say as whom a server runs: root hands it to its own user, anybody else keeps it."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _program(dialect: str, name: str) -> str:
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), *SYSTEM_FOLDERS]))
    if found is None:
        _lack(dialect, f"the program {name} is not installed")
    return found


def _lack(dialect: str, reason: str) -> NoReturn:
    message = f"NO {dialect.upper()} SERVER TO KILL for this test: {reason}."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _version(path: Path) -> float:
    return float(path.parent.name)
