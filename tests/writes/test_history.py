"""What was changed is kept, shown, and can be taken back."""

from typing import Any

import pytest

from identity.principals import Agent
from tests.writes.world import Desk, fresh

HISTORY = """query ($of: ID!, $first: Int = 50, $before: ID) {
  history(of: $of, first: $first, before: $before) {
    id kind by { kind id login } fields { field before after } undoes canBeUndone
  }
}"""
UNDO = """mutation ($change: ID!) {
  undo(input: {change: $change, clientMutationId: "u"}) {
    node { id __typename ... on Priority { name validity } ... on GroupUser { permission } }
    errors { code path messageKey } clientMutationId
  }
}"""


async def history(desk: Desk, of: str, **how: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.ask(HISTORY, {"of": of, **how}))["history"]
    return found


async def undo(desk: Desk, entry: dict[str, Any], **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.ask(UNDO, {"change": entry["id"]}, **how))["undo"]
    return found


async def rename(desk: Desk, row: dict[str, Any], name: str, **how: Any) -> None:
    payload = await desk.write("updatePriority", {"key": {"id": row["id"]}, "patch": {"name": name}}, **how)
    assert payload["errors"] == []


async def test_every_change_says_who_what_before_and_after(desk: Desk) -> None:
    first, second = fresh("p"), fresh("p")
    row = await desk.made("Priority", {"name": first})
    await rename(desk, row, second, caller=Agent(1, "root@localhost"))
    newest, oldest = await history(desk, row["id"])
    assert (newest["kind"], newest["fields"]) == ("UPDATED", [{"field": "name", "before": first, "after": second}])
    assert newest["by"] == {"kind": "agent", "id": 1, "login": "root@localhost"}
    assert (oldest["kind"], oldest["fields"][0]) == ("CREATED", {"field": "name", "before": None, "after": first})


async def test_a_history_is_read_page_by_page(desk: Desk) -> None:
    row = await desk.made("Priority", {"name": fresh("p")})
    for _ in range(4):
        await rename(desk, row, fresh("p"))
    whole = await history(desk, row["id"])
    pages = await history(desk, row["id"], first=2)
    pages += await history(desk, row["id"], first=3, before=pages[-1]["id"])
    assert pages == whole


async def test_a_write_that_changes_nothing_leaves_no_history(desk: Desk) -> None:
    name = fresh("p")
    row = await desk.made("Priority", {"name": name})
    await rename(desk, row, name)
    assert len(await history(desk, row["id"])) == 1


@pytest.mark.parametrize("again", ["20", "20.0", "20.00"])
async def test_the_same_number_with_other_digits_leaves_no_history(desk: Desk, again: str) -> None:
    row = await desk.made("Gadget", {"name": fresh("g"), "price": "20.00"})
    one = {"key": {"id": row["id"]}, "patch": {"price": again}}
    many = {"filter": {"id": {"eq": row["id"]}}, "patch": {"price": again}, "maxAffected": 1}
    for name, given in (("updateGadget", one), ("updateGadgets", many)):
        payload = await desk.write(name, given)
        assert payload["errors"] == []
    assert len(await history(desk, row["id"])) == 1


async def test_secrets_never_reach_the_history(desk: Desk) -> None:
    row = await desk.made("User", {"login": fresh("u"), "password": "open, sesame", "firstName": "A", "lastName": "B"})
    patch = {"key": {"id": row["id"]}, "patch": {"password": "another sesame", "title": "Dr."}}
    assert (await desk.write("updateUser", patch))["errors"] == []
    told = str(await history(desk, row["id"])) + str(await desk.database.fetch("SELECT fields FROM lambdesk_change"))
    assert "sesame" not in told
    assert "BCRYPT" not in told


async def test_of_a_row_that_nobody_can_name_there_is_no_history(desk: Desk) -> None:
    for of in ("", "nonsense", "WyJQcmlvcml0eSIsOTk5OTk5XQ", "WyJOb3BlIiwxXQ"):
        assert await history(desk, of) == []


async def test_undo_writes_the_values_before(desk: Desk) -> None:
    first, second = fresh("p"), fresh("p")
    row = await desk.made("Priority", {"name": first})
    await rename(desk, row, second)
    entry = (await history(desk, row["id"]))[0]
    assert entry["canBeUndone"]
    payload = await undo(desk, entry)
    assert payload["node"] == {"id": row["id"], "__typename": "Priority", "name": first, "validity": "VALID"}
    assert (payload["errors"], payload["clientMutationId"]) == ([], "u")
    newest = (await history(desk, row["id"]))[0]
    assert newest["undoes"] == entry["id"]
    assert newest["fields"] == [{"field": "name", "before": second, "after": first}]


async def test_undo_loses_nothing_that_came_after(desk: Desk) -> None:
    row = await desk.made("Priority", {"name": fresh("p")})
    await rename(desk, row, fresh("p"))
    entry = (await history(desk, row["id"]))[0]
    newer = fresh("p")
    await rename(desk, row, newer)
    payload = await undo(desk, entry)
    assert [(error["code"], error["messageKey"]) for error in payload["errors"]] == [("CONFLICT", "undo-changed")]
    name = await desk.ask("query ($id: ID!) { priority(by: {id: $id}) { name } }", {"id": row["id"]})
    assert name == {"priority": {"name": newer}}


async def test_undo_of_an_undo_does_it_again(desk: Desk) -> None:
    first, second = fresh("p"), fresh("p")
    row = await desk.made("Priority", {"name": first})
    await rename(desk, row, second)
    await undo(desk, (await history(desk, row["id"]))[0])
    payload = await undo(desk, (await history(desk, row["id"]))[0])
    assert payload["node"]["name"] == second


async def test_undo_of_a_new_row_removes_it_and_of_a_removed_one_brings_it_back(desk: Desk) -> None:
    user = await desk.made(
        "User", {"login": fresh("u"), "password": "zebras plough", "firstName": "A", "lastName": "B"}
    )
    given = {"user": {"id": user["id"]}, "group": {"name": "users"}, "permission": "RO"}
    row = await desk.made("GroupUser", given)
    assert (await undo(desk, (await history(desk, row["id"]))[0]))["errors"] == []
    gone = (await history(desk, row["id"]))[0]
    assert (gone["kind"], gone["canBeUndone"]) == ("DELETED", True)
    payload = await undo(desk, gone)
    assert payload["node"] == {"id": row["id"], "__typename": "GroupUser", "permission": "RO"}


async def test_undo_of_a_new_row_is_soft_where_deleting_is(desk: Desk) -> None:
    row = await desk.made("Priority", {"name": fresh("p")})
    payload = await undo(desk, (await history(desk, row["id"]))[0])
    assert payload["node"]["validity"] == "INVALID"


async def test_what_is_no_change_cannot_be_undone(desk: Desk) -> None:
    row = await desk.made("Priority", {"name": fresh("p")})
    entry = (await history(desk, row["id"]))[0]
    for change in ("", "nonsense", row["id"]):
        assert await desk.code(UNDO, {"change": change}) == "BAD_REQUEST"
    assert entry["id"] != row["id"]


@pytest.mark.parametrize("first", [-1, 501])
async def test_a_page_of_history_has_its_limits(desk: Desk, first: int) -> None:
    assert await desk.code(HISTORY, {"of": "x", "first": first}) == "BAD_REQUEST"
