"""Administrators see what hooks after writes and schedules did, have it tried again, and keep secrets for them."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from identity.principals import Agent
from lambdas.errors import FailureCode
from storage.engine import Database
from storage.own_tables import OUTBOX
from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk, sign_in
from tests.writes.played import Failed, Played, Stage

pytestmark = pytest.mark.timed

ROOM = """\
module: {name: room, plural_name: rooms, table: room, operations: [view, create, update]}
fields: [{name: name, type: string, required: true}]
hooks: [{on: after_create, lambda: "update('room', item.id, {name: 'seen'})"}]
schedules: [{name: nightly, cron: "0 3 * * *", as: root@localhost, lambda: "create('shelf', {name: 'night'})"}]
access: {agent: {view: true, create: true, update: true}}
"""
SHELF = """\
module: {name: shelf, plural_name: shelves, table: shelf, operations: [view, create]}
fields: [{name: name, type: string, required: true}]
"""
FILES = {"room": ROOM, "shelf": SHELF}
MAKE = 'mutation { createRoom(input: {room: {name: "Blue"}}) { room { id databaseId } errors { code } } }'
LIST = """query ($states: [DeliveryState!], $module: String, $row: ID, $first: Int! = 20, $before: ID) {
  lambdaDeliveries(states: $states, module: $module, row: $row, first: $first, before: $before) {
    id delivery module row hook state attempts code message log caller { kind login } depth createdAt dueAt endedAt tookMs
  }
}"""
SCHEDULES = """{ lambdaSchedules {
  module name cron timeZone runsAs nextAt lastAt lastRun { hook state code caller { login } }
} }"""
RETRY = """mutation ($id: ID!) { retryDelivery(input: {id: $id, clientMutationId: "r"}) {
  delivery { id state } errors { code messageKey path } clientMutationId
} }"""
RUN = """mutation ($module: String!, $name: String!) { runSchedule(input: {module: $module, name: $name}) {
  schedule { name lastAt lastRun { state } } errors { code messageKey path }
} }"""
SET = """mutation ($name: String!, $value: String!, $modules: [String!]) {
  setSecret(input: {name: $name, value: $value, modules: $modules}) {
    secret { name modules changedBy } created errors { code messageKey path message }
  }
}"""
REMOVE = 'mutation { removeSecret(input: {name: "api_key"}) { removedName errors { code messageKey path } } }'
SECRETS = "{ lambdaSecrets { name modules changedAt changedBy } }"
VALUE = "s3cr3t-k3y"
PATIENCE_S = 20.0


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """Play the sandbox."""
    found = Played()
    monkeypatch.setattr("web.lambdas.Lambdas.run", lambda _, job, answer=None: found.run(job, answer))
    monkeypatch.setattr("web.lambdas.Lambdas.compile", lambda _, module, scripts: found.compile(module, scripts))
    monkeypatch.setattr("web.lambdas.Lambdas.start", lambda _: None)
    return found


@asynccontextmanager
async def running(url: str, folder: Path) -> AsyncIterator[Desk]:
    async with open_desk(url, folder, FILES, lambda_workers=1) as desk:
        async with database_of(desk).transaction() as transaction:
            for table in ("lambdesk_outbox", "lambdesk_secret", "room", "shelf"):
                await transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        yield desk


@pytest.fixture
async def desk(url: str, tmp_path: Path, played: Played) -> AsyncIterator[Desk]:
    async with running(url, tmp_path) as found:
        yield found


def database_of(desk: Desk) -> Database:
    assert isinstance(desk.live.database, Database)
    return desk.live.database


async def deliveries(desk: Desk, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.data(LIST, **asked))["lambdaDeliveries"]
    return found


async def settled(desk: Desk, **asked: Any) -> list[dict[str, Any]]:
    """Wait until nothing is to be done, and list what was."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await deliveries(desk, **asked)
            if found and all(item["state"] not in {"WAITING", "RUNNING"} for item in found):
                return found
            await asyncio.sleep(0.02)


