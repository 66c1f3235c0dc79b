"""The page on which a lambda is written: what the draft makes of real rows, and how it is saved; without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import Desk, open_desk
from tests.web.test_lambdas import fill
from tests.web.test_preview import ROOM

SIZE = "/admin/modules/room/lambdas/size"
FLOOR = """\
module: {extend: room}
computed_fields:
  - {name: floor, type: int, needs: [seats], lambda: "return 1"}  # said inline
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one worker, whose shipped rooms have 10, 20, 20 and -1 seats, and an extension of its own."""
    with fresh_url("sqlite") as url:
        shipped = tmp_path / "modules"
        shipped.mkdir()
        (shipped / "room.yaml").write_text(ROOM)
        folders = (shipped, tmp_path / "site")
        async with open_desk(url, tmp_path, {"room": FLOOR}, modules_dir=folders, lambda_workers=1) as found:
            await fill(found.live.database)  # type: ignore[arg-type] # the real one
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


async def write(browser: Browser, code: str, do: str = "preview", path: str = SIZE, **typed: str) -> Shown:
    page = await browser.get(path)
    return await browser.send(page, page.form_named("code"), {"code": code, **typed}, f"do={do}")


def rows(page: Shown) -> list[list[str]]:
    return [[cell.text for cell in row.all("td")] for row in page.one("section", id="result").one("tbody").all("tr")]


async def test_the_code_stands_beside_what_it_makes_of_rows(browser: Browser) -> None:
    page = await browser.get(SIZE)

    assert "return item.seats >= (args.large_at || 20)" in page.one("textarea", id="code").text
    assert "This lambda stands in a shipped file" in page.main.text
    assert rows(page)[:2] == [['{"seats": 10}', "small", "= the same"], ['{"seats": 20}', "large", "= the same"]]
    assert [item.text for item in page.one("section", id="result").one("ul").all("li")] == [
        f"✓ holds modules/room.yaml, line {line}" for line in (14, 15)
    ]


async def test_a_draft_is_tried_and_nothing_is_written(desk: Desk, browser: Browser, tmp_path: Path) -> None:
    page = await write(browser, "log('seen'); return item.seats > 10 ? 'huge' : 'small';")

    assert page.status == 200
    assert rows(page)[1][:2] == ['{"seats": 20}', "large"]
    assert rows(page)[1][2] == "huge Log (1) seen"
    assert "2 rows differ" in page.main.text
    assert "✗ does not hold" in page.main.text
    assert (tmp_path / "modules" / "room.yaml").read_text() == ROOM


async def test_a_filter_and_arguments_choose_what_is_tried(browser: Browser) -> None:
    page = await write(browser, "return String(args.large_at);", where='{"seats": {"eq": -1}}', args='{"large_at": 5}')
    assert rows(page) == [['{"seats": -1}', "small", "5"]]
    for where, told in {
        "[1]": "Only rows like this (JSON, as the API filters): write a JSON object.",
        "{": "Only rows like this (JSON, as the API filters): write a JSON object.",
        '{"colour": 1}': "colour",
    }.items():
        page = await write(browser, "return 1;", where=where)
        assert told in page.one("section", id="result").one("p", role="alert").text


async def test_what_fails_says_where(browser: Browser) -> None:
    thrown = await write(browser, "const n = item.seats;\nif (n < 0) throw new Error('no room');\nreturn 'x';")
    assert rows(thrown)[3][2] == "✗ Error: no room line 2"
    assert "1 row fails" in thrown.main.text
    broken = await write(browser, "return item seats;")
    (told,) = broken.one("section", id="result").all("p", role="alert")
    assert told.text == "SyntaxError: Unexpected identifier 'seats' line 1"
    assert (told.attributes["data-line"], told.attributes["data-column"]) == ("1", "13")


async def test_saving_writes_the_code_where_it_stands_and_serves(desk: Desk, browser: Browser, tmp_path: Path) -> None:
    code = "// by seats\nreturn item.seats >= 20 ? 'large' : 'small';"
    page = await write(browser, code, "save")

    assert page.one("p", class_="said").text == "It is published and serves."
    line = "      return item.seats >= (args.large_at || 20) ? 'large' : 'small';\n"
    wanted = "      // by seats\n      return item.seats >= 20 ? 'large' : 'small';\n"
    assert (tmp_path / "modules" / "room.yaml").read_text() == ROOM.replace(line, wanted)


async def test_a_field_of_an_extension_is_saved_into_the_extension(desk: Desk, browser: Browser) -> None:
    page = await write(browser, "return item.seats * 2;", "save", "/admin/modules/room/lambdas/floor")

    assert "shipped" not in page.main.text
    assert "It is published and serves." in page.main.text
    assert (desk.site / "room.yaml").read_text() == FLOOR.replace('"return 1"', '"return item.seats * 2;"')
    assert (await desk.data("{ rooms { nodes { floor } } }"))["rooms"]["nodes"][0] == {"floor": 20}


async def test_code_that_contradicts_its_examples_is_not_saved(browser: Browser, tmp_path: Path) -> None:
    page = await write(browser, "return 'tiny';", "save")

    assert page.status == 422
    assert "modules/room.yaml:14" in page.one("div", class_="failed").text
    assert (tmp_path / "modules" / "room.yaml").read_text() == ROOM


async def test_what_somebody_else_saved_meanwhile_is_told_and_not_lost(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "modules" / "room.yaml"
    page = await browser.get(SIZE)
    theirs = ROOM.replace("en: Seats", "en: Chairs")
    path.write_text(theirs)
    code = "return item.seats >= 20 ? 'large' : 'small';"
    told = await browser.send(page, page.form_named("code"), {"code": code}, "do=save")
    assert told.status == 409
    assert path.read_text() == theirs

    done = await browser.send(told, told.form_named("code"), button="do=save")
    assert "It is published and serves." in done.main.text
    assert "en: Chairs" in path.read_text()
    assert code in path.read_text()


async def test_a_preview_as_one_types_answers_with_the_result_alone(browser: Browser) -> None:
    page = await browser.get(SIZE)
    browser.client.headers["hx-request"] = "true"
    part = await browser.send(page, page.form_named("code"), {"code": "return 'x';"}, "do=preview")

    assert part.all("html") == part.all("form") == []
    assert len(rows(part)) == 4


@pytest.mark.parametrize("path", ["/admin/modules/room/lambdas/name", "/admin/modules/no/lambdas/size"])
async def test_a_lambda_that_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).status == 404


async def test_the_health_page_has_the_figures_of_lambdas(browser: Browser) -> None:
    await browser.get("/modules/room?c=size")
    page = await browser.get("/admin/health")

    assert "holds" in page.main.text
    assert [row.all("td")[0].text for row in page.main.one("tbody").all("tr")] == ["room.size"]
    assert page.main.one("tbody").one("a").attributes["href"] == SIZE
