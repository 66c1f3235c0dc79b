"""Every write of a module with hooks after it is noted for them, with the row, in the transaction of the write."""

from typing import Any

import pytest

from identity.rights import unbounded
from resolvers import ledger, outbox
from resolvers.context import Context
from resolvers.gate import Gate
from resolvers.import_order import ImportOrder, plan_import
from resolvers.import_run import ImportRun
from storage.errors import Unavailable
from tests.outbox.world import SECRET, World


async def test_a_new_row_is_told_as_it_is_in_the_database_without_its_secrets(world: World) -> None:
    number = await world.asset(
        "Chair",
        price="12.50",
        bought="2026-03-01T10:00:00Z",
        extra={"a": [1, None]},
        owner={"databaseId": 1},
        pinCode="1234",
    )
    (told,) = await world.told()
    assert told["before"] is None
    assert told["item"] == {
        "name": "Chair",
        "price": "12.5",
        "bought": "2026-03-01T10:00:00Z",
        "extra": {"a": [1, None]},
        "owner": 1,
    }
    assert await world.noted("module", "row_key", "hook", "caller_kind", "caller_id", "depth", "state") == [
        ("asset", f"[{number}]", "after_create 1", "system", 0, 0, "open")
    ]


async def test_each_hook_is_told_of_a_change_what_was_and_what_is(world: World) -> None:
    number = await world.asset("Chair", price="12.50")
    await world.api.done("updateAsset", "asset { name }", key={"databaseId": number}, patch={"name": "Stool"})
    _, first, second = await world.told()
    assert (first["before"]["name"], first["item"]["name"]) == ("Chair", "Stool")
    assert first["before"]["price"] == first["item"]["price"] is not None
    assert first == second
    assert [row[0] for row in await world.noted("hook")] == ["after_create 1", "after_update 1", "after_update 2"]
    codes = [row[0] for row in await world.noted("code")]
    assert len(set(codes)) == 3, "hooks are told apart by their text"


async def test_a_removed_row_is_told_as_it_was(world: World) -> None:
    number = await world.asset("Chair")
    await world.api.done("deleteAsset", "clientMutationId", key={"databaseId": number})
    told = (await world.told())[-1]
    assert told["item"]["name"] == "Chair"
    assert told["before"] == told["item"]


async def test_what_changes_nothing_and_what_is_refused_is_not_noted(world: World) -> None:
    number = await world.asset("Chair")
    before = len(await world.noted("id"))
    await world.api.done("updateAsset", "clientMutationId", key={"databaseId": number}, patch={"name": "Chair"})
    assert await world.api.refused("createAsset", asset={"name": "Chair"}) != []
    assert len(await world.noted("id")) == before


async def test_setting_a_row_invalid_by_deleting_it_is_a_removal_and_restoring_it_a_change(world: World) -> None:
    made = await world.api.done("createShelf", "shelf { databaseId }", shelf={"name": "A"})
    key = {"databaseId": made["shelf"]["databaseId"]}
    await world.api.done("deleteShelf", "clientMutationId", key=key)
    await world.api.done("restoreShelf", "clientMutationId", key=key)
    await world.api.done("updateShelf", "clientMutationId", key=key, patch={"validity": "INVALID"})
    assert [row[0] for row in await world.noted("hook")] == ["after_delete 1", "after_update 1", "after_update 1"]
    removed, restored, changed = await world.told()
    assert (removed["item"]["validity"], restored["item"]["validity"], changed["item"]["validity"]) == (1, 1, 2)


