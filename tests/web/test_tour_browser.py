"""The README's tour of five minutes as a newcomer takes it: in the browser, with the README's own files and operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.chromium import Seat, watched
from tests.web.server import HOUSE, REAL, Server, running
from tests.web.test_pages_browser import until_ready

pytestmark = pytest.mark.timed

README = (HOUSE / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def block(language: str, word: str) -> str:
    """Return the README's first block in a language that has a word in it."""
    found: str = next(text for kind, text in BLOCK.findall(README) if kind == language and word in text)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("tour")
    site = folder / "site"
    site.mkdir()
    settings = {
        "modules_dir": f"{HOUSE / 'modules'}:{site}",
        "database_url": f"sqlite:///{folder}/desk.db",
        "demo": 1,
        "lambda_workers": 1,
    }
    with running(REAL, folder, **settings) as started:
        until_ready(started)
        yield started, site


@pytest.fixture
def seat(server: tuple[Server, Path], browser: Browser) -> Iterator[Seat]:
    with watched(browser, server[0].url) as found:
        yield found


def graphiql(seat: Seat) -> Page:
    """Open GraphiQL; it listens for changes of the schema, so the network is never idle."""
    seat.page.goto("/graphiql")
    expect(seat.page.locator(".graphiql-query-editor .CodeMirror").first).to_be_visible()
    return seat.page


def ask(page: Page, document: str) -> str:
    """Run an operation in GraphiQL as one does who pastes it, and return what the other side shows."""
    page.locator(".graphiql-query-editor .CodeMirror").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(document)
    page.wait_for_timeout(400)  # GraphiQL reads what is typed a moment later
    with page.expect_response(lambda answer: answer.url.endswith("/graphql")) as asked:
        page.keyboard.press("Control+Enter")
    return asked.value.text()


def ask_until(page: Page, document: str, sign: str) -> str:
    """Ask until the answer has something in it: a saved file serves some tenths of a second later."""
    for _ in range(40):
        answer = ask(page, document)
        if sign in answer:
            return answer
        page.wait_for_timeout(100)
    raise AssertionError(answer)


def test_the_tour_of_five_minutes(seat: Seat, server: tuple[Server, Path]) -> None:
    _, site = server
    page = seat.go("/modules/ticket")
    expect(page.locator("#list tbody tr")).not_to_have_count(0)

    page = graphiql(seat)
    assert '"nodes"' in ask(page, block("graphql", "tickets(first: 10"))
    assert '"count"' in ask(page, block("graphql", "ticketAggregate"))

    # A dropped file is a screen and a type.
    (site / "asset.yaml").write_text(block("yaml", "site/asset.yaml"), encoding="utf-8")
    ask_until(page, block("graphql", "assets(filter"), '"totalCount"')
    answer = ask(page, block("graphql", "createAsset"))
    assert '"errors":[]' in answer, answer
    page = seat.go("/modules/asset")
    row = page.locator("#list tbody a.link")
    expect(row).to_have_text(["SN-1001"])

    # Every change is kept, says who made it, and can be taken back.
    row.click()
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Condition").select_option(label="broken")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("broken")
    page.get_by_role("link", name="History").first.click()
    expect(page.locator("main")).to_contain_text("root@localhost")

    # What is shipped is extended without forking it, and a lambda runs over what is there.
    (site / "ticket.yaml").write_text(block("yaml", "site/ticket.yaml"), encoding="utf-8")
    page = graphiql(seat)
    ask_until(page, block("graphql", "wasTouched"), '"contractNo"')
    (site / "waiting.yaml").write_text(block("yaml", "site/waiting.yaml"), encoding="utf-8")
    ask_until(page, block("graphql", "waiting { text"), '"tone"')

    # A slip takes nothing down, and is told where an administrator looks.
    (site / "asset.yaml").write_text(
        block("yaml", "site/asset.yaml").replace("required:", "requird:"), encoding="utf-8"
    )
    page = seat.go("/admin/modules")
    expect(page.locator("main")).to_contain_text("asset.yaml")
    page = seat.go("/modules/asset")
    expect(page.locator("#list tbody a.link")).to_have_text(["SN-1001"])
