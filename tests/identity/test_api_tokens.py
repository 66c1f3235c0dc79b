"""Tokens for machines: shown once, stored hashed, good for what they were made for, until a day or until revoked."""

from typing import NoReturn

import pytest
import sqlalchemy as sa

from identity.api_tokens import LONGEST_S, NAME_LETTERS, TOUCH_S, BadToken
from identity.callers import Called
from identity.errors import NotSignedIn
from identity.keys import digest
from identity.principals import Kind, Person, Scope, System, Token
from schema.spec import Operation
from storage.errors import WriteFailed
from storage.own_tables import API_TOKEN
from tests.identity.world import Desk

READ_QUEUES = Scope(frozenset({"queue"}), frozenset({Operation.VIEW}))


async def make(desk: Desk, owner: Person, scope: Scope = READ_QUEUES, days: float = 30) -> str:
    return (await desk.api_tokens.create(owner, "robot", scope, desk.clock.now + days * 86_400))[1]


async def is_in(desk: Desk, secret: str) -> bool:
    try:
        await desk.callers.by_bearer(secret)
    except NotSignedIn:
        return False
    return True


async def test_a_token_calls_as_itself_with_its_owner_and_its_scope(desk: Desk) -> None:
    agent = await desk.agent("x")
    made, secret = await desk.api_tokens.create(agent.person, " robot ", READ_QUEUES, desk.clock.now + 86_400)
    token = Token(made.id, "robot", agent.person, READ_QUEUES)
    assert await desk.callers.by_bearer(secret) == Called(token, None)
    assert token.kind is Kind.TOKEN
    assert System("import").kind is Kind.SYSTEM


def test_a_scope_allows_what_it_names() -> None:
    assert READ_QUEUES.allows("queue", Operation.VIEW)
    assert not READ_QUEUES.allows("queue", Operation.UPDATE)
    assert not READ_QUEUES.allows("ticket", Operation.VIEW)
    assert Scope().allows("ticket", Operation.DELETE)
    assert Scope(modules=frozenset({"queue"})).allows("queue", Operation.DELETE)
    assert not Scope(operations=frozenset({Operation.VIEW})).allows("queue", Operation.BULK)


@pytest.mark.parametrize("scope", [Scope(), READ_QUEUES, Scope(operations=frozenset(Operation))])
async def test_a_scope_comes_back_from_the_database_as_it_was(desk: Desk, scope: Scope) -> None:
    customer = await desk.customer("x")
    token = await desk.api_tokens.check(await make(desk, customer.person, scope))
    assert (token.scope, token.owner) == (scope, customer.person)
    assert [listed.scope for listed in await desk.api_tokens.list_of(customer.person)] == [scope]


async def test_the_database_holds_no_secret(desk: Desk) -> None:
    secret = await make(desk, (await desk.agent("x")).person)
    rows = await desk.database.fetch(sa.select(API_TOKEN).where(API_TOKEN.c.digest == digest(secret)))
    assert not any(secret in str(value) for value in rows[0])
    assert len(secret) == len("ldk_") + 43  # 256 bits
    assert not await is_in(desk, digest(secret))
    assert not await is_in(desk, f"ldk_{digest(secret)}")


async def test_a_token_ends_on_its_day(desk: Desk) -> None:
    secret = await make(desk, (await desk.agent("x")).person, days=1)
    desk.clock.now += 86_400 - 0.5
    assert await is_in(desk, secret)
    desk.clock.now += 0.5
    assert not await is_in(desk, secret)


async def test_a_revoked_token_is_refused_at_once_here_and_within_a_second_elsewhere(desk: Desk) -> None:
    agent, elsewhere = await desk.agent("x"), Desk(desk.database, desk.clock)
    secret = await make(desk, agent.person)
    token = await desk.api_tokens.check(secret)
    assert await is_in(elsewhere, secret)
    assert await desk.api_tokens.revoke(agent.person, token.id)
    assert not await desk.api_tokens.revoke(agent.person, token.id)
    assert not await is_in(desk, secret)
    desk.clock.now += 1
    assert not await is_in(elsewhere, secret)


async def test_nobody_else_s_token_is_listed_or_revoked(desk: Desk) -> None:
    agent, other = await desk.agent("x"), await desk.agent("x")
    secret = await make(desk, agent.person)
    token = await desk.api_tokens.check(secret)
    assert not await desk.api_tokens.revoke(other.person, token.id)
    assert await desk.api_tokens.list_of(other.person) == []
    assert await is_in(desk, secret)


async def test_a_disabled_owner_s_tokens_are_refused_within_a_second(desk: Desk) -> None:
    agent = await desk.agent("x")
    secret = await make(desk, agent.person)
    assert await is_in(desk, secret)
    await desk.write("UPDATE users SET valid_id = 2 WHERE id = :id", id=agent.person.id)
    desk.clock.now += 1
    assert not await is_in(desk, secret)


