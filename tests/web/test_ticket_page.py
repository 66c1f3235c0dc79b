"""The ticket page without scripts: what it shows, what it offers to whom, and every deed of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import Desk, open_desk
from web.settings import load_secret_key

MODULES = Path(__file__).parent.parent.parent / "modules"


class Office:
    """A desk with its first agent at a browser, and ways to the API."""

    def __init__(self, desk: Desk, browser: Browser) -> None:
        self.desk = desk
        self.browser = browser

    async def do(self, name: str, shown: str, **given: Any) -> Any:
        query = f"mutation ($in: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $in) {{ {shown} errors {{ code message }} }} }}"
        made = (await self.desk.data(query, **{"in": given}))[name]
        assert made["errors"] == [], made
        return made

    async def ticket(self, title: str = "Printer", body: str = "It burns.", **more: Any) -> dict[str, Any]:
        article = {"subject": title, "body": body, "kind": "PHONE_FROM_CUSTOMER", "from": "Cleo <c@example.org>"}
        given = {"title": title, "queue": {"name": "Raw"}, "article": article, **more}
        made: dict[str, Any] = (await self.do("createTicket", "ticket { id number }", ticket=given))["ticket"]
        return made

    async def open(self, ticket: dict[str, Any], rest: str = "") -> Shown:
        return await self.browser.get(f"/modules/ticket/{ticket['id']}{rest}")

    async def row(self, ticket: dict[str, Any], shown: str) -> Any:
        return (await self.desk.data(f"query ($id: ID!) {{ ticket(by: {{id: $id}}) {{ {shown} }} }}", id=ticket["id"]))[
            "ticket"
        ]

    async def send(self, page: Shown, action: str, changed: Any = None, button: str = "") -> Shown:
        return await self.browser.send(page, page.main.form(action), changed, button)

    @asynccontextmanager
    async def reading(self, keys: list[str], login: str = "reader") -> AsyncIterator[Office]:
        """Another agent, who has some keys to the group of the queue Raw."""
        given = {"login": login, "password": "correct horse battery", "firstName": "Rea", "lastName": "Der"}
        await self.do("createUser", "user { id }", user=given)
        who = {"group": {"name": "users"}, "agent": {"login": login}}
        await self.do("setGroupPermissions", "affected", **who, permissions=keys)
        key = derive_keys(load_secret_key(self.desk.live.settings)).account
        standing = await find_standing(self.desk.identities.database.fetch_kept, key, Kind.AGENT, login)
        assert standing is not None
        secret = await self.desk.identities.sessions.start_page(standing, address="127.0.0.1", client="tests")
        async with self.desk.connect(cookie=f"lambdesk={secret}", **{"sec-fetch-site": "same-origin"}) as client:
            yield Office(self.desk, Browser(client))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,)) as desk, browsing(desk) as browser:
            yield Office(desk, browser)


def deeds(page: Shown) -> set[str]:
    """Name what a page offers, by the ends of its addresses."""
    links = [item.attributes.get("href", "") for item in page.main.all("a")]
    forms = [item.attributes.get("action", "") for item in page.main.all("form")]
    return {path.partition("/desk/")[2].partition("?")[0] for path in [*links, *forms] if "/desk/" in path}


async def test_it_shows_the_ticket_and_what_was_said(office: Office) -> None:
    ticket = await office.ticket("Printer on fire", "It burns.\nReally.")
    await office.do(
        "addArticle", "article { id }", ticket={"id": ticket["id"]}, article={"subject": "Calm", "body": "Use water."}
    )

    page = await office.open(ticket)

    assert page.status == 200
    assert page.main.one("h1").text.startswith(f"{ticket['number']} Printer on fire")
    facts = {
        item.one("dt").text: item.one(class_="ticket-value").text
        for item in page.main.one(class_="ticket-facts").all("div")
    }
    assert facts["State"] == "new"
    assert facts["Queue"] == "Raw"
    assert facts["Priority"] == "3 normal"
    said = page.main.all("article")
    assert [item.one("h3").text for item in said] == ["Calm", "Printer on fire"]
    assert "It burns. Really." in said[1].text
    assert "Cleo" in said[1].text
    assert ("internal" in said[0].text, "customer" in said[1].text) == (True, True)


async def test_articles_come_in_the_order_that_one_chooses_and_by_pages(office: Office) -> None:
    ticket = await office.ticket("First")
    for place in range(24):
        await office.do(
            "addArticle", "article { id }", ticket={"id": ticket["id"]}, article={"subject": f"N{place}", "body": "x"}
        )
    page = await office.open(ticket, "?order=old")
    names = [item.one("h3").text for item in page.main.all("article")]
    assert names[:2] == ["First", "N0"]
    assert len(names) == 20
    more = page.main.one(class_="article-more-link").one("a")
    second = await office.browser.get(more.attributes["href"])
    assert [item.one("h3").text for item in second.main.all("article")] == ["N19", "N20", "N21", "N22", "N23"]
    part = await office.browser.get(more.attributes["hx-get"], **{"hx-request": "true"})
    assert len(part.all("article")) == 5
    assert not part.all("main")
