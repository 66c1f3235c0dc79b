"""A server on loopback that says what a test wants, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Heard:
    """The requests that came, whole, and the port."""

    port: int = 0
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(answer: bytes | Say, secure: SSLContext | None = None) -> AsyncIterator[Heard]:
    """Serve until the block ends: these bytes, or what a function writes, then the end of the connection."""
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.requests.append(await read(reader))
        try:
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except ConnectionError:  # whoever asked has had enough
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=secure)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        await server.wait_closed()


async def read(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(
        (int(line.partition(":")[2]) for line in head.lower().split("\r\n") if line[:14] == "content-length"), 0
    )
    return head + (await reader.readexactly(length)).decode()


def http(body: str, *headers: str, status: str = "200 OK") -> bytes:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode()
