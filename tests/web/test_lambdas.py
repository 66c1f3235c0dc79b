"""Lambdas in the running program: computed by V8 for whoever asks, told of to administrators, and never in the way of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lambdas.contract import Batch, Job, Script
from lambdas.limits import Limits
from lambdas.pool import Sandbox
from storage.engine import Database
from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk, sign_in
from web.lambdas import SWITCHED_OFF, keep_told, make_lambdas
from web.settings import Settings, SettingsError, load_settings

pytestmark = pytest.mark.timed

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
  - {name: opens, type: datetime}
computed_fields:
  - name: size
    type: badge
    needs: [seats]
    args: {large: int}
    lambda: |
      if (item.seats < 0) throw new Error("no room of " + item.seats);
      return item.seats >= (args.large ?? 20) ? badge("large", "green") : badge("small");
  - name: neighbours
    type: int
    needs: [seats]
    lambda: |
      return gql("query ($n: Int!) { rooms(filter: {seats: {eq: $n}}) { totalCount } }", {n: item.seats}).rooms.totalCount - 1;
  - {name: told, type: json, lambda: "return {item, me: me.login, later: now > new Date(item.opens)};"}
  - {name: endless, type: int, needs: [seats], lambda: "for (;;);"}
  - {name: greeting, type: string, needs: [name], lambda: "return `${t('hello')} ${item.name}, ${t('nobody')}`;"}
translations: {hello: {en: Hello, de: Hallo}}
access: {agent: {view: true}}
"""


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
async def desk(url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one worker, whose rooms have 10, 20, 20 and -1 seats."""
    async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as found:
        await fill(found.live.database)  # type: ignore[arg-type] # the real one
        yield found


async def fill(database: Database) -> None:
    """Rooms, and an agent who may see them and is no administrator; once for each database."""
    if (await database.fetch("SELECT count(*) FROM room"))[0][0]:
        return
    when = datetime(2026, 1, 1, 8)  # noqa: DTZ001 - wall clock
    audit = {"create_time": when, "create_by": 1, "change_time": when, "change_by": 1}
    rooms = (("a", 10), ("b", 20), ("c", 20), ("d", -1))
    rows: list[tuple[str, dict[str, Any]]] = [
        ("users", {"id": 7, "login": "ada", "pw": "x", "first_name": "A", "last_name": "L", "valid_id": 1}),
        *(("room", {"name": name, "seats": seats, "opens": when}) for name, seats in rooms),
    ]
    async with database.transaction() as transaction:
        for name, row in rows:
            given = {**row, **audit}
            table = sa.table(name, *(sa.column(column) for column in given))
            await transaction.execute(sa.insert(table).values(given))


async def as_ada(desk: Desk, query: str) -> Any:
    pair = await sign_in(desk.live, "ada")
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        return (await client.post("/graphql", json={"query": query})).json()


async def degraded(desk: Desk) -> list[dict[str, str]]:
    """What a server that is ready says of lambdas."""
    answer = await desk.client.get("/readyz")
    assert answer.status_code == 200
    return [item for item in answer.json()["degraded"] if item["what"] == "lambdas"]


def told(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Where errors of an answer stand, and their codes."""
    return [(".".join(map(str, error["path"])), error["extensions"]["code"]) for error in answer["errors"]]


async def test_computed_fields_are_computed_by_v8_for_all_rows(desk: Desk) -> None:
    answer = await desk.ask("{ rooms { nodes { name size { text tone } big: size(large: 10) { text } neighbours } } }")
    rows = answer["data"]["rooms"]["nodes"]
    assert rows[:3] == [
        {"name": "a", "size": {"text": "small", "tone": "gray"}, "big": {"text": "large"}, "neighbours": 0},
        {"name": "b", "size": {"text": "large", "tone": "green"}, "big": {"text": "large"}, "neighbours": 1},
        {"name": "c", "size": {"text": "large", "tone": "green"}, "big": {"text": "large"}, "neighbours": 1},
    ]
    assert rows[3] == {"name": "d", "size": None, "big": None, "neighbours": 0}
    assert told(answer) == [("rooms.nodes.3.size", "LAMBDA_FAILED"), ("rooms.nodes.3.big", "LAMBDA_FAILED")]


async def test_an_administrator_reads_what_went_wrong_and_in_which_line(desk: Desk) -> None:
    answer = await desk.ask('{ room(by: {name: "d"}) { size { text } } }')
    (error,) = answer["errors"]
    assert error["message"] == "The lambda of room.size failed. Error: no room of -1"
    assert error["extensions"]["lambda"] == "room.size"
    line = error["extensions"]["line"]
    assert "throw new Error" in ROOM.splitlines()[line - 1]


async def test_others_read_that_it_failed_and_no_word_of_its_author(desk: Desk) -> None:
    answer = await as_ada(desk, '{ room(by: {name: "d"}) { size { text } } }')
    (error,) = answer["errors"]
    assert error["message"] == "The lambda of room.size failed."
    assert {"code", "lambda", "requestId"} == set(error["extensions"])


async def test_a_row_crosses_with_its_moments_and_the_caller(desk: Desk) -> None:
    data = await desk.data('{ room(by: {name: "a"}) { databaseId told } }')
    room = data["room"]
    assert {name: room["told"]["item"][name] for name in ("id", "name", "seats", "opens")} == {
        "id": room["databaseId"],
        "name": "a",
        "seats": 10,
        "opens": "2026-01-01T08:00:00Z",
    }
    assert (room["told"]["me"], room["told"]["later"]) == ("root@localhost", True)


@pytest.mark.parametrize(("language", "said"), [("de-AT, en", "Hallo"), ("fr", "Hello"), ("fr, de;q=0.5", "Hallo")])
async def test_what_t_says_is_in_the_readers_language(desk: Desk, language: str, said: str) -> None:
    async with desk.connect(**{**desk.client.headers, "accept-language": language}) as client:
        answer = await client.post("/graphql", json={"query": '{ room(by: {name: "a"}) { greeting } }'})
    assert answer.json()["data"]["room"] == {"greeting": f"{said} a, nobody"}


async def test_one_that_never_ends_is_stopped_and_the_next_request_is_served(desk: Desk) -> None:
    answer = await desk.ask('{ room(by: {name: "a"}) { name endless } }')
    assert answer["data"]["room"] == {"name": "a", "endless": None}
    assert told(answer) == [("room.endless", "LAMBDA_TIMEOUT")]
    assert (await desk.data('{ room(by: {name: "b"}) { neighbours } }'))["room"] == {"neighbours": 1}


FIGURES = """{ lambdaSandbox { isOn reason workers waiting kills replaced steps { name holds reason }
  lambdas { name state calls rows failures kills cpuMs wallMs lastError { code message line at } } } }"""


async def test_administrators_see_what_locks_lambdas_up_and_what_each_did(desk: Desk) -> None:
    for _ in range(3):
        await desk.ask('{ room(by: {name: "d"}) { size { text } endless } }')
    found = (await desk.data(FIGURES))["lambdaSandbox"]
    assert (found["isOn"], found["reason"], found["kills"]) == (True, None, 3)
    assert {"seccomp", "limits"} <= {step["name"] for step in found["steps"] if step["holds"]}
    figures = {item["name"]: item for item in found["lambdas"]}
    size, endless = figures["room.size"], figures["room.endless"]
    assert (size["state"], size["calls"], size["rows"], size["failures"], size["kills"]) == ("RUNS", 3, 3, 3, 0)
    assert size["lastError"]["code"] == "LAMBDA_FAILED"
    assert size["lastError"]["message"] == "Error: no room of -1"
    assert size["lastError"]["line"] is not None
    assert (endless["state"], endless["kills"]) == ("RESTS", 3)
    answer = await desk.ask('{ room(by: {name: "a"}) { endless } }')
    assert told(answer) == [("room.endless", "LAMBDA_BROKEN")]


async def test_a_lambda_that_rests_runs_at_once_when_its_file_was_written_anew(desk: Desk) -> None:
    for _ in range(3):
        await desk.ask('{ room(by: {name: "a"}) { endless } }')
    (desk.site / "room.yaml").write_text(ROOM.replace("for (;;);", "return 7;"))
    live = desk.live
    await live.registry.reload()  # type: ignore[attr-defined] # the real one
    async with asyncio.timeout(30):
        while (await desk.ask('{ room(by: {name: "a"}) { endless } }'))["data"]["room"]["endless"] != 7:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)


