"""The list of any module: columns, order, search, filters, pages, and its state in the address."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import Browser, Shown, browsing, nonces
from tests.web.real import Desk, open_desk
from web.pages import kept_rows, list_parts, row_drawing
from web.pages.cells import Shown as ShownValue
from web.pages.drawing import draw_first_cell

BUILDING = """\
module: {name: building, plural_name: buildings, table: building, plural: Buildings}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
access: {agent: {view: true}}
"""
ROOM = """\
module:
  name: room
  plural_name: rooms
  table: room
  singular: {en: Room, de: Raum}
  plural: {en: Rooms, de: Räume}
  notice: {en: Rooms are only a test., de: Räume sind nur ein Test.}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true, searchable: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
  - {name: building, type: reference, to: building, column: building_id, label: {en: Building, de: Gebäude}}
  - {name: quiet, type: bool, label: Quiet}
  - {name: grade, type: int, label: Grade, display_map: {1: {en: good, de: gut}}, display_as: badge, default: 1}
  - {name: cleaned_at, type: datetime, label: Cleaned}
  - {name: slot, type: duration, label: Slot}
  - name: colour
    type: select
    label: Colour
    options: [{name: RED, value: r, label: red, tone: red}, {name: BLUE, value: b, label: {en: blue, de: blau}, tone: blue}]
  - {name: note, type: text, label: Note, searchable: true}
  - {name: secret_code, type: secret, label: Code}
