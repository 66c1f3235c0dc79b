"""The lambda of an entry runs as whoever wrote the row, and what it asks for is done once, together with the entry, or not at all."""

import asyncio
import json
import time
from typing import Any

import pytest
import sqlalchemy as sa

from identity.api_tokens import ApiTokens
from identity.keys import derive_keys
from identity.principals import Agent, Kind, Principal, Scope, System
from identity.rights import Grant, Rights, unbounded
from lambdas.errors import FailureCode
from resolvers import deliveries
from resolvers.courier import Courier
from resolvers.deliveries import ATTEMPTS, FIRST_PAUSE_S
from resolvers.errors import DatabaseAway
from resolvers.lambda_deeds import LambdaDeeds
from resolvers.outbox import DEPTH_LIMIT
from storage.errors import OutcomeUnknown, Unavailable
from storage.outbox import now_ms
from storage.own_tables import OUTBOX
from storage.transaction import Transaction
from tests.outbox.world import SECRET, World
from tests.writes.played import Failed, Stage

pytestmark = pytest.mark.timed

CREATED, UPDATED, DELETED = "asset.after_create", "asset.after_update", "asset.after_delete"
ROOT = Agent(1, "root@localhost")


def trail(stage: Stage) -> None:
    """Leave a trace, which can be left once."""
    stage.do("create", "trail", {"text": f"{stage.item['name']}"})


async def states(world: World) -> list[tuple[Any, ...]]:
    return await world.noted("hook", "state", "attempts", "failure_code")


async def make_due(world: World) -> None:
    """Let the time until the next attempt pass."""
    async with world.database.transaction() as transaction:
        await transaction.execute(sa.update(OUTBOX).where(OUTBOX.c.state == "open").values(due=now_ms()))


# --- what a lambda is given ---


async def test_a_hook_sees_the_row_by_all_its_names_the_row_before_and_the_caller(world: World) -> None:
    seen: list[Stage] = []
    world.api.caller, world.api.languages = ROOT, ("de", "en")
    for name in (CREATED, UPDATED, DELETED):
        world.plays(name, seen.append)
    number = await world.asset("Chair", bought="2026-03-01T10:00:00Z")
    await world.api.done("updateAsset", "clientMutationId", key={"databaseId": number}, patch={"name": "Stool"})
    await world.api.done("deleteAsset", "clientMutationId", key={"databaseId": number})
    await world.work_off()
    made, changed, gone = seen
    assert (made.item["name"], made.item["bought_at"], made.item["id"]) == ("Chair", "2026-03-01T10:00:00Z", number)
    assert (made.item["bought"], made.item["databaseId"], made.before) == (made.item["bought_at"], number, None)
    assert (changed.before["name"], changed.item["name"]) == ("Chair", "Stool")
    assert gone.item["name"] == "Stool"
    assert "pin_code" not in made.item
    assert (made.me["id"], made.me["login"], made.me["kind"], made.me["locale"]) == (1, "root@localhost", "agent", "de")
    deliveries = [row[0] for row in await world.noted("delivery")]
    assert [stage.me["delivery"] for stage in seen] == [deliveries[0], deliveries[1], deliveries[3]]
    assert {str(power) for power in made.powers} == {"write", "http", "secret"}


async def test_a_hook_of_articles_sees_their_content_along(world: World) -> None:
    seen: list[Stage] = []
    world.plays("article.after_create", seen.append)
    await world.api.ticket("Printer", article={"subject": "Help", "body": "It does not print."})
    await world.work_off()
    (stage,) = seen
    assert (stage.item["subject"], stage.item["body"], stage.item["content_type"]) == (
        "Help",
        "It does not print.",
        "text/plain",
    )
    assert stage.item["ticket_id"]


async def test_what_it_asks_for_is_done_as_the_caller_and_in_the_history_under_the_delivery(world: World) -> None:
    world.api.caller = ROOT
    world.plays(CREATED, trail)
    await world.asset("Chair")
    await world.work_off()
    assert await world.trails() == ["Chair"]
    assert await states(world) == [("after_create 1", "done", 1, None)]
    ((delivery,),) = await world.noted("delivery")
    ledger = f"module = 'trail' AND request_id = '{delivery}'"
    assert await world.api.rows("lambdesk_change", ledger, "actor_kind, actor_login") == [("agent", "root@localhost")]


async def test_what_the_caller_may_not_do_is_not_done_and_told(world: World) -> None:
    world.api.caller = ROOT
    world.rights = lambda principal: Rights(principal, (Grant(1, "users", "rw"),))
    world.plays(CREATED, trail)
    await world.asset("Chair")
    await world.work_off()
    assert await world.trails() == []
    ((state, code, text),) = await world.noted("state", "failure_code", "failure")
    assert (state, code) == ("failed", "FORBIDDEN")
    assert text.startswith("Operation 1 (create trail): ")