async def test_an_owner_s_new_password_leaves_the_tokens(desk: Desk) -> None:
    agent = await desk.agent("x")
    secret = await make(desk, agent.person)
    await desk.write("UPDATE users SET pw = 'y' WHERE id = :id", id=agent.person.id)
    desk.clock.now += 1
    assert await is_in(desk, secret)


async def test_the_list_has_what_counts_the_newest_first_and_when_it_was_used(desk: Desk) -> None:
    agent = await desk.agent("x")
    await make(desk, agent.person, days=1)
    desk.clock.now += 2 * 86_400
    used = await make(desk, agent.person)
    await make(desk, agent.person)
    await desk.api_tokens.check(used)
    assert [(each.name, each.seen) for each in await desk.api_tokens.list_of(agent.person)] == [
        ("robot", None),
        ("robot", int(desk.clock.now)),
    ]


@pytest.mark.parametrize(
    ("name", "scope", "days", "message"),
    [
        ("", READ_QUEUES, 1, "A token has a name of 1 to 100 letters."),
        ("  ", READ_QUEUES, 1, "A token has a name of 1 to 100 letters."),
        ("x" * 101, READ_QUEUES, 1, "A token has a name of 1 to 100 letters."),
        ("a\nb", READ_QUEUES, 1, "A token has a name of 1 to 100 letters."),
        ("x", READ_QUEUES, 0, "A token ends within 366 days from now."),
        ("x", READ_QUEUES, -1, "A token ends within 366 days from now."),
        ("x", READ_QUEUES, LONGEST_S / 86_400 + 1, "A token ends within 366 days from now."),
        ("x", Scope(frozenset()), 1, "A token is for one module and one operation at least."),
        ("x", Scope(None, frozenset()), 1, "A token is for one module and one operation at least."),
    ],
)
async def test_what_no_token_can_be_is_refused(desk: Desk, name: str, scope: Scope, days: float, message: str) -> None:
    agent = await desk.agent("x")
    with pytest.raises(BadToken, match=f"^{message}$"):
        await desk.api_tokens.create(agent.person, name, scope, desk.clock.now + days * 86_400)


async def test_a_token_is_given_out_as_it_is_listed(desk: Desk) -> None:
    agent = await desk.agent("x")
    expires = int(desk.clock.now) + 86_400
    made = [(await desk.api_tokens.create(agent.person, f" {name} ", READ_QUEUES, expires))[0] for name in "ab"]
    assert await desk.api_tokens.list_of(agent.person) == made[::-1]
    assert [(each.name, each.scope, each.created, each.expires) for each in made] == [
        (name, READ_QUEUES, int(desk.clock.now), expires) for name in "ab"
    ]


async def test_each_secret_is_its_own_token(desk: Desk) -> None:
    """Also while the answer for another is remembered."""
    owners = [await desk.agent("x") for _ in range(2)]
    secrets = [await make(desk, owner.person) for owner in owners]
    for _ in range(2):
        assert [(await desk.api_tokens.check(secret)).owner for secret in secrets] == [each.person for each in owners]


async def test_one_token_is_revoked_and_the_others_of_its_owner_are_left(desk: Desk) -> None:
    agent = await desk.agent("x")
    revoked, left = [await make(desk, agent.person) for _ in range(2)]
    token, other = await desk.api_tokens.check(revoked), await desk.api_tokens.check(left)
    assert await desk.api_tokens.revoke(agent.person, token.id)
    assert not await is_in(desk, revoked)
    assert await is_in(desk, left)
    assert [listed.id for listed in await desk.api_tokens.list_of(agent.person)] == [other.id]


async def test_a_token_that_ends_is_listed_no_longer(desk: Desk) -> None:
    agent = await desk.agent("x")
    await make(desk, agent.person, days=1)
    desk.clock.now += 86_399
    assert len(await desk.api_tokens.list_of(agent.person)) == 1
    desk.clock.now += 1
    assert await desk.api_tokens.list_of(agent.person) == []


async def test_when_a_token_was_used_is_written_once_an_hour(desk: Desk) -> None:
    agent = await desk.agent("x")
    secret = await make(desk, agent.person)
    first = int(desk.clock.now)
    for later, seen in ((0, first), (TOUCH_S - 1, first), (TOUCH_S, first + TOUCH_S)):
        desk.clock.now = first + later
        await desk.api_tokens.check(secret)
        assert [listed.seen for listed in await desk.api_tokens.list_of(agent.person)] == [seen]


async def test_a_token_may_have_the_longest_name_and_the_latest_day(desk: Desk) -> None:
    agent = await desk.agent("x")
    name = "x" * NAME_LETTERS
    made, _ = await desk.api_tokens.create(agent.person, name, READ_QUEUES, desk.clock.now + LONGEST_S)
    assert (made.name, made.expires) == (name, int(desk.clock.now) + LONGEST_S)


async def test_a_database_that_takes_no_writes_keeps_nobody_out_who_only_reads(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await make(desk, (await desk.agent("x")).person)

    def refuse() -> NoReturn:
        raise WriteFailed("The disk is full.")

    monkeypatch.setattr(desk.database, "transaction", refuse)
    assert await is_in(desk, secret)
