"""The database as a provider: OTRS's column is verified and left alone, and our own hash counts for as long as it is the same."""

from typing import Any

import pytest
import sqlalchemy as sa

from identity.accounts import Standing
from identity.argon import Argon
from identity.errors import Throttled
from identity.hashing import Hashing
from identity.passwords import hash_password
from identity.principals import Agent, Customer, Kind
from identity.providers import DatabaseProvider
from storage.errors import WriteFailed
from storage.own_tables import CREDENTIAL
from tests.identity.world import CHEAP, Desk

DES = "roK20XGbWEsSM"  # root
SHA = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"  # root


class Counting(Argon):
    """Counts the slow hashes."""

    calls: list[str]

    def is_right(self, secret: bytes, stored: str) -> bool:
        self.calls.append("decoy" if stored == self.decoy else "own")
        return super().is_right(secret, stored)


async def kept(desk: Desk, standing: Standing) -> list[Any]:
    own = CREDENTIAL.c.account_kind == str(standing.person.kind), CREDENTIAL.c.account_id == standing.person.id
    return [row[0] for row in await desk.database.fetch(sa.select(CREDENTIAL.c.hash).where(*own))]


async def column(desk: Desk, standing: Standing) -> str:
    login = sa.column("login") == standing.person.login
    rows = await desk.database.fetch(sa.select(sa.column("pw")).select_from(sa.table("users")).where(login))
    return str(rows[0][0])


async def test_an_agent_with_the_right_password_is_let_in(desk: Desk) -> None:
    agent = await desk.agent(DES)
    checked = await desk.provider().check(Kind.AGENT, agent.person.login, "root")
    assert checked.is_right
    assert checked.standing == agent
    assert isinstance(agent.person, Agent)


async def test_a_customer_is_found_among_customers_only(desk: Desk) -> None:
    customer = await desk.customer(SHA)
    assert customer.person == Customer(customer.person.id, customer.person.login, "acme")
    assert (await desk.provider().check(Kind.CUSTOMER, customer.person.login, "root")).is_right
    assert not (await desk.provider().check(Kind.AGENT, customer.person.login, "root")).is_right


async def test_the_seeded_agent_of_otrs_can_sign_in(desk: Desk) -> None:
    await desk.write("UPDATE users SET pw = :pw WHERE id = 1", pw=DES)
    assert (await desk.provider().check(Kind.AGENT, "root@localhost", "root")).is_right


