"""Pages that follow what others do while somebody looks at them, in a real browser."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.chromium import Seat, seated, watched
from tests.web.server import REAL, running
from tests.web.test_pages_browser import TASK, TEAM, World, until_ready

pytestmark = pytest.mark.timed

SOON_MS = 8_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("live")
    site = folder / "site"
    site.mkdir()
    (site / "team.yaml").write_text(TEAM + "relations: [{name: tasks, to: task, by: team, label: Tasks}]\n")
    (site / "task.yaml").write_text(TASK)
    with running(REAL, folder, modules_dir=site, database_url=f"sqlite:///{folder}/desk.db") as server:
        until_ready(server)
        made = World(server, site)
        made.data('mutation { createTeams(input: {teams: [{name: "North"}, {name: "South"}]}) { affected } }')
        tasks = [{"name": f"Task {place:03}", "hours": place, "team": {"name": "North"}} for place in range(40)]
        made.data("mutation ($tasks: [TaskCreate!]!) { createTasks(input: {tasks: $tasks}) { affected } }", tasks=tasks)
        yield made


@pytest.fixture
def seat(world: World, browser: Browser) -> Iterator[Seat]:
    with watched(browser, world.server.url) as found:
        yield found


def watch(page: Page, path: str) -> Page:
    """Open a page and wait until it hears of changes."""
    with page.expect_response(lambda answer: "/live?" in answer.url):
        page.goto(path)
    page.wait_for_timeout(200)
    return page


def set_task(world: World, name: str, **changed: Any) -> None:
    row = world.task(name)
    world.data(
        "mutation ($id: ID!, $task: TaskPatch!) { updateTask(input: {key: {id: $id}, patch: $task}) { errors { message } } }",
        id=row["id"],
        task=changed,
    )


def fetches(page: Page, part: str) -> list[str]:
    """Note every request with a part in its address from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if part in request.url else None)
    return found


