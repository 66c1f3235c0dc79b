"""The first agent gets a password once, and the one that OTRS seeds is noticed for as long as it is there."""

import asyncio

import pytest

from identity.first_agent import LOGIN, SEED, give_password, has_seed_password
from identity.passwords import PasswordTooLong
from identity.principals import Kind
from storage.engine import Database
from tests.databases import fresh_url
from tests.identity.world import Clock, Desk


async def set_pw(desk: Desk, stored: str, valid: int = 1) -> None:
    await desk.write(
        "UPDATE users SET pw = :pw, valid_id = :valid WHERE login = :login", pw=stored, valid=valid, login=LOGIN
    )


@pytest.fixture(autouse=True)
async def _new(desk: Desk) -> None:
    await set_pw(desk, "!")


async def can_sign_in(desk: Desk, password: str) -> bool:
    return (await desk.provider().check(Kind.AGENT, LOGIN, password)).is_right


async def test_nobody_signs_in_before_the_first_agent_has_a_password(desk: Desk) -> None:
    for password in ("!", "", "root"):
        assert not await can_sign_in(desk, password)
        assert not (await desk.provider(plain=True).check(Kind.AGENT, LOGIN, password)).is_right


async def test_the_first_agent_gets_the_password_that_the_operator_wants(desk: Desk) -> None:
    assert await give_password(desk.database, desk.hashing, "correct horse") == "correct horse"
    assert await can_sign_in(desk, "correct horse")


async def test_without_a_wish_a_password_is_generated(desk: Desk) -> None:
    made = await give_password(desk.database, desk.hashing)
    assert made is not None
    assert len(made) == 20
    assert await can_sign_in(desk, made)


async def test_a_new_database_is_one_whose_first_agent_has_no_password() -> None:
    with fresh_url("sqlite") as url:
        desk = Desk(Database(url), Clock())
        assert not await has_seed_password(desk.database)
        assert await give_password(desk.database, desk.hashing) is not None
        await desk.database.close()


@pytest.mark.parametrize("stored", [SEED, "chosen", ""])
async def test_a_password_that_is_there_is_left_alone(desk: Desk, stored: str) -> None:
    await set_pw(desk, stored)
    assert await give_password(desk.database, desk.hashing, "other") is None
    assert not await can_sign_in(desk, "other")


async def test_of_several_processes_at_once_one_gives_it(desk: Desk) -> None:
    made = await asyncio.gather(*(give_password(desk.database, desk.hashing) for _ in range(3)))
    (password,) = [each for each in made if each is not None]
    assert await can_sign_in(desk, password)


async def test_a_password_that_would_be_cut_is_refused(desk: Desk) -> None:
    with pytest.raises(PasswordTooLong):
        await give_password(desk.database, desk.hashing, "x" * 73)


async def test_the_seed_password_of_otrs_is_noticed(desk: Desk) -> None:
    assert not await has_seed_password(desk.database)
    await set_pw(desk, SEED)
    assert await has_seed_password(desk.database)
    assert await can_sign_in(desk, "root")
    await set_pw(desk, SEED, valid=2)
    assert not await has_seed_password(desk.database)
