"""Pages read by GraphQL alone: what they send is sent again to `/graphql` by the same person, and answered the same.

What forms write is in `test_forms_replay.py`.
"""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.browsing import OWN, Browser, browsing
from tests.web.desk_at_work import signed_in
from tests.web.every_page import (
    CUSTOMER,
    FILES,
    OFFICE,
    ROWS,
    SCREENS,
    SETUP,
    Screen,
    Sort,
    places_of,
    screens,
    shown_routes,
)
from tests.web.real import Desk, open_desk
from web.operation import prepare, run
from web.pages.routes import make_pages

MODULES = Path(__file__).parent.parent.parent / "modules"
PAGES = Path(__file__).parent.parent.parent / "web" / "pages"
# Figures that change with every look at them.
KEY = "a secret key of tests, long enough for everybody"
RESTLESS = frozenset({"Health", "Preview"})


@dataclass
class Sent:
    """An operation that a page sent, and its answer."""

    document: str
    variables: Mapping[str, Any]
    name: str
    is_mutation: bool
    data: Any


@dataclass
class World:
    """A desk with somebody at a browser, and all that its pages sent."""

    desk: Desk
    browser: Browser
    places: Mapping[str, str]
    sent: list[Sent] = field(default_factory=list)

    async def again(self, item: Sent) -> Any:
        """Send an operation as the same person does by hand: with the browser's session and the token of its pages."""
        page = await self.browser.client.get("/look")
        token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
        headers = {"origin": OWN, "x-csrf-token": token}
        body = {"query": item.document, "variables": item.variables}
        answer = await self.browser.client.post("/graphql", json=body, headers=headers)
        return answer.json().get("data")


@asynccontextmanager
async def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Open the world; what its pages send is written down."""
    with fresh_url("sqlite") as url:
        # One key for all worlds: versions of rows are digests with it.
        async with open_desk(
            url, folder, FILES, modules_dir=(MODULES, folder / "site"), lambda_workers=1, secret_key=KEY
        ) as desk:
            for operation in (*SETUP, *OFFICE):
                found = await desk.data(operation)
                assert not any(part.get("errors") for part in found.values()), found
            async with browsing(desk) as browser:
                world = World(desk, browser, places_of(await desk.data(ROWS)))
                _record(world, monkeypatch)
                yield world


def _record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def preparing(live: Any, asked: Any, *rest: Any, **more: Any) -> Any:
        call = prepare(live, asked, *rest, **more)
        asking[id(call)] = asked.query
        return call

    async def running(live: Any, call: Any, note: Any) -> Any:
        outcome = await run(live, call, note)
        operation = call.operation
        name = operation.name.value if operation.name else ""
        is_mutation = operation.operation.value == "mutation"
        data = orjson.loads(outcome.body).get("data")
        if live is world.desk.live:
            world.sent.append(Sent(asking[id(call)], dict(call.variables), name, is_mutation, data))
        return outcome

    asking: dict[int, str] = {}
    monkeypatch.setattr("web.pages.visit.prepare", preparing)
    monkeypatch.setattr("web.pages.visit.run", running)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch) as found:
        yield found


async def test_every_route_of_the_pages_is_in_the_table(world: World) -> None:
    assert shown_routes(make_pages(world.desk.live)) == set(SCREENS)


# They show what the spec says, or what somebody did in this browser.
QUIET = frozenset(
    {
        "/desk/text",
        "/admin/rights/why",
        "/",
        "/look",
        "/graphiql",
        "/search",
        "/admin/modules/new",
        "/modules/task/import",
        "/modules/nothing/at/all/here",
    }
)


async def test_what_pages_read_anybody_may_read(world: World) -> None:
    """All that every page asked for is answered with the same data to the same person."""
    names = await _read_again(world, screens(Sort.PAGE, Sort.PART, Sort.DATA, Sort.FRAME))

    assert len(names) >= 30, names


async def test_what_pages_of_customers_read_they_may_read(world: World) -> None:
    async with signed_in(world.desk, CUSTOMER, Kind.CUSTOMER) as browser:
        world.browser = browser
        assert len(await _read_again(world, screens(Sort.OWN))) >= 3


async def _read_again(world: World, shown: Iterable[Screen]) -> set[str]:
    names: set[str] = set()
    wrong: list[str] = []
    for screen in shown:
        address = screen.address.format(**world.places)
        world.sent.clear()
        answer = await world.browser.client.get(address)
        if answer.status_code != screen.status:
            wrong.append(f"{address}: {answer.status_code}")
        if not world.sent and address not in QUIET and not address.startswith("/graphiql/"):
            wrong.append(f"{address} asked nothing")
        for item in list(world.sent):
            names.add(item.name)
            if item.is_mutation:
                wrong.append(f"{address} sent {item.document}")
            elif item.name not in RESTLESS and await world.again(item) != item.data:
                wrong.append(f"{address}: another answer to {item.document}")
    assert not wrong, "\n".join(wrong)
    return names


# --- no other way ---


# Rooms of storage and resolvers hold data; what a page may know of them is how values and rights are described.
ALLOWED: Mapping[str, set[str]] = {
    # Events are a subscription of the API; `now_ms` is a clock.
    "live_page.py": {"web.operation", "storage.changes"},
    # Pictures inside a mail: files as `GET /files` gives them, after an operation said that they are there.
    "ticket_frame.py": {"resolvers.errors", "resolvers.files", "storage.errors"},
    # Files come as `POST /files` takes them; what becomes of them a mutation says.
    "multipart_form.py": {"storage.errors", "storage.file_claims"},
    "health_page.py": {
        "web.health",
        "resolvers.preview",
    },  # whether the database answers at all, and what a draft is called
}


def test_pages_have_no_other_way_to_data() -> None:
    """No page imports what reads or writes a database, files of modules or a store; only `Visit.ask` runs operations."""
    wrong = []
    for path in sorted(PAGES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                is_data = name.partition(".")[0] in {"storage", "resolvers", "sqlalchemy"} or name in {
                    "web.health",
                    "web.operation",
                    "web.lifecycle",
                }
                if (
                    is_data
                    and name not in ALLOWED.get(path.name, set())
                    and (path.name, name) != ("visit.py", "web.operation")
                ):
                    wrong.append(f"{path.name} imports {name}")
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"database", "execute", "registry"}
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "live"
            ):
                wrong.append(f"{path.name}:{node.lineno} reads live.{node.attr}")
    assert wrong == []