filters: [{field: colour, type: select}, {field: seats, type: number_range}, {field: building, type: select}]
access: {agent: {view: true}, fields: {note: {agent: {role: nobody}}}}
ui: {list_columns: [name, seats, building, colour], default_sort: name}
"""
FILES = {"room": ROOM, "building": BUILDING}


async def fill(desk: Desk, number: int = 60) -> None:
    """Make rooms: R00, R01 …, every third red, in two buildings."""
    await desk.data('mutation { createBuildings(input: {buildings: [{name: "North"}, {name: "South"}]}) { affected } }')
    rooms: list[dict[str, Any]] = [
        {
            "name": f"R{place:02}",
            "seats": place,
            "building": {"name": "North" if place % 2 else "South"},
            "colour": "BLUE" if place % 3 else "RED",
            "quiet": place % 2 == 0,
            "cleanedAt": "2020-01-02T03:04:05Z",
        }
        for place in range(number)
    ]
    query = "mutation ($rooms: [RoomCreate!]!) { createRooms(input: {rooms: $rooms}) { affected errors { message } } }"
    made = await desk.data(query, rooms=rooms)
    assert made["createRooms"] == {"affected": number, "errors": []}


@asynccontextmanager
async def opened_browser(dialect: str, folder: Path) -> AsyncIterator[Browser]:
    with fresh_url(dialect) as url:
        async with open_desk(url, folder, FILES) as desk:
            await fill(desk)
            async with browsing(desk) as browser:
                yield browser


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, FILES) as opened:
            await fill(opened)
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


def cells(page: Shown, column: int = 0) -> list[str]:
    """Return a column as text, after the tick of each row."""
    return [row.all("td")[column + 1].text for row in page.main.one("tbody").all("tr")]


def heads(page: Shown) -> list[str]:
    return [item.text for item in page.main.one("thead").all("th") if item.text]


async def test_a_list_has_the_columns_and_the_order_of_its_file(browser: Browser) -> None:
    page = await browser.get("/modules/room")

    assert page.main.one("h1").text == "Rooms"
    assert heads(page)[:4] == ["Name", "Seats", "Building", "Colour"]
    assert cells(page)[:3] == ["R00", "R01", "R02"]
    assert [item.text for item in page.main.one("tbody").all("tr")[1].all("td")[1:5]] == ["R01", "1", "North", "blue"]
    assert page.main.one("th", aria_sort="ascending").text == "Name"
    assert "Rooms are only a test." in page.main.text


async def test_a_row_leads_to_its_page_and_a_reference_to_the_other_row(browser: Browser) -> None:
    page = await browser.get("/modules/room")
    row = page.main.one("tbody").all("tr")[1]

    own, building = row.all("a")[:2]
    assert (await browser.get(own.attributes["href"])).main.one("h1").text == "R01"
    assert (await browser.get(building.attributes["href"])).main.one("h1").text == "North"


async def test_a_click_on_a_header_sorts_and_another_turns_it_round(browser: Browser) -> None:
    page = await browser.get("/modules/room")
    seats = next(item for item in page.main.all("th") if item.text == "Seats")
    page = await browser.get(seats.one("a").attributes["href"])
    assert cells(page, 1)[:2] == ["0", "1"]
    seats = page.main.one("th", aria_sort="ascending")
    page = await browser.get(seats.one("a").attributes["href"])

    assert cells(page, 1)[:2] == ["59", "58"]
    assert parse_qs(urlsplit(page.url).query) == {"sort": ["-seats"]}
    by_building = await browser.get("/modules/room?sort=-building&size=25")
    assert set(cells(by_building, 2)) == {"South"}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_pages_follow_each_other_and_lead_back(tmp_path: Path, dialect: str) -> None:
    async with opened_browser(dialect, tmp_path) as browser:
        await check_pages(browser)


async def check_pages(browser: Browser) -> None:
    page = await browser.get("/modules/room?size=25&sort=seats")
    seen = cells(page, 1)
    assert not page.main.all("a", rel="prev")
    while older := page.main.all("a", rel="next"):
        page = await browser.get(older[0].attributes["href"])
        seen += cells(page, 1)
    assert seen == [str(number) for number in range(60)]

    page = await browser.get(page.main.one("a", rel="prev").attributes["href"])
    assert cells(page, 1) == [str(number) for number in range(25, 50)]
    page = await browser.get(page.main.one("a", rel="prev").attributes["href"])
    assert cells(page, 1) == [str(number) for number in range(25)]


async def test_the_number_of_rows_is_counted_behind_the_page(browser: Browser) -> None:
    page = await browser.get("/modules/room?f.colour=RED&size=25")
    assert len(cells(page)) == 20
    assert "20 rows" in page.main.text  # all are here: nothing more to count
    part = await browser.client.get("/modules/room/count?f.quiet=1")
    assert part.text.strip() == "30 rows"


FILTERS: list[tuple[str, list[str], str | None]] = [
    ("f.colour=RED&f.seats.lte=6", ["R00", "R03", "R06"], "Colour is red"),
    ("f.name=r1&f.seats.gte=18", ["R18", "R19"], "Name contains r1"),
    ("f.building=North&f.seats.lt=4", ["R01", "R03"], "Building is North"),
    ("f.quiet=0&f.seats.lt=4", ["R01", "R03"], "Quiet is no"),
    ("f.seats.in=3&f.seats.in=5", ["R03", "R05"], "Seats is 3, 5"),
    ("f.note=x&f.seats.lt=1", ["R00"], None),
    ("f.slot.isNull=1&f.seats.lt=1", ["R00"], "Slot is empty"),
    ("f.cleanedAt.gte=2020-01-02T03:04&f.seats.lt=1", ["R00"], "Cleaned from 2020-01-02 03:04"),
    ("f.databaseId.lte=1", ["R00"], "Number until 1"),
    ("q=R07", ["R07"], None),
]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_filter_is_a_chip_that_can_be_taken_off(tmp_path: Path, dialect: str) -> None:
    async with opened_browser(dialect, tmp_path) as browser:
        for query, found, chip in FILTERS:
            page = await browser.get(f"/modules/room?{query}")
            assert cells(page) == found, query
            if chip is not None:
                item = next(item for item in page.main.all("li", class_="chip") if item.text == chip)
                without = await browser.get(item.one("a").attributes["href"])
                assert chip not in without.main.text
                assert set(found) <= set(cells(without))


async def test_what_of_an_address_nobody_understands_is_said_and_counts_for_nothing(browser: Browser) -> None:
    page = await browser.get(
        "/modules/room?f.nothing=1&f.seats.contains=1&f.seats.gte=many&sort=note&c=name,ghost&f.secretCode=x"
    )

    assert (
        "f.nothing, f.seats.contains, f.secretCode, sort, c=ghost, f.seats.gte"
        in page.main.one("p", class_="warned").text
    )
    assert len(cells(page)) == 50


async def test_the_panel_offers_the_filters_of_the_file_and_its_form_makes_the_address(browser: Browser) -> None:
    panel = await browser.get("/modules/room/filter?f.colour=RED&sort=-seats")
    form = panel.main.form_named("f.seats.gte")
    assert [item.all("legend")[0].text for item in form.all("fieldset") if item.attributes.get("class") == "field"][:3] == [
        "Seats", "Building", "Colour",
    ]  # fmt: skip
    page = await browser.send(panel, form, {"f.seats.gte": "50", "f.building.in": ["North"]})

    assert cells(page) == ["R57", "R51"]
    assert {item.text for item in page.main.all("li", class_="chip")} == {
        "Colour is red",
        "Seats from 50",
        "Building is North",
    }


async def test_columns_are_chosen_and_stay_in_the_address(browser: Browser) -> None:
    page = await browser.get("/modules/room")
    form = page.main.form_named("c")
    assert "Note" not in form.text  # of a role that one does not have
    assert "Code" not in form.text
    page = await browser.send(page, form, {"c": ["name", "cleanedAt", "quiet"]})

    assert heads(page)[:3] == ["Name", "Cleaned", "Quiet"]
    moment = page.main.one("tbody").all("time")[0]
    assert (moment.text, moment.attributes["title"]) == ("2020-01-02", "2020-01-02 03:04:05 UTC")
    assert cells(page, 2)[:2] == ["yes", "no"]
    sorted_page = await browser.get(page.main.one("thead").all("a")[1].attributes["href"])
    assert heads(sorted_page)[:3] == ["Name", "Cleaned", "Quiet"]


async def test_a_value_is_displayed_as_its_file_says(browser: Browser) -> None:
    page = await browser.get("/modules/room?c=name,grade")
    cell = page.main.one("tbody").all("tr")[0].all("td")[2]
    assert (cell.text, cell.one("span").attributes["class"]) == ("good", "tone tone-gray")


async def test_moments_are_in_the_zone_of_the_reader(browser: Browser) -> None:
    look = await browser.get("/look")
    await browser.send(look, look.form("/look"), {"zone": "Asia/Tokyo"})
    page = await browser.get("/modules/room?c=cleanedAt&size=25")
    assert page.main.one("tbody").all("time")[0].attributes["title"] == "2020-01-02 12:04:05 JST"
    assert len(cells(await browser.get("/modules/room?f.cleanedAt.gte=2020-01-02T12:04"))) == 50
    assert "No row fits" in (await browser.get("/modules/room?f.cleanedAt.gte=2020-01-02T12:05")).main.text


async def test_an_empty_list_says_whether_there_is_nothing_or_nothing_fits(browser: Browser, desk: Desk) -> None:
    assert "No row fits the search and filters." in (await browser.get("/modules/room?q=nowhere")).main.text
    await desk.data('mutation { deleteRooms: deleteRoom(input: {key: {name: "R00"}}) { errors { code } } }')
    (desk.site / "lamp.yaml").write_text(
        "module: {name: lamp, table: lamp, plural: Lamps}\nfields: [{name: name, type: string}]\n"
    )
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one has it
    page = await browser.get("/modules/lamp")
    assert "There are no rows yet." in page.main.text
    assert page.one("nav", aria_label="Modules").all("a", href="/modules/lamp")


async def test_htmx_gets_the_list_alone_with_the_address_that_belongs_to_it(browser: Browser) -> None:
    headers = {"hx-request": "true", "hx-source": "input#search"}
    searched = await browser.client.get("/modules/room?q=R0&sort=-seats&colour=&size=50", headers=headers)
    assert searched.headers["hx-replace-url"] == "/modules/room?q=R0&sort=-seats"
    assert searched.text.strip().startswith('<section id="list"')
    assert "<html" not in searched.text
    sorted_ = await browser.client.get("/modules/room?sort=-seats", headers={"hx-request": "true", "hx-source": "a"})
    assert sorted_.headers["hx-push-url"] == "/modules/room?sort=-seats"


async def test_the_csv_of_the_whole_filter_is_one_link_away(browser: Browser) -> None:
    page = await browser.get("/modules/room?f.colour=RED&q=R&sort=-seats&size=25")
    link = next(item for item in page.main.all("a") if item.text == "Export")
    answer = await browser.client.get(link.attributes["href"])

    lines = answer.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "Name,Seats,Building: Name,Colour"
    assert lines[1] == "R57,57,North,RED"
    assert len(lines) == 21


async def test_a_list_is_in_the_language_of_the_reader(desk: Desk) -> None:
    async with browsing(desk, **{"accept-language": "de"}) as browser:
        page = await browser.get("/modules/room?f.colour=BLUE")

    assert page.main.one("h1").text == "Räume"
    assert heads(page)[:4] == ["Name", "Plätze", "Gebäude", "Colour"]
    assert set(cells(page, 3)) == {"blau"}
    assert "Colour ist blau" in page.main.text


async def test_what_is_kept_of_a_list_has_the_nonce_and_the_token_of_its_page(browser: Browser) -> None:
    first, second = [await browser.get("/modules/room?q=R0") for _ in range(2)]
    for page in (first, second):
        (nonce,) = nonces(page.response)
        assert f"'nonce-{nonce}'" in page.response.headers["content-security-policy"]
        assert "\ue000" not in page.response.text
    assert nonces(first.response) != nonces(second.response)
    tokens = [page.one("meta", name_="csrf-token").attributes["content"] for page in (first, second)]
    assert tokens[0] != tokens[1]


async def test_what_is_kept_of_a_list_is_of_its_language_and_its_zone(browser: Browser) -> None:
    english = await browser.get("/modules/room?f.cleanedAt.gte=2020-01-01")
    german = await browser.get("/modules/room?f.cleanedAt.gte=2020-01-01", **{"accept-language": "de"})
    assert "Columns" in english.main.text
    assert "Columns" not in german.main.text
    assert "Spalten" in german.main.text

    exports = {"2019-12-31T23:00:00Z", "2020-01-01T00:00:00Z"}
    browser.client.cookies.set("lambdesk-look", "zone:Europe~Berlin", domain="localhost.local")
    berlin = await browser.get("/modules/room?f.cleanedAt.gte=2020-01-01")
    told = [parse_qs(urlsplit(page.main.one("a", download="").attributes["href"]).query) for page in (english, berlin)]
    assert {json.loads(item["filter"][0])["cleanedAt"]["gte"] for item in told} == exports


async def test_what_is_kept_of_lists_is_bounded(browser: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_parts, "STATES", 3)
    for place in range(8):
        await browser.get(f"/modules/room?q=R{place}")
    kept = desk.live.snapshot().memo["page list parts"]
    assert 0 < len(kept) <= 3

    monkeypatch.setattr(list_parts, "LETTERS", 100)
    kept.clear()
    assert cells(await browser.get("/modules/room?q=R01")) == ["R01"]
    assert len(kept) == 0, "what is long is drawn anew"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rows that are drawn."""
    found: list[str] = []
    draw = draw_first_cell

    def note(shown: ShownValue, url: str, css: str = "") -> str:
        found.append(shown.text)
        return draw(shown, url, css)

    monkeypatch.setattr(row_drawing, "draw_first_cell", note)
    return found


