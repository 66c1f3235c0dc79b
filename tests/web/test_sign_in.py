"""Signing in over HTTP: pairs of tokens, their rotation, what ends them at once, and what nobody gets without them."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from identity.principals import Kind
from storage.engine import Database
from storage.errors import Unavailable
from storage.own_tables import SIGN_IN
from tests.databases import DIALECTS, fresh_url
from tests.web.real import PASSWORD, ROOM, Desk, open_desk, sign_in

pytestmark = pytest.mark.timed

LOGIN = "root@localhost"
IMMEDIATELY_S = 1.2  # a second, and what the request takes
VIEWER = "{ viewer { kind databaseId login audience token { name } session { isCurrent kind } } }"
CUSTOMER = (
    "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time, create_by, "
    "change_time, change_by) VALUES ('cleo', 'cleo@example.org', 'acme', "
    "'', 'Cleo', 'Cole', 1, CURRENT_TIMESTAMP, 1, "
    "CURRENT_TIMESTAMP, 1)"
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as opened:
            yield opened


@pytest.fixture(params=DIALECTS)
async def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as opened:
            yield opened


async def post(desk: Desk, path: str, body: Any = None, **headers: str) -> httpx.Response:
    async with desk.connect() as client:
        return await client.post(f"/auth/{path}", json={} if body is None else body, headers=headers)


async def log_in(desk: Desk, login: str = LOGIN, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await post(desk, "login", {"login": login, "password": password, **more})


async def pair(desk: Desk) -> tuple[str, str]:
    found = (await log_in(desk)).json()
    return found["accessToken"], found["refreshToken"]


async def works(desk: Desk, token: str) -> bool:
    async with desk.connect(authorization=f"Bearer {token}") as client:
        answer = await client.post("/graphql", json={"query": "{ rooms { totalCount } }"})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


async def write(desk: Desk, text: str, **values: Any) -> None:
    """Change rows as an OTRS on the same database would."""
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute(sa.text(text), values)


async def until_refused(desk: Desk, token: str) -> float:
    """Return after how many seconds a token does not count any more."""
    started = time.monotonic()
    while await works(desk, token):
        assert time.monotonic() < started + 5
        await asyncio.sleep(0.05)
    return time.monotonic() - started


async def test_a_login_and_a_password_become_a_pair_of_tokens(desk: Desk) -> None:
    answer = await log_in(desk)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.json().keys() == {"accessToken", "refreshToken", "expiresIn"}
    assert answer.json()["expiresIn"] == 600
    assert await works(desk, answer.json()["accessToken"])
    assert not await works(desk, answer.json()["refreshToken"])


async def test_viewer_says_who_is_calling(desk: Desk) -> None:
    viewer = (await desk.data(VIEWER))["viewer"]

    assert viewer == {
        "kind": "AGENT",
        "databaseId": 1,
        "login": LOGIN,
        "audience": "agent",
        "token": None,
        "session": {"isCurrent": True, "kind": "api"},
    }
    assert (await desk.data("{ viewer { name email } }"))["viewer"]["name"] == "Admin Lambdesk"


async def test_customers_sign_in_as_customers(desk: Desk) -> None:
    await write(desk, CUSTOMER)
    stored = hashlib.sha256(b"cleo's own").hexdigest()
    await write(desk, "UPDATE customer_user SET pw = :pw WHERE login = 'cleo'", pw=stored)

    assert (await log_in(desk, "cleo", "cleo's own")).status_code == 401  # there is no such agent
    answer = await log_in(desk, "cleo", "cleo's own", kind="customer")
    async with desk.connect(authorization=f"Bearer {answer.json()['accessToken']}") as client:
        viewer = (await client.post("/graphql", json={"query": "{ viewer { kind login name email audience } }"})).json()
        own = await client.get("/schema.graphql")
        foreign = await client.get("/schema.graphql?audience=agent")

    assert viewer["data"]["viewer"] == {
        "kind": "CUSTOMER",
        "login": "cleo",
        "name": "Cleo Cole",
        "email": "cleo@example.org",
        "audience": "customer",
    }
    assert "publishModule" not in own.text
    assert foreign.status_code == 403


async def test_an_unknown_login_and_a_wrong_password_are_answered_alike(desk: Desk) -> None:
    answers = [await log_in(desk, "nobody", "wrong"), await log_in(desk, LOGIN, "wrong")]

    bodies = [{**answer.json(), "requestId": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert bodies[0] == bodies[1]
    assert bodies[0] == {
        "code": "UNAUTHENTICATED",
        "message": "The login or the password is wrong.",
        "requestId": "",
    }
    for answer in answers:
        assert answer.headers["www-authenticate"] == 'Bearer realm="lambdesk"'
    assert answers[0].headers.keys() == answers[1].headers.keys()


async def test_too_many_attempts_are_told_to_wait(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, account_tries=2) as desk:
            # Every pause is twice as long as the one before: a slow machine is past the first, and not past them all.
            answers = [await log_in(desk, "somebody", "wrong") for _ in range(9)]
            others = await log_in(desk)

    assert [answer.status_code for answer in answers[:2]] == [401, 401]
    told = [answer for answer in answers if answer.status_code != 401]
    assert {(answer.status_code, answer.json()["code"]) for answer in told} == {(429, "RATE_LIMITED")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in told)
    assert others.status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"login=root&password=x", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b'{"login": "a", "password": "b"}', {"content-type": "application/json; charset=latin-1"}, 415),
        (b'{"login": "a"}', {}, 400),
        (b'{"login": "a", "password": 1}', {}, 400),
        (b'{"login": "a", "password": "b", "kind": "token"}', {}, 400),
        (b'{"login": "a", "password": "b", "kind": ["agent"]}', {}, 400),
        (b'{"login": "a", "password": "b", "cookie": 1}', {}, 400),
        (b'{"login": "a", "password": "b", "remember": true}', {}, 400),
        (b'{"login": "a", "login": "b", "password": "c"}', {}, 400),
        (b'{"login": ' + b"[" * 3_000 + b"]" * 3_000 + b"}", {}, 400),
        (b"[]", {}, 400),
        (b"{", {}, 400),
        (b'{"login": "a", "password": "' + b"x" * 9_000 + b'"}', {}, 413),
        (b'{"login": "a", "password": "b"}', {"content-encoding": "gzip"}, 415),
        (b'{"login": "a", "password": "b"}', {"origin": "https://evil.example"}, 403),
        (b'{"login": "a", "password": "b"}', {"origin": "null"}, 403),
    ],
)
async def test_what_is_no_sign_in_is_refused_before_anything_is_looked_up(
    desk: Desk, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with desk.connect() as client:
        given = {"content-type": "application/json", **headers}
        answer = await client.post("/auth/login", content=body, headers=given)

    assert answer.status_code == status
    assert answer.json().keys() == {"code", "message", "requestId"}
    assert await desk.identities.database.fetch(sa.select(SIGN_IN.c.id)) == []


async def test_nothing_is_taken_from_an_address(desk: Desk) -> None:
    access, refresh = await pair(desk)
    async with desk.connect() as client:
        assert (await client.post(f"/auth/refresh?refreshToken={refresh}", json={})).status_code == 400
        assert (await client.get(f"/graphql?query={{schemaVersion}}&access_token={access}")).status_code == 401
        assert (await client.get("/auth/login")).status_code == 405


async def test_a_refresh_token_gives_way_to_its_successor(desk: Desk) -> None:
    _, first = await pair(desk)
    answer = await post(desk, "refresh", {"refreshToken": first})

    second = answer.json()["refreshToken"]
    assert answer.headers["cache-control"] == "no-store"
    assert second != first
    assert await works(desk, answer.json()["accessToken"])
    # An answer that was lost: within a moment the same question has the same answer.
    assert (await post(desk, "refresh", {"refreshToken": first})).json()["refreshToken"] == second
    third = (await post(desk, "refresh", {"refreshToken": second})).json()["refreshToken"]
    assert len({first, second, third}) == 3


async def test_d7_a_refresh_token_that_comes_back_ends_the_session(desk: Desk) -> None:
    _, first = await pair(desk)
    second = (await post(desk, "refresh", {"refreshToken": first})).json()["refreshToken"]
    third = (await post(desk, "refresh", {"refreshToken": second})).json()

    stolen = await post(desk, "refresh", {"refreshToken": first})

    assert stolen.status_code == 401
    assert not await works(desk, third["accessToken"])
    assert (await post(desk, "refresh", {"refreshToken": third["refreshToken"]})).status_code == 401
    rows = await desk.identities.database.fetch(sa.select(SIGN_IN.c.outcome).order_by(SIGN_IN.c.id))
    assert [row[0] for row in rows] == ["ok", "reused"]


async def test_d8_many_refreshes_at_once_get_one_successor(everywhere: Desk) -> None:
    _, first = await pair(everywhere)

    answers = await asyncio.gather(*(post(everywhere, "refresh", {"refreshToken": first}) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refreshToken"] for answer in answers}) == 1


@pytest.mark.parametrize("by", ["access", "refresh"])
async def test_logging_out_acts_at_once(desk: Desk, by: str) -> None:
    access, refresh = await pair(desk)
    assert await works(desk, access)

    if by == "access":
        done = await post(desk, "logout", authorization=f"Bearer {access}")
    else:
        done = await post(desk, "logout", {"refreshToken": refresh})

    assert (done.status_code, done.content) == (204, b"")
    assert not await works(desk, access)
    assert (await post(desk, "refresh", {"refreshToken": refresh})).status_code == 401
    assert (await post(desk, "logout", authorization=f"Bearer {access}")).status_code == 401


CHANGES = {
    "disabled": "UPDATE users SET valid_id = 2 WHERE id = 1",
    "another password": "UPDATE users SET pw = 'x' WHERE id = 1",
    "another role": (
        "INSERT INTO role_user (user_id, role_id, create_time, create_by, change_time, change_by) "
        "VALUES (1, 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)"
    ),
    "fewer groups": "DELETE FROM group_user WHERE user_id = 1",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_d11_d12_what_changes_an_account_ends_its_sessions_within_a_second(desk: Desk, change: str) -> None:
    access, refresh = await pair(desk)
    assert await works(desk, access)
    if change == "another role":
        await write(
            desk,
            "INSERT INTO roles (id, name, valid_id, create_time, create_by, change_time, change_by) "
            "VALUES (1, 'role', 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)",
        )

    await write(desk, CHANGES[change])

    assert (await post(desk, "refresh", {"refreshToken": refresh})).status_code == 401
    assert await until_refused(desk, access) < IMMEDIATELY_S


async def session_of(desk: Desk, token: str) -> str:
    async with desk.connect(authorization=f"Bearer {token}") as client:
        answer = (await client.post("/graphql", json={"query": "{ viewer { session { id } } }"})).json()
    return str(answer["data"]["viewer"]["session"]["id"])


async def test_sessions_are_listed_for_their_owner_and_ended_by_him(desk: Desk) -> None:
    first, _ = await pair(desk)
    second, _ = await pair(desk)
    async with desk.connect(authorization=f"Bearer {first}") as client:
        answer = await client.get("/auth/sessions")
        sessions = answer.json()["sessions"]
        other = await session_of(desk, second)
        await client.post(
            "/graphql", json={"query": f'mutation {{ revokeSession(input: {{id: "{other}"}}) {{ revokedId }} }}'}
        )

    assert answer.headers["cache-control"] == "no-store"
    assert len(sessions) == 3  # the desk's own client has one
    assert [session["isCurrent"] for session in sessions].count(True) == 1
    assert sessions[0].keys() == {"id", "kind", "createdAt", "seenAt", "expiresAt", "address", "client", "isCurrent"}
    assert await works(desk, first)
    listed = await desk.data("{ viewer { sessions { id } } }")
    assert other not in [session["id"] for session in listed["viewer"]["sessions"]]
    assert not await works(desk, second)


async def test_all_sessions_but_this_one_are_ended_at_once(everywhere: Desk) -> None:
    """Those of its owner: somebody else, also a customer with the same number, stays signed in."""
    await write(everywhere, CUSTOMER)
    cleo = await sign_in(everywhere.live, "cleo", Kind.CUSTOMER)
    others = [await pair(everywhere) for _ in range(2)]

    answer = await everywhere.data("mutation { revokeOtherSessions(input: {}) { revoked errors { code } } }")

    assert answer["revokeOtherSessions"] == {"revoked": 2, "errors": []}
    assert len((await everywhere.data("{ viewer { sessions { id } } }"))["viewer"]["sessions"]) == 1
    assert [await works(everywhere, access) for access, _ in others] == [False, False]
    assert await works(everywhere, cleo.access_token)


async def test_a_strangers_session_is_not_there(desk: Desk) -> None:
    await write(desk, CUSTOMER)
    cleo = await sign_in(desk.live, "cleo", Kind.CUSTOMER)
    own = (await desk.data("{ viewer { session { id } } }"))["viewer"]["session"]["id"]
    async with desk.connect(authorization=f"Bearer {cleo.access_token}") as client:
        text = f'mutation {{ revokeSession(input: {{id: "{own}"}}) {{ revokedId errors {{ code }} }} }}'
        answer = (await client.post("/graphql", json={"query": text})).json()

    assert answer["data"]["revokeSession"] == {"revokedId": None, "errors": [{"code": "NOT_FOUND"}]}
    assert "errors" not in await desk.ask("{ schemaVersion }")


ADDRESSES = [
    ("POST", "/graphql"),
    ("GET", "/graphql?query={schemaVersion}"),
    ("GET", "/export/room.csv"),
    ("POST", "/files?name=a.txt"),
    ("GET", "/files/x/y"),
    ("GET", "/schema.graphql"),
    ("GET", "/schema/module.json"),
    ("GET", "/lambda.d.ts"),
    ("GET", "/auth/sessions"),
    ("POST", "/auth/logout"),
]
NOBODY = {
    "nothing": {},
    "another scheme": {"authorization": "Basic cm9vdDpyb290"},
    "no token": {"authorization": "Bearer "},
    "nonsense": {"authorization": "Bearer nonsense"},
    "an unknown API token": {"authorization": "Bearer ldk_nothing"},
    "a refresh token": {"authorization": "Bearer ldr_nothing"},
    "a token without a signature": {
        "authorization": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZ2VudDoxIn0."
    },
    "an unknown cookie": {"cookie": "lambdesk=lds_nothing", "sec-fetch-site": "same-origin"},
}


@pytest.mark.parametrize("name", NOBODY)
async def test_nobody_who_is_not_recognised_gets_anything(desk: Desk, name: str) -> None:
    async with desk.connect(**NOBODY[name]) as client:
        for method, path in ADDRESSES:
            body = {"json": {"query": "{ schemaVersion }"}} if path == "/graphql" else {"json": {}}
            answer = await client.request(method, path, **(body if method == "POST" else {}))  # type: ignore[arg-type] # of httpx
            is_form = name == "an unknown cookie" and method == "POST"
            assert answer.status_code == (403 if is_form else 401), (method, path, answer.text)
            assert "rooms" not in answer.text
            assert "x-lambdesk-schema" not in answer.headers or path.startswith("/graphql")
        for path in ("/healthz", "/readyz", "/login", "/static/pages/app.css"):
            assert (await client.get(path)).status_code == 200


async def test_d20_nobody_signs_in_before_everything_is_ready(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.live.registry, "is_loaded", False)

    answer = await log_in(desk)

    assert answer.status_code == 503
    assert answer.json()["code"] == "UNAVAILABLE"


async def test_while_the_database_is_away_nobody_is_told_that_he_is_not_signed_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("no answer")

    access, _ = await pair(desk)
    monkeypatch.setattr(Database, "fetch_kept", away)
    async with desk.connect(authorization=f"Bearer {access}") as client:
        answer = await client.post("/graphql", json={"query": "{ schemaVersion }"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_the_log_knows_who_and_holds_no_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        access, refresh = await pair(desk)
        await works(desk, access)
        await post(desk, "refresh", {"refreshToken": refresh})
        await log_in(desk, LOGIN, "a secret that is wrong")

    lines = [record for record in caplog.records if record.name == "lambdesk.access"]
    fields: list[dict[str, Any]] = [line.fields for line in lines]  # type: ignore[attr-defined] # put there with `extra`
    assert [item.get("caller") for item in fields] == ["agent:1", "agent:1", "agent:1", None]
    told = repr(
        [(record.getMessage(), vars(record)) for record in caplog.records if record.name.startswith("lambdesk")]
    )
    for secret in (access, refresh, PASSWORD, "a secret that is wrong"):
        assert secret not in told


async def test_history_says_who_changed_a_row(desk: Desk) -> None:
    made = await desk.data('mutation { createRoom(input: {room: {name: "A"}}) { room { id } } }')
    entries = await desk.data(
        "query ($id: ID!) { history(of: $id) { by { kind id login } } }",
        id=made["createRoom"]["room"]["id"],
    )
    assert entries["history"] == [{"by": {"kind": "agent", "id": 1, "login": LOGIN}}]
