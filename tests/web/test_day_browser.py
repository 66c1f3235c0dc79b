"""A day at the desk with the demo's logins: a customer asks, an agent works, the customer answers, an administrator looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from identity.first_agent import LOGIN
from tests.web.chromium import chromium, seated
from tests.web.real import PASSWORD
from tests.web.server import HOUSE, REAL, running
from tests.web.test_pages_browser import World, until_ready
from web.first_passwords import DEMO_FILE

# The three whom the README introduces.
AGENT = "amara.okafor"
CUSTOMER = "aaron.carter@juniper.example"
README = (HOUSE / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("day")
    settings = {"modules_dir": HOUSE / "modules", "database_url": f"sqlite:///{folder}/desk.db", "demo": 1}
    with running(REAL, folder, lambda_workers=1, **settings) as server:
        until_ready(server)
        yield World(server, folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def sign_in(page: Page, login: str, password: str, who: str = "an agent") -> None:
    page.goto("/login")
    page.get_by_label(who).check()
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button")
    page.wait_for_url(re.compile("/(my)?$"))


def number_of(page: Page) -> str:
    found = re.search(r"\d{16}", page.locator("main").inner_text())
    assert found is not None
    return found[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_request_is_made_worked_on_answered_and_closed(world: World, browser: Browser, scripts: bool) -> None:
    title = f"The network stopped {'quickly' if scripts else 'quietly'}"
    assert all(f"| `{login}` |" in README for login in (LOGIN, AGENT, CUSTOMER))
    password = (world.site / "var" / DEMO_FILE).read_text(encoding="utf-8").strip()
    sitting = {"login": False, "java_script_enabled": scripts}
    url = world.server.url
    with (
        seated(browser, url, **sitting) as customer,
        seated(browser, url, **sitting) as agent,
        seated(browser, url, **sitting) as administrator,
    ):
        # The customer asks, twice.
        page = customer.page
        sign_in(page, CUSTOMER, password, "a customer")
        numbers = []
        for subject in (title, f"{title} again"):
            page.get_by_role("link", name="New request").first.click()
            page.select_option("#in-queue", label="Support::Network")
            page.fill("#in-title", subject)
            page.fill("textarea[name=body]", "Since this morning.")
            page.get_by_role("button", name="Send").click()
            expect(page.locator("h1")).to_have_text(subject)
            numbers.append(number_of(page))
            page.goto("/my")
        first, second = numbers

        # The agent finds the request in the queue, takes it, answers, puts the second one to it, and closes it.
        page = agent.page
        sign_in(page, AGENT, password)
        page.goto("/desk")
        page.get_by_role("link", name=re.compile("Network.*[Nn]ew|[Nn]ew.*Network")).first.click()
        page.get_by_role("link", name=first, exact=True).click()
        expect(page.locator("h1")).to_contain_text(title)
        page.get_by_role("button", name="Take").click()
        expect(page.locator(".said")).to_have_text("The ticket is yours, and locked.")
        page.get_by_role("link", name="Note", exact=True).click()
        page.fill("input[name=subject]", "What we do")
        page.fill("textarea[name=body]", "We look after the cables.")
        page.locator("input[type=checkbox][name=visible]").check()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".said")).to_have_text("The article is added.")
        page.goto(page.url.partition("?")[0])
        address = page.url
        page.goto("/search?q=" + second)
        page.locator("main").get_by_role("link", name=second).first.click()
        page.get_by_role("link", name="Merge").click()
        page.fill("#in-other", first)
        page.get_by_role("button", name="Merge").click()
        expect(page.locator("h1")).to_contain_text(first)
        page.goto(address)
        page.locator("summary", has_text="Close").click()
        page.get_by_role("button", name="closed successful").click()
        expect(page.locator(".ticket-facts")).to_contain_text("closed successful")

        # The customer reads what was written for him, and answers, which opens the request again.
        page = customer.page
        page.goto("/my?show=all")
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.locator("article.from-desk").first).to_contain_text("We look after the cables.")
        page.fill("textarea[name=body]", "Thank you, it runs.")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("article").first).to_contain_text("Thank you, it runs.")
        page = agent.page
        page.goto(address)
        expect(page.locator("#articles article").first).to_contain_text("Thank you, it runs.")
        expect(page.locator(".ticket-facts")).not_to_contain_text("closed successful")

        # The administrator is told why the agent may do so.
        page = administrator.page
        sign_in(page, LOGIN, PASSWORD)
        page.goto(f"/admin/rights/agents/{AGENT}")
        expect(page.locator("main")).to_contain_text("Support agents")
        if scripts:
            for seat in (customer, agent, administrator):
                assert (seat.complaints, seat.tripped()) == ([], [])
