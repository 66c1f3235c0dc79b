"""The content security policy of every answer, as Google's csp_evaluator judges it: nothing high, on no page, download or answer of the API."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.clients.conftest import NODE
from tests.web.browsing import OWN, Browser
from tests.web.chromium import refuse
from tests.web.every_page import Sort, screens
from tests.web.test_pages_replay import World, opened

HERE = Path(__file__).parent
EVALUATOR = HERE.parent.parent / "web" / "assets" / "node_modules" / "csp_evaluator"
FINITE = (Sort.PAGE, Sort.PART, Sort.DATA, Sort.FRAME)
HIGH = frozenset({10, 20, 40})  # high, broken, and what may be high
NONCE = re.compile(r"'nonce-[\w+/=-]+'")
OTHERS = (
    "/login",
    "/export/task.csv",
    "/static/pages/app.css",
    "/schema.graphql",
    "/schema/module.json",
    "/healthz",
    "/readyz",
    "/nothing",
    "/files/1/paper",
)


def judge(policies: Mapping[str, str]) -> list[tuple[str, int, str, str]]:
    """Return what is found: policy, severity, directive, description."""
    if not EVALUATOR.is_dir() or not NODE.is_file():
        refuse("NO CSP_EVALUATOR for this test: run make install-assets.")
    done = subprocess.run(
        [str(NODE), str(HERE / "csp.mjs")],
        input=json.dumps(policies),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [(name, severity, directive, told) for name, severity, directive, told in json.loads(done.stdout)]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch) as found:
        yield found


async def _policies(world: World) -> dict[str, str]:
    """Return every different policy that is sent, by the first address that sends it."""
    found: dict[str, str] = {}
    client = world.browser.client
    answers = [
        (path, await client.get(path))
        for path in (*(item.address.format(**world.places) for item in screens(*FINITE)), *OTHERS)
    ]
    answers.append(
        ("POST /graphql", await client.post("/graphql", json={"query": "{ schemaVersion }"}, headers={"origin": OWN}))
    )
    answers.append(("the file", await client.get(await _file(world.browser, world))))
    for path, answer in answers:
        policy = NONCE.sub("'nonce-0123456789abcdef0123'", answer.headers["content-security-policy"])
        if policy not in found.values():
            found[path] = policy
    return found


async def _file(browser: Browser, world: World) -> str:
    """Give a row a file, as a form does, and return where it is."""
    page = await browser.get("/modules/task/{row}/edit".format(**world.places))
    await browser.send_files(page, page.main.form_named("about"), {}, paper=("a.html", b"<script>alert(1)</script>"))
    page = await browser.get("/modules/task/{row}".format(**world.places))
    return next(item.attributes["href"] for item in page.main.all("a") if item.attributes["href"].startswith("/files/"))


async def test_nothing_high_is_found_in_any_policy(world: World) -> None:
    policies = await _policies(world)

    assert len(policies) >= 3
    assert [item for item in judge(policies) if item[1] in HIGH] == []


def test_the_evaluator_finds_what_is_wrong() -> None:
    bad = judge(
        {
            "inline": "script-src 'unsafe-inline'; object-src 'none'",
            "open": "script-src 'self' https:",
            "broken": "script-src 'nonce'",
        }
    )

    assert {name for name, severity, _, _ in bad if severity in HIGH} == {"inline", "open", "broken"}
