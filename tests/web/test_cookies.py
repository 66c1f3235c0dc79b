"""Browsers: the page of the sign-in, the cookie of a session, and what keeps other sites from using it."""

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from storage.own_tables import SESSION
from tests.databases import fresh_url
from tests.web.real import PASSWORD, ROOM, Desk, open_desk
from tests.web.toy import Toy
from web.pages.safe_next import safe_next

LOGIN = "root@localhost"
OWN = "http://localhost:8000"
PUBLIC = "https://desk.example.org"
QUERY = {"query": "{ rooms { totalCount } }"}
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
META = re.compile(r'<meta name="csrf-token" content="(\w+)">')


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as opened:
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.connect(**{"sec-fetch-site": "same-origin"}) as client:
        yield client


def fields(page: httpx.Response) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in FIELD.findall(page.text)}


async def log_in(
    browser: httpx.AsyncClient, password: str = PASSWORD, path: str = "/login", **more: str
) -> httpx.Response:
    form = {**fields(await browser.get(path)), "login": LOGIN, "password": password, "kind": "agent"}
    return await browser.post("/login", data={**form, **more}, headers={"origin": OWN})


async def signed_in(browser: httpx.AsyncClient) -> str:
    """Sign in, and return the token that a page of ours puts into its requests."""
    assert (await log_in(browser)).status_code == 303
    found = META.search((await browser.get("/graphiql")).text)
    assert found is not None
    return found[1]


async def ask(browser: httpx.AsyncClient, **headers: str) -> int:
    return (await browser.post("/graphql", json=QUERY, headers=headers)).status_code


async def test_a_page_for_people_sends_everybody_else_to_the_sign_in(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/graphiql"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
    assert (await log_in(browser, path="/login?next=/graphiql")).headers["location"] == "/graphiql"
    assert "<title>GraphiQL" in (await browser.get("/graphiql")).text
    assert "Signed in as root@localhost." in (await browser.get("/")).text
    assert (await browser.get("/login")).headers["location"] == "/"


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/login")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert not re.search(r"(https?:)?//", page.text.replace("<!doctype html>", ""))
    for name in ("login", "password", "agent", "customer"):
        assert f'id="{name}"' in page.text
        assert f'<label for="{name}">' in page.text
    assert 'role="alert"' in page.text


async def test_a_password_is_masked_and_may_come_from_a_password_manager(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/login")).text

    (field,) = re.findall(r'<input [^>]*name="password"[^>]*>', page)
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert 'autocomplete="username"' in page
    assert not re.search(r"\son\w+=|maxlength", page)  # nothing keeps a paste out, or cuts it


async def test_the_cookie_of_a_session_cannot_be_read_by_scripts_and_is_not_lent(browser: httpx.AsyncClient) -> None:
    answer = await log_in(browser)

    session, form = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"lambdesk=lds_[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", session)
    assert form.startswith('lambdesk-form=""; HttpOnly; Max-Age=0;')


async def test_over_https_cookies_belong_to_this_host_and_to_https(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, public_url=PUBLIC) as desk:
            transport = httpx.ASGITransport(desk.app)
            async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as browser:
                form = {**fields(await browser.get("/login")), "login": LOGIN, "password": PASSWORD, "kind": "agent"}
                plain = await browser.post("/login", data=form, headers={"origin": PUBLIC.replace("https", "http")})
                answer = await browser.post("/login", data=form, headers={"origin": PUBLIC})
                home = await browser.get("/")

    assert plain.status_code == 403
    assert re.fullmatch(
        r"__Host-lambdesk=lds_[\w-]{43}; HttpOnly; Path=/; SameSite=Lax; Secure",
        answer.headers.get_list("set-cookie")[0],
    )
    assert home.status_code == 200


async def test_a_wrong_password_shows_the_form_again(browser: httpx.AsyncClient) -> None:
    answer = await log_in(browser, "wrong", login='"><script>alert(1)</script>')

    assert answer.status_code == 401
    assert "The login or the password is wrong." in answer.text
    assert "<script" not in answer.text
    assert "wrong</" not in answer.text.replace("is wrong.</p>", "")
    assert "lambdesk=" not in str(answer.headers.get_list("set-cookie"))


async def test_too_many_attempts_are_told_to_wait(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, account_tries=1) as desk, desk.connect() as browser:
            # Every pause is twice as long as the one before: a slow machine is past the first, and not past them all.
            answers = [await log_in(browser, "wrong") for _ in range(8)]

    assert answers[0].status_code == 401
    told = [answer for answer in answers if answer.status_code != 401]
    assert {answer.status_code for answer in told} == {429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in told)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil", "", "/\t/evil",
        "/ /evil", "/\n", "/login", "/logout", "/login?next=/", "/" + "a" * 3_000, "/ü", "http:evil.example", "///evil.example",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/graphiql", "/graphiql?query=%7Ba%7D&x=1", "/a//b", "/x?next=https://example.org"]
)
def test_a_page_of_ours_is_gone_on_to(wanted: str) -> None:
    assert safe_next(wanted) == wanted


