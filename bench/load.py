"""Asks a server the same question over many kept connections, as cheaply as Python can: one thread, one epoll, no HTTP library."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass

CONNECT_LIMIT_S = 10.0
SILENCE_LIMIT_S = 30.0  # without any answer: the server has stopped
READ_BYTES = 262_144
ANSWERS_EACH = 1  # at least: a slow server must be seen too
_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Load:
    """What came of asking: answers, the seconds they took, the latency of each, and the seconds of CPU of the asking itself."""

    answers: int
    seconds: float
    latencies: list[float]
    cpu_s: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the answers kept, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class WrongAnswer(Exception):
    """A server answered a question that it answered before in another way."""


def write_request(port: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Write a request to `/graphql` once, to be sent many times."""
    lines = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + body


def ask(port: int, request: bytes) -> bytes:
    """Ask once and return the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), CONNECT_LIMIT_S) as connection:
        connection.settimeout(SILENCE_LIMIT_S)
        connection.sendall(request)
        answer = b""
        while (whole := _whole_length(answer)) is None or len(answer) < whole:
            more = connection.recv(READ_BYTES)
            if not more:
                raise WrongAnswer(f"the server hung up after {answer[:500]!r}")
            answer += more
    body = answer[answer.index(_HEADERS_END) + 4 :]
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:2000].decode("utf-8", "replace"))
    return body


def press(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Ask on so many connections, each again as soon as it has its answer, so long and until there are as many answers as connections.

    Every answer must be a 200 of the same length as the first.
    """
    lines = [_connect(port) for _ in range(connections)]
    try:
        return _press(lines, request, seconds)
    finally:
        for line in lines:
            line.connection.close()


def alternate(questions: list[tuple[int, bytes]], seconds: float) -> list[list[float]]:
    """Ask one question after the other, each on a connection of its own, round and round; return the latencies of each.

    Two that follow each other within milliseconds meet the same machine, so their medians can be told apart where rates cannot.
    """
    lines = [_connect(port) for port, _ in questions]
    latencies: list[list[float]] = [[] for _ in questions]
    try:
        for line in lines:
            line.connection.settimeout(SILENCE_LIMIT_S)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline or not latencies[0]:
            for line, (_, request), found in zip(lines, questions, latencies, strict=True):
                _send(line, request, time.perf_counter())
                while not _read(line):
                    pass
                found.append(time.perf_counter() - line.sent_at)
    finally:
        for line in lines:
            line.connection.close()
    return latencies


class _Line:
    """A connection with the answer that is being read from it."""

    __slots__ = ("answer", "connection", "sent_at", "whole")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.answer = b""
        self.sent_at = 0.0
        self.whole: int | None = None


def _connect(port: int) -> _Line:
    connection = socket.create_connection(("127.0.0.1", port), CONNECT_LIMIT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return _Line(connection)


def _press(lines: list[_Line], request: bytes, seconds: float) -> Load:
    clock = time.perf_counter
    latencies: list[float] = []
    enough = ANSWERS_EACH * len(lines)
    ended, body_length = 0.0, 0
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.connection, selectors.EVENT_READ, line)
        cpu = time.process_time()
        started = clock()
        deadline = started + seconds
        for line in lines:
            _send(line, request, clock())
        waiting = len(lines)
        while waiting:
            ready = selector.select(SILENCE_LIMIT_S)
            if not ready:
                raise WrongAnswer(f"no answer within {SILENCE_LIMIT_S} s")
            for key, _ in ready:
                line = key.data
                length = _read(line)
                if not length:
                    continue
                now = clock()
                if ended:
                    waiting -= 1
                    continue
                latencies.append(now - line.sent_at)
                body_length = body_length or length
                if length != body_length:
                    raise WrongAnswer(f"an answer of {length} bytes after one of {body_length}")
                if now < deadline or len(latencies) < enough:
                    _send(line, request, now)
                else:
                    ended = now
                    waiting -= 1
        cpu = time.process_time() - cpu
    # What was still under way when time was up is waited for, so that it disturbs nobody, but does not count.
    return Load(len(latencies), ended - started, latencies, cpu)


def _send(line: _Line, request: bytes, now: float) -> None:
    line.answer, line.whole, line.sent_at = b"", None, now
    if line.connection.send(request) != len(request):
        raise WrongAnswer("a request did not fit into the socket's buffer")


def _read(line: _Line) -> int:
    """Read what has come; return the length of the body when it is whole, else 0."""
    more = line.connection.recv(READ_BYTES)
    if not more:
        raise WrongAnswer("the server hung up")
    line.answer = answer = line.answer + more if line.answer else more
    if line.whole is None:
        line.whole = _whole_length(answer)
    if line.whole is None or len(answer) < line.whole:
        return 0
    if not answer.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(answer[:2000].decode("utf-8", "replace"))
    return line.whole - answer.index(_HEADERS_END) - 4


def _whole_length(answer: bytes) -> int | None:
    """Return how long headers and body are together, once the headers are there."""
    end = answer.find(_HEADERS_END)
    if end < 0:
        return None
    head = answer[:end].lower()
    place = head.find(_LENGTH)
    if place < 0:
        raise WrongAnswer(f"an answer without a length: {head[:1000]!r}")
    return end + 4 + int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
