"""Accounts that are made and changed through the API: OTRS verifies their passwords, and what was kept of old ones is void."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import bcrypt
import pytest

from identity.accounts import read_standing
from identity.argon import Argon
from identity.errors import NotSignedIn
from identity.hashing import Hashing
from identity.keys import derive_keys
from identity.passwords import encode
from identity.principals import Agent, Customer, Kind
from identity.providers import DatabaseProvider
from identity.sessions import Sessions
from tests.desk.api import Api
from tests.desk.people import People, fresh

GOOD = "plough the zebra"
BETTER = "zebras plough at night"
KEYS = derive_keys(b"the secret of a test's server, of 32 bytes or more")


@pytest.fixture
def people(api: Api) -> People:
    return People(api)


@dataclass(frozen=True)
class Door:
    """Signs people in as the server does."""

    api: Api
    provider: DatabaseProvider

    async def opens(self, kind: Kind, login: str, password: str) -> bool:
        return (await self.provider.check(kind, login, password)).is_right

    async def kept(self) -> int:
        return len(await self.api.rows("lambdesk_credential"))


@pytest.fixture
async def door(api: Api) -> AsyncIterator[Door]:
    hashing = Hashing()
    yield Door(api, DatabaseProvider(api.database, KEYS, hashing, argon=Argon(memory_kib=64, passes=1)))
    hashing.close()


def agent(login: str, password: str = GOOD, **more: Any) -> dict[str, Any]:
    return {"login": login, "password": password, "firstName": "Ada", "lastName": "Ames", **more}


def otrs_takes(password: str, stored: str) -> bool:
    """Verify as OTRS does: the salt stands there as it is, its hash is bcrypt's."""
    word, cost, salt, rest = stored.split(":")
    assert (word, int(cost)) == ("BCRYPT", 12)
    return bcrypt.checkpw(password.encode(), f"$2a${cost}${encode(salt.encode())}{rest}".encode())


async def test_an_agent_is_a_row_as_otrs_writes_it_and_signs_in(api: Api, people: People, door: Door) -> None:
    login = fresh("ada")
    made = await api.done("createUser", "user { databaseId }", user=agent(f"  {login} ", firstName=" Ada "))
    number = made["user"]["databaseId"]
    columns = "id, login, title, first_name, last_name, valid_id, create_by, change_by"
    assert await api.rows("users", f"id = {number}", columns) == [(number, login, None, "Ada", "Ames", 1, 1, 1)]
    ((stored,),) = await api.rows("users", f"id = {number}", "pw")
    assert otrs_takes(GOOD, stored)
    assert await door.opens(Kind.AGENT, login, GOOD)
    assert not await door.opens(Kind.AGENT, login, BETTER)
    assert (await people.rights(Agent(number, login))).grants == ()


async def test_a_new_password_voids_what_was_kept_of_the_old_one(api: Api, door: Door) -> None:
    login, before = fresh("ada"), await door.kept()
    made = await api.done("createUser", "user { databaseId }", user=agent(login))
    assert await door.opens(Kind.AGENT, login, GOOD)
    assert await door.kept() == before + 1

    await api.done("updateUser", "clientMutationId", key=made["user"], patch={"password": BETTER})

    assert await door.kept() == before
    assert [await door.opens(Kind.AGENT, login, word) for word in (GOOD, BETTER)] == [False, True]
    assert await door.kept() == before + 1


async def test_a_customer_is_given_a_password_too_or_has_none(api: Api, people: People, door: Door) -> None:
    company, login = (await people.customer()).company, fresh("cleo")
    row = {
        "login": login,
        "email": "c@example.org",
        "company": {"databaseId": company},
        "firstName": "C",
        "lastName": "C",
    }
    assert await api.refused("createCustomerUser", customerUser={**row, "company": None}) == [
        ("REQUIRED", "required", ["customerUser", "company"])
    ]
    made = await api.done("createCustomerUser", "customerUser { databaseId }", customerUser=row)
    number = made["customerUser"]["databaseId"]
    columns = "id, login, email, customer_id, pw, first_name, last_name, valid_id, create_by, change_by"
    expected = (number, login, "c@example.org", company, None, "C", "C", 1, 1, 1)
    assert await api.rows("customer_user", f"id = {number}", columns) == [expected]
    assert not await door.opens(Kind.CUSTOMER, login, "")

    await api.done("updateCustomerUser", "clientMutationId", key=made["customerUser"], patch={"password": GOOD})

    ((stored,),) = await api.rows("customer_user", f"id = {number}", "pw")
    assert otrs_takes(GOOD, stored)
    assert await door.opens(Kind.CUSTOMER, login, GOOD)


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("eleven lett", "too-short"),
        ("Password1234!", "password-common"),
        ("123456789012", "password-common"),
        ("{login}-1", "password-login"),
        ("a bell\a in the middle", "password-letters"),
        ("ploughs and zebras " * 4, "too-long"),
    ],
)
async def test_weak_passwords_are_refused_and_nothing_is_written(api: Api, password: str, key: str) -> None:
    login = fresh("ada.lovelace")
    found = await api.refused("createUser", user=agent(login, password.format(login=login)))
    assert found == [("INVALID", key, ["user", "password"])]
    assert await api.rows("users", f"login = '{login}'") == []


async def test_a_new_password_is_not_the_login_either(api: Api) -> None:
    login = fresh("ada.lovelace")
    made = await api.done("createUser", "user { databaseId }", user=agent(login))
    before = await api.rows("users", f"login = '{login}'", "pw")
    found = await api.refused("updateUser", key=made["user"], patch={"password": login.upper()})
    assert found == [("INVALID", "password-login", ["patch", "password"])]
    assert await api.rows("users", f"login = '{login}'", "pw") == before


