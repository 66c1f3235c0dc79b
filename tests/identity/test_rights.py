"""What callers hold is read as OTRS reads it: valid groups and roles only, directly, by role, by company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from identity.principals import Agent, Customer, Scope, System, Token
from identity.rights import Grant, RightsReader
from storage.engine import Database
from tests.databases import DIALECTS, fresh_url

WHEN = datetime(2026, 1, 1)  # noqa: DTZ001 - wall clock
AUDIT = {"create_time": WHEN, "create_by": 1, "change_time": WHEN, "change_by": 1}
SAME, OTHER = "Ticket::CustomerID::Same", "Ticket::CustomerID::Other"


class Hall:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.reader = RightsReader(database, lambda: "permission_groups", monotonic=self.tick)
        self.now = 0.0

    def tick(self) -> float:
        self.now += 2  # nothing is remembered
        return self.now

    async def add(self, to: str, /, **row: Any) -> None:
        given = {**row, **AUDIT}
        table = sa.table(sa.sql.quoted_name(to, quote=True), *map(sa.column, given))
        async with self.database.transaction() as transaction:
            await transaction.execute(sa.insert(table).values(given))

    async def make_invalid(self, name: str, number: int) -> None:
        table = sa.table(name, sa.column("id"), sa.column("valid_id"))
        async with self.database.transaction() as transaction:
            await transaction.execute(sa.update(table).where(table.c.id == number).values(valid_id=2))


@pytest.fixture
async def hall(request: pytest.FixtureRequest) -> AsyncIterator[Hall]:
    with fresh_url(getattr(request, "param", "sqlite")) as url:
        database = Database(url)
        try:
            yield Hall(database)
        finally:
            await database.close()


everywhere = pytest.mark.parametrize("hall", DIALECTS, indirect=True)


ADA = Agent(7, "ada")


async def with_ada(hall: Hall) -> None:
    await hall.add("users", id=7, login="ada", pw="x", first_name="A", last_name="L", valid_id=1)
    await hall.add("roles", id=3, name="Planners", valid_id=1)
    await hall.add("group_user", user_id=7, group_id=3, permission_key="note")
    await hall.add("role_user", user_id=7, role_id=3)
    await hall.add("group_role", role_id=3, group_id=1, permission_key="rw", permission_value=1)
    await hall.add("group_role", role_id=3, group_id=2, permission_key="ro", permission_value=0)


@everywhere
async def test_an_agent_holds_what_is_hers_and_what_her_roles_give(hall: Hall) -> None:
    await with_ada(hall)
    rights = await hall.reader.of(ADA)
    assert set(rights.grants) == {Grant(3, "stats", "note"), Grant(1, "users", "rw", "Planners")}
    assert rights.roles == {"Planners"}
    assert rights.groups["note"] == {1, 3}
    assert rights.groups["ro"] == {1}


@pytest.mark.parametrize(
    ("table", "number", "left"),
    [("roles", 3, {"stats"}), ("permission_groups", 1, {"stats"}), ("permission_groups", 3, {"users"})],
)
async def test_what_is_not_valid_gives_nothing(hall: Hall, table: str, number: int, left: set[str]) -> None:
    await with_ada(hall)
    await hall.make_invalid(table, number)
    assert {grant.group for grant in (await hall.reader.of(ADA)).grants} == left


async def test_a_role_without_groups_is_a_role(hall: Hall) -> None:
    await with_ada(hall)
    await hall.add("roles", id=4, name="Auditors", valid_id=1)
    await hall.add("role_user", user_id=7, role_id=4)
    assert (await hall.reader.of(ADA)).roles == {"Planners", "Auditors"}


@everywhere
async def test_the_address_of_an_agent_is_a_preference(hall: Hall) -> None:
    await with_ada(hall)
    table = sa.table("user_preferences", *map(sa.column, ("user_id", "preferences_key", "preferences_value")))
    text = "ada@example.org"
    value: Any = text if hall.database.dialect.name == "postgresql" else text.encode()
    row = {"user_id": 7, "preferences_key": "UserEmail", "preferences_value": value}
    async with hall.database.transaction() as transaction:
        await transaction.execute(sa.insert(table).values(row))
    assert (await hall.reader.of(ADA)).email == text


@everywhere
async def test_a_customer_stands_for_his_companies_and_holds_what_his_own_is_given(hall: Hall) -> None:
    await hall.add(
        "customer_user",
        id=5,
        login="carl",
        email="c@example.org",
        customer_id="ACME",
        first_name="C",
        last_name="L",
        valid_id=1,
    )
    await hall.add("customer_user_customer", user_id="carl", customer_id="Zeta")
    await hall.add("group_customer_user", user_id="carl", group_id=1, permission_key="ro", permission_value=1)
    for context, group in ((SAME, 2), (OTHER, 3)):
        await hall.add(
            "group_customer",
            customer_id="ACME", group_id=group, permission_key="rw", permission_value=1, permission_context=context,
        )  # fmt: skip
    rights = await hall.reader.of(Customer(5, "carl", "ACME"))
    assert rights.companies == ("ACME", "Zeta")
    assert rights.email == "c@example.org"
    assert {(grant.group, grant.key) for grant in rights.grants} == {("users", "ro"), ("admin", "rw")}


async def test_a_token_holds_what_its_owner_does(hall: Hall) -> None:
    await with_ada(hall)
    token = Token(1, "robot", ADA, Scope())
    assert (await hall.reader.of(token)).grants == (await hall.reader.of(ADA)).grants
    assert not (await hall.reader.of(token)).unbounded


async def test_only_the_system_is_unbounded(hall: Hall) -> None:
    assert (await hall.reader.of(System("sweeping"))).unbounded
    assert not (await hall.reader.of(Agent(1, "root@localhost"))).unbounded


async def test_the_shape_of_rights_tells_what_differs_and_not_who(hall: Hall) -> None:
    await with_ada(hall)
    await hall.add("users", id=8, login="bob", pw="x", first_name="B", last_name="L", valid_id=1)
    for name, row in (("role_user", {"role_id": 3}), ("group_user", {"group_id": 3, "permission_key": "note"})):
        await hall.add(name, user_id=8, **row)
    ada, bob = await hall.reader.of(ADA), await hall.reader.of(Agent(8, "bob"))
    assert ada.shape == bob.shape
    await hall.add("group_user", user_id=8, group_id=3, permission_key="ro")
    assert (await hall.reader.of(Agent(8, "bob"))).shape != ada.shape
