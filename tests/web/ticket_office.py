"""A desk with shipped modules, its first agent at a browser without scripts, and others beside him."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import Desk, open_desk
from web.settings import load_secret_key

MODULES = Path(__file__).parent.parent.parent / "modules"
Ticket = dict[str, Any]


class Office:
    """Somebody at a browser, and ways to the API."""

    def __init__(self, desk: Desk, browser: Browser) -> None:
        self.desk = desk
        self.browser = browser

    async def do(self, name: str, shown: str, **given: Any) -> Any:
        """Carry out a mutation as the first agent."""
        type_name = f"{name[0].upper()}{name[1:]}Input!"
        query = f"mutation ($in: {type_name}) {{ {name}(input: $in) {{ {shown} errors {{ code message }} }} }}"
        made = (await self.desk.data(query, **{"in": given}))[name]
        assert made["errors"] == [], made
        return made

    async def ticket(self, title: str = "Printer", body: str = "It burns.", **more: Any) -> Ticket:
        """Make a ticket that begins with a call of a customer."""
        article = {"subject": title, "body": body, "kind": "PHONE_FROM_CUSTOMER", "from": "Cleo <c@example.org>"}
        given = {"title": title, "queue": {"name": "Raw"}, "article": article, **more}
        made: Ticket = (await self.do("createTicket", "ticket { id number }", ticket=given))["ticket"]
        return made

    async def add(self, ticket: Ticket, **article: Any) -> str:
        """Write an article; return its id."""
        given = {"subject": "Calm", "body": "Use water.", **article}
        made = await self.do("addArticle", "article { id }", ticket={"id": ticket["id"]}, article=given)
        return str(made["article"]["id"])

    async def open(self, ticket: Ticket, rest: str = "", **headers: str) -> Shown:
        """Open the page of a ticket, or what is below it."""
        return await self.browser.get(f"/modules/ticket/{ticket['id']}{rest}", **headers)

    async def row(self, ticket: Ticket, shown: str) -> Any:
        """Read a ticket."""
        query = f"query ($id: ID!) {{ ticket(by: {{id: $id}}) {{ {shown} }} }}"
        return (await self.desk.data(query, id=ticket["id"]))["ticket"]

    async def send(self, page: Shown, action: str, changed: Any = None, button: str = "") -> Shown:
        """Send a form of a page."""
        return await self.browser.send(page, page.form(action), changed, button)

    @asynccontextmanager
    async def beside(self, *keys: str, login: str = "reader") -> AsyncIterator[Office]:
        """Another agent, who has these keys to the group of the queue Raw."""
        given = {"login": login, "password": "correct horse battery", "firstName": "Rea", "lastName": "Der"}
        await self.do("createUser", "user { id }", user=given)
        who = {"group": {"name": "users"}, "agent": {"login": login}}
        await self.do("setGroupPermissions", "affected", **who, permissions=[key.upper() for key in keys])
        key = derive_keys(load_secret_key(self.desk.live.settings)).account
        standing = await find_standing(self.desk.identities.database.fetch_kept, key, Kind.AGENT, login)
        assert standing is not None
        secret = await self.desk.identities.sessions.start_page(standing, address="127.0.0.1", client="tests")
        async with self.desk.connect(**{"sec-fetch-site": "same-origin"}) as client:
            client.cookies.set("lambdesk", secret)
            yield Office(self.desk, Browser(client))


@asynccontextmanager
async def open_office(folder: Path, **changed: Any) -> AsyncIterator[Office]:
    """Open it on a database of its own."""
    with fresh_url("sqlite") as url:
        async with open_desk(url, folder, modules_dir=(MODULES,), **changed) as desk, browsing(desk) as browser:
            yield Office(desk, browser)


def deeds(page: Shown) -> set[str]:
    """Name what a page offers below the ticket's desk; ids of articles are left out."""
    links = [item.attributes.get("href", "") for item in page.main.all("a")]
    forms = [item.attributes.get("action", "") for item in page.main.all("form")]
    found = {path.partition("/desk/")[2].partition("?")[0] for path in [*links, *forms] if "/desk/" in path}
    return {
        "split" if path.endswith("/split") else path
        for path in found
        if not path.startswith("articles/") or path.endswith("/split")
    }
