"""The server's side of the zygote: starts it, has workers forked and killed, hears of their ends, and notices when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdas.errors import HostRefusal

START_TIMEOUT_S = 10
END_TIMEOUT_S = 2
PACKET_LIMIT_BYTES = 4096
PROGRAM = Path(__file__).parent / "zygote.py"
# All that a worker could read of an environment. The locale is fixed, and so is the time zone.
ENVIRONMENT = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(slots=True)
class Birth:
    """A worker to come: its number once it is forked, and how it ended."""

    forked: asyncio.Future[int]
    ended: asyncio.Future[int]


@dataclass(slots=True)
class Nursery:
    """The zygote, as its server sees it. `lost` is called when it is gone without having been asked to go."""

    settings: Mapping[str, Any]
    lost: Callable[[], None]
    program: Path = PROGRAM
    _control: socket.socket | None = None
    _process: subprocess.Popen[bytes] | None = None
    _ready: asyncio.Future[None] | None = None
    _numbers: Any = field(default_factory=itertools.count)
    _births: dict[int, Birth] = field(default_factory=dict)
    _living: dict[int, Birth] = field(default_factory=dict)

    @property
    def process(self) -> int | None:
        """The zygote's process number."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the zygote and wait until V8 is initialised.

        Raises HostRefusal where that fails.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._control = ours
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        try:
            self._process = await asyncio.to_thread(self._spawn, theirs)
        finally:
            theirs.close()
        loop.add_reader(ours, self._hear)
        try:
            await asyncio.wait_for(self._ready, START_TIMEOUT_S)
        except TimeoutError:
            await self.close()
            raise HostRefusal("The process that starts workers does not answer.") from None

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", str(self.program), str(control.fileno()), json.dumps(self.settings)],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(control.fileno(),),
            start_new_session=True,  # Ctrl-C is for the server, which ends the zygote itself
        )

    async def fork(self, end: socket.socket) -> tuple[int, asyncio.Future[int]]:
        """Have a worker forked that answers at `end`; return its number and what will be its exit code.

        Raises HostRefusal when there is no zygote.
        """
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        birth = self._births[number] = Birth(loop.create_future(), loop.create_future())
        self._send({"fork": number}, end)
        try:
            return await asyncio.wait_for(birth.forked, START_TIMEOUT_S), birth.ended
        except TimeoutError:
            raise HostRefusal("The process that starts workers does not answer.") from None
        finally:
            self._births.pop(number, None)

    def kill(self, worker: int) -> None:
        """End a worker at once, if it still lives."""
        with contextlib.suppress(HostRefusal):
            self._send({"kill": worker})

    def _send(self, order: Mapping[str, Any], end: socket.socket | None = None) -> None:
        if self._control is None:
            raise HostRefusal("The process that starts workers is gone.")
        ends = [] if end is None else [end.fileno()]
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], ends)
        except OSError as error:
            raise HostRefusal("The process that starts workers is gone.") from error

    def _hear(self) -> None:
        try:
            packet = self._control.recv(PACKET_LIMIT_BYTES) if self._control else b""
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if packet:
            self._take(json.loads(packet))
        else:
            self._forget()
            self.lost()

    def _take(self, told: Mapping[str, Any]) -> None:
        if "ready" in told and self._ready is not None:
            _settle(self._ready, None)
        elif "forked" in told:
            if birth := self._births.get(told["forked"]):
                self._living[told["process"]] = birth
                _settle(birth.forked, told["process"])
        elif birth := self._living.pop(told["ended"], None):
            _settle(birth.ended, told["status"])

    def _forget(self) -> None:
        """Close our end, and let nobody wait for what a zygote that is gone will not tell."""
        control, self._control = self._control, None
        if control is not None:
            asyncio.get_running_loop().remove_reader(control)
            control.close()
        births = (*self._births.values(), *self._living.values())
        self._births.clear()
        self._living.clear()
        gone = HostRefusal("The process that starts workers is gone.")
        for birth in births:
            _settle(birth.ended, -9)
            if not birth.forked.done():
                birth.forked.set_exception(gone)
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(gone)

    async def close(self) -> None:
        """End the zygote and with it all workers."""
        self._forget()
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until it went by itself, which it does when our end is closed, or make it."""
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
