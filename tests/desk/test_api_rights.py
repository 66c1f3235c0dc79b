"""Whole sets of permissions, members and roles at once; who may do so; and that somebody is always left who may."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from identity.rights import KEYS
from tests.callers import ROOT
from tests.desk.api import Api
from tests.desk.people import People

ADMIN = 2  # the group
SHOWN = (
    "affected group { databaseId } agent { login } role { databaseId } company { databaseId } customerUser { login }"
)


@pytest.fixture
def people(api: Api) -> People:
    return People(api)


def row(number: int) -> dict[str, Any]:
    return {"databaseId": number}


async def test_a_set_of_permissions_takes_the_place_of_what_was_there(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    who = {"group": row(group), "agent": row(agent.id)}
    sets: list[tuple[list[str], list[str], int]] = [
        (["RO", "NOTE"], ["note", "ro"], 2),
        (["NOTE", "RO"], ["note", "ro"], 0),
        (["RO", "OWNER"], ["owner", "ro"], 2),
        (["RW", "RO"], ["rw"], 3),
        (["RW"], ["rw"], 0),
        (["CREATE"], ["create"], 2),
        ([], [], 1),
        ([], [], 0),
    ]
    for given, stored, affected in sets:
        payload = await api.done("setGroupPermissions", SHOWN, **who, permissions=given)
        assert payload["affected"] == affected
        assert (payload["group"], payload["agent"]) == ({"databaseId": group}, {"login": agent.login})
        rows = await people.stored("group_user", f"user_id = {agent.id}")
        assert rows == [(agent.id, group, key, 1, 1) for key in stored]
        assert await people.keys(agent, group) == set(KEYS if stored == ["rw"] else stored)
    changes = "SELECT kind, row_key FROM lambdesk_change WHERE module = 'group_user'"
    own = [kind for kind, key in await api.database.fetch(changes) if json.loads(key)[:2] == [agent.id, group]]
    assert (own.count(1), own.count(3)) == (5, 5)


async def test_roles_companies_and_customers_are_given_sets_too(api: Api, people: People) -> None:
    agent, role, group, customer = (
        await people.agent(),
        await people.role(),
        await people.group(),
        await people.customer(),
    )
    to = row(group)
    await api.done("setRoleMembers", "affected", role=row(role), agents=[row(agent.id)])
    payload = await api.done("setGroupPermissions", SHOWN, group=to, role=row(role), permissions=["RO", "RW"])
    assert (payload["role"], payload["affected"]) == ({"databaseId": role}, 1)
    assert await people.stored("group_role", f"role_id = {role}") == [(role, group, "rw", 1, 1, 1)]
    assert await people.keys(agent, group) == set(KEYS)

    payload = await api.done(
        "setGroupPermissions", SHOWN, group=to, company={"databaseId": customer.company}, permissions=["RO"]
    )
    assert payload["company"] == {"databaseId": customer.company}
    expected = [(customer.company, group, "ro", 1, "Ticket::CustomerID::Same", 1, 1)]
    assert await people.stored("group_customer", f"group_id = {group}") == expected
    assert await people.keys(customer, group) == {"ro"}

    payload = await api.done(
        "setGroupPermissions", SHOWN, group=to, customerUser={"login": customer.login}, permissions=["RW"]
    )
    assert payload["customerUser"] == {"login": customer.login}
    held = await people.stored("group_customer_user", f"group_id = {group}")
    assert held == [(customer.login, group, "rw", 1, 1, 1)]
    assert await people.keys(customer, group) == set(KEYS)


async def test_what_is_asked_for_must_make_sense(api: Api, people: People) -> None:
    agent, role, group, customer = (
        await people.agent(),
        await people.role(),
        await people.group(),
        await people.customer(),
    )
    to = {"group": row(group), "permissions": ["RO"]}
    one = [("INVALID", "one-holder", None)]
    assert await api.refused("setGroupPermissions", **to) == one
    assert await api.refused("setGroupPermissions", **to, agent=row(agent.id), role=row(role)) == one
    nobody = await api.refused("setGroupPermissions", **to, agent=row(999_999))
    assert nobody == [("NOT_FOUND", "not-found", ["agent"])]
    nothing = await api.refused("setGroupPermissions", group=row(999_999), agent=row(agent.id), permissions=[])
    assert nothing == [("NOT_FOUND", "not-found", ["group"])]
    odd = {"group": row(group), "customerUser": {"login": customer.login}, "permissions": ["NOTE"]}
    assert [code for code, _, _ in await api.refused("setGroupPermissions", **odd)] == ["INVALID"]
    assert await people.stored("group_customer_user", f"group_id = {group}") == []


async def test_members_and_roles_are_set_as_a_whole(api: Api, people: People) -> None:
    first, second, third = [await people.agent() for _ in range(3)]
    role, other = await people.role(), await people.role()
    names = (await people.rights(first)).roles
    assert names == frozenset()

    payload = await api.done(
        "setRoleMembers",
        "affected role { databaseId }",
        role=row(role),
        agents=[row(first.id), {"login": second.login}],
    )
    assert payload == {"affected": 2, "role": {"databaseId": role}, "errors": []}
    payload = await api.done("setRoleMembers", "affected", role=row(role), agents=[row(second.id), row(third.id)])
    assert payload["affected"] == 2
    rows = await people.stored("role_user", f"role_id = {role}")
    assert rows == sorted([(second.id, role, 1, 1), (third.id, role, 1, 1)], key=repr)

    payload = await api.done(
        "setAgentRoles", "affected agent { login }", agent=row(second.id), roles=[row(other), row(other)]
    )
    assert payload == {"affected": 2, "agent": {"login": second.login}, "errors": []}
    assert await people.stored("role_user", f"user_id = {second.id}") == [(second.id, other, 1, 1)]
    assert len((await people.rights(second)).roles) == 1
    assert (await api.done("setAgentRoles", "affected", agent=row(second.id), roles=[]))["affected"] == 1
    assert (await people.rights(second)).roles == frozenset()
    lost = await api.refused("setRoleMembers", role=row(role), agents=[row(first.id), row(999_999)])
    assert lost == [("NOT_FOUND", "not-found", ["agents", "1"])]
    assert [found[0] for found in await people.stored("role_user", f"role_id = {role}")] == [third.id]


async def test_a_mutation_with_a_key_is_done_once(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    given = {"group": row(group), "agent": row(agent.id), "permissions": ["RO"]}
    for _ in range(2):
        payload = await api.do("setGroupPermissions", "affected agent { login }", once=f"key {agent.login}", **given)
        assert (payload["affected"], payload["agent"]) == (1, {"login": agent.login})


async def test_of_many_who_set_at_once_the_last_one_has_set_it(api: Api, people: People) -> None:
    agent, group = await people.agent(), await people.group()
    who = {"group": row(group), "agent": row(agent.id)}
    sets = [["RO"], ["RW"], ["RO", "NOTE"], ["RW", "RO"], ["CREATE"]]
    await asyncio.gather(*(api.done("setGroupPermissions", "affected", **who, permissions=given) for given in sets))
    rows = await api.rows("group_user", f"user_id = {agent.id}", "permission_key")
    assert [key for (key,) in rows] in (["ro"], ["rw"], ["note", "ro"], ["create"])


# --- who may ---


async def test_only_administrators_give_rights(api: Api, people: People) -> None:
    agent, other, group, role = await people.agent(), await people.agent(), await people.group(), await people.role()
    to = {"group": row(group), "agent": row(other.id), "permissions": ["RO"]}
    queries: list[tuple[str, dict[str, Any]]] = [
        ("setGroupPermissions", to),
        ("setRoleMembers", {"role": row(role), "agents": []}),
        ("setAgentRoles", {"agent": row(agent.id), "roles": [row(role)]}),
        (
            "createGroupUser",
            {"groupUser": {"user": row(agent.id), "group": row(ADMIN), "permission": "RW"}},
        ),
    ]
    await api.done("setGroupPermissions", "affected", group=row(ADMIN), agent=row(agent.id), permissions=["RO"])
    api.rights = await people.rights(agent)
    for name, given in queries:
        type_name = f"{name[0].upper()}{name[1:]}Input!"
        answer = await api.ask(
            f"mutation ($in: {type_name}) {{ {name}(input: $in) {{ errors {{ code }} }} }}", once=None, **{"in": given}
        )
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], name
    api.rights = None
    await api.done("setGroupPermissions", "affected", group=row(ADMIN), agent=row(agent.id), permissions=["RW"])
    api.rights = await people.rights(agent)
    for name, given in queries[:3]:
        await api.done(name, "affected", **given)
    assert await people.stored("group_user", f"user_id = {other.id}") == [(other.id, group, "ro", agent.id, agent.id)]
    api.rights = None
    await api.done("setGroupPermissions", "affected", group=row(ADMIN), agent=row(agent.id), permissions=[])


# --- the last administrator ---

LAST = ("FORBIDDEN", "last-administrator")


async def test_the_last_administrator_cannot_lose_it(api: Api, people: People) -> None:
    """The first agent is the only one; nothing takes that from him until there is another."""
    other, role = await people.agent(), await people.role()
    own_row = {"id": await key_of(api)}
    ways: list[tuple[str, dict[str, Any]]] = [
        ("updateUser", {"key": row(1), "patch": {"validity": "INVALID"}}),
        ("updateUser", {"key": row(1), "patch": {"validity": "INVALID_TEMPORARILY"}}),
        ("deleteUser", {"key": row(1)}),
        ("setGroupPermissions", {"group": row(ADMIN), "agent": row(1), "permissions": ["RO", "NOTE"]}),
        ("setGroupPermissions", {"group": row(ADMIN), "agent": row(1), "permissions": []}),
        ("deleteGroup", {"key": row(ADMIN)}),
        ("updateGroup", {"key": row(ADMIN), "patch": {"name": "others"}}),
        ("deleteGroupUser", {"key": own_row}),
    ]
    for name, given in ways:
        found = await api.refused(name, **given)
        assert [error[:2] for error in found] == [LAST], (name, given)
    assert "rw" in await people.keys(ROOT, ADMIN)

    # With another one by a role the first may go, and then the role, its members and its group are held.
    await api.done("setRoleMembers", "affected", role=row(role), agents=[row(other.id)])
    await api.done("setGroupPermissions", "affected", group=row(ADMIN), role=row(role), permissions=["RW"])
    await api.done("deleteUser", "clientMutationId", key=row(1))
    held: list[tuple[str, dict[str, Any]]] = [
        ("setRoleMembers", {"role": row(role), "agents": []}),
        ("setAgentRoles", {"agent": row(other.id), "roles": []}),
        ("setGroupPermissions", {"group": row(ADMIN), "role": row(role), "permissions": ["RO"]}),
        ("deleteRole", {"key": row(role)}),
        ("deleteUser", {"key": row(other.id)}),
    ]
    for name, given in held:
        assert [error[:2] for error in await api.refused(name, **given)] == [LAST], name

    await api.done("restoreUser", "clientMutationId", key=row(1))
    await api.done("setRoleMembers", "affected", role=row(role), agents=[])
    assert (await people.rights(other)).grants == ()


async def test_of_two_administrators_who_take_it_from_each_other_one_stays(api: Api, people: People) -> None:
    first_one, second = await people.agent(), await people.agent()
    for agent in (first_one, second):
        await api.done("setGroupPermissions", "affected", group=row(ADMIN), agent=row(agent.id), permissions=["RW"])
    await api.done("deleteUser", "clientMutationId", key=row(1))
    try:
        payloads = await asyncio.gather(
            *(api.do("deleteUser", "clientMutationId", key=row(agent.id)) for agent in (first_one, second))
        )
        assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1]
    finally:
        await api.done("restoreUser", "clientMutationId", key=row(1))
    for agent in (first_one, second):
        await api.done("setGroupPermissions", "affected", group=row(ADMIN), agent=row(agent.id), permissions=[])


async def key_of(api: Api) -> str:
    """Return the id of the row that makes the first agent an administrator."""
    query = "{ user(by: {databaseId: 1}) { permissions(first: 20) { nodes { id permission group { databaseId } } } } }"
    nodes = (await api.data(query))["user"]["permissions"]["nodes"]
    found: str = next(node["id"] for node in nodes if node["group"]["databaseId"] == ADMIN)
    return found
