"""What serves, and what does not: hot reload by the registry, without a watcher."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, validate_schema

from schema.build import HandWritten, build_schema
from schema.catalog import DynamicField
from schema.loading import VANISH_GRACE_S
from schema.placing import digest_of, place_of
from schema.publish import Basis, Superseded, publish, rollback
from schema.registry import REST_S, Registry
from schema.snapshot import ModuleState, ModuleStatus
from schema.spec import Audience, Module
from tests.schema.shelf import Shelf

HANG_S = 20  # what never comes is given up

ROOM = """\
module: {name: room, table: room}
fields:
  - {name: name, type: string, required: true, unique: true}
  - {name: seats, type: int}
access: {agent: {view: true}}
"""
DESK = """\
module: {name: desk, table: desk}
fields:
  - {name: name, type: string}
  - {name: room, type: reference, to: room}
access: {agent: {view: true}}
"""
EXTENSION = """\
module: {extend: room}
fields:
  - {name: floor, type: int}
"""


def builder(
    modules: Mapping[str, Module], before: Mapping[Audience, GraphQLSchema]
) -> Mapping[Audience, GraphQLSchema]:
    return {audience: build_schema(modules, audience, HandWritten(), before.get(audience)) for audience in Audience}


class World:
    """Two layers, a database in memory, a registry."""

    def __init__(self, folder: Path, *, refuse_breaking: bool = False) -> None:
        self.modules = folder / "modules"
        self.site = folder / "site"
        self.modules.mkdir(parents=True, exist_ok=True)
        self.site.mkdir(exist_ok=True)
        self.shelf = Shelf()
        self.refuse_breaking = refuse_breaking
        self.registry = self.restart()

    def restart(self) -> Registry:
        self.registry = Registry([self.modules, self.site], self.shelf, builder, refuse_breaking=self.refuse_breaking)
        return self.registry

    async def start(self, **files: str) -> None:
        self.write(files)
        await self.registry.start()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.modules / f"{name}.yaml").write_text(text)

    async def save(self, path: Path, text: str) -> None:
        path.write_text(text)  # noqa: ASYNC240 - a test folder
        await self.registry.reload()

    def status(self, name: str) -> ModuleStatus:
        return next(item for item in self.registry.snapshot.status if item.name == name)

    def fields(self, name: str) -> list[str]:
        module = self.registry.snapshot.modules[name]
        return [item.name for item in module.shown_fields]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_dropped_file_serves_and_its_table_is_made(world: World) -> None:
    await world.start(room=ROOM)
    assert world.status("room").state is ModuleState.LIVE
    assert "room" in world.shelf.tables.managed
    schema = world.registry.snapshot.schema_for(Audience.AGENT)
    assert schema.query_type is not None
    assert "rooms" in schema.query_type.fields


async def test_a_broken_file_keeps_its_last_good_version_and_takes_nobody_down(world: World) -> None:
    await world.start(room=ROOM, desk=DESK)
    await world.save(world.modules / "room.yaml", ROOM.replace("seats, type: int", "seats, type: itn"))
    status = world.status("room")
    assert status.state is ModuleState.STALE
    assert [(problem.code, problem.line) for problem in status.problems] == [("unknown-type", 4)]
    assert world.fields("room") == ["name", "seats"]
    assert world.status("desk").state is ModuleState.LIVE


async def test_a_mended_file_serves_again(world: World) -> None:
    await world.start(room=ROOM)
    await world.save(world.modules / "room.yaml", "module: [")
    await world.save(world.modules / "room.yaml", ROOM + "# mended\n")
    assert world.status("room").state is ModuleState.LIVE
    assert world.status("room").problems == ()


async def test_a_file_that_is_broken_at_a_restart_serves_from_the_database(world: World) -> None:
    await world.start(room=ROOM)
    (world.modules / "room.yaml").write_text("module: [")
    await world.restart().start()
    assert world.status("room").state is ModuleState.STALE
    assert world.fields("room") == ["name", "seats"]


async def test_a_file_that_was_never_good_is_broken_and_serves_nothing(world: World) -> None:
    await world.start(room="fields: []\n")
    assert world.status("room").state is ModuleState.BROKEN
    assert "room" not in world.registry.snapshot.modules


async def test_a_removed_file_takes_its_module_away_after_the_grace(world: World) -> None:
    await world.start(room=ROOM)
    (world.modules / "room.yaml").unlink()
    await world.registry.reload()
    assert "room" in world.registry.snapshot.modules, "an editor may be about to create it again"
    await asyncio.sleep(VANISH_GRACE_S + 0.05)
    await world.registry.reload()
    assert "room" not in world.registry.snapshot.modules
    assert "room" in world.shelf.tables.tables, "the rows stay"


async def test_a_renamed_file_is_the_same_module_at_once(world: World) -> None:
    await world.start(room=ROOM)
    (world.modules / "room.yaml").rename(world.modules / "rooms.yaml")
    await world.registry.reload()
    assert world.status("room").files == ("modules/rooms.yaml",)
    assert world.status("room").state is ModuleState.LIVE


async def test_a_module_may_move_into_a_sub_folder(world: World) -> None:
    await world.start(room=ROOM)
    (world.modules / "places").mkdir()
    (world.modules / "room.yaml").rename(world.modules / "places" / "room.yaml")
    await world.registry.reload()
    assert world.status("room").files == ("modules/places/room.yaml",)


async def test_two_files_of_one_layer_cannot_name_the_same_module(world: World) -> None:
    await world.start(room=ROOM)
    await world.save(world.modules / "zimmer.yaml", ROOM)
    status = world.status("room")
    assert status.state is ModuleState.STALE
    assert [problem.code for problem in status.problems] == ["duplicate-module"]
    assert "modules/room.yaml" in status.problems[0].message
    assert world.fields("room") == ["name", "seats"]


async def test_a_reference_to_a_missing_module_is_a_problem_and_the_rest_works(world: World) -> None:
    await world.start(desk=DESK)
    assert world.status("desk").problems[0].code == "missing-module"
    assert world.fields("desk") == ["name"]
    await world.save(world.modules / "room.yaml", ROOM)
    assert world.fields("desk") == ["name", "room"]
    assert world.status("desk").problems == ()


async def test_an_extension_adds_fields_and_its_removal_restores_the_original(world: World) -> None:
    await world.start(room=ROOM)
    await world.save(world.site / "room.yaml", EXTENSION)
    assert world.fields("room") == ["name", "seats", "floor"]
    assert world.status("room").files == ("modules/room.yaml", "site/room.yaml")
    (world.site / "room.yaml").unlink()
    await world.registry.reload()
    await asyncio.sleep(VANISH_GRACE_S + 0.05)
    await world.registry.reload()
    assert world.fields("room") == ["name", "seats"]


async def test_a_broken_extension_keeps_its_last_good_version(world: World) -> None:
    await world.start(room=ROOM)
    await world.save(world.site / "room.yaml", EXTENSION)
    await world.save(world.site / "room.yaml", EXTENSION.replace("type: int", "type: itn"))
    assert world.status("room").state is ModuleState.STALE
    assert world.fields("room") == ["name", "seats", "floor"]


async def test_an_extension_that_was_never_good_leaves_the_module_as_shipped(world: World) -> None:
    await world.start(room=ROOM)
    (world.site / "room.yaml").write_text(EXTENSION.replace("type: int", "type: itn"))
    await world.restart().start()
    assert world.status("room").state is ModuleState.STALE
    assert world.fields("room") == ["name", "seats"]


async def test_a_replacement_takes_the_place_of_what_is_shipped(world: World) -> None:
    await world.start(room=ROOM)
    replacement = ROOM.replace("name: room,", "name: room, replace: true,").replace("seats", "places")
    await world.save(world.site / "room.yaml", replacement)
    assert world.fields("room") == ["name", "places"]


async def test_two_modules_cannot_claim_one_graphql_name(world: World) -> None:
    await world.start(room=ROOM)
    other = ROOM.replace("name: room, table: room", "name: chamber, plural_name: rooms, table: chamber")
    await world.save(world.site / "chamber.yaml", other)
    assert world.status("chamber").state is ModuleState.BROKEN
    assert [problem.code for problem in world.status("chamber").problems] == ["name-clash"]
    assert world.status("room").state is ModuleState.LIVE


async def test_a_name_that_lambdesk_has_itself_is_refused(world: World) -> None:
    """The shared filter of several texts is called StringListFilter, whatever a module would like to call its own."""
    text = "module: {name: string_list, table: string_list}\nfields:\n  - {name: name, type: string}\n"
    await world.start(room=ROOM, string_list=text)
    assert [problem.message for problem in world.status("string_list").problems] == [
        "Module `string_list` makes the GraphQL name `StringListFilter`, which Lambdesk has itself."
    ]
    assert world.status("room").state is ModuleState.LIVE


async def test_a_name_made_twice_by_one_module_is_refused(world: World) -> None:
    options = "options: [{name: A, value: a, label: a}]"
    text = f"module: {{name: hall, table: hall}}\nfields:\n  - {{name: filter, type: select, {options}}}\n"
    await world.start(room=ROOM, hall=text)
    assert [problem.message for problem in world.status("hall").problems] == [
        "Module `hall` makes the GraphQL name `HallFilter` twice."
    ]
    assert world.status("room").state is ModuleState.LIVE


async def test_unchanged_modules_keep_their_identity_and_the_version_says_when_something_changed(world: World) -> None:
    await world.start(room=ROOM, desk=DESK)
    before = world.registry.snapshot
    await world.registry.reload()
    assert world.registry.snapshot is before
    await world.save(world.modules / "room.yaml", ROOM.replace("unique: true", "unique: true, help: Its name"))
    after = world.registry.snapshot
    assert after.version != before.version
    assert after.modules["desk"] is before.modules["desk"]


async def test_a_running_request_keeps_its_snapshot(world: World) -> None:
    await world.start(room=ROOM)
    mine = world.registry.snapshot
    await world.save(world.modules / "room.yaml", ROOM.replace("seats", "places"))
    assert "seats" in mine.modules["room"].members
    assert "places" in world.registry.snapshot.modules["room"].members


async def test_what_changed_is_described_and_a_breaking_change_goes_live_with_its_description(world: World) -> None:
    await world.start(room=ROOM)
    await world.save(world.modules / "room.yaml", ROOM.replace("{name: seats, type: int}", "{name: area, type: float}"))
    kinds = {item.kind for item in world.registry.snapshot.changes}
    assert {"ADDED", "BREAKING"} <= kinds
    assert any("Room.seats" in item.description for item in world.registry.snapshot.changes)
    assert world.status("room").state is ModuleState.LIVE


async def test_a_breaking_change_is_refused_where_that_is_set(tmp_path: Path) -> None:
    world = World(tmp_path, refuse_breaking=True)
    await world.start(room=ROOM)
    await world.save(world.modules / "room.yaml", ROOM.replace("{name: seats, type: int}", "{name: area, type: float}"))
    status = world.status("room")
    assert status.state is ModuleState.STALE
    assert [problem.code for problem in status.problems] == ["breaking-change"]
    assert "Room.seats" in status.problems[0].message
    assert world.fields("room") == ["name", "seats"]
    await world.save(world.modules / "room.yaml", ROOM.replace("fields:", "fields:\n  - {name: area, type: float}"))
    assert world.status("room").state is ModuleState.LIVE


async def test_versions_are_kept_once_each_and_can_be_rolled_back(world: World) -> None:
    await world.start(room=ROOM)
    changed = ROOM.replace("seats", "places")
    await world.save(world.modules / "room.yaml", changed)
    await world.registry.reload()
    assert [item.source for item in await world.shelf.versions("room")] == [changed, ROOM]
    await world.restart().start()
    assert len(world.shelf.kept) == 2, "a restart records nothing new"
    folders = [world.modules, world.site]
    published = await rollback(world.registry, world.shelf, folders, "room", author="ada")
    assert published.file == world.modules / "room.yaml"
    await world.registry.reload()
    assert world.fields("room") == ["name", "seats"]
    assert [item.author for item in await world.shelf.versions("room")] == ["ada", "file", "file"]
    with pytest.raises(LookupError, match=r"Module `room` has no version 99; it has 3, 2, 1\."):
        await rollback(world.registry, world.shelf, folders, "room", 99)


async def test_publishing_checks_first_and_writes_nothing_that_is_broken(world: World) -> None:
    await world.start(room=ROOM)
    folders = [world.modules, world.site]
    refused = await publish(world.registry, folders, EXTENSION.replace("type: int", "type: itn").encode())
    assert refused.file is None
    assert [problem.code for problem in refused.outcome.problems] == ["unknown-type"]
    assert list(world.site.iterdir()) == []
    published = await publish(world.registry, folders, EXTENSION.encode())
    assert published.file == world.site / "room.yaml"
    assert [change.kind for change in published.outcome.changes]
    assert "lambdesk_ext_room" not in world.shelf.tables.tables, "a check makes no table"
    await world.registry.reload()
    assert world.fields("room") == ["name", "seats", "floor"]


async def test_publishing_refuses_to_break_clients_when_asked_to(world: World) -> None:
    await world.start(room=ROOM)
    folders = [world.modules, world.site]
    data = ROOM.replace("seats", "places").encode()
    refused = await publish(world.registry, folders, data, file="modules/room.yaml", refuse_breaking=True)
    assert refused.file is None
    assert [problem.code for problem in refused.outcome.problems] == ["breaking-change"]
    assert (world.modules / "room.yaml").read_text() == ROOM


async def test_of_two_publishers_that_started_from_the_same_file_one_wins(world: World) -> None:
    await world.start(room=ROOM)
    folders = [world.modules, world.site]
    basis = Basis(digest=digest_of(world.modules / "room.yaml"))
    drafts = [ROOM.replace("seats", name).encode() for name in ("places", "chairs")]

    async def attempt(data: bytes, basis: Basis) -> bytes | None:
        try:
            await publish(world.registry, folders, data, file="modules/room.yaml", basis=basis)
        except Superseded:
            return None
        return data

    done = await asyncio.gather(*(attempt(data, basis) for data in drafts))
    assert done.count(None) == 1
    assert (world.modules / "room.yaml").read_bytes() in done

    served = Basis(version=world.status("room").version)  # the new file is not loaded yet, but it counts
    assert await attempt(ROOM.encode(), served) is None
    served = Basis(version=world.status("room").version)
    assert await attempt(ROOM.encode(), served) == ROOM.encode()


async def test_a_new_file_can_be_asked_to_be_new(world: World) -> None:
    await world.start(room=ROOM)
    folders = [world.modules, world.site]
    new = Basis(digest="")

    assert (await publish(world.registry, folders, EXTENSION.encode(), basis=new)).file
    with pytest.raises(Superseded):
        await publish(world.registry, folders, EXTENSION.encode(), basis=new)


async def test_a_folder_that_cannot_be_written_keeps_no_version_that_was_never_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start(room=ROOM)
    before = list(world.shelf.kept)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("schema.placing.tempfile.mkstemp", refuse)
    with pytest.raises(OSError, match="Read-only file system"):
        await publish(world.registry, [world.modules, world.site], EXTENSION.encode(), keeper=world.shelf)

    assert world.shelf.kept == before
    assert list(world.site.iterdir()) == []


@pytest.mark.parametrize(
    "shown",
    [
        "site//etc/passwd.yaml", "site/../modules/room.yaml", "site/a/../../room.yaml", "/etc/room.yaml", "room.yaml", "site/",
        "site/room.txt", "site/.room.yaml", "site/room\x00.yaml", "site/out/room.yaml", "elsewhere/room.yaml",
    ],
)  # fmt: skip
def test_a_path_that_no_module_file_can_have_is_refused(world: World, shown: str) -> None:
    (world.site / "out").symlink_to("/")
    with pytest.raises(LookupError):
        place_of([world.modules, world.site], shown)


def test_a_path_in_a_folder_leads_there(world: World) -> None:
    assert place_of([world.modules, world.site], "site/desk/room.yml") == world.site / "desk" / "room.yml"


async def test_while_the_database_is_away_the_registry_waits_and_then_loads(world: World) -> None:
    (world.modules / "room.yaml").write_text(ROOM)
    world.shelf.away = True
    stop = asyncio.Event()
    serving = asyncio.create_task(world.registry.serve(stop))
    await asyncio.sleep(0.05)
    assert not world.registry.is_loaded
    world.shelf.away = False
    snapshot = await asyncio.wait_for(world.registry.newer(0), HANG_S)
    assert "room" in snapshot.modules
    stop.set()
    await asyncio.wait_for(serving, HANG_S)


async def test_a_thousand_calls_cost_few_builds_and_the_last_version_wins(world: World) -> None:
    await world.start(room=ROOM)
    stop = asyncio.Event()
    serving = asyncio.create_task(world.registry.serve(stop))
    first = world.registry.snapshot.number
    for turn in range(1_000):
        (world.modules / "room.yaml").write_text(ROOM.replace("seats", f"seats_{turn}"))
        world.registry.changed()
        if turn % 100 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(HANG_S):
        async for snapshot in world.registry.changes():
            if snapshot.modules["room"].field_named("seats_999"):
                break
    assert world.registry.snapshot.number - first < 100
    stop.set()
    await asyncio.wait_for(serving, HANG_S)


async def test_news_is_told_before_its_version_is_recorded(world: World) -> None:
    await world.start(room=ROOM)
    stop = asyncio.Event()
    serving = asyncio.create_task(world.registry.serve(stop))
    world.write({"room": ROOM.replace("seats", "places")})
    world.registry.changed()
    snapshot = await asyncio.wait_for(world.registry.newer(1), HANG_S)
    assert "places" in snapshot.modules["room"].members
    assert len(world.shelf.kept) == 1
    await asyncio.sleep(REST_S * 4)
    assert len(world.shelf.kept) == 2
    stop.set()
    await asyncio.wait_for(serving, HANG_S)


async def test_what_changed_is_found_out_when_somebody_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    describe = Mock(return_value=())
    monkeypatch.setattr("schema.registry.describe", describe)
    await world.start(room=ROOM)
    await world.save(world.modules / "room.yaml", ROOM.replace("seats", "places"))
    describe.assert_not_called()
    assert (world.registry.snapshot.changes, world.registry.snapshot.changes) == ((), ())
    describe.assert_called_once()


async def test_subscribers_see_every_published_snapshot_or_skip_to_the_newest(world: World) -> None:
    await world.start(room=ROOM)
    changes = world.registry.changes()
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    await world.save(world.modules / "desk.yaml", DESK)
    assert (await asyncio.wait_for(waiting, HANG_S)) is world.registry.snapshot


async def test_old_snapshots_die(world: World) -> None:
    await world.start(room=ROOM)
    old = weakref.ref(world.registry.snapshot.schema_for(Audience.AGENT))
    await world.save(world.modules / "room.yaml", ROOM.replace("seats", "places"))
    await world.save(world.modules / "room.yaml", ROOM.replace("seats", "chairs"))
    gc.collect()
    assert old() is None


async def test_a_module_whose_target_cannot_be_bound_works_without_that_field(world: World) -> None:
    """The target's file is fine, but its table is not there and may not be made: `key` is missing for a view-like table."""
    await world.start(room=ROOM.replace("table: room", "table: oauth2_token"), desk=DESK)
    assert world.status("room").state is ModuleState.BROKEN
    assert world.status("desk").state is ModuleState.LIVE
    for audience in Audience:
        schema = world.registry.snapshot.schema_for(audience)
        assert validate_schema(schema) == []
        dict(schema.type_map)  # every type can be made