def test_what_another_changes_appears_without_a_reload(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5")
    expect(page.locator("#list tbody tr")).to_have_count(5)
    page.evaluate("window.stays = true")

    set_task(world, "Task 020", hours=1)
    expect(page.locator("#list tbody tr")).to_have_count(6, timeout=SOON_MS)
    set_task(world, "Task 020", hours=20)
    expect(page.locator("#list tbody tr")).to_have_count(5, timeout=SOON_MS + 1000)

    assert page.evaluate("window.stays")
    expect(page.locator("#said")).to_have_text("The page was brought up to date.")
    assert page.url.endswith("/modules/task?f.hours.lt=5")


def test_a_row_that_is_being_edited_stays_while_the_others_change(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5")
    cell = page.locator("tr[data-url]", has_text="Task 002").locator("td", has_text="2").last
    cell.dblclick()
    field = page.locator(".cell-form input[name=hours]")
    field.fill("3")
    set_task(world, "Task 004", hours=0)
    expect(page.locator("tr[data-url]", has_text="Task 004").locator("td", has_text="0").last).to_have_text(
        "0", timeout=SOON_MS
    )

    expect(field).to_have_value("3")
    expect(field).to_be_focused()
    page.locator(".cell-form button.btn-primary").click()
    expect(page.locator("tr[data-url]", has_text="Task 002").locator("td", has_text="3")).to_have_count(1)
    assert world.task("Task 002")["hours"] == 3
    set_task(world, "Task 002", hours=2)
    set_task(world, "Task 004", hours=4)


def test_what_was_chosen_and_the_focus_stay(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5&sort=-name")
    page.locator("tr", has_text="Task 003").locator("input[name=id]").check()
    page.locator("tr", has_text="Task 001").locator("a.link").focus()
    set_task(world, "Task 030", hours=4)
    expect(page.locator("#list tbody tr")).to_have_count(6, timeout=SOON_MS)

    expect(page.locator("tr", has_text="Task 003").locator("input[name=id]")).to_be_checked()
    expect(page.locator(".bulk")).to_contain_text("1 chosen")
    expect(page.locator("tr", has_text="Task 001").locator("a.link")).to_be_focused()
    assert page.url.endswith("&sort=-name")
    set_task(world, "Task 030", hours=30)


def test_a_form_says_who_changed_its_row_and_keeps_what_is_typed(seat: Seat, world: World) -> None:
    row = world.task("Task 010")["id"]
    page = watch(seat.page, f"/modules/task/{row}/edit")
    page.fill("#in-about", "mine")
    set_task(world, "Task 011", about="another row")
    page.wait_for_timeout(1_500)
    expect(page.locator("#meanwhile")).to_be_empty()
    set_task(world, "Task 010", about="theirs")
    expect(page.locator("#meanwhile")).to_contain_text("Changed meanwhile by root@localhost", timeout=SOON_MS)

    expect(page.locator("#in-about")).to_have_value("mine")
    page.once("dialog", lambda dialog: dialog.accept())  # something was typed
    page.locator("#meanwhile a").click()
    expect(page.locator("#in-about")).to_have_value("theirs")


def test_the_page_of_a_row_follows_it_and_what_belongs_to_it(seat: Seat, world: World) -> None:
    row = world.task("Task 012")["id"]
    page = watch(seat.page, f"/modules/task/{row}")
    set_task(world, "Task 012", about="News <b>of today</b>", hours=77)
    expect(page.locator("#facts")).to_contain_text("News <b>of today</b>", timeout=SOON_MS)
    expect(page.locator("#past-rows")).to_contain_text("77", timeout=SOON_MS + 1000)

    team = world.data('{ team(by: {name: "South"}) { id } }')["team"]["id"]
    watch(page, f"/modules/team/{team}")
    expect(page.locator("#related-tasks")).to_contain_text("There are none")
    set_task(world, "Task 013", team={"name": "South"})
    expect(page.locator("#related-tasks")).to_contain_text("Task 013", timeout=SOON_MS)


def test_a_row_that_is_deleted_leaves_a_word_on_its_page(seat: Seat, world: World) -> None:
    made = world.data('mutation { createTeam(input: {team: {name: "Short-lived"}}) { team { id } } }')["createTeam"]
    page = watch(seat.page, f"/modules/team/{made['team']['id']}")
    world.data("mutation ($id: ID!) { deleteTeam(input: {key: {id: $id}}) { errors { code } } }", id=made["team"]["id"])
    expect(page.locator("#facts .problem")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#said")).to_contain_text("not there any more")
    seat.forgive("404")


def test_a_thousand_changes_are_few_fetches(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?size=25")
    asked = fetches(page, "/modules/task")
    begun = time.monotonic()
    for round_ in range(25):
        world.data(
            "mutation ($about: String!) { updateTasks(input: {filter: {hours: {gte: 0}}, patch: {about: $about}, maxAffected: 1000}) { affected } }",
            about=f"round {round_}",
        )
    took = time.monotonic() - begun
    page.wait_for_timeout(2_500)

    lists = [url for url in asked if "/count" not in url]
    assert 1 <= len(lists) <= took + 3


def test_files_that_come_break_and_go_redraw_the_open_list(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5")
    file = world.site / "task.yaml"
    page.locator("tr", has_text="Task 003").locator("input[name=id]").check()
    wider = TASK.replace("list_columns: [name,", "list_columns: [name, notes,").replace(
        "fields:\n", "fields:\n  - {name: notes, type: string, label: Notes}\n"
    )
    try:
        file.write_text(wider)
        expect(page.locator("#list thead")).to_contain_text("Notes", timeout=15_000)
        expect(page.locator("tr", has_text="Task 003").locator("input[name=id]")).to_be_checked()
        file.write_text(wider + "nonsense: [\n")
        page.wait_for_timeout(1_500)
        expect(page.locator("#list thead")).to_contain_text("Notes")  # the last good version serves
        file.unlink()
        expect(page.locator("#list .problem")).to_be_visible(timeout=15_000)
    finally:
        file.write_text(TASK)
    expect(page.locator("#list tbody tr")).to_have_count(5, timeout=15_000)
    seat.forgive("404")


HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_hidden_tab_hears_nothing_and_catches_up_when_it_is_looked_at(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5")
    streams = fetches(page, "/live?")
    asked = fetches(page, "/modules/task")
    with page.expect_event("requestfailed", lambda request: "/live?" in request.url):
        page.evaluate(HIDE, True)
    set_task(world, "Task 035", hours=1)
    page.wait_for_timeout(2_000)
    assert (streams, asked) == ([], [])

    page.evaluate(HIDE, False)
    expect(page.locator("#list tbody tr")).to_have_count(6, timeout=SOON_MS)
    set_task(world, "Task 035", hours=35)


def test_who_signs_out_in_another_tab_is_told_and_asks_no_more(seat: Seat, world: World) -> None:
    page = watch(seat.page, "/modules/task?f.hours.lt=5")
    page.locator("tr[data-url]", has_text="Task 002").locator("td", has_text="2").last.dblclick()
    page.locator(".cell-form input[name=hours]").fill("4")
    other = seat.context.new_page()
    other.goto("/")
    other.locator("summary[aria-label^=Account]").click()
    other.locator("form[action='/logout'] button").click()
    other.wait_for_url("**/login*")
    set_task(world, "Task 003", about="news")
    expect(page.locator("#said")).to_contain_text("You are signed out", timeout=15_000)
    streams = fetches(page, "/live?")
    page.wait_for_timeout(3_000)
    assert streams == []
    expect(page.locator(".cell-form input[name=hours]")).to_have_value("4")  # nothing is taken away
    seat.complaints.clear()


def test_a_page_hears_again_after_the_server_was_started_anew(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "task.yaml").write_text(TASK)
    (tmp_path / "site" / "team.yaml").write_text(TEAM)
    given: dict[str, Any] = {"modules_dir": tmp_path / "site", "database_url": f"sqlite:///{tmp_path}/desk.db"}
    add = "mutation ($name: String!) { createTask(input: {task: {name: $name}}) { errors { message } } }"
    with running(REAL, tmp_path, port=port, **given) as first:
        until_ready(first)
        with seated(browser, first.url) as seat:
            page = watch(seat.page, "/modules/task")
            assert first.stop() == 0
            with running(REAL, tmp_path, port=port, **given) as second:
                until_ready(second)
                World(second, tmp_path).data(add, name="After the restart")
                expect(page.locator("#list")).to_contain_text("After the restart", timeout=20_000)
                World(second, tmp_path).data(add, name="And another")
                expect(page.locator("#list")).to_contain_text("And another", timeout=20_000)


def test_twenty_tabs_share_one_stream_and_block_nothing(seat: Seat, world: World) -> None:
    streams: list[str] = []
    seat.context.on("request", lambda request: streams.append(request.url) if "/live?" in request.url else None)
    ended: list[str] = []
    for event in ("requestfailed", "requestfinished"):
        seat.context.on(event, lambda request: ended.append(request.url) if "/live?" in request.url else None)
    tabs = [seat.context.new_page() for _ in range(20)]
    for place, tab in enumerate(tabs):
        tab.goto(f"/modules/task?f.hours.lt={place + 1}")
    tabs[-1].wait_for_timeout(1_500)
    assert len(streams) - len(ended) == 1

    begun = time.monotonic()
    tabs[7].goto("/modules/team")
    expect(tabs[7].locator("#list")).to_contain_text("North")
    assert time.monotonic() - begun < 5
    tabs[-1].wait_for_timeout(1_000)
    set_task(world, "Task 039", hours=0)
    for tab in (tabs[0], tabs[12], tabs[19]):
        expect(tab.locator("#list tbody")).to_contain_text("Task 039", timeout=15_000)
    tabs[0].close()  # who leads goes; another leads
    tabs[1].wait_for_timeout(1_000)
    set_task(world, "Task 039", hours=39)
    expect(tabs[19].locator("#list tbody")).not_to_contain_text("Task 039", timeout=15_000)
    for tab in tabs[1:]:
        tab.close()
