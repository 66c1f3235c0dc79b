"""Code that breaks out of V8 finds itself in a process that can do nothing: the kernel refuses, whatever the code is."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lambdas import wire
from lambdas.attendant import Attendant
from lambdas.contract import Failure
from lambdas.errors import FailureCode
from lambdas.nursery import Nursery
from tests.lambdas.walled import descriptors, lives, status_of, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timed]

PROGRAM = Path(__file__).parent / "escaped_zygote.py"
REFUSED = f"PermissionError {errno.EPERM}"


class Escaped:
    """A worker that runs what it is told."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self.attendant: Attendant

    async def be_born(self) -> None:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        _, self.attendant = await loop.create_unix_connection(
            lambda: Attendant(lambda _: None, lambda _: None), sock=ours
        )
        with theirs:
            process, self.attendant.ended = await self.nursery.fork(theirs)
        self.attendant.process = process
        self.attendant.kill = lambda: self.nursery.kill(process)
        assert await self.attendant.hello

    async def run(self, python: str, wall_ms: float = 5_000) -> str | Failure | None:
        (answer,) = self.attendant.ask([(wire.Message({"python": python}), wall_ms)])
        reply = await answer
        return str(reply.head["told"]) if isinstance(reply, wire.Message) else reply


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def nursery() -> AsyncIterator[Nursery]:
    made = Nursery({"trusted": False, "heap_line_mb": 64}, lambda: None, PROGRAM)
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def escaped(nursery: Nursery) -> AsyncIterator[Escaped]:
    made = Escaped(nursery)
    await made.be_born()
    yield made
    made.attendant.kill()
    made.attendant.close()


ATTEMPTS = {
    "reads a file": "open('/etc/passwd', 'rb')",
    "reads by the older call": "os.stat('/')",
    "lists a folder": "os.listdir('/')",
    "writes a file": "os.open('/tmp/x', os.O_CREAT | os.O_WRONLY)",
    "makes a file in memory": "os.memfd_create('x')",
    "opens a socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "opens a local socket": "socket.socket(socket.AF_UNIX)",
    "makes a pair of sockets": "socket.socketpair()",
    "makes a pipe": "os.pipe()",
    "forks": "os.fork()",
    "becomes another program": "os.execv('/bin/sh', ['sh'])",
    "kills its server": "os.kill(os.getppid(), 9)",
    "kills everybody": "os.kill(-1, 9)",
    "becomes root": "os.setuid(0)",
    "changes the root folder": "os.chroot('/')",
    "leaves the filter": "ctypes.CDLL(None).prctl(38, 0, 0, 0, 0) == 0 or (_ for _ in ()).throw(PermissionError(1, ''))",
    "hears of others": "os.getpgid(1)",
    "looks into its server": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "duplicates a descriptor": "os.dup(3)",
    "names a host": "os.sethostname('x')" if hasattr(os, "sethostname") else "os.mkdir('/tmp/x')",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_it_is_refused(escaped: Escaped, attempt: str) -> None:
    assert await escaped.run(f"told = {ATTEMPTS[attempt]}") == REFUSED


@pytest.mark.parametrize(
    ("call", "number"),
    [("ptrace", 101), ("mount", 165), ("unshare", 272), ("setns", 308), ("bpf", 321), ("io_uring_setup", 425),
     ("process_vm_readv", 310), ("keyctl", 250), ("perf_event_open", 298), ("userfaultfd", 323), ("prlimit64", 302),
     ("pidfd_open", 434), ("openat2", 437), ("socket", 41), ("execveat", 322), ("vfork", 58)],
)  # fmt: skip
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of system calls are those of x86-64")
async def test_the_kernel_refuses_calls_that_python_does_not_name(escaped: Escaped, call: str, number: int) -> None:
    python = f"libc = ctypes.CDLL(None, use_errno=True); told = (libc.syscall({number}, 0, 0, 0, 0, 0, 0), ctypes.get_errno())"
    assert await escaped.run(python) == f"(-1, {errno.EPERM})"


async def test_memory_never_becomes_code(escaped: Escaped) -> None:
    python = """
import mmap
told = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
"""
    told = await escaped.run(python)
    assert told in {REFUSED, "ModuleNotFoundError None"}


async def test_its_environment_says_nothing(escaped: Escaped) -> None:
    told = await escaped.run("told = sorted(os.environ)")
    assert told == "['LC_ALL', 'MALLOC_ARENA_MAX', 'PYTHONDONTWRITEBYTECODE', 'TZ']"


async def test_nothing_is_open_but_its_socket(escaped: Escaped) -> None:
    assert await escaped.run("told = 1") == "1"
    assert descriptors(escaped.attendant.process) == {"0", "1", "2", "3"}


async def test_its_output_is_heard_by_nobody_and_fills_no_file(escaped: Escaped) -> None:
    assert await escaped.run("told = os.write(1, b'x' * 10)") == "10"


async def test_it_is_nobody(escaped: Escaped) -> None:
    wanted = 65534 if os.geteuid() == 0 else os.geteuid()
    status = status_of(escaped.attendant.process)
    assert status["Uid"].split() == [str(wanted)] * 4
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)


async def test_it_stops_reading(escaped: Escaped) -> None:
    """The server does not wait for a worker that sleeps over its work, and the worker is gone."""
    started = time.monotonic()
    failure = await escaped.run("import time\ntime.sleep(60)", wall_ms=200)
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.TIMEOUT
    assert time.monotonic() - started < 2
    await _is_gone(escaped)


async def test_it_sends_half_a_frame_and_sleeps(escaped: Escaped) -> None:
    failure = await escaped.run("os.write(3, b'\\0\\0\\1\\0half')\nimport time\ntime.sleep(60)", wall_ms=200)
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.TIMEOUT
    await _is_gone(escaped)


async def test_it_announces_more_than_may_cross(escaped: Escaped) -> None:
    failure = await escaped.run("os.write(3, b'\\xff\\xff\\xff\\xff')\nimport time\ntime.sleep(60)")
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.CRASHED
    await _is_gone(escaped)


async def test_it_sends_nonsense(escaped: Escaped) -> None:
    failure = await escaped.run("os.write(3, b'\\0\\0\\0\\3no\\n')\nimport time\ntime.sleep(60)")
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.CRASHED
    await _is_gone(escaped)


async def test_it_answers_twice(escaped: Escaped) -> None:
    await escaped.run('os.write(3, b\'\\0\\0\\0\\x0d{"told": "x"}\')')
    await _is_gone(escaped)


async def test_it_ends_itself(escaped: Escaped) -> None:
    failure = await escaped.run("os._exit(3)")
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.CRASHED


async def test_it_takes_its_timers_away_and_is_stopped_nevertheless(escaped: Escaped) -> None:
    python = "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass"
    failure = await escaped.run(python, wall_ms=200)
    assert isinstance(failure, Failure)
    assert failure.code == FailureCode.TIMEOUT


async def test_it_dies_with_the_zygote(nursery: Nursery) -> None:
    """And the zygote with its server."""
    other = Nursery({"trusted": False, "heap_line_mb": 64}, lambda: None, PROGRAM)
    await other.start()
    escaped = Escaped(other)
    await escaped.be_born()
    os.kill(other.process or 0, signal.SIGKILL)
    await _is_gone(escaped)
    await other.close()


async def _is_gone(escaped: Escaped) -> None:
    await until(lambda: not lives(escaped.attendant.process))