async def test_a_dynamic_field_that_otrs_adds_appears_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.registry.RECHECK_S", 0.05)
    ticket = ROOM.replace("name: room, table: room", "name: ticket, table: ticket")
    await world.start(ticket=ticket)
    stop = asyncio.Event()
    serving = asyncio.create_task(world.registry.serve(stop))
    added = DynamicField(7, "Region", "Region", "Ticket", "Dropdown", {"north": "North"})
    world.shelf.tables = replace(world.shelf.tables, dynamic_fields=(added,))
    async with asyncio.timeout(HANG_S):
        async for snapshot in world.registry.changes():
            if "region" in snapshot.modules["ticket"].members:
                break
    stop.set()
    await asyncio.wait_for(serving, HANG_S)


async def test_customers_see_a_dynamic_field_only_where_a_rule_names_it(world: World) -> None:
    region = DynamicField(7, "Region", "Region", "Ticket", "Dropdown", {"north": "North"})
    impact = DynamicField(8, "Impact", "Impact", "Ticket", "Text")
    world.shelf.tables = replace(world.shelf.tables, dynamic_fields=(region, impact))
    access = "access: {agent: {view: true}, customer: {view: true}, fields: {DynamicField_Region: {customer: true}}}"
    ticket = ROOM.replace("name: room, table: room", "name: ticket, table: ticket")
    await world.start(ticket=ticket.replace("access: {agent: {view: true}}", access))
    assert world.status("ticket").problems == ()
    seen = {}
    for audience in Audience:
        kind = world.registry.snapshot.schema_for(audience).get_type("Ticket")
        assert isinstance(kind, GraphQLObjectType)
        seen[audience] = set(kind.fields) & {"region", "impact"}
    assert seen == {Audience.AGENT: {"region", "impact"}, Audience.CUSTOMER: {"region"}}


