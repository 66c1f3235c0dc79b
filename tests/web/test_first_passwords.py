"""The passwords of a new database: an operator's, a generated one, or the demo's; each lets in, and none is known to everybody."""

import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.first_agent import LOGIN, SEED
from identity.principals import Kind
from storage.demo import fill
from storage.engine import Database
from tests.databases import fresh_url
from web.first_passwords import KnownPassword, check_reach, demo_password, give_passwords
from web.identities import Identities, make_identities
from web.settings import Settings


@pytest.fixture
async def identities(tmp_path: Path) -> AsyncIterator[Identities]:
    with fresh_url("sqlite") as url:
        made = make_identities(Settings(var_dir=tmp_path), Database(url), b"k" * 32)
        yield made
        made.hashing.close()
        await made.database.close()


async def give(identities: Identities, settings: Settings) -> list[str]:
    return await give_passwords(settings, identities.database, identities.hashing)


async def test_an_operator_chooses_the_first_password_and_nothing_is_shown(
    identities: Identities, tmp_path: Path
) -> None:
    chosen = Settings(var_dir=tmp_path, admin_password="of the operator")

    assert await give(identities, chosen) == []
    assert (await identities.sign_in.check(Kind.AGENT, LOGIN, "of the operator", "")).person.id == 1
    assert await give(identities, Settings(var_dir=tmp_path, admin_password="another one")) == []  # too late
    assert (await identities.sign_in.check(Kind.AGENT, LOGIN, "of the operator", "")).person.id == 1


async def test_everybody_in_the_demo_has_one_password_that_is_shown_at_every_start(
    identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def small(database: Database, *, password_hash: str) -> bool:
        return await fill(database, tickets=10, password_hash=password_hash)

    monkeypatch.setattr("storage.demo.fill", small)
    settings = Settings(var_dir=tmp_path, demo=True)
    with caplog.at_level(logging.DEBUG):
        first, second = await give(identities, settings), await give(identities, settings)

    password = demo_password(settings)
    agent, customer = first[0].split(", ")[1].split(" (agent) or ")
    assert first == second
    assert first[0].startswith(f"Demo: sign in as {LOGIN} (administrator), ")
    assert first[0].endswith(f"Everybody's password is {password}")
    for kind, login in ((Kind.AGENT, LOGIN), (Kind.AGENT, agent), (Kind.CUSTOMER, customer.split(" (")[0])):
        assert (await identities.sign_in.check(kind, login, password, "")).person.login == login
    assert stat.S_IMODE((tmp_path / "demo.password").stat().st_mode) == 0o600
    assert password not in caplog.text


async def test_d20_otrs_first_password_is_for_this_machine_only(identities: Identities) -> None:
    async with identities.database.transaction() as transaction:
        await transaction.execute(f"UPDATE users SET pw = '{SEED}' WHERE id = 1")  # noqa: S608 - our own words

    await check_reach(Settings(), identities.database)
    with pytest.raises(KnownPassword, match="other machines can reach"):
        await check_reach(Settings(host="0.0.0.0"), identities.database)  # noqa: S104 - compared, not bound
