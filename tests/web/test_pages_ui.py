"""What a module file says of its list: which actions and where, the place and style of columns, ready filters, and what layers add."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, browsing
from tests.web.real import Desk, open_desk
from tests.web.test_pages_list import heads

LAMP = """\
module: {name: lamp, plural_name: lamps, table: lamp, plural: Lamps}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
  - {name: watts, type: int, label: Watts, list_class: "font-mono text-right evil javascript:x", list_position: 1}
  - {name: colour, type: select, label: Colour, list_class: red, options: [{name: RED, value: r, label: red}, {name: BLUE, value: b, label: blue}]}
  - {name: lit, type: bool, label: Lit}
  - {name: bought, type: date, label: Bought}
filters: [{field: colour, type: select}, {field: lit, type: select}, {field: bought, type: date_range}, {field: watts, type: number_range}]
actions:
  - {name: dim, label: Dim, args: {by: {type: int, required: true}}, lambda: "update('lamp', item.id, {watts: item.watts - args.by});"}
  - {name: light, label: Light, lambda: "return 1;"}
access: {agent: {view: true}}
ui:
  list_columns: [name, colour, watts]
  actions:
    - {name: {en: Make darker, de: Dunkler}, action: dim, confirm: "How much?"}
    - {name: Shop, endpoint: "https://shop.example/lamps/{id}"}
    - {name: Evil, endpoint: "javascript:alert({id})"}
    - {name: Elsewhere, endpoint: "//evil.example/{id}"}
    - {name: Gone, action: nothing}
"""
MORE = """\
module: {extend: lamp}
fields:
  - {name: shelf, type: string, label: Shelf, show_in_list: true}
  - {name: box, type: string, label: Box}
