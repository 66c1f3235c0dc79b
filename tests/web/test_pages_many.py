"""Deeds for many rows, imports, histories, related rows and cells: what the pages of a row and a list lead to."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import OWN, Browser, Shown, browsing
from tests.web.real import Desk, open_desk

FLOOR = """\
module: {name: floor, plural_name: floors, table: floor, plural: Floors}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
relations: [{name: seats, to: seat, by: floor, label: Seats}]
access: {agent: {view: true}}
"""
SEAT = """\
module: {name: seat, plural_name: seats, table: seat, plural: Seats, operations: [view, create, update, delete, bulk]}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, searchable: true}
  - {name: places, type: int, label: Places, validation: {min: 1}}
  - {name: floor, type: reference, to: floor, column: floor_id, label: Floor}
  - {name: state, type: select, label: State, options: [{name: FREE, value: f, label: free}, {name: TAKEN, value: t, label: taken}]}
  - {name: validity, column: valid_id, type: validity, label: Validity}
features: {soft_delete: true}
access: {agent: {view: true}}
ui: {default_sort: name}
"""
DESK = SEAT.replace("seat", "bench").replace("Seats", "Benches").replace("benchs", "benches").replace(", bulk]", "]")
PLAIN = """\
module: {name: plain, plural_name: plains, table: plain}
fields: [{name: name, type: string, label: Name, required: true}]
features: {import_csv: false}
access: {agent: {view: true}}
"""
FILES = {"floor": FLOOR, "seat": SEAT, "bench": DESK, "plain": PLAIN}


@asynccontextmanager
async def opened(dialect: str, folder: Path) -> AsyncIterator[Desk]:
    with fresh_url(dialect) as url:
        async with open_desk(url, folder, FILES) as desk:
            await desk.data(
                'mutation { createFloors(input: {floors: [{name: "First"}, {name: "Second"}]}) { affected } }'
            )
            yield desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened("sqlite", tmp_path) as found:
        yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


async def fill(desk: Desk, number: int, module: str = "seat") -> None:
    plural, type_ = {"seat": ("seats", "Seat"), "bench": ("benches", "Bench")}[module]
    rows = [
        {"name": f"S{place:03}", "places": place + 1, "floor": {"name": "First"}, "state": "FREE"}
        for place in range(number)
    ]
    name = plural.capitalize()
    query = f"mutation ($rows: [{type_}Create!]!) {{ create{name}(input: {{{plural}: $rows}}) {{ affected errors {{ message }} }} }}"
    made = await desk.data(query, rows=rows)
    assert made[f"create{name}"]["affected"] == number


async def count(desk: Desk, module: str = "seats", filter_: str = "{}") -> int:
    found: int = (await desk.data(f"{{ {module}(filter: {filter_}) {{ totalCount }} }}"))[module]["totalCount"]
    return found


def ids(page: Shown, number: int) -> list[str]:
    return [item.attributes["value"] for item in page.main.all("input", name="id")[:number]]


async def choose(browser: Browser, page: Shown, deed: str, **more: Any) -> Shown:
    """Tick rows and press a button below the list."""
    return await browser.send(page, page.main.form("/bulk"), more, button=f"deed={deed}")


# --- many rows ---


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_all_rows_of_a_query_are_changed_by_one_mutation_that_names_none_of_them(
    tmp_path: Path, dialect: str
) -> None:
    async with opened(dialect, tmp_path) as desk, browsing(desk) as browser:
        await fill(desk, 60)
        page = await browser.get("/modules/seat?f.places.lte=55")
        confirm = await choose(browser, page, "set", all="1")
        assert confirm.main.one("h1").text == "Set a field of 55 rows"
        assert "id=" not in confirm.url
        confirm = await browser.send(confirm, confirm.main.form_named("field"), {"field": "state"})
        done = await browser.send(confirm, confirm.main.form("/bulk"), {"state": "TAKEN"})

        assert "55 rows are changed." in done.main.text
        assert "f.places.lte=55" in done.url
        assert await count(desk, filter_="{state: {eq: TAKEN}}") == 55
        page = await browser.get("/modules/seat?q=S00")
        confirm = await choose(browser, page, "delete", id=ids(page, 3))
        done = await browser.send(confirm, confirm.main.form("/bulk"))
        assert "3 rows are deleted." in done.main.text
        page = await browser.get("/modules/seat?f.validity=INVALID&size=25")
        confirm = await choose(browser, page, "restore", id=ids(page, 3))
        assert "3 rows are restored." in (await browser.send(confirm, confirm.main.form("/bulk"))).main.text
        assert await count(desk, filter_="{validity: {eq: VALID}}") == 60


async def test_nothing_happens_where_more_rows_fit_than_were_shown(browser: Browser, desk: Desk) -> None:
    await fill(desk, 5)
    page = await browser.get("/modules/seat?size=25")
    confirm = await browser.get("/modules/seat/bulk?deed=delete&all=1")
    await desk.data('mutation { createSeat(input: {seat: {name: "Late"}}) { errors { code } } }')
    answer = await browser.send(confirm, confirm.main.form("/bulk"))

    assert answer.status == 422
    assert "5" in answer.main.one(role="alert").text
    assert await count(desk, filter_="{validity: {eq: INVALID}}") == 0
    assert page.status == 200


async def test_a_search_narrows_what_all_means(browser: Browser, desk: Desk) -> None:
    await fill(desk, 60)
    confirm = await browser.get("/modules/seat/bulk?deed=set&field=places&all=1&q=S01")
    assert "10 rows" in confirm.main.one("h1").text
    done = await browser.send(confirm, confirm.main.form("/bulk"), {"places": "99"})
    assert "10 rows are changed." in done.main.text
    assert await count(desk, filter_="{places: {eq: 99}}") == 10


async def test_a_module_without_bulk_changes_rows_one_by_one_and_names_those_that_cannot_be(
    browser: Browser, desk: Desk
) -> None:
    await fill(desk, 25, "bench")
    confirm = await browser.get("/modules/bench/bulk?deed=set&field=places&all=1")
    done = await browser.send(confirm, confirm.main.form("/bulk"), {"places": "7"})
    assert "25 rows are changed." in done.main.text
    assert await count(desk, "benches", "{places: {eq: 7}}") == 25

    confirm = await browser.get("/modules/bench/bulk?deed=set&field=name&all=1")
    answer = await browser.send(confirm, confirm.main.form("/bulk"), {"name": "Same"})
    assert answer.status == 422
    assert "1 of 25 rows are changed; these are not:" in answer.main.text
    assert "There is another row with this Name." in answer.main.text


async def test_a_wrong_value_for_many_rows_changes_none(browser: Browser, desk: Desk) -> None:
    await fill(desk, 3)
    confirm = await browser.get("/modules/seat/bulk?deed=set&field=places&all=1")
    for value, told in (("many", "Write a whole number."), ("0", "Places must be 1 or more.")):
        answer = await browser.send(confirm, confirm.main.form("/bulk"), {"places": value})
        assert (answer.status, told in answer.main.text) == (422, True)
    assert await count(desk, filter_="{places: {lte: 3}}") == 3


async def test_without_a_chosen_row_there_is_nothing_to_do(browser: Browser, desk: Desk) -> None:
    await fill(desk, 2)
    page = await browser.get("/modules/seat?size=25")
    assert "No row is chosen." in (await choose(browser, page, "delete")).main.text
    for query in ("deed=nothing&id=x", "id=x", "deed=set"):
        assert (await browser.get(f"/modules/seat/bulk?{query}")).status in {404, 200}


# --- imports ---


async def look(browser: Browser, csv: str, **more: str) -> Shown:
    page = await browser.get("/modules/seat/import")
    return await browser.send_files(
        page, page.main.form("/import"), {"act": "look", **more}, file=("seats.csv", csv.encode())
    )


async def write(browser: Browser, page: Shown, act: str, **more: str) -> Shown:
    answer = await browser.send_files(page, page.main.form("/import"), {"act": act, **more})
    for _ in range(100):
        if "were made" in answer.main.text or "failed" in answer.main.text:
            return answer
        answer = await browser.get(answer.url)
    raise AssertionError(answer.main.text)


async def test_an_import_says_what_it_would_do_before_it_does_anything(browser: Browser, desk: Desk) -> None:
    page = await look(browser, "name,places,floor.name\nA,1,First\nB,2,Second\n")
    assert "Of 2 rows 2 would be made, 0 changed, and 0 are wrong." in page.main.text
    assert await count(desk) == 0
    done = await write(browser, page, "write")

    assert "Of 2 rows 2 were made, 0 changed, and 0 were wrong." in done.main.text
    assert await count(desk, filter_='{floor: {name: {eq: "Second"}}}') == 1


async def test_bad_rows_are_named_and_the_good_ones_may_be_taken(browser: Browser, desk: Desk) -> None:
    page = await look(browser, "name,places,floor.name\nA,0,First\nB,2,Nowhere\n,3,\nGood,4,First\n")
    rows = [[cell.text for cell in row.all("td")] for row in page.main.one("tbody").all("tr")]
    assert rows == [
        ["2", "places", "Places must be 1 or more."],
        ["3", "floor.name", "Floor: there is no such row."],
        ["4", "name", "A value is required here."],
    ]
    assert "Import now" not in page.main.text
    done = await write(browser, page, "good")
    assert "Of 4 rows 1 were made, 0 changed, and 3 were wrong." in done.main.text
    assert await count(desk) == 1


async def test_a_column_with_another_name_is_mapped(browser: Browser, desk: Desk) -> None:
    page = await look(browser, "Bezeichnung,places,rubbish\nA,1,x\n")
    form = page.main.form("/import")
    assert {item.attributes["name"] for item in form.all("select")} == {"by", "map.Bezeichnung", "map.rubbish"}
    page = await browser.send_files(page, form, {"map.Bezeichnung": "name", "map.rubbish": "-", "act": "look"})
    assert "Of 1 rows 1 would be made" in page.main.text
    await write(browser, page, "write")
    assert await count(desk, filter_='{name: {eq: "A"}}') == 1


async def test_rows_that_are_there_are_changed_by_their_key(browser: Browser, desk: Desk) -> None:
    await fill(desk, 2)
    page = await look(browser, "name,places\nS000,50\nNew,60\n", by="name")
    assert "1 would be made, 1 changed" in page.main.text
    await write(browser, page, "write")
    assert await count(desk, filter_="{places: {gte: 50}}") == 2


async def test_an_import_needs_a_file_that_is_one_and_a_module_that_takes_some(browser: Browser) -> None:
    page = await browser.get("/modules/seat/import")
    assert "Choose a file." in (await browser.send_files(page, page.main.form("/import"), {})).main.text
    assert (await look(browser, "")).status in {200, 422}
    assert (await browser.get("/modules/plain/import")).status == 403
    assert (await browser.get("/modules/seat/import?job=99999")).status == 404
    assert (await browser.get("/modules/seat/import?job=x%27")).status == 404


# --- the page of a row ---


async def test_a_change_is_seen_in_the_history_and_can_be_taken_back(browser: Browser, desk: Desk) -> None:
    await fill(desk, 1)
    page = await browser.get((await browser.get("/modules/seat")).main.one("a", class_="link").attributes["href"])
    form = await browser.get(f"{page.url}/edit")
    page = await browser.send(form, form.main.form_named("version"), {"places": "9", "state": "TAKEN"})
    past = await browser.get(f"{page.url.partition('?')[0]}/history")
    first = past.main.one("ol").all("li")[0]
    assert re.match(r"changed by root@localhost just now Places 1 → 9 State free → taken Take back", first.text), (
        first.text
    )
    page = await browser.send(past, past.main.all("form")[0])

    assert "The change is taken back." in page.main.text
    assert (await desk.data('{ seat(by: {name: "S000"}) { places state } }'))["seat"] == {"places": 1, "state": "FREE"}
    past = await browser.get(f"{page.url.partition('?')[0]}/history")
    assert "took a change back" in past.main.one("ol").all("li")[0].text


async def test_a_change_that_cannot_be_taken_back_says_why(browser: Browser, desk: Desk) -> None:
    await fill(desk, 1)
    page = await browser.get((await browser.get("/modules/seat")).main.one("a", class_="link").attributes["href"])
    for places in (2, 3):
        await desk.data(
            f'mutation {{ updateSeat(input: {{key: {{name: "S000"}}, patch: {{places: {places}}}}}) {{ errors {{ code }} }} }}'
        )
    past = await browser.get(f"{page.url}/history")
    older = past.main.all("form")[1]
    answer = await browser.send(past, older)

    assert answer.status == 409
    assert "The change cannot be taken back: " in answer.main.one(role="alert").text


async def test_the_page_of_a_row_leads_to_the_rows_that_belong_to_it(browser: Browser, desk: Desk) -> None:
    await fill(desk, 12)
    listed = await browser.get("/modules/floor")
    page = await browser.get(listed.main.all("a", class_="link")[0].attributes["href"])
    link = next(item for item in page.main.all("a") if item.text == "Seats")
    related = await browser.get(link.attributes["href"])

    names = [row.all("td")[0].text for row in related.main.one("tbody").all("tr")]
    assert names == [f"S{place:03}" for place in range(10)]
    part = await browser.client.get(link.attributes["href"], headers={"hx-request": "true"})
    assert "<html" not in part.text
    second = await browser.get(listed.main.all("a", class_="link")[1].attributes["href"])
    assert "There are none." in (await browser.get(f"{second.url}/related/seats")).main.text


# --- cells ---


async def test_a_cell_is_edited_where_it_stands(browser: Browser, desk: Desk) -> None:
    await fill(desk, 1)
    page = await browser.get("/modules/seat?c=name,places,floor")
    url = page.main.one("tbody").all("tr")[0].attributes["data-url"]
    assert [item.attributes.get("data-field") for item in page.main.one("thead").all("th")][1:4] == [
        "name",
        "places",
        "floor",
    ]
    cell = await browser.get(f"{url}/cell/floor", **{"hx-request": "true"})
    answer = await browser.send(cell, cell.one("form"), {"floor": "Second"})
    assert answer.text == "Second"
    cell = await browser.get(f"{url}/cell/places")
    wrong = await browser.send(cell, cell.one("form"), {"places": "0"})
    assert (wrong.status, "Places must be 1 or more." in wrong.text) == (422, True)
    assert (await browser.send(wrong, wrong.one("form"), {"places": "5"})).text == "5"
    assert (await browser.get(f"{url}/cell/places?show=1")).text == "5"
    for name in ("nothing", "id", "version", "createdAt"):
        assert (await browser.get(f"{url}/cell/{name}")).status == 404


async def test_a_cell_that_somebody_else_changed_says_so_first(browser: Browser, desk: Desk) -> None:
    await fill(desk, 1)
    url = (await browser.get("/modules/seat")).main.one("tbody").all("tr")[0].attributes["data-url"]
    cell = await browser.get(f"{url}/cell/places")
    await desk.data('mutation { updateSeat(input: {key: {name: "S000"}, patch: {places: 8}}) { errors { code } } }')
    answer = await browser.send(cell, cell.one("form"), {"places": "5"})
    assert (answer.status, "The row was changed since it was read." in answer.text) == (422, True)
    assert (await browser.send(answer, answer.one("form"))).text == "5"


async def test_what_changes_something_wants_the_token_on_every_address(browser: Browser, desk: Desk) -> None:
    await fill(desk, 1)
    url = (await browser.get("/modules/seat")).main.one("tbody").all("tr")[0].attributes["data-url"]
    paths = [
        "/modules/seat/new",
        "/modules/seat/bulk",
        "/modules/seat/import",
        *(f"{url}/{rest}" for rest in ("edit", "delete", "restore", "undo", "cell/places")),
    ]
    for path in paths:
        for headers in ({"origin": OWN}, {"origin": "https://evil.example"}):
            answer = await browser.client.post(
                path, data={"name": "x", "places": "3", "deed": "delete", "all": "1", "most": "9"}, headers=headers
            )
            assert answer.status_code == 403, path
    assert await count(desk, filter_="{places: {eq: 1}, validity: {eq: VALID}}") == 1
