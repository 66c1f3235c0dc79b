"""GraphQL over HTTP: what is answered, with which status, and what is refused before anything runs."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.web.toy import SECRET, SIGNED_IN, TOKEN, Toy

GRAPHQL = "application/graphql-response+json"
MakeToy = Callable[..., Toy]


async def post(toy: Toy, body: bytes | str | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    given = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    return await toy.client.post("/graphql", content=body, headers=given)


def message(answer: httpx.Response) -> str:
    error = answer.json()["errors"][0]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    return str(error["message"])


# --- answers ---


async def test_a_query_answers_with_the_version_of_the_schema(toy: Toy) -> None:
    answer = await toy.ask("{queue{name}}")

    assert answer.json() == {"data": {"queue": {"name": "Raw"}}}
    assert answer.headers["x-lambdesk-schema"] == "v1"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (GRAPHQL, GRAPHQL),
        ("application/json", "application/json"),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"application/json;q=0.9, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, application/json", GRAPHQL),
        ("text/html, */*;q=0.1", "application/json"),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
    ],
)
async def test_the_media_type_is_what_the_client_likes_best(toy: Toy, accept: str, media: str) -> None:
    answer = await toy.ask("{queue{name}}", accept=accept)

    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


async def test_a_client_that_takes_neither_is_told(toy: Toy) -> None:
    assert (await toy.ask("{queue{name}}", accept="text/html")).status_code == 406
    assert (await toy.ask("{queue{name}}", accept="application/json;q=0")).status_code == 406


STATUSES = {
    "{": ("GRAPHQL_PARSE_FAILED", 400),
    "{nope}": ("GRAPHQL_VALIDATION_FAILED", 400),
    "{" + "queue{id} " * 21 + "}": ("COMPLEXITY_LIMIT", 400),
    "query($a:Int!){echo(number:$a)}": ("BAD_REQUEST", 400),
    "query A{queue{id}} query B{queue{id}}": ("BAD_REQUEST", 400),
}


@pytest.mark.parametrize("query", STATUSES)
async def test_an_operation_that_cannot_start_has_a_code_and_no_data(toy: Toy, query: str) -> None:
    code, status = STATUSES[query]

    modern, plain = await toy.ask(query, accept=GRAPHQL), await toy.ask(query)

    for answer in (modern, plain):
        assert "data" not in answer.json()
        assert answer.json()["errors"][0]["extensions"]["code"] == code
    assert modern.status_code == status
    assert plain.status_code == 200


async def test_get_answers_queries(toy: Toy) -> None:
    parameters = {"query": "query Q($t:String){echo(text:$t)}", "variables": '{"t":"hi"}', "operationName": "Q"}

    answer = await toy.client.get("/graphql", params=parameters)

    assert answer.json() == {"data": {"echo": "hi"}}


@pytest.mark.parametrize("query", ["mutation{echo}", "subscription{numbers}"])
async def test_get_runs_nothing_that_writes(toy: Toy, query: str) -> None:
    answer = await toy.client.get("/graphql", params={"query": query})

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert toy.happened.calls == 0


async def test_a_subscription_is_told_where_to_go(toy: Toy) -> None:
    assert (await toy.ask("subscription{numbers}")).status_code == 406


# --- errors are masked ---


async def test_b21_an_exception_is_masked_and_logged_with_its_stack(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "lambdesk.errors"):
        answer = await toy.ask("{fail}")

    error = answer.json()["errors"][0]
    assert error["message"] == "Internal error. The operator finds it under the request id."
    assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["x-request-id"]}
    assert error["path"] == ["fail"]
    fields = caplog.records[0].fields  # type: ignore[attr-defined] # put there with `extra`
    assert fields["request_id"] == answer.headers["x-request-id"]
    assert fields["exception"] == "RuntimeError"
    assert any("toy.py" in frame for frame in fields["stack"])
    assert SECRET not in answer.text + caplog.text + str(fields)


async def test_a_database_that_is_away_is_unavailable(toy: Toy) -> None:
    answer = await toy.ask("{away}")

    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert SECRET not in answer.text


async def test_null_where_none_may_be_is_an_internal_error(toy: Toy) -> None:
    answer = await toy.ask("{must}")

    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"


# --- C: what a request may be ---


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", "",
     "application/json; charset=latin-1", "application/jsonx"],
)  # fmt: skip
async def test_c4_only_json_is_taken(toy: Toy, kind: str) -> None:
    answer = await post(toy, b'{"query":"mutation{echo}"}', content_type=kind)

    assert answer.status_code == 415
    assert toy.happened.calls == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "__init__", "respond", "get"])
@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/graphiql", "/schema.graphql", "/static/pages/app.css"])
async def test_c11_other_methods_are_refused(toy: Toy, method: str, path: str) -> None:
    if method == "HEAD" and path != "/graphql":
        return  # where GET is allowed for a document, HEAD is too
    transport = httpx.ASGITransport(toy.app)
    request = httpx.Request(method, f"http://localhost:8000{path}")
    request.method = method

    answer = await transport.handle_async_request(request)

    assert answer.status_code == 405


async def test_c1_a_large_body_is_refused_by_its_length(make_toy: MakeToy) -> None:
    toy = make_toy(body_bytes=1_000)

    answer = await post(toy, b'{"query":"' + b" " * 2_000 + b'"}')

    assert answer.status_code == 413
    assert message(answer) == "The body is longer than 1000 bytes."
    assert answer.headers["connection"] == "close"


async def test_c1_a_large_body_without_a_length_is_refused_while_reading(make_toy: MakeToy) -> None:
    toy = make_toy(body_bytes=1_000)
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100
            yield b" " * 100

    transport = httpx.ASGITransport(toy.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
        answer = await client.post("/graphql", content=body(), headers=headers)

    assert answer.status_code == 413
    assert sent <= 1_200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "zstd"])
async def test_c1_a_compressed_body_is_not_opened(toy: Toy, encoding: str) -> None:
    answer = await post(toy, b"\x1f\x8b" + b"\x00" * 50, content_encoding=encoding)

    assert answer.status_code == 415


async def test_c8_a_slow_body_is_refused(make_toy: MakeToy) -> None:
    toy = make_toy(body_seconds=0.1)

    async def body() -> AsyncIterator[bytes]:
        yield b'{"query":'
        await asyncio.sleep(30)

    # httpx would wait for its own generator: the application is called as a server calls it.
    sent: list[Any] = []
    parts = body()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": await anext(parts), "more_body": True}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), SIGNED_IN, (b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    await toy.app(scope, receive, send)

    assert sent[0]["status"] == 408


BODIES: dict[bytes, str] = {
    b"": "The body is not JSON in UTF-8.",
    b'{"query"': "The body is not JSON in UTF-8.",
    b'{"query":"\xff"}': "The body is not JSON in UTF-8.",
    b'{"query":"{queue{id}}","variables":NaN}': "The body is not JSON in UTF-8.",
    b"[" * 50_000: "The body nests too deeply.",
    b'{"query":"{queue{id}}","variables":{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}}": "The body nests too deeply.",
    b'{"query":"{queue{id}}","variables":{"a":1e400}}': "The body holds a number that is too large.",
    b'{"query":"{queue{id}}","variables":{"a":' + b"9" * 5_000 + b"}}": "The body holds a number that is too large.",
    b'{"query":"{queue{id}}","variables":{"a":"\\ud800"}}': "The body holds half of a surrogate pair, which is no character.",
    b'[{"query":"{queue{id}}"}]': "The body must be one JSON object; batches are not supported.",
    b'"query"': "The body must be one JSON object; batches are not supported.",
    b"{}": "The parameter `query` is missing.",
    b'{"query":null}': "The parameter `query` is missing.",
    b'{"query":1}': "The parameter `query` must be a text.",
    b'{"query":"{queue{id}}","operationName":1}': "The parameter `operationName` must be a text.",
    b'{"query":"{queue{id}}","variables":[1]}': "The parameter `variables` must be an object.",
    b'{"query":"{queue{id}}","extensions":"a"}': "The parameter `extensions` must be an object.",
    b'{"query":"{queue{id}}","qeury":1}': "The parameter 'qeury' is unknown; there are query, operationName, variables, extensions.",
    b'{"query":"{queue{id}}","query":"{echo}"}': "The body names a key twice in one object.",
    b'{"query":"{queue{id}}","qu\\u0065ry":"{echo}"}': "The body names a key twice in one object.",
    b'{"query":"{queue{id}}","variables":{"a":1,"\\u0061":2}}': "The body names a key twice in one object.",
    b'{"query":"{queue{id}}","variables":{"a":[{"b":{},"b":null}]}}': "The body names a key twice in one object.",
    b'{"query":"{queue{id}}","variables":{"a":[' + b"1," * 100_000 + b"1]}}": (
        "`variables` holds a list of 100001 items; at most 500 are allowed."
    ),
    b'{"query":"{queue{id}}","variables":{"a":' + b"[" * 100 + b"]" * 100 + b"}}": (
        "`variables` nests deeper than 32 levels."
    ),
    b'{"query":"{queue{id}}","extensions":{"a":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}}": (
        "`extensions` nests deeper than 32 levels."
    ),
}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40].decode("latin-1"))
async def test_a_body_that_is_no_request_is_refused(toy: Toy, body: bytes) -> None:
    answer = await post(toy, body)

    assert answer.status_code == 400
    assert message(answer) == BODIES[body]


async def test_the_same_word_inside_variables_is_no_second_parameter(toy: Toy) -> None:
    body = b'{"query":"query Q($t:String){echo(text:$t)}","variables":{"t":"\\"query\\"", "query": 1}}'

    answer = await post(toy, body)

    assert answer.json() == {"data": {"echo": '"query"'}}


async def test_b11_variables_of_the_wrong_kind_are_named(toy: Toy) -> None:
    for variables in ({"n": "x"}, {"n": 1.5}, {"n": [1, 2]}, {"n": {"__proto__": 1}}, {"n": 2**31}, {"n": None}):
        code, text = await toy.refused("query($n:Int!){echo(number:$n)}", variables=variables)
        assert code == "BAD_REQUEST"
        assert "$n" in text


async def test_b11_unknown_variables_are_ignored(toy: Toy) -> None:
    assert await toy.data('{echo(text:"a")}', variables={"__proto__": {"a": 1}, "nobody": 1}) == {"echo": "a"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("query=%7Bqueue%7Bid%7D%7D&query=%7Becho%7D", 400),
        ("query=%7Bqueue%7Bid%7D%7D&variables=%7B", 400),
        ("query=%7Bqueue%7Bid%7D%7D&variables=[1]", 400),
        ("query=%FF", 400),
        ("query=" + "a" * 30_001, 414),
        ("&".join(f"a{number}=1" for number in range(30)), 400),
        ("query=%7Bqueue%7Bid%7D%7D&variables=&operationName=&extensions=null", 200),
    ],
)
async def test_an_address_is_read_as_strictly_as_a_body(toy: Toy, query: str, status: int) -> None:
    assert (await toy.client.get(f"/graphql?{query}")).status_code == status


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ("{", "The parameter `variables` is not JSON in UTF-8."),
        ('{"a":1,"a":2}', "The parameter `variables` names a key twice in one object."),
        ('{"a":1e400}', "The parameter `variables` holds a number that is too large."),
        ("[1]", "The parameter `variables` must be an object."),
    ],
)
async def test_what_is_wrong_in_an_address_is_named(toy: Toy, variables: str, told: str) -> None:
    answer = await toy.client.get("/graphql", params={"query": "{queue{id}}", "variables": variables})

    assert answer.status_code == 400
    assert message(answer) == told


# --- C: whose pages may come ---

COOKIE = {"cookie": "session=1"}
FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:9000"},
    "a page without an origin": {"origin": "null"},
    "another site with a cookie": {"origin": "https://evil.example", "sec-fetch-site": "cross-site", **COOKIE},
    "a link of another site with a cookie": {"sec-fetch-site": "cross-site", **COOKIE},
    "a link of a neighbour with a cookie": {"sec-fetch-site": "same-site", **COOKIE},
}
OWN: dict[str, dict[str, str]] = {
    "no browser": {},
    "no browser, with a cookie": COOKIE,
    "GraphiQL": {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin", **COOKIE},
    "GraphiQL behind TLS": {"origin": "https://localhost:8000", "sec-fetch-site": "same-origin"},
    "the address bar": {"sec-fetch-site": "none", **COOKIE},
    "a configured site": {"origin": "https://partner.example", "sec-fetch-site": "cross-site", **COOKIE},
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_c5_pages_of_other_sites_are_refused(toy: Toy, name: str, accept: str) -> None:
    headers = {"accept": accept, **FOREIGN[name]}
    sent = await toy.client.post("/graphql", json={"query": "mutation{echo}"}, headers=headers)
    got = await toy.client.get("/graphql", params={"query": "{echo}"}, headers=headers)

    for answer in (sent, got):
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert message(answer) == "Pages of other sites may not use this API."
    assert toy.happened.calls == 0


@pytest.mark.parametrize("name", OWN)
async def test_c5_own_pages_and_other_clients_are_answered(make_toy: MakeToy, name: str) -> None:
    toy = make_toy(allowed_origins=("https://partner.example",))

    sent = await toy.client.post("/graphql", json={"query": "{queue{id}}"}, headers=OWN[name])
    got = await toy.client.get("/graphql", params={"query": "{queue{id}}"}, headers=OWN[name])

    assert sent.json() == got.json() == {"data": {"queue": {"id": "q1"}}}


# --- C: how much at once ---


async def test_c14_a_client_that_goes_away_stops_its_operation(toy: Toy) -> None:
    asking = asyncio.create_task(_ask_and_leave(toy, "{slow}"))
    await asyncio.wait_for(toy.happened.cancelled.wait(), 30)

    await asking
    assert toy.happened.running == 0


async def _ask_and_leave(toy: Toy, query: str) -> None:
    """Call the application as a server does whose client hangs up once the operation runs."""
    messages = [{"type": "http.request", "body": b'{"query":"%s"}' % query.encode(), "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await toy.happened.started.wait()
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        pytest.fail(f"an answer for nobody: {event}")

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), SIGNED_IN, (b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    await toy.app(scope, receive, send)


async def test_c15_what_finds_no_place_in_time_is_told_to_come_again(make_toy: MakeToy) -> None:
    toy = make_toy(concurrency=10, queue_seconds=0.2, request_seconds=30)

    answers = [asyncio.create_task(toy.ask("{slow}", accept=GRAPHQL)) for _ in range(100)]
    await asyncio.sleep(0.5)
    toy.happened.release.set()
    statuses = [(await answer).status_code for answer in answers]

    assert statuses.count(200) == 10
    assert statuses.count(503) == 90
    assert toy.happened.most == 10
    refused = await answers[statuses.index(503)]
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_c15_a_full_line_refuses_at_once(make_toy: MakeToy) -> None:
    toy = make_toy(concurrency=1, queue_length=2, queue_seconds=30, request_seconds=30)
    asking = [asyncio.create_task(toy.ask("{slow}")) for _ in range(3)]
    await asyncio.sleep(0.1)

    assert (await toy.ask("{slow}")).status_code == 503
    toy.happened.release.set()
    assert [(await answer).status_code for answer in asking] == [200, 200, 200]


async def test_c15_places_are_given_back_whatever_happens(make_toy: MakeToy) -> None:
    toy = make_toy(concurrency=1, request_seconds=0.05)

    for query in ("{fail}", "{slow}", "{away}", "{must}"):
        await toy.ask(query)

    assert await toy.data('{echo(text:"a")}') == {"echo": "a"}


async def test_an_operation_has_a_deadline(make_toy: MakeToy) -> None:
    toy = make_toy(request_seconds=0.05)

    answer = await toy.ask("{slow}", accept=GRAPHQL)

    assert answer.status_code == 504
    assert message(answer) == "The operation took longer than 0.05 seconds and was stopped."
    assert toy.happened.cancelled.is_set()


async def test_a_request_sees_one_snapshot(make_toy: MakeToy) -> None:
    toy = make_toy(request_seconds=5)
    asking = asyncio.create_task(toy.ask("{slow modules{name}}"))
    await toy.happened.started.wait()
    await toy.registry.publish("v2")
    toy.happened.release.set()

    assert (await asking).headers["x-lambdesk-schema"] == "v1"
    assert (await toy.ask("{queue{id}}")).headers["x-lambdesk-schema"] == "v2"


# --- persisted documents ---


def persisted(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}


async def test_a_document_is_learnt_and_found_by_its_hash(toy: Toy) -> None:
    text = '{echo(text:"a")}'
    unknown = await toy.client.post("/graphql", json={"extensions": persisted(text)})
    learnt = await toy.ask(text, extensions=persisted(text))
    found = await toy.client.post("/graphql", json={"extensions": persisted(text)})

    assert message(unknown) == "PersistedQueryNotFound"
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert learnt.json() == found.json() == {"data": {"echo": "a"}}


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        (persisted("{other}")["persistedQuery"], "The hash does not belong to the document."),
        ({"version": 2, "sha256Hash": "0" * 64}, "needs `version: 1`"),
        ({"version": 1}, "needs `version: 1`"),
        ({"version": 1, "sha256Hash": "A" * 64}, "64 hexadecimal digits"),
        ({"version": 1, "sha256Hash": 5}, "needs `version: 1`"),
        ("x", "needs `version: 1`"),
    ],
)
async def test_b22_a_wrong_hash_is_refused(toy: Toy, extension: Any, words: str) -> None:
    answer = await toy.ask("{echo}", extensions={"persistedQuery": extension})

    assert answer.status_code == 400
    assert words in message(answer)
    assert toy.happened.calls == 0


async def test_in_production_only_allowed_documents_may_run(make_toy: MakeToy, tmp_path: Any) -> None:
    (tmp_path / "echo.graphql").write_text('{ echo(text: "allowed") }\n', encoding="utf-8")
    toy = make_toy(persisted="only", persisted_dir=tmp_path)
    text = '{ echo(text: "allowed") }'

    by_text = await toy.ask(text)
    by_hash = await toy.client.post("/graphql", json={"extensions": persisted(text)})
    other = await toy.ask("{ echo }")

    assert by_text.json() == by_hash.json() == {"data": {"echo": "allowed"}}
    assert other.status_code == 403
    assert other.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_learnt_has_a_limit(toy: Toy) -> None:
    toy.live.persisted._memory_text = 1_000
    texts = [f'{{echo(text:"{number}")}} #{"x" * 200}' for number in range(10)]
    for text in texts:
        await toy.ask(text, extensions=persisted(text))

    first = await toy.client.post("/graphql", json={"extensions": persisted(texts[0])})
    last = await toy.client.post("/graphql", json={"extensions": persisted(texts[-1])})

    assert message(first) == "PersistedQueryNotFound"
    assert last.json() == {"data": {"echo": "9"}}
