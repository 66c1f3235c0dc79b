"""Answers on the wire: head and body at once where the answer says how long it is, and nothing in a header that ends its line."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from web.wire import QuickCycle

HEAD = [(b"content-type", b"application/json"), (b"x-request-id", b"abc")]


class Line:
    """Plays a connection: what was written, each write apart."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, part: bytes) -> None:
        self.writes.append(bytes(part))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        raise AssertionError("Nobody reads.")

    def resume_reading(self) -> None:
        raise AssertionError("Nobody reads.")


class Exchange:
    """A request that waits for its answer."""

    def __init__(self, *, method: str = "POST", keep_alive: bool = True) -> None:
        self.line = Line()
        self.answered = 0
        flow: Any = FlowControl(self.line)  # type: ignore[arg-type] # as much of a connection as it takes
        self.cycle = QuickCycle(
            scope={"type": "http", "method": method},  # type: ignore[typeddict-item] # as much as it looks at
            transport=self.line,  # type: ignore[arg-type] # the same
            flow=flow,
            logger=logging.getLogger("test"),
            access_logger=logging.getLogger("test"),
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self._count,
        )

    def _count(self) -> None:
        self.answered += 1

    async def start(self, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
        await self.cycle.send({"type": "http.response.start", "status": status, "headers": headers})

    async def say(self, body: bytes, *, more: bool = False) -> None:
        await self.cycle.send({"type": "http.response.body", "body": body, "more_body": more})


async def test_an_answer_of_known_length_is_one_write() -> None:
    exchange = Exchange()

    await exchange.start([*HEAD, (b"content-length", b"2")])
    await exchange.say(b"{}")

    assert exchange.line.writes == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: application/json\r\nx-request-id: abc\r\ncontent-length: 2\r\n\r\n{}"
    ]
    assert exchange.answered == 1
    assert exchange.cycle.response_complete


async def test_the_parts_of_a_long_answer_go_out_as_they_come() -> None:
    exchange = Exchange()

    await exchange.start([(b"content-length", b"4")])
    await exchange.say(b"ab", more=True)
    assert b"".join(exchange.line.writes).endswith(b"\r\n\r\nab")
    assert not exchange.cycle.response_complete

    await exchange.say(b"cd")
    assert b"".join(exchange.line.writes).endswith(b"\r\n\r\nabcd")
    assert exchange.answered == 1


async def test_an_answer_without_a_length_comes_in_chunks() -> None:
    exchange = Exchange()

    await exchange.start(HEAD)
    assert b"transfer-encoding: chunked" in b"".join(exchange.line.writes)  # at once: its first part may take long

    await exchange.say(b"ab")
    assert b"".join(exchange.line.writes).endswith(b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "header",
    [
        (b"x-request-id", b"a\r\nset-cookie: b"),
        (b"x-request-id", b"a\nb"),
        (b"content-type", b"a\x00"),
        (b"x-a\r\nb", b"a"),
        (b"x a", b"a"),
        (b"x:a", b"a"),
    ],
)
async def test_no_header_begins_a_line_of_its_own(header: tuple[bytes, bytes]) -> None:
    exchange = Exchange()

    with pytest.raises(RuntimeError, match="Invalid HTTP header"):
        await exchange.start([header, (b"content-length", b"2")])

    assert exchange.line.writes == []


@pytest.mark.parametrize("body", [b"{", b"{}}"])
async def test_an_answer_is_as_long_as_it_says(body: bytes) -> None:
    exchange = Exchange()
    await exchange.start([(b"content-length", b"2")])

    with pytest.raises(RuntimeError):
        await exchange.say(body)

    assert exchange.line.writes == []


async def test_the_last_answer_of_a_connection_says_so_and_closes_it() -> None:
    exchange = Exchange(keep_alive=False)

    await exchange.start([(b"content-length", b"2")])
    await exchange.say(b"{}")

    assert b"connection: close\r\n" in b"".join(exchange.line.writes)
    assert exchange.line.is_closed


async def test_who_asks_for_the_head_gets_no_body() -> None:
    exchange = Exchange(method="HEAD")

    await exchange.start([(b"content-length", b"2")])
    await exchange.say(b"{}")

    assert b"".join(exchange.line.writes).endswith(b"content-length: 2\r\n\r\n")


async def test_headers_in_capitals_are_written_small() -> None:
    exchange = Exchange()

    await exchange.start([(b"Content-Length", b"2")])
    await exchange.say(b"{}")

    assert b"\r\ncontent-length: 2\r\n\r\n{}" in b"".join(exchange.line.writes)


async def test_nothing_is_written_for_whoever_has_gone() -> None:
    exchange = Exchange()
    await exchange.start([(b"content-length", b"2")])
    exchange.cycle.disconnected = True

    await exchange.say(b"{}")

    assert exchange.line.writes == []
