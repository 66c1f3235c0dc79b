"""The whole program in the test's own process, on a database of its own: requests without a socket, files that are watched for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from identity.accounts import find_standing
from identity.callers import Called
from identity.first_agent import LOGIN
from identity.keys import derive_keys
from identity.principals import Kind, Person, Token
from identity.rights import unbounded
from web.app import create_app
from web.identities import Identities, Pair
from web.lifecycle import make_live
from web.live import Live
from web.recognition import Caller
from web.settings import Settings, load_secret_key

PASSWORD = "a password of tests"  # of the first agent
ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true, searchable: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
access: {agent: {view: true}}
"""


class Desk:
    """A running desk with its client, which is signed in as the first agent."""

    def __init__(self, live: Live, site: Path, pair: Pair) -> None:
        self.live = live
        self.site = site
        self.app = create_app(live.settings, live)
        self.client = self.connect(authorization=f"Bearer {pair.access_token}")

    def connect(self, **headers: str) -> httpx.AsyncClient:
        """Make a client that sends these headers."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=headers)

    @property
    def identities(self) -> Identities:
        """Who there is."""
        assert self.live.identities is not None
        return self.live.identities

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation and return the whole answer."""
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables})
        found: dict[str, Any] = answer.json()
        return found

    async def data(self, query: str, **variables: Any) -> Any:
        """Send an operation that must have an answer without top-level errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]


def guest(principal: Person | Token) -> Caller:
    """Make a caller who came with a token and may do everything."""
    return Caller(Called(principal, None), unbounded(principal), has_cookie=False, address="", client="", secret="")


async def sign_in(live: Live, login: str = LOGIN, kind: Kind = Kind.AGENT) -> Pair:
    """Begin a session without asking for a password."""
    identities = live.identities
    assert identities is not None
    key = derive_keys(load_secret_key(live.settings)).account
    standing = await find_standing(identities.database.fetch_kept, key, kind, login)
    assert standing is not None
    return identities.pair(await identities.refresh.start(standing, address="127.0.0.1", client="tests"))


@asynccontextmanager
async def open_desk(
    url: str, folder: Path, files: Mapping[str, str] | None = None, **changed: Any
) -> AsyncIterator[Desk]:
    """Run a desk whose module files are these, all in one folder; nothing watches it, and lambdas run if there are workers."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    for name, text in (files or {}).items():
        (site / f"{name}.yaml").write_text(text)
    settings = Settings(
        database_url=url,
        modules_dir=(site,),
        var_dir=folder / "var",
        watch="off",
        admin_password=PASSWORD,
        lambda_workers=0,
        statement_seconds=20,  # a machine that does several things at once
        queue_seconds=20,
    )
    live = make_live(replace(settings, **changed))
    async with live.background():
        loaded = live.registry.changes()
        if not live.registry.is_loaded:
            await anext(loaded)
        desk = Desk(live, site, await sign_in(live))
        yield desk
        await desk.client.aclose()
