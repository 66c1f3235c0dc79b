"""A desk whose modules have hooks after writes, which the tests play; and whoever works off what is noted for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from identity.api_tokens import ApiTokens
from identity.keys import derive_keys
from identity.principals import Principal
from identity.returning import Returning
from identity.rights import Rights, RightsReader, unbounded
from identity.secrets import Secrets
from lambdas.http_client import HttpClient
from lambdas.http_hosts import Hosts
from resolvers.context import Context
from resolvers.deliveries import Attempt, Post, deliver
from resolvers.lambda_outside import Outside
from schema.snapshot import Snapshot
from storage.engine import Database
from storage.install import install
from storage.outbox import Claimed, claim
from tests.desk.api import MODULES, Api, load, make_api
from tests.writes.played import Act, Played

SECRET = b"secret"  # as in tests.desk.api
WORKER = "w"
LEASE_S = 30.0

ASSET = """
module: {name: asset, table: asset, operations: [view, create, update, upsert, delete, bulk]}
fields:
  - {name: name, type: string, required: true, unique: true}
  - {name: price, type: decimal}
  - {name: bought, column: bought_at, type: datetime}
  - {name: extra, type: json}
  - {name: owner, type: reference, to: user}
  - {name: pin_code, type: secret}
hooks:
  - {on: after_create, lambda: "create('trail', {text: item.name})"}
  - {on: after_update, lambda: "first"}
  - {on: after_update, lambda: "second"}
  - {on: after_delete, lambda: "return"}
schedules:
  - {name: nightly, cron: "0 3 * * *", as: root@localhost, lambda: "return"}
access:
  agent: {view: true, create: true, update: true, delete: true}
"""
SHELF = """
module: {name: shelf, plural_name: shelves, table: shelf, operations: [view, create, update, delete, bulk]}
features: {soft_delete: true}
fields:
  - {name: name, type: string, required: true}
  - {name: validity, column: valid_id, type: validity}
hooks:
  - {on: after_update, lambda: "return"}
  - {on: after_delete, lambda: "return"}
"""
TRAIL = """
module: {name: trail, table: trail, operations: [view, create, update, delete]}
fields:
  - {name: text, type: string, required: true, unique: true}
"""
# Writes its own rows after each write of them.
ECHO = """
module: {name: echo, plural_name: echoes, table: echo, operations: [view, create, update]}
fields:
  - {name: turn, type: int}
hooks: [{on: after_create, lambda: "create('echo', {turn: item.turn + 1})"}]
"""
TICKET = """
module: {extend: ticket}
hooks: [{on: after_create, lambda: "return"}, {on: after_update, lambda: "return"}]
"""
ARTICLE = """
module: {extend: article}
hooks: [{on: after_create, lambda: "return"}]
"""
FILES = {"asset": ASSET, "shelf": SHELF, "trail": TRAIL, "echo": ECHO, "ticket": TICKET, "article": ARTICLE}

TABLES = (
    "lambdesk_outbox",
    "lambdesk_schedule",
    "lambdesk_secret",
    "lambdesk_change",
    "asset",
    "shelf",
    "trail",
    "echo",
)

_SNAPSHOTS: dict[str, Snapshot] = {}


@dataclass
class World:
    """Writes by the API; `played` runs the lambdas."""

    api: Api
    played: Played = field(default_factory=Played)
    rights: Callable[[Principal], Rights] = unbounded

    @property
    def database(self) -> Database:
        return self.api.database

    def plays(self, name: str, act: Act) -> None:
        """Say what a lambda does."""
        self.played.acts[name] = act

    def post(self) -> Post:
        """Return what deliveries are made with, as a server has it; callers may do what `rights` says."""
        database, snapshot = self.database, self.api.snapshot
        keys = derive_keys(SECRET)
        reader = RightsReader(database, lambda: "permission_groups")

        async def rights(principal: Principal) -> Rights:
            held = await reader.of(principal)
            return replace(held, unbounded=True) if self.rights is unbounded else self.rights(principal)

        def begin(_: Snapshot, held: Rights, request_id: str) -> Context:
            return Context(snapshot, database, SECRET, held, request_id=request_id, lambdas=self.played)

        returning = Returning(database, ApiTokens(database, keys), keys.account, "hooks after writes")
        outside = Outside(HttpClient(Hosts()), Secrets(database, SECRET))
        return Post(database, returning.find, rights, begin, self.api.writing, outside)

    async def take(self, count: int = 10) -> list[Claimed]:
        """Claim what is due."""
        return await claim(self.database, WORKER, count, LEASE_S)

    async def deliver(self, entry: Claimed) -> None:
        """Work one entry off."""
        await deliver(self.post(), Attempt(entry, self.api.snapshot))

    async def work_off(self) -> None:
        """Work off everything that is due."""
        while taken := await self.take():
            for entry in taken:
                await self.deliver(entry)

    async def noted(self, *names: str, where: str = "1 = 1") -> list[tuple[Any, ...]]:
        """Read the outbox, in the order of its entries."""
        columns = ", ".join(names)
        text = f"SELECT {columns} FROM lambdesk_outbox WHERE {where} ORDER BY id"  # noqa: S608 - the tests' own words
        return [tuple(row) for row in await self.database.fetch(text)]

    async def told(self) -> list[dict[str, Any]]:
        """Read what the lambdas are to be told."""
        return [json.loads(row[0]) for row in await self.noted("payload")]

    async def asset(self, name: str = "Chair", **more: Any) -> int:
        """Make an asset and return its key."""
        payload = await self.api.done("createAsset", "asset { databaseId }", asset={"name": name, **more})
        return int(payload["asset"]["databaseId"])

    async def trails(self) -> list[str]:
        """Read what hooks have written."""
        return sorted(str(row[0]) for row in await self.database.fetch("SELECT text FROM trail"))


@asynccontextmanager
async def open_world(url: str, site: Path) -> AsyncIterator[World]:
    """Open the desk, emptied of what tests before this one wrote."""
    database = Database(url)
    try:
        if url not in _SNAPSHOTS:
            await install(database)
            for name, text in FILES.items():
                (site / f"{name}.yaml").write_text(text)
            found = _SNAPSHOTS[url] = await load(database, [MODULES, site])
            assert not [item for item in found.problems if item.level == "error"], found.problems
        async with database.transaction() as transaction:
            for table in TABLES:
                await transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        yield World(make_api(database, _SNAPSHOTS[url]))
    finally:
        await database.close()