async def test_an_extension_that_does_not_fit_the_database_leaves_the_module_as_shipped(world: World) -> None:
    """An error that only the tables show is no worse than one that the file shows."""
    wrong = 'module: {extend: room}\ncomputed_fields:\n  - {name: twice, type: int, sql: "seets * 2"}\n'
    await world.start(room=ROOM)
    await world.save(world.site / "room.yaml", wrong)
    assert world.status("room").state is ModuleState.STALE
    assert [(problem.code, problem.file) for problem in world.status("room").problems] == [
        ("bad-expression", "site/room.yaml")
    ]
    assert world.fields("room") == ["name", "seats"]
    await world.restart().start()
    assert world.status("room").state is ModuleState.STALE
    assert world.fields("room") == ["name", "seats"]


async def test_a_broken_file_makes_no_table(world: World) -> None:
    await world.start(room=ROOM)
    text = EXTENSION + 'computed_fields:\n  - {name: twice, type: int, sql: "seets * 2"}\n'
    await world.save(world.site / "room.yaml", text)
    assert "lambdesk_ext_room" not in world.shelf.tables.tables
    assert "floor" not in world.shelf.tables.tables["room"].columns


async def test_a_broken_replacement_leaves_what_is_shipped(world: World) -> None:
    await world.start(room=ROOM)
    replacement = ROOM.replace("name: room,", "name: room, replace: true,").replace("type: int", "type: itn")
    await world.save(world.site / "room.yaml", replacement)
    assert world.status("room").state is ModuleState.STALE
    await world.restart().start()
    assert world.status("room").state is ModuleState.STALE
    assert world.fields("room") == ["name", "seats"]


