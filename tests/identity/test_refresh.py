"""A refresh token is used once: it gives way to one successor, and ends its session when it comes back later."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from identity.accounts import account_key
from identity.errors import NotSignedIn
from identity.keys import derive_keys, digest
from identity.principals import Kind
from identity.refresh import API, GRACE_S, Refreshed, RefreshTokens
from identity.session_rows import Why
from storage.own_tables import REFRESH_TOKEN, SESSION
from tests.identity.world import GROUP, ROLE, Desk

HERE = "192.0.2.7"


async def start(desk: Desk) -> Refreshed:
    return await desk.refresh.start(await desk.agent("x"), address=HERE, client="test")


async def why(desk: Desk, session_id: str) -> str | None:
    rows = await desk.database.fetch(sa.select(SESSION.c.why).where(SESSION.c.id == session_id))
    return rows[0][0] if rows else None


async def refused(desk: Desk, token: str) -> bool:
    try:
        await desk.refresh.refresh(token, address=HERE)
    except NotSignedIn:
        return True
    return False


async def test_each_use_gives_another_token_of_the_same_session(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    third = await desk.refresh.refresh(second.token, address=HERE)
    assert len({first.token, second.token, third.token}) == 3
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    assert first.person == third.person


async def test_only_hashes_are_stored(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    columns = sa.select(REFRESH_TOKEN.c.digest, REFRESH_TOKEN.c.number).where(
        REFRESH_TOKEN.c.session == first.session_id
    )
    rows = await desk.database.fetch(columns.order_by(REFRESH_TOKEN.c.number))
    assert rows == [(digest(first.token), 1), (digest(second.token), 2)]
    assert len(first.token) == len(second.token) == len("ldr_") + 43  # 256 bits


async def test_a_client_whose_answer_was_lost_gets_the_same_successor_within_the_grace(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    desk.clock.now += GRACE_S
    assert await desk.refresh.refresh(first.token, address=HERE) == second
    assert (await desk.refresh.refresh(second.token, address=HERE)).session_id == first.session_id


async def test_a_token_that_comes_back_after_the_grace_ends_its_session(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    desk.clock.now += GRACE_S + 0.001
    assert await refused(desk, first.token)
    assert await refused(desk, second.token)
    assert await why(desk, first.session_id) == Why.REUSED


async def test_only_the_token_directly_before_the_newest_has_grace(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    third = await desk.refresh.refresh(second.token, address=HERE)
    assert await refused(desk, first.token)
    assert await refused(desk, third.token)
    assert await why(desk, first.session_id) == Why.REUSED


async def test_a_token_that_came_back_is_in_the_audit_with_where_it_came_from(desk: Desk) -> None:
    first = await start(desk)
    await desk.refresh.refresh(first.token, address=HERE)
    desk.clock.now += 60
    with pytest.raises(NotSignedIn):
        await desk.refresh.refresh(first.token, address="203.0.113.9")
    rows = await desk.audit("outcome", "account_id", "login", "address", "session")
    assert rows[-1] == ("reused", first.person.id, first.person.login, "203.0.113.9", first.session_id)


async def test_one_session_s_end_leaves_the_others_of_the_account(desk: Desk) -> None:
    agent = await desk.agent("x")
    one, other = [await desk.refresh.start(agent, address=HERE, client="") for _ in range(2)]
    await desk.refresh.refresh(one.token, address=HERE)
    desk.clock.now += 60
    assert await refused(desk, one.token)
    assert not await refused(desk, other.token)


async def test_fifty_at_once_get_the_same_successor(desk: Desk) -> None:
    first = await start(desk)
    made = await asyncio.gather(*(desk.refresh.refresh(first.token, address=HERE) for _ in range(50)))
    assert len({each.token for each in made}) == 1


async def test_a_token_that_was_never_given_out_ends_nothing(desk: Desk) -> None:
    first = await start(desk)
    for token in ("", "ldr_", first.token + "x", first.token[:-1], "\0", "\ud800", "ldr_" + "A" * 43, first.session_id):
        assert await refused(desk, token)
    assert await why(desk, first.session_id) is None
    assert not await refused(desk, first.token)


async def test_after_logging_out_no_token_of_the_session_counts(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    assert await desk.refresh.log_out(first.token)
    assert not await desk.refresh.log_out(second.token)
    assert await refused(desk, first.token)
    assert await refused(desk, second.token)
    assert await why(desk, first.session_id) == Why.LOGOUT


CHANGES = [
    ("UPDATE users SET pw = 'other' WHERE id = :id", "password"),
    ("UPDATE users SET valid_id = 2 WHERE id = :id", "disabling"),
    ("UPDATE users SET login = 'another login' WHERE id = :id", "login"),
    (GROUP, "group"),
    (ROLE, "role"),
]


@pytest.mark.parametrize("statement", [change[0] for change in CHANGES], ids=[change[1] for change in CHANGES])
async def test_a_change_of_the_account_ends_its_sessions(desk: Desk, statement: str) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    await desk.write(statement, id=first.person.id)
    assert await refused(desk, first.token)
    assert await refused(desk, second.token)
    await desk.write("UPDATE users SET login = :login WHERE id = :id", id=first.person.id, login=first.person.login)
    assert await why(desk, first.session_id) == Why.CHANGED


async def test_a_token_counts_for_as_long_as_its_session_is_used(desk: Desk) -> None:
    made = await start(desk)
    for _ in range(3):
        desk.clock.now += API.idle_s - 1
        made = await desk.refresh.refresh(made.token, address=HERE)
    desk.clock.now += API.idle_s
    assert await refused(desk, made.token)


async def test_no_session_lasts_longer_than_the_longest(desk: Desk) -> None:
    made = await start(desk)
    end = desk.clock.now + API.longest_s
    while desk.clock.now + API.idle_s / 2 < end:
        desk.clock.now += API.idle_s / 2
        made = await desk.refresh.refresh(made.token, address=HERE)
    desk.clock.now = end
    assert await refused(desk, made.token)


async def test_a_server_with_another_secret_takes_no_token_of_before(desk: Desk) -> None:
    first = await start(desk)
    other = Desk(desk.database, desk.clock, derive_keys(b"another secret"))
    assert await refused(other, first.token)


async def test_a_process_whose_clock_is_behind_gives_the_same_successor(desk: Desk) -> None:
    first = await start(desk)
    second = await desk.refresh.refresh(first.token, address=HERE)
    desk.clock.now -= 20
    assert await desk.refresh.refresh(first.token, address=HERE) == second


async def test_no_token_shows_in_what_is_printed(desk: Desk) -> None:
    first: Any = await start(desk)
    assert first.token not in repr(first)
    assert desk.keys.successor.hex() not in repr(desk.keys)
    assert repr(desk.keys) == "Keys()"


async def test_who_remembers_sessions_is_told_which_one_ended_and_no_other(desk: Desk) -> None:
    told: list[str] = []
    tokens = RefreshTokens(desk.database, desk.keys, told.append, clock=desk.clock)
    agent = await desk.agent("x")
    left, came_back, logged_out = [await tokens.start(agent, address=HERE, client="") for _ in range(3)]
    await tokens.refresh(left.token, address=HERE)
    await tokens.refresh(came_back.token, address=HERE)
    assert told == []
    desk.clock.now += GRACE_S + 1
    with pytest.raises(NotSignedIn):
        await tokens.refresh(came_back.token, address=HERE)
    assert told == [came_back.session_id]
    assert await tokens.log_out(logged_out.token)
    assert not await tokens.log_out(logged_out.token)
    assert told == [came_back.session_id, logged_out.session_id]


async def test_a_session_ends_to_the_second(desk: Desk) -> None:
    made = await start(desk)
    desk.clock.now += API.idle_s - 0.5
    made = await desk.refresh.refresh(made.token, address=HERE)
    desk.clock.now = int(desk.clock.now) + API.idle_s
    assert await refused(desk, made.token)


async def test_the_audit_of_a_token_that_came_back_counts_for_its_account(desk: Desk) -> None:
    """Under the same key and kind as the account's sign-ins."""
    first = await start(desk)
    await desk.refresh.refresh(first.token, address=HERE)
    desk.clock.now += 60
    assert await refused(desk, first.token)
    key = account_key(desk.keys.account, Kind.AGENT, first.person.login)
    assert (await desk.audit("account_kind", "account_key"))[-1] == (Kind.AGENT, key)
