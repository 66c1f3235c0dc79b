"""What a lambda made of a row is remembered where nothing else can have a part in it, and only there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from identity.principals import Agent
from identity.rights import unbounded
from lambdas.contract import Answerer, Job, Result
from resolvers.lambda_caller import Moment
from resolvers.lambda_memory import UNKNOWN, Habits, Memory, habits_of
from schema.build import build_schema
from schema.spec import Argument, Audience, Caption, Code, Computed
from tests.programmed import Programmed, Row, Thrown
from tests.resolvers.world import PLACE, ROWS, World, modules

LABEL = "return item.name;"


@pytest.mark.parametrize(
    ("source", "habits"),
    [
        (LABEL, Habits(caller=False, clock=False)),
        ("return Math.max(item.a, Math.PI);", Habits(caller=False, clock=False)),
        ("return `${item.metric} is known`;", Habits(caller=False, clock=False)),
        ("return me.login;", Habits(caller=True, clock=False)),
        ("return now > 1;", Habits(caller=False, clock=True)),
        ("return new Date(item.a).getTime();", Habits(caller=False, clock=True)),
        ("return ago(item.a) + me.id;", Habits(caller=True, clock=True)),
        ("return formatDate(item.a);", Habits(caller=False, clock=True)),
        ("return item.a.toLocaleString();", Habits(caller=False, clock=True)),
        ("return gql('{ a }');", None),
        ("return db.query('SELECT 1');", None),
        ("return uuid();", None),
        ("return Math.random();", None),
        ("return Math['ran' + 'dom']();", None),
        ("const { random } = Math; return random();", None),
        ("const m = Math; return m['ran' + 'dom']();", None),
        ("return globalThis['gq' + 'l']('{ a }');", None),
        ("return (function () { return this; })()['g' + 'ql'];", None),
        ("return arguments[2].login;", None),
        ("return m\\u0065.login;", None),
        ("return new WeakRef({});", None),
    ],
)
def test_what_a_lambda_may_look_at_is_read_off_its_source(source: str, habits: Habits | None) -> None:
    assert habits_of(source) == habits


@pytest.fixture
def desk(world: World) -> World:
    """The sample desk with lambdas of different habits."""
    made = {
        "label": LABEL,
        "mine": "return me.login;",
        "aged": "return now;",
        "asked": "return gql();",
        "shown": "return item.meta;",
    }
    found = modules(world.database.dialect.name)
    needs = {"shown": ("meta",)}
    computed = tuple(
        Computed(
            name,
            "json",
            PLACE,
            Caption(name),
            needs=needs.get(name, ("number", "hot")),
            args=(Argument("style", "string"),),
            code=Code(source, PLACE),
        )
        for name, source in made.items()
    )
    found["ticket"] = replace(found["ticket"], computed=computed)
    schemas = {audience: build_schema(found, audience) for audience in Audience}
    return World(world.database, replace(world.snapshot, modules=found, schemas=schemas), world.seen)


def counting() -> tuple[Programmed, list[str]]:
    ran: list[str] = []

    def run(row: Row) -> Any:
        number = str(row.item.get("number"))
        ran.append(number)
        if number == "20260003":
            raise Thrown("three")
        return [number, row.args["style"], row.me["login"], row.job.now_ms]

    return Programmed({f"ticket.{name}": run for name in ("label", "mine", "aged", "asked", "shown")}), ran


async def ask(desk: World, memory: Memory | None, runner: Programmed, what: str, first: int, **how: Any) -> list[Any]:
    text = f"{{ tickets(first: {first}) {{ nodes {{ {what} }} }} }}"
    result = await desk.run(text, lambdas=runner, memory=memory, **how)
    assert result.data is not None
    return [next(iter(row.values())) for row in result.data["tickets"]["nodes"]]


async def test_rows_that_were_computed_are_not_run_again_and_new_ones_are(desk: World) -> None:
    runner, ran = counting()
    memory = Memory()
    first = await ask(desk, memory, runner, "label", 2)
    assert await ask(desk, memory, runner, "label", 2) == first
    assert ran == ["20260001", "20260002"]
    more = await ask(desk, memory, runner, "label", 5)
    assert ran == ["20260001", "20260002", "20260003", "20260004", "20260005"]
    assert more[:2] == first
    assert [value and value[0] for value in more] == ["20260001", "20260002", None, "20260004", "20260005"]


async def test_what_failed_is_run_again(desk: World) -> None:
    runner, ran = counting()
    memory = Memory()
    for _ in range(2):
        await ask(desk, memory, runner, "label", 4)
    assert ran.count("20260003") == 2
    assert len(ran) == 5


async def test_other_arguments_make_other_values(desk: World) -> None:
    runner, ran = counting()
    memory = Memory()
    assert (await ask(desk, memory, runner, 'label(style: "a")', 1))[0][1] == "a"
    assert (await ask(desk, memory, runner, 'label(style: "b")', 1))[0][1] == "b"
    assert len(ran) == 2


async def test_who_names_the_clock_is_remembered_for_its_second(desk: World) -> None:
    runner, ran = counting()
    memory, moment = Memory(), Moment()
    for _ in range(2):
        await ask(desk, memory, runner, "aged", 1, moment=moment)
    assert len(ran) == 1
    later = Moment(now_ms=moment.now_ms + 1_000)
    assert (await ask(desk, memory, runner, "aged", 1, moment=later))[0][3] == later.now_ms
    assert len(ran) == 2
    assert moment.now_ms % 1_000 == 0


async def test_who_names_the_caller_is_remembered_for_him_alone(desk: World) -> None:
    runner, ran = counting()
    memory = Memory()
    ann, bob = unbounded(Agent(1, "ann")), unbounded(Agent(2, "bob"))
    for rights in (ann, bob, ann):
        found = await ask(desk, memory, runner, "mine", 1, rights=rights)
        assert found[0][2] == rights.principal.login
    assert len(ran) == 2
    await ask(desk, memory, runner, "label", 1, rights=ann)
    await ask(desk, memory, runner, "label", 1, rights=bob)
    assert len(ran) == 3


async def test_who_may_ask_or_is_looked_at_runs_each_time(desk: World) -> None:
    runner, ran = counting()
    memory = Memory()
    for _ in range(2):
        await ask(desk, memory, runner, "asked", 1)
        await ask(desk, memory, runner, "label", 1, apart=True)
        await ask(desk, None, runner, "label", 1)
    assert len(ran) == 6


async def test_values_that_are_equal_and_of_different_types_are_not_taken_for_each_other(desk: World) -> None:
    """In stored JSON 1 and true stand where the other may stand."""
    runner, ran = counting()
    await ask(desk, Memory(), runner, "shown", 60)
    assert len(ran) == len(ROWS["ticket"])


def test_the_memory_weighs_no_more_than_it_may_and_keeps_what_is_asked_for() -> None:
    memory = Memory(limit_bytes=100_000)
    often = ("often",)
    memory.keep("recipe", [(often, "x")], 10)
    for number in range(2_000):
        memory.keep("recipe", [((str(number),), "value")], 20)
        assert memory.find("recipe", [often]) == ["x"]
    found = memory.find("recipe", [(str(number),) for number in range(2_000)])
    assert 100 < sum(value is not UNKNOWN for value in found) < 400
    assert found[1_999] == "value"
    assert memory.find("other", [often]) == [UNKNOWN]


# --- at the same moment ---


@dataclass
class Slow(Programmed):
    """Runs jobs when it is let."""

    may_run: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        result = await super().run(job, answer)
        await self.may_run.wait()
        return result


async def both(desk: World, runner: Slow, what: str) -> list[asyncio.Task[list[Any]]]:
    """Begin two requests for the same, and wait until both wait."""
    memory, moment = Memory(), Moment()
    asked = [asyncio.create_task(ask(desk, memory, runner, what, 4, moment=moment)) for _ in range(2)]
    for _ in range(200):
        await asyncio.sleep(0.001)
    return asked


async def test_what_is_run_already_is_waited_for(desk: World) -> None:
    runner = Slow({"ticket.label": lambda row: row.item["number"]})
    first, second = await both(desk, runner, "label a: label")
    runner.may_run.set()
    assert await first == await second == [f"2026000{n}" for n in (1, 2, 3, 4)]
    assert len(runner.jobs) == 1


async def test_who_waits_for_somebody_that_is_stopped_runs_it_himself(desk: World) -> None:
    runner = Slow({"ticket.label": lambda row: row.item["number"]})
    first, second = await both(desk, runner, "label")
    first.cancel()
    runner.may_run.set()
    assert await second == [f"2026000{n}" for n in (1, 2, 3, 4)]
    assert len(runner.jobs) == 2


async def test_who_waits_for_what_fails_runs_it_himself(desk: World) -> None:
    """What went wrong is told to each as much as he may know."""
    made, _ = counting()
    runner = Slow(made.lambdas)
    first, second = await both(desk, runner, "label")
    runner.may_run.set()
    assert (await first)[2] is (await second)[2] is None
    assert len(runner.jobs) == 2


async def test_nobody_waits_for_what_may_be_another_value_for_him(desk: World) -> None:
    runner = Slow({"ticket.asked": lambda row: row.item["number"]})
    first, second = await both(desk, runner, "asked")
    runner.may_run.set()
    assert await first == await second
    assert len(runner.jobs) == 2
