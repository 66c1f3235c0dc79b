"""Rows that are drawn already: they are shown again as long as they have the same values, for whoever may do the same."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, browsing
from tests.web.real import Desk, open_desk
from tests.web.test_pages_list import FILES, cells, fill
from web.pages import cells as cells_module
from web.pages import kept_rows, row_drawing
from web.pages.drawing import draw_first_cell


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


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rows that are drawn."""
    found: list[str] = []
    draw = draw_first_cell

    def note(shown: cells_module.Shown, url: str, css: str = "") -> str:
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
