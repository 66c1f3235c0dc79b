"""Hooks, defaults, rules and actions as JavaScript in V8: the whole way from a mutation to the database and back."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lambdas.pool import Sandbox
from resolvers.document import Documents
from resolvers.lambda_gql import Queries
from resolvers.limits import Limits
from tests.writes.world import Desk, fresh

SHOWN = "workshop { title count state opened note }"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    found = Sandbox(size=1)
    await found.start()
    assert found.is_on, found.reason
    yield found
    await found.close()


@pytest.fixture
def how(sandbox: Sandbox) -> dict[str, Any]:
    return {"lambdas": sandbox, "asks": {"gql": Queries(Documents(Limits()))}}


async def made(desk: Desk, how: dict[str, Any], **given: Any) -> dict[str, Any]:
    return await desk.made("Workshop", {"title": fresh("made"), **given}, "id databaseId title", **how)


async def test_defaults_are_made_and_hooks_complete_a_new_row(desk: Desk, how: dict[str, Any]) -> None:
    title = fresh("made")
    payload = await desk.write("createWorkshop", {"workshop": {"title": title}}, SHOWN, **how)
    row = payload["workshop"]
    assert payload["errors"] == []
    assert (row["count"], row["note"]) == (len(title), f"root@localhost {len(title)} true")
    assert row["opened"].startswith("20")


async def test_rules_and_hooks_refuse_together(desk: Desk, how: dict[str, Any]) -> None:
    payload = await desk.write("createWorkshop", {"workshop": {"title": fresh("MADE")}}, **how)
    assert [(item["path"], item["message"]) for item in payload["errors"]] == [(["workshop", "title"], "No shouting.")]
    payload = await desk.write("createWorkshop", {"workshop": {"title": fresh("x")}}, **how)
    assert [(item["path"], item["message"]) for item in payload["errors"]] == [(["workshop", "title"], "No x.")]


@pytest.mark.parametrize(
    ("title", "reasons"),
    [("loop", {"LAMBDA_TIMEOUT"}), ("throw", {"LAMBDA_FAILED"}), ("greedy", {"LAMBDA_MEMORY", "LAMBDA_TIMEOUT"})],
)
async def test_a_hook_that_is_stopped_denies_the_write(
    desk: Desk, how: dict[str, Any], title: str, reasons: set[str]
) -> None:
    title = fresh(title)
    payload = await desk.write("createWorkshop", {"workshop": {"title": title}}, **how)
    (error,) = payload["errors"]
    assert error["code"] == "LAMBDA_FAILED"
    assert error["params"]["reason"] in reasons
    assert "secret" not in error["message"]
    assert await desk.rows("workshop", f"title = '{title}'") == []
    assert (await made(desk, how))["id"]  # the next one runs


async def test_a_hook_of_a_change_compares_and_asks_the_api_as_the_caller(desk: Desk, how: dict[str, Any]) -> None:
    row = await made(desk, how, count=5)
    key = {"id": row["id"]}
    assert await desk.refused("updateWorkshop", {"key": key, "patch": {"count": 4}}, **how) == [
        ("LAMBDA_REJECTED", "patch.count")
    ]
    await made(desk, how, count=1006)
    payload = await desk.write("updateWorkshop", {"key": key, "patch": {"count": 6}}, **how)
    assert [item["message"] for item in payload["errors"]] == ["Taken."]
    assert (await desk.write("updateWorkshop", {"key": key, "patch": {"count": 7}}, **how))["errors"] == []


async def test_a_hook_keeps_a_row_from_being_removed(desk: Desk, how: dict[str, Any]) -> None:
    row = await made(desk, how, state="OPEN", count=50)
    payload = await desk.write("deleteWorkshop", {"key": {"id": row["id"]}}, **how)
    assert [(item["path"], item["message"]) for item in payload["errors"]] == [(None, "It is open.")]
    given = {"key": {"id": row["id"]}, "patch": {"state": "DONE"}}
    assert (await desk.write("updateWorkshop", given, **how))["errors"] == []
    assert (await desk.write("deleteWorkshop", {"key": {"id": row["id"]}}, **how))["errors"] == []


async def test_an_action_writes_in_one_transaction(desk: Desk, how: dict[str, Any]) -> None:
    row = await made(desk, how, count=5)
    shown = "workshop { count state } result log operations { verb module errors { message } }"
    payload = await desk.write("workshopDouble", {"key": {"id": row["id"]}, "times": 3}, shown, **how)
    assert payload["errors"] == []
    assert payload["workshop"] == {"count": 15, "state": "DONE"}
    assert (payload["result"]["was"], payload["log"]) == (5, ["was 5"])
    assert [item["verb"] for item in payload["operations"]] == ["update", "create", "create"]
    title = row["title"]
    found = await desk.rows("workshop", f"title IN ('{title} 0', '{title} 1')", "how_many, note")
    assert found == [(0, "root@localhost 0 true"), (1, "root@localhost 1 true")]
    again = await desk.write("workshopDouble", {"key": {"id": row["id"]}, "times": 3}, shown, **how)
    assert again["workshop"] is None
    assert [[error["message"] for error in item["errors"]] for item in again["operations"]] == [
        [],
        ["There is another row with this Title."],
        [],
    ]
    assert await desk.rows("workshop", f"title = '{title}'", "how_many") == [(15,)]


@pytest.mark.parametrize(("name", "reason"), [("Spin", "LAMBDA_TIMEOUT"), ("Overdo", "LAMBDA_LIMIT")])
async def test_an_action_that_is_stopped_does_nothing(desk: Desk, how: dict[str, Any], name: str, reason: str) -> None:
    row = await made(desk, how)
    payload = await desk.write(f"workshop{name}", {"key": {"id": row["id"]}}, "operations { verb }", **how)
    (error,) = payload["errors"]
    assert (error["code"], error["params"]["reason"], payload["operations"]) == ("LAMBDA_FAILED", reason, [])
    title = row["title"]
    where = f"substr(title, 1, {len(title)}) = '{title}' AND length(title) > {len(title)}"
    assert await desk.rows("workshop", where) == []


async def test_five_hundred_rows_are_shown_to_their_hooks_in_a_few_jobs(desk: Desk, how: dict[str, Any]) -> None:
    title = fresh("many")
    rows = [{"title": f"{title}-{number}"} for number in range(500)]
    payload = await desk.write("createWorkshops", {"workshops": rows}, "affected", **how)
    assert (payload["affected"], payload["errors"]) == (500, [])
    where = f"substr(title, 1, {len(title) + 1}) = '{title}-' AND substr(note, 1, 4) = 'root'"
    assert await desk.rows("workshop", where, "COUNT(*)") == [(500,)]


async def test_writes_at_once_wait_for_their_hooks_in_line(desk: Desk, how: dict[str, Any]) -> None:
    payloads = await asyncio.gather(
        *(desk.write("createWorkshop", {"workshop": {"title": fresh("made")}}, SHOWN, **how) for _ in range(8))
    )
    assert [payload["errors"] for payload in payloads] == [[]] * 8, json.dumps(payloads)
