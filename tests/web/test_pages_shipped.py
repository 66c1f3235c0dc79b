"""The pages of every shipped module, on the tables of an OTRS at work: all of them answer, by operations that anybody could send."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from schema.spec import Audience, Operation
from tests.databases import foreign_url
from tests.web.browsing import Browser, browsing
from tests.web.real import Desk, open_desk
from web.operation import prepare, run
from web.pages.view import modules_of
from web.settings import load_secret_key

MODULES = Path(__file__).parent.parent.parent / "modules"
AGENT_LISTS = 60  # shipped modules that an administrator sees, at least


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with foreign_url("sqlite", "znuny65", tickets=40) as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,), lambda_workers=1) as opened:
            yield opened


async def browse(browser: Browser) -> dict[str, list[str]]:
    """Visit the list of every module, and from its first row everything that it leads to. Return what was not answered well."""
    home = await browser.get("/")
    lists = sorted(
        {
            item.attributes["href"]
            for item in home.one("nav").all("a")
            if item.attributes["href"].startswith("/modules/")
        }
    )
    assert len(lists) >= AGENT_LISTS
    bad: dict[str, list[str]] = {}
    for address in lists:
        page = await browser.get(address)
        paths = [address, f"{address}/filter", f"{address}?size=25&q=a", f"{address}/count"]
        paths += [
            item.attributes["href"]
            for item in page.main.all("a")
            if item.attributes["href"].endswith(("/new", "/import"))
        ]
        rows = [item.attributes["data-url"] for item in page.main.all("tr") if item.attributes.get("data-url")]
        if rows:
            shown = await browser.get(rows[0])
            own = {
                item.attributes["href"] for item in shown.main.all("a") if item.attributes["href"].startswith(rows[0])
            }
            paths += [rows[0], *sorted(own)]
        for path in paths:
            answer = await browser.get(path)
            if answer.status != 200 or answer.all(class_="unreadable"):
                bad.setdefault(address, []).append(f"{path}: {answer.status} {answer.text[:200]}")
    return bad


async def test_every_page_of_every_shipped_module_answers(desk: Desk) -> None:
    async with browsing(desk) as browser:
        assert await browse(browser) == {}


async def test_what_pages_ask_is_what_anybody_could_ask(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation of the pages is sent again to `/graphql`, and answered in the same way."""
    sent: list[tuple[str, Mapping[str, Any], bytes]] = []

    async def recording(live: Any, call: Any, note: Any) -> Any:
        outcome = await run(live, call, note)
        sent.append((texts[id(call)], dict(call.variables), outcome.body))
        return outcome

    texts: dict[int, str] = {}  # a page may ask two things at once

    def noting(live: Any, asked: Any, *rest: Any, **more: Any) -> Any:
        call = prepare(live, asked, *rest, **more)
        texts[id(call)] = asked.query
        return call

    monkeypatch.setattr("web.pages.visit.run", recording)
    monkeypatch.setattr("web.pages.visit.prepare", noting)
    async with browsing(desk) as browser:
        for name in ("ticket", "queue", "customer_user", "user", "article_mime"):
            page = await browser.get(f"/modules/{name}?size=25")
            row = next(item.attributes["data-url"] for item in page.main.all("tr") if item.attributes.get("data-url"))
            for path in ("/filter", "/count", "/new"):
                await browser.get(f"/modules/{name}{path}")
            for path in ("", "/edit", "/history"):
                await browser.get(f"{row}{path}")
    assert len(sent) >= 30
    assert {text.split("{")[0].split()[0] for text, _, _ in sent} == {"query"}
    for text, variables, body in sent:
        answer = await desk.ask(text, **variables)
        assert answer["data"] == orjson.loads(body)["data"], text


async def test_customers_get_their_own_smaller_pages(desk: Desk) -> None:
    """From their own schema: what is not in it has no page, no column and no button."""
    key = derive_keys(load_secret_key(desk.live.settings)).account
    login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0]["login"]
    standing = await find_standing(desk.identities.database.fetch_kept, key, Kind.CUSTOMER, login)
    assert standing is not None
    secret = await desk.identities.sessions.start_page(standing, address="127.0.0.1", client="tests")
    async with desk.connect(cookie=f"lambdesk={secret}", **{"sec-fetch-site": "same-origin"}) as client:
        browser = Browser(client)
        modules = modules_of(desk.live.snapshot(), Audience.CUSTOMER)
        lists = {f"/modules/{name}" for name, module in modules.items() if Operation.VIEW in module.operations}
        assert "/modules/ticket" in lists
        assert not lists & {"/modules/user", "/modules/group", "/modules/mail_account", "/modules/ticket_history"}
        for address in sorted(lists):
            page = await browser.get(address)
            assert page.status == 200, (address, page.text)
            rows = [item.attributes["data-url"] for item in page.main.all("tr") if item.attributes.get("data-url")]
            for row in rows[:1]:
                shown = await browser.get(row)
                assert shown.status == 200, (row, shown.text)
                assert not shown.all(id="past")
        tickets = await browser.get("/modules/ticket")
        assert "Owner" not in tickets.main.text
        assert (await browser.get("/modules/user")).status == 404
        assert (await browser.get("/modules/ticket/import")).status == 403
