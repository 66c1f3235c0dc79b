"""A day at the desk with the demo's logins: a customer asks, an agent works, the customer answers, an administrator looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from identity.first_agent import LOGIN
from tests.web.chromium import seated
from tests.web.real import PASSWORD
from tests.web.server import HOUSE, REAL, running
from tests.web.test_pages_browser import World, until_ready
from web.first_passwords import DEMO_FILE

pytestmark = pytest.mark.timed

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


def ask(page: Page, subject: str) -> str:
    """Make a request as a customer, and return its number."""
    page.goto("/my")
    page.get_by_role("link", name="New request").first.click()
    page.select_option("#in-queue", label="Support::Network")
    page.fill("#in-title", subject)
    page.fill("textarea[name=body]", "Since this morning.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text(subject)
    return number_of(page)


def find(page: Page, number: str) -> str:
    """Find a new ticket by the number of its queue in the overview, and return its address."""
    page.goto("/desk")
    page.get_by_role("link", name=re.compile("Network.*[Nn]ew|[Nn]ew.*Network")).first.click()
    page.get_by_role("link", name=number, exact=True).click()
    return page.url.partition("?")[0]


def take(page: Page) -> None:
    page.get_by_role("button", name="Take").click()
    expect(page.locator(".said")).to_have_text("The ticket is yours, and locked.")


def tell(page: Page, text: str) -> None:
    """Write a note that the customer sees."""
    page.get_by_role("link", name="Note", exact=True).click()
    page.fill("input[name=subject]", "What we do")
    page.fill("textarea[name=body]", text)
    page.locator("input[type=checkbox][name=visible]").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".said")).to_have_text("The article is added.")


def merge(page: Page, number: str, into: str) -> None:
    page.goto(f"/search?q={number}")
    page.locator("main").get_by_role("link", name=number).first.click()
    page.get_by_role("link", name="Merge").click()
    page.fill("#in-other", into)
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("h1")).to_contain_text(into)


def close(page: Page) -> None:
    page.locator("summary", has_text="Close").click()
    page.get_by_role("button", name="closed successful").click()
    expect(page.locator(".ticket-facts")).to_contain_text("closed successful")


def answer(page: Page, title: str, told: str, text: str) -> None:
    """Read what was written for the customer, and answer, which opens the request again."""
    page.goto("/my?show=all")
    page.get_by_role("link", name=title, exact=True).click()
    expect(page.locator("article.from-desk").first).to_contain_text(told)
    page.fill("textarea[name=body]", text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("article").first).to_contain_text(text)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_request_is_made_worked_on_answered_and_closed(world: World, browser: Browser, scripts: bool) -> None:
    assert all(f"| `{login}` |" in README for login in (LOGIN, AGENT, CUSTOMER))
    title = f"The network stopped {'quickly' if scripts else 'quietly'}"
    password = (world.site / "var" / DEMO_FILE).read_text(encoding="utf-8").strip()
    sitting = {"login": False, "java_script_enabled": scripts}
    url = world.server.url
    with (
        seated(browser, url, **sitting) as customer,
        seated(browser, url, **sitting) as agent,
        seated(browser, url, **sitting) as administrator,
    ):
        sign_in(customer.page, CUSTOMER, password, "a customer")
        first, second = ask(customer.page, title), ask(customer.page, f"{title} again")

        sign_in(agent.page, AGENT, password)
        address = find(agent.page, first)
        expect(agent.page.locator("h1")).to_contain_text(title)
        take(agent.page)
        tell(agent.page, "We look after the cables.")
        merge(agent.page, second, into=first)
        agent.page.goto(address)
        close(agent.page)

        answer(customer.page, title, "We look after the cables.", "Thank you, it runs.")
        agent.page.goto(address)
        expect(agent.page.locator("#articles article").first).to_contain_text("Thank you, it runs.")
        expect(agent.page.locator(".ticket-facts")).not_to_contain_text("closed successful")

        sign_in(administrator.page, LOGIN, PASSWORD)
        administrator.page.goto(f"/admin/rights/agents/{AGENT}")
        expect(administrator.page.locator("main")).to_contain_text("Support agents")
        if scripts:
            for seat in (customer, agent, administrator):
                assert (seat.complaints, seat.tripped()) == ([], [])
