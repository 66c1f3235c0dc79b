"""The pages of rights in a real browser: a cell is changed in its place, and nobody is kept out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.web.chromium import require_axe, seated
from tests.web.server import REAL, running
from tests.web.test_pages_browser import World, until_ready
from tests.web.test_rights_pages import LAMP, shipped_files

pytestmark = pytest.mark.timed

PAGES = (
    "/admin/rights",
    "/admin/rights?of=roles",
    "/admin/rights?q=nobody-is-called-so",
    "/admin/rights/why?kind=agent&who=grace&of=lamp&may=VIEW",
    "/admin/rights/agents/grace?of=lamp&may=CREATE",
    "/admin/rights/agents/root@localhost",
    "/admin/rights/groups/1",
    "/admin/rights/roles/1",
    "/admin/rights/keys?of=agents&holder=2&group=1",
    "/profile",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rights")
    site = folder / "site"
    site.mkdir()
    for name, text in {**shipped_files(), "lamp": LAMP}.items():
        (site / f"{name}.yaml").write_text(text)
    with running(REAL, folder, modules_dir=site, database_url=f"sqlite:///{folder}/desk.db") as server:
        until_ready(server)
        made = World(server, site)
        made.data(
            """mutation {
              createUser(input: {user: {login: "grace", password: "seven brass moths", firstName: "G", lastName: "H"}}) { errors { code } }
              createRole(input: {role: {name: "Planners"}}) { errors { code } }
              setGroupPermissions(input: {group: {name: "users"}, role: {name: "Planners"}, permissions: [RO, NOTE]}) { errors { code } }
              setAgentRoles(input: {agent: {login: "grace"}, roles: [{name: "Planners"}]}) { errors { code } }
            }"""
        )
        yield made


def test_a_cell_is_changed_where_it_stands(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url) as seat:
        page = seat.go("/admin/rights")
        cell = page.locator("#at-0-1")
        cell.locator("a.keys-cell").click()
        cell.get_by_label("read", exact=False).first.check()
        cell.get_by_label("priority").check()
        cell.get_by_text("Save").click()
        expect(cell.locator(".key")).to_have_text(["ro", "priority"])
        assert page.url.endswith("/admin/rights"), "one stays where one was"
        cell.locator("a.keys-cell").click()
        cell.get_by_text("Cancel").click()
        expect(cell.locator(".key")).to_have_text(["ro", "priority"])
        page.fill("#search", "grace")
        expect(page.locator("#matrix tbody tr")).to_have_count(1)
        assert seat.complaints == []
        assert seat.tripped() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_the_pages_of_rights(world: World, browser: Browser, scheme: str) -> None:
    axe = require_axe()
    found = {}
    with seated(browser, world.server.url, color_scheme=scheme) as seat:
        for path in PAGES:
            page = seat.go(path)
            page.evaluate(axe)
            report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found[path] = [(item["id"], item["nodes"][0]["html"]) for item in report["violations"]]
        page = seat.go("/admin/rights")
        page.locator("#at-0-1 a.keys-cell").click()
        expect(page.locator("#at-0-1 form")).to_be_visible()
        page.evaluate(axe)
        report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found["a cell"] = [(item["id"], item["nodes"][0]["html"]) for item in report["violations"]]
        assert seat.tripped() == []
    assert found == {path: [] for path in (*PAGES, "a cell")}


def test_the_pages_of_rights_fit_on_a_phone(world: World, browser: Browser) -> None:
    with seated(browser, world.server.url, viewport={"width": 360, "height": 740}) as seat:
        for path in PAGES:
            page = seat.go(path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
