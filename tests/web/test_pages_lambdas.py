"""Lambdas on pages: computed fields, rules that refuse, actions as buttons."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, browsing
from tests.web.real import Desk, open_desk

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: Room, plural: Rooms}
fields:
  - {name: name, type: string, required: true, unique: true, label: Name}
  - {name: seats, type: int, label: Seats}
computed_fields:
  - {name: load, type: badge, label: Load, needs: [seats], lambda: "return item.seats > 5 ? badge('large', 'red') : badge('small', 'green');"}
  - {name: shown, type: html, label: Shown, needs: [name], lambda: "return `<b>${item.name}</b><img src=x onerror=hit()><script>hit()</script>`;"}
  - {name: broken, type: string, label: Broken, needs: [name], lambda: "throw new Error('secret reason');"}
hooks:
  - on: before_create
    lambda: |
      if (item.name.startsWith("x")) reject("name", "No x.");
actions:
  - name: grow
    label: Make it larger
    args: {by: {type: int, required: true}}
    lambda: |
      update("room", item.id, {seats: item.seats + args.by});
  - name: empty
    label: Empty it
    confirm: Are all of them gone?
    lambda: |
      update("room", item.id, {seats: 0});
access: {agent: {view: true}}
ui: {list_columns: [name, seats, load, shown, broken]}
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as opened:
            await opened.data('mutation { createRoom(input: {room: {name: "Blue", seats: 6}}) { errors { message } } }')
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


async def test_a_list_shows_badges_and_clean_html_and_says_which_cell_could_not_be_had(browser: Browser) -> None:
    page = await browser.get("/modules/room")
    _, name, seats, load, shown, broken, *_ = page.main.one("tbody").one("tr").all("td")

    assert (name.text, seats.text, load.text) == ("Blue", "6", "large")
    assert "tone-red" in load.one("span").attributes["class"]
    assert shown.one("b").text == "Blue"
    assert not [item for item in page.main.all() if item.name in {"img", "script"}]
    assert broken.text == "unreadable"
    assert "secret reason" not in page.response.text


async def test_a_rule_refuses_beside_the_field(browser: Browser) -> None:
    page = await browser.get("/modules/room/new")
    page = await browser.send(page, page.main.form_named("once"), {"name": "xylophone"})

    assert page.status == 422
    assert page.main.one(id="about-name").text == "No x."


async def test_actions_are_buttons_with_inputs_and_a_question(browser: Browser, desk: Desk) -> None:
    page = await browser.get((await browser.get("/modules/room")).main.one("a", class_="link").attributes["href"])
    assert "Are all of them gone?" in page.main.text
    page = await browser.send(page, page.main.form("/act/grow"), {"by": "3"})
    assert "It is done." in page.main.text
    assert await seats(desk) == 9
    refused = await browser.send(page, page.main.form("/act/grow"), {"by": "many"})
    assert (refused.status, "Write a whole number." in refused.main.text) == (422, True)
    page = await browser.send(page, page.main.form("/act/empty"))
    assert await seats(desk) == 0
    stale = await browser.send(refused, refused.main.form("/act/grow"), {"by": "1"})
    assert (stale.status, "The row was changed since it was read." in stale.main.text) == (409, True)
    assert (await browser.send(page, page.main.form("/act/grow"), {"by": "1"}, button="nothing=1")).status == 200
    assert await seats(desk) == 1


async def seats(desk: Desk) -> int:
    found: int = (await desk.data('{ room(by: {name: "Blue"}) { seats } }'))["room"]["seats"]
    return found
