"""Sessions and tokens on the page about oneself: listed, ended, made, shown once and revoked, each for their owner alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.oneself import browsing_as, lines, opened, post, section, send
from tests.web.real import Desk
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS


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


async def test_a_text_that_no_database_keeps_makes_no_failure(browser: Browser) -> None:
    for text in ("\0", "\u2028", "\U0001f512" * 30, "x" * 5_000):
        answer = await send(browser, "tokens", {"name": text})
        assert answer.status in {200, 422}, text[:5]