async def test_a_module_that_another_one_breaks_goes_on_serving(world: World) -> None:
    """A row rule leads through a reference that the other module no longer has."""
    rule = "access: {agent: {view: true, rows: {room: {name: {eq: x}}}}}"
    await world.start(room=ROOM, desk=DESK.replace("access: {agent: {view: true}}", rule))
    await world.save(world.modules / "room.yaml", ROOM.replace("name: name,", "name: title,"))
    assert "desk" in world.registry.snapshot.modules
    assert world.status("desk").problems != ()


async def test_a_breaking_change_is_still_refused_after_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path, refuse_breaking=True)
    await world.start(room=ROOM)
    await world.save(world.site / "room.yaml", EXTENSION)
    await world.save(world.site / "room.yaml", EXTENSION.replace("floor", "storey"))
    for turn in range(2):
        if turn:
            await world.restart().start()
        status = world.status("room")
        assert status.state is ModuleState.STALE
        assert [(problem.code, problem.file) for problem in status.problems] == [("breaking-change", "site/room.yaml")]
        assert world.fields("room") == ["name", "seats", "floor"]
    assert world.registry.snapshot.number == 1


async def test_all_problems_come_at_once_those_of_the_file_and_those_of_the_tables(world: World) -> None:
    await world.start(room=ROOM)
    text = ROOM.replace("fields:", "feilds: []\nfields:") + (
        'computed_fields:\n  - {name: twice, type: int, sql: "seets * 2"}\n'
        "relations:\n  - {name: desks, to: desk, by: room}\n"
    )
    await world.save(world.modules / "room.yaml", text)
    codes = {problem.code for problem in world.status("room").problems}
    assert {"unknown-key", "bad-expression", "missing-module"} <= codes
    assert all(problem.line > 1 and problem.excerpt for problem in world.status("room").problems)


async def test_a_reference_to_a_broken_module_names_its_file(world: World) -> None:
    await world.start(desk=DESK, room="module: {name: room}\nfields: 7\n")
    assert "modules/room.yaml" in world.status("desk").problems[0].message
    (world.modules / "room.yaml").unlink()
    await asyncio.sleep(0)
    await world.save(world.modules / "desk.yaml", DESK + "# again\n")
    await asyncio.sleep(VANISH_GRACE_S + 0.05)
    await world.registry.reload()
    assert "there is no module `room`" in world.status("desk").problems[0].message
