"""A desk on the shipped modules and the demo's people: whoever works at it, and customers, each with a browser without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.databases import foreign_url
from tests.web.browsing import Browser
from tests.web.real import Desk, open_desk
from web.operation import run
from web.settings import load_secret_key

MODULES = Path(__file__).parent.parent.parent / "modules"
AGENT = "amara.okafor"  # of the support, with rw there and ro in most other queues
COLLEAGUE = "lukas.brandt"


@asynccontextmanager
async def at_work(folder: Path, tickets: int = 60, **changed: Any) -> AsyncIterator[Desk]:
    """Run a desk with the demo's people, queues and tickets."""
    with foreign_url("sqlite", "znuny65", tickets=tickets) as url:
        async with open_desk(url, folder, **{"modules_dir": (MODULES,), **changed}) as desk:
            yield desk


@asynccontextmanager
async def signed_in(desk: Desk, login: str, kind: Kind = Kind.AGENT, **headers: str) -> AsyncIterator[Browser]:
    """Give somebody a browser, without asking for a password."""
    key = derive_keys(load_secret_key(desk.live.settings)).account
    standing = await find_standing(desk.identities.database.fetch_kept, key, kind, login)
    assert standing is not None, login
    secret = await desk.identities.sessions.start_page(standing, address="127.0.0.1", client="tests")
    async with desk.connect(**{"sec-fetch-site": "same-origin", **headers}) as client:
        client.cookies.set("lambdesk", secret)
        yield Browser(client)


def count_operations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every operation that a page sends."""
    seen: list[str] = []

    async def noting(live: Any, call: Any, note: Any) -> Any:
        seen.append(note.operation)
        return await run(live, call, note)

    monkeypatch.setattr("web.pages.visit.run", noting)
    return seen