async def test_only_administrators_see_the_sandbox(desk: Desk) -> None:
    answer = await as_ada(desk, "{ lambdaSandbox { isOn } }")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_a_server_whose_lambdas_do_not_run_says_so_and_is_ready(desk: Desk) -> None:
    assert desk.live.lambdas is not None
    sandbox = desk.live.lambdas.sandbox
    assert sandbox is not None
    await desk.data('{ room(by: {name: "a"}) { size { text } } }')  # which waits for them to start
    assert await degraded(desk) == []
    sandbox.reason = "The host does not lock workers up: seccomp (refused)."
    assert await degraded(desk) == [{"what": "lambdas", "state": "OFF", "message": sandbox.reason}]
    known = await desk.data('{ room(by: {name: "a"}) { size { text } } }')
    assert known["room"] == {"size": {"text": "small"}}  # what was computed before is still known
    asked = await desk.ask('{ room(by: {name: "b"}) { name size { text } } }')
    assert asked["data"]["room"] == {"name": "b", "size": None}
    (error,) = asked["errors"]
    assert error["extensions"]["code"] == "LAMBDA_UNAVAILABLE"
    assert error["message"] == f"The lambda of room.size cannot be run here. {sandbox.reason}"


async def test_lambdas_can_be_switched_off(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=0) as desk:
            await fill(desk.live.database)  # type: ignore[arg-type] # the real one
            answer = await desk.ask(
                '{ room(by: {name: "a"}) { size { text } } lambdaSandbox { isOn reason workers lambdas { name } } }'
            )
            assert answer["data"]["room"] == {"size": None}
            expected = {"isOn": False, "reason": SWITCHED_OFF, "workers": 0, "lambdas": []}
            assert answer["data"]["lambdaSandbox"] == expected
            assert await degraded(desk) == []


