"""A desk for tests of the page about oneself: an agent with a role, a customer, and browsers that they are signed in with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.web.browsing import OWN, Browser, Element, Shown
from tests.web.real import ROOM, Desk, open_desk
from web.settings import load_secret_key

NEW_PASSWORD = "umbrella of nine lanterns"
LAMP = """\
module: {name: lamp, table: lamp, plural: {en: Lamps, de: Lampen}}
fields: [{name: name, type: string, required: true}]
access: {agent: {view: {group: users}, create: {role: Planners}}}
"""


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Desk]:
    async with open_desk(url, folder, {"room": ROOM, "lamp": LAMP}) as desk:
        await fill(desk)
        yield desk


async def fill(desk: Desk) -> None:
    """An agent who has one key himself and one by a role, and a customer."""
    audit = {"create_time": datetime(2026, 1, 1), "create_by": 1, "change_time": datetime(2026, 1, 1), "change_by": 1}  # noqa: DTZ001 - wall clock
    rows: list[tuple[str, dict[str, Any]]] = [
        ("users", {"id": 7, "login": "ada", "pw": "x", "first_name": "Ada", "last_name": "Lund", "valid_id": 1}),
        ("roles", {"id": 3, "name": "Planners", "valid_id": 1}),
        ("role_user", {"user_id": 7, "role_id": 3}),
        ("group_role", {"role_id": 3, "group_id": 1, "permission_key": "rw", "permission_value": 1}),
        ("group_user", {"user_id": 7, "group_id": 3, "permission_key": "ro"}),
        ("group_user", {"user_id": 7, "group_id": 3, "permission_key": "move_into"}),
        (
            "customer_user",
            {
                "login": "cleo",
                "email": "cleo@example.org",
                "customer_id": "acme",
                "pw": "",
                "first_name": "Cleo",
                "last_name": "Cole",
                "valid_id": 1,
            },
        ),
    ]
    async with desk.identities.database.transaction() as transaction:
        for name, row in rows:
            given = {**row, **audit}
            table = sa.table(name, *(sa.column(column) for column in given))
            await transaction.execute(sa.insert(table).values(given))


@asynccontextmanager
async def browsing_as(desk: Desk, login: str, kind: Kind = Kind.AGENT, **headers: str) -> AsyncIterator[Browser]:
    """Sign somebody in whose password is not known."""
    key = derive_keys(load_secret_key(desk.live.settings)).account
    standing = await find_standing(desk.identities.database.fetch_kept, key, kind, login)
    assert standing is not None
    secret = await desk.identities.sessions.start_page(standing, address="127.0.0.1", client="Firefox")
    sent = {"cookie": f"lambdesk={secret}", "sec-fetch-site": "same-origin", **headers}
    async with desk.connect(**sent) as client:
        yield Browser(client)


def section(page: Shown, name: str) -> Element:
    return page.main.one("section", id=name)


def lines(page: Shown, name: str) -> list[str]:
    """The rows of the table in a section."""
    return [row.text for body in section(page, name).all("tbody") for row in body.all("tr")]


async def send(browser: Browser, address: str, changed: dict[str, Any] | None = None) -> Shown:
    page = await browser.get("/profile")
    return await browser.send(page, page.main.form(f"/profile/{address}"), changed)


async def post(browser: Browser, address: str, **fields: str) -> Shown:
    """Send what no form shows, with the token of a page."""
    page = await browser.get("/profile")
    fields["csrf"] = page.main.form("/profile/password").one("input", name="csrf").attributes["value"]
    return Shown(await browser.client.post(f"/profile/{address}", data=fields, headers={"origin": OWN}))
