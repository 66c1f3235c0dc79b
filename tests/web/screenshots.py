"""Makes the pictures of the documentation: `make screenshots`, or `python -m tests.web.screenshots NAME …` for some of them.

Each is a line of `PICTURES`. A server of its own runs with the demo data; the pictures get a palette, so that they stay small.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState

from tests.web.chromium import chromium, seated
from tests.web.server import REAL, Server, running
from tests.web.small_png import shrink
from tests.web.test_pages_browser import until_ready

DOCS = Path(__file__).parent.parent.parent / "docs"
MODULES = DOCS.parent / "modules"
WIDE, PHONE = (1180, 720), (390, 780)
SETTLE_MS = 1_500  # for what comes after the page: counts, histories, charts, editors
SITE = """\
module: {extend: queue}
computed_fields:
  - name: answer_label
    type: badge
    needs: [first_response_time, solution_time]
    label: {en: Answer, de: Antwort}
    lambda: |
      const minutes = item.first_response_time || 0;
      if (!minutes) return {text: "when we can", tone: "gray"};
      return {text: `within ${minutes} minutes`, tone: minutes > 120 ? "amber" : "green"};
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: where it is taken, what is clicked before, and how it is looked at."""

    path: str
    clicks: tuple[str, ...] = ()
    keys: str = ""
    scheme: str = "light"
    size: tuple[int, int] = WIDE


TICKETS = "/modules/ticket?f.state=new&f.state=open&c=number,title,queue,state,priority,owner,createdAt"
FIRST = "#list tbody a.link >> nth=0"
PICTURES = {
    "list": Picture(TICKETS),
    "dark": Picture("/modules/ticket?q=printer", scheme="dark"),
    "detail": Picture("/modules/queue", ("#list tbody a.link >> nth=3",)),
    "form": Picture("/modules/queue", (FIRST, "a[data-key=e]")),
    "editor": Picture("/admin/modules/file?file=site/queue.yaml"),
    "lambda": Picture("/admin/modules/queue/lambdas/answer_label", scheme="dark"),
    "graphiql": Picture(
        TICKETS, ("summary >> text=Show me the query", "a >> text=Open in GraphiQL", ".graphiql-execute-button")
    ),
    "search": Picture("/", keys="printer"),
    "health": Picture("/admin/health"),
    "profile": Picture("/profile", scheme="dark"),
    "overview": Picture("/desk"),
    "ticket": Picture("/modules/ticket?q=VPN", (FIRST,), size=(1180, 900)),
    "new-ticket": Picture("/desk/new", size=(1180, 900)),
    "dashboard": Picture("/dashboard", size=(1180, 900)),
    "rights": Picture("/admin/rights"),
    "phone": Picture(TICKETS, size=PHONE),
    "phone-dark": Picture("/modules/queue", (FIRST,), scheme="dark", size=PHONE),
}


def take(browser: Browser, url: str, picture: Picture, session: StorageState) -> bytes:
    """Take a picture."""
    width, height = picture.size
    options = {"color_scheme": picture.scheme, "viewport": {"width": width, "height": height}}
    with seated(browser, url, login=False, storage_state=session, **options) as seat:
        page: Page = seat.page
        page.goto(picture.path)
        for selector in picture.clicks:
            page.wait_for_timeout(SETTLE_MS / 3)
            page.click(selector)
        if picture.keys:
            page.keyboard.press("Control+k")
            page.keyboard.type(picture.keys)
        page.wait_for_timeout(SETTLE_MS)
        return page.screenshot()


def main(names: list[str]) -> None:
    """Take those that are named, else all."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        site.mkdir()
        (site / "queue.yaml").write_text(SITE)
        with chromium() as browser, serving(Path(folder)) as server:
            until_ready(server)
            with seated(browser, server.url) as seat:  # once: who signs in a dozen times a minute has to wait
                session = seat.context.storage_state()
            for name in names or PICTURES:
                file = DOCS / f"{name}.png"
                file.write_bytes(shrink(take(browser, server.url, PICTURES[name], session)))
                print(f"{file.name}: {file.stat().st_size // 1024} kB")  # noqa: T201 - a command


def serving(folder: Path) -> AbstractContextManager[Server]:
    """Run a server with the demo data."""
    return running(
        REAL,
        folder,
        modules_dir=f"{MODULES}:{folder / 'site'}",
        database_url=f"sqlite:///{folder}/desk.db",
        demo=1,
        lambda_workers=2,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
