"""A save costs the work of one file, and what comes out is what looking at every file again would give."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from schema.assembly import Binder
from schema.build import LambdeskSchema
from schema.loading import Loader
from schema.ports import Refusal
from schema.registry import Registry
from schema.snapshot import ModuleStatus, Snapshot
from schema.spec import Audience, Module
from tests.schema.shelf import Shelf
from tests.schema.test_registry import DESK, EXTENSION, ROOM, World, builder

CHAIR = """\
module: {name: chair, table: chair}
fields:
  - {name: desk, type: reference, to: desk}
computed_fields:
  - {name: label, type: string, needs: [desk.room.name], lambda: return 1}
access: {agent: {view: true}}
"""
TEXTS = {
    "room": (ROOM, ROOM.replace("seats", "places"), ROOM.replace("name: name", "name: title"), "module: [", None),
    "desk": (DESK, DESK.replace("to: room", "to: hall"), DESK.replace("name: room", "name: place"), None),
    "chair": (
        CHAIR,
        CHAIR.replace("desk.room.name", "desk.place.title"),
        CHAIR.replace("to: desk", "to: nothing"),
        CHAIR.replace("name: chair,", "name: chair, plural_name: rooms,"),
    ),
    "hall": (ROOM.replace("room", "hall"), "module: {name: hall}\n", None),
    "../site/room": (EXTENSION, EXTENSION.replace("floor", "storey"), EXTENSION.replace("int", "itn"), None),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def shown(snapshot: Snapshot) -> list[tuple[object, ...]]:
    def of(item: ModuleStatus) -> tuple[object, ...]:
        return item.name, item.state, item.version, item.files, item.problems

    return [of(item) for item in snapshot.status]


def owners(snapshot: Snapshot, audience: Audience) -> list[list[tuple[str, str]]]:
    """Whose every name of a schema is, in its order."""
    schema = snapshot.schema_for(audience)
    assert isinstance(schema, LambdeskSchema)
    kinds = (schema.types, schema.query_fields, schema.mutation_fields, schema.subscription_fields)
    for kind in kinds:
        for name in kind:
            owner = kind.owner(name)
            assert not isinstance(owner, Module) or owner is snapshot.modules[owner.name]
    return [[(name, getattr(kind.owner(name), "name", "")) for name in kind] for kind in kinds]


@pytest.mark.parametrize("seed", range(6))
async def test_taking_over_what_did_not_change_comes_to_the_same_as_looking_at_everything(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.loading.VANISH_GRACE_S", 0.0)
    choose = random.Random(seed)
    await world.start(room=ROOM, desk=DESK, chair=CHAIR)
    registry = world.registry
    careful = Registry([world.modules, world.site], Shelf(), lambda modules, _before: builder(modules, {}))
    await careful.start()
    for _ in range(25):
        name = choose.choice(sorted(TEXTS))
        path, text = world.modules / f"{name}.yaml", choose.choice(TEXTS[name])
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)
        await registry.reload()
        careful._loader._drafts.clear()
        careful._binder._last.clear()
        careful._clear = {}
        await careful.reload()
        assert shown(registry.snapshot) == shown(careful.snapshot)
        assert registry.snapshot.version == careful.snapshot.version
        for audience in Audience:
            assert owners(registry.snapshot, audience) == owners(careful.snapshot, audience)


def test_a_file_that_did_not_change_is_not_made_into_a_module_again(world: World) -> None:
    world.write({"room": ROOM, "desk": DESK, "hall": "module: ["})
    loader = Loader([world.modules, world.site])
    before = {draft.name: draft for draft in loader.load()}
    world.write({"room": ROOM + "# saved\n"})
    after = {draft.name: draft for draft in loader.load()}
    assert {name for name, draft in after.items() if draft is before[name]} == {"desk"}


async def test_only_what_leads_to_a_change_is_bound_again(world: World) -> None:
    await world.start(room=ROOM, desk=DESK, chair=CHAIR, hall=ROOM.replace("room", "hall"))
    rounds = Rounds(world)
    assert rounds.bound_again() == {"room", "desk", "chair", "hall"}
    assert rounds.bound_again() == set()
    world.write({"room": ROOM + "# saved\n"})
    assert rounds.bound_again() == {"room", "desk", "chair"}


async def test_a_round_that_did_not_come_to_its_end_leaves_nothing_to_rely_on(world: World) -> None:
    await world.start(room=ROOM, desk=DESK)
    rounds = Rounds(world)
    rounds.bound_again()
    rounds.bound_again(ends=False)
    assert rounds.bound_again() == {"room", "desk"}


async def test_everything_is_looked_at_again_when_the_database_refuses_a_table(world: World) -> None:
    await world.start(room=ROOM, desk=DESK)
    rounds = Rounds(world)
    rounds.bound_again()
    assert rounds.bound_again(refusals={"room": [Refusal("room", None, "no")]}) == {"room", "desk"}


class Rounds:
    """Rounds of binding the files of a world, without a registry around them."""

    def __init__(self, world: World) -> None:
        self.loader = Loader([world.modules, world.site])
        self.binder = Binder()
        self.catalog = world.shelf.tables
        self.last: dict[str, object] = {}

    def bound_again(self, *, ends: bool = True, refusals: dict[str, list[Refusal]] | None = None) -> set[str]:
        """Name the modules that a round did not take over from the last one."""
        drafts = self.loader.load()
        others = {draft.name: draft.first.module for draft in drafts if draft.first}
        self.binder.begin(self.catalog, others, refusals or {}, {})
        bound = {draft.name: self.binder.bind(draft, self.catalog, others, refusals or {}, {}) for draft in drafts}
        if ends:
            self.binder.finish({name: item.module for name, item in bound.items() if item.module is not None})
        before, self.last = self.last, dict(bound)
        return {name for name, item in bound.items() if item is not before.get(name)}
