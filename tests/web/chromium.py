"""A real browser for tests of what scripts do: Chromium of the machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from identity.first_agent import LOGIN
from tests.web.real import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000
AXE = Path(__file__).parent.parent.parent / "web" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
# Runs before anything of a page: what a payload would call, and what the policy had to stop.
TRIPWIRES = """
window.tripped = [];
window.hit = () => window.tripped.push("hit");
document.addEventListener("securitypolicyviolation", (event) => window.tripped.push(event.violatedDirective));
"""
# The network is never idle while a page listens to its stream of events; what it has asked for itself comes to an end.
QUIET = """() => new Promise((done) => {
  let seen = -1, since = performance.now();
  const look = () => {
    const count = performance.getEntriesByType("resource").length;
    if (document.readyState !== "complete" || document.querySelector(".htmx-request") || count !== seen) {
      seen = count;
      since = performance.now();
    }
    if (performance.now() - since > 500) return done();
    setTimeout(look, 50);
  };
  look();
})"""

expect.set_options(timeout=PATIENCE_MS)  # five seconds are the default, which a busy machine needs for a page


def quiet(page: Page) -> None:
    """Wait until a page has all that it asked for."""
    page.wait_for_load_state("load")
    page.evaluate(QUIET)


def require_chromium() -> str:
    """Return where Chromium is; without one skip the test, loudly; in CI that is a failure."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is not None:
        return found
    return refuse(f"NO CHROMIUM for this test: none of {', '.join(NAMES)} is on the path.")


def require_axe() -> str:
    """Return the script that looks for what keeps people out."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    return refuse("NO AXE-CORE for this test: run make install-assets.")


def refuse(message: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser until the block ends."""
    path = require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Seat:
    """Somebody in front of a browser. `complaints` is what the console said that it should not have."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page and wait until it is quiet."""
        self.page.goto(path)
        quiet(self.page)
        return self.page

    def forgive(self, status: str) -> None:
        """Leave out what the console says of a status that was meant."""
        self.complaints[:] = [text for text in self.complaints if f"status of {status}" not in text]

    def tripped(self) -> list[str]:
        """Return what ran that should not have, or had to be stopped."""
        found: list[str] = self.page.evaluate("window.tripped")
        return found


@contextmanager
def seated(browser: Browser, url: str, *, login: bool = True, **options: Any) -> Iterator[Seat]:
    """Sit down at a fresh browser, signed in as the first agent."""
    usual: dict[str, Any] = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(base_url=url, accept_downloads=True, **{**usual, **options})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(TRIPWIRES)
    seat = Seat(context.new_page(), context)
    seat.page.on(
        "console",
        lambda message: seat.complaints.append(message.text) if message.type in {"error", "warning"} else None,
    )
    seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    try:
        if login:
            seat.page.goto("/login")
            seat.page.fill("#login", LOGIN)
            seat.page.fill("#password", PASSWORD)
            seat.page.click("button")
            seat.page.wait_for_url(f"{url}/")
        yield seat
    finally:
        context.close()


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Seat]:
    """Sit down, and hold afterwards that the console had nothing to complain of and nothing ran that should not have."""
    with seated(browser, url) as seat:
        yield seat
        assert seat.complaints == []
        assert seat.tripped() == []
