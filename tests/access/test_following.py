"""Who follows changes hears of those of his rows, and nothing else: the same in worlds that differ in what he may not see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import parse, validate

from identity.rights import Rights
from resolvers.context import Context
from resolvers.execute import answer_event, execute
from resolvers.selection import select
from resolvers.subscribe import Follower, analyse_subscription
from resolvers.writing import Writing
from storage.changes import Change, read_since
from storage.engine import Database
from storage.settling import Settling
from tests.access.model import ROLES, Model
from tests.access.modules_under_test import TABLE
from tests.access.worlds import SECRET, Place, base, other, rights_of, run_alone
from tests.callers import everything
from tests.databases import DIALECTS, fresh_url

BASE = base(3)
FOLLOWERS = ("administrator", "reader", "supervisor", "customer", "twice", "lonely")
DOCUMENTS = {
    "job": """subscription ($f: JobFilter) {
      jobChanged(filter: $f) { kind id version changedFields job { number title version tray { name } parent { number } } }
    }""",
    "tray": "subscription ($f: TrayFilter) { trayChanged(filter: $f) { kind id version changedFields tray { name open } } }",
    "firm": "subscription ($f: FirmFilter) { firmChanged(filter: $f) { kind id changedFields firm { code title } } }",
}
FILTERS: dict[str, tuple[dict[str, Any] | None, ...]] = {
    "job": (None, {"tray": {"name": {"ne": "Tray 2"}}}, {"not": {"hot": {"eq": True}}}),
    "tray": (None, {"open": {"eq": True}}),
    "firm": (None, {"title": {"isNull": True}}),
}


class World:
    """One database, and what is written into it by somebody who may do everything."""

    def __init__(self, database: Database, place: Place) -> None:
        self.database = database
        self.place = place

    async def ask(self, rights: Rights, query: str, **variables: Any) -> Any:
        context = Context(self.place.snapshot, self.database, SECRET, rights, request_id="same")
        document = parse(query)
        assert validate(context.schema, document) == [], query
        return await execute(context, document, None, variables, writing=Writing())

    async def write(self, name: str, given: dict[str, Any]) -> None:
        type_name = f"{name[0].upper()}{name[1:]}"
        result = await self.ask(
            everything(), f"mutation ($i: {type_name}Input!) {{ {name}(input: $i) {{ errors {{ code }} }} }}", i=given
        )
        assert result.errors is None, result.errors
        assert result.data[name]["errors"] == [], (given, result.data)

    async def position(self) -> int:
        found = await self.database.fetch("SELECT max(id) FROM lambdesk_change")
        return int(found[0][0])

    async def told(self, rights: Rights, module: str, where: Any, since: int) -> list[str]:
        """What a follower is told of what came after a change."""
        document = parse(DOCUMENTS[module])
        context = Context(self.place.snapshot, self.database, SECRET, rights)
        selections = select(context.schema, document, None, {"f": where} if where else {})
        node = analyse_subscription(context, selections)
        assert node is not None
        found = []
        changed: dict[str, Change] = {}  # the last change of each row
        settled = Settling(writing_s=0.0)  # nobody else is writing
        for change in (await read_since(self.database, since, 500, settling=settled)).changes:
            if change.module != module:
                continue
            follower = Follower(Context(self.place.snapshot, self.database, SECRET, rights), node)
            changed[change.row_key] = change
            event = await follower.event(change)
            if event is not None:
                answer = await answer_event(context, selections, document, node.key, event)
                assert answer.errors is None, answer.errors
                found.append(json.dumps(answer.data))
        await agree(Context(self.place.snapshot, self.database, SECRET, rights), node, list(changed.values()))
        return found


async def agree(context: Context, node: Any, changes: list[Change]) -> None:
    """Who is told of several changes at once is told if, and only if, he would have been told of one of them."""
    told = [await Follower(context, node).event(change) is not None for change in changes]
    for size in (1, 2, 5, len(changes)):
        for start in range(0, len(changes), max(size, 1)):
            together = await Follower(context, node).event_of(changes[start : start + size])
            assert (together is not None) == any(told[start : start + size]), (node.module.name, start, size)


@pytest.fixture(scope="module", params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Make databases of one kind: the first world, or the one that is another for a role."""
    with ExitStack() as stack:

        def make(name: str) -> Place:
            desk = other(ROLES[name], BASE, seed=5) if name else BASE
            url = stack.enter_context(fresh_url(request.param))
            return run_alone(url, tmp_path_factory.mktemp("modules"), desk)

        yield make


