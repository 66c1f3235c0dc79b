"""The ticket page in a real browser: an agent's way through a ticket, mails that can do nothing, and nobody kept out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.web.chromium import Seat, quiet, require_axe, seated, watched
from tests.web.server import REAL, running
from tests.web.test_pages_browser import World, until_ready
from tests.web.ticket_office import MODULES
from tests.web.xss import PAYLOADS
from web.pages.mail_html import clean_mail

pytestmark = pytest.mark.timed

Ticket = dict[str, Any]


class Desk(World):
    """A server with the shipped modules."""

    def do(self, name: str, shown: str, **given: Any) -> Any:
        type_name = f"{name[0].upper()}{name[1:]}Input!"
        query = f"mutation ($in: {type_name}) {{ {name}(input: $in) {{ {shown} errors {{ message }} }} }}"
        made = self.data(query, **{"in": given})[name]
        assert made["errors"] == [], made
        return made

    def ticket(self, title: str, body: str = "It burns.") -> Ticket:
        article = {"subject": title, "body": body, "kind": "PHONE_FROM_CUSTOMER", "from": "Cleo <c@example.org>"}
        given = {"title": title, "queue": {"name": "Raw"}, "article": article}
        made: Ticket = self.do("createTicket", "ticket { id number }", ticket=given)["ticket"]
        return made

    def mail(self, ticket: Ticket, html: str, subject: str = "Mail") -> str:
        given = {"subject": subject, "body": html, "contentType": "text/html", "kind": "PHONE_FROM_CUSTOMER"}
        made = self.do("addArticle", "article { id }", ticket={"id": ticket["id"]}, article=given)
        return str(made["article"]["id"])

    def row(self, ticket: Ticket, shown: str) -> Any:
        query = f"query ($id: ID!) {{ ticket(by: {{id: $id}}) {{ {shown} }} }}"
        return self.data(query, id=ticket["id"])["ticket"]


def path(ticket: Ticket) -> str:
    return f"/modules/ticket/{ticket['id']}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with running(REAL, folder, modules_dir=MODULES, database_url=f"sqlite:///{folder}/desk.db") as server:
        until_ready(server)
        yield Desk(server, folder)


@pytest.fixture
def seat(desk: Desk, browser: Browser) -> Iterator[Seat]:
    with watched(browser, desk.server.url) as found:
        yield found


@contextmanager
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server that notes what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Referer', '')} {self.headers.get('Cookie', '')}".strip())
            self.send_response(200)
            self.send_header("Content-Type", "image/gif")
            self.end_headers()
            self.wfile.write(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_an_agent_works_a_ticket_from_taking_it_to_closing_it(seat: Seat, desk: Desk, tmp_path: Path) -> None:
    ticket, other = desk.ticket("Printer on fire"), desk.ticket("Fire in the printer room")
    page = seat.go(path(ticket))
    page.keyboard.press("t")
    expect(page.locator(".said")).to_have_text("The ticket is yours, and locked.")

    page.keyboard.press("n")
    expect(page.locator("#article-subject")).to_be_focused()
    (tmp_path / "photo.txt").write_text("ash")
    page.keyboard.type("Looked at it")
    page.fill("#article-body", "It is hot.")
    page.set_input_files("#article-files", tmp_path / "photo.txt")
    page.click("button >> text=Add")
    expect(page.locator(".said")).to_have_text("The article is added.")
    expect(page.locator("article").first.locator(".article-files a")).to_have_text("photo.txt")

    quiet(page)
    page.evaluate("window.same = true")
    page.click("#change-priority")
    expect(page.locator("#in-priority")).to_be_focused()
    page.select_option("#in-priority", "5 very high")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("It is saved.")
    expect(page.locator("#change-priority")).to_be_focused()
    assert "5 very high" in page.locator(".ticket-facts").inner_text()
    expect(page.locator("#past + div")).to_contain_text("3 → 5")
    page.click("#change-state")
    page.select_option("#in-state", "pending reminder")
    page.click(".ticket-change button")
    expect(page.locator(".ticket-change .wrong")).to_be_visible()
    page.click(".ticket-change a[data-closes]")
    expect(page.locator(".ticket-change")).to_have_count(0)
    assert page.evaluate("window.same") is True
    seat.forgive("422")

    page.keyboard.press("m")
    page.wait_for_url("**/desk/merge")
    page.locator("#in-other").press_sequentially("printer room", delay=10)
    option = page.locator("#list-other option")
    expect(option).to_have_attribute("value", other["number"])
    page.fill("#in-other", other["number"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(other["number"])
    expect(page.locator("#side-links + div")).to_contain_text(ticket["number"])
    page.click(f"#side-links + div >> text={ticket['number']}")
    page.click("text=Take the merge back")
    expect(page.locator(".said")).to_have_text("The merge is taken back.")

    page.keyboard.press("c")
    page.click("button[name=state] >> text=closed successful")
    expect(page.locator(".said")).to_have_text("It is saved.")
    row = desk.row(ticket, "state { name } priority { name } articles { totalCount }")
    assert row == {
        "state": {"name": "closed successful"},
        "priority": {"name": "5 very high"},
        "articles": {"totalCount": 2},
    }


def test_the_keyboard_goes_from_article_to_article_and_answers_one(seat: Seat, desk: Desk) -> None:
    ticket = desk.ticket("First", "Hello there.")
    desk.mail(ticket, "<p>Second one</p>", "Second")
    page = seat.go(path(ticket))
    page.keyboard.press("j")
    expect(page.locator("article.current h3")).to_have_text("Second")
    page.keyboard.press("j")
    expect(page.locator("article.current h3")).to_have_text("First")
    page.keyboard.press("r")
    expect(page.locator("#article-subject")).to_have_value("Re: First")
    expect(page.locator("#article-body")).to_be_focused()
    assert "> Hello there." in page.locator("#article-body").input_value()
    page.keyboard.press("n")  # a letter of the text, no key of the page
    assert "n" in page.locator("#article-body").input_value()[:2] + page.locator("#article-body").input_value()[-2:]
    page.evaluate("window.onbeforeunload = null")


def test_further_articles_come_behind_those_that_are_there(seat: Seat, desk: Desk) -> None:
    ticket = desk.ticket("Long")
    for place in range(24):
        desk.do(
            "addArticle", "article { id }", ticket={"id": ticket["id"]}, article={"subject": f"N{place}", "body": "x"}
        )
    page = seat.go(path(ticket))
    expect(page.locator("article")).to_have_count(20)
    page.click("text=Further articles")
    expect(page.locator("article")).to_have_count(25)
    expect(page.locator("article").last.locator("h3")).to_have_text("Long")
    expect(page.locator(".article-more-link")).to_have_count(0)


def test_no_picture_of_another_server_is_fetched_until_one_asks(seat: Seat, desk: Desk) -> None:
    ticket = desk.ticket("Mails")
    requested: list[str] = []
    seat.page.on("request", lambda request: requested.append(request.url))
    with elsewhere() as (url, asked):
        hidden = f"<p style='background:url({url}/s.gif)'>Hello</p><img src='{url}/{{}}.gif'><img src='{url.removeprefix('http:')}/x.gif'>"
        hidden += f"<style>@import url({url}/i.css);</style><link rel=stylesheet href='{url}/l.css'><table background='{url}/b.gif'><tr><td>x</td></tr></table>"
        for name in ("one", "two"):
            desk.mail(ticket, hidden.format(name), name)
        page = seat.go(path(ticket))
        for frame in page.locator("iframe.mail").all():
            frame.scroll_into_view_if_needed()
            expect(frame.content_frame.locator("p").last).to_have_text("Hello")
        page.wait_for_timeout(300)
        assert asked == []
        assert not [item for item in requested if item.startswith(url)]

        page.locator("article", has_text="two").locator("text=Show images of other servers").click()
        shown = page.locator("article", has_text="two").locator("iframe")
        expect(shown.content_frame.locator("img").first).to_have_attribute("src", f"{url}/two.gif")
        page.wait_for_timeout(300)
        assert asked == ["/two.gif"]  # without an address of ours and without a cookie
        assert page.evaluate("document.querySelectorAll('iframe[src*=\"images=1\"]').length") == 1


def test_a_mail_cannot_reach_out_of_its_frame(seat: Seat, desk: Desk) -> None:
    ticket = desk.ticket("Evil")
    text = "".join(item for item in PAYLOADS[::3] if len(item) < 200)
    desk.mail(ticket, f"<p id=first>begin</p>{text}", "<img src=x onerror=hit()>")
    page = seat.go(path(ticket))
    frame = page.locator("iframe.mail")
    frame.scroll_into_view_if_needed()
    expect(frame.content_frame.locator("p").first).to_have_text("begin")
    page.wait_for_timeout(300)
    assert page.evaluate(
        "(() => { try { return document.querySelector('iframe').contentDocument === null } catch { return true } })()"
    )
    page.goto(frame.get_attribute("src") or "")  # also as a page of its own it has no scripts and no origin of ours
    assert page.url.endswith("/html")
    page.go_back()


def test_what_is_left_of_a_mail_runs_nothing_even_without_walls(desk: Desk, browser: Browser) -> None:
    """The cleaned HTML of every payload in a page that would let scripts run."""
    with seated(browser, desk.server.url, login=False) as found:
        for start in range(0, len(PAYLOADS), 40):
            cleaned = [clean_mail(text) for text in PAYLOADS[start : start + 40]]
            found.page.goto("about:blank")
            found.page.set_content("".join(f"<div>{item.html}</div>" for item in cleaned if item))
            found.page.evaluate("document.querySelectorAll('*').forEach((item) => { item.focus?.(); item.click?.() })")
            found.page.wait_for_timeout(50)
            assert found.tripped() == [], start


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_pages_of_a_ticket(desk: Desk, browser: Browser, scheme: str) -> None:
    axe, ticket, other = require_axe(), desk.ticket("Axe"), desk.ticket("Other")
    article = desk.mail(ticket, "<p>Hello</p>")
    desk.do("linkTickets", "ticket { id }", ticket={"id": ticket["id"]}, other={"id": other["id"]})
    base = path(ticket)
    found: dict[str, list[str]] = {}
    with seated(browser, desk.server.url, color_scheme=scheme) as seat:
        for rest in (
            "",
            "/desk/note",
            "/desk/change/state",
            "/desk/merge",
            "/desk/link",
            "/desk/links",
            "/desk/customer",
            f"/desk/articles/{article}",
            f"/desk/articles/{article}/split",
        ):
            page = seat.go(f"{base}{rest}")
            page.evaluate(axe)
            report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            serious = [item for item in report["violations"] if item["impact"] in {"serious", "critical"}]
            if serious:
                found[rest] = [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in serious]
    assert found == {}


def test_it_can_be_used_on_a_phone(desk: Desk, browser: Browser) -> None:
    ticket = desk.ticket("Narrow " + "x" * 120)
    desk.mail(ticket, f"<table width=2000><tr><td>{'wide ' * 50}</td></tr></table>", "y" * 200)
    with seated(browser, desk.server.url, viewport={"width": 390, "height": 844}, has_touch=True) as seat:
        for rest in ("", "/desk/note", "/desk/change/customer", "/desk/merge"):
            page = seat.go(f"{path(ticket)}{rest}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, rest
            small = page.evaluate(SMALL)
            assert small == [], rest


# Buttons and links of the head that a finger would miss.
SMALL = """[...document.querySelectorAll(".ticket-pen, .ticket-deeds .btn, .article-deeds .btn")]
  .filter((item) => !item.closest("details:not([open]) form"))
  .filter((item) => item.getBoundingClientRect().height < 24 || item.getBoundingClientRect().width < 24).map((item) => item.outerHTML)"""
