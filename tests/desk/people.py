"""Agents, roles, groups and customers for tests of rights: each made anew, past the API where that is not what is tested."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import sqlalchemy as sa

from identity.principals import Agent, Customer
from identity.rights import Rights, RightsReader
from tests.desk.api import Api

_numbers = count(1)
_AUDIT = "create_time, create_by, change_time, change_by"
_NOW = "CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1"


def fresh(word: str) -> str:
    """Return a name that nothing has yet."""
    return f"{word}{next(_numbers)}"


@dataclass(frozen=True)
class People:
    """Makes what rights are about, and reads rights as the access rules do."""

    api: Api

    @property
    def group_table(self) -> str:
        tables = self.api.snapshot.catalog.tables
        return "permission_groups" if "permission_groups" in tables else "groups"

    async def agent(self, *, valid: int = 1) -> Agent:
        login = fresh("agent")
        columns, values = "login, pw, first_name, last_name, valid_id", f":login, '!', 'Ada', 'Ames', {valid}"
        return Agent(await self._new("users", columns, values, login=login), login)

    async def role(self) -> int:
        return await self._new("roles", "name, valid_id", ":name, 1", name=fresh("role"))

    async def group(self) -> int:
        return await self._new(self.group_table, "name, valid_id", ":name, 1", name=fresh("group"))

    async def customer(self) -> Customer:
        login, company = fresh("customer"), fresh("company")
        await self.api.done("createCompany", "company { id }", company={"databaseId": company, "name": company})
        columns = "login, email, customer_id, first_name, last_name, valid_id"
        values = ":login, 'c@example.org', :company, 'Cleo', 'Cole', 1"
        number = await self._new("customer_user", columns, values, login=login, company=company)
        return Customer(number, login, company)

    async def rights(self, person: Agent | Customer) -> Rights:
        """Read what somebody holds, as it is now."""
        return await RightsReader(self.api.database, lambda: self.group_table).of(person)

    async def keys(self, person: Agent | Customer, group: int) -> set[str]:
        """Return the keys with which somebody may do what the rules ask for, `rw` counted as each."""
        found = (await self.rights(person)).groups
        return {key for key, groups in found.items() if group in groups}

    async def stored(self, table: str, where: str) -> list[tuple[Any, ...]]:
        """Return whole rows but for the times: those are checked to be one and the same."""
        columns = [name for name in self.api.snapshot.catalog.tables[table].columns if not name.endswith("_time")]
        times = await self.api.rows(table, where, "create_time, change_time")
        assert all(created is not None and created == changed for created, changed in times)
        return await self.api.rows(table, where, ", ".join(columns))

    async def execute(self, text: str, **values: Any) -> None:
        """Change rows behind Lambdesk's back, as an OTRS does."""
        async with self.api.database.transaction() as transaction:
            await transaction.execute(sa.text(text.replace("{groups}", self._quoted())), values)

    def _quoted(self) -> str:
        return (
            "`groups`"
            if self.group_table == "groups" and "mysql" in self.api.database.dialect.name
            else self.group_table
        )

    async def _new(self, table: str, columns: str, values: str, **given: Any) -> int:
        name, value = next(iter(given.items()))
        quoted = self._quoted() if table == self.group_table else table
        await self.execute(f"INSERT INTO {quoted} ({columns}, {_AUDIT}) VALUES ({values}, {_NOW})", **given)  # noqa: S608 - our words
        found = await self.api.rows(quoted, f"{name} = '{value}'", "id")
        return int(found[0][0])
