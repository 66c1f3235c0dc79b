"""The first agent gets a password of its own, once; OTRS's seeded one is noticed for as long as it is there."""

import asyncio

import pytest

from identity.first_agent import LOGIN, SEED, give_password, has_seed_password
from identity.passwords import PasswordTooLong
from identity.principals import Kind
from tests.identity.world import Desk


@pytest.fixture(autouse=True)
async def _seeded(desk: Desk) -> None:
    await desk.write("UPDATE users SET pw = :pw, valid_id = 1 WHERE login = :login", pw=SEED, login=LOGIN)


async def can_sign_in(desk: Desk, password: str) -> bool:
    return (await desk.provider().check(Kind.AGENT, LOGIN, password)).is_right


async def test_a_new_database_has_the_seed_password_until_another_is_given(desk: Desk) -> None:
    assert await has_seed_password(desk.database)
    assert await can_sign_in(desk, "root")
    assert await give_password(desk.database, desk.hashing, "correct horse") == "correct horse"
    assert not await has_seed_password(desk.database)
    assert await can_sign_in(desk, "correct horse")
    assert not await can_sign_in(desk, "root")


async def test_without_a_wish_a_password_is_generated(desk: Desk) -> None:
    made = await give_password(desk.database, desk.hashing)
    assert made is not None
    assert len(made) == 20
    assert await can_sign_in(desk, made)


async def test_a_password_that_somebody_chose_is_left_alone(desk: Desk) -> None:
    await give_password(desk.database, desk.hashing, "chosen")
    assert await give_password(desk.database, desk.hashing, "other") is None
    assert await can_sign_in(desk, "chosen")


async def test_of_several_processes_at_once_one_gives_it(desk: Desk) -> None:
    made = await asyncio.gather(*(give_password(desk.database, desk.hashing) for _ in range(3)))
    (password,) = [each for each in made if each is not None]
    assert await can_sign_in(desk, password)


async def test_a_password_that_would_be_cut_is_refused(desk: Desk) -> None:
    with pytest.raises(PasswordTooLong):
        await give_password(desk.database, desk.hashing, "x" * 73)


async def test_the_seed_password_of_an_account_that_is_disabled_is_no_danger(desk: Desk) -> None:
    await desk.write("UPDATE users SET valid_id = 2 WHERE login = :login", login=LOGIN)
    assert not await has_seed_password(desk.database)
