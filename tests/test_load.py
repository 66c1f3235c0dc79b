"""The load generator of the benchmarks: what it counts, and that it takes no wrong answer for a fast one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from bench.load import WrongAnswer, alternate, ask, press, write_request

Answers = Callable[[int], tuple[int, bytes]]


@contextmanager
def answering(answers: Answers) -> Iterator[tuple[int, list[bytes]]]:
    """Serve `answers(number of the request)`; lend the port and the bodies that were asked."""
    asked: list[bytes] = []
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["content-length"])))
            status, body = answers(next(numbers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_there_are_as_many_answers_as_connections_even_where_the_time_is_too_short() -> None:
    with answering(lambda _: (200, b"answer")) as (port, asked):
        load = press(port, write_request(port, b"question"), connections=3, seconds=0.0)

    assert load.answers == len(load.latencies) == 3
    assert set(asked) == {b"question"}


def test_a_rate_counts_the_answers_up_to_the_end_and_no_others() -> None:
    with answering(lambda _: (200, b"answer")) as (port, asked):
        load = press(port, write_request(port, b"question"), connections=2, seconds=0.05)

    assert load.answers + 1 == len(asked)  # one of the two connections still waited
    assert load.rate == pytest.approx(load.answers / load.seconds)
    assert load.seconds >= 0.05


def test_questions_that_are_compared_are_asked_in_turns() -> None:
    with answering(lambda _: (200, b"answer")) as (port, asked):
        first, second = alternate([(port, write_request(port, text)) for text in (b"first", b"second")], seconds=0.05)

    assert asked == [b"first", b"second"] * len(first)
    assert len(first) == len(second)


def test_one_answer_is_read_whole() -> None:
    with answering(lambda _: (200, b"x" * 1_000_000)) as (port, _):
        assert ask(port, write_request(port, b"")) == b"x" * 1_000_000


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_is_no_answer(status: int) -> None:
    with answering(lambda _: (status, b"refused")) as (port, _):
        request = write_request(port, b"question")

        with pytest.raises(WrongAnswer, match="refused"):
            press(port, request, connections=1, seconds=0.0)
        with pytest.raises(WrongAnswer, match="refused"):
            ask(port, request)


def test_an_answer_of_another_length_is_another_answer() -> None:
    with (
        answering(lambda number: (200, b"x" * (number + 1))) as (port, _),
        pytest.raises(WrongAnswer, match=r"an answer of 2 bytes after one of 1"),
    ):
        press(port, write_request(port, b"question"), connections=1, seconds=30.0)
