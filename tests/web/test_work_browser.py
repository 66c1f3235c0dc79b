"""The desk's own pages in a real browser: what is typed is kept, customers are found, templates come where one writes; nobody is kept out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.databases import foreign_url
from tests.web.chromium import Seat, quiet, require_axe, seated, watched
from tests.web.desk_at_work import MODULES
from tests.web.server import REAL, Server, running
from tests.web.test_pages_browser import look, until_ready
from tests.web.test_text_templates import MAKE
from tests.web.xss import PAYLOADS

pytestmark = pytest.mark.timed

CUSTOMER = "aaron.carter@juniper.example"
SET_PASSWORD = """mutation ($login: String!, $password: String!) {
  updateCustomerUser(input: {key: {login: $login}, patch: {password: $password}}) { errors { message } } }"""
CUSTOMERS_PASSWORD = "quite a long password of tests"
TICKET = """mutation ($ticket: TicketCreate!) { createTicket(input: {ticket: $ticket}) { ticket { id } errors { message } } }"""


class World:
    """A server with the demo's desk, and a way to its API."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def data(self, query: str, **variables: Any) -> Any:
        answer = httpx.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": self.server.bearer},
            timeout=20,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def draft(self) -> dict[str, str] | None:
        found = self.data('{ drafts(place: "/desk/new") { content } }')["drafts"]
        return dict(found[0]["content"]) if found else None

    def forget(self) -> None:
        self.data('mutation { deleteDraft(input: {place: "/desk/new"}) { deletedPlace } }')


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("desk")
    with (
        foreign_url("sqlite", "znuny65", tickets=60) as url,
        running(REAL, folder, modules_dir=MODULES, database_url=url, lambda_workers=1) as server,
    ):
        until_ready(server)
        made = World(server)
        text = "Dear <OTRS_CUSTOMER_UserFirstname>,\nthank you.\n<OTRS_CONFIG_FQDN><OTRS_CURRENT_UserLogin>"
        made.data(MAKE, template={"name": "Thanks", "text": text}, queue={"name": "Support"}, name="Thanks")
        bad = {"name": "Bad", "text": "".join(PAYLOADS[:40]), "templateType": "CREATE"}
        made.data(MAKE, template=bad, queue={"name": "Support"}, name="Bad")
        set_ = made.data(SET_PASSWORD, login=CUSTOMER, password=CUSTOMERS_PASSWORD)
        assert set_["updateCustomerUser"]["errors"] == []
        yield made


@pytest.fixture
def seat(world: World, browser: Browser) -> Iterator[Seat]:
    with watched(browser, world.server.url) as found:
        yield found
    world.forget()


def sit_as_customer(found: Seat) -> Page:
    page = found.page
    page.goto("/login")
    page.fill("#login", CUSTOMER)
    page.fill("#password", CUSTOMERS_PASSWORD)
    page.check("input[name=kind][value=customer]")
    page.click("button")
    page.wait_for_url("**/my")
    return page


def kept(page: Page) -> None:
    expect(page.locator("#draft-state")).to_contain_text("Draft kept at")


def test_what_is_typed_is_kept_and_there_again(seat: Seat, world: World, browser: Browser) -> None:
    page = seat.go("/desk/new")
    page.fill("#in-title", "Half a ticket")
    page.locator("#in-body").press_sequentially("half a sent", delay=10)
    kept(page)
    draft = world.draft()
    assert draft is not None
    assert (draft["title"], draft["body"]) == ("Half a ticket", "half a sent")
    assert not {"csrf", "once", "deed", "place"} & set(draft)
    with seated(browser, world.server.url) as other:  # another browser of the same agent
        there = other.go("/desk/new")
        assert there.input_value("#in-body") == "half a sent"
        there.click("button >> text=Discard the draft")
        expect(there.locator(".said")).to_have_text("The draft is discarded.")
        assert there.input_value("#in-body") == ""
    assert world.draft() is None


