"""The pages of rights without scripts: tables of keys, one agent, group and role, why, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.databases import fresh_url
from tests.web.browsing import Browser, Element, Shown, browsing
from tests.web.oneself import browsing_as, fill
from tests.web.real import Desk, open_desk
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS
from web.pages.rights_routes import make_rights_pages

SHIPPED = Path(__file__).parent.parent.parent / "modules"
NAMES = ("user", "group", "role", "group_user", "group_role", "role_user", "company", "customer_user", "group_customer", "group_customer_user", "queue", "validity")  # fmt: skip
LAMP = """\
module: {name: lamp, table: lamp, plural: {en: Lamps, de: Lampen}}
fields: [{name: name, type: string, required: true, unique: true}]
access:
  agent:
    view: {group: users}
    create: {role: Planners}
    rows: {or: [{name: {eq: $me.login}}, {name: {startsWith: "Hall"}}]}
"""


def shipped_files() -> dict[str, str]:
    """The shipped files of agents, groups, roles and customers."""
    return {path.stem: path.read_text() for name in NAMES for path in SHIPPED.rglob(f"{name}.yaml")}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {**shipped_files(), "lamp": LAMP}) as found:
            await fill(found)
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


def row_of(page: Element, name: str) -> Element:
    return next(row for row in page.all("tr") if any(item.text.startswith(name) for item in row.all("th", scope="row")))


def keys_in(cell: Element) -> list[str]:
    return [item.text for item in cell.all("span", class_="key")]


async def cell_form(browser: Browser, page: Shown, name: str, place: int) -> Shown:
    link = row_of(page.main, name).all("td")[place].one("a")
    return await browser.get(link.attributes["href"])


async def held(desk: Desk, login: str) -> set[tuple[str, str]]:
    query = (
        "query ($login: String!) { user(by: {login: $login}) { permissions { nodes { group { name } permission } } } }"
    )
    rows = (await desk.data(query, login=login))["user"]["permissions"]["nodes"]
    return {(row["group"]["name"], row["permission"]) for row in rows}


# --- the table ---


async def test_it_shows_the_keys_of_agents_and_which_of_them_come_by_a_role(browser: Browser) -> None:
    page = await browser.get("/admin/rights")
    assert [item.text for item in page.main.one("thead").all("th")] == ["Agents", "admin", "stats", "users"]
    admin, stats, users = row_of(page.main, "ada").all("td")
    assert keys_in(admin) == []
    assert keys_in(stats) == ["ro", "move_into"]
    assert keys_in(users.one("span", class_="by-role")) == ["rw"]
    assert users.one("span", class_="sr-only").text == "ada, users: by the role Planners: everything. Change"


async def test_words_a_role_and_validity_pick_who_is_shown(desk: Desk, browser: Browser) -> None:
    async def names(query: str) -> list[str]:
        page = await browser.get(f"/admin/rights?{query}")
        return [row.all("a")[0].text for body in page.main.all("tbody") for row in body.all("tr")]

    await desk.data(
        'mutation { updateUser(input: {key: {login: "ada"}, patch: {validity: INVALID}}) { errors { code } } }'
    )
    assert await names("q=lund") == []
    assert await names("q=lund&all=1") == ["ada"]
    assert await names("role=3&all=1") == ["ada"]
    assert await names("role=x&of=nothing") == ["root@localhost"]
    page = await browser.get("/admin/rights?g=sta")
    assert [item.text for item in page.main.one("thead").all("th")] == ["Agents", "stats"]
    assert "No group is like that." in (await browser.get("/admin/rights?g=zzz")).main.text


async def test_a_large_site_is_shown_page_by_page_with_few_operations(desk: Desk, browser: Browser) -> None:
    await populate(desk, agents=60, groups=30)
    first = await browser.get("/admin/rights")
    assert len(first.main.one("tbody").all("tr")) == 25
    assert len(first.main.one("thead").all("th")) == 13
    seen = [row.all("a")[0].text for row in first.main.one("tbody").all("tr")]
    page = first
    for _ in range(2):
        page = await browser.get(page.main.one("a", rel="next").attributes["href"])
        seen += [row.all("a")[0].text for row in page.main.one("tbody").all("tr")]
    assert seen == sorted(set(seen))
    assert len(seen) == 62
    back = await browser.get(page.main.one("a", rel="prev").attributes["href"])
    assert [row.all("a")[0].text for row in back.main.one("tbody").all("tr")] == seen[25:50]
    (more,) = [item for item in first.main.all("a") if item.text.startswith("More groups")]
    assert [item.text for item in (await browser.get(more.attributes["href"])).main.one("thead").all("th")][1] == "g11"


async def populate(desk: Desk, agents: int, groups: int) -> None:
    audit = "1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1"
    async with desk.identities.database.transaction() as transaction:
        for number in range(agents):
            await transaction.execute(
                "INSERT INTO users (id, login, pw, first_name, last_name, valid_id, create_time, create_by, change_time, change_by) "  # noqa: S608 - our own numbers
                f"VALUES ({100 + number}, 'agent{number:03}', 'x', 'A', 'B', {audit})"
            )
        for number in range(groups):
            await transaction.execute(
                "INSERT INTO permission_groups (id, name, valid_id, create_time, create_by, change_time, change_by) "  # noqa: S608 - the same
                f"VALUES ({100 + number}, 'g{number:02}', {audit})"
            )


# --- changing it ---


async def test_keys_are_ticked_and_given(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/rights")
    form = await cell_form(browser, page, "ada", 1)
    assert form.main.one("h1").text == "ada in the group stats"
    done = await browser.send(form, form.main.form("/admin/rights/keys"), {"key": ["ro", "note"]})
    assert done.main.one("p", class_="said").text == "The permissions are saved."
    assert await held(desk, "ada") == {("stats", "RO"), ("stats", "NOTE")}
    again = await cell_form(browser, done, "ada", 1)
    await browser.send(again, again.main.form("/admin/rights/keys"), {"key": ["ro", "rw"]})
    assert await held(desk, "ada") == {("stats", "RW")}, "everything needs no single keys"
    last = await cell_form(browser, done, "ada", 1)
    await browser.send(last, last.main.form("/admin/rights/keys"), {"key": []})
    assert await held(desk, "ada") == set()


@pytest.mark.parametrize(
    ("side", "name", "field"),
    [("roles", "Planners", "role"), ("customers", "cleo", "customerUser"), ("companies", "Bolts", "company")],
)
async def test_roles_companies_and_customers_hold_keys_too(
    desk: Desk, browser: Browser, side: str, name: str, field: str
) -> None:
    await desk.data(
        'mutation { createCompany(input: {company: {databaseId: "bolts", name: "Bolts"}}) { errors { code } } }'
    )
    form = await cell_form(browser, await browser.get(f"/admin/rights?of={side}"), name, 1)
    done = await browser.send(form, form.main.form("/admin/rights/keys"), {"key": ["ro"]})
    assert keys_in(row_of(done.main, name).all("td")[1]) == ["ro"], field


async def test_what_somebody_else_gave_meanwhile_is_told(desk: Desk, browser: Browser) -> None:
    form = await cell_form(browser, await browser.get("/admin/rights"), "ada", 1)
    give = 'mutation { setGroupPermissions(input: {group: {name: "stats"}, agent: {login: "ada"}, permissions: [OWNER]}) { errors { code } } }'
    await desk.data(give)
    told = await browser.send(form, form.main.form("/admin/rights/keys"), {"key": ["note"]})
    assert told.status == 409
    assert "Now it is: owner." in told.main.one("p", role="alert").text
    assert await held(desk, "ada") == {("stats", "OWNER")}
    await browser.send(told, told.main.form("/admin/rights/keys"))
    assert await held(desk, "ada") == {("stats", "NOTE")}


async def test_the_last_administrator_is_not_let_go(desk: Desk, browser: Browser) -> None:
    form = await cell_form(browser, await browser.get("/admin/rights"), "root@localhost", 0)
    told = await browser.send(form, form.main.form("/admin/rights/keys"), {"key": ["ro"]})
    assert told.status == 422
    assert told.main.one("p", role="alert").text
    assert ("admin", "RW") in await held(desk, "root@localhost")


async def test_the_role_that_makes_the_last_administrator_is_not_taken_from_him(desk: Desk) -> None:
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute("UPDATE group_role SET group_id = 2 WHERE role_id = 3")
        await transaction.execute("DELETE FROM group_user WHERE group_id = 2 AND user_id = 1")
    async with browsing_as(desk, "ada") as browser:
        page = await browser.get("/admin/rights/agents/ada")
        told = await browser.send(page, page.main.form_named("role"), {"role": []})
        role = await browser.get("/admin/rights/roles/3")
        refused = await browser.send(role, role.main.one("ul", class_="members").one("form"))
        for answer in (told, refused):
            assert answer.status == 422
            assert "Nobody would be left who may administrate" in answer.main.all("p", role="alert")[0].text
        kept = await browser.get("/admin/rights/agents/ada")
        assert "checked" in kept.main.one("input", name="role", value="3").attributes


async def test_a_cell_is_changed_in_its_place_where_scripts_run(browser: Browser) -> None:
    page = await browser.get("/admin/rights")
    link = row_of(page.main, "ada").all("td")[1].one("a").attributes["href"]
    browser.client.headers["hx-request"] = "true"
    form = await browser.get(link)
    assert form.all("html") == []
    assert form.one("form").attributes["hx-target"] == "#at-0-1"
    cell = await browser.send(form, form.one("form"), {"key": ["priority"]})
    assert keys_in(cell) == ["priority"]


@pytest.mark.parametrize(
    "query", ["", "of=agents&holder=7&group=x", "of=agents&holder=999&group=1", "of=agents&holder=7&group=99999"]
)
async def test_what_there_is_not_has_no_form(browser: Browser, query: str) -> None:
    assert (await browser.get(f"/admin/rights/keys?{query}")).status == 404


async def test_a_form_leads_back_to_pages_of_rights_alone(browser: Browser) -> None:
    page = await browser.get("/admin/rights/keys?of=agents&holder=7&group=1&next=https://evil.example/")
    assert "evil" not in page.main.form("/admin/rights/keys").attributes["action"]
    done = await browser.send(page, page.main.form("/admin/rights/keys"), {"key": ["ro"]})
    assert done.url.partition("?")[0].endswith("/admin/rights")


# --- one agent ---


async def test_an_agent_is_shown_with_what_he_may_do_and_why(browser: Browser) -> None:
    page = await browser.get("/admin/rights/agents/ada")
    (lamps,) = [
        row for row in page.main.one("section", id="may").one("tbody").all("tr") if row.text.startswith("Lamps")
    ]
    assert [cell.text for cell in lamps.all("td")[1:]] == ["◐ some", "◐ some", "✗ no", "✗ no"]
    assert "held by the role Planners in the group users: everything" in lamps.text
    assert "has the role Planners" in lamps.text
    assert page.main.all("span", class_="badge-purple") == []
    assert (await browser.get("/admin/rights/agents/root@localhost")).main.one("span", class_="badge-purple")


async def test_every_yes_of_the_page_is_one_of_the_api_and_the_other_way_round(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/rights/agents/ada")
    shown = {row.one("summary").one("span", class_="font-semibold").text: row.all("td")[1:] for row in page.main.one("section", id="may").one("tbody").all("tr")}  # fmt: skip
    modules = (await desk.data('{ accessOverview(agent: "ada") { rights { module operation allowed } } }'))[
        "accessOverview"
    ]
    for item in modules["rights"]:
        label = desk.live.snapshot().modules[item["module"]].plural.in_language("en")
        cell = shown[label][("VIEW", "CREATE", "UPDATE", "DELETE").index(item["operation"])]
        assert item["allowed"] is not (cell.text == "✗ no"), item


async def test_roles_of_an_agent_are_ticked(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/rights/agents/ada")
    form = page.main.form_named("role")
    done = await browser.send(page, form, {"role": []})
    assert done.main.one("p", class_="said").text == "The roles are saved."
    roles = '{ user(by: {login: "ada"}) { roles { nodes { name } } } }'
    assert (await desk.data(roles))["user"]["roles"]["nodes"] == []
    told = await browser.send(page, form, {"role": ["3"]})
    assert told.status == 409
    await browser.send(told, told.main.form_named("role"))
    assert (await desk.data(roles))["user"]["roles"]["nodes"] == [{"name": "Planners"}]


@pytest.mark.parametrize(
    ("name", "told"),
    [("Hall 1", "Yes, that is allowed."), ("Vault", "No, that is not allowed."), ("Attic", "no such record")],
)
async def test_a_record_is_asked_about_by_its_name(desk: Desk, browser: Browser, name: str, told: str) -> None:
    await lamps(desk, "Hall 1", "Vault")
    page = await browser.get("/admin/rights/agents/ada")
    answer = await browser.send(page, page.main.form_named("row"), {"of": "lamp", "may": "VIEW", "row": name})
    assert told in answer.main.one(id="reason").text
    if name == "Hall 1":
        ways = [item.text for item in answer.main.one(id="reason").all("div", class_="way")]
        assert ways[0].startswith("✗ does not fit (view):")
        assert ways[1].startswith("✓ fits (view):")


async def lamps(desk: Desk, *names: str) -> None:
    when = datetime(2026, 1, 1)  # noqa: DTZ001 - wall clock
    audit = {"create_time": when, "create_by": 1, "change_time": when, "change_by": 1}
    async with desk.identities.database.transaction() as transaction:
        for name in names:
            row = {"name": name, **audit}
            table = sa.table("lamp", *map(sa.column, row))
            await transaction.execute(sa.insert(table).values(row))


async def test_anybody_is_asked_about_by_login(browser: Browser) -> None:
    page = await browser.get("/admin/rights/why")
    answer = await browser.send(page, page.main.form_named("who"), {"who": "cleo", "kind": "customer", "of": "lamp"})
    assert "No, that is not allowed." in answer.main.one(id="reason").text
    nobody = await browser.send(page, page.main.form_named("who"), {"who": "nobody", "of": "lamp"})
    assert "nobody valid with this login" in nobody.main.one(id="reason").text


async def test_everybody_sees_his_own_rights_with_their_reasons(desk: Desk) -> None:
    async with browsing_as(desk, "ada") as browser:
        page = await browser.get("/profile")
        (lamp,) = [
            row for row in page.main.one("section", id="may").one("tbody").all("tr") if row.text.startswith("Lamps")
        ]
        assert [cell.text for cell in lamp.all("td")[1:]] == ["◐ some", "◐ some", "✗ no", "✗ no"]
        assert (await browser.get("/admin/rights")).status == 403


# --- one group, one role ---


async def test_a_group_is_shown_with_its_queues_and_who_holds_what(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/rights/groups/1")
    assert "Its queues: Junk, Misc, Postmaster, Raw" in page.main.text
    agents = page.main.one("section", aria_labelledby="of-agents")
    assert keys_in(row_of(agents, "ada").one("span", class_="by-role")) == ["rw"]
    assert keys_in(row_of(page.main.one("section", aria_labelledby="of-roles"), "Planners")) == ["rw"]
    picked = await browser.get("/admin/rights/groups/1?q=lund")
    assert len(picked.main.one("section", aria_labelledby="of-agents").one("tbody").all("tr")) == 1
    assert (await browser.get("/admin/rights/groups/99")).status == 404
    assert (await browser.get("/admin/rights/groups/x")).status == 404


async def test_a_role_is_given_and_taken_by_login(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/rights/roles/3")
    assert [item.all("a")[0].text for item in page.main.one("ul", class_="members").all("li")] == ["ada"]
    nobody = await browser.send(page, _adding(page), {"login": "nobody"})
    assert (nobody.status, nobody.main.one("p", role="alert").text) == (422, "There is no agent 'nobody'.")
    given = await browser.send(page, _adding(page), {"login": "root@localhost"})
    members = given.main.one("ul", class_="members").all("li")
    assert [item.all("a")[0].text for item in members] == ["ada", "root@localhost"]
    taken = await browser.send(given, members[0].one("form"))
    assert [item.all("a")[0].text for item in taken.main.one("ul", class_="members").all("li")] == ["root@localhost"]


def _adding(page: Shown) -> Element:
    return next(form for form in page.main.all("form") if form.all(name="do", value="add"))


# --- who sees it, and untrusted names ---


async def test_the_pages_are_for_administrators(desk: Desk) -> None:
    async with browsing_as(desk, "ada") as browser:
        for route in make_rights_pages(desk.live):
            path = (
                str(getattr(route, "path", ""))
                .replace("{login:path}", "ada")
                .replace("{group}", "1")
                .replace("{role}", "3")
            )
            assert (await browser.get(path)).status == 403, path


async def test_names_that_would_be_scripts_stay_text(desk: Desk, browser: Browser) -> None:
    names: dict[str, Any] = {"permission_groups": "name", "roles": "name", "users": "login", "customer_user": "login"}
    for payload in [item for item in PAYLOADS if len(item) < 90][::14]:
        async with desk.identities.database.transaction() as transaction:
            for table, column in names.items():
                where = {"permission_groups": 1, "roles": 3, "users": 7, "customer_user": 1}[table]
                target = sa.table(table, sa.column("id"), sa.column(column))
                await transaction.execute(sa.update(target).where(target.c.id == where).values({column: payload}))
        paths = [f"/admin/rights{more}" for more in ("", "?of=roles", "?of=customers", "/groups/1", "/roles/3", "/why?may=VIEW&of=lamp&who=x")]  # fmt: skip
        paths += [
            "/admin/rights/keys?of=agents&holder=7&group=1&at=0-0",
            "/admin/rights/keys?of=roles&holder=3&group=1",
        ]
        for path in paths:
            page = await browser.get(path)
            assert page.status == 200, (path, payload)
            check(page, f"{path} {payload}")
        page = await browser.get("/admin/rights")
        link = next((a for a in page.main.all("a") if a.attributes["href"].startswith("/admin/rights/agents/") and "root" not in a.text), None)  # fmt: skip
        assert link is not None
        check(await browser.get(link.attributes["href"]), payload)


async def test_the_pages_speak_german(desk: Desk) -> None:
    async with browsing(desk, **{"accept-language": "de"}) as browser:
        for path, heading in {
            "/admin/rights": "Rechte",
            "/admin/rights/why": "Warum?",
            "/admin/rights/groups/1": "Gruppe users",
            "/admin/rights/roles/3": "Rolle Planners",
            "/admin/rights/keys?of=agents&holder=7&group=1": "ada in der Gruppe users",
        }.items():
            assert (await browser.get(path)).main.one("h1").text == heading


async def test_what_is_kept_of_a_list_is_only_of_those_who_may_do_the_same(desk: Desk, browser: Browser) -> None:
    async def offered(reader: Browser) -> tuple[int, list[str]]:
        page = await reader.get("/modules/lamp")
        columns = [item.attributes["value"] for item in page.main.all("input", name_="c")]
        return len(page.main.one("thead").all("th", class_="tick")), columns

    await lamps(desk, "Hall")
    async with browsing_as(desk, "ada") as ada:
        first, hers = await offered(browser), await offered(ada)
        assert (first[0], hers[0]) == (1, 0), "she may change no lamps"
        assert await offered(browser) == first
        assert await offered(ada) == hers
