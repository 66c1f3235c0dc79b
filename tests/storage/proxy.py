"""A wire between us and a database that a test can cut and mend."""

import asyncio
from contextlib import suppress
from enum import StrEnum


class Loss(StrEnum):
    """How much of the next question is lost."""

    QUESTION = "the question is lost"
    HALF = "half of the question is lost"
    ANSWER = "the answer is lost"


class Aftermath(StrEnum):
    """What becomes of the wire then."""

    CUT = "cut"  # everything that is open breaks, and nobody listens any more
    BLINK = "blink"  # everything that is open breaks
    SWALLOW = "swallow"  # nothing breaks and nothing moves; what was lost is only held back


class Proxy:
    """Forwards one port of this machine to another."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._next: tuple[Loss, Aftermath] | None = None
        self._left = 0
        self._is_asked = False
        self.is_lost = False
        self.questions = 0  # how many we have sent

    def lose(self, loss: Loss, aftermath: Aftermath, *, after: int = 0) -> None:
        """Lose the next question that we send after so many others, or its answer; `is_lost` tells when that has happened."""
        self._next = (loss, aftermath)
        self._left = after
        self._is_asked = self.is_lost = False

    @property
    def is_listening(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None and self._server.is_serving()

    def swallow(self) -> None:
        """Take what is sent and answer nothing, as a broken route does; new connections too."""
        self._flows.clear()

    def flow(self) -> None:
        """Deliver again, what was held back first."""
        self._flows.set()

    async def mend(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Stop listening and break what is open."""
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writers.clear()
        self._tasks.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, here}
        pumps = self._pump(reader, here, asks=True), self._pump(there, writer, asks=False)
        self._tasks |= {asyncio.create_task(pump) for pump in pumps}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if loses := self._take(asks=asks):
                    loss, aftermath = loses
                    if loss is Loss.HALF:
                        writer.write(data[: len(data) // 2])
                        data = data[len(data) // 2 :]
                    self._suffer(aftermath)
                    if aftermath is not Aftermath.SWALLOW:
                        return
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def _take(self, *, asks: bool) -> tuple[Loss, Aftermath] | None:
        """Return what is to be lost if this is where it goes by."""
        self.questions += asks
        if self._next is None:
            return None
        if asks and self._left:
            self._left -= 1
            return None
        if asks and self._next[0] is Loss.ANSWER:
            self._is_asked = True
            return None
        if self._left or (not asks and not self._is_asked):
            return None
        taken, self._next = self._next, None
        self.is_lost = True
        return taken

    def _suffer(self, aftermath: Aftermath) -> None:
        if aftermath is Aftermath.SWALLOW:
            self.swallow()
            return
        if aftermath is Aftermath.CUT and self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