def test_a_draft_is_gone_when_the_ticket_is_made_and_does_not_come_back(seat: Seat, world: World) -> None:
    page = seat.go("/desk/new")
    page.select_option("#in-queue", "Support")
    page.fill("#in-title", "A whole ticket")
    page.fill("#in-body", "whole")
    kept(page)
    page.fill("#in-body", "whole, and quickly sent")
    page.click("button.btn-primary >> text=Create the ticket")
    page.wait_for_url("**/modules/ticket/*")
    time.sleep(2)  # longer than the pause after which a draft is kept
    assert world.draft() is None


def test_the_button_keeps_a_draft_at_once(seat: Seat, world: World) -> None:
    page = seat.go("/desk/new")
    page.fill("#in-title", "Now")
    page.click("button >> text=Keep as a draft")
    kept(page)
    assert (world.draft() or {})["title"] == "Now"
    assert page.url.endswith("/desk/new")


def test_a_draft_that_cannot_be_kept_says_so(seat: Seat, world: World) -> None:
    page = seat.go("/desk/new")
    page.fill("#in-body", "x" * 200_001)
    expect(page.locator("#draft-state.wrong")).to_contain_text("A draft may have 200000 characters")
    page.context.set_offline(True)
    page.fill("#in-title", "offline")
    expect(page.locator("#draft-state.wrong")).to_have_text("The draft could not be kept.")
    page.context.set_offline(False)
    seat.complaints.clear()
    assert world.draft() is None


