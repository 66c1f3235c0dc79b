"""Signing in: the same answer for everything that is wrong, a pause after too many attempts, and a row in the audit for each."""

import logging

import pytest

from identity.accounts import account_key
from identity.audit import sweep
from identity.errors import IdentityError, SignInRefused, Throttled
from identity.principals import Kind
from identity.sign_in import REFUSAL_S, Limits, SignIn, Timing
from identity.throttle import Limit
from storage.engine import Database
from tests.identity.world import Clock, Desk

SHA = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"  # root
HERE = "192.0.2.7"


@pytest.fixture
async def desk(database: Database, clock: Clock) -> Desk:
    """A desk where nobody has tried anything."""
    found = Desk(database, clock)
    await found.write("DELETE FROM lambdesk_throttle")
    await found.write("DELETE FROM lambdesk_sign_in")
    return found


async def refusal(desk: Desk, login: str, password: str, kind: Kind = Kind.AGENT) -> tuple[type, str, float]:
    before = desk.clock.now
    with pytest.raises(IdentityError) as refused:
        await desk.sign_in.check(kind, login, password, HERE)
    return refused.type, str(refused.value), desk.clock.now - before


async def test_the_right_password_gives_the_account_to_start_a_session_for(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    standing = await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", HERE)
    started = await desk.refresh.start(standing, address=HERE, client="")
    assert await desk.sessions.check(started.session_id) == agent.person
    assert desk.clock.slept == []


async def test_every_refusal_is_the_same_and_takes_as_long(desk: Desk) -> None:
    agent, gone, customer = await desk.agent(SHA), await desk.agent(SHA, valid=2), await desk.customer(SHA)
    expected = (SignInRefused, "The login or the password is wrong.", REFUSAL_S)
    for login, password in [
        (agent.person.login, "wrong"),
        (gone.person.login, "root"),
        (customer.person.login, "root"),
        ("nobody", "root"),
        ("", ""),
        ("\0", "\0"),
        (agent.person.login, "x" * 1_000_000),
        (agent.person.login, "\ud800"),
    ]:
        assert await refusal(desk, login, password) == expected


async def test_a_change_while_somebody_signs_in_ends_the_session_that_comes_of_it(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    standing = await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", HERE)
    await desk.write("UPDATE users SET pw = 'new' WHERE id = :id", id=agent.person.id)
    cookie = await desk.sessions.start_page(standing, address=HERE, client="")
    with pytest.raises(IdentityError):
        await desk.sessions.check_page(cookie)


async def test_too_many_attempts_are_answered_with_how_long_to_wait(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    for attempt in range(6):
        assert (await refusal(desk, agent.person.login, f"wrong {attempt}"))[0] is SignInRefused
        desk.clock.now -= REFUSAL_S
    with pytest.raises(Throttled) as refused:
        await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", HERE)
    assert refused.value.retry_after_s == 1
    desk.clock.now += refused.value.retry_after_s
    await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", "203.0.113.1")


async def test_a_login_in_other_letters_or_unknown_is_counted_like_any(desk: Desk) -> None:
    agent = await desk.agent(SHA, login=f"zoé{id(desk)}")
    login = agent.person.login
    for typed in (login, login.upper(), f" {login}", login.replace("é", "e\N{COMBINING ACUTE ACCENT}"), login, login):
        await refusal(desk, typed, "wrong")
        desk.clock.now -= REFUSAL_S
    assert (await refusal(desk, login, "root"))[0] is Throttled
    for _ in range(6):
        await refusal(desk, "nobody", "wrong")
        desk.clock.now -= REFUSAL_S
    assert (await refusal(desk, "nobody", "wrong"))[0] is Throttled


async def test_agents_and_customers_of_one_login_are_counted_apart(desk: Desk) -> None:
    customer = await desk.customer(SHA, login=f"both{id(desk)}")
    for _ in range(6):
        await refusal(desk, customer.person.login, "wrong")
        desk.clock.now -= REFUSAL_S
    assert await desk.sign_in.check(Kind.CUSTOMER, customer.person.login, "root", HERE) == customer


async def test_trying_many_accounts_from_one_address_is_stopped(database: Database, desk: Desk) -> None:
    clock = desk.clock
    timing = Timing(clock, clock, clock.sleep)
    strict = SignIn(
        database, desk.keys, [desk.provider()], limits=Limits(address=Limit(free=3, first_s=60)), timing=timing
    )
    seen = []
    for number in range(6):
        try:
            await strict.check(Kind.AGENT, f"nobody {number}", "password1", HERE)
        except IdentityError as error:
            seen.append(type(error))
            clock.now -= REFUSAL_S * (type(error) is SignInRefused)
    assert seen == [SignInRefused] * 4 + [Throttled] * 2


async def test_sign_ins_are_in_the_audit(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    login = agent.person.login
    await desk.sign_in.check(Kind.AGENT, login, "root", HERE)
    for _ in range(6):
        await refusal(desk, login, "wrong")
        desk.clock.now -= REFUSAL_S
    for _ in range(3):
        assert (await refusal(desk, login, "wrong"))[0] is Throttled
    key = account_key(desk.keys.account, Kind.AGENT, login)
    assert await desk.audit("outcome", "account_kind", "account_id", "login", "account_key", "address") == [
        ("ok", "agent", agent.person.id, login, key, HERE),
        *[("refused", "agent", agent.person.id, login, key, HERE)] * 6,
        ("throttled", "agent", None, None, key, HERE),
    ]
    assert (await desk.audit("at"))[-1] == (round(desk.clock.now * 1_000),)


async def test_what_was_typed_as_a_login_is_kept_only_if_it_is_one(desk: Desk) -> None:
    """People type their password into the wrong field."""
    await refusal(desk, "correct horse battery staple", "")
    ((key, *rest),) = await desk.audit("account_key", "outcome", "account_id", "login")
    assert rest == ["refused", None, None]
    assert key == account_key(desk.keys.account, Kind.AGENT, "Correct horse battery staple ")


async def test_an_address_that_a_proxy_made_up_harms_nothing(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    standing = await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", "\0\ud800'--\r\n" + "x" * 100_000)
    await desk.sessions.start_page(standing, address="\0\ud800" * 1_000, client="\0\ud800")
    ((address,),) = await desk.audit("address")
    assert address == "'--" + "x" * 42


async def test_old_sign_ins_are_removed(desk: Desk) -> None:
    await refusal(desk, "nobody", "x")
    desk.clock.now += 100
    await refusal(desk, "nobody else", "x")
    assert await sweep(desk.database, desk.clock.now - 50) == 1
    assert len(await desk.audit("id")) == 1


async def test_no_password_is_in_an_error_or_a_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    agent = await desk.agent(SHA)
    with pytest.raises(SignInRefused) as refused:
        await desk.sign_in.check(Kind.AGENT, agent.person.login, "hunter2", HERE)
    await desk.sign_in.check(Kind.AGENT, agent.person.login, "root", HERE)
    for text in (caplog.text, repr(refused.value), repr(agent)):
        assert "hunter2" not in text
        assert SHA not in text
        assert "argon2" not in text