FOREIGN_FORMS: dict[str, dict[str, str]] = {
    "another site": {"origin": "https://evil.example"},
    "no origin": {},
    "null": {"origin": "null"},
    "another port": {"origin": "http://localhost:9000"},
    "ours, they say": {"origin": OWN, "sec-fetch-site": "cross-site"},
    "a sub-domain": {"origin": OWN, "sec-fetch-site": "same-site"},
    "nobody knows": {"sec-fetch-site": "none"},
}


@pytest.mark.parametrize("name", FOREIGN_FORMS)
async def test_no_other_site_signs_a_browser_in(desk: Desk, name: str) -> None:
    async with desk.connect() as browser:
        form = {**fields(await browser.get("/login")), "login": LOGIN, "password": PASSWORD, "kind": "agent"}
        answer = await browser.post("/login", data=form, headers=FOREIGN_FORMS[name])

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_form_belongs_to_the_browser_that_it_was_shown_to(desk: Desk, browser: httpx.AsyncClient) -> None:
    own = fields(await browser.get("/login"))
    async with desk.connect() as other:
        foreign = fields(await other.get("/login"))
    given = {"login": LOGIN, "password": PASSWORD, "kind": "agent", "next": "/"}

    for csrf in (foreign["csrf"], "", "x"):
        answer = await browser.post("/login", data={**given, "csrf": csrf}, headers={"origin": OWN})
        assert answer.status_code == 403
    assert (
        await browser.post("/login", data={**given, "csrf": own["csrf"]}, headers={"origin": OWN})
    ).status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"login=a&login=b", "application/x-www-form-urlencoded", 400),
        (b"admin=1", "application/x-www-form-urlencoded", 400),
        (b"login=%ff", "application/x-www-form-urlencoded", 400),
        (b"login=" + b"a" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"a=1&" * 100, "application/x-www-form-urlencoded", 400),
    ],
)
async def test_what_is_not_the_form_is_refused(
    browser: httpx.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    answer = await browser.post("/login", content=content, headers={"content-type": kind, "origin": OWN})

    assert answer.status_code == status


async def test_d18_a_cookie_that_was_there_before_is_worth_nothing(desk: Desk, browser: httpx.AsyncClient) -> None:
    await log_in(browser)
    first = browser.cookies["lambdesk"]
    form = {"login": LOGIN, "password": PASSWORD, "kind": "agent", "next": "/"}
    async with desk.connect() as attacker:
        planted = fields(await attacker.get("/login"))
        mark = attacker.cookies["lambdesk-form"]
    cookies = f"lambdesk={first}; lambdesk-form={mark}"
    async with desk.connect(cookie=cookies) as victim:
        answer = await victim.post("/login", data={**form, "csrf": planted["csrf"]}, headers={"origin": OWN})

    assert answer.status_code == 303
    assert first not in answer.headers.get_list("set-cookie")[0]
    assert (await browser.get("/")).status_code == 303  # the session of before has ended
    rows = await desk.identities.database.fetch(sa.select(SESSION.c.cookie_digest))
    assert first not in repr(rows)


async def test_a_cookie_alone_answers_no_operation(browser: httpx.AsyncClient) -> None:
    token = await signed_in(browser)

    assert await ask(browser, **{"origin": OWN, "x-csrf-token": token}) == 200
    assert await ask(browser, **{"x-csrf-token": token}) == 200  # it says `Sec-Fetch-Site: same-origin`
    assert await ask(browser, origin=OWN) == 403
    assert await ask(browser, **{"origin": OWN, "x-csrf-token": "0" * 64}) == 403


@pytest.mark.parametrize("name", FOREIGN_FORMS)
async def test_c5_no_other_site_uses_the_cookie(desk: Desk, browser: httpx.AsyncClient, name: str) -> None:
    token = await signed_in(browser)
    async with desk.connect(cookie=f"lambdesk={browser.cookies['lambdesk']}") as elsewhere:
        for path, body in (("/graphql", QUERY), ("/auth/logout", {}), ("/files?name=a", {})):
            answer = await elsewhere.post(path, json=body, headers={"x-csrf-token": token, **FOREIGN_FORMS[name]})
            assert answer.status_code == 403, path
        assert (await elsewhere.post("/logout", data={"csrf": token}, headers=FOREIGN_FORMS[name])).status_code == 403
    assert await ask(browser, **{"origin": OWN, "x-csrf-token": token}) == 200


async def test_no_get_is_answered_by_a_cookie_or_changes_anything(browser: httpx.AsyncClient) -> None:
    token = await signed_in(browser)
    headers = {"origin": OWN, "x-csrf-token": token}

    assert (await browser.get("/graphql?query={schemaVersion}", headers=headers)).status_code == 401
    events = {**headers, "accept": "text/event-stream"}
    assert (await browser.get("/graphql?query={schemaVersion}", headers=events)).status_code == 401
    assert (await browser.get("/logout")).status_code == 405
    assert (await browser.get("/export/room.csv")).status_code == 200  # a download by a link of ours
    assert (await browser.get("/export/room.csv", headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await browser.get("/schema.graphql")).status_code == 200
    assert (await browser.get("/")).status_code == 200


async def test_two_cookies_of_one_name_are_none(desk: Desk, browser: httpx.AsyncClient) -> None:
    await signed_in(browser)
    secret = browser.cookies["lambdesk"]
    async with desk.connect(cookie=f"lambdesk={secret}; lambdesk=lds_planted") as tossed:
        assert (await tossed.get("/schema.graphql")).status_code == 401


async def test_a_bearer_goes_before_a_cookie(desk: Desk, browser: httpx.AsyncClient) -> None:
    await signed_in(browser)

    assert await ask(browser, authorization="Bearer nonsense") == 401
    assert await ask(browser, authorization=desk.client.headers["authorization"]) == 200


async def test_signing_out_ends_the_session_and_removes_the_cookie(desk: Desk, browser: httpx.AsyncClient) -> None:
    await signed_in(browser)
    secret = browser.cookies["lambdesk"]
    csrf = fields(await browser.get("/"))["csrf"]

    assert (await browser.post("/logout", data={"csrf": "x"}, headers={"origin": OWN})).status_code == 403
    answer = await browser.post("/logout", data={"csrf": csrf}, headers={"origin": OWN})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert 'lambdesk=""; HttpOnly; Max-Age=0;' in answer.headers["set-cookie"]
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    async with desk.connect(cookie=f"lambdesk={secret}") as kept:
        assert (await kept.get("/")).status_code == 303


async def test_a_page_may_sign_out_through_the_api(browser: httpx.AsyncClient) -> None:
    token = await signed_in(browser)
    answer = await browser.post("/auth/logout", json={}, headers={"origin": OWN, "x-csrf-token": token})

    assert answer.status_code == 204
    assert (await browser.get("/")).status_code == 303


async def test_a_session_that_nobody_uses_ends(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, page_idle_seconds=1.0) as desk, desk.connect() as browser:
            await log_in(browser)
            assert (await browser.get("/")).status_code == 200
            await asyncio.sleep(2.1)
            assert (await browser.get("/")).status_code == 303


CHANGE = """mutation ($old: String!, $new: String!) {
  changePassword(input: {oldPassword: $old, newPassword: $new}) {
    accessToken refreshToken expiresIn errors { code messageKey path }
  }
}"""


async def change(client: httpx.AsyncClient, old: str, new: str, **headers: str) -> tuple[httpx.Response, Any]:
    body = {"query": CHANGE, "variables": {"old": old, "new": new}}
    answer = await client.post("/graphql", json=body, headers=headers)
    return answer, answer.json()["data"]["changePassword"]


async def test_a_new_password_ends_every_session_and_a_page_gets_another(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    token = await signed_in(browser)
    old = browser.cookies["lambdesk"]
    answer, payload = await change(browser, PASSWORD, "another password", **{"origin": OWN, "x-csrf-token": token})

    assert payload == {"accessToken": None, "refreshToken": None, "expiresIn": None, "errors": []}
    assert answer.headers["set-cookie"].startswith("lambdesk=lds_")
    assert old not in answer.headers["set-cookie"]
    assert (await browser.get("/")).status_code == 200
    assert await ask(browser, **{"origin": OWN, "x-csrf-token": token}) == 403  # the token of the old session
    async with desk.connect(cookie=f"lambdesk={old}") as kept:
        assert (await kept.get("/")).status_code == 303
    assert (await desk.client.post("/graphql", json=QUERY)).status_code == 401


async def test_a_client_of_the_api_gets_new_tokens_and_otrs_the_new_password(desk: Desk) -> None:
    _, payload = await change(desk.client, PASSWORD, "another password")

    assert payload["errors"] == []
    async with desk.connect(authorization=f"Bearer {payload['accessToken']}") as client:
        assert (await client.post("/graphql", json=QUERY)).status_code == 200
    async with desk.connect() as client:
        for password, status in ((PASSWORD, 401), ("another password", 200)):
            answer = await client.post("/auth/login", json={"login": LOGIN, "password": password})
            assert answer.status_code == status
        refresh = {"refreshToken": payload["refreshToken"]}
        assert (await client.post("/auth/refresh", json=refresh)).status_code == 200
    stored = (await desk.identities.database.fetch("SELECT pw FROM users WHERE id = 1"))[0][0]
    assert stored.startswith("BCRYPT:12:")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("wrong", "another password", ("INVALID", "password-wrong", ["oldPassword"])),
        (PASSWORD, "short", ("INVALID", "password-short", ["newPassword"])),
        (PASSWORD, "plough zebra " * 6, ("INVALID", "password-long", ["newPassword"])),
        (PASSWORD, "früh übt sich, wer ältere Häuser " * 2 + "ölt", ("INVALID", "password-long", ["newPassword"])),
        (PASSWORD, "x" * 60, ("INVALID", "password-common", ["newPassword"])),
        (PASSWORD, PASSWORD, ("INVALID", "password-same", ["newPassword"])),
        (PASSWORD, LOGIN.upper(), ("INVALID", "password-same", ["newPassword"])),
        (PASSWORD, "with\0nothing", ("INVALID", "password-letters", ["newPassword"])),
    ],
)
async def test_a_password_that_cannot_be_is_refused_and_changes_nothing(
    desk: Desk, old: str, new: str, told: tuple[str, str, list[str]]
) -> None:
    _, payload = await change(desk.client, old, new)

    (error,) = payload["errors"]
    assert (error["code"], error["messageKey"], error["path"]) == told
    assert payload["accessToken"] is None
    assert (await desk.client.post("/graphql", json=QUERY)).status_code == 200


@pytest.mark.timed
async def test_a_disabled_agent_loses_the_page_within_a_second(desk: Desk, browser: httpx.AsyncClient) -> None:
    await signed_in(browser)
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute(sa.text("UPDATE users SET valid_id = 2 WHERE id = 1"))

    started = time.monotonic()
    while (await browser.get("/")).status_code == 200:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.05)
    assert time.monotonic() - started < 1.2


async def test_settings_of_a_desk_name_its_cookies() -> None:
    plain, tls = Toy().settings, replace(Toy().settings, public_url=PUBLIC)

    assert (plain.is_https, plain.public_origin) == (False, "")
    assert (tls.is_https, tls.public_origin) == (True, PUBLIC)
