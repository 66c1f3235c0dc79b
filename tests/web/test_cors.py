"""Apps in browsers on other origins: only configured ones may read answers, and keep a refresh token in a cookie."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.real import PASSWORD, ROOM, Desk, open_desk
from web.settings import SettingsError, load_settings

APP = "https://app.example.org"
PUBLIC = "https://desk.example.org"
OWN = "http://localhost:8000"
LOGIN = {"login": "root@localhost", "password": PASSWORD}
STRANGERS = [
    "https://evil.example",
    "null",
    "https://app.example.org.evil.example",
    "http://app.example.org",
    "",
    "https://App.example.org:444",
]
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
QUERY = {"query": "{ schemaVersion }"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, allowed_origins=(APP,), public_url=PUBLIC) as opened:
            yield opened


@pytest.fixture
async def app(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A page of the configured site; its browser speaks TLS."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(desk.app),
        base_url=PUBLIC,
        headers={"origin": APP, "sec-fetch-site": "cross-site"},
    ) as client:
        yield client


def granted(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/graphql", "/auth/login", "/auth/refresh", "/files", "/export/room.csv", "/schema.graphql"]
)
async def test_a_preflight_of_a_configured_site_is_answered(app: httpx.AsyncClient, path: str) -> None:
    answer = await app.options(path, headers=PREFLIGHT)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "X-CSRF-Token" not in answer.headers["access-control-allow-headers"]  # the cookie of our pages is not theirs
    assert "*" not in str(answer.headers)


@pytest.mark.parametrize("origin", STRANGERS)
async def test_c13_nobody_else_is_given_leave(app: httpx.AsyncClient, desk: Desk, origin: str) -> None:
    preflight = await app.options("/graphql", headers={**PREFLIGHT, "origin": origin})
    headers = {"origin": origin, "authorization": desk.client.headers["authorization"]}
    answer = await app.post("/graphql", json=QUERY, headers=headers)
    login = await app.post("/auth/login", json={**LOGIN, "cookie": True}, headers={"origin": origin})

    assert (preflight.status_code, answer.status_code, login.status_code) == (403, 403, 403)
    assert granted(preflight) == granted(answer) == granted(login) == []
    assert answer.headers["vary"] == "Origin"
    assert "set-cookie" not in login.headers


async def test_pages_are_not_for_other_sites(app: httpx.AsyncClient) -> None:
    for path in ("/", "/login", "/graphiql", "/healthz"):
        assert granted(await app.get(path)) == []
        assert (await app.options(path, headers=PREFLIGHT)).status_code in {403, 405}


async def test_an_app_signs_in_and_reads_answers(app: httpx.AsyncClient) -> None:
    login = await app.post("/auth/login", json=LOGIN)
    token = login.json()["accessToken"]
    answer = await app.post("/graphql", json=QUERY, headers={"authorization": f"Bearer {token}"})
    refused = await app.post("/graphql", json=QUERY)

    assert (login.status_code, answer.status_code, refused.status_code) == (200, 200, 401)
    for response in (login, answer, refused):
        assert response.headers["access-control-allow-origin"] == APP
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


async def test_an_app_may_keep_its_refresh_token_where_no_script_reads_it(app: httpx.AsyncClient) -> None:
    login = await app.post("/auth/login", json={**LOGIN, "cookie": True})

    assert login.json().keys() == {"accessToken", "expiresIn"}
    assert re.fullmatch(
        r"__Host-lambdesk-refresh=ldr_[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=None; Secure",
        login.headers["set-cookie"],
    )
    first = app.cookies["__Host-lambdesk-refresh"]
    refreshed = await app.post("/auth/refresh", json={})
    assert refreshed.json().keys() == {"accessToken", "expiresIn"}
    assert app.cookies["__Host-lambdesk-refresh"] != first
    gone = await app.post("/auth/logout", json={})
    assert gone.status_code == 204
    assert 'refresh=""; HttpOnly; Max-Age=0; Path=/; SameSite=None; Secure' in gone.headers["set-cookie"]
    assert (await app.post("/auth/refresh", json={})).status_code == 401
    token = refreshed.json()["accessToken"]
    assert (await app.post("/graphql", json=QUERY, headers={"authorization": f"Bearer {token}"})).status_code == 401


@pytest.mark.parametrize("origin", [*STRANGERS, None])
async def test_a_refresh_cookie_is_used_by_known_pages_only(
    app: httpx.AsyncClient, desk: Desk, origin: str | None
) -> None:
    await app.post("/auth/login", json={**LOGIN, "cookie": True})
    cookie = f"__Host-lambdesk-refresh={app.cookies['__Host-lambdesk-refresh']}"
    async with desk.connect(cookie=cookie, **({} if origin is None else {"origin": origin})) as elsewhere:
        for path in ("/auth/refresh", "/auth/logout"):
            answer = await elsewhere.post(path, json={})
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert (await app.post("/auth/refresh", json={})).status_code == 200


async def test_a_refresh_cookie_opens_nothing_else(app: httpx.AsyncClient) -> None:
    await app.post("/auth/login", json={**LOGIN, "cookie": True})

    assert (await app.post("/graphql", json=QUERY)).status_code == 401
    assert (await app.get("/auth/sessions")).status_code == 401


async def test_the_cookie_of_our_pages_reads_nothing_for_a_configured_site(desk: Desk, app: httpx.AsyncClient) -> None:
    """A site on a neighbouring name is sent our cookie, for it is the same site to browsers; it has to sign in itself."""
    standing = await desk.identities.sign_in.check(Kind.AGENT, LOGIN["login"], PASSWORD, "")
    secret = await desk.identities.sessions.start_page(standing, address="", client="")
    app.cookies.set("__Host-lambdesk", secret)

    for path in ("/export/room.csv", "/auth/sessions", "/schema.graphql", "/files/x/y"):
        for site in ("same-site", "cross-site"):
            assert (await app.get(path, headers={"sec-fetch-site": site})).status_code == 403, path
    for headers in ({"origin": PUBLIC}, {"sec-fetch-site": "none"}):
        async with desk.connect(cookie=f"__Host-lambdesk={secret}", **headers) as own:
            assert (await own.get("/export/room.csv")).status_code == 200
    bearer = {"authorization": desk.client.headers["authorization"]}
    assert (await app.get("/export/room.csv", headers=bearer)).status_code == 200


async def test_a_page_of_ours_gets_a_cookie_that_stays_on_our_site(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as desk, desk.connect() as client:
            unnamed = await client.post("/auth/login", json={**LOGIN, "cookie": True})
            named = await client.post("/auth/login", json={**LOGIN, "cookie": True}, headers={"origin": OWN})

    assert unnamed.status_code == 403
    assert re.fullmatch(
        r"lambdesk-refresh=ldr_[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax", named.headers["set-cookie"]
    )
    assert granted(named) == []


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "https://*.example.org",
        "app.example.org",
        "https://a.example/path",
        "ftp://a.example",
        "https://u@a.example",
    ],
)
def test_what_is_no_origin_is_refused_as_a_setting(text: str) -> None:
    with pytest.raises(SettingsError, match="write origins such as"):
        load_settings({"LAMBDESK_ALLOWED_ORIGINS": text})


def test_origins_are_compared_as_browsers_write_them() -> None:
    found = load_settings({"LAMBDESK_ALLOWED_ORIGINS": "https://App.Example.org:443/, http://[::1]:3000"})

    assert found.allowed_origins == ("https://app.example.org", "http://[::1]:3000")
