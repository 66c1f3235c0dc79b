"""Nobody is kept out: axe-core finds nothing serious on any screen of the table of all addresses, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.chromium import chromium, require_axe, seated
from tests.web.desk_at_work import MODULES
from tests.web.every_page import (
    CUSTOMER,
    CUSTOMER_PASSWORD,
    FILES,
    OFFICE,
    ROWS,
    SETUP,
    Sort,
    places_of,
    screens,
)
from tests.web.server import REAL, Server, running
from tests.web.test_pages_browser import World, until_ready

pytestmark = pytest.mark.timed

BAD = frozenset({"serious", "critical"})
RUN = "axe.run(EXCLUDED, {resultTypes: ['violations'], iframes: false})"
# What is in a frame is somebody's mail. Inside GraphiQL is other people's work; the bar around it is ours.
EXCLUDED = {"/graphiql": "{exclude: ['#graphiql']}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Mapping[str, str]]]:
    folder: Path = tmp_path_factory.mktemp("desk")
    site = folder / "site"
    site.mkdir()
    for name, text in FILES.items():
        (site / f"{name}.yaml").write_text(text)
    with running(
        REAL, folder, modules_dir=f"{MODULES}:{site}", database_url=f"sqlite:///{folder}/desk.db", lambda_workers=1
    ) as started:
        until_ready(started)
        world = World(started, site)
        for operation in (*SETUP, *OFFICE):
            world.data(operation)
        yield started, places_of(world.data(ROWS))


def serious(page: Page, axe: str, path: str) -> list[str]:
    """Return what axe finds serious on a page, with everything that one can open opened."""
    page.evaluate("for (const part of document.querySelectorAll('details.asked, .views details')) part.open = true")
    page.evaluate(axe)
    found = page.evaluate(RUN.replace("EXCLUDED", EXCLUDED.get(path, "document")))
    return [
        f"{path} {item['id']}: {item['nodes'][0]['html'][:200]} {item['nodes'][0].get('failureSummary', '')[:300]}"
        for item in found["violations"]
        if item["impact"] in BAD
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(server: tuple[Server, Mapping[str, str]], scheme: str) -> None:
    axe = require_axe()
    started, places = server
    with chromium() as browser:
        found: list[str] = []
        with seated(browser, started.url, color_scheme=scheme) as seat:
            for screen in screens(Sort.PAGE):
                found += look(seat.page, axe, screen.address.format(**places))
            found += palette(seat.page, axe)
        with seated(browser, started.url, login=False, color_scheme=scheme) as seat:
            found += look(seat.page, axe, "/login")
            seat.page.check("#customer")
            seat.page.fill("#login", CUSTOMER)
            seat.page.fill("#password", CUSTOMER_PASSWORD)
            seat.page.click("form button")
            seat.page.wait_for_url("**/my")
            for screen in screens(Sort.OWN):
                found += look(seat.page, axe, screen.address.format(**places))
    assert not found, "\n".join(found)


def look(page: Page, axe: str, path: str) -> list[str]:
    """Open a page and return what axe finds serious."""
    page.goto(path)
    page.wait_for_load_state("load")
    return serious(page, axe, path)


def palette(page: Page, axe: str) -> list[str]:
    """Look at the palette with rows in it, and at the panel of saved views."""
    page.goto("/modules/task")
    page.click("#views summary")
    page.wait_for_selector("#view-name")
    found = serious(page, axe, "the panel of views")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("root")
    page.wait_for_selector("#palette-found [role=option]")
    return [*found, *serious(page, axe, "the palette")]