async def test_who_asks_while_lambdas_start_waits_for_them() -> None:
    lambdas = make_lambdas(replace(Settings(), lambda_workers=1))
    lambdas.start()
    try:
        job = Job("room", [Batch(Script("room.one", "return 1"), [{}])], {"kind": "agent", "id": 1}, 0, 1)
        result = await lambdas.run(job)
        assert result.outcomes[0][0].value == 1
    finally:
        await lambdas.close()


async def test_nothing_waits_for_lambdas_to_start(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first requests are served while the zygote still comes up, or does not."""

    async def never(_self: Sandbox) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Sandbox, "start", never)
    monkeypatch.setattr("web.lambdas.PATIENCE_S", 0.1)
    async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as desk:
        assert (await desk.client.get("/readyz")).status_code == 200
        await fill(desk.live.database)  # type: ignore[arg-type] # the real one
        answer = await desk.ask('{ room(by: {name: "a"}) { name size { text } } }')
        assert told(answer) == [("room.size", "LAMBDA_UNAVAILABLE")]


async def test_the_log_tells_what_lambdas_did_and_where_one_failed_and_nothing_of_rows(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="lambdesk.lambdas")
    await desk.ask("{ rooms { nodes { size { text } neighbours } } }")
    assert desk.live.lambdas is not None
    stop = asyncio.Event()
    telling = asyncio.create_task(keep_told(desk.live.lambdas, stop, every_s=0.01))
    await asyncio.sleep(0.1)
    stop.set()
    await telling
    fields = [getattr(record, "fields", {}) for record in caplog.records if record.name == "lambdesk.lambdas"]
    failed = [item for item in fields if "code" in item]
    assert [(item["lambda"], item["code"], item["rows"]) for item in failed] == [("room.size", "LAMBDA_FAILED", 1)]
    ran = {item["lambda"]: item for item in fields if "calls" in item}
    assert (ran["room.size"]["calls"], ran["room.size"]["rows"], ran["room.size"]["failures"]) == (1, 3, 1)
    assert len([item for item in fields if item.get("lambda") == "room.size" and "calls" in item]) == 1
    assert "no room of" not in caplog.text


def test_the_limits_of_lambdas_are_settings() -> None:
    settings = load_settings(
        {
            "LAMBDESK_LAMBDA_WORKERS": "3",
            "LAMBDESK_LAMBDA_TRUST": "authors",
            "LAMBDESK_LAMBDA_CPU_MS": "20",
            "LAMBDESK_LAMBDA_DEED_CPU_MS": "200",
            "LAMBDESK_LAMBDA_WALL_MS": "300",
            "LAMBDESK_LAMBDA_HEAP_MB": "16",
            "LAMBDESK_LAMBDA_WALL_CEILING_MS": "400",
        }
    )
    limits = settings.lambda_limits
    assert limits.fields == Limits(cpu_ms=20, wall_ms=300, heap_mb=16)
    assert limits.deeds == Limits(cpu_ms=200, cpu_row_ms=0, wall_ms=300, heap_mb=16)
    assert (limits.cpu_ceiling_ms, limits.wall_ceiling_ms) == (1_000, 400)
    sandbox = make_lambdas(settings).sandbox
    assert sandbox is not None
    assert (sandbox.size, sandbox.trusted) == (3, True)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("WORKERS", "65", "write a whole number from 0 to 64, or auto"),
        ("TRUST", "everybody", "write one of nobody, authors"),
        ("CPU_MS", "1001", "write a whole number from 1 to 1000"),
        ("WALL_MS", "0", "write a whole number from 1 to 5000"),
        ("HEAP_MB", "49", "write a whole number from 1 to 48"),
    ],
)
def test_no_setting_takes_a_lambda_beyond_its_ceilings(name: str, text: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"LAMBDESK_LAMBDA_{name}": text})
    assert str(refused.value) == f"LAMBDESK_LAMBDA_{name} is '{text}': {wanted}."