async def test_what_it_logs_is_kept_with_the_entry(world: World) -> None:
    world.plays(CREATED, lambda stage: stage.log(f"seen {stage.item['name']}"))
    await world.asset("Chair")
    await world.work_off()
    assert [json.loads(row[0]) for row in await world.noted("log")] == [["seen Chair"]]


async def test_a_hook_is_the_one_with_its_text_then_the_one_in_its_place_and_else_gone(world: World) -> None:
    ran: list[str] = []
    world.plays(CREATED, lambda _: ran.append("first"))
    await world.asset("Chair")
    ((number,),) = await world.noted("id")

    ((payload,),) = await world.noted("payload")

    async def as_noted(hook: str, code: str) -> list[tuple[Any, ...]]:
        values: dict[str, Any] = {"payload": payload}
        values |= {"hook": hook, "code": code, "state": "open", "attempts": 0, "due": now_ms(), "failure_code": None}
        async with world.database.transaction() as transaction:
            await transaction.execute(sa.update(OUTBOX).where(OUTBOX.c.id == number).values(values))
        await world.work_off()
        return await world.noted("state", "failure_code")

    ((code,),) = await world.noted("code")
    assert await as_noted("after_create 7", code) == [("done", None)], "it has moved in the file"
    assert await as_noted("after_create 1", "0" * 64) == [("done", None)], "it was mended in the file"
    assert await as_noted("after_create 7", "0" * 64) == [("failed", "HOOK_GONE")]
    assert ran == ["first"] * 2


# --- once, or not at all ---


async def test_an_entry_takes_effect_once_also_when_two_work_it_off(world: World) -> None:
    world.plays(CREATED, lambda stage: stage.do("create", "echo", {"turn": 0}))
    await world.asset("Chair")
    (entry,) = await world.take()
    async with world.database.transaction() as transaction:  # its time is over, and somebody else has it
        await transaction.execute(sa.update(OUTBOX).values(due=now_ms()))
    (again,) = await world.take()
    await asyncio.gather(world.deliver(entry), world.deliver(again))
    assert len(await world.api.rows("echo")) == 1
    assert (await states(world))[0] == ("after_create 1", "done", 2, None)


async def test_of_several_operations_all_are_done_or_none(world: World) -> None:
    def act(stage: Stage) -> None:
        trail(stage)
        stage.do("update", "asset", stage.item["id"], {"name": "Stool"})
        stage.do("create", "trail", {"text": "Chair"})  # there is one already

    world.plays(CREATED, act)
    await world.asset("Chair")
    await world.work_off()
    assert await world.trails() == []
    assert await world.api.rows("asset", columns="name") == [("Chair",)]
    ((code, text),) = await world.noted("failure_code", "failure")
    assert code == "UNIQUE"
    assert text.startswith("Operation 3 (create trail): ")


