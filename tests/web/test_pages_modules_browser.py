"""The administrators' pages in a real browser: the editor, the lambda beside its rows, and that nobody is kept out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.chromium import Seat, require_axe, seated, watched
from tests.web.server import REAL, running
from tests.web.test_pages_browser import World, until_ready

pytestmark = pytest.mark.timed

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: Room}
fields:
  - {name: name, type: string, label: Name, required: true}
  - {name: seats, type: int, label: Seats}
computed_fields:
  - name: size
    type: string
    needs: [seats]
    lambda: |
      return item.seats > 10 ? 'large' : 'small';
    examples:
      - {item: {seats: 20}, returns: large}
access: {agent: {view: true}}
"""
LAMP = "module: {name: lamp, plural_name: lamps, table: lamp}\nfields:\n  - {name: name, type: strng}\n"
PAGES = (
    "/admin/modules",
    "/admin/modules/new",
    "/admin/modules/file?file=site/lamp.yaml",
    "/admin/modules/file?file=site/room.yaml",
    "/admin/modules/room/history",
    "/admin/modules/room/fields",
    "/admin/modules/room/rules",
    "/admin/modules/room/lambdas/size",
    "/admin/health",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    site = tmp_path / "site"
    site.mkdir()
    (site / "room.yaml").write_text(ROOM)
    (site / "lamp.yaml").write_text(LAMP)
    settings = {"modules_dir": site, "database_url": f"sqlite:///{tmp_path}/desk.db", "lambda_workers": 1}
    with running(REAL, tmp_path, **settings) as server:
        until_ready(server)
        made = World(server, site)
        made.data(
            'mutation { createRooms(input: {rooms: [{name: "A", seats: 4}, {name: "B", seats: 30}]}) { affected } }'
        )
        yield made


@pytest.fixture
def seat(world: World, browser: Browser) -> Iterator[Seat]:
    with watched(browser, world.server.url) as found:
        yield found


def write(page: Page, text: str) -> None:
    """Put a text into the editor as somebody would who pastes it."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_broken_file_is_mended_in_the_editor_and_the_list_follows_by_itself(seat: Seat, world: World) -> None:
    page = seat.go("/admin/modules")
    expect(page.locator("#modules tr.told")).to_contain_text("Did you mean `string`?")
    page.click("#modules tr.told a.where")
    expect(page.locator(".cm-lintRange-error")).to_have_text("strng")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    page.locator(".cm-lintRange-error").dblclick()
    page.keyboard.insert_text("string")
    expect(page.locator("#findings .said")).to_have_text("The file is fine.")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)

    list_page = seat.context.new_page()
    list_page.goto("/admin/modules")
    expect(list_page.locator("#modules tr.told")).to_have_count(1)
    page.click("button[value=publish]")
    expect(page.locator(".said").first).to_have_text("It is published and serves.")
    assert (world.site / "lamp.yaml").read_text() == LAMP.replace("strng", "string")
    expect(list_page.locator("#modules tr.told")).to_have_count(0)  # nobody loaded that page again


def test_what_was_typed_is_kept_as_a_draft_until_it_is_published(seat: Seat, world: World, browser: Browser) -> None:
    page = seat.go("/admin/modules/file?file=site/room.yaml")
    draft = ROOM.replace("label: Seats", "label: Chairs")
    write(page, draft)
    expect(page.locator("#draft-state")).to_contain_text("The draft is kept:")
    with seated(browser, world.server.url) as other:  # another browser, or the same after it was closed
        page = other.go("/admin/modules/file?file=site/room.yaml")
        expect(page.locator(".cm-content")).to_contain_text("label: Seats")
        page.click("text=Take the draft")
        expect(page.locator(".cm-content")).to_contain_text("label: Chairs")
        page.click("button[value=publish]")
        expect(page.locator(".said").first).to_have_text("It is published and serves.")
        page.wait_for_timeout(1_500)  # nothing that was on its way may bring the draft back
        other.go("/admin/modules/file?file=site/room.yaml")
        expect(page.locator("#draft")).to_have_count(0)
        assert other.complaints == []
    assert (world.site / "room.yaml").read_text() == draft
    assert world.data("{ moduleDrafts { file } }")["moduleDrafts"] == []


def test_a_field_by_rules_shows_what_comes_of_it_while_one_chooses(seat: Seat, world: World) -> None:
    page = seat.go("/admin/modules/room/rules")
    page.fill("#name", "space")
    page.select_option('[name="r0.c0.field"]', "seats")
    page.select_option('[name="r0.c0.op"]', "greater")
    page.fill('[name="r0.c0.value"]', "9")
    page.fill('[name="r0.text"]', "roomy")
    page.select_option('[name="r0.tone"]', "blue")
    expect(page.locator("#made .badge-blue")).to_have_text("roomy")
    page.click("text=One more rule")
    expect(page.locator("fieldset.rule")).to_have_count(3)
    expect(page.locator('[name="r0.text"]')).to_have_value("roomy")
    page.click("button[value=publish]")
    expect(page.locator(".said").first).to_have_text("It is published and serves.")
    page.click("text=Open as rules")
    expect(page.locator('[name="r0.text"]')).to_have_value("roomy")
    rooms = world.data("{ rooms(orderBy: [{name: ASC}]) { nodes { space { text } } } }")["rooms"]["nodes"]
    assert rooms == [{"space": None}, {"space": {"text": "roomy"}}]


def test_keys_and_values_are_completed_from_the_schema(seat: Seat) -> None:
    page = seat.go("/admin/modules/file?file=site/lamp.yaml")
    write(page, "module: {name: lamp}\nfields:\n- name: a\n  ")
    page.keyboard.type("sear")
    expect(page.locator(".cm-tooltip-autocomplete li").first).to_have_text("searchable")
    page.wait_for_timeout(150)  # what is chosen as soon as it appears may be meant for something else
    page.keyboard.press("Enter")
    page.keyboard.type("tr")
    expect(page.locator(".cm-tooltip-autocomplete li").first).to_have_text("true")
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    expect(page.locator(".cm-line").last).to_have_text("  searchable: true")
    page.on("dialog", lambda dialog: dialog.accept())


def test_a_lambda_is_written_beside_its_rows_and_published(seat: Seat, world: World) -> None:
    page = seat.go("/admin/modules/room/lambdas/size")
    expect(page.locator("#result tbody tr")).to_have_count(2)
    write(page, "return item.seats >")
    expect(page.locator("#result [role=alert]")).to_contain_text("SyntaxError")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    write(page, "log(item.seats);\nreturn item.seats > 10 ? 'large' : `only ${item.seats}`;")
    expect(page.locator("#result tbody tr").first).to_contain_text("only 4")
    expect(page.locator("#result tbody tr").last).to_contain_text("the same")
    expect(page.locator("#result .badge")).to_have_text("✓ holds")
    page.fill("#where", '{"name": {"eq": "B"}}')
    expect(page.locator("#result tbody tr")).to_have_count(1)
    page.click("button[value=save]")
    expect(page.locator(".said").first).to_have_text("It is published and serves.")
    assert world.data("{ rooms(orderBy: [{name: ASC}]) { nodes { size } } }")["rooms"]["nodes"][0] == {"size": "only 4"}
    assert "      log(item.seats);\n      return" in (world.site / "room.yaml").read_text()


def test_the_yaml_of_a_field_appears_while_one_fills_the_form(seat: Seat) -> None:
    page = seat.go("/admin/modules/room/fields")
    page.fill("#name", "floor")
    page.select_option("#type", "int")
    expect(page.locator("#made pre").first).to_contain_text("- name: floor\n    type: int")
    page.click("text=To the editor")
    expect(page.locator(".cm-content")).to_contain_text("name: floor")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_the_pages_of_administrators(world: World, browser: Browser, scheme: str) -> None:
    axe = require_axe()
    found = {}
    with seated(browser, world.server.url, color_scheme=scheme) as seat:
        for path in PAGES:
            page = seat.go(path)
            page.evaluate(axe)
            report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found[path] = [(item["id"], item["nodes"][0]["html"]) for item in report["violations"]]
        assert seat.tripped() == []
    assert found == {path: [] for path in PAGES}


def test_the_pages_fit_on_a_phone(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url, viewport={"width": 360, "height": 740}) as seat:
        for path in PAGES:
            page = seat.go(path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