async def test_the_same_letters_written_otherwise_are_the_same_password(api: Api, door: Door) -> None:
    login = fresh("ada")
    await api.done("createUser", "clientMutationId", user=agent(login, "zwo\u0308lf Bo\u0308gen Papier"))
    assert await door.opens(Kind.AGENT, login, "zw\u00f6lf B\u00f6gen Papier")


async def test_logins_differ_by_more_than_letter_case(api: Api, people: People) -> None:
    there = await people.agent()
    other = await people.agent()
    taken = [("UNIQUE", "user", "login")]
    for login in (there.login.upper(), f" {there.login.title()} ", there.login):
        found = await api.refused("createUser", user=agent(login))
        assert [(code, *(path or ())) for code, _, path in found] == taken, login
    found = await api.refused("updateUser", key={"databaseId": other.id}, patch={"login": there.login.upper()})
    assert [(code, path) for code, _, path in found] == [("UNIQUE", ["patch", "login"])]
    # One's own login may be written otherwise.
    await api.done("updateUser", "clientMutationId", key={"databaseId": there.id}, patch={"login": there.login.upper()})


async def test_logins_of_rows_that_are_written_together_differ_too(api: Api, people: People) -> None:
    company = (await people.customer()).company
    login = fresh("cleo")
    more = {"email": "c@example.org", "company": {"databaseId": company}, "firstName": "C", "lastName": "C"}
    rows = [{"login": name, **more} for name in (login, f"{login}a", f"{login}b", f"{login}A", f"{login}c")]

    payload = await api.do("createCustomerUsers", "affected rows { errors { code } }", customerUsers=rows)
    assert "UNIQUE" in [error["code"] for row in payload["rows"] for error in row["errors"]]
    assert await api.rows("customer_user", f"customer_id = '{company}' AND login <> 'x'", "COUNT(*)") == [(1,)]

    payload = await api.do(
        "createCustomerUsers", "affected rows { errors { code } }", customerUsers=rows, policy="SKIP_FAILED"
    )
    assert [[error["code"] for error in row["errors"]] for row in payload["rows"]] == [[], [], [], ["UNIQUE"], []]


async def test_what_a_customer_holds_follows_a_new_login(api: Api, people: People) -> None:
    """Else whoever is given the old login next would have the permissions and companies of somebody else."""
    customer, other, group = await people.customer(), await people.customer(), await people.group()
    who = {"customerUser": {"login": customer.login}}
    await api.done("setGroupPermissions", "affected", group={"databaseId": group}, **who, permissions=["RW"])
    more = {**who, "company": {"databaseId": other.company}}
    await api.done("createCustomerUserCompany", "clientMutationId", customerUserCompany=more)
    assert (await people.rights(customer)).companies == (customer.company, other.company)
    login = fresh("married")
    ticket = await api.ticket(customerUser={"login": customer.login}, customer={"databaseId": customer.company})
    before = len(await api.history(ticket))

    key = {"databaseId": customer.id}
    await api.done("updateCustomerUser", "clientMutationId", key=key, patch={"login": login})

    renamed = await people.rights(Customer(customer.id, login, customer.company))
    assert (renamed.companies, [grant.key for grant in renamed.grants]) == ((customer.company, other.company), ["rw"])
    left = await people.rights(customer)
    assert (left.companies, left.grants) == ((customer.company,), ())
    assert await people.stored("group_customer_user", f"group_id = {group}") == [(login, group, "rw", 1, 1, 1)]
    noted = "SELECT kind, row_key FROM lambdesk_change WHERE module = 'group_customer_user' ORDER BY id"
    own = [(kind, json.loads(key)[0]) for kind, key in await api.database.fetch(noted) if json.loads(key)[1] == group]
    assert own == [(1, customer.login), (3, customer.login), (1, login)]
    assert await api.rows("ticket", f"id = {ticket}", "customer_id, customer_user_id") == [(customer.company, login)]
    told = [("CustomerUpdate", f"%%CustomerID={customer.company};CustomerUser={login};")]
    assert (await api.history(ticket))[before:] == told
    assert [row[0] for row in await api.changes("ticket", ticket)] == [1, 2]


async def test_whoever_is_made_invalid_or_changes_otherwise_is_signed_out_within_a_second(
    api: Api, people: People
) -> None:
    now = [time.time()]
    sessions = Sessions(api.database, KEYS, clock=lambda: now[0], monotonic=lambda: now[0])
    changes: list[tuple[str, dict[str, Any]]] = [
        ("updateUser", {"patch": {"validity": "INVALID"}}),
        ("setGroupPermissions", {"permissions": ["RO"], "group": {"databaseId": await people.group()}}),
        ("setAgentRoles", {"roles": [{"databaseId": await people.role()}]}),
        ("updateUser", {"patch": {"password": BETTER}}),
    ]
    for name, given in changes:
        found = await people.agent()
        standing = await read_standing(api.database.fetch_kept, KEYS.account, Kind.AGENT, found.id)
        assert standing is not None
        cookie = await sessions.start_page(standing, address="192.0.2.7", client="")
        assert (await sessions.check_page(cookie))[1] == found

        who = "key" if name == "updateUser" else "agent"
        await api.done(name, "clientMutationId", **{who: {"databaseId": found.id}}, **given)

        now[0] += 1.01
        with pytest.raises(NotSignedIn):
            await sessions.check_page(cookie)
