"""What only a socket or a signal shows: slow and broken clients, limits of connections, and the end of the server."""

import contextlib
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.first_agent import SEED
from tests.databases import fresh_url
from tests.web.server import HOUSE, REAL, TOY, Server, environment, receive_all, running, start
from tests.web.toy import TOKEN
from web.edge import SECURITY_HEADERS

pytestmark = pytest.mark.timed

BODY = b'{"query":"{queue{name}}"}'


def request(*headers: bytes, body: bytes = BODY, path: bytes = b"/graphql") -> bytes:
    signed_in = b"Authorization: Bearer " + TOKEN.encode()
    known = (b"Host: localhost", b"Content-Type: application/json", signed_in)
    lines = [b"POST " + path + b" HTTP/1.1", *known, *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


GOOD = request(b"Content-Length: %d" % len(BODY), b"Connection: close")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The small world with short limits."""
    with running(
        TOY,
        tmp_path_factory.mktemp("toy"),
        header_seconds=0.5,
        keep_alive_seconds=1,
        body_seconds=0.7,
        connections=40,
        body_bytes=200_000,
    ) as started:
        yield started


def test_a_request_on_the_wire(server: Server) -> None:
    assert server.raw(GOOD).endswith(b'{"data":{"queue":{"name":"Raw"}}}')


SMUGGLING = {
    "two lengths": request(b"Content-Length: 25", b"Content-Length: 26"),
    "length and chunks": request(b"Content-Length: 25", b"Transfer-Encoding: chunked"),
    "a length that is no number": request(b"Content-Length: +25"),
    "a length with a comma": request(b"Content-Length: 25, 25"),
    "a negative length": request(b"Content-Length: -1"),
    "an unknown transfer encoding": request(b"Transfer-Encoding: xchunked"),
    "a folded header": request(b"X-A: 1\r\n continued", b"Content-Length: 25"),
    "a space before the colon": request(b"Content-Length : 25"),
    "a header without a colon": request(b"Content-Length"),
    "NUL in a header": request(b"X-A: \x00", b"Content-Length: 25"),
    "a bare carriage return": request(b"X-A: 1\rContent-Length: 25"),
    "a bare line feed": GOOD.replace(b"\r\n", b"\n"),
    "a chunk size that is no number": request(b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"),
    "a broken chunk": request(b"Transfer-Encoding: chunked", body=b"3\r\nabcde\r\n0\r\n\r\n"),
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
    "an unknown version": GOOD.replace(b"HTTP/1.1", b"HTTP/7.3"),
    "an address with spaces": GOOD.replace(b"/graphql", b"/graph ql"),
    "an address outside ASCII": GOOD.replace(b"/graphql", b"/\xff\xfe"),
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_c7_a_request_that_can_be_read_in_two_ways_is_refused(server: Server, name: str) -> None:
    answer = server.raw(SMUGGLING[name] + GOOD)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"data"' not in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("line", "status", "logged"),
    [
        (b"FOO /graphql HTTP/1.1", 405, {"code": "BAD_REQUEST", "status": 405, "method": "FOO"}),
        (b"get /graphql HTTP/1.1", 405, {"code": "BAD_REQUEST", "status": 405, "method": "get"}),
        (b"F(O /graphql HTTP/1.1", 400, {"code": "BAD_REQUEST", "status": 400}),
        (b"FOO /graphql HTTP/7.3", 400, {"code": "BAD_REQUEST", "status": 400}),
        (b"GET /graphql HTTP/7.3", 400, {"code": "BAD_REQUEST", "status": 400}),
    ],
)
def test_c11_what_the_parser_cannot_read_is_answered_and_logged_like_the_rest(
    server: Server, line: bytes, status: int, logged: dict[str, object]
) -> None:
    head, _, body = server.raw(line + b"\r\nHost: localhost\r\n\r\n").decode().partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    headers = dict(part.split(": ", 1) for part in rest)
    (error,) = json.loads(body)["errors"]
    request_id = error["extensions"]["requestId"]

    assert first.startswith(f"HTTP/1.1 {status} ")
    assert headers["x-request-id"] == request_id
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert headers.items() >= {name.lower(): value for name, value in SECURITY_HEADERS.items()}.items()
    while (found := server.line("")).get("request_id") != request_id:
        pass
    assert found.items() >= logged.items()
    assert not [past for past in server.seen if past["logger"].startswith("uvicorn")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"Host: localhost", b"Host: evil.example"], b"421"),
        ([b"X-A: 1"], b"421"),
        ([b"Host: evil.example", b"X-Forwarded-Host: localhost"], b"421"),
    ],
)
def test_c6_exactly_one_known_host_is_named(server: Server, headers: list[bytes], status: bytes) -> None:
    answer = server.raw(b"\r\n".join([b"GET /healthz HTTP/1.1", *headers, b"Connection: close"]) + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)


def test_c12_forwarded_headers_change_nothing(server: Server) -> None:
    forged = request(
        b"Content-Length: %d" % len(BODY), b"Connection: close", b"X-Forwarded-For: 10.0.0.1", b"X-Remote-User: root",
        b"X-Forwarded-Proto: https", b"Forwarded: for=10.0.0.1",
    )  # fmt: skip

    assert server.raw(forged).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "start", [b"", b"POST /graphql HTTP/1.1\r\n", b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"\r\n"]
)
def test_c8_slow_headers_are_not_waited_for(server: Server, start: bytes) -> None:
    begun = time.monotonic()
    with server.connect() as connection:
        stop = threading.Event()
        threading.Thread(target=_trickle, args=(connection, stop, start), daemon=True).start()
        answer = receive_all(connection)
        stop.set()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begun < 5


def _trickle(connection: socket.socket, stop: threading.Event, start: bytes) -> None:
    """Send something every now and then, so that the connection is never silent."""
    try:
        connection.sendall(start)
        while not stop.wait(0.1):
            connection.sendall(b"\r\n" if start == b"\r\n" else b"x" if start else b"")
    except OSError:
        pass


def test_c8_a_slow_body_is_not_waited_for(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request(b"Content-Length: 1000", body=b"{"))
        answer = receive_all(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_c8_headers_without_end_are_refused(server: Server) -> None:
    with server.connect() as connection:
        with contextlib.suppress(OSError):  # the server hangs up while this is sent
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 40_000)
        answer = receive_all(connection)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


def test_c8_idle_connections_are_closed_and_others_served(server: Server) -> None:
    idle = [server.connect() for _ in range(20)]
    for connection in idle:
        connection.sendall(GOOD.replace(b"Connection: close", b"Connection: keep-alive"))

    assert server.ask("{queue{name}}").status_code == 200
    for connection in idle:
        assert b"200 OK" in receive_all(connection)
        connection.close()


def test_c8_connections_above_the_limit_are_told_to_come_again(server: Server) -> None:
    held = [server.connect() for _ in range(60)]
    answers = [receive_all(connection)[:13] for connection in held]
    for connection in held:
        connection.close()

    # On a slow machine the first connections may have timed out before the last one came.
    assert set(answers) == {b"HTTP/1.1 503 ", b"HTTP/1.1 408 "}
    assert answers.count(b"HTTP/1.1 503 ") <= 20
    assert server.ask("{queue{name}}").status_code == 200


def test_c1_a_huge_body_is_refused_before_it_has_come(server: Server) -> None:
    sent = 0
    with server.connect() as connection:
        connection.sendall(request(b"Transfer-Encoding: chunked", body=b""))
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        try:
            while sent < 100_000_000:
                connection.sendall(chunk)
                sent += 65_536
        except OSError:
            pass  # the server hung up
        answer = receive_all(connection)

    assert sent < 20_000_000
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
    assert server.ask("{queue{name}}").status_code == 200


def test_a_fast_client_may_send_several_requests_at_once(server: Server) -> None:
    keep = GOOD.replace(b"Connection: close", b"Connection: keep-alive")

    assert server.raw(keep * 5 + GOOD).count(b'{"data":{"queue":{"name":"Raw"}}}') == 6


# --- the process ---


def test_l2_sigterm_lets_running_requests_end_and_exits_with_0(tmp_path: Path) -> None:
    with running(TOY, tmp_path, request_seconds=1) as server:
        body = b'{"query":"{slow}"}'
        asking = [server.connect() for _ in range(5)]
        for connection in asking:
            connection.sendall(request(b"Content-Length: %d" % len(body), body=body))
        time.sleep(0.4)
        begun = time.monotonic()

        assert server.stop() == 0
        assert time.monotonic() - begun < 10
        for connection in asking:
            assert b'"code":"TIMEOUT"' in receive_all(connection)
            connection.close()


def test_l2_open_streams_do_not_hold_the_server_back(tmp_path: Path) -> None:
    body = b'{"query":"subscription{waits}"}'
    with running(TOY, tmp_path) as server, server.connect() as stream:
        stream.sendall(request(b"Content-Length: %d" % len(body), b"Accept: text/event-stream", body=body))
        assert stream.recv(1_000).startswith(b"HTTP/1.1 200 ")
        begun = time.monotonic()

        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - begun < 5
        assert b"event: complete" in receive_all(stream)


def test_l2_a_client_that_sends_no_more_does_not_hold_the_server_back(tmp_path: Path) -> None:
    with running(TOY, tmp_path, body_seconds=60, stop_seconds=1) as server, server.connect() as slow:
        slow.sendall(request(b"Content-Length: 1000", body=b"{"))
        time.sleep(0.2)
        begun = time.monotonic()

        assert server.stop() == 0
        assert time.monotonic() - begun < 10


def test_l8_hang_up_is_ignored(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server:
        for number in (signal.SIGHUP, signal.SIGPIPE):
            server.process.send_signal(number)
            time.sleep(0.1)
            assert server.ask("{queue{name}}").status_code == 200


def test_l8_a_closed_standard_output_is_ignored(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server:
        assert server.process.stdout is not None
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, server.process.stdout.fileno())  # the pipe has no reader any more
        os.close(nothing)

        for _ in range(20):
            assert server.ask("{queue{name}}").status_code == 200
        assert server.stop() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_l7_a_full_output_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, *TOY], cwd=tmp_path, env=environment({"port": port}), stdout=full, stderr=subprocess.PIPE
        )
    server = Server(process, port, is_toy=True)  # type: ignore[arg-type] # only its bytes are read
    try:
        _wait_for(server)
        for _ in range(20):
            assert server.ask("{queue{name}}").status_code == 200
        assert server.ask("{fail}").json()["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert server.raw(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=15)[1] == b""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def _wait_for(server: Server, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            server.connect().close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.05)
        else:
            return


def test_l10_a_port_in_use_is_said_clearly(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server:
        second = start(tmp_path, port=server.port)

    assert second.returncode == 1
    assert second.stderr == (
        f"Port {server.port} of 127.0.0.1 is in use, perhaps by another Lambdesk. "
        "Stop it, or set LAMBDESK_PORT to a free one.\n"
    )


@pytest.mark.parametrize(
    "key", ["a" * 40, "please-change-me-0123456789-please-change-me", "my secret key of my own desk, 2026"]
)
def test_d20_beyond_this_machine_an_easy_key_is_refused(tmp_path: Path, key: str) -> None:
    refused = start(tmp_path, host="0.0.0.0", secret_key=key)  # noqa: S104 - what is refused

    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "LAMBDESK_HOST is 0.0.0.0, which other machines can reach, but LAMBDESK_SECRET_KEY"
    )
    assert key not in refused.stderr


def test_d20_beyond_this_machine_otrs_first_password_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with fresh_url("sqlite") as url:
        with running(REAL, tmp_path, database_url=url, modules_dir="site") as server:
            server.line("modules are live")
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            database.execute("UPDATE users SET pw = ? WHERE login = 'root@localhost'", (SEED,))
        refused = start(tmp_path, host="0.0.0.0", database_url=url, modules_dir="site")  # noqa: S104 - what is refused

    assert refused.returncode == 1
    assert "every new OTRS begins with" in refused.stderr


def test_d20_beyond_this_machine_it_listens_with_a_password_and_a_key_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    settings = {"host": "0.0.0.0", "modules_dir": "site", "secret_key": secrets.token_hex(32)}  # noqa: S104 - on purpose
    with fresh_url("sqlite") as url, running(REAL, tmp_path, database_url=url, **settings) as server:
        server.line("modules are live")
        assert server.ask("{ viewer { login } }").json()["data"] == {"viewer": {"login": "root@localhost"}}


def test_the_first_password_is_printed_once_and_not_logged(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with fresh_url("sqlite") as url:
        told = []
        for _ in range(2):
            with running(REAL, tmp_path, database_url=url, modules_dir="site", admin_password="") as server:
                server.line("modules are live")
                told.append(list(server.printed))
                logged = json.dumps(server.seen)

    (line,), nothing = told
    assert nothing == []
    password = line.split(" with the password ")[1].split()[0]
    assert line.startswith("The first agent is root@localhost with the password ")
    assert len(password) == 20
    assert password not in logged


def test_bad_settings_end_the_start_with_2(tmp_path: Path) -> None:
    refused = start(tmp_path, port="x", tokens=0)

    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "LAMBDESK_PORT is 'x': write a number from 0 to 65535.",
        "LAMBDESK_TOKENS is '0': write a whole number of at least 1.",
    ]


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server:
        answer = server.ask("query Mine { fail }")
        failure = server.line("an operation failed inside")
        line = server.line("request")

    assert line["request_id"] == failure["request_id"] == answer.headers["x-request-id"]
    assert (line["operation"], line["code"], line["status"]) == ("Mine", "INTERNAL", 200)
    assert failure["exception"] == "RuntimeError"
    assert "secret" not in json.dumps([line, failure]).replace(str(HOUSE), "")
