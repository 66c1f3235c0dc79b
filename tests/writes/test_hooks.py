"""The slots of lambdas around a write: what they see, what they set, and that nothing is written where they cannot run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hooks import HookEvent, HookOutcome
from schema.spec import Field
from tests.writes.world import Desk, faults, fresh


@dataclass
class Script:
    """Plays the sandbox: `act` answers events, everything that was asked is in `events`."""

    act: Callable[[HookEvent], Any] = lambda _event: {}
    events: list[HookEvent] = field(default_factory=list)

    async def before(self, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        return [await self._say(event) for event in events]

    async def default(self, field: Field, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        return [HookOutcome({field.name: f"for {event.after['name']}"}) for event in events]

    async def _say(self, event: HookEvent) -> HookOutcome:
        self.events.append(event)
        try:
            found = self.act(event)
            return HookOutcome(await found if hasattr(found, "__await__") else found)
        except Faulty as faulty:
            return HookOutcome(faults=faulty.faults)


def reject(_event: HookEvent) -> Mapping[str, Any]:
    raise Faulty(Fault(FaultCode.LAMBDA_REJECTED, "lambda-rejected", ("name",), {"text": "not today"}))


SHOWN = "hooked { id name note }"


async def test_without_a_sandbox_a_module_with_hooks_takes_no_writes(desk: Desk) -> None:
    name = fresh()
    assert ("LAMBDA_FAILED", "hooked.note") in await desk.refused("createHooked", {"hooked": {"name": name}})
    given = {"hooked": {"name": name, "note": "x"}}
    assert await desk.refused("createHooked", given) == [("LAMBDA_FAILED", "hooked")]
    assert await desk.rows("hooked", f"name = '{name}'") == []
    made = await desk.made("Hooked", {"name": name}, "id", hooks=Script())
    assert await desk.refused("updateHooked", {"key": made, "patch": {"note": "y"}}) == [("LAMBDA_FAILED", "patch")]
    assert [code for code, _ in await desk.refused("deleteHooked", {"key": made})] == ["LAMBDA_FAILED"]
    assert await desk.rows("hooked", f"name = '{name}'", "note") == [(f"for {name}",)]


async def test_hooks_see_the_row_before_and_after_without_its_secrets(desk: Desk) -> None:
    script, name = Script(), fresh()
    made = await desk.made("Hooked", {"name": name, "note": "a", "pass": "hunter2"}, "id", hooks=script)
    await desk.write("updateHooked", {"key": made, "patch": {"note": "b", "pass": "hunter3"}}, hooks=script)
    await desk.write("deleteHooked", {"key": made}, hooks=script)
    assert [event.on for event in script.events] == ["before_create", "before_update", "before_delete"]
    create, update, delete = script.events
    assert (create.before, create.after) == ({}, {"name": name, "note": "a"})
    assert (update.before["note"], update.after["note"]) == ("a", "b")
    assert delete.before["note"] == "b"
    assert not any("pass" in {*event.before, *event.after} for event in script.events)


async def test_what_hooks_set_is_written(desk: Desk) -> None:
    script = Script(lambda event: {"note": f"{event.after['name']}!"})
    made = await desk.write("createHooked", {"hooked": {"name": fresh("h")}}, SHOWN, hooks=script)
    row = made["hooked"]
    assert row["note"] == f"{row['name']}!"
    name = fresh("h")
    changed = await desk.write("updateHooked", {"key": {"id": row["id"]}, "patch": {"name": name}}, SHOWN, hooks=script)
    assert changed["hooked"] == {"id": row["id"], "name": name, "note": f"{name}!"}


async def test_what_hooks_set_obeys_the_file_and_passwords_are_hashed(desk: Desk) -> None:
    long = Script(lambda _event: {"name": "x" * 21})
    assert await desk.refused("createHooked", {"hooked": {"name": fresh()}}, hooks=long) == [("INVALID", "hooked.name")]
    empty = Script(lambda _event: {"name": None})
    assert await desk.refused("createHooked", {"hooked": {"name": fresh()}}, hooks=empty) == [
        ("REQUIRED", "hooked.name")
    ]
    secret, name = Script(lambda _event: {"pass": "hunter2"}), fresh()
    made = await desk.made("Hooked", {"name": name}, "id", hooks=secret)
    assert (await desk.rows("hooked", f"name = '{name}'", "pass"))[0][0].startswith("BCRYPT:")
    assert await desk.refused("updateHooked", {"key": made, "patch": {"note": "x"}}, hooks=long) == [
        ("INVALID", "patch.name")
    ]


async def test_a_rejection_is_told_and_nothing_is_written(desk: Desk) -> None:
    name = fresh()
    payload = await desk.write("createHooked", {"hooked": {"name": name}}, hooks=Script(reject))
    assert faults(payload) == [("LAMBDA_REJECTED", "hooked.name")]
    assert payload["errors"][0]["message"] == "not today"
    made = await desk.made("Hooked", {"name": name}, "id", hooks=Script())
    assert await desk.refused("updateHooked", {"key": made, "patch": {"note": "y"}}, hooks=Script(reject)) == [
        ("LAMBDA_REJECTED", "patch.name")
    ]
    assert [code for code, _ in await desk.refused("deleteHooked", {"key": made}, hooks=Script(reject))] == [
        "LAMBDA_REJECTED"
    ]
    assert len(await desk.rows("hooked", f"name = '{name}'")) == 1


async def test_a_row_that_changed_after_its_hooks_ran_is_shown_to_them_again(desk: Desk) -> None:
    name = fresh()
    made = await desk.made("Hooked", {"name": name, "note": "a"}, "id databaseId", hooks=Script())
    seen = []

    async def meanwhile(event: HookEvent) -> Mapping[str, Any]:
        seen.append(event.before["note"])
        if len(seen) == 1:
            async with desk.database.transaction() as transaction:
                await transaction.execute(f"UPDATE hooked SET note = 'changed' WHERE id = {made['databaseId']}")  # noqa: S608
        return {"note": f"{event.before['note']}+"}

    patch = {"key": {"id": made["id"]}, "patch": {"name": fresh()}}
    assert (await desk.write("updateHooked", patch, "hooked { note }", hooks=Script(meanwhile)))["hooked"] == {
        "note": "changed+"
    }
    assert seen == ["a", "changed"]


async def test_a_row_that_never_stands_still_is_a_conflict(desk: Desk) -> None:
    made = await desk.made("Hooked", {"name": fresh(), "note": "0"}, "id databaseId", hooks=Script())

    async def always(event: HookEvent) -> Mapping[str, Any]:
        async with desk.database.transaction() as transaction:
            await transaction.execute(
                f"UPDATE hooked SET note = '{event.before['note']}1' WHERE id = {made['databaseId']}"  # noqa: S608
            )
        return {}

    given = {"key": {"id": made["id"]}, "patch": {"name": fresh()}}
    assert [code for code, _ in await desk.refused("updateHooked", given, hooks=Script(always))] == ["CONFLICT"]


async def test_an_upsert_runs_the_hooks_of_what_it_does(desk: Desk) -> None:
    script, name = Script(), fresh()
    given = {"key": {"name": name}, "hooked": {"name": name, "note": "a"}}
    assert (await desk.write("upsertHooked", given, "created", hooks=script))["created"] is True
    assert (await desk.write("upsertHooked", given, "created", hooks=script))["created"] is False
    assert [event.on for event in script.events] == ["before_create", "before_update"]


async def test_hooks_of_a_filter_are_asked_about_every_row(desk: Desk) -> None:
    names = [fresh("many"), fresh("many")]
    for name in names:
        await desk.made("Hooked", {"name": name}, "id", hooks=Script())
    script = Script(lambda event: {"note": f"{event.before['name']}?"})
    given = {"filter": {"name": {"in": names}}, "maxAffected": 5, "patch": {"note": "x"}}
    assert (await desk.write("updateHooks", given, "affected", hooks=script))["affected"] == 2
    assert await desk.rows("hooked", f"name IN {tuple(names)}", "note") == sorted((f"{name}?",) for name in names)
