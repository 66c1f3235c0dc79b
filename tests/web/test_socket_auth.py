"""WebSockets, event streams and tokens of machines: who may open them, and that they end with the right to them."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.lines import Socket, Stream, opened
from tests.web.real import PASSWORD, ROOM, Desk, open_desk, sign_in
from web.cookies import PAGE

pytestmark = pytest.mark.timed

OWN = "http://localhost:8000"
ROOMS = "subscription { roomChanged { kind } }"
QUERY = {"query": "{ rooms { totalCount } }"}
MAKE = 'mutation {{ createRoom(input: {{room: {{name: "{}"}}}}) {{ errors {{ code }} }} }}'
CREATE = """mutation ($in: CreateApiTokenInput!) {
  createApiToken(input: $in) { secret apiToken { id name modules operations expiresAt seenAt } errors { code messageKey path } }
}"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as opened_desk:
            yield opened_desk


async def page(desk: Desk) -> str:
    """Sign a browser in, and return its cookie."""
    async with desk.connect() as browser:
        form = dict(_fields((await browser.get("/login")).text))
        given = {**form, "login": "root@localhost", "password": PASSWORD, "kind": "agent"}
        await browser.post("/login", data=given, headers={"origin": OWN})
        return f"{PAGE.short}={browser.cookies[PAGE.short]}"


def _fields(text: str) -> list[tuple[str, str]]:
    return re.findall(r'name="(\w+)" value="([^"]*)"', text)


async def bearer(desk: Desk) -> str:
    return f"Bearer {(await sign_in(desk.live)).access_token}"


async def write(desk: Desk, text: str) -> None:
    """Change rows as an OTRS on the same database would."""
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute(sa.text(text))


async def make_token(desk: Desk, **more: Any) -> dict[str, Any]:
    expires = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    found: dict[str, Any] = (await desk.data(CREATE, **{"in": {"name": "robot", "expiresAt": expires, **more}}))[
        "createApiToken"
    ]
    return found


async def run(socket: Socket, query: str = "{ rooms { totalCount } }") -> Any:
    await socket.subscribe("q", query)
    found = await socket.next()
    if found["type"] == "next":
        assert (await socket.next())["type"] == "complete"
    return found["payload"]


async def test_a_socket_is_opened_by_a_token_in_its_first_message_or_its_header(desk: Desk) -> None:
    token = await bearer(desk)
    for headers, payload in (
        ({"authorization": ""}, {"authorization": token}),
        ({"authorization": ""}, {"Authorization": token}),
        ({"authorization": token}, None),
        ({"authorization": "Bearer nonsense"}, {"authorization": token}),
    ):
        async with opened(desk, **headers) as socket:
            await socket.init(payload)
            assert (await run(socket))["data"] == {"rooms": {"totalCount": 0}}


async def test_a_page_of_ours_opens_a_socket_with_its_cookie(desk: Desk) -> None:
    cookie = await page(desk)
    async with opened(desk, authorization="", cookie=cookie, origin=OWN) as socket:
        await socket.init()
        assert (await run(socket, "{ viewer { session { kind } } }"))["data"] == {
            "viewer": {"session": {"kind": "page"}}
        }


NOBODY: dict[str, tuple[dict[str, str], Any]] = {
    "nothing": ({"authorization": ""}, None),
    "nonsense": ({"authorization": ""}, {"authorization": "Bearer nonsense"}),
    "another scheme": ({"authorization": ""}, {"authorization": "Basic cm9vdA=="}),
    "no text": ({"authorization": ""}, {"authorization": {"Bearer": 1}}),
    "a header of another scheme": ({"authorization": "Basic cm9vdA=="}, None),
    "an unknown cookie": ({"authorization": "", "cookie": "lambdesk=lds_x", "origin": OWN}, None),
}


@pytest.mark.parametrize("name", NOBODY)
async def test_nobody_else_opens_one(desk: Desk, name: str) -> None:
    headers, payload = NOBODY[name]
    async with opened(desk, **headers) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        await socket.send({"type": "connection_init", "payload": payload})
        assert await socket.closed() == (4403, "Forbidden")


async def test_before_it_is_acknowledged_nothing_runs(desk: Desk) -> None:
    async with opened(desk, authorization="") as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        await socket.subscribe("1", "{ rooms { totalCount } }")
        assert await socket.closed() == (4401, "Unauthorized")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9000", ""])
async def test_c17_another_site_gets_no_socket_with_our_cookie(desk: Desk, origin: str) -> None:
    async with opened(desk, authorization="", cookie=await page(desk), origin=origin) as socket:
        assert (await socket.event())["type"] == "websocket.close"


