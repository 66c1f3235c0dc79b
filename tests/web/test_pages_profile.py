"""The page about oneself: who one is, what one holds, the look, the password, and whose forms count. All without scripts."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.principals import Kind
from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import OWN, Browser, browsing
from tests.web.oneself import NEW_PASSWORD, browsing_as, lines, opened, section, send
from tests.web.real import PASSWORD, Desk

ADDRESSES = ("password", "session", "sessions", "tokens", "token")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with opened(url, tmp_path) as found:
            yield found


@pytest.fixture(params=DIALECTS)
async def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url(request.param) as url:
        async with opened(url, tmp_path) as found:
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


# --- who one is ---


async def test_it_tells_who_one_is_and_what_one_holds_in_words(desk: Desk) -> None:
    async with browsing_as(desk, "ada") as browser:
        page = await browser.get("/profile")

    assert [item.text for item in page.main.one("dl", class_="facts").all("dd")] == [
        "Ada Lund",
        "ada",
        "an agent",
        "Planners",
    ]
    assert lines(page, "rights") == ["stats read, move tickets into it", "users everything"]


async def test_the_menu_of_the_user_leads_to_it(browser: Browser) -> None:
    assert (await browser.get("/")).one("header").one("a", href="/profile").text == "Profile"


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ("VIEW", ["You may.", "You hold it by the role Planners in the group users: everything."]),
        ("CREATE", ["You may.", "You have the role Planners."]),
        ("DELETE", ["You may not."]),
    ],
)
async def test_it_tells_why_one_may_do_something(desk: Desk, right: str, told: list[str]) -> None:
    async with browsing_as(desk, "ada") as browser:
        page = await browser.get("/profile")
        answer = await browser.send(page, page.main.form("/profile#rights"), {"may": right, "of": "lamp"})

    reason = answer.main.one(id="reason")
    assert [reason.one("strong").text, *(item.text for item in reason.all("li"))] == told


@pytest.mark.parametrize(
    "query", ["may=VIEW&of=nothing", "may=OWN&of=lamp", "may=VIEW", "of=lamp&may=%00", "may=VIEW&of=%22"]
)
async def test_a_question_that_nobody_offers_is_not_asked(browser: Browser, query: str) -> None:
    page = await browser.get(f"/profile?{query}")

    assert page.status == 200
    assert page.main.all(id="reason") == []


async def test_customers_have_it_too_as_far_as_their_schema_goes(desk: Desk) -> None:
    async with browsing_as(desk, "cleo", Kind.CUSTOMER) as browser:
        page = await browser.get("/profile?may=VIEW&of=lamp")
        made = await send(browser, "tokens", {"name": "robot"})

    told = [item.text for item in page.main.one("dl", class_="facts").all("dd")]
    assert told == ["Cleo Cole", "cleo", "a customer", "cleo@example.org", "acme"]
    assert "explain" not in page.main.text.lower()
    assert made.main.one(id="secret").attributes["value"].startswith("ldk_")


async def test_it_is_there_in_german_as_a_whole(desk: Desk) -> None:
    async with browsing_as(desk, "ada", Kind.AGENT, **{"accept-language": "de"}) as browser:
        page = await browser.get("/profile?may=VIEW&of=lamp")
        failed = await send(browser, "tokens", {"name": " ", "operations": [""]})

    assert lines(page, "rights") == ["stats lesen, Tickets hinein verschieben", "users alles"]
    assert "Sie haben es durch die Rolle Planners in der Gruppe users: alles." in page.main.text
    assert "Ein Token hat einen Namen von 1 bis 100 Zeichen." in failed.main.text
    assert not re.search(r"\b(the|you|your|and|of)\b", page.main.text, re.IGNORECASE)


# --- the look ---


async def test_the_look_is_chosen_there_and_the_zone_in_place_of_the_browsers(browser: Browser) -> None:
    page = await browser.get("/profile")
    chosen = await browser.send(page, page.main.form("/look"), {"theme": "dark", "own_zone": "Asia/Tokyo"})

    assert chosen.url.endswith("/profile")
    assert chosen.one("html").attributes["data-theme"] == "dark"
    assert {item.attributes["title"][-3:] for item in section(chosen, "sessions").all("time")} == {"JST"}
    told = await browser.client.post(
        "/look",
        data={"csrf": chosen.main.form("/look").one("input", name="csrf").attributes["value"], "zone": "Europe/Berlin"},
        headers={"origin": OWN},
    )
    assert told.status_code == 303
    again = await browser.get("/profile")
    assert "JST" in section(again, "sessions").all("time")[0].attributes["title"]
    auto = await browser.send(again, again.main.form("/look"), {"own_zone": "auto"})
    assert "CE" in section(auto, "sessions").all("time")[0].attributes["title"]


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Mars/Olympus", "", "auto\r\nx: y"])
async def test_a_zone_that_is_none_counts_for_nothing(browser: Browser, zone: str) -> None:
    page = await browser.get("/profile")
    chosen = await browser.send(page, page.main.form("/look"), {"own_zone": zone})

    assert chosen.status == 200
    (option,) = [item for item in chosen.main.one(id="own-zone").all("option") if "selected" in item.attributes]
    assert option.attributes["value"] == "auto"


# --- the password ---


async def test_a_new_password_ends_all_sessions_and_keeps_the_browser_signed_in(everywhere: Desk) -> None:
    async with browsing(everywhere) as browser, browsing(everywhere) as other:
        before = browser.client.cookies["lambdesk"]
        typed = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD, "again": NEW_PASSWORD}
        changed = await send(browser, "password", typed)

        assert "The password is changed." in changed.main.text
        assert browser.client.cookies["lambdesk"] != before
        assert len(lines(changed, "sessions")) == 1
        assert (await other.get("/profile")).url.endswith("/login?next=/profile")
    async with browsing(everywhere, password=NEW_PASSWORD) as again:
        assert (await again.get("/profile")).main.one("h1").text == "Profile"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("oldPassword", {"oldPassword": "wrong"}, "The old password is wrong."),
        ("newPassword", {"newPassword": "short", "again": "short"}, "A password has 12 letters at least."),
        ("newPassword", {"newPassword": PASSWORD, "again": PASSWORD}, "The new password is the old one, or the login."),
        ("again", {"again": "another umbrella of lanterns"}, "The two new passwords differ."),
    ],
)
async def test_what_is_wrong_with_a_password_is_said_beside_it_and_nothing_typed_comes_back(
    browser: Browser, field: str, typed: dict[str, str], told: str
) -> None:
    given = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD, "again": NEW_PASSWORD, **typed}
    page = await send(browser, "password", given)

    assert page.status == 422
    assert page.main.one(id=f"about-{field}").text == told
    assert page.main.one("input", name=field).attributes["aria-invalid"] == "true"
    assert [item.attributes["value"] for item in page.main.all("input", type="password")] == ["", "", ""]
    assert not any(value in page.response.text for value in (PASSWORD, NEW_PASSWORD))
    assert (await browser.get("/profile")).main.one("h1").text == "Profile"


async def test_whoever_tries_passwords_there_is_told_to_wait(browser: Browser) -> None:
    typed = {"oldPassword": "wrong", "newPassword": NEW_PASSWORD, "again": NEW_PASSWORD}
    told = [(await send(browser, "password", typed)).main.text for _ in range(12)]

    assert "The old password is wrong." in told[0]
    assert "Too many attempts; try again in" in told[-1]


# --- whose form it is ---


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_form_without_the_token_of_the_page_does_nothing(desk: Desk, address: str) -> None:
    async with browsing_as(desk, "root@localhost"), browsing(desk) as browser:
        await send(browser, "tokens", {"name": "robot"})
        before = await browser.get("/profile")
        form = before.main.form(f"/profile/{address}")
        typed = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD, "again": NEW_PASSWORD, "name": "evil"}
        known = {name: value for name, value in typed.items() if form.all(name=name)}
        refused = await browser.send(before, form, {**known, "csrf": ""})
        data = [
            *known.items(),
            *((item.attributes["name"], item.attributes["value"]) for item in form.all("input", type="hidden")),
        ]
        strange = await browser.client.post(
            f"/profile/{address}", data=dict(data), headers={"origin": "https://evil.example"}
        )
        after = await browser.get("/profile")

        assert (refused.status, strange.status_code) == (403, 403)
        assert [len(lines(after, name)) for name in ("sessions", "tokens")] == [3, 1]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_token_of_another_persons_page_does_not_count(desk: Desk, address: str) -> None:
    async with browsing_as(desk, "ada") as stranger, browsing(desk) as browser:
        page = await stranger.get("/profile")
        token = page.main.form("/profile/password").one("input", name="csrf").attributes["value"]
        answer = await browser.client.post(
            f"/profile/{address}", data={"csrf": token, "id": "1", "name": "evil"}, headers={"origin": OWN}
        )

    assert answer.status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_address_of_its_forms_shows_the_page_after_signing_in(browser: Browser, address: str) -> None:
    assert (await browser.get(f"/profile/{address}")).main.one("h1").text == "Profile"
