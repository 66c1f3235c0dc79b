"""Lambdas call servers of the operator's list, at addresses that were looked at, and get answers of bounded size."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lambdas.contract import Answer
from lambdas.http_client import HttpClient
from lambdas.http_hosts import Hosts, HttpRefused, is_public, read_hosts
from lambdas.http_request import BODY_BYTES, read_request
from lambdas.limits import ANSWER_LIMIT_BYTES
from tests.lambdas.http_server import http, serving

JSON = "Content-Type: application/json"


def client(port: int, name: str = "api.example.org", **more: Any) -> HttpClient:
    """A client that may call one server, whose name leads to loopback."""

    async def find(_name: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    return HttpClient(Hosts(read_hosts([f"http://{name}:{port}"]), private=True), **{"find": find, **more})


async def get(port: int, path: str = "/", options: Any = None, **more: Any) -> Answer:
    return await client(port, **more).answer(["GET", f"http://api.example.org:{port}{path}", None, options])


async def told(port: int) -> dict[str, Any]:
    answer = await get(port)
    assert answer.error is None, answer
    found: dict[str, Any] = answer.value
    return found


# --- what is sent, and what comes back ---


async def test_get_sends_the_path_the_query_and_the_headers_and_returns_what_came() -> None:
    async with serving(http('{"temperature": 21}', JSON, "ETag: v1", "Set-Cookie: a=b")) as heard:
        answer = await get(heard.port, "/now?town=K%C3%B6ln", {"headers": {"Authorization": "Bearer x", "X-Trace": 7}})
    assert answer == Answer(
        {
            "status": 200,
            "ok": True,
            "headers": {"content-type": "application/json", "etag": "v1"},
            "text": '{"temperature": 21}',
            "json": {"temperature": 21},
        }
    )
    assert "".join(heard.requests) == (
        "GET /now?town=K%C3%B6ln HTTP/1.1\r\n"
        f"host: api.example.org:{heard.port}\r\n"
        "accept-encoding: identity\r\n"
        "connection: close\r\n"
        "user-agent: Lambdesk\r\n"
        "accept: */*\r\n"
        "authorization: Bearer x\r\n"
        "x-trace: 7\r\n\r\n"
    )


async def test_post_sends_an_object_as_json_and_a_text_as_it_is() -> None:
    async with serving(http("", status="204 No Content")) as heard:
        caller, url = client(heard.port), f"http://api.example.org:{heard.port}/"
        await caller.answer(["POST", url, {"name": "Zoë"}])
        await caller.answer(["POST", url, "a=b", {"headers": {"content-type": "application/x-www-form-urlencoded"}}])
        await caller.answer(["POST", url])
    json, form, empty = heard.requests
    assert json.endswith('content-type: application/json\r\ncontent-length: 15\r\n\r\n{"name":"Zoë"}')
    assert form.endswith("content-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\na=b")
    assert empty.endswith("content-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\nZo\xeb", "Zoë"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=punycode\r\n\r\nZo\xc3\xab", "Zoë"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ],
    ids=["in chunks", "without a length", "in Latin", "in a charset that is none", "with a word before"],
)
async def test_an_answer_is_read_however_it_is_written(answer: bytes, text: str) -> None:
    async with serving(answer) as heard:
        assert (await told(heard.port))["text"] == text


async def test_redirects_are_not_followed_and_told() -> None:
    async with serving(http("", "Location: http://127.0.0.1/admin", status="302 Found")) as heard:
        found = await told(heard.port)
    assert (found["status"], found["ok"], found["headers"]) == (302, False, {"location": "http://127.0.0.1/admin"})
    assert len(heard.requests) == 1


async def test_what_says_that_it_is_json_and_is_none_is_text() -> None:
    async with serving(http("<html>", JSON)) as heard:
        found = await told(heard.port)
    assert (found["text"], found["json"]) == ("<html>", None)


async def test_json_nested_without_an_end_is_text() -> None:
    async with serving(http("[" * 100_000, JSON)) as heard:
        assert (await told(heard.port))["json"] is None


async def test_of_a_large_answer_in_json_the_text_is_left_out() -> None:
    rows = ["x" * 1_000] * 200
    async with serving(http(orjson.dumps(rows).decode(), JSON)) as heard:
        found = await told(heard.port)
    assert (found["text"], found["json"]) == (None, rows)


# --- which servers ---


async def test_a_server_that_is_not_on_the_list_is_not_called() -> None:
    async with serving(http("secret")) as heard:
        answer = await client(heard.port).answer(["GET", f"http://127.0.0.1:{heard.port}/"])
    assert answer.error == (
        f"This installation does not let lambdas call http://127.0.0.1:{heard.port}. "
        "Its operator names such servers in LAMBDESK_LAMBDA_HTTP_HOSTS."
    )
    assert heard.requests == []


@pytest.mark.parametrize(
    ("listed", "called", "may"),
    [
        ("api.example.org", "https://api.example.org/", True),
        ("api.example.org", "https://API.example.org./", True),
        ("API.example.org", "https://api.example.org:443/", True),
        ("api.example.org", "http://api.example.org/", False),
        ("api.example.org", "https://api.example.org:8443/", False),
        ("api.example.org", "https://www.api.example.org/", False),
        ("api.example.org", "https://example.org/", False),
        ("api.example.org:8443", "https://api.example.org:8443/", True),
        ("api.example.org:8443", "https://api.example.org/", False),
        ("http://api.example.org", "http://api.example.org/", True),
        ("http://api.example.org", "https://api.example.org/", False),
        ("192.0.2.7", "https://192.0.2.7/", True),
        ("192.0.2.7", "https://0xC0000207/", False),
        ("192.0.2.7", "https://3221225991/", False),
        ("[2001:DB8::7]:8443", "https://[2001:db8:0::7]:8443/", True),
    ],
)
def test_an_entry_of_the_list_means_one_scheme_name_and_port(listed: str, called: str, *, may: bool) -> None:
    request, hosts = read_request(["GET", called]), Hosts(read_hosts([listed]))
    if may:
        assert hosts.find(request.scheme, request.name, request.port)
    else:
        with pytest.raises(HttpRefused):
            hosts.find(request.scheme, request.name, request.port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.example.org",
        "ftp://example.org",
        "a b",
        "https://",
        "example.org/path",
        "u:p@example.org",
        "x:0",
        "x:99999",
    ],
)
def test_a_list_that_means_something_else_is_no_list(text: str) -> None:
    with pytest.raises(ValueError, match="write hosts such as"):
        read_hosts([text])


# --- which addresses (C18) ---

NOT_PUBLIC = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.0.2.1",  # noqa: S104 - nothing is bound
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "2606:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_nobody_or_of_a_network_of_its_own_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_world_s_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("listed", "private", "addresses", "picked"),
    [
        ("api.example.org", False, ["93.184.215.14", "1.1.1.1"], "93.184.215.14"),
        ("api.example.org", False, ["93.184.215.14", "10.0.0.1"], None),
        ("api.example.org", True, ["10.0.0.1"], None),
        ("api.example.org:443", False, ["10.0.0.1"], None),
        ("api.example.org:443", True, ["10.0.0.1"], "10.0.0.1"),
        ("api.example.org:443", True, ["::ffff:10.0.0.1"], "::ffff:10.0.0.1"),
        ("api.example.org:443", True, ["169.254.169.254"], None),
        ("api.example.org:443", True, ["::ffff:169.254.169.254"], None),
        ("api.example.org:443", True, ["224.0.0.1"], None),
        ("api.example.org:443", True, ["0.0.0.0"], None),  # noqa: S104 - the same
        ("10.0.0.1", False, ["10.0.0.1"], None),
        ("10.0.0.1", True, ["10.0.0.1"], "10.0.0.1"),
        ("169.254.169.254", True, ["169.254.169.254"], "169.254.169.254"),
        ("api.example.org", False, [], None),
    ],
)
def test_a_name_leads_into_the_own_network_only_where_operator_and_entry_both_say_so(
    listed: str, private: bool, addresses: list[str], picked: str | None
) -> None:
    hosts = Hosts(read_hosts([listed]), private=private)
    if picked is None:
        with pytest.raises(HttpRefused):
            hosts.pick(hosts.entries[0], addresses)
    else:
        assert ip_address(hosts.pick(hosts.entries[0], addresses)) == ip_address(picked)


async def test_a_name_is_resolved_once_so_that_it_cannot_change_after_the_look() -> None:
    asked = []

    async def find(name: str, port: int) -> Sequence[str]:
        asked.append((name, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with serving(http("ok")) as heard:
        assert (await get(heard.port, find=find)).error is None
    assert asked == [("api.example.org", heard.port)]


# --- what is refused before anything is sent ---


@pytest.mark.parametrize(
    "args",
    [
        ["DELETE", "https://a.example/"],
        ["GET"],
        ["GET", 7],
        ["GET", ""],
        ["GET", "a.example"],
        ["GET", "//a.example/"],
        ["GET", "ftp://a.example/"],
        ["GET", "file:///etc/passwd"],
        ["GET", "https://a.example/ b"],
        ["GET", "https://a.example/\r\nX: y"],
        ["GET", "https://a.example\\@b.example/"],
        ["GET", "https://user:pw@a.example/"],
        ["GET", "https://@a.example/"],
        ["GET", "https://a.example:0/"],
        ["GET", "https://a.example:x/"],
        ["GET", "https://[::1/"],
        ["GET", "https://ä.example/"],
        ["GET", "https://a.example/" + "a" * 2_000],
        ["GET", "https://a.example/", "x"],
        ["GET", "https://a.example/", None, {"body": "x"}],
        ["GET", "https://a.example/", None, "x"],
        ["GET", "https://a.example/", None, {"headers": ["x"]}],
        ["GET", "https://a.example/", None, {"headers": {f"x-{n}": "y" for n in range(21)}}],
        *(
            ["GET", "https://a.example/", None, {"headers": {name: "x"}}]
            for name in (
                "Host",
                "Cookie",
                "Content-Length",
                "Transfer-Encoding",
                "Connection",
                "X-Forwarded-For",
                "X y",
                "",
            )
        ),
        *(
            ["GET", "https://a.example/", None, {"headers": {"accept": value}}]
            for value in ("a\r\nb: c", "\0", "ä", None, True)
        ),
        ["POST", "https://a.example/", "x" * (BODY_BYTES + 1)],
        ["POST", "https://a.example/", 10**30],
    ],
    ids=lambda args: str(args)[:60],
)
def test_what_cannot_be_sent_safely_is_refused_with_a_sentence(args: list[Any]) -> None:
    with pytest.raises(HttpRefused) as refused:
        read_request(args)
    assert str(refused.value).endswith(".")


# --- limits ---


@pytest.mark.parametrize(
    "answer",
    [
        http("x" * (ANSWER_LIMIT_BYTES + 1)),
        http("\0" * (ANSWER_LIMIT_BYTES // 3)),  # six letters each where texts are written as JSON
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (ANSWER_LIMIT_BYTES + 1),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000,
    ],
    ids=["said", "written", "unsaid", "never begun"],
)
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(answer: bytes) -> None:
    async with serving(answer) as heard:
        found = await get(heard.port)
    assert found == Answer(error="The answer of api.example.org has more than 262144 bytes.")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "something else", "half", "two lengths", "endless headers"],
)
async def test_an_answer_that_is_no_http_is_a_sentence(answer: bytes) -> None:
    async with serving(answer) as heard:
        found = await get(heard.port)
    assert found == Answer(error="api.example.org answered with something that is not HTTP.")


async def test_a_server_that_trickles_is_left_after_the_time_limit() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(trickle) as heard:
        found = await get(heard.port, seconds=0.2)
    assert found == Answer(error="api.example.org did not answer within 0.2 seconds.")


async def test_whoever_asks_may_wait_for_less() -> None:
    async def wait(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)

    async with serving(wait) as heard:
        found = await client(heard.port).answer(["GET", f"http://api.example.org:{heard.port}/"], 0.1)
    assert found.error == "api.example.org did not answer within 0.1 seconds."


async def test_eight_calls_run_at_once_and_the_others_wait() -> None:
    running, most = 0, 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        writer.write(http("ok"))

    async with serving(count) as heard:
        caller = client(heard.port)
        asked = [caller.answer(["GET", f"http://api.example.org:{heard.port}/{n}"]) for n in range(20)]
        answers = await asyncio.gather(*asked)
    assert [answer.error for answer in answers] == [None] * 20
    assert most == 8


async def test_addresses_are_called_as_they_are_and_names_are_asked_of_the_system() -> None:
    async with serving(http("ok")) as heard:
        for name in ("127.0.0.1", "localhost"):
            url = f"http://{name}:{heard.port}/"
            answer = await HttpClient(Hosts(read_hosts([url]), private=True)).answer(["GET", url])
            assert answer.error is None or (name, answer.error) == ("localhost", "localhost cannot be reached.")
    assert "host: 127.0.0.1:" in heard.requests[0]


async def test_a_server_that_is_away_or_unknown_is_a_sentence() -> None:
    async with serving(http("")) as heard:
        pass

    async def nobody(_name: str, _port: int) -> Sequence[str]:
        raise OSError("the name server's own words")

    assert (await get(heard.port)).error == "api.example.org cannot be reached."
    assert (await get(heard.port, find=nobody)).error == "api.example.org is not known."


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own for api.example.org, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.org")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(
    ("name", "error"),
    [("api.example.org", None), ("www.example.org", "www.example.org has no certificate that is trusted here.")],
)
async def test_a_server_shows_a_certificate_for_the_name_that_was_called(
    certificate: Path, name: str, error: str | None
) -> None:
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate)
    names = []
    secure.sni_callback = lambda _socket, sent, _context: names.append(sent)

    async def find(_name: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with serving(http("ok"), secure) as heard:
        hosts = Hosts(read_hosts([f"{name}:{heard.port}"]), private=True)
        caller = HttpClient(hosts, find=find, trust=lambda: ssl.create_default_context(cafile=certificate))
        answer = await caller.answer(["GET", f"https://{name}:{heard.port}/"])
    assert answer.error == error
    assert names == [name]


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate)

    async def find(_name: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with serving(http("ok"), secure) as heard:
        caller = HttpClient(Hosts(read_hosts([f"api.example.org:{heard.port}"]), private=True), find=find)
        answer = await caller.answer(["GET", f"https://api.example.org:{heard.port}/"])
    assert answer.error == "api.example.org has no certificate that is trusted here."
    assert heard.requests == []