async def test_c17_a_cookie_without_an_origin_opens_nothing(desk: Desk) -> None:
    async with opened(desk, authorization="", cookie=await page(desk)) as socket:
        assert (await socket.event())["type"] == "websocket.accept"
        await socket.send({"type": "connection_init"})
        assert await socket.closed() == (4403, "Forbidden")


async def test_a_socket_outlives_the_token_that_opened_it_but_not_its_session(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, access_seconds=1) as desk:
            token = await bearer(desk)
            async with opened(desk, authorization=token) as socket:
                await socket.init()
                assert (await run(socket, "{ schemaVersion }")).keys() >= {"data"}
                async with desk.connect(authorization=token) as client:
                    await client.post("/auth/logout", json={})
                await socket.subscribe("2", "{ schemaVersion }")
                assert await socket.closed() == (4403, "Forbidden")


async def test_a_page_cannot_get_its_new_session_over_a_socket(desk: Desk) -> None:
    change = (
        f'mutation {{ changePassword(input: {{oldPassword: "{PASSWORD}", newPassword: "another password"}}) '
        "{ errors { messageKey } } }"
    )
    async with opened(desk, authorization="", cookie=await page(desk), origin=OWN) as socket:
        await socket.init()
        told = (await run(socket, change))["data"]["changePassword"]
        assert told == {"errors": [{"messageKey": "password-by-post"}]}
        assert "data" in await run(socket)


# --- tokens of machines ---


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(desk: Desk) -> None:
    made = await make_token(desk, modules=["room"], operations=["VIEW"])
    listed = await desk.data("{ viewer { apiTokens { id name modules operations } } }")
    stored = await desk.identities.database.fetch("SELECT * FROM lambdesk_api_token")

    assert made["errors"] == []
    assert made["secret"].startswith("ldk_")
    assert made["secret"] not in repr(stored)
    token = {"id": made["apiToken"]["id"], "name": "robot", "modules": ["room"], "operations": ["VIEW"]}
    assert listed["viewer"]["apiTokens"] == [token]
    async with desk.connect(authorization=f"Bearer {made['secret']}") as robot:
        viewer = {"query": "{ viewer { kind login databaseId session { id } token { id name modules operations } } }"}
        assert (await robot.post("/graphql", json=viewer)).json()["data"]["viewer"] == {
            "kind": "TOKEN",
            "login": "root@localhost",
            "databaseId": 1,
            "session": None,
            "token": token,
        }
        await desk.data(f'mutation {{ revokeApiToken(input: {{id: "{token["id"]}"}}) {{ revokedId }} }}')
        assert (await robot.post("/graphql", json=viewer)).status_code == 401


FORBIDDEN = [
    "{ viewer { sessions { id } } }",
    "{ viewer { apiTokens { id } } }",
    'mutation { createApiToken(input: {name: "x", expiresAt: "2030-01-01T00:00:00Z"}) { secret } }',
    'mutation { revokeApiToken(input: {id: "1"}) { revokedId } }',
    'mutation { revokeSession(input: {id: "1"}) { revokedId } }',
    "mutation { revokeOtherSessions(input: {}) { revoked } }",
    'mutation { changePassword(input: {oldPassword: "a", newPassword: "b"}) { accessToken } }',
]


@pytest.mark.parametrize("query", FORBIDDEN)
async def test_a_token_changes_nothing_about_how_its_owner_signs_in(desk: Desk, query: str) -> None:
    secret = (await make_token(desk))["secret"]
    async with desk.connect(authorization=f"Bearer {secret}") as robot:
        answer = (await robot.post("/graphql", json={"query": query})).json()
        assert (await robot.get("/auth/sessions")).status_code == 403
        assert (await robot.post("/auth/logout", json={})).status_code == 400

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"modules": ["nothing"]}, ("REFERENCE", "module-not-found", ["modules"])),
        ({"modules": []}, ("INVALID", "token-scope", ["modules"])),
        ({"operations": []}, ("INVALID", "token-scope", ["operations"])),
        ({"name": ""}, ("INVALID", "token-name", ["name"])),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, ("INVALID", "token-expires", ["expiresAt"])),
        ({"expiresAt": "2099-01-01T00:00:00Z"}, ("INVALID", "token-expires", ["expiresAt"])),
    ],
)
async def test_a_token_that_cannot_be_is_not_made(
    desk: Desk, given: dict[str, Any], told: tuple[str, str, list[str]]
) -> None:
    made = await make_token(desk, **given)

    (error,) = made["errors"]
    assert (error["code"], error["messageKey"], error["path"]) == told
    assert made["secret"] is None
    assert (await desk.data("{ viewer { apiTokens { id } } }"))["viewer"]["apiTokens"] == []