@pytest.fixture
async def open_world(place: Any) -> AsyncIterator[Any]:
    opened: list[Database] = []

    def open_one(name: str) -> World:
        made = place(name)
        database = Database(made.url)
        opened.append(database)
        return World(database, made)

    yield open_one
    for database in opened:
        await database.close()


# On the other databases two roles are asked as.
CASES = [
    (dialect, name) for dialect in DIALECTS for name in (FOLLOWERS if dialect == "sqlite" else ("supervisor", "twice"))
]


@pytest.mark.parametrize(("place", "name"), CASES, indirect=["place"])
async def test_a_follower_hears_the_same_in_both_worlds_and_of_no_hidden_row(open_world: Any, name: str) -> None:
    role = ROLES[name]
    one, two = open_world(""), open_world(name)
    seen = {module: Model(role, BASE).visible(module) for module in DOCUMENTS}
    served = [module for module in DOCUMENTS if Model(role, BASE).may(module, "view")]
    rights = rights_of(role)
    heard = []
    for world in (one, two):
        since = await world.position()
        for module in served:
            for key in list(seen[module])[:4]:
                await self_change(world, module, key)
            # Rows that only one of the worlds has, or that both have and nobody may see.
            rows = await world.database.fetch(sa.select(TABLE[f"w_{module}"].c.id).order_by("id"))
            hidden = [key for (key,) in rows if key not in seen[module]]
            for key in hidden[:6]:
                await self_change(world, module, key)
                if module != "job":
                    await world.write(f"delete{module[0].upper()}{module[1:]}", {"key": {"databaseId": key}})
        told = {
            (module, number): await world.told(rights, module, where, since)
            for module in served
            for number, where in enumerate(FILTERS[module])
        }
        heard.append(told)
    assert heard[0] == heard[1]
    if name in ("administrator", "supervisor"):
        assert heard[0]["job", 0]


async def self_change(world: World, module: str, key: int) -> None:
    """Change a row in a way that leaves who may see it."""
    given = {"job": {"title": f"changed {key}"}, "tray": {"budget": 70 + key}, "firm": {"title": f"changed {key}"}}[
        module
    ]
    await world.write(f"update{module[0].upper()}{module[1:]}", {"key": {"databaseId": key}, "patch": given})


async def test_a_row_that_is_taken_away_is_gone_and_one_that_is_handed_over_comes(open_world: Any) -> None:
    """A row that leaves what somebody sees is told as deleted, without a value; its later life is not told."""
    world = open_world("")
    rights = rights_of(ROLES["reader"])  # sees users and alpha
    await world.write("createTray", {"tray": {"name": "wanderer", "grp": {"name": "alpha"}}})
    (number,) = (await world.database.fetch("SELECT id FROM w_tray WHERE name = 'wanderer'"))[0]
    key = {"databaseId": number}

    async def move(group: str) -> list[tuple[str, Any]]:
        since = await world.position()
        await world.write("updateTray", {"key": key, "patch": {"grp": {"name": group}}})
        told = [json.loads(item)["trayChanged"] for item in await world.told(rights, "tray", None, since)]
        return [(item["kind"], item["tray"] and item["tray"]["name"]) for item in told]

    assert await move("users") == [("UPDATED", "wanderer")]
    assert await move("gamma") == [("DELETED", None)]
    assert await move("beta") == []
    assert await move("alpha") == [("UPDATED", "wanderer")]
    since = await world.position()
    await world.write("updateTray", {"key": key, "patch": {"grp": {"name": "gamma"}}})
    between = await world.position()
    await world.write("deleteTray", {"key": key})
    assert [json.loads(item)["trayChanged"]["kind"] for item in await world.told(rights, "tray", None, between)] == []
    assert len(await world.told(rights, "tray", None, since)) <= 1


async def test_who_may_not_view_may_not_follow(open_world: Any) -> None:
    world = open_world("")
    context = Context(world.place.snapshot, world.database, SECRET, rights_of(ROLES["nobody"]))
    sent: list[str] = []
    world.database.statements = sent.append
    selections = select(context.schema, parse(DOCUMENTS["job"]), None, {})
    with pytest.raises(Exception, match="you may not view"):
        analyse_subscription(context, selections)
    assert sent == []
