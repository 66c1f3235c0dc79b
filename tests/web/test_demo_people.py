"""The demo has three logins, an administrator, an agent and a customer, with one password that is generated and printed."""

import re
from pathlib import Path

import httpx

from tests.web.browsing import Shown, fields_of
from tests.web.desk_at_work import MODULES
from tests.web.server import REAL, running
from tests.web.test_pages_browser import until_ready

README = Path(__file__).parent.parent.parent / "README.md"
PRINTED = re.compile(
    r"Demo: sign in as (\S+) \(administrator\), (\S+) \(agent\) or (\S+) \(customer\)\. Everybody's password is (\S+)"
)


def enter(url: str, login: str, kind: str, password: str) -> Shown:
    """Sign in as a browser does, and return the first page."""
    with httpx.Client(base_url=url, follow_redirects=True, headers={"origin": url}, timeout=20) as client:
        page = Shown(client.get("/login"))
        given = {**dict(fields_of(page.form("/login"))), "login": login, "password": password, "kind": kind}
        return Shown(client.post("/login", data=given))


def test_each_of_the_three_begins_with_his_own_pages(tmp_path: Path) -> None:
    with running(
        REAL, tmp_path, demo=1, modules_dir=MODULES, admin_password="", database_url=f"sqlite:///{tmp_path}/desk.db"
    ) as server:
        until_ready(server)
        (found,) = [match for line in server.printed if (match := PRINTED.search(line))]
        administrator, agent, customer, password = found.groups()
        page = enter(server.url, administrator, "agent", password)
        assert page.one("nav", class_="side").all("a", href="/admin/modules")
        page = enter(server.url, agent, "agent", password)
        assert page.one("nav", class_="side").all("a", href="/desk")
        assert not page.one("nav", class_="side").all("a", href="/admin/modules")
        page = enter(server.url, customer, "customer", password)
        assert page.url.endswith("/my")
        assert page.main.one("h1").text == "Your tickets"
    assert all(f"`{login}`" in README.read_text() for login in (administrator, agent, customer))
    assert password not in README.read_text()
