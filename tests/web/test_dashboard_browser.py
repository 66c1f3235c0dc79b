"""The dashboard and the home page in a real browser: the chart, both themes, a phone, and nobody kept out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.web.chromium import require_axe, seated
from tests.web.server import REAL, Server, running
from tests.web.test_pages_browser import until_ready
from tests.web.xss import PAYLOADS

pytestmark = pytest.mark.timed

MODULES = Path(__file__).parent.parent.parent / "modules"
QUEUE = """mutation ($queues: [QueueCreate!]!) { createQueues(input: {queues: $queues}) { errors { message } } }"""
TICKET = (
    """mutation ($tickets: [TicketCreate!]!) { createTickets(input: {tickets: $tickets}) { errors { message } } }"""
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("dashboard")
    with running(REAL, folder, modules_dir=MODULES, database_url=f"sqlite:///{folder}/desk.db") as found:
        until_ready(found)
        group = {"group": {"name": "users"}, "systemAddress": {"databaseId": 1}, "salutation": {"databaseId": 1}, "signature": {"databaseId": 1}}  # fmt: skip
        names = [*PAYLOADS[:3], '"><img src=x onerror=hit()>', "Post::Inbox"]
        ask(found, QUEUE, queues=[{"name": name, **group} for name in names])
        ask(
            found,
            TICKET,
            tickets=[{"title": f"{name} {n}", "queue": {"name": name}} for name in names for n in range(3)],
        )
        yield found


def ask(server: Server, query: str, **variables: Any) -> Any:
    answer = httpx.post(
        f"{server.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": server.bearer},
        timeout=20,
    ).json()
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    assert payload["errors"] == [], payload
    return payload


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/dashboard"])
def test_nobody_is_kept_out_and_nothing_foreign_runs(server: Server, browser: Browser, path: str, scheme: Any) -> None:
    axe = require_axe()
    for width in (1280, 390):
        size: Any = {"width": width, "height": 900}
        with seated(browser, server.url, color_scheme=scheme, viewport=size) as seat:
            page = seat.go(path)
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert seat.complaints == []
            assert seat.tripped() == []  # neither a payload nor a style that the policy had to stop


def test_the_chart_is_drawn_from_the_table_in_the_colours_of_the_theme(server: Server, browser: Browser) -> None:
    with seated(browser, server.url, color_scheme="dark") as seat:
        page = seat.go("/dashboard")
        expect(page.locator("#days-chart canvas")).to_be_visible()
        assert page.locator("#days-chart").get_attribute("role") == "img"
        told = page.evaluate(
            """() => {
              const canvas = document.querySelector("#days-chart canvas"), box = canvas.getContext("2d");
              const data = box.getImageData(0, 0, canvas.width, canvas.height).data;
              return data.filter((value, place) => place % 4 === 3 && value > 0).length;
            }"""
        )
        assert told > 1000  # something is on it
        page.locator("summary", has_text="The numbers as a table").click()
        expect(page.locator("#days-table tbody tr")).to_have_count(30)


def test_without_scripts_there_is_the_table(server: Server, browser: Browser) -> None:
    with seated(browser, server.url, java_script_enabled=False) as seat:
        seat.page.goto("/dashboard")
        assert seat.page.locator("#days-chart").is_hidden()
        seat.page.locator("summary", has_text="The numbers as a table").click()
        expect(seat.page.locator("#days-table tbody tr").first).to_be_visible()


def test_both_pages_are_quick(server: Server, browser: Browser) -> None:
    with seated(browser, server.url) as seat:
        for path in ("/", "/dashboard"):
            seat.go(path)
            started = time.monotonic()
            assert seat.page.request.get(path).ok
            assert time.monotonic() - started < 0.5
