"""The page about oneself: who one is, what one holds, the look, the password, sessions and tokens. All without scripts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from identity.accounts import find_standing
from identity.keys import derive_keys
from identity.principals import Kind
from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import OWN, Browser, Element, Shown, browsing
from tests.web.real import PASSWORD, ROOM, Desk, open_desk
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS
from web.settings import load_secret_key

NEW_PASSWORD = "umbrella of nine lanterns"
LAMP = """\
module: {name: lamp, table: lamp, plural: {en: Lamps, de: Lampen}}
fields: [{name: name, type: string, required: true}]
access: {agent: {view: {group: users}, create: {role: Planners}}}
"""
ADDRESSES = ("password", "session", "sessions", "tokens", "token")


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Desk]:
    async with open_desk(url, folder, {"room": ROOM, "lamp": LAMP}) as desk:
        await fill(desk)
        yield desk


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


async def fill(desk: Desk) -> None:
    """An agent who has one key himself and one by a role, and a customer."""
    audit = {"create_time": datetime(2026, 1, 1), "create_by": 1, "change_time": datetime(2026, 1, 1), "change_by": 1}  # noqa: DTZ001 - wall clock
    rows: list[tuple[str, dict[str, Any]]] = [
        ("users", {"id": 7, "login": "ada", "pw": "x", "first_name": "Ada", "last_name": "Lund", "valid_id": 1}),
        ("roles", {"id": 3, "name": "Planners", "valid_id": 1}),
        ("role_user", {"user_id": 7, "role_id": 3}),
        ("group_role", {"role_id": 3, "group_id": 1, "permission_key": "rw", "permission_value": 1}),
        ("group_user", {"user_id": 7, "group_id": 3, "permission_key": "ro"}),
        ("group_user", {"user_id": 7, "group_id": 3, "permission_key": "move_into"}),
        (
            "customer_user",
            {
                "login": "cleo",
                "email": "cleo@example.org",
                "customer_id": "acme",
                "pw": "",
                "first_name": "Cleo",
                "last_name": "Cole",
                "valid_id": 1,
            },
        ),
    ]
    async with desk.identities.database.transaction() as transaction:
        for name, row in rows:
            given = {**row, **audit}
            table = sa.table(name, *(sa.column(column) for column in given))
            await transaction.execute(sa.insert(table).values(given))


@asynccontextmanager
async def browsing_as(desk: Desk, login: str, kind: Kind = Kind.AGENT, **headers: str) -> AsyncIterator[Browser]:
    """Sign somebody in whose password is not known."""
    key = derive_keys(load_secret_key(desk.live.settings)).account
    standing = await find_standing(desk.identities.database.fetch_kept, key, kind, login)
    assert standing is not None
    secret = await desk.identities.sessions.start_page(standing, address="127.0.0.1", client="Firefox")
    sent = {"cookie": f"lambdesk={secret}", "sec-fetch-site": "same-origin", **headers}
    async with desk.connect(**sent) as client:
        yield Browser(client)


def section(page: Shown, name: str) -> Element:
    return page.main.one("section", id=name)


def lines(page: Shown, name: str) -> list[str]:
    """The rows of the table in a section."""
    return [row.text for body in section(page, name).all("tbody") for row in body.all("tr")]


async def send(browser: Browser, address: str, changed: dict[str, Any] | None = None) -> Shown:
    page = await browser.get("/profile")
    return await browser.send(page, page.main.form(f"/profile/{address}"), changed)


async def post(browser: Browser, address: str, **fields: str) -> Shown:
    """Send what no form shows, with the token of a page."""
    page = await browser.get("/profile")
    fields["csrf"] = page.main.form("/profile/password").one("input", name="csrf").attributes["value"]
    return Shown(await browser.client.post(f"/profile/{address}", data=fields, headers={"origin": OWN}))


# --- who one is ---


async def test_it_tells_who_one_is_and_what_one_holds_in_words(desk: Desk) -> None:
    async with browsing_as(desk, "ada") as browser:
        page = await browser.get("/profile")

    assert [item.text for item in page.main.one("dl").all("dd")] == ["Ada Lund", "ada", "an agent", "Planners"]
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

    told = [item.text for item in page.main.one("dl").all("dd")]
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


# --- sessions ---


async def test_sessions_are_listed_with_this_one_named_and_ended_one_by_one(everywhere: Desk) -> None:
    async with browsing(everywhere) as browser, browsing_as(everywhere, "root@localhost") as other:
        page = await browser.get("/profile")
        told = lines(page, "sessions")
        assert [line.endswith("this one") for line in told] == [True, False, False]  # the desk's own client has one
        ((mine, answer),) = [
            (form, await browser.send(page, form))
            for form in section(page, "sessions").all("form", action="/profile/session")
            if "Firefox" in form.one("button").attributes["aria-label"]
        ]

        assert mine.one("button").text == "End"
        assert "The session is ended." in answer.main.text
        assert not any("Firefox" in line for line in lines(answer, "sessions"))
        assert "/login" in (await other.get("/profile")).url


async def test_all_other_sessions_are_ended_at_once(browser: Browser, desk: Desk) -> None:
    async with browsing_as(desk, "root@localhost") as other, browsing_as(desk, "ada") as stranger:
        answer = await send(browser, "sessions")

        assert "2 sessions are ended." in answer.main.text
        assert len(lines(answer, "sessions")) == 1
        assert [form.attributes["action"] for form in section(answer, "sessions").all("form")] == []
        assert "/login" in (await other.get("/profile")).url
        assert (await stranger.get("/profile")).status == 200


async def test_nobody_ends_a_strangers_session(browser: Browser, desk: Desk) -> None:
    async with browsing_as(desk, "ada") as stranger:
        (form,) = section(await browsing_session(desk), "sessions").all("form", action="/profile/session")
        number = form.one("input", name="id").attributes["value"]
        answer = await post(browser, "session", id=number)

        assert answer.status == 422
        assert "There is no such session of yours, or it has ended." in answer.main.text
        assert (await stranger.get("/profile")).status == 200
    for wrong in ("", "x" * 500, "\0", "' OR 1=1"):
        assert (await post(browser, "session", id=wrong)).status == 422


async def browsing_session(desk: Desk) -> Shown:
    """The page of ada, who is signed in once more elsewhere."""
    async with browsing_as(desk, "ada") as browser:
        return await browser.get("/profile")


async def test_of_very_many_sessions_those_used_last_are_shown(browser: Browser, desk: Desk) -> None:
    for _ in range(60):
        async with browsing_as(desk, "root@localhost"):
            pass
    page = await browser.get("/profile")

    assert len(lines(page, "sessions")) == 50
    assert lines(page, "sessions")[0].endswith("this one")
    assert "12 more are not shown." in page.main.text


# --- tokens ---


async def test_a_token_is_made_shown_once_and_revoked(everywhere: Desk) -> None:
    async with browsing(everywhere) as browser:
        page = await browser.get("/profile")
        assert "You have no tokens." in page.main.text
        day = page.main.one("input", name="expiresAt").attributes["value"]
        made = await send(browser, "tokens", {"name": "monitoring", "modules": ["room"]})
        secret = made.main.one(id="secret").attributes["value"]
        assert lines(made, "tokens") == [f"monitoring view Rooms just now never {day} Revoke"]
        assert made.response.headers["cache-control"] == "no-store"

        async with everywhere.connect(authorization=f"Bearer {secret}") as machine:
            asked = {"query": "{ rooms { totalCount } viewer { token { modules operations } } }"}
            found = (await machine.post("/graphql", json=asked)).json()["data"]
            assert found["viewer"]["token"] == {"modules": ["room"], "operations": ["VIEW"]}
            again = await browser.get("/profile")
            assert secret not in again.response.text
            revoked = await browser.send(again, again.main.form("/profile/token"))
            assert "The token is revoked." in revoked.main.text
            assert lines(revoked, "tokens") == []
            assert (await machine.post("/graphql", json=asked)).status_code == 401


async def test_a_token_without_modules_is_for_all_and_ends_with_the_day_of_ones_zone(
    browser: Browser, desk: Desk
) -> None:
    page = await browser.get("/profile")
    await browser.send(page, page.main.form("/look"), {"own_zone": "Asia/Tokyo"})
    page = await browser.get("/profile")
    day = page.main.one("input", name="expiresAt").attributes["max"]
    made = await send(browser, "tokens", {"name": "all", "expiresAt": day, "operations": ["", "VIEW", "BULK"]})

    assert "view, change many at once all that you may use" in lines(made, "tokens")[0]
    (token,) = (await desk.data("{ viewer { apiTokens { expiresAt modules } } }"))["viewer"]["apiTokens"]
    assert token["modules"] is None
    assert token["expiresAt"].startswith(f"{day}T14:59:59")


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("name", {"name": "  "}, "A token has a name of 1 to 100 letters."),
        ("expiresAt", {"expiresAt": "2020-01-01"}, "A token ends within 366 days from now."),
        ("expiresAt", {"expiresAt": "9999-12-31"}, "A token ends within 366 days from now."),
        ("expiresAt", {"expiresAt": "soon"}, "Write a day."),
        ("operations", {"operations": [""]}, "A token is for one module and one operation at least."),
        ("modules", {"modules": ["nothing"]}, "There is no module nothing."),
    ],
)
async def test_what_no_token_can_be_is_said_beside_its_field_and_what_was_typed_stays(
    browser: Browser, field: str, typed: dict[str, Any], told: str
) -> None:
    page = await send(browser, "tokens", {"name": "robot", "modules": ["lamp"], **typed})

    assert page.status == 422
    assert page.main.one(id=f"about-{field}").text.startswith(told)
    assert page.main.one("input", name="name").attributes["value"] == typed.get("name", "robot")
    chosen = [item.text for item in page.main.one(id="in-modules").all("option") if "selected" in item.attributes]
    assert chosen == ([] if field == "modules" else ["Lamps"])
    assert page.main.all(id="secret") == []
    assert lines(page, "tokens") == []


async def test_an_operation_that_there_is_not_makes_no_token(browser: Browser) -> None:
    answer = await send(browser, "tokens", {"name": "robot", "operations": ["ADMIN"]})

    assert answer.status == 400
    assert lines(await browser.get("/profile"), "tokens") == []


async def test_nobody_sees_or_revokes_a_strangers_token(browser: Browser, desk: Desk) -> None:
    async with browsing_as(desk, "ada") as stranger:
        made = await send(stranger, "tokens", {"name": "adas robot"})
        number = made.main.form("/profile/token").one("input", name="id").attributes["value"]
        assert "adas robot" not in (await browser.get("/profile")).main.text
        answer = await post(browser, "token", id=number)

        assert answer.status == 422
        assert "There is no such token of yours, or it was revoked." in answer.main.text
        assert len(lines(await stranger.get("/profile"), "tokens")) == 1
    for wrong in ("", "0", "-1", "x", "9" * 40):
        assert (await post(browser, "token", id=wrong)).status == 422


async def test_the_name_of_a_token_is_shown_as_text(browser: Browser) -> None:
    names = [text for text in PAYLOADS if len(text) <= 100 and text.isprintable()][::25]
    assert len(names) > 10
    for name in names:
        check(await send(browser, "tokens", {"name": name}), name)
        check(await send(browser, "tokens", {"name": name, "expiresAt": name}), name)
    page = await browser.get("/profile")
    check(page, "/profile")

    assert [row.all("td")[0].text for row in section(page, "tokens").one("tbody").all("tr")] == [
        " ".join(name.split()) for name in reversed(names)
    ]


async def test_what_a_browser_calls_itself_is_shown_as_text(desk: Desk) -> None:
    for name in [text for text in PAYLOADS if text.isascii() and text.isprintable()][::40]:
        async with browsing(desk, **{"user-agent": name}) as browser:
            check(await browser.get("/profile"), name)


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


async def test_a_text_that_no_database_keeps_makes_no_failure(browser: Browser) -> None:
    for text in ("\0", "\u2028", "\U0001f512" * 30, "x" * 5_000):
        answer = await send(browser, "tokens", {"name": text})
        assert answer.status in {200, 422}, text[:5]
