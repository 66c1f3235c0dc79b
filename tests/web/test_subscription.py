"""Subscriptions: graphql-transport-ws in all its rules, and the same operations as an event stream."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from schema.snapshot import SchemaChangeItem
from tests.web.lines import Stream, opened
from tests.web.toy import SECRET, Toy

pytestmark = pytest.mark.timed

MakeToy = Callable[..., Toy]


async def test_a_subscription_ends_with_complete(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("1", "subscription { numbers }")
        got = [await socket.next() for _ in range(4)]

    assert got == [
        {"id": "1", "type": "next", "payload": {"data": {"numbers": 1}}},
        {"id": "1", "type": "next", "payload": {"data": {"numbers": 2}}},
        {"id": "1", "type": "next", "payload": {"data": {"numbers": 3}}},
        {"id": "1", "type": "complete"},
    ]


async def test_queries_and_mutations_work_over_the_socket(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("q", "query($t:String){echo(text:$t)}", variables={"t": "a"}, operationName=None)
        assert (await socket.next())["payload"] == {"data": {"echo": "a"}}
        assert await socket.next() == {"id": "q", "type": "complete"}
        await socket.subscribe("q", 'mutation{echo(text:"b")}')
        assert (await socket.next())["payload"] == {"data": {"echo": "b"}}


async def test_errors_before_the_first_result_end_the_operation(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        for query, code in (("{", "GRAPHQL_PARSE_FAILED"), ("{nope}", "GRAPHQL_VALIDATION_FAILED")):
            await socket.subscribe("1", query)
            answer = await socket.next()
            assert answer["type"] == "error"
            assert answer["payload"][0]["extensions"]["code"] == code
        await socket.subscribe("1", 5)  # type: ignore[arg-type] # what a client may send
        assert (await socket.next())["payload"][0]["message"] == "The parameter `query` must be a text."


async def test_a_failing_subscription_is_masked(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("1", "subscription { fails }")
        answer = await socket.next()

    assert answer["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert SECRET not in json.dumps(answer)


async def test_complete_stops_a_subscription(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("1", "subscription { waits }")
        await asyncio.wait_for(toy.happened.started.wait(), 30)
        await socket.send({"id": "1", "type": "complete"})
        await asyncio.wait_for(toy.happened.cancelled.wait(), 30)
        await socket.subscribe("1", "{queue{id}}")  # the id is free again
        assert (await socket.next())["type"] == "next"


async def test_hanging_up_stops_everything(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("1", "subscription { waits }")
        await socket.subscribe("2", "{slow}")
        await asyncio.wait_for(toy.happened.started.wait(), 30)
        await asyncio.sleep(0.05)

    assert toy.happened.cancelled.is_set()
    assert toy.happened.running == 0
    assert toy.live.sockets == 0


async def test_b20_more_than_twenty_operations_on_a_socket_are_refused(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        for number in range(1_000):
            await socket.subscribe(str(number), "subscription { waits }")
        refused = [await socket.next() for _ in range(980)]

    assert refused[0]["id"] == "20"
    assert {answer["type"] for answer in refused} == {"error"}
    assert {answer["payload"][0]["extensions"]["code"] for answer in refused} == {"RATE_LIMITED"}


async def test_what_fails_inside_before_it_runs_is_told_and_logged_once(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RecursionError(SECRET)

    async with opened(toy) as socket:
        await socket.init()
        monkeypatch.setattr(toy.live.documents, "prepare", fail)
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": "{queue{id}}"}})
        answer = await socket.next()

    assert (answer["id"], answer["type"]) == ("1", "error")
    (error,) = answer["payload"]
    assert error["extensions"]["code"] == "INTERNAL"
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    fields = record.fields  # type: ignore[attr-defined] # put there with `extra`
    assert fields["request_id"] == error["extensions"]["requestId"]
    assert fields["exception"] == "RecursionError"
    assert SECRET not in json.dumps(answer) + caplog.text + str(fields)


CLOSES: dict[str, tuple[Any, int]] = {
    "B20 subscribe before init": ({"id": "1", "type": "subscribe", "payload": {"query": "{queue{id}}"}}, 4401),
    "no JSON": ("{", 4400),
    "a key twice": ('{"type":"connection_init","typ\\u0065":"ping"}', 4400),
    "a key twice inside": ('{"type":"connection_init","payload":{"a":1,"a":2}}', 4400),
    "no object": ([1], 4400),
    "unknown type": ({"type": "start"}, 4400),
    "no type": ({}, 4400),
    "a type that is a list": ({"type": []}, 4400),
    "a payload that is no object": ({"type": "connection_init", "payload": 1}, 4400),
    "too long": ("x" * 100_001, 4400),
}


@pytest.mark.parametrize("name", CLOSES)
async def test_b20_a_client_that_breaks_the_protocol_is_closed(toy: Toy, name: str) -> None:
    message, code = CLOSES[name]
    async with opened(toy) as socket:
        await socket.event()
        await socket.send(message)

        assert (await socket.closed())[0] == code


AFTER_INIT: dict[str, tuple[list[Any], int]] = {
    "two inits": ([{"type": "connection_init"}], 4429),
    "one id twice": (
        [{"id": "1", "type": "subscribe", "payload": {"query": "subscription{waits}"}}] * 2,
        4409,
    ),
    "no id": ([{"type": "subscribe", "payload": {"query": "{queue{id}}"}}], 4400),
    "an empty id": ([{"id": "", "type": "subscribe", "payload": {"query": "{queue{id}}"}}], 4400),
    "a long id": ([{"id": "i" * 256, "type": "subscribe", "payload": {"query": "{queue{id}}"}}], 4400),
    "no payload": ([{"id": "1", "type": "subscribe"}], 4400),
}


@pytest.mark.parametrize("name", AFTER_INIT)
async def test_the_close_code_says_which_rule_was_broken(toy: Toy, name: str) -> None:
    messages, code = AFTER_INIT[name]
    async with opened(toy) as socket:
        await socket.init()
        for message in messages:
            await socket.send(message)

        assert (await socket.closed())[0] == code


async def test_binary_messages_are_refused(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.event()
        await socket.to_server.put({"type": "websocket.receive", "bytes": b"{}"})

        assert (await socket.closed())[0] == 4400


async def test_a_client_that_never_starts_is_closed(make_toy: MakeToy) -> None:
    toy = make_toy(socket_init_seconds=0.05)
    async with opened(toy) as socket:
        await socket.event()

        assert await socket.closed() == (4408, "Connection initialisation timeout")


async def test_ping_is_answered_and_pong_is_not(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping", "payload": {"a": 1}})

        assert await socket.next() == {"type": "pong"}


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("graphql", "json")])
async def test_b20_only_the_current_protocol_is_spoken(toy: Toy, protocols: tuple[str, ...]) -> None:
    async with opened(toy, protocols) as socket:
        assert (await socket.event())["type"] == "websocket.close"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:9999",
        "http://localhost:8000.evil.example",
        "file://localhost:8000",
        "",
    ],
)
async def test_c17_a_foreign_origin_is_refused_before_the_upgrade(toy: Toy, origin: str) -> None:
    async with opened(toy, origin=origin) as socket:
        assert (await socket.event())["type"] == "websocket.close"


@pytest.mark.parametrize(
    "origin", ["http://localhost:8000", "https://localhost:8000", "https://desk.example.org", "https://partner.example"]
)
async def test_c17_own_and_configured_origins_may_come(make_toy: MakeToy, origin: str) -> None:
    toy = make_toy(public_url="https://desk.example.org", allowed_origins=("https://partner.example",))
    async with opened(toy, origin=origin) as socket:
        assert (await socket.event())["type"] == "websocket.accept"


async def test_c6_a_foreign_host_name_is_refused_before_the_upgrade(toy: Toy) -> None:
    async with opened(toy, host="evil.example") as socket:
        assert (await socket.event())["type"] == "websocket.close"


async def test_there_are_only_so_many_sockets(make_toy: MakeToy) -> None:
    toy = make_toy(sockets=1)
    async with opened(toy) as first:
        await first.init()
        async with opened(toy) as second:
            assert (await second.event())["type"] == "websocket.close"


async def test_schema_changed_tells_about_every_new_version(toy: Toy) -> None:
    async with opened(toy) as socket:
        await socket.init()
        await socket.subscribe("1", "subscription { schemaChanged { version changes { kind module description } } }")
        await asyncio.sleep(0.05)
        await toy.registry.publish("v2", SchemaChangeItem("ADDED", "asset", "Type `Asset` was added."))
        first = await socket.next()
        await toy.registry.publish("v3")
        second = await socket.next()

    assert first["payload"] == {
        "data": {
            "schemaChanged": {
                "version": "v2",
                "changes": [{"kind": "ADDED", "module": "asset", "description": "Type `Asset` was added."}],
            }
        }
    }
    assert second["payload"]["data"]["schemaChanged"] == {"version": "v3", "changes": []}


# --- the same as an event stream ---


async def test_results_come_as_events(toy: Toy) -> None:
    answer = await toy.ask("subscription { numbers }", accept="text/event-stream")

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-lambdesk-schema"] == "v1"
    assert answer.text == (
        'event: next\ndata: {"data":{"numbers":1}}\n\n'
        'event: next\ndata: {"data":{"numbers":2}}\n\n'
        'event: next\ndata: {"data":{"numbers":3}}\n\n'
        "event: complete\ndata:\n\n"
    )


async def test_a_query_as_a_stream_has_one_event(toy: Toy) -> None:
    answer = await toy.ask('{echo(text:"a")}', accept="text/event-stream")

    assert answer.text == 'event: next\ndata: {"data":{"echo":"a"}}\n\nevent: complete\ndata:\n\n'


UNKNOWN = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
NOT_STARTED: dict[str, tuple[dict[str, Any], str]] = {
    "a field that is not there": ({"query": "{nope}"}, "GRAPHQL_VALIDATION_FAILED"),
    "a subscription that is not there": ({"query": "subscription {nope}"}, "GRAPHQL_VALIDATION_FAILED"),
    "no GraphQL": ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
    "a variable that does not fit": ({"query": "query($n:Int!){echo(number:$n)}"}, "BAD_REQUEST"),
    "an unknown hash": ({"extensions": UNKNOWN}, "PERSISTED_QUERY_NOT_FOUND"),
}


@pytest.mark.parametrize("name", NOT_STARTED)
async def test_what_cannot_start_is_told_in_a_stream_as_the_protocol_asks(toy: Toy, name: str) -> None:
    """GraphQL over SSE: errors before execution are `next` events, for EventSource shows nothing of another answer."""
    body, code = NOT_STARTED[name]

    answer = await toy.client.post("/graphql", json=body, headers={"accept": "text/event-stream"})

    first, second, rest = answer.text.split("\n\n")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert first.startswith("event: next\ndata: ")
    (error,) = json.loads(first.removeprefix("event: next\ndata: "))["errors"]
    assert error["extensions"] == {"code": code, "requestId": answer.headers["x-request-id"]}
    assert (second, rest) == ("event: complete\ndata:", "")


async def test_what_is_no_request_is_refused_by_its_status_for_streams_too(toy: Toy) -> None:
    answer = await toy.client.post("/graphql", json={"query": 1}, headers={"accept": "text/event-stream"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_leaving_a_stream_stops_it(toy: Toy) -> None:
    stream = Stream(toy, "subscription { waits }")
    assert (await stream.event())["status"] == 200
    await asyncio.wait_for(toy.happened.started.wait(), 30)

    stream.gone.set()
    await asyncio.wait_for(stream.task, 30)

    assert toy.happened.cancelled.is_set()
    assert toy.live.sockets == 0


async def test_a_server_that_stops_ends_its_streams(toy: Toy) -> None:
    stream = Stream(toy, "subscription { waits }")
    await asyncio.wait_for(toy.happened.started.wait(), 30)

    toy.live.stopping.set()
    await asyncio.wait_for(stream.task, 30)

    await stream.event()
    assert await stream.event() == {
        "type": "http.response.body", "body": b"event: complete\ndata:\n\n", "more_body": False,
    }  # fmt: skip