async def test_after_a_commit_of_which_nobody_knows_the_entry_says_whether_it_was_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write of the entry is part of the transaction, so that trying again cannot double what was done."""
    world.plays(CREATED, lambda stage: stage.do("create", "echo", {"turn": 0}))
    await world.asset("Chair")
    commit = Transaction.commit
    lost: list[bool] = []

    async def commit_and_lose(self: Transaction) -> None:
        await commit(self)
        if not lost and (await world.api.rows("echo")):
            lost.append(True)
            raise OutcomeUnknown

    monkeypatch.setattr(Transaction, "commit", commit_and_lose)
    await world.work_off()
    await make_due(world)
    world.plays("echo.after_create", lambda _: None)
    await world.work_off()
    assert lost
    assert len(await world.api.rows("echo")) == 1
    assert (await states(world))[0] == ("after_create 1", "done", 1, None)


# --- failures ---


@pytest.mark.parametrize("code", [FailureCode.FAILED, FailureCode.TIMEOUT, FailureCode.MEMORY, FailureCode.CRASHED])
async def test_a_lambda_that_failed_is_not_run_again_by_itself(world: World, code: FailureCode) -> None:
    def fail(stage: Stage) -> None:
        stage.log("so far")
        raise Failed(code, "Error: no", 7)

    world.plays(CREATED, fail)
    await world.asset("Chair")
    await world.work_off()
    await make_due(world)
    await world.work_off()
    assert len(world.played.jobs) == 1
    assert await world.noted("state", "failure_code", "failure", "log") == [
        ("failed", str(code), "Error: no (line 7)", '["so far"]')
    ]


@pytest.mark.parametrize("code", [FailureCode.BUSY, FailureCode.BROKEN, FailureCode.UNAVAILABLE])
async def test_a_lambda_that_could_not_be_run_is_run_later_ever_less_often_and_at_last_given_up(
    world: World, code: FailureCode
) -> None:
    def fail(_: Stage) -> None:
        raise Failed(code, "Not now.", None)

    world.plays(CREATED, fail)
    await world.asset("Chair")
    pauses = []
    for _ in range(ATTEMPTS):
        before = now_ms()
        await world.work_off()
        ((due, state),) = await world.noted("due", "state")
        pauses.append(round((due - before) / 1_000))
        await make_due(world)
    assert pauses[:5] == [FIRST_PAUSE_S * 2**number for number in range(5)]
    assert max(pauses) == 3_600
    assert await world.noted("state", "attempts", "failure_code", "failure") == [
        ("dead", ATTEMPTS, str(code), "Not now.")
    ]
    assert state == "dead"


async def test_what_could_be_run_at_last_is_done(world: World) -> None:
    turns = iter([FailureCode.BUSY, None])

    def act(stage: Stage) -> None:
        if (code := next(turns)) is not None:
            raise Failed(code)
        trail(stage)

    world.plays(CREATED, act)
    await world.asset("Chair")
    await world.work_off()
    assert await world.noted("state", "failure_code", "worker") == [("open", "LAMBDA_BUSY", None)]
    await make_due(world)
    await world.work_off()
    assert await world.trails() == ["Chair"]
    assert await world.noted("state", "attempts", "failure_code", "failure") == [("done", 2, None, None)]


async def test_while_the_database_takes_no_writes_the_effect_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plays(CREATED, trail)
    await world.asset("Chair")
    do = LambdaDeeds.do

    async def away(*_: Any) -> None:
        raise DatabaseAway

    monkeypatch.setattr(LambdaDeeds, "do", away)
    await world.work_off()
    assert await states(world) == [("after_create 1", "open", 1, "UNAVAILABLE")]
    monkeypatch.setattr(LambdaDeeds, "do", do)
    await make_due(world)
    await world.work_off()
    assert await world.trails() == ["Chair"]


async def test_what_breaks_inside_is_told_without_its_text(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def break_down(_: Stage) -> None:
        raise KeyError("a value of a row")

    world.plays(CREATED, break_down)
    await world.asset("Chair")
    await world.work_off()
    ((state, code, text, delivery),) = await world.noted("state", "failure_code", "failure", "delivery")
    assert (state, code) == ("failed", "INTERNAL")
    assert "a value" not in text + caplog.text
    assert delivery in caplog.text


async def test_an_entry_whose_servers_all_end_before_it_is_done_is_given_up(world: World) -> None:
    await world.asset("Chair")
    async with world.database.transaction() as transaction:
        await transaction.execute(sa.update(OUTBOX).values(attempts=ATTEMPTS))
    await world.work_off()
    assert await world.noted("state", "failure_code") == [("dead", "LOST")]
    assert world.played.jobs == []


async def test_an_entry_whose_fate_cannot_be_noted_stays_claimed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.asset("Chair")
    (entry,) = await world.take()

    async def away(*_: Any) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(deliveries, "settle", away)
    await world.deliver(entry)
    assert await world.noted("state", "worker") == [("open", "w")]


# --- who is calling ---


async def test_nothing_is_done_in_the_name_of_somebody_who_may_not_sign_in_any_more(world: World) -> None:
    await add_agent(world, 50, "leaver")
    world.api.caller = Agent(50, "leaver")
    world.plays(CREATED, trail)
    await world.asset("Chair")
    async with world.database.transaction() as transaction:
        await transaction.execute("UPDATE users SET valid_id = 2 WHERE id = 50")
    await world.work_off()
    assert await world.noted("state", "failure_code", "failure") == [
        ("failed", "CALLER_GONE", "The agent 'leaver' may not sign in, so nothing is done in that name.")
    ]
    assert await world.trails() == []


async def test_a_token_s_write_is_followed_within_the_token_s_scope_while_the_token_counts(world: World) -> None:
    tokens = ApiTokens(world.database, derive_keys(SECRET))
    made, secret = await tokens.create(ROOT, "ci", Scope(frozenset({"asset", "trail"})), time.time() + 1_000)
    token = await tokens.check(secret)
    seen: list[Principal] = []

    def rights(principal: Principal) -> Rights:
        seen.append(principal)
        return unbounded(principal)

    world.rights, world.api.caller = rights, token
    await world.asset("Chair")
    await world.work_off()
    assert seen == [token]
    await world.asset("Stool")
    assert await tokens.revoke(ROOT, made.id)
    await world.work_off()
    assert [row[0] for row in await world.noted("failure_code")] == [None, "CALLER_GONE"]


async def test_what_the_system_wrote_is_followed_by_the_system(world: World) -> None:
    seen: list[Stage] = []
    world.plays(CREATED, seen.append)
    await world.asset("Chair")
    await world.work_off()
    assert (seen[0].me["kind"], seen[0].me["login"]) == ("system", "system")
    assert isinstance(world.api.caller, System)
    assert world.api.caller.kind is Kind.SYSTEM


async def add_agent(world: World, number: int, login: str) -> None:
    columns = "id, login, pw, title, first_name, last_name, valid_id, create_time, create_by, change_time, change_by"
    values = f"{number}, '{login}', 'x', '', 'L', 'E', 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1"
    async with world.database.transaction() as transaction:
        await transaction.execute(f"DELETE FROM users WHERE id = {number}")  # noqa: S608 - the tests' own words
        await transaction.execute(f"INSERT INTO users ({columns}) VALUES ({values})")  # noqa: S608 - the same


# --- hooks that lead to each other ---


async def test_hooks_that_lead_to_each_other_end_after_some_turns(world: World) -> None:
    world.plays("echo.after_create", lambda stage: stage.do("create", "echo", {"turn": stage.item["turn"] + 1}))
    await world.api.done("createEcho", "clientMutationId", echo={"turn": 0})
    await world.work_off()
    assert sorted(row[0] for row in await world.api.rows("echo", columns="turn")) == list(range(DEPTH_LIMIT + 1))
    assert [row[:2] for row in await world.noted("depth", "state")] == [
        *((depth, "done") for depth in range(DEPTH_LIMIT)),
        (DEPTH_LIMIT, "failed"),
    ]
    assert (await states(world))[-1] == ("after_create 1", "failed", 0, "LAMBDA_LIMIT")


# --- the courier ---


async def test_a_write_wakes_the_courier_of_its_process_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.courier.POLL_S", 30.0)
    done = asyncio.Event()
    world.plays(CREATED, lambda _: done.set())
    courier = Courier(world.post(), lambda: world.api.snapshot)
    running = asyncio.create_task(courier.run())
    await asyncio.sleep(0.2)
    await world.asset("Chair")
    courier.wake()
    await asyncio.wait_for(done.wait(), 30)
    await courier.stop()
    await running
    assert await world.noted("state") == [("done",)]


async def test_a_courier_finds_what_other_processes_noted_and_works_it_off_in_the_order_of_each_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.courier.POLL_S", 0.05)
    seen: list[tuple[str, str]] = []
    world.plays(CREATED, lambda stage: seen.append((stage.item["name"], "made")))
    world.plays(UPDATED, lambda stage: seen.append((stage.before["name"], stage.item["name"])))
    couriers = [Courier(world.post(), lambda: world.api.snapshot) for _ in range(2)]
    running = [asyncio.create_task(courier.run()) for courier in couriers]
    numbers = [await world.asset(f"{row} 0") for row in "AB"]
    for turn in range(1, 6):
        for row, number in zip("AB", numbers, strict=True):
            patch = {"name": f"{row} {turn}"}
            await world.api.done("updateAsset", "clientMutationId", key={"databaseId": number}, patch=patch)
    async with asyncio.timeout(30):
        while await world.noted("id", where="state = 'open'"):  # noqa: ASYNC110 - others write what is waited for
            await asyncio.sleep(0.05)
    for courier in couriers:
        await courier.stop()
    await asyncio.gather(*running)
    for row in "AB":
        turns = [(f"{row} {turn}", f"{row} {turn + 1}") for turn in range(5)]
        assert [item for item in seen if item[0].startswith(row)] == [(f"{row} 0", "made"), *turns]


async def test_a_courier_that_stops_lets_what_runs_come_to_its_end(world: World) -> None:
    begun = asyncio.Event()
    world.plays(CREATED, trail)
    run = world.played.run

    async def slowly(*args: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.3)
        return await run(*args)

    world.played.run = slowly  # type: ignore[method-assign, assignment] # a slow engine
    await world.asset("Chair")
    courier = Courier(world.post(), lambda: world.api.snapshot)
    running = asyncio.create_task(courier.run())
    await asyncio.wait_for(begun.wait(), 30)
    await courier.stop()
    await running
    assert await world.trails() == ["Chair"]
    assert await world.noted("state") == [("done",)]
