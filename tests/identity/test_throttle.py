"""Attempts are counted in the database, by account and by address, so that all processes agree when it is enough."""

import asyncio
from itertools import count

import pytest
import sqlalchemy as sa

from identity.throttle import Key, Limit, Throttle, Wait, account_limit, address_limit, network_of
from storage.engine import Database
from storage.own_tables import THROTTLE
from tests.identity.world import Clock

THREE = Limit(free=3, first_s=1, longest_s=10, forget_s=100)
MANY = Limit(free=1_000)
_names = count(1)


@pytest.fixture
def account() -> Key:
    return account_limit(f"account {next(_names)}", THREE)


@pytest.fixture
def address() -> Key:
    return address_limit(f"192.0.2.{next(_names) % 250}", MANY)


@pytest.fixture
def throttle(database: Database, clock: Clock) -> Throttle:
    return Throttle(database, clock)


async def wait(throttle: Throttle, *keys: Key) -> int:
    """How many seconds the next attempt has to wait; it counts if that is none."""
    found = await throttle.take(keys)
    return found.seconds if found else 0


def test_the_pause_doubles_up_to_the_longest() -> None:
    assert [THREE.pause_s(attempts) for attempts in range(10)] == [0, 0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert THREE.pause_s(1_000_000) == 10


async def test_after_the_free_attempts_each_waits_longer_than_the_one_before(
    throttle: Throttle, clock: Clock, account: Key, address: Key
) -> None:
    assert [await wait(throttle, account, address) for _ in range(5)] == [0, 0, 0, 0, 1]
    pauses = []
    for _ in range(6):
        pause = await wait(throttle, account, address)
        pauses.append(pause)
        clock.now += pause
        assert await wait(throttle, account, address) == 0
    assert pauses == [1, 2, 4, 8, 10, 10]


async def test_an_attempt_that_has_to_wait_does_not_make_the_wait_longer(
    throttle: Throttle, clock: Clock, account: Key, address: Key
) -> None:
    for _ in range(4):
        await throttle.take([account, address])
    assert [await wait(throttle, account, address) for _ in range(5)] == [1] * 5
    clock.now += 0.4
    assert await wait(throttle, account, address) == 1  # whole seconds, never too few
    clock.now += 0.6
    assert await wait(throttle, account, address) == 0


async def test_the_first_that_has_to_wait_is_told_apart_so_that_the_audit_has_one_row_a_pause(
    throttle: Throttle, clock: Clock, account: Key, address: Key
) -> None:
    for _ in range(4):
        await throttle.take([account, address])
    assert [await throttle.take([account, address]) for _ in range(3)] == [Wait(1, is_first=True)] + [
        Wait(1, is_first=False)
    ] * 2
    clock.now += 1
    await throttle.take([account, address])
    assert await throttle.take([account, address]) == Wait(2, is_first=True)


async def test_all_is_forgotten_after_a_while(throttle: Throttle, clock: Clock, account: Key, address: Key) -> None:
    for _ in range(4):
        await throttle.take([account, address])
    clock.now += 101
    assert [await wait(throttle, account, address) for _ in range(5)] == [0, 0, 0, 0, 1]


async def test_many_at_once_are_let_in_no_more_often_than_many_in_a_row(
    database: Database, clock: Clock, account: Key, address: Key
) -> None:
    """Two processes, as far as the database can tell."""
    processes = [Throttle(database, clock), Throttle(database.beside(pool_size=3), clock)]
    waits = await asyncio.gather(*(wait(processes[turn % 2], account, address) for turn in range(20)))
    assert sorted(waits) == [0] * 4 + [1] * 16


async def test_another_account_is_not_stopped_but_the_address_counts_all_of_them(
    throttle: Throttle, account: Key
) -> None:
    address = address_limit("198.51.100.1", Limit(free=6))
    for _ in range(5):
        await throttle.take([account, address])
    others = [account_limit(f"other {next(_names)}", THREE) for _ in range(4)]
    assert [await wait(throttle, other, address) for other in others] == [0, 0, 0, 1]
    assert await wait(throttle, others[0], address_limit("198.51.100.2", MANY)) == 0


async def test_a_success_lets_the_account_start_anew_and_gives_the_address_one_attempt_back(
    throttle: Throttle, account: Key
) -> None:
    address = address_limit(f"203.0.113.{next(_names) % 250}", Limit(free=6))
    for _ in range(4):
        await throttle.take([account, address])
    await throttle.forgive(account, address)
    assert await wait(throttle, account, address) == 0
    other = account_limit(f"other {next(_names)}", MANY)
    assert [await wait(throttle, other, address) for _ in range(4)] == [0, 0, 0, 1]


async def test_an_office_that_signs_in_successfully_is_never_stopped(throttle: Throttle) -> None:
    address = address_limit(f"10.0.0.{next(_names) % 250}", THREE)
    for number in range(20):
        account = account_limit(f"office {number} {next(_names)}", THREE)
        assert await wait(throttle, account, address) == 0
        await throttle.forgive(account, address)


async def test_what_counts_for_nothing_any_more_is_removed(
    throttle: Throttle, database: Database, clock: Clock, account: Key, address: Key
) -> None:
    clock.now += 10_000_000  # later than what other tests left here
    await throttle.take([account, address])
    assert await throttle.sweep() >= 0
    clock.now += 3_601
    fresh = account_limit(f"fresh {next(_names)}", THREE)
    await throttle.take([fresh])
    assert await throttle.sweep() == 2
    assert await database.fetch(sa.select(THROTTLE.c.name)) == [(fresh.name,)]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix socket", "unix socket"),
        ("x" * 100, "x" * 45),
        ("1.2.3.4\0\n, 5.6.7.8", "1.2.3.4, 5.6.7.8"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