async def test_lists_filters_and_upserts_are_noted_row_by_row(world: World) -> None:
    many = [{"name": f"Desk {number}"} for number in range(3)]
    await world.api.done("createAssets", "affected", assets=many)
    desks = {"name": {"startsWith": "Desk"}}
    await world.api.done("updateAssets", "affected", filter=desks, patch={"price": "7"}, maxAffected=10)
    await world.api.done("upsertAsset", "created", key={"name": "Lamp"}, asset={"name": "Lamp"})
    await world.api.done("deleteAssets", "affected", filter={"name": {"eq": "Lamp"}}, maxAffected=1)
    hooks = [row[0] for row in await world.noted("hook")]
    assert hooks == [
        *["after_create 1"] * 3,
        *["after_update 1", "after_update 2"] * 3,
        "after_create 1",
        "after_delete 1",
    ]
    changed = (await world.told())[3:9]
    assert [told["item"]["name"] for told in changed[::2]] == ["Desk 0", "Desk 1", "Desk 2"]
    assert {(told["before"]["price"], float(told["item"]["price"])) for told in changed} == {(None, 7.0)}


async def test_what_is_taken_back_is_a_change_like_any_other(world: World) -> None:
    number = await world.asset("Chair")
    patch = {"name": "Stool"}
    made = await world.api.done("updateAsset", "asset { id }", key={"databaseId": number}, patch=patch)
    query = "query ($of: ID!) { history(of: $of) { id } }"
    newest = (await world.api.data(query, of=made["asset"]["id"]))["history"][0]["id"]
    await world.api.done("undo", "clientMutationId", change=newest)
    told = (await world.told())[-1]
    assert (told["before"]["name"], told["item"]["name"]) == ("Stool", "Chair")


async def test_what_is_done_to_tickets_and_articles_is_noted(world: World) -> None:
    article = {"subject": "Help", "body": "It does not print."}
    first = await world.api.ticket("Printer", article=article)
    second = await world.api.ticket("Scanner")
    await world.api.done("addArticle", "clientMutationId", ticket={"databaseId": first}, article=article)
    await world.api.done("mergeTickets", "clientMutationId", ticket={"databaseId": second}, into={"databaseId": first})
    noted = [(module, hook) for module, hook in await world.noted("module", "hook")]
    assert noted[:3] == [("ticket", "after_create 1"), ("article", "after_create 1"), ("ticket", "after_create 1")]
    assert noted[3:5] == [("ticket", "after_update 1"), ("article", "after_create 1")]
    assert noted.count(("ticket", "after_update 1")) >= 3, "of a merge both tickets"
    told = (await world.told())[0]["item"]
    assert told["title"] == "Printer"
    assert told["number"], "what the desk adds is told, too"


async def test_an_import_is_noted_row_by_row(world: World) -> None:
    await world.asset("Two")
    snapshot = world.api.snapshot
    context = Context(snapshot, world.database, SECRET, unbounded(world.api.caller))
    order = ImportOrder("asset", b"name,price\nOne,1\nTwo,2\n", "csv", {}, "name", dry_run=False)
    plan = await plan_import(context, Gate(context.access, snapshot.by_table), order)
    assert await ImportRun(context, world.api.writing, plan, lambda: None).run()
    assert [row[0] for row in await world.noted("hook")][1:] == ["after_update 1", "after_update 2", "after_create 1"]


async def test_where_no_module_of_a_write_has_such_hooks_nothing_is_asked_of_the_database(world: World) -> None:
    seen: list[str] = []
    world.database.statements = seen.append
    await world.api.done("createTrail", "clientMutationId", trail={"text": "x"})
    assert not [text for text in seen if "lambdesk_outbox" in text]
    assert await world.noted("id") == []


async def test_a_write_that_is_rolled_back_leaves_nothing_for_its_hooks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: Any) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(ledger, "note", break_down)
    answer = await world.api.ask('mutation { createAsset(input: {asset: {name: "Chair"}}) { clientMutationId } }')
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert await world.noted("id") == []


async def test_a_row_that_is_too_large_is_noted_as_failed_and_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PAYLOAD_LIMIT_BYTES", 1_000)
    await world.asset("Chair", extra={"text": "x" * 2_000})
    assert await world.noted("state", "failure_code", "payload") == [("failed", "LAMBDA_INPUT", "{}")]
    assert len(await world.api.rows("asset")) == 1
