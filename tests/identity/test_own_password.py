"""Changing one's own password: OTRS takes the new one, nobody keeps a session of before, and of two changes one counts."""

import asyncio

import pytest

from identity.credentials import find_hash
from identity.errors import NotSignedIn, SignInRefused
from identity.own_password import BadPassword, OwnPassword
from identity.passwords import hash_password
from identity.principals import Kind
from identity.stored_forms import is_right
from tests.identity.world import CHEAP, Desk

OLD, NEW = "the old password", "the new password"


def changer(desk: Desk) -> OwnPassword:
    return OwnPassword(
        desk.database, desk.keys, desk.hashing, desk.sign_in, desk.sessions, argon=CHEAP, clock=desk.clock
    )


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.CUSTOMER])
async def test_a_new_password_is_otrs_and_ours_and_ends_what_was_begun_with_the_old(desk: Desk, kind: Kind) -> None:
    stored = hash_password(OLD, cost=4)
    before = await (desk.agent(stored) if kind is Kind.AGENT else desk.customer(stored))
    cookie = await desk.sessions.start_page(before, address="", client="")
    refreshed = await desk.refresh.start(before, address="", client="")

    after = await changer(desk).change(before.person, OLD, NEW, "192.0.2.1")

    assert after.person == before.person
    assert after.stamp != before.stamp
    assert is_right(NEW.encode(), after.stored)
    assert await find_hash(desk.database, after) is not None
    for check in (desk.sessions.check_page(cookie), desk.sessions.check(refreshed.session_id)):
        with pytest.raises(NotSignedIn):
            await check
    with pytest.raises(NotSignedIn):
        await desk.refresh.refresh(refreshed.token, address="")
    assert (await desk.sign_in.check(kind, before.person.login, NEW, "192.0.2.1")).stamp == after.stamp
    with pytest.raises(SignInRefused):
        await desk.sign_in.check(kind, before.person.login, OLD, "192.0.2.1")


async def test_of_two_changes_at_once_one_counts(desk: Desk) -> None:
    person = (await desk.agent(hash_password(OLD, cost=4))).person
    wanted = [f"{NEW} {number}" for number in range(2)]

    done = await asyncio.gather(
        *(changer(desk).change(person, OLD, new, "192.0.2.2") for new in wanted), return_exceptions=True
    )

    won = [new for new, outcome in zip(wanted, done, strict=True) if not isinstance(outcome, BaseException)]
    lost = [outcome for outcome in done if isinstance(outcome, BaseException)]
    assert len(won) == 1
    assert isinstance(lost[0], NotSignedIn | SignInRefused)
    assert (await desk.sign_in.check(Kind.AGENT, person.login, won[0], "192.0.2.2")).person == person


async def test_a_wrong_old_password_or_a_bad_new_one_changes_nothing(desk: Desk) -> None:
    before = await desk.agent(hash_password(OLD, cost=4))
    for old, new, error in (
        ("wrong", NEW, SignInRefused),
        (OLD, "short", BadPassword),
        (OLD, "\ud800" * 9, BadPassword),
    ):
        with pytest.raises(error):
            await changer(desk).change(before.person, old, new, "192.0.2.3")

    assert (await desk.stand(Kind.AGENT, "users", before.person.login)).stamp == before.stamp


@pytest.mark.parametrize(
    "new",
    [
        "plough zebra " * 5 + "a tree.",
        "\U0001f98a\U0001f333\U0001f680\U0001f9ca\U0001f3b2\U0001f4a1" * 3,
        "nur kleine buchstaben",
    ],
)
async def test_any_letters_make_a_password_up_to_72_bytes(desk: Desk, new: str) -> None:
    person = (await desk.agent(hash_password(OLD, cost=4))).person

    await changer(desk).change(person, OLD, new, "192.0.2.4")

    assert (await desk.sign_in.check(Kind.AGENT, person.login, new, "192.0.2.4")).person == person


async def test_a_password_does_not_age(desk: Desk) -> None:
    person = (await desk.agent(hash_password(OLD, cost=4))).person
    await desk.sign_in.check(Kind.AGENT, person.login, OLD, "192.0.2.5")
    desk.clock.now += 10 * 365 * 86_400

    assert (await desk.sign_in.check(Kind.AGENT, person.login, OLD, "192.0.2.5")).person == person
