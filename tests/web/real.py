"""The whole program in the test's own process, on a database of its own: requests without a socket, files that are watched for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from web.app import create_app
from web.lifecycle import make_live
from web.live import Live
from web.settings import Settings

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true, searchable: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
access: {agent: {view: true}}
"""


class Desk:
    """A running desk with its client."""

    def __init__(self, live: Live, site: Path) -> None:
        self.live = live
        self.site = site
        transport = httpx.ASGITransport(create_app(live.settings, live), raise_app_exceptions=True)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")

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


@asynccontextmanager
async def open_desk(
    url: str, folder: Path, files: Mapping[str, str] | None = None, **changed: Any
) -> AsyncIterator[Desk]:
    """Run a desk whose module files are these, all in one folder; nothing watches it."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    for name, text in (files or {}).items():
        (site / f"{name}.yaml").write_text(text)
    settings = Settings(database_url=url, modules_dir=(site,), var_dir=folder / "var", watch="off")
    live = make_live(replace(settings, **changed))
    async with live.background():
        loaded = live.registry.changes()
        if not live.registry.is_loaded:
            await anext(loaded)
        desk = Desk(live, site)
        yield desk
        await desk.client.aclose()
