"""Saved views of a list: kept, opened, changed, shared, removed; and what becomes of one whose fields are gone."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import Desk, open_desk
from tests.web.test_pages_list import FILES, ROOM, cells, fill, heads
from tests.web.xss import PAYLOADS

STATE = "/modules/room?q=R&f.seats.gte=10&f.building.in=South&f.colour.in=RED&f.quiet.eq=1&f.cleanedAt.lte=2021-01-01T00:00&sort=-seats&c=name,seats,building"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, FILES) as opened:
            await fill(opened, 40)
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


def panel_of(address: str) -> str:
    return address.replace("/modules/room", "/modules/room/views")


async def keep(browser: Browser, name: str, address: str = STATE, **more: str) -> Shown:
    """Save what a list shows, by the form that a browser without scripts gets."""
    page = await browser.get(panel_of(address))
    form = next(item for item in page.main.all("form") if item.all(id="view-name"))
    return await browser.send(page, form, {"name": name, **more}, button="deed=new")


def links(page: Shown) -> dict[str, str]:
    (list_,) = page.main.all("ul", class_="views")
    return {item.all("a")[0].text: item.all("a")[0].attributes["href"] for item in list_.all("li")}


async def test_a_list_is_kept_under_a_name_and_opened_as_it_was(browser: Browser) -> None:
    saved = await keep(browser, "Red and quiet")
    assert saved.main.one(class_="said").text == "The view is saved."
    before = await browser.get(STATE)
    opened = await browser.get(links(await browser.get("/modules/room/views"))["Red and quiet"])

    assert dict(parse_qsl(urlsplit(opened.url).query)) == dict(parse_qsl(urlsplit(STATE).query))
    assert (heads(opened), cells(opened)) == (heads(before), cells(before))
    assert cells(opened)
    assert not opened.main.all(class_="warned")


async def test_a_view_is_renamed_replaced_and_removed(browser: Browser, desk: Desk) -> None:
    await keep(browser, "First")
    page = await browser.get("/modules/room/views?f.seats.lte=3")
    page = await browser.send(page, page.main.form_named("replace"), {"name": "Second"}, button="deed=change")
    assert "f.seats.gte=10" in links(await browser.get("/modules/room/views"))["Second"]

    page = await browser.get("/modules/room/views?f.seats.lte=3")
    page = await browser.send(page, page.main.form_named("replace"), {"replace": "1"}, button="deed=change")
    assert links(await browser.get("/modules/room/views")) == {"Second": "/modules/room?f.seats.lte=3"}

    page = await browser.get("/modules/room/views")
    page = await browser.send(page, page.main.form_named("replace"), button="deed=delete")
    assert page.main.one(class_="said").text == "The view is deleted."
    assert (await desk.data('{ savedViews(module: "room") { id } }'))["savedViews"] == []


async def test_what_is_wrong_is_said_and_what_was_typed_stays(browser: Browser) -> None:
    await keep(browser, "Twice")
    again = await keep(browser, "Twice")

    assert again.status == 422
    assert again.main.one(role="alert").text
    assert again.main.one(id="view-name").attributes["value"] == "Twice"


async def test_a_view_whose_fields_are_gone_opens_and_says_what_it_left_out(desk: Desk, browser: Browser) -> None:
    await keep(browser, "Old", shared="1")
    other = ROOM.replace("name: seats,", "name: places,").replace("seats", "places")
    (desk.site / "room.yaml").write_text(other)
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    page = await browser.get(links(await browser.get("/modules/room/views"))["Old"])

    assert page.status == 200
    told = page.main.one(class_="warned").text
    assert {"f.seats", "c=seats", "sort"} <= set(told.replace(",", " ").split())
    assert heads(page)[:2] == ["Name", "Building"]


async def test_what_only_the_api_can_say_is_left_out_and_named(desk: Desk, browser: Browser) -> None:
    filter_ = {"or": [{"seats": {"gte": 8}}, {"name": {"contains": "x"}}], "seats": {"lt": 5}}
    save = "mutation ($i: SaveViewInput!) { saveView(input: $i) { errors { code } } }"
    made = await desk.data(
        save, i={"module": "room", "name": "By API", "filter": filter_, "columns": ["building.name"]}
    )
    assert made["saveView"]["errors"] == []
    page = await browser.get(links(await browser.get("/modules/room/views"))["By API"])

    assert "f.or" in page.main.one(class_="warned").text
    assert heads(page)[:1] == ["Building"]
    assert len(cells(page)) == 5


async def test_names_of_views_are_texts(browser: Browser) -> None:
    names = {text[:200].strip() for text in PAYLOADS if text[:200].isprintable()}
    names = set(sorted(names)[::25])
    for name in names:
        assert (await keep(browser, name)).status == 200
    page = await browser.get("/modules/room/views")

    assert {" ".join(name.split()) for name in names} <= {" ".join(name.split()) for name in links(page)}
    assert not page.main.all("img")
    assert not page.main.all("script")


async def test_htmx_gets_the_panel_alone(browser: Browser) -> None:
    part = await browser.client.get("/modules/room/views?q=x", headers={"hx-request": "true"})

    assert "<main" not in part.text
    assert Shown(part).one("form").attributes["action"] == "/modules/room/views?q=x"