async def planned(desk: Desk) -> dict[str, Any]:
    """Wait until the server knows when its schedule runs, and return that."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (found,) = (await desk.data(SCHEDULES))["lambdaSchedules"]
            if found["nextAt"]:
                return dict(found)
            await asyncio.sleep(0.05)


async def names(desk: Desk, table: str) -> list[str]:
    rows = await database_of(desk).fetch(f"SELECT name FROM {table}")  # noqa: S608 - our own names
    return sorted(str(row[0]) for row in rows)


async def test_a_hook_runs_soon_after_its_write_and_is_seen_with_what_it_did(desk: Desk, played: Played) -> None:
    def see(stage: Stage) -> None:
        stage.log("looked at it")
        stage.do("update", "room", stage.item["id"], {"name": "seen"})

    played.acts["room.after_create"] = see
    made = (await desk.data(MAKE))["createRoom"]["room"]
    (found,) = await settled(desk)
    assert {
        name: found[name] for name in ("module", "row", "hook", "state", "attempts", "code", "message", "depth")
    } == {
        "module": "room",
        "row": made["id"],
        "hook": "after_create 1",
        "state": "DONE",
        "attempts": 1,
        "code": None,
        "message": None,
        "depth": 0,
    }
    assert found["log"] == ["looked at it"]
    assert found["caller"] == {"kind": "agent", "login": "root@localhost"}
    assert found["endedAt"] >= found["createdAt"]
    assert found["dueAt"] is None
    assert found["tookMs"] >= 0
    assert await names(desk, "room") == ["seen"]


async def test_what_has_failed_is_tried_again_when_an_administrator_says_so(desk: Desk, played: Played) -> None:
    def fail(_: Stage) -> None:
        raise Failed(FailureCode.FAILED, "Error: no", 3)

    played.acts["room.after_create"] = fail
    await desk.data(MAKE)
    (failed,) = await settled(desk)
    assert (failed["state"], failed["code"], failed["message"]) == ("FAILED", "LAMBDA_FAILED", "Error: no (line 3)")
    played.acts["room.after_create"] = lambda _: None
    answer = (await desk.data(RETRY, id=failed["id"]))["retryDelivery"]
    assert (answer["errors"], answer["clientMutationId"], answer["delivery"]["id"]) == ([], "r", failed["id"])
    (done,) = await settled(desk)
    assert (done["state"], done["delivery"], done["code"]) == ("DONE", failed["delivery"], None)
    refused = (await desk.data(RETRY, id=failed["id"]))["retryDelivery"]
    assert refused["errors"] == [{"code": "CONFLICT", "messageKey": "delivery-not-failed", "path": ["id"]}]
    for unknown in ("0", "x", "9" * 30):
        refused = (await desk.data(RETRY, id=unknown))["retryDelivery"]
        assert refused["errors"] == [{"code": "NOT_FOUND", "messageKey": "not-found", "path": ["id"]}]


async def tried(desk: Desk) -> str:
    """Make a room, wait until its hook was run, however that ended, and return its id."""
    made = str((await desk.data(MAKE))["createRoom"]["room"]["id"])
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (found,) = await deliveries(desk, row=made)
            if found["attempts"] and found["state"] != "RUNNING":
                return made
            await asyncio.sleep(0.02)


async def test_deliveries_are_listed_by_state_module_and_row_and_page_by_page(
    desk: Desk, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.deliveries.FIRST_PAUSE_S", 600.0)
    turns = iter([FailureCode.FAILED, FailureCode.BUSY, None])

    def act(_: Stage) -> None:
        if (code := next(turns, None)) is not None:
            raise Failed(code)

    played.acts["room.after_create"] = act
    rows = [await tried(desk) for _ in range(4)]
    every = await deliveries(desk)
    assert [item["row"] for item in every] == rows[::-1]
    assert [item["state"] for item in every] == ["DONE", "DONE", "WAITING", "FAILED"]
    assert every[2]["dueAt"] > every[2]["createdAt"]
    assert [item["row"] for item in await deliveries(desk, states=["FAILED", "WAITING"])] == [rows[1], rows[0]]
    assert await deliveries(desk, states=["RUNNING", "DEAD"]) == []
    assert await deliveries(desk, states=[]) == []
    assert await deliveries(desk, module="shelf") == []
    assert [item["row"] for item in await deliveries(desk, row=rows[0])] == [rows[0]]
    assert await deliveries(desk, row="nonsense") == []
    page = await deliveries(desk, first=2)
    assert page + await deliveries(desk, first=2, before=page[-1]["id"]) == every
    assert (await desk.ask(LIST, first=201))["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_schedules_are_listed_with_their_next_and_last_runs_and_run_now(desk: Desk, played: Played) -> None:
    played.acts["room.schedule.nightly"] = lambda stage: stage.do("create", "shelf", {"name": "night"})
    plan = await planned(desk)
    assert {name: plan[name] for name in ("module", "name", "cron", "timeZone", "runsAs", "lastRun")} == {
        "module": "room",
        "name": "nightly",
        "cron": "0 3 * * *",
        "timeZone": "UTC",
        "runsAs": "root@localhost",
        "lastRun": None,
    }
    assert plan["nextAt"].endswith("T03:00:00Z")
    answer = (await desk.data(RUN, module="room", name="nightly"))["runSchedule"]
    assert (answer["errors"], answer["schedule"]["name"]) == ([], "nightly")
    (run,) = await settled(desk)
    assert (run["hook"], run["state"], run["row"]) == ("schedule nightly", "DONE", None)
    ((after),) = (await desk.data(SCHEDULES))["lambdaSchedules"]
    assert after["lastAt"] is not None
    assert after["lastRun"] == {
        "hook": "schedule nightly",
        "state": "DONE",
        "code": None,
        "caller": {"login": "root@localhost"},
    }
    assert await names(desk, "shelf") == ["night"]
    refused = (await desk.data(RUN, module="room", name="weekly"))["runSchedule"]
    assert refused["errors"] == [{"code": "NOT_FOUND", "messageKey": "not-found", "path": ["name"]}]


async def test_a_schedule_is_run_as_soon_as_its_file_is_there(desk: Desk, played: Played) -> None:
    """Also before the server has looked when it runs by itself."""
    async with database_of(desk).transaction() as transaction:
        await transaction.execute("DELETE FROM lambdesk_schedule")
    assert (await desk.data(RUN, module="room", name="nightly"))["runSchedule"]["errors"] == []
    (run,) = await settled(desk)
    assert (run["hook"], run["state"]) == ("schedule nightly", "DONE")


async def test_a_run_that_is_not_over_is_not_begun_again(desk: Desk, played: Played) -> None:
    def busy(_: Stage) -> None:
        raise Failed(FailureCode.BUSY)

    played.acts["room.schedule.nightly"] = busy
    await planned(desk)
    assert (await desk.data(RUN, module="room", name="nightly"))["runSchedule"]["errors"] == []
    refused = (await desk.data(RUN, module="room", name="nightly"))["runSchedule"]
    assert refused["errors"] == [{"code": "CONFLICT", "messageKey": "schedule-running", "path": ["name"]}]


async def test_secrets_are_set_and_removed_and_never_shown(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [await desk.data(SET, name="api_key", value=VALUE, modules=["room"])]
    assert answers[0]["setSecret"] == {
        "secret": {"name": "api_key", "modules": ["room"], "changedBy": "root@localhost"},
        "created": True,
        "errors": [],
    }
    answers.append(await desk.data(SET, name="api_key", value=VALUE))
    assert answers[1]["setSecret"]["created"] is False
    answers.append(await desk.data(SECRETS))
    assert [(item["name"], item["modules"]) for item in answers[2]["lambdaSecrets"]] == [("api_key", None)]
    assert (await desk.data(REMOVE))["removeSecret"] == {"removedName": "api_key", "errors": []}
    assert (await desk.data(REMOVE))["removeSecret"]["errors"] == [
        {"code": "NOT_FOUND", "messageKey": "not-found", "path": ["name"]}
    ]
    kept = await database_of(desk).fetch("SELECT * FROM lambdesk_change WHERE module = 'lambdesk_secret'")
    assert len(kept) == 3
    assert VALUE not in json.dumps(answers) + str(kept) + caplog.text


async def test_a_secret_that_cannot_be_kept_is_told_at_its_field(desk: Desk) -> None:
    refusals: list[tuple[dict[str, Any], str, str, str]] = [
        ({"name": "Api", "value": VALUE}, "INVALID", "secret-name", "name"),
        ({"name": "api_key", "value": "short"}, "INVALID", "secret-size", "value"),
        (
            {"name": "api_key", "value": VALUE, "modules": ["room", "nothing"]},
            "NOT_FOUND",
            "module-not-found",
            "modules",
        ),
    ]
    for given, code, key, path in refusals:
        (error,) = (await desk.data(SET, **given))["setSecret"]["errors"]
        assert (error["code"], error["messageKey"], error["path"]) == (code, key, [path])
        assert VALUE not in error["message"]
    assert (await desk.data(SECRETS))["lambdaSecrets"] == []


async def test_a_hook_is_given_secrets_of_its_module_and_its_log_hides_them(desk: Desk, played: Played) -> None:
    def ask(stage: Stage) -> None:
        stage.log(f"key {stage.asked('secret', ('api_key',))}")
        stage.asked("secret", ("other",))

    await desk.data(SET, name="api_key", value=VALUE, modules=["room"])
    await desk.data(SET, name="other", value=VALUE, modules=["shelf"])
    played.acts["room.after_create"] = ask
    await desk.data(MAKE)
    (found,) = await settled(desk)
    assert found["log"] == ["key [secret]"]
    assert found["message"] == "There is no secret of this name for lambdas of this module. (line 7)"
    stored = await database_of(desk).fetch(sa.select(*OUTBOX.c))
    assert VALUE not in str(stored)


async def test_a_server_without_workers_leaves_what_is_to_be_run_to_others(url: str, tmp_path: Path) -> None:
    async with open_desk(url, tmp_path, FILES, lambda_workers=0) as desk:
        async with database_of(desk).transaction() as transaction:
            await transaction.execute("DELETE FROM lambdesk_outbox")
        await desk.data(MAKE)
        await asyncio.sleep(0.3)
        (found,) = await deliveries(desk)
        assert (found["state"], found["attempts"]) == ("WAITING", 0)


async def test_nobody_but_administrators_sees_or_does_any_of_it(desk: Desk) -> None:
    async with database_of(desk).transaction() as transaction:
        columns = (
            "id, login, pw, title, first_name, last_name, valid_id, create_time, create_by, change_time, change_by"
        )
        moment = "'2026-01-01 00:00:00'"
        values = f"60, 'rita', 'x', '', 'R', 'R', 1, {moment}, 1, {moment}, 1"
        await transaction.execute("DELETE FROM users WHERE id = 60")
        await transaction.execute(f"INSERT INTO users ({columns}) VALUES ({values})")  # noqa: S608 - the tests' own words
    pair = await sign_in(desk.live, Agent(60, "rita").login)
    asked: list[tuple[str, dict[str, Any]]] = [
        (LIST, {}),
        (SCHEDULES, {}),
        (SECRETS, {}),
        (RETRY, {"id": "1"}),
        (RUN, {"module": "room", "name": "nightly"}),
        (SET, {"name": "api_key", "value": VALUE}),
        (REMOVE, {}),
    ]
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        assert [await code_of(client, query, given) for query, given in asked] == ["FORBIDDEN"] * 7
    assert (await desk.data(SECRETS))["lambdaSecrets"] == []


async def code_of(client: httpx.AsyncClient, query: str, given: dict[str, Any]) -> str:
    answer = (await client.post("/graphql", json={"query": query, "variables": given})).json()
    return str(answer["errors"][0]["extensions"]["code"])
