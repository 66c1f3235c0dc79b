"""The pages in a real browser: what scripts add, that nothing breaks without them, and that nothing foreign runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.web.chromium import Seat, quiet, require_axe, seated, watched
from tests.web.server import REAL, Server, running
from tests.web.xss import PAYLOADS

pytestmark = pytest.mark.timed

TEAM = """\
module: {name: team, plural_name: teams, table: team, plural: Teams, section: Work}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, searchable: true}
access: {agent: {view: true}}
"""
TASK = """\
module:
  name: task
  plural_name: tasks
  table: task
  singular: Task
  plural: Tasks
  section: Work
  operations: [view, create, update, delete, bulk]
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, searchable: true}
  - {name: about, type: text, label: About, help: In a few words}
  - {name: hours, type: int, label: Hours, validation: {min: 0}}
  - {name: due_at, type: datetime, label: Due}
  - {name: urgent, type: bool, label: Urgent, default: false}
  - {name: team, type: reference, to: team, column: team_id, label: Team}
  - name: state
    type: select
    label: State
    default: o
    options: [{name: OPEN, value: o, label: open, tone: blue}, {name: DONE, value: d, label: done, tone: green}]
  - {name: validity, column: valid_id, type: validity, label: Validity}
relations: []
features: {soft_delete: true}
access: {agent: {view: true}}
ui: {list_columns: [name, team, state, hours, due_at], default_sort: name}
"""
LATE = """\
module: {name: late, plural_name: lates, table: late, plural: Latecomers, section: Work}
fields: [{name: name, type: string, label: Name}]
access: {agent: {view: true}}
"""


class World:
    """A server with tasks, and a way to its API."""

    def __init__(self, server: Server, site: Path) -> None:
        self.server = server
        self.site = site

    def data(self, query: str, **variables: Any) -> Any:
        answer = httpx.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": self.server.bearer},
            timeout=20,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def task(self, name: str) -> Any:
        return self.data(
            "query ($name: String!) { task(by: {name: $name}) { id hours about state validity team { name } } }",
            name=name,
        )["task"]


def until_ready(server: Server) -> None:
    deadline = time.monotonic() + 60
    while httpx.get(f"{server.url}/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


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
        tasks = [
            {"name": f"Task {place:03}", "hours": place, "team": {"name": "North"}, "dueAt": "2020-01-01T12:00:00Z"}
            for place in range(80)
        ]
        made.data("mutation ($tasks: [TaskCreate!]!) { createTasks(input: {tasks: $tasks}) { affected } }", tasks=tasks)
        yield made


@pytest.fixture
def seat(world: World, browser: Browser) -> Iterator[Seat]:
    with watched(browser, world.server.url) as found:
        yield found


@pytest.fixture
def plain(world: World, browser: Browser) -> Iterator[Page]:
    """A browser that runs no scripts."""
    with seated(browser, world.server.url, java_script_enabled=False) as found:
        yield found.page


def names(page: Page) -> list[str]:
    return page.locator("#list tbody a.link").all_inner_texts()


# --- with scripts ---


def test_the_list_follows_what_one_types_and_the_address_follows_the_list(seat: Seat) -> None:
    page = seat.go("/modules/task")
    page.locator("#search").press_sequentially("03", delay=20)
    expect(page.locator("#list tbody tr")).to_have_count(11)
    page.wait_for_url("**/modules/task?q=03")
    assert page.evaluate("document.activeElement.id") == "search"
    expect(page.locator("#said")).to_have_text("11 rows on this page")
    page.click("th >> text=Hours")
    page.wait_for_url("**/modules/task?q=03&sort=hours")
    page.click("th >> text=Hours")
    page.wait_for_url("**/modules/task?q=03&sort=-hours")
    assert names(page)[0] == "Task 039"
    page.fill("#search", "Task 01")  # the order stays
    page.wait_for_url("**/modules/task?q=Task+01&sort=-hours")
    expect(page.locator("#list tbody a.link").first).to_have_text("Task 019")
    page.go_back()
    page.wait_for_url("**/modules/task?q=03&sort=hours")
    expect(page.locator("#list tbody a.link").first).to_have_text("Task 003")


def test_a_filter_of_the_panel_narrows_the_list(seat: Seat) -> None:
    page = seat.go("/modules/task")
    page.click("#filters summary")
    page.fill("#filter-panel input[name='f.hours.lte']", "2")
    page.click("#filter-panel button")
    expect(page.locator(".chip")).to_have_text("Hours until 2")
    assert names(page) == ["Task 000", "Task 001", "Task 002"]
    page.click(".chip a")
    expect(page.locator(".chip")).to_have_count(0)


def test_the_next_page_comes_without_a_new_document(seat: Seat) -> None:
    page = seat.go("/modules/task?size=25")
    page.evaluate("window.same = true")
    page.click("a[rel=next]")
    expect(page.locator("#list tbody a.link").first).to_have_text("Task 025")
    expect(page.locator(".foot")).to_contain_text("80 rows")
    assert page.evaluate("window.same") is True
    page.click("a[rel=prev]")
    expect(page.locator("#list tbody a.link").first).to_have_text("Task 000")


def test_a_row_is_made_and_changed(seat: Seat, world: World) -> None:
    page = seat.go("/modules/task")
    page.keyboard.press("n")
    page.wait_for_url("**/modules/task/new")
    page.fill("#in-name", "Made by hand")
    page.fill("#in-hours", "-1")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.click("main form button >> text=Create")
    expect(page.locator("#about-hours")).to_contain_text("Hours must be 0 or more.")
    page.fill("#in-hours", "5")
    page.select_option("#in-team", "South")
    page.fill("#in-dueAt", "2030-05-06T07:08")
    page.click("main form button >> text=Create")
    expect(page.locator("h1")).to_contain_text("Made by hand")
    page.click("a >> text=Edit")
    page.fill("#in-about", "two\nlines")
    page.check("#in-urgent")
    page.click("button >> text=Save")
    expect(page.locator(".said")).to_have_text("It is saved.")
    made = world.task("Made by hand")
    seat.forgive("422")
    assert (made["hours"], made["about"], made["team"]) == (5, "two\nlines", {"name": "South"})


def test_unsaved_changes_are_not_lost_by_a_click(seat: Seat) -> None:
    page = seat.go("/modules/task/new")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#in-name").press_sequentially("half")
    page.click("a >> text=Cancel", no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.input_value("#in-name") == "half"


def test_two_people_at_one_row_see_each_other(seat: Seat, world: World, browser: Browser) -> None:
    row = world.task("Task 070")["id"]
    page = seat.go(f"/modules/task/{row}/edit")
    with seated(browser, world.server.url) as other:
        theirs = other.go(f"/modules/task/{row}/edit")
        theirs.fill("#in-about", "theirs")
        theirs.click("button >> text=Save")
        theirs.wait_for_selector(".said")
    page.fill("#in-about", "mine")
    page.click("button >> text=Save")
    expect(page.locator("h1")).to_have_text("Somebody was faster")
    assert page.locator("tbody tr").all_inner_texts() == ["About\tmine\ttheirs"]
    page.click("button >> text=Keep mine")
    page.wait_for_selector(".said")
    assert world.task("Task 070")["about"] == "mine"
    seat.forgive("409")


def test_all_matching_rows_are_changed_at_once(seat: Seat, world: World) -> None:
    page = seat.go("/modules/task?size=25&f.hours.gte=40&f.hours.lte=69")
    bar = page.locator(".bulk")
    expect(bar).to_be_hidden()
    page.check("thead input")
    expect(bar).to_contain_text("25 chosen")
    page.check("input[name=all]")
    page.click("button >> text=Set a field")
    expect(page.locator("h1")).to_have_text("Set a field of 30 rows")
    page.select_option("#field", "state")
    page.click("button >> text=Go on")
    page.select_option("#in-state", "DONE")
    page.click("button >> text=Change 30 rows")
    expect(page.locator(".said")).to_have_text("30 rows are changed.")
    assert world.data("{ tasks(filter: {state: {eq: DONE}}) { totalCount } }")["tasks"]["totalCount"] == 30


def test_an_import_shows_bad_rows_first(seat: Seat, world: World, tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    file.write_text("name,hours,team.name\nImported,1,North\nWrong,-5,North\nLost,1,Nowhere\n")
    page = seat.go("/modules/task/import")
    page.set_input_files("#file", file)
    page.click("button >> text=Look what would happen")
    expect(page.locator("#job")).to_contain_text("Of 3 rows 1 would be made, 0 changed, and 2 are wrong.")
    assert page.locator("#job tbody tr").all_inner_texts() == [
        "3\thours\tHours must be 0 or more.",
        "4\tteam.name\tTeam: there is no such row.",
    ]
    assert world.task("Imported") is None
    page.click("button >> text=Import the good rows")
    expect(page.locator("#job")).to_contain_text("Of 3 rows 1 were made")
    assert world.task("Imported")["hours"] == 1


def test_the_filtered_rows_come_as_a_file(seat: Seat) -> None:
    page = seat.go("/modules/task?f.hours.lte=1&c=name,hours&q=Task")
    with page.expect_download() as waiting:
        page.click("a >> text=Export")
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert text.splitlines()[:2] == ["Name,Hours", "Task 000,0"]


def test_a_change_is_taken_back_from_the_history(seat: Seat, world: World) -> None:
    row = world.task("Task 071")["id"]
    world.data(
        "mutation ($id: ID!) { updateTask(input: {key: {id: $id}, patch: {hours: 99}}) { errors { code } } }", id=row
    )
    page = seat.go(f"/modules/task/{row}")
    first = page.locator("ol.past > li").first
    expect(first).to_contain_text("Hours")
    first.locator("button >> text=Take back").click()
    expect(page.locator(".said")).to_have_text("The change is taken back.")
    assert world.task("Task 071")["hours"] == 71


def test_a_cell_is_edited_where_it_stands(seat: Seat, world: World) -> None:
    page = seat.go("/modules/task?q=Task+072")
    cell = page.locator("tbody td >> text=72").last
    cell.hover()
    page.click(".cell-pen")
    box = page.locator(".cell-form input[name=hours]")
    expect(box).to_be_focused()
    box.fill("-3")
    page.evaluate("document.querySelector('.cell-form').noValidate = true")
    box.press("Enter")
    expect(page.locator(".cell-form [role=alert]")).to_have_text("Hours must be 0 or more.")
    page.locator(".cell-form input[name=hours]").fill("720")
    page.locator(".cell-form input[name=hours]").press("Enter")
    expect(page.locator("tbody")).to_contain_text("720")
    assert world.task("Task 072")["hours"] == 720
    page.locator("tbody td >> text=720").dblclick()
    page.locator(".cell-form input[name=hours]").press("Escape")
    expect(page.locator(".cell-form")).to_have_count(0)
    seat.forgive("422")


def test_the_keyboard_is_enough(seat: Seat) -> None:
    page = seat.go("/modules/task?q=Task")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("1 chosen")
    assert page.locator("tr.chosen a.link").all_inner_texts() == ["Task 001"]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("jx")  # letters in an input are letters
    assert "jx" in page.input_value("#search")
    page.fill("#search", "")
    page.wait_for_url("**/modules/task")  # the list has followed
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/modules/task/*")
    page.keyboard.press("e")
    page.wait_for_url("**/edit")


def test_single_keys_can_be_turned_off(seat: Seat) -> None:
    page = seat.go("/look?next=/modules/task")
    page.check("#keys-off")
    page.click("button >> text=Apply")
    page.wait_for_url("**/modules/task")
    page.keyboard.press("n")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    expect(page.locator("#keys")).to_be_hidden()
    assert page.url.endswith("/modules/task")


def test_the_palette_leads_to_every_module_by_its_name(seat: Seat) -> None:
    page = seat.go("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("new tas")
    expect(page.locator("#palette-list li:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/modules/task/new")


def test_a_module_that_is_dropped_in_is_there_after_a_reload(seat: Seat, world: World) -> None:
    page = seat.go("/modules/task")
    expect(page.locator("nav >> text=Latecomers")).to_have_count(0)
    (world.site / "late.yaml").write_text(LATE)
    deadline = time.monotonic() + 10
    while page.locator("nav >> text=Latecomers").count() == 0:
        assert time.monotonic() < deadline
        page.reload()
    page.click("nav >> text=Latecomers")
    expect(page.locator("main")).to_contain_text("There are no rows yet.")
    page.keyboard.press("Control+k")
    page.keyboard.type("latecomers new")
    page.keyboard.press("Enter")
    page.wait_for_url("**/modules/late/new")
    (world.site / "late.yaml").unlink()


def test_moments_are_in_the_zone_of_the_browser(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url, timezone_id="Asia/Tokyo") as found:
        page = found.go("/modules/task?q=Task+000")
        page.reload()
        assert page.locator("tbody time").get_attribute("title") == "2020-01-01 21:00:00 JST"


@pytest.mark.parametrize("wide", [1280, 320])
def test_no_page_is_wider_than_the_screen(world: World, browser: Browser, wide: int) -> None:
    """Also at 400 % zoom of 1,280 points: only tables scroll, inside of their frame."""
    row = world.task("Task 000")["id"]
    with seated(browser, world.server.url, viewport={"width": wide, "height": 700}) as found:
        for path in (
            "/",
            "/modules/task",
            "/modules/task/new",
            f"/modules/task/{row}",
            f"/modules/task/{row}/edit",
            "/modules/task/import",
            "/look",
        ):
            page = found.go(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= wide, path


# --- without scripts ---


def follow(page: Page, what: str) -> None:
    """Click what leads to another page, and be there."""
    with page.expect_navigation():
        page.click(what)


def test_everything_works_without_scripts(plain: Page, world: World) -> None:
    plain.goto("/modules/task")
    assert plain.locator("button.jump").is_hidden()
    assert plain.locator("a.jump").is_visible()
    plain.fill("#search", "Task 00")
    with plain.expect_navigation():
        plain.press("#search", "Enter")
    assert len(names(plain)) == 10
    follow(plain, "th >> text=Hours")
    follow(plain, "th >> text=Hours")
    assert names(plain)[0] == "Task 009"
    plain.click("#filters summary")
    follow(plain, "#filter-panel a")
    plain.fill("input[name='f.hours.lte']", "5")
    follow(plain, "button >> text=Apply the filter")
    assert names(plain)[0] == "Task 005"
    follow(plain, "a >> text=New")
    plain.fill("#in-name", "Without scripts")
    plain.select_option("#in-team", "South")
    follow(plain, "button >> text=Create")
    assert plain.locator(".said").inner_text() == "It is created."
    follow(plain, "a >> text=Edit")
    plain.fill("#in-hours", "12")
    follow(plain, "button >> text=Save")
    follow(plain, "h2 >> text=History")
    follow(plain, "button >> text=Take back >> nth=0")
    assert world.task("Without scripts")["hours"] is None
    plain.click("summary >> text=Delete")
    follow(plain, "button >> text=Delete")
    assert world.task("Without scripts")["validity"] == "INVALID"
    plain.goto("/modules/task?f.name=Without+scripts")
    plain.check("input[name=id]")
    follow(plain, "button >> text=Restore")
    follow(plain, "button >> text=Change 1 row")
    assert plain.locator(".said").inner_text() == "1 row is restored."


# --- nothing foreign runs ---


def test_payloads_do_nothing_in_a_real_browser(world: World, browser: Browser) -> None:
    rows = [
        {"name": f"~{place} {text}"[:250], "about": text} for place, text in enumerate(PAYLOADS) if "\r" not in text
    ]
    for start in range(0, len(rows), 100):
        world.data(
            "mutation ($rows: [TaskCreate!]!) { createTasks(input: {tasks: $rows}) { affected } }",
            rows=rows[start : start + 100],
        )
    with seated(browser, world.server.url) as found:
        try:
            found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
            for address in (
                "/modules/task?q=~&size=200&c=name,about",
                "/modules/task?q=~&size=200&c=name,about&sort=-name",
            ):
                page = found.go(address)
                assert found.tripped() == []
                page.click("th a >> text=About")
                quiet(page)
                assert found.tripped() == []
            for path in page.eval_on_selector_all("#list tr[data-url]", "rows => rows.map(row => row.dataset.url)")[
                ::12
            ]:
                for rest in ("", "/edit"):
                    found.go(f"{path}{rest}")
                    assert found.tripped() == []
            assert found.complaints == []
        finally:
            world.data(
                'mutation { updateTasks(input: {filter: {name: {startsWith: "~"}}, patch: {about: null}, maxAffected: 1000}) { affected } }'
            )


def test_the_tripwires_work(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url) as found:
        page = found.go("/")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hit()>')")
        page.wait_for_function("window.tripped.length > 0")
        assert found.tripped()[0].startswith("script-src")
        page.evaluate("hit()")
        assert "hit" in found.tripped()


# --- nobody is kept out ---


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(world: World, browser: Browser, scheme: str) -> None:
    axe, row = require_axe(), world.task("Task 003")["id"]
    serious: dict[str, list[str]] = {}
    with seated(browser, world.server.url, color_scheme=scheme) as found:
        for path in (
            "/", "/look", "/modules/task", "/modules/task?q=nowhere", "/modules/task/filter", "/modules/task/new", f"/modules/task/{row}",
            f"/modules/task/{row}/edit", f"/modules/task/{row}/history", "/modules/task/bulk?deed=delete&all=1", "/modules/task/import", "/modules/nothing",
        ):  # fmt: skip
            page = found.go(path)
            if path == "/modules/task":
                page.check("tbody input >> nth=0")
            look(page, axe, path, serious)
    with seated(browser, world.server.url, login=False, color_scheme=scheme) as found:
        look(found.go("/login"), axe, "/login", serious)
    assert serious == {}


def look(page: Page, axe: str, path: str, serious: dict[str, list[str]]) -> None:
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    bad = [item for item in found["violations"] if item["impact"] in {"serious", "critical"}]
    if bad:
        serious[path] = [
            f"{item['id']}: {item['nodes'][0]['html'][:200]} {item['nodes'][0].get('failureSummary', '')[:300]}"
            for item in bad
        ]