async def test_a_strangers_token_is_not_there(desk: Desk) -> None:
    made = await make_token(desk)
    await write(
        desk,
        "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time, create_by, "
        "change_time, change_by) VALUES ('cleo', 'c@example.org', 'acme', '', 'Cleo', 'Cole', 1, CURRENT_TIMESTAMP, 1, "
        "CURRENT_TIMESTAMP, 1)",
    )
    cleo = await sign_in(desk.live, "cleo", Kind.CUSTOMER)
    async with desk.connect(authorization=f"Bearer {cleo.access_token}") as client:
        for number in (made["apiToken"]["id"], "x", "9" * 40):
            text = f'mutation {{ revokeApiToken(input: {{id: "{number}"}}) {{ revokedId errors {{ code }} }} }}'
            answer = (await client.post("/graphql", json={"query": text})).json()["data"]["revokeApiToken"]
            assert answer == {"revokedId": None, "errors": [{"code": "NOT_FOUND"}]}
    assert await refuses(desk, {"authorization": f"Bearer {made['secret']}"}) is False


# --- one who is disabled ---


async def refuses(desk: Desk, headers: dict[str, str]) -> bool:
    async with desk.connect(**headers) as client:
        answer: httpx.Response = await client.get("/schema.graphql", headers={"sec-fetch-site": "same-origin"})
    return answer.status_code == 401


async def until(done: Callable[[], Awaitable[bool]]) -> float:
    started = time.monotonic()
    while not await done():
        assert time.monotonic() < started + 5
        await asyncio.sleep(0.05)
    return time.monotonic() - started


async def second(desk: Desk) -> str:
    """Make another agent, who goes on making rooms, and sign him in."""
    await write(
        desk,
        "INSERT INTO users (id, login, pw, first_name, last_name, valid_id, create_time, create_by, change_time, change_by) "
        "VALUES (2, 'ada', '!', 'Ada', 'Ames', 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)",
    )
    await write(
        desk,
        "INSERT INTO group_user (user_id, group_id, permission_key, create_time, create_by, change_time, change_by) "
        "SELECT 2, id, 'rw', CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1 FROM permission_groups WHERE name = 'admin'",
    )
    return f"Bearer {(await sign_in(desk.live, 'ada')).access_token}"


async def test_a_disabled_agent_is_refused_within_a_second_on_every_channel(desk: Desk) -> None:
    token, cookie, robot = await bearer(desk), await page(desk), (await make_token(desk))["secret"]
    other = await second(desk)
    channels = ({"authorization": token}, {"cookie": cookie}, {"authorization": f"Bearer {robot}"})
    assert [await refuses(desk, headers) for headers in channels] == [False, False, False]
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(opened(desk, authorization=token)),
            await stack.enter_async_context(opened(desk, authorization="", cookie=cookie, origin=OWN)),
            await stack.enter_async_context(opened(desk, authorization=f"Bearer {robot}")),
        ]
        for socket in sockets:
            await socket.init()
            await socket.subscribe("1", ROOMS)
        stream = Stream(desk, ROOMS, authorization=token)
        assert (await stream.event())["status"] == 200
        await asyncio.sleep(0.5)  # the protocol does not say when a subscription has begun
        async with desk.connect(authorization=other) as client:
            await client.post("/graphql", json={"query": MAKE.format("A")})
            for socket in sockets:
                assert (await socket.next())["payload"]["data"] == {"roomChanged": {"kind": "CREATED"}}
            assert b"CREATED" in (await stream.event())["body"]

            await write(desk, "UPDATE users SET valid_id = 2 WHERE id = 1")
            for headers in channels:
                assert await until(lambda headers=headers: refuses(desk, headers)) < 1.2  # type: ignore[misc] # of this pass
            await client.post("/graphql", json={"query": MAKE.format("B")})
        for socket in sockets:
            assert (await socket.event()) == {"type": "websocket.close", "code": 4403, "reason": "Forbidden"}
        told = (await stream.event())["body"]
        assert (
            json.loads(told.removeprefix(b"event: next\ndata: "))["errors"][0]["extensions"]["code"]
            == "UNAUTHENTICATED"
        )
        assert (await stream.event())["body"] == b"event: complete\ndata:\n\n"
        await asyncio.wait_for(stream.task, 30)


async def test_a_connection_on_which_nothing_happens_ends_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.recognition.WATCH_S", 0.2)
    token = await bearer(desk)
    async with opened(desk, authorization=token) as socket:
        await socket.init()
        stream = Stream(desk, ROOMS, authorization=token)
        assert (await stream.event())["status"] == 200
        await write(desk, "UPDATE users SET valid_id = 2 WHERE id = 1")

        assert await socket.closed() == (4403, "Forbidden")
        assert b"UNAUTHENTICATED" in (await stream.event())["body"]
        await asyncio.wait_for(stream.task, 30)
