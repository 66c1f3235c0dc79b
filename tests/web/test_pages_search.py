"""The search over all modules: one operation, by the caller's rights, as a page without scripts and in the palette."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.databases import foreign_url, fresh_url
from tests.web.browsing import Browser as Plain
from tests.web.browsing import Shown, browsing
from tests.web.chromium import Seat, chromium, seated
from tests.web.real import Desk, open_desk
from tests.web.server import REAL, running
from tests.web.test_pages_browser import TASK, TEAM, World, until_ready
from tests.web.test_pages_list import FILES, fill
from tests.web.test_pages_queries import told
from tests.web.xss import PAYLOADS
from web.pages.search_query import MOST_MODULES
from web.settings import load_secret_key

pytestmark = pytest.mark.timed

MODULES = Path(__file__).parent.parent.parent / "modules"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, FILES) as opened:
            await fill(opened, 12)
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Plain]:
    async with browsing(desk) as opened:
        yield opened


def found(page: Shown) -> dict[str, list[str]]:
    """Return what was found, by module."""
    parts = [
        item for item in page.main.all("section") if item.attributes.get("aria-labelledby", "").startswith("found-")
    ]
    return {part.one("h2").text: [item.all("a")[0].text for item in part.all("li")] for part in parts}


async def test_rows_are_found_by_a_form_without_scripts(browser: Plain) -> None:
    home = await browser.get("/")
    assert home.one("a", class_="jump").attributes["href"] == "/search"
    page = await browser.get("/search")
    page = await browser.send(page, page.main.form("/search"), {"q": "r0"})

    assert found(page) == {"Rooms": [f"R0{place}" for place in range(10)]}
    room = next(item for item in page.main.all("a") if item.text == "R03")
    assert (await browser.get(room.attributes["href"])).main.one("h1").text == "R03"
    assert [document.count("search: $search") for document, _ in told(page)] == [1]


async def test_too_little_and_what_is_nowhere_is_said(browser: Plain) -> None:
    assert "Enter two letters at least." in (await browser.get("/search?q=r")).main.text
    assert "Nothing is found for “nowhere”." in (await browser.get("/search?q=nowhere")).main.text
    assert found(await browser.get("/search?q=%25")) == {}
    assert (await browser.get("/search?q=" + "x" * 5000)).status == 200


async def test_what_is_searched_for_stays_text(browser: Plain) -> None:
    for payload in PAYLOADS[::25]:
        page = Shown(await browser.client.get("/search", params={"q": payload}))
        assert page.status == 200
        assert not page.main.all("img")


async def test_the_palette_gets_options(browser: Plain) -> None:
    part = Shown(await browser.client.get("/search?q=r01", headers={"hx-request": "true"}))

    options = part.all(role="option")
    assert [item.all("span")[0].text for item in options] == ["R01", "All that is found for “r01”"]
    assert options[0].attributes["data-url"].startswith("/modules/room/")


async def test_tickets_are_found_by_number_and_title_and_by_nobody_who_may_not_see_them(tmp_path: Path) -> None:
    with foreign_url("sqlite", "znuny65", tickets=30) as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,)) as desk:
            (ticket,) = (await desk.data("{ tickets(first: 1) { nodes { number title } } }"))["tickets"]["nodes"]
            login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0][
                "login"
            ]
            async with browsing(desk) as browser:
                for word in (ticket["number"], ticket["title"]):
                    page = await browser.get(
                        "/search?q=" + word.replace(" ", "+").replace("#", "%23").replace("&", "%26")
                    )
                    assert "Tickets" in found(page), (word, page.main.text)
                    assert next(iter(found(page))) == "Tickets"
                ((document, _),) = told(page)
                assert document.count("search: $search") == MOST_MODULES
                assert len(page.main.one("ul", class_="others").all("a")) > 10
            key = derive_keys(load_secret_key(desk.live.settings)).account
            standing = await find_standing(desk.identities.database.fetch_kept, key, Kind.CUSTOMER, login)
            assert standing is not None
            secret = await desk.identities.sessions.start_page(standing, address="127.0.0.1", client="tests")
            async with desk.connect(cookie=f"lambdesk={secret}", **{"sec-fetch-site": "same-origin"}) as client:
                theirs: dict[str, Any] = found(await Plain(client).get("/search?q=root@localhost"))
                assert "Agents" not in theirs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("desk")
    site = folder / "site"
    site.mkdir()
    (site / "team.yaml").write_text(TEAM)
    (site / "task.yaml").write_text(TASK)
    with running(REAL, folder, modules_dir=site, database_url=f"sqlite:///{folder}/desk.db") as server:
        until_ready(server)
        made = World(server, site)
        made.data('mutation { createTeams(input: {teams: [{name: "North"}, {name: "South"}]}) { affected } }')
        yield made


@pytest.fixture
def seat(world: World) -> Iterator[Seat]:
    with chromium() as browser, seated(browser, world.server.url) as opened:
        yield opened
        assert opened.complaints == []
        assert opened.tripped() == []


def test_the_palette_finds_rows_as_one_types(seat: Seat) -> None:
    page = seat.go("/")
    expect(page.locator("a.jump")).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search" in request.url else None)
    page.keyboard.press("Control+k")
    page.keyboard.type("sout", delay=20)
    expect(page.locator("#palette-found [role=option]").first).to_contain_text("South")
    assert len(asked) == 1, "it waits until one has typed"
    expect(page.locator("#palette-list [aria-selected=true]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/modules/team/*")
    expect(page.locator("h1")).to_contain_text("South")


def test_a_saved_view_is_kept_from_the_panel(seat: Seat) -> None:
    page = seat.go("/modules/team")
    page.fill("#search", "nor")
    page.wait_for_url("**/modules/team?q=nor")
    page.click("#views summary")
    page.fill("#view-name", "Northern")
    page.click("button >> text=Save the view")
    expect(page.locator(".said")).to_have_text("The view is saved.")
    page.goto("/modules/team")
    page.click("#views summary")
    page.click("#views-panel a >> text=Northern")
    page.wait_for_url("**/modules/team?q=nor")
    expect(page.locator("#list tbody tr")).to_have_count(1)
