"""The process that forks workers: V8 is initialised, nothing runs, and there is nothing to take from it.

The server starts it with an empty environment and one descriptor, the control socket (packets). It sends a worker's end of a
socket pair to have a worker forked, and numbers to have workers killed: only the parent of a process can be sure whom a number
means. What became of a worker is told. When the server is gone, so is the zygote, and its workers with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

if __name__ == "__main__":  # run by path in an isolated interpreter: only the checkout is added
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from lambdas import engine, lockdown, worker

PACKET_LIMIT_BYTES = 4096
MADV_POPULATE_READ = 22  # of madvise(2), Linux 5.14
WORKERS_DESCRIPTOR = 3  # the only one beside the three standard ones, which lead to /dev/null

Work = Callable[[socket.socket, Mapping[str, Any]], None]


class Zygote:
    """The loop of the process: forks and kills when asked, tells of ends."""

    def __init__(self, control: socket.socket, settings: Mapping[str, Any], work: Work) -> None:
        self._control = control
        self._settings = settings
        self._work = work
        self._children: set[int] = set()

    def serve(self) -> None:
        """Serve until the server is gone."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.tell({"ready": True})
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._control, selectors.EVENT_READ, self._obey)
            waiting.register(woken, selectors.EVENT_READ, lambda: bool(woken.recv(PACKET_LIMIT_BYTES)))
            while all(key.data() for key, _ in waiting.select()):  # what was not looked at is ready the next time
                self._reap()

    def tell(self, packet: Mapping[str, Any]) -> None:
        """Tell the server something."""
        with contextlib.suppress(OSError):  # it is gone; the loop will see that
            self._control.send(json.dumps(packet).encode())

    def _obey(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, PACKET_LIMIT_BYTES, 1)
        if not packet:
            return False
        order = json.loads(packet)
        if order.get("kill") in self._children:
            os.kill(order["kill"], signal.SIGKILL)
        for descriptor in descriptors:
            self._fork(socket.socket(fileno=descriptor), order["fork"])
        return True

    def _fork(self, end: socket.socket, number: int) -> None:
        process = os.fork()
        if process == 0:
            self._become_worker(end)
        end.close()
        self._children.add(process)
        self.tell({"forked": number, "process": process})

    def _become_worker(self, end: socket.socket) -> NoReturn:
        """Be a worker until the end; never return into the zygote's loop."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(
                end.detach(), WORKERS_DESCRIPTOR
            )  # the control socket's place or another's: nothing else stays open
            os.closerange(WORKERS_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
            self._work(socket.socket(fileno=WORKERS_DESCRIPTOR), self._settings)
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        for process in tuple(self._children):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self._children.discard(process)
                self.tell({"ended": process, "status": os.waitstatus_to_exitcode(status)})


def share_code() -> None:
    """Map the engine's code now, so that workers share its pages with the zygote instead of having them to themselves."""
    madvise = ctypes.CDLL(None).madvise
    with contextlib.suppress(OSError), open("/proc/self/maps", "rb") as maps:  # noqa: PTH123 - pathlib is not loaded
        for line in maps:
            if line.rstrip().endswith(b"libmini_racer.so") and line.split()[1].startswith(b"r"):
                start, end = (int(part, 16) for part in line.split()[0].split(b"-"))
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_POPULATE_READ)


def main(work: Work = worker.work) -> None:
    """Be the zygote: the control socket is descriptor argv[1], the settings are argv[2]."""
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    held: dict[str, str | None] = {"namespaces": None}
    try:
        lockdown.leave_namespaces()
    except (OSError, AttributeError) as error:
        held["namespaces"] = getattr(error, "strerror", None) or "not on this system"
    engine.start_engine(settings["heap_line_mb"])
    worker.prepare()
    share_code()
    gc.freeze()  # a collection in a worker would copy every page that it only looks at
    Zygote(control, {**settings, "held": held}, work).serve()


if __name__ == "__main__":
    main()
