"""Permissions are stored as OTRS does: a row a key, and `rw` alone; what is stored is what the access rules read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from identity.rights import KEYS
from resolvers.conduct import ChangeKind
from resolvers.ids import write_id
from resolvers.past import write_change_id
from tests.desk.api import Api
from tests.desk.people import People

PATH = ["groupUser", "permission"]


@pytest.fixture
def people(api: Api) -> People:
    return People(api)


def grant(agent: Any, group: int, permission: str) -> dict[str, Any]:
    return {"user": {"databaseId": agent.id}, "group": {"databaseId": group}, "permission": permission}


async def held(api: Api, agent: Any, group: int) -> list[str]:
    rows = await api.rows("group_user", f"user_id = {agent.id} AND group_id = {group}", "permission_key")
    return [row[0] for row in rows]


async def test_rw_takes_the_place_of_what_was_there_and_the_history_says_so(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    for key in ("RO", "NOTE"):
        await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, key))
    assert await people.keys(agent, group) == {"ro", "note"}

    await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, "RW"))

    rows = await people.stored("group_user", f"user_id = {agent.id}")
    assert rows == [(agent.id, group, "rw", 1, 1)]
    assert await people.keys(agent, group) == set(KEYS)
    begin = f"[{agent.id},{group},"
    where = f"module = 'group_user' AND SUBSTR(row_key, 1, {len(begin)}) = '{begin}'"
    told = await api.rows("lambdesk_change", where, "kind, row_key, fields")
    assert [(kind, json.loads(key)[2]) for kind, key, _ in told] == [
        (1, "note"),
        (1, "ro"),
        (1, "rw"),
        (3, "note"),
        (3, "ro"),
    ]
    assert json.loads(told[-1][2]) == {"user": [agent.id, None], "group": [group, None], "permission": ["ro", None]}


async def test_nothing_more_is_stored_beside_rw(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, "RW"))

    found = await api.refused("createGroupUser", groupUser=grant(agent, group, "RO"))

    assert found == [("INVALID", "permission-implied", PATH)]
    assert await held(api, agent, group) == ["rw"]


@pytest.mark.parametrize("order", [("RO", "RW"), ("RW", "RO")])
async def test_rows_that_are_written_together_are_held_against_each_other(
    api: Api, people: People, order: tuple[str, str]
) -> None:
    agent, group = await people.agent(), await people.group()
    rows = [grant(agent, group, key) for key in order]

    payload = await api.do("createGroupUsers", "affected rows { errors { messageKey } }", groupUsers=rows)

    assert payload["affected"] in (0, None)
    assert "permission-implied" in [error["messageKey"] for row in payload["rows"] for error in row["errors"]]
    assert await held(api, agent, group) == []


async def test_of_rows_that_may_fail_one_by_one_rw_stays(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    rows = [grant(agent, group, key) for key in ("RO", "RW", "NOTE")]

    payload = await api.do("createGroupUsers", "rows { errors { messageKey } }", groupUsers=rows, policy="SKIP_FAILED")

    assert [[error["messageKey"] for error in row["errors"]] for row in payload["rows"]] == [
        [],
        [],
        ["permission-implied"],
    ]
    assert await held(api, agent, group) == ["rw"]


async def test_taking_rw_away_leaves_nothing_and_undoing_that_gives_it_again(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, "RO"))
    made = await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, "RW"))

    await api.done("deleteGroupUser", "clientMutationId", key={"id": made["groupUser"]["id"]})
    assert (await held(api, agent, group), await people.keys(agent, group)) == ([], set())

    where = f"module = 'group_user' AND row_key = '[{agent.id},{group},\"rw\"]' AND kind = 3"
    ((change,),) = await api.rows("lambdesk_change", where, "id")
    await api.done("createGroupUser", "groupUser { id }", groupUser=grant(agent, group, "NOTE"))
    await api.done("undo", "clientMutationId", change=write_change_id("GroupUser", change, ChangeKind.DELETED))
    assert await held(api, agent, group) == ["rw"]


async def test_roles_companies_and_customers_follow_the_same_rule(api: Api, people: People) -> None:
    role, group, customer = await people.role(), await people.group(), await people.customer()
    to = {"group": {"databaseId": group}}
    holders: list[tuple[str, str, dict[str, Any], list[Any]]] = [
        ("GroupRole", "group_role", {"role": {"databaseId": role}}, [(role, group, "rw", 1, 1, 1)]),
        (
            "GroupCustomer",
            "group_customer",
            {"company": {"databaseId": customer.company}, "context": "Ticket::CustomerID::Same"},
            [(customer.company, group, "rw", 1, "Ticket::CustomerID::Same", 1, 1)],
        ),
        (
            "GroupCustomerUser",
            "group_customer_user",
            {"customerUser": {"login": customer.login}},
            [(customer.login, group, "rw", 1, 1, 1)],
        ),
    ]
    for name, table, who, expected in holders:
        record = name[0].lower() + name[1:]
        for key in ("RO", "RW"):
            await api.done(f"create{name}", f"{record} {{ id }}", **{record: {**who, **to, "permission": key}})
        found = await api.refused(f"create{name}", **{record: {**who, **to, "permission": "RO"}})
        assert found == [("INVALID", "permission-implied", [record, "permission"])]
        assert await people.stored(table, f"group_id = {group}") == expected
        await people.execute(f"DELETE FROM {table} WHERE group_id = {group}")  # noqa: S608 - our words
        denied = await api.refused(f"create{name}", **{record: {**who, **to, "permission": "RO", "granted": False}})
        assert denied == [("INVALID", "permission-not-granted", [record, "granted"])]


async def test_companies_hold_permissions_by_context(api: Api, people: People) -> None:
    customer, group = await people.customer(), await people.group()
    for context, key in (("Ticket::CustomerID::Same", "RW"), ("Ticket::CustomerID::Other", "RO")):
        row = {
            "company": {"databaseId": customer.company},
            "group": {"databaseId": group},
            "permission": key,
            "context": context,
        }
        await api.done("createGroupCustomer", "groupCustomer { id }", groupCustomer=row)
    rows = await api.rows("group_customer", f"group_id = {group}", "permission_key, permission_context")
    assert rows == [("ro", "Ticket::CustomerID::Other"), ("rw", "Ticket::CustomerID::Same")]


async def test_what_an_old_otrs_keeps_without_granting_it_is_no_permission(api: Api, people: People) -> None:
    """Rows with a 0 may be there; they stand in nobody's way, and can be granted as long as nothing speaks against it."""
    agent, role, group = await people.agent(), await people.role(), await people.group()
    for key, value in (("rw", 0), ("note", 1)):
        await people.execute(
            "INSERT INTO group_role VALUES (:role, :group, :key, :value, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)",
            role=role,
            group=group,
            key=key,
            value=value,
        )
    await api.done(
        "createRoleUser", "roleUser { id }", roleUser={"role": {"databaseId": role}, "user": {"databaseId": agent.id}}
    )
    to = {"role": {"databaseId": role}, "group": {"databaseId": group}}
    made = await api.done("createGroupRole", "groupRole { id }", groupRole={**to, "permission": "RO"})
    assert await people.keys(agent, group) == {"ro", "note"}
    denied = await api.refused("updateGroupRole", key={"id": made["groupRole"]["id"]}, patch={"granted": False})
    assert denied == [("INVALID", "permission-not-granted", ["patch", "granted"])]

    rw = write_id(api.snapshot.modules["group_role"], (role, group, "rw"))
    await api.done("updateGroupRole", "groupRole { id }", key={"id": rw}, patch={"granted": True})

    assert await people.keys(agent, group) == set(KEYS)
    assert [
        row[2:]
        for row in await api.rows(
            "group_role", f"role_id = {role}", "role_id, group_id, permission_key, permission_value"
        )
    ] == [("rw", 1)]


async def test_of_two_who_give_rw_and_a_single_key_at_once_rw_alone_stays(api: Api, people: People) -> None:
    for _ in range(3):
        agent, group = await people.agent(), await people.group()
        await asyncio.gather(
            *(
                api.do("createGroupUser", "clientMutationId", groupUser=grant(agent, group, key))
                for key in ("RO", "RW", "NOTE", "CREATE")
            )
        )
        assert await held(api, agent, group) == ["rw"]
