"""Sessions: a cookie's secret is stored hashed, and what takes a session away acts within a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest
import sqlalchemy as sa

from identity.errors import NotSignedIn
from identity.keys import digest
from identity.principals import Agent, Scope
from identity.refresh import API
from identity.session_rows import Why
from identity.sessions import PAGE, TOUCH_S
from storage.errors import WriteFailed
from storage.own_tables import REFRESH_TOKEN, SESSION
from tests.identity.world import GROUP, ROLE, Desk

HERE = "192.0.2.7"
FIREFOX = "Mozilla/5.0"


async def is_in(check: Callable[[], Awaitable[object]]) -> bool:
    try:
        await check()
    except NotSignedIn:
        return False
    return True


async def test_a_cookie_lets_its_account_in(desk: Desk) -> None:
    agent = await desk.agent("x")
    secret = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    session_id, person = await desk.sessions.check_page(secret)
    assert person == agent.person
    assert await desk.sessions.check(session_id) == agent.person


async def test_the_database_holds_no_secret_of_a_cookie(desk: Desk) -> None:
    secret = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=FIREFOX)
    session_id, _ = await desk.sessions.check_page(secret)
    rows = await desk.database.fetch(sa.select(SESSION).where(SESSION.c.id == session_id))
    assert digest(secret) in rows[0]
    assert not any(secret in str(value) for value in rows[0])
    assert len(secret) == len("lds_") + 43  # 256 bits
    assert not await is_in(lambda: desk.sessions.check_page(digest(secret)))


async def test_each_sign_in_gets_a_secret_of_its_own(desk: Desk) -> None:
    agent = await desk.agent("x")
    first, second = [await desk.sessions.start_page(agent, address=HERE, client=FIREFOX) for _ in range(2)]
    assert first != second


async def test_a_renewed_session_goes_on_under_a_new_secret_only(desk: Desk) -> None:
    old = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=FIREFOX)
    before = await desk.sessions.check_page(old)
    new = await desk.sessions.renew_page(old)
    assert await desk.sessions.check_page(new) == before
    assert not await is_in(lambda: desk.sessions.check_page(old))
    assert not await is_in(lambda: desk.sessions.renew_page(old))


async def test_a_session_that_does_not_count_is_not_renewed(desk: Desk) -> None:
    agent = await desk.agent("x", login=f"renewed {id(desk)}")
    secret = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    await desk.write("UPDATE users SET valid_id = 2 WHERE id = :id", id=agent.person.id)
    assert not await is_in(lambda: desk.sessions.renew_page(secret))


async def test_of_two_renewals_at_once_one_succeeds(desk: Desk) -> None:
    old = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=FIREFOX)
    made = await asyncio.gather(*(desk.sessions.renew_page(old) for _ in range(5)), return_exceptions=True)
    assert sorted(isinstance(each, str) for each in made) == [False] * 4 + [True]


async def test_what_nobody_was_given_lets_nobody_in(desk: Desk) -> None:
    for secret in ("", "\0", "\ud800", "lds_" + "A" * 43, "x" * 10_000):
        assert not await is_in(lambda secret=secret: desk.sessions.check_page(secret))  # type: ignore[misc]
        assert not await is_in(lambda secret=secret: desk.callers.by_bearer(secret))  # type: ignore[misc]
    assert not await is_in(lambda: desk.sessions.check("0" * 32))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET valid_id = 2 WHERE id = :id",
        "UPDATE users SET pw = 'changed' WHERE id = :id",
        GROUP,
        ROLE,
        "DELETE FROM users WHERE id = :id",
    ],
)
async def test_a_change_that_otrs_makes_acts_within_a_second_on_every_channel(desk: Desk, statement: str) -> None:
    agent = await desk.agent("x")
    cookie = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    bearer = desk.access.make(agent.person, started.session_id)
    channels: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.callers.by_cookie(cookie),
        lambda: desk.callers.by_bearer(bearer),
        lambda: desk.sessions.check(started.session_id),
    ]
    assert [await is_in(channel) for channel in channels] == [True] * 3
    await desk.write(statement, id=agent.person.id)
    desk.clock.now += 0.999
    assert [await is_in(channel) for channel in channels] == [True] * 3  # remembered
    desk.clock.now += 0.001
    assert [await is_in(channel) for channel in channels] == [False] * 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE customer_user SET valid_id = 2 WHERE id = :id",
        "UPDATE customer_user SET pw = 'changed' WHERE id = :id",
        "UPDATE customer_user SET customer_id = 'other' WHERE id = :id",
        (
            "INSERT INTO group_customer_user (user_id, group_id, permission_key, permission_value, create_time, create_by, "
            "change_time, change_by) SELECT login, 1, 'ro', 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1 "
            "FROM customer_user WHERE id = :id"
        ),
    ],
)
async def test_the_same_for_customers(desk: Desk, statement: str) -> None:
    customer = await desk.customer("x")
    cookie = await desk.sessions.start_page(customer, address=HERE, client=FIREFOX)
    assert await is_in(lambda: desk.callers.by_cookie(cookie))
    await desk.write(statement, id=customer.person.id)
    desk.clock.now += 1
    assert not await is_in(lambda: desk.callers.by_cookie(cookie))


async def test_a_session_that_was_refused_does_not_come_back_with_the_account(desk: Desk) -> None:
    agent = await desk.agent("x")
    cookie = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    channels: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.callers.by_cookie(cookie),
        lambda: desk.sessions.check(started.session_id),
    ]
    for valid_id in (2, 1):
        await desk.write("UPDATE users SET valid_id = :valid WHERE id = :id", valid=valid_id, id=agent.person.id)
        desk.clock.now += 1
        assert [await is_in(channel) for channel in channels] == [False] * 2


async def test_another_agent_s_change_ends_nobody_else_s_session(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    cookie = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    for statement in (GROUP, ROLE, "UPDATE users SET valid_id = 2, pw = 'y' WHERE id = :id"):
        await desk.write(statement, id=other.person.id)
    desk.clock.now += 1
    assert await is_in(lambda: desk.callers.by_cookie(cookie))


async def test_logging_out_acts_at_once_here_and_within_a_second_elsewhere(desk: Desk) -> None:
    agent = await desk.agent("x")
    cookie = await desk.sessions.start_page(agent, address=HERE, client=FIREFOX)
    elsewhere = Desk(desk.database, desk.clock)
    session_id = (await desk.callers.by_cookie(cookie)).session_id or ""
    assert await is_in(lambda: elsewhere.callers.by_cookie(cookie))
    assert await desk.sessions.end(session_id)
    assert not await is_in(lambda: desk.callers.by_cookie(cookie))
    assert not await desk.sessions.end(session_id)
    desk.clock.now += 1
    assert not await is_in(lambda: elsewhere.callers.by_cookie(cookie))


async def test_logging_out_with_a_refresh_token_ends_its_access_tokens(desk: Desk) -> None:
    agent = await desk.agent("x")
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    bearer = desk.access.make(agent.person, started.session_id)
    assert await is_in(lambda: desk.callers.by_bearer(bearer))
    assert await desk.refresh.log_out(started.token)
    assert not await is_in(lambda: desk.callers.by_bearer(bearer))


async def test_a_reused_refresh_token_ends_the_access_tokens_of_its_session(desk: Desk) -> None:
    agent = await desk.agent("x")
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    bearer = desk.access.make(agent.person, started.session_id)
    await desk.refresh.refresh(started.token, address=HERE)
    desk.clock.now += 60
    assert await is_in(lambda: desk.callers.by_bearer(bearer))
    with pytest.raises(NotSignedIn):
        await desk.refresh.refresh(started.token, address=HERE)
    assert not await is_in(lambda: desk.callers.by_bearer(bearer))


async def test_a_busy_client_costs_no_statements_a_request(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await desk.agent("x")
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    bearer, statements = desk.access.make(agent.person, started.session_id), list[str]()
    monkeypatch.setattr(desk.database, "statements", statements.append)
    for _ in range(100):
        await desk.callers.by_bearer(bearer)
    assert len(statements) == 3


async def test_a_token_of_another_account_than_its_session_s_lets_nobody_in(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    assert not await is_in(lambda: desk.callers.by_bearer(desk.access.make(other.person, started.session_id)))


async def test_a_page_session_ends_without_use(desk: Desk) -> None:
    secret = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=FIREFOX)
    for _ in range(3):
        desk.clock.now += PAGE.idle_s - 1
        assert await is_in(lambda: desk.sessions.check_page(secret))
    desk.clock.now += PAGE.idle_s
    assert not await is_in(lambda: desk.sessions.check_page(secret))


async def test_a_page_session_ends_at_the_latest_after_its_longest_time(desk: Desk) -> None:
    secret = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=FIREFOX)
    end = desk.clock.now + PAGE.longest_s
    while desk.clock.now + 3_600 < end:
        desk.clock.now += 3_600
        assert await is_in(lambda: desk.sessions.check_page(secret))
    desk.clock.now = end
    assert not await is_in(lambda: desk.sessions.check_page(secret))


async def test_a_session_is_written_once_a_minute_not_with_every_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, statements = await desk.sessions.start_page(await desk.agent("x"), address=HERE, client=""), list[str]()
    monkeypatch.setattr(desk.database, "statements", statements.append)
    for _ in range(TOUCH_S + 2):
        await desk.sessions.check_page(secret)
        desk.clock.now += 1
    assert sum(text.startswith("UPDATE") for text in statements) == 1


async def test_a_database_that_cannot_write_keeps_nobody_out_who_is_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await desk.agent("x")
    secret = await desk.sessions.start_page(agent, address=HERE, client="")
    _, token = await desk.api_tokens.create(agent.person, "robot", Scope(), desk.clock.now + 86_400)

    def fail(**_: object) -> NoReturn:
        raise WriteFailed("the disk is full")

    desk.clock.now += TOUCH_S
    monkeypatch.setattr(desk.database, "transaction", fail)
    assert (await desk.callers.by_cookie(secret)).principal == agent.person
    assert await is_in(lambda: desk.callers.by_bearer(token))


async def test_a_person_sees_the_sessions_that_count_and_nobody_else_s(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    await desk.sessions.start_page(other, address=HERE, client=FIREFOX)
    ended = await desk.refresh.start(agent, address=HERE, client="ended")
    await desk.sessions.end(ended.session_id)
    await desk.sessions.start_page(agent, address=HERE, client="forgotten")
    desk.clock.now += PAGE.idle_s
    await desk.sessions.start_page(agent, address="2001:db8::1", client=f"{FIREFOX}\r\nX: \0y{'z' * 400}")
    desk.clock.now += 1
    await desk.refresh.start(agent, address=HERE, client="cli")
    listed = await desk.sessions.list_of(agent.person)
    assert [(each.kind, each.address, each.client[:15]) for each in listed] == [
        ("api", HERE, "cli"),
        ("page", "2001:db8::1", "Mozilla/5.0X: y"),
    ]
    assert (len(listed[1].client), listed[0].expires) == (250, listed[0].created + API.idle_s)
    await desk.write("UPDATE users SET pw = 'y' WHERE id = :id", id=agent.person.id)
    assert await desk.sessions.list_of(agent.person) == []
    assert await desk.sessions.list_of(Agent(0, "nobody")) == []


async def test_a_person_revokes_own_sessions_only(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    started = await desk.refresh.start(agent, address=HERE, client="cli")
    assert not await desk.sessions.end_own(other.person, started.session_id)
    assert await is_in(lambda: desk.sessions.check(started.session_id))
    assert await desk.sessions.end_own(agent.person, started.session_id)
    assert not await is_in(lambda: desk.sessions.check(started.session_id))
    assert not await desk.sessions.end_own(agent.person, started.session_id)


async def test_an_account_s_sessions_end_together_but_for_the_one_in_use(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    started = [await desk.refresh.start(each, address=HERE, client="") for each in (agent, agent, agent, other)]
    for each in started:
        await desk.sessions.check(each.session_id)
    assert await desk.sessions.end_all(agent.person.kind, agent.person.id, but=started[0].session_id) == 2
    assert [await is_in(lambda each=each: desk.sessions.check(each.session_id)) for each in started] == [  # type: ignore[misc]
        True,
        False,
        False,
        True,
    ]
    assert await desk.sessions.end_all(agent.person.kind, agent.person.id) == 1


async def test_sessions_that_are_long_over_are_removed_with_their_tokens(desk: Desk) -> None:
    agent = await desk.agent("x")
    old = await desk.refresh.start(agent, address=HERE, client="")
    desk.clock.now += API.idle_s + 100
    new = await desk.refresh.start(agent, address=HERE, client="")
    tokens = sa.select(REFRESH_TOKEN.c.session).where(REFRESH_TOKEN.c.session.in_([old.session_id, new.session_id]))
    await desk.sessions.sweep(older_than_s=200)
    assert len(await desk.database.fetch(tokens)) == 2
    assert await desk.sessions.sweep(older_than_s=50) >= 1
    assert await desk.database.fetch(tokens) == [(new.session_id,)]
    assert await is_in(lambda: desk.sessions.check(new.session_id))


async def test_why_a_session_ended_is_kept(desk: Desk) -> None:
    started = await desk.refresh.start(await desk.agent("x"), address=HERE, client="")
    await desk.sessions.end(started.session_id, Why.REVOKED)
    await desk.sessions.end(started.session_id, Why.LOGOUT)
    rows = await desk.database.fetch(sa.select(SESSION.c.why).where(SESSION.c.id == started.session_id))
    assert rows == [("revoked",)]
