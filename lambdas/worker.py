"""The inside of a worker: one job at a time, for one installation, behind the lock-down. It knows nothing but its jobs.

A job's timers are the kernel's and end the process: nothing that runs in V8 can catch them, and a worker that broke a limit is
never used again.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from lambdas import lockdown, wire
from lambdas.errors import EngineError, FailureCode, OutOfMemory
from lambdas.language import Isolate

ISOLATES_LIMIT = 24  # modules that a worker keeps at hand; each takes about a megabyte
NICENESS = 10  # lambdas wait for the server, not the server for lambdas
MESSAGE_LIMIT = 500


def prepare() -> None:
    """Load, in the zygote, what workers need: they can open no file any more."""
    lockdown.prepare()
    wire.pack(wire.Message({}))


def work(end: socket.socket, settings: Mapping[str, Any]) -> None:
    """Lock down, tell how far that went, and do jobs until the server is gone."""
    os.nice(NICENESS)
    held = {**settings["held"], **lockdown.lock_down()}
    if not settings["trusted"] and any(held[step] for step in lockdown.REQUIRED):
        end.sendall(wire.pack(wire.Message({"held": held, "refused": True})))
        return
    desk = Desk(Isolate())  # made while nobody waits, for whichever module comes first
    lockdown.give_back()
    end.sendall(wire.pack(wire.Message({"held": held})))
    while (message := wire.receive(end)) is not None:
        end.sendall(desk.do(message))
        desk.tidy()


class Desk:
    """A worker's isolates: one a module, made on demand and kept while there is room. Each takes a megabyte and more."""

    def __init__(self, first: Isolate) -> None:
        self._isolates: OrderedDict[str, Isolate] = OrderedDict()
        self._spare: Isolate | None = first

    def tidy(self) -> None:
        """Give back the memory of what jobs left behind, while nobody waits."""
        for isolate in self._isolates.values():
            isolate.tidy()

    def do(self, message: wire.Message) -> bytes:
        """Do a job and return its answer's bytes."""
        head = message.head
        answer: dict[str, Any] = {}
        frame = b""
        started, used = time.monotonic(), time.process_time()
        try:
            isolate = self._isolate(head["module"], head["heap_mb"])
            arm(head["cpu_ms"], head["wall_ms"])  # our own prelude is no part of what a lambda may use
            frame = isolate.answer(message.frame)
            if head["measured"]:
                answer["heap"] = isolate.heap_bytes()
        except OutOfMemory:
            answer["failure"] = FailureCode.MEMORY
        except EngineError as error:  # of our own prelude: no lambda's errors come this way
            answer.update(failure=FailureCode.CRASHED, message=str(error)[:MESSAGE_LIMIT])
        disarm()
        answer.update(cpu=(time.process_time() - used) * 1000, wall=(time.monotonic() - started) * 1000)
        return wire.pack(wire.Message(answer, frame))

    def _isolate(self, module: str, heap_mb: int) -> Isolate:
        isolate = self._isolates.get(module)
        if isolate is None:
            isolate, self._spare = self._spare or Isolate(), None
            self._isolates[module] = isolate
            if len(self._isolates) > ISOLATES_LIMIT:
                self._isolates.popitem(last=False)[1].close()
        self._isolates.move_to_end(module)
        isolate.limit_heap(heap_mb)
        return isolate


def arm(cpu_ms: float, wall_ms: float) -> None:
    """Set the kernel's timers. What they send ends the process, since nobody handles it."""
    signal.setitimer(signal.ITIMER_PROF, cpu_ms / 1000)
    signal.setitimer(signal.ITIMER_REAL, wall_ms / 1000)


def disarm() -> None:
    """Stop the timers."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
