"""Makes the pictures of the documentation: `python -m tests.web.screenshots` with a server that has the demo data.

LAMBDESK_URL names it (http://127.0.0.1:8000), LAMBDESK_ADMIN_PASSWORD is the first agent's.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

from identity.first_agent import LOGIN
from tests.web.chromium import chromium, quiet

DOCS = Path(__file__).parent.parent.parent / "docs"
SIZE = {"width": 1180, "height": 640}
# Picture → colours, and what leads there.
PICTURES = {
    "list.png": (
        "light",
        "/modules/ticket?f.state=new&f.state=open&c=number,title,queue,state,priority,owner,createdAt",
    ),
    "detail.png": ("light", "/modules/queue"),
    "dark.png": ("dark", "/modules/ticket?q=printer"),
}


def take(page: Page, path: str, file: Path) -> None:
    """Open a page and take its picture."""
    page.goto(path)
    quiet(page)
    if file.name == "detail.png":
        page.click("#list tbody a.link >> nth=3")
        quiet(page)
    page.screenshot(path=str(file))


def main() -> None:
    """Take all of them."""
    with chromium() as browser:
        for name, (scheme, path) in PICTURES.items():
            context = browser.new_context(
                base_url=os.environ.get("LAMBDESK_URL", "http://127.0.0.1:8000"),
                viewport=SIZE,  # type: ignore[arg-type] # Playwright's own dictionary
                color_scheme=scheme,  # type: ignore[arg-type] # the same
                locale="en-GB",
            )
            page = context.new_page()
            page.goto("/login")
            page.fill("#login", LOGIN)
            page.fill("#password", os.environ["LAMBDESK_ADMIN_PASSWORD"])
            page.click("button")
            page.wait_for_url("**/")
            take(page, path, DOCS / name)
            context.close()


if __name__ == "__main__":
    main()