def test_unsaved_changes_are_asked_about(seat: Seat) -> None:
    page = seat.go("/desk/new")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#in-title").press_sequentially("half")
    page.click("a >> text=Cancel", no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.input_value("#in-title") == "half"


def test_a_customer_is_found_as_one_types_and_brings_company_and_services(seat: Seat, world: World) -> None:
    page = seat.go("/desk/new")
    page.fill("#in-body", "already written")
    page.locator("#in-customerUser").press_sequentially("Aaron Cart", delay=10)
    option = page.locator("#list-customerUser option")
    expect(option).to_have_count(1)
    assert option.get_attribute("value") == CUSTOMER
    assert "Juniper" in option.inner_text()
    page.fill("#in-customerUser", CUSTOMER)
    page.press("#in-customerUser", "Tab")
    expect(page.locator("#who")).to_contain_text("Aaron Carter · Juniper")
    assert page.input_value("#in-customer") == "JUNIPER"
    services = page.locator("#in-service option").all_inner_texts()
    assert len(services) > 1
    page.select_option("#in-service", index=1)
    quiet(page)
    expect(page.locator("#in-service")).to_have_value(services[1])
    assert page.input_value("#in-customer") == "JUNIPER"
    assert page.input_value("#in-body") == "already written"


def test_a_template_comes_where_the_cursor_is(seat: Seat) -> None:
    page = seat.go("/desk/new")
    page.fill("#in-customerUser", CUSTOMER)
    page.press("#in-customerUser", "Tab")
    expect(page.locator("#who")).to_be_visible()
    page.select_option("#in-queue", "Support")
    page.wait_for_selector("#in-template:not([disabled])")
    page.fill("#in-body", "before after")
    page.evaluate("document.getElementById('in-body').setSelectionRange(7, 7)")
    page.select_option("#in-template", label="Thanks")
    page.click("button >> text=Insert")
    expect(page.locator("#in-body")).to_have_value("before Dear Aaron,\nthank you.\nroot@localhostafter")
    expect(page.locator("#said")).to_have_text("The template is inserted.")
    assert page.evaluate("document.activeElement.id") == "in-body"
    page.keyboard.press("Control+z")
    expect(page.locator("#in-body")).to_have_value("before after")
    page.select_option("#in-template", label="Bad")
    page.click("button >> text=Insert")
    expect(page.locator("#in-body")).to_have_value(bad_text(), timeout=15_000)
    assert seat.tripped() == []
    kept(page)


def bad_text() -> str:
    """Return what the bad template says, where the cursor stood."""
    return f"before {''.join(PAYLOADS[:40])}after"


def test_a_customer_asks_and_answers(world: World, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "photo.txt"
    file.write_text("smoke")
    with seated(browser, world.server.url, login=False) as found:
        page = sit_as_customer(found)
        page.click("main a >> text=New request")
        page.select_option("#in-queue", "Support")
        page.fill("#in-title", "My screen is dark")
        page.fill("#in-body", "Since this morning.")
        page.set_input_files("#in-files", [file, file])
        page.click("button >> text=Send")
        expect(page.locator(".said")).to_have_text("Your request is sent.")
        expect(page.locator(".attached a")).to_have_text(["photo.txt", "photo-1.txt"])
        page.fill("#in-body", "It is bright again.")
        page.click("button >> text=Send")
        expect(page.locator(".said")).to_have_text("Your answer is sent.")
        expect(page.locator("article .long").first).to_have_text("It is bright again.")
        assert (found.complaints, found.tripped()) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_desks_pages(world: World, browser: Browser, scheme: Any) -> None:
    axe = require_axe()
    serious: dict[str, list[str]] = {}
    world.data(
        'mutation { saveDraft(input: {place: "/desk/new", content: {title: "Half", queue: "Support"}}) { errors { message } } }'
    )
    with seated(browser, world.server.url, color_scheme=scheme) as found:
        for path in ("/", "/desk", "/desk?every=1", "/desk/new"):
            look(found.go(path), axe, path, serious)
        found.page.goto("/modules/ticket?f.state=open")  # follows changes, so the network is never idle
        found.page.wait_for_selector("#list tbody tr")
        look(found.page, axe, "/modules/ticket", serious)
        page = found.go("/desk/new")
        page.evaluate("document.getElementById('writing').noValidate = true")
        page.fill("#in-title", "")
        page.click("button.btn-primary >> text=Create the ticket")
        page.wait_for_selector(".failed")
        look(page, axe, "/desk/new with errors", serious)
    world.forget()
    with seated(browser, world.server.url, login=False, color_scheme=scheme) as found:
        page = sit_as_customer(found)
        for path in ("/my", "/my?show=all&whose=company", "/my?q=nothingiscalledso", "/my/new"):
            look(found.go(path), axe, path, serious)
        page.evaluate("document.querySelector('main form').noValidate = true")
        page.click("button >> text=Send")
        page.wait_for_selector(".failed")
        look(page, axe, "/my/new with errors", serious)
        page = found.go("/my?show=all&whose=company")
        page.click(".card-title >> nth=0")
        quiet(page)
        look(page, axe, "a ticket", serious)
    assert serious == {}


@pytest.mark.parametrize("wide", [1280, 320])
def test_the_desks_pages_are_no_wider_than_the_screen(world: World, browser: Browser, wide: int) -> None:
    viewport = {"width": wide, "height": 700}
    with seated(browser, world.server.url, viewport=viewport) as found:
        for path in ("/desk", "/desk/new"):
            assert found.go(path).evaluate("document.documentElement.scrollWidth") <= wide, path
    with seated(browser, world.server.url, login=False, viewport=viewport) as found:
        page = sit_as_customer(found)
        for path in ("/my?show=all&whose=company", "/my/new"):
            assert found.go(path).evaluate("document.documentElement.scrollWidth") <= wide, path
        page = found.go("/my?show=all&whose=company")
        page.click(".card-title >> nth=0")
        quiet(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= wide


def test_the_pages_work_without_scripts_in_a_browser_too(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url, java_script_enabled=False) as found:
        page = found.page
        page.goto("/desk/new")
        page.select_option("#in-queue", "Support")
        page.fill("#in-title", "Without scripts")
        with page.expect_navigation():
            page.click("button >> text=Update the choices")
        page.select_option("#in-template", label="Thanks")
        with page.expect_navigation():
            page.click("button >> text=Insert")
        assert page.input_value("#in-body").startswith("Dear -,\nthank you.")
        with page.expect_navigation():
            page.press("#in-title", "Enter")  # sends the form, and presses no other button
        assert page.locator(".said").inner_text() == "It is created."