async def test_a_sign_in_keeps_a_hash_of_our_own_and_leaves_otrs_s_alone(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    await desk.provider().check(Kind.AGENT, agent.person.login, "root")
    (made,) = await kept(desk, agent)
    assert made.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await column(desk, agent) == SHA


async def test_from_then_on_our_hash_is_what_counts(desk: Desk) -> None:
    """bcrypt looks at 72 bytes; ours knows the whole password, so nothing is cut off any more."""
    password = "p" * 70 + "the end"
    agent = await desk.agent(hash_password("p" * 70 + "th", cost=4))
    assert (await desk.provider().check(Kind.AGENT, agent.person.login, password)).is_right
    assert (await desk.provider().check(Kind.AGENT, agent.person.login, password)).is_right
    assert not (await desk.provider().check(Kind.AGENT, agent.person.login, password + "!")).is_right


async def test_a_wrong_password_keeps_no_hash(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    assert not (await desk.provider().check(Kind.AGENT, agent.person.login, "Root")).is_right
    assert await kept(desk, agent) == []


async def test_a_password_that_otrs_changed_voids_our_hash(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    await desk.provider().check(Kind.AGENT, agent.person.login, "root")
    await desk.write(
        "UPDATE users SET pw = :pw WHERE login = :login", pw=hash_password("new", cost=4), login=agent.person.login
    )
    assert not (await desk.provider().check(Kind.AGENT, agent.person.login, "root")).is_right
    assert (await desk.provider().check(Kind.AGENT, agent.person.login, "new")).is_right
    assert len(await kept(desk, agent)) == 1
    assert not (await desk.provider().check(Kind.AGENT, agent.person.login, "root")).is_right


async def test_a_hash_at_yesterday_s_cost_is_made_anew(desk: Desk) -> None:
    agent = await desk.agent(SHA)
    await desk.provider().check(Kind.AGENT, agent.person.login, "root")
    dearer = desk.provider(argon=Argon(memory_kib=128, passes=1))
    assert (await dearer.check(Kind.AGENT, agent.person.login, "root")).is_right
    (made,) = await kept(desk, agent)
    assert "m=128," in made
    assert (await dearer.check(Kind.AGENT, agent.person.login, "root")).is_right


@pytest.mark.parametrize("valid", [2, 3])
async def test_only_valid_accounts_sign_in(desk: Desk, valid: int) -> None:
    agent = await desk.agent(SHA, valid=valid)
    checked = await desk.provider().check(Kind.AGENT, agent.person.login, "root")
    assert (checked.is_right, checked.standing) == (False, agent)


@pytest.mark.parametrize("stored", ["", None])
async def test_an_account_without_a_password_lets_nobody_in(desk: Desk, stored: str | None) -> None:
    customer = await desk.customer(stored)
    for provider in (desk.provider(), desk.provider(plain=True)):
        for password in ("", "None", "root"):
            assert not (await provider.check(Kind.CUSTOMER, customer.person.login, password)).is_right


async def test_plain_text_counts_only_where_a_setting_says_so(desk: Desk) -> None:
    customer = await desk.customer("open sesame")
    assert not (await desk.provider().check(Kind.CUSTOMER, customer.person.login, "open sesame")).is_right
    assert (await desk.provider(plain=True).check(Kind.CUSTOMER, customer.person.login, "open sesame")).is_right


async def test_a_login_may_be_typed_in_capitals_but_not_otherwise(desk: Desk) -> None:
    agent = await desk.agent(SHA, login=f"zoé.{id(desk)}")
    login = agent.person.login
    for typed in (login, login.upper(), login.replace("é", "e\N{COMBINING ACUTE ACCENT}")):
        assert (await desk.provider().check(Kind.AGENT, typed, "root")).is_right, typed
    for typed in (login.replace("é", "e"), f"{login} ", f" {login}", f"{login}\0", "%", login[:-1]):
        assert (await desk.provider().check(Kind.AGENT, typed, "root")).standing is None, typed


@pytest.mark.parametrize("login", ["", "\0", "\ud800", "x" * 100_000, "' OR 1=1 --", "nobody"])
async def test_a_login_that_nobody_has_is_nobody_s(desk: Desk, login: str) -> None:
    for kind in (Kind.AGENT, Kind.CUSTOMER):
        checked = await desk.provider().check(kind, login, "root")
        assert (checked.is_right, checked.standing) == (False, None)


async def test_an_unknown_login_is_as_much_work_as_a_wrong_password(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One argon2 and the same statements for each: for nobody, a wrong password, an old form, and a disabled account."""
    fresh, known, gone = await desk.agent(SHA), await desk.agent(SHA), await desk.agent(SHA, valid=2)
    await desk.provider().check(Kind.AGENT, known.person.login, "root")
    argon = Counting(CHEAP.memory_kib, CHEAP.passes)
    object.__setattr__(argon, "calls", [])
    statements: list[str] = []
    monkeypatch.setattr(desk.database, "statements", statements.append)

    async def work(login: str) -> tuple[list[str], list[str]]:
        argon.calls.clear()
        statements.clear()
        assert not (await desk.provider(argon=argon).check(Kind.AGENT, login, "wrong")).is_right
        return list(statements), list(argon.calls)

    asked, _ = await work("nobody")
    assert await work("nobody") == (asked, ["decoy"])
    assert await work(fresh.person.login) == (asked, ["decoy"])
    assert await work(known.person.login) == (asked, ["own"])
    assert await work(gone.person.login) == (asked, ["decoy"])
    assert len(asked) == 3


def test_a_decoy_costs_what_a_hash_costs() -> None:
    argon = Argon()
    assert argon.decoy.startswith(f"$argon2id$v=19$m={argon.memory_kib},t={argon.passes},p=1$")
    assert not argon.is_dated(argon.decoy)
    assert not argon.is_right(b"root", argon.decoy)


def test_a_hash_that_is_none_is_never_right() -> None:
    assert not CHEAP.is_right(b"root", "")
    assert not CHEAP.is_right(b"root", "$argon2id$v=19$nonsense")


async def test_a_hash_that_cannot_be_kept_keeps_nobody_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise WriteFailed("the disk is full")

    agent = await desk.agent(SHA)
    monkeypatch.setattr("identity.providers.keep_hash", fail)
    assert (await desk.provider().check(Kind.AGENT, agent.person.login, "root")).is_right
    assert caplog.messages == ["A password hash could not be kept: The database cannot write (the disk is full)."]


async def test_too_many_hashes_at_once_are_sent_away(desk: Desk) -> None:
    full = DatabaseProvider(desk.database, desk.keys, Hashing(at_once=1, waiting=-1), argon=CHEAP)
    with pytest.raises(Throttled) as refused:
        await full.check(Kind.AGENT, "nobody", "root")
    assert refused.value.retry_after_s == 1