fields_patch: {lit: {show_in_list: true}}
"""
MANY = 120


def many_references(count: int = MANY) -> dict[str, str]:
    """One module with more references than an operation may ask for at once."""
    colour = "module: {name: colour, plural_name: colours, table: colour}\nfields: [{name: name, type: string, required: true, unique: true}]\naccess: {agent: {view: true}}\n"
    fields = "".join(
        f"  - {{name: c{place}, type: reference, to: colour, column: c{place}_id, show_in_list: true}}\n"
        for place in range(count)
    )
    wide = "module: {name: wide, plural_name: wides, table: wide}\nfields:\n  - {name: name, type: string, required: true, unique: true}\n"
    return {"colour": colour, "wide": f"{wide}{fields}access: {{agent: {{view: true}}}}\n"}


@asynccontextmanager
async def opened(
    folder: Path, files: dict[str, str], layer: str = "", **more: int
) -> AsyncIterator[tuple[Desk, Browser]]:
    upper = folder / "upper"
    upper.mkdir()
    if layer:
        (upper / "lamp.yaml").write_text(layer)
    with fresh_url("sqlite") as url:
        async with (
            open_desk(url, folder, files, modules_dir=(folder / "site", upper), **more) as desk,
            browsing(desk) as browser,
        ):
            yield desk, browser


@pytest.fixture
async def lamps(tmp_path: Path) -> AsyncIterator[tuple[Desk, Browser]]:
    async with opened(tmp_path, {"lamp": LAMP}, MORE, lambda_workers=1) as (desk, browser):
        rows = [
            {"name": f"L{place}", "watts": 10 * place, "colour": "RED" if place % 2 else "BLUE", "lit": place > 2}
            for place in range(5)
        ]
        made = await desk.data(
            "mutation ($rows: [LampCreate!]!) { createLamps(input: {lamps: $rows}) { affected errors { message } } }",
            rows=rows,
        )
        assert made["createLamps"]["affected"] == 5
        yield desk, browser


async def test_columns_stand_where_the_file_says_and_layers_add_theirs(lamps: tuple[Desk, Browser]) -> None:
    page = await lamps[1].get("/modules/lamp")

    assert heads(page)[:5] == ["Watts", "Name", "Colour", "Shelf", "Lit"]
    assert "Box" not in heads(page)


async def test_a_cell_has_the_classes_that_are_ours_and_no_others(lamps: tuple[Desk, Browser]) -> None:
    page = await lamps[1].get("/modules/lamp")
    watts, _, colour = (
        page.main.one("tbody").all("tr")[0].all("td")[1:4]
        if page.main.all(class_="tick")
        else page.main.one("tbody").all("tr")[0].all("td")[:3]
    )

    assert set(watts.attributes["class"].split()) == {"number", "cell-mono"}
    assert "cell-red" in colour.attributes["class"].split()
    assert "evil" not in page.response.text.replace("evil.example", "")


async def test_a_list_offers_the_actions_of_its_file_in_their_order_and_words(lamps: tuple[Desk, Browser]) -> None:
    desk, browser = lamps
    page = await browser.get("/modules/lamp?q=")
    links = page.main.one("tbody").all("tr")[1].one("td", class_="does").all("a")

    assert [link.text for link in links if link.text] == ["Make darker", "Shop"]
    assert links[1].attributes["href"] == "https://shop.example/lamps/2"
    asked = await browser.get(links[0].attributes["href"])
    assert "How much?" in asked.main.text
    assert asked.main.one("h1").text == "Make darker: L1"
    assert (await desk.data('{ lamp(by: {name: "L1"}) { watts } }'))["lamp"]["watts"] == 10, "to look does nothing"
    done = await browser.send(asked, asked.main.all("form")[0], {"by": "3"})
    assert done.status == 200
    assert (await desk.data('{ lamp(by: {name: "L1"}) { watts } }'))["lamp"]["watts"] == 7
    detail = await browser.get(links[0].attributes["href"].rpartition("/act")[0])
    buttons = [
        item.text
        for item in detail.main.one(class_="head").all("summary") + detail.main.one(class_="head").all("button")
    ]
    assert buttons.index("Make darker") < buttons.index("Light")
    assert (await browser.get(f"{links[0].attributes['href'].rpartition('/')[0]}/nothing")).status == 404


async def test_filters_of_the_file_are_ready(lamps: tuple[Desk, Browser]) -> None:
    browser = lamps[1]
    page = await browser.get("/modules/lamp?f.watts.gte=10")
    (ready,) = page.main.all("div", class_="ready")

    assert {item.one("summary").text: [link.text for link in item.all("a")] for item in ready.all("details")} == {
        "Colour": ["red", "blue"],
        "Lit": ["yes", "no"],
        "Bought": ["today", "since 7 days ago", "since 30 days ago"],
    }
    red = next(link for link in ready.all("a") if link.text == "red")
    page = await browser.get(red.attributes["href"])
    assert [row.all("a", class_="link")[0].text for row in page.main.one("tbody").all("tr")] == ["10", "30"]
    assert "Colour" not in [item.text for item in page.main.one("div", class_="ready").all("summary")]


async def test_a_module_with_more_references_than_an_operation_may_ask_for_has_all_its_pages(tmp_path: Path) -> None:
    async with opened(tmp_path, many_references()) as (desk, browser):
        await desk.data('mutation { createColours(input: {colours: [{name: "Red"}, {name: "Blue"}]}) { affected } }')
        row = {"name": "W", **{f"c{place}": {"name": "Red"} for place in range(MANY)}}
        made = await desk.data(
            "mutation ($row: WideCreate!) { createWide(input: {wide: $row}) { wide { id } } }", row=row
        )
        address = f"/modules/wide/{made['createWide']['wide']['id']}"
        for path in (
            "/modules/wide",
            "/modules/wide/new",
            "/modules/wide/filter",
            address,
            f"{address}/edit",
            f"{address}/history",
        ):
            assert (await browser.get(path)).status == 200, path
        detail = await browser.get(address)
        assert [item.text for item in detail.main.all("dd")].count("Red") == MANY
        form = await browser.get(f"{address}/edit")
        saved = await browser.send(form, form.main.form_named("name"), {f"c{MANY - 1}": "Blue"})
        assert saved.status == 200, saved.main.text[:500]
        assert (await desk.data(f'{{ wide(by: {{name: "W"}}) {{ c0 {{ name }} c{MANY - 1} {{ name }} }} }}'))[
            "wide"
        ] == {"c0": {"name": "Red"}, f"c{MANY - 1}": {"name": "Blue"}}
        stale = await browser.send(form, form.main.form_named("name"), {"name": "X", "c3": "Blue"})
        assert stale.status == 409
