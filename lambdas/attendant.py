"""The server's side of one worker: sends it messages, holds each of them to its deadline, and knows why it ended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lambdas import wire
from lambdas.contract import Failure
from lambdas.errors import BadFrame, FailureCode
from lambdas.limits import GRACE_MS

STATUS_TIMEOUT_S = 1

# How a worker's end is read. V8 ends a process that has no memory left by a trap or by abort.
SIGNALS: Mapping[int, tuple[FailureCode, str]] = {
    signal.SIGPROF: (FailureCode.TIMEOUT, "It used up its CPU time."),
    signal.SIGALRM: (FailureCode.TIMEOUT, "It took too long."),
    signal.SIGABRT: (FailureCode.MEMORY, "It used up its memory."),
    signal.SIGTRAP: (FailureCode.MEMORY, "It used up its memory."),
    signal.SIGILL: (FailureCode.MEMORY, "It used up its memory."),
}
CRASHED = (FailureCode.CRASHED, "The engine broke down.")
KILLS = frozenset({FailureCode.TIMEOUT, FailureCode.MEMORY, FailureCode.CRASHED})


Reply = wire.Message | Failure | None


@dataclass(slots=True)
class Exchange:
    """A message that waits for its answer: a message, the failure of a worker that ended over it, None if it never began."""

    wall_ms: float
    answer: asyncio.Future[Reply]


class Attendant(asyncio.Protocol):
    """One worker. It is idle when nothing waits for an answer; `idle` and `gone` tell the pool."""

    def __init__(self, idle: Callable[[Attendant], None], gone: Callable[[Attendant], None]) -> None:
        self._idle = idle
        self._gone = gone
        self._buffer = bytearray()
        self._exchanges: deque[Exchange] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._late = False
        self.hello: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self.process = 0
        self.ended: asyncio.Future[int] | None = None
        self.kill: Callable[[], None] = lambda: None
        self.jobs = 0
        self.born = time.monotonic()
        self.is_spent = False  # it broke a limit, or its time is over: it gets no more work

    # --- asking ---

    def ask(self, messages: list[tuple[wire.Message, float]]) -> list[asyncio.Future[Reply]]:
        """Send messages with their wall times in milliseconds; return what will be their answers, in their order."""
        loop = asyncio.get_running_loop()
        fresh = [Exchange(wall_ms, loop.create_future()) for _, wall_ms in messages]
        self._exchanges.extend(fresh)
        self.jobs += len(fresh)
        if self._transport is None or self._transport.is_closing():
            self._fail_all(CRASHED)
        else:
            self._transport.write(b"".join(wire.pack(message) for message, _ in messages))
            self._watch()
        return [exchange.answer for exchange in fresh]

    def close(self) -> None:
        """Let the worker go; it ends by itself when its socket closes."""
        self.is_spent = True
        if self._transport is not None:
            self._transport.close()

    @property
    def is_busy(self) -> bool:
        """Whether it owes an answer."""
        return bool(self._exchanges)

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the worker."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take messages as they become whole."""
        self._buffer += data
        try:
            while (message := self._next()) is not None:
                self._take(message)
        except BadFrame:
            self._destroy()

    def connection_lost(self, _error: Exception | None) -> None:
        """Find out how the worker ended, and tell everybody who waits."""
        self.is_spent = True
        self._gone(self)
        self._stop_watching()
        if self._exchanges:
            self._ending = asyncio.ensure_future(self._tell_end())
        if not self.hello.done():
            self.hello.set_result({"refused": True})

    # --- answers ---

    def _next(self) -> wire.Message | None:
        size = wire.LENGTH.size
        if len(self._buffer) < size:
            return None
        end = size + wire.read_length(bytes(self._buffer[:size]))
        if len(self._buffer) < end:
            return None
        content = bytes(self._buffer[size:end])
        del self._buffer[:end]
        return wire.unpack(content)

    def _take(self, message: wire.Message) -> None:
        if not self.hello.done():
            self.hello.set_result(message.head)
            return
        if not self._exchanges:
            raise BadFrame("A worker answers what nobody asked.")
        exchange = self._exchanges.popleft()
        self._stop_watching()
        if message.head.get("failure") is not None:
            self.is_spent = True
        if not exchange.answer.done():
            exchange.answer.set_result(message)
        if self._exchanges:
            self._watch()
        else:
            self._idle(self)

    # --- ends ---

    def _watch(self) -> None:
        """Hold the first exchange to its wall time. The worker's own timer comes first; this one is for a worker that lost it."""
        if self._deadline is None:
            seconds = (self._exchanges[0].wall_ms + GRACE_MS) / 1000
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._overdue)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _overdue(self) -> None:
        self._late = True
        self._destroy()

    def _destroy(self) -> None:
        """Kill a worker that is late or talks nonsense. Its socket closes, whatever it does."""
        self.is_spent = True
        self.kill()
        if self._transport is not None:
            self._transport.abort()

    async def _tell_end(self) -> None:
        """Fail what waits. Only the first was being worked on; the pool takes the others elsewhere."""
        code, message = CRASHED
        if self._late:
            code, message = SIGNALS[signal.SIGALRM]
        elif self.ended is not None:
            try:
                status = await asyncio.wait_for(asyncio.shield(self.ended), STATUS_TIMEOUT_S)
                code, message = SIGNALS.get(-status, CRASHED)
            except TimeoutError:
                self.kill()
        self._fail_all((code, message))

    def _fail_all(self, why: tuple[FailureCode, str]) -> None:
        reply: Reply = Failure(*why)
        while self._exchanges:
            exchange = self._exchanges.popleft()
            if not exchange.answer.done():
                exchange.answer.set_result(reply)
            reply = None