async def test_a_row_is_drawn_once_and_again_when_a_value_of_it_is_another_one(
    browser: Browser, desk: Desk, drawn: list[str]
) -> None:
    first = await browser.get("/modules/room?size=25")
    assert drawn == cells(first)
    drawn.clear()
    again = await browser.get("/modules/room?size=25&page=1")
    assert drawn == []
    assert rows(again.response.text) == rows(first.response.text)

    await desk.data('mutation {updateRoom(input: {key: {name: "R03"}, patch: {seats: 77}}) {errors {code}}}')
    changed = await browser.get("/modules/room?size=25")
    assert drawn == ["R03"]
    assert cells(changed, 1)[3] == "77"
    assert cells(changed) == cells(first)


async def test_other_columns_and_another_language_are_drawn_for_themselves(browser: Browser, drawn: list[str]) -> None:
    await browser.get("/modules/room?size=25")
    drawn.clear()
    assert set(cells(await browser.get("/modules/room?size=25&c=name&c=colour"), 1)) == {"red", "blue"}
    german = await browser.get("/modules/room?size=25", **{"accept-language": "de"})
    assert set(cells(german, 3)) == {"red", "blau"}
    assert len(drawn) == 2 * 25


async def test_what_tells_how_long_ago_something_was_is_drawn_at_each_time(browser: Browser, drawn: list[str]) -> None:
    for _ in range(2):
        await browser.get("/modules/room?size=25&c=name&c=cleanedAt")
    assert len(drawn) == 2 * 25


async def test_kept_rows_are_bounded(
    browser: Browser, desk: Desk, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_drawing, "ROWS_KEPT", 10)
    monkeypatch.setattr(kept_rows, "TABLES", 2)
    for column in ("name", "seats", "colour", "quiet"):
        assert len(cells(await browser.get(f"/modules/room?size=25&c={column}"))) == 25
    tables = desk.live.snapshot().memo["rows of pages"]
    assert 0 < len(tables) <= 2
    assert all(0 < len(rows) <= 10 for rows in tables.values())

    monkeypatch.setattr(row_drawing, "LETTERS_KEPT", 50)
    drawn.clear()
    for _ in range(2):
        await browser.get("/modules/room?size=25&c=name&c=seats")
    assert len(drawn) == 2 * 25, "long rows are not kept"


def rows(text: str) -> str:
    found = re.search("<tbody>.*</tbody>", text, re.DOTALL)
    assert found is not None
    return found[0]
