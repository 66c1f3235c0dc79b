"""Hooks and actions in the running program: over HTTP, in imports, once a key, and for people who are no administrators."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DIALECTS, PATIENCE_S, fresh_url
from tests.web.real import Desk, open_desk

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: Room, plural: Rooms}
fields:
  - {name: name, type: string, required: true, unique: true, label: Name}
  - {name: seats, type: int, default: {lambda: "return item.name.length;"}}
  - {name: note, type: string}
hooks:
  - on: before_create
    lambda: |
      if (item.name.startsWith("x")) reject("name", "No x.");
      set("note", `${me.login} ${item.seats}`);
actions:
  - name: grow
    label: Make it larger
    args: {by: {type: int, required: true}}
    lambda: |
      update("room", item.id, {seats: item.seats + args.by});
      return {was: item.seats};
access: {agent: {view: true, create: true, update: true}}
"""
CREATE = """mutation ($name: String!) {
  createRoom(input: {room: {name: $name}}) { room { id seats note } errors { code path message } }
}"""
GROW = """mutation ($id: ID!, $by: Int!) {
  roomGrow(input: {key: {id: $id}, by: $by}) { room { seats } result operations { verb } errors { code message } }
}"""
IMPORT = """mutation ($csv: String!) {
  importRows(input: {module: "room", csv: $csv, dryRun: false, policy: SKIP_FAILED}) { job { id } errors { code message } }
}"""
JOB = "query ($id: ID!) { importJob(id: $id) { state created failed rowErrors { row field message } } }"


@pytest.fixture(params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
async def desk(url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as found:
        yield found


async def finished(desk: Desk, job: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = (await desk.data(JOB, id=job))["importJob"]
            if found["state"] not in ("WAITING", "RUNNING"):
                return found
            await asyncio.sleep(0.05)


async def test_lambdas_have_their_say_about_what_comes_over_http_and_in_files(desk: Desk) -> None:
    created = (await desk.data(CREATE, name="blue"))["createRoom"]
    room = created["room"]
    assert created == {"room": {"id": room["id"], "seats": 4, "note": "root@localhost 4"}, "errors": []}
    assert (await desk.data(CREATE, name="xenon"))["createRoom"] == {
        "room": None,
        "errors": [{"code": "LAMBDA_REJECTED", "path": ["room", "name"], "message": "No x."}],
    }
    started = (await desk.data(IMPORT, csv="name,seats\ngreen,\nxylo,7\nred,9\n"))["importRows"]
    assert started["errors"] == []
    job = await finished(desk, started["job"]["id"])
    assert (job["created"], job["failed"]) == (2, 1)
    assert [(item["field"], item["message"]) for item in job["rowErrors"]] == [("name", "No x.")]
    rows = await desk.data("{ rooms(orderBy: [{name: ASC}]) { nodes { name seats note } } }")
    assert rows["rooms"]["nodes"] == [
        {"name": "blue", "seats": 4, "note": "root@localhost 4"},
        {"name": "green", "seats": 5, "note": "root@localhost 5"},
        {"name": "red", "seats": 9, "note": "root@localhost 9"},
    ]


async def test_an_action_over_http_is_done_once_an_idempotency_key(desk: Desk) -> None:
    room = (await desk.data(CREATE, name="blue"))["createRoom"]["room"]
    body = {"query": GROW, "variables": {"id": room["id"], "by": 3}}
    answers = [
        (await desk.client.post("/graphql", json=body, headers={"Idempotency-Key": "grow-once"})).json()
        for _ in range(2)
    ]
    expected = {"room": {"seats": 7}, "result": {"was": 4}, "operations": [{"verb": "update"}], "errors": []}
    assert [answer["data"]["roomGrow"] for answer in answers] == [expected, expected]
    assert (await desk.data(GROW, id=room["id"], by=1))["roomGrow"]["room"] == {"seats": 8}


async def test_introspection_tells_of_actions(desk: Desk) -> None:
    query = '{ __type(name: "Mutation") { fields { name description } } }'
    fields = (await desk.data(query))["__type"]["fields"]
    assert {"name": "roomGrow", "description": "Make it larger."} in fields
