"""A schedule runs once each time among all servers, as the one it names, and what was missed is made up for once."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from lambdas.errors import FailureCode
from schema.snapshot import Snapshot
from schema.spec import Module, Schedule
from storage.outbox import append
from storage.own_tables import OUTBOX, SCHEDULE
from tests.outbox.world import World
from tests.writes.played import Failed, Stage
from web.scheduling import Schedules, entry_of

pytestmark = pytest.mark.timed

NIGHTLY = "asset.schedule.nightly"
HOUR_MS = 3_600_000


def clock_of(world: World, zone: str = "UTC", snapshot: Snapshot | None = None) -> Schedules:
    """Make what one server has."""
    return Schedules(world.database, zone, lambda: snapshot or world.api.snapshot, lambda: None)


def with_schedules(world: World, *schedules: Schedule) -> Snapshot:
    """Return what serves when the file has other schedules."""
    snapshot = world.api.snapshot
    module = replace(snapshot.modules["asset"], schedules=schedules)
    return replace(snapshot, number=snapshot.number + 1, modules={**snapshot.modules, "asset": module})


def nightly(world: World, **changed: Any) -> Schedule:
    return replace(world.api.snapshot.modules["asset"].schedules[0], **changed)


async def stand(world: World) -> list[tuple[Any, ...]]:
    columns = (SCHEDULE.c.module, SCHEDULE.c.name, SCHEDULE.c.rhythm, SCHEDULE.c.next, SCHEDULE.c.last)
    return await world.database.fetch(sa.select(*columns).order_by(SCHEDULE.c.name))


async def make_due(world: World, ago_s: float = 0.0) -> int:
    """Let the time of all schedules have come so long ago; return it."""
    at = round((time.time() - ago_s) * 1_000)
    async with world.database.transaction() as transaction:
        await transaction.execute(sa.update(SCHEDULE).values(next=at))
    return at


async def test_a_new_schedule_is_planned_for_its_next_time_and_does_not_run_at_once(world: World) -> None:
    await clock_of(world, "Europe/Berlin").step(world.api.snapshot)
    ((module, name, rhythm, next_, last),) = await stand(world)
    assert (module, name, rhythm, last) == ("asset", "nightly", "0 3 * * * Europe/Berlin", None)
    assert 0 < next_ - time.time() * 1_000 <= 25 * HOUR_MS
    assert next_ % HOUR_MS == 0
    assert await world.noted("id") == []


async def test_a_run_that_is_due_is_noted_once_by_however_many_servers(world: World) -> None:
    servers = [clock_of(world) for _ in range(4)]
    await servers[0].step(world.api.snapshot)
    at = await make_due(world)
    await asyncio.gather(*(server.step(world.api.snapshot) for server in servers), return_exceptions=True)
    assert await world.noted("module", "hook", "row_key", "caller_kind", "caller_id", "caller_login") == [
        ("asset", "schedule nightly", "schedule nightly", "agent", 0, "root@localhost")
    ]
    ((*_, next_, last),) = await stand(world)
    assert last == at
    assert next_ > time.time() * 1_000


async def test_what_was_missed_while_no_server_ran_is_made_up_for_by_one_run(world: World) -> None:
    await clock_of(world).step(world.api.snapshot)
    await make_due(world, ago_s=9 * 86_400)
    for _ in range(3):
        await clock_of(world).step(world.api.snapshot)
    assert len(await world.noted("id")) == 1


async def test_a_run_is_given_when_it_was_due_and_runs_as_the_agent_that_it_names(world: World) -> None:
    seen: list[Stage] = []

    def act(stage: Stage) -> None:
        seen.append(stage)
        stage.do("create", "trail", {"text": "night"})

    world.plays(NIGHTLY, act)
    await clock_of(world).step(world.api.snapshot)
    at = await make_due(world, ago_s=5)
    await clock_of(world).step(world.api.snapshot)
    await world.work_off()
    (stage,) = seen
    assert stage.args == {"due": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 1_000))}
    assert (dict(stage.item), stage.before) == ({}, None)
    assert (stage.me["kind"], stage.me["id"], stage.me["login"]) == ("agent", 1, "root@localhost")
    assert stage.me["delivery"]
    assert {str(power) for power in stage.powers} == {"write", "http", "secret"}
    assert await world.trails() == ["night"]
    assert await world.api.rows("lambdesk_change", "module = 'trail'", "actor_login") == [("root@localhost",)]


@pytest.mark.parametrize(
    ("principal", "state", "code", "kind"),
    [("system", "done", None, ["system"]), ("nobody", "failed", "CALLER_GONE", [])],
)
async def test_without_an_agent_it_runs_as_lambdesk_itself_and_for_one_who_is_not_there_not_at_all(
    world: World, principal: str, state: str, code: str | None, kind: list[str]
) -> None:
    seen: list[Stage] = []
    world.plays(NIGHTLY, seen.append)
    schedule = nightly(world, as_principal=principal)
    module = world.api.snapshot.modules["asset"]
    await put(world, module, schedule)
    await world.work_off()
    assert [stage.me["kind"] for stage in seen] == kind
    assert await world.noted("state", "failure_code") == [(state, code)]


async def put(world: World, module: Module, schedule: Schedule) -> None:
    async with world.database.transaction() as transaction:
        await append(transaction, [entry_of(module, schedule, datetime.now(UTC))])


async def test_a_run_that_is_not_over_is_not_overtaken(world: World) -> None:
    def busy(_: Stage) -> None:
        raise Failed(FailureCode.BUSY)

    world.plays(NIGHTLY, busy)
    server = clock_of(world)
    await server.step(world.api.snapshot)
    for _ in range(3):
        await make_due(world)
        await server.step(world.api.snapshot)
        await world.work_off()
    assert await world.noted("state") == [("open",)]
    async with world.database.transaction() as transaction:
        await transaction.execute(sa.update(OUTBOX).values(state="failed"))
    await make_due(world)
    await server.step(world.api.snapshot)
    assert [row[0] for row in await world.noted("state")] == ["failed", "open"]


async def test_another_rhythm_starts_anew_and_what_is_gone_from_the_file_is_forgotten(world: World) -> None:
    server = clock_of(world)
    await server.step(world.api.snapshot)
    await make_due(world, ago_s=60)
    hourly = with_schedules(world, nightly(world, cron="30 * * * *"), nightly(world, name="weekly", cron="0 4 * * 1"))
    await server.step(hourly)
    assert [row[1:3] for row in await stand(world)] == [("nightly", "30 * * * * UTC"), ("weekly", "0 4 * * 1 UTC")]
    assert await world.noted("id") == [], "a time of the old rhythm is none of the new one"
    await server.step(replace(with_schedules(world), number=99))
    assert await stand(world) == []


async def test_a_server_keeps_time_by_itself_and_wakes_the_courier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.scheduling.FOLLOW_S", 0.05)
    woken, stop = asyncio.Event(), asyncio.Event()
    server = Schedules(world.database, "UTC", lambda: world.api.snapshot, woken.set)
    await server.step(world.api.snapshot)
    await make_due(world, ago_s=-0.3)
    keeping = asyncio.create_task(server.keep(stop))
    await asyncio.wait_for(woken.wait(), 20)
    stop.set()
    await keeping
    assert await world.noted("hook") == [("schedule nightly",)]
