"""How often somebody may try to sign in, by account and by address, kept in the database so that all processes agree.

An attempt counts when it begins, not when it has failed: of many at once, no more are let in than of many in a row.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from identity.texts import clean
from storage.direct import Kept
from storage.engine import Database
from storage.own_tables import THROTTLE
from storage.retry import run
from storage.transaction import Transaction

PATIENCE_S = 5.0
IPV6_PREFIX = 64  # of the network that one household or one server is given
ADDRESS_LETTERS = 45
SWEEP_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts are free; the next waits `first_s`, every further one twice as long as the one before."""

    free: int
    first_s: float = 1.0
    longest_s: float = 900.0
    forget_s: float = 3_600.0  # without an attempt, and all is forgotten

    def pause_s(self, attempts: int) -> float:
        """How long to wait after so many attempts that did not succeed."""
        over = attempts - self.free
        return min(self.first_s * 2.0 ** min(over - 1, 60), self.longest_s) if over > 0 else 0.0


ACCOUNT = Limit(free=5)
ADDRESS = Limit(free=50)  # a whole office may come from one


@dataclass(frozen=True, slots=True)
class Key:
    """What attempts are counted by, and how many."""

    name: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Wait:
    """An attempt that is not looked at: for how many whole seconds, and whether this is the first one so refused."""

    seconds: int
    is_first: bool


_COLUMNS = THROTTLE.c
_ROW = "INSERT INTO lambdesk_throttle (name, failures, tried, free_at, told) VALUES (:name, 0, 0, 0, 0) ON "
# Makes the row where it is missing, and locks it for writing at once: two that locked it for reading could never go on.
_TAKE = {
    "mysql": Kept(sa.text(f"{_ROW} DUPLICATE KEY UPDATE failures = failures")),
    "postgresql": Kept(sa.text(f"{_ROW} CONFLICT (name) DO UPDATE SET failures = lambdesk_throttle.failures")),
    "sqlite": Kept(sa.text(f"{_ROW} CONFLICT (name) DO NOTHING")),  # there the transaction has locked everything
}
_READ = Kept(
    sa.select(_COLUMNS.failures, _COLUMNS.tried, _COLUMNS.free_at, _COLUMNS.told)
    .where(_COLUMNS.name == sa.bindparam("of"))
    .with_for_update()  # on MariaDB an ordinary read may see a time before the other's COMMIT
)
_WRITE = Kept(
    sa.update(THROTTLE)
    .where(_COLUMNS.name == sa.bindparam("of"))
    .values(
        failures=sa.bindparam("count"), tried=sa.bindparam("at"), free_at=sa.bindparam("open"), told=sa.bindparam("say")
    )
)


def account_limit(account_key: str, limit: Limit = ACCOUNT) -> Key:
    """Count attempts for an account, named by `accounts.account_key`."""
    return Key(f"account:{account_key}", limit)


def address_limit(address: str, limit: Limit = ADDRESS) -> Key:
    """Count attempts from an address: an IPv6 client has a whole /64 to come from, so that is what counts."""
    return Key(f"address:{network_of(address)}", limit)


def network_of(address: str) -> str:
    """Return what an address is counted as. What is no address (a socket of this machine) is counted by its first letters."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return clean(address, ADDRESS_LETTERS)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
        found = found.ipv4_mapped
    return str(found)


class Throttle:
    """Attempts in `lambdesk_throttle`. `clock` gives seconds since 1970, and should agree between processes to a second."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def take(self, keys: Sequence[Key]) -> Wait | None:
        """Count an attempt under all keys, in one order everywhere; or say how long to wait, and count nothing."""

        async def work(transaction: Transaction) -> Wait | None:
            rows = [await self._lock(transaction, key) for key in keys]
            now = self._now()
            free_at = max(row.free_at for row in rows)
            if free_at > now:
                is_first = all(row.told != row.free_at for row in rows if row.free_at > now)
                for key, row in zip(keys, rows, strict=True):
                    if row.free_at > now:
                        await _write(transaction, key, _Row(row.failures, row.tried, row.free_at, row.free_at))
                return Wait(math.ceil((free_at - now) / 1_000), is_first)
            for key, row in zip(keys, rows, strict=True):
                failures = row.failures + 1
                open_at = now + round(key.limit.pause_s(failures) * 1_000)
                await _write(transaction, key, _Row(failures, now, open_at, row.told))
            return None

        return await run(self._database, work, deadline=time.monotonic() + PATIENCE_S)

    async def forgive(self, account: Key, address: Key) -> None:
        """Let an account start anew after an attempt that succeeded; the address gets back this one attempt only.

        Otherwise whoever has one account could try others without end, signing in with his own now and then.
        """

        async def work(transaction: Transaction) -> None:
            await self._lock(transaction, account)
            row = await self._lock(transaction, address)
            now = self._now()
            await _write(transaction, account, _Row(0, now, 0, 0))
            failures = max(row.failures - 1, 0)
            open_at = min(row.free_at, row.tried + round(address.limit.pause_s(failures) * 1_000))
            await _write(transaction, address, _Row(failures, row.tried, open_at, row.told))

        await run(self._database, work, deadline=time.monotonic() + PATIENCE_S)

    async def sweep(self) -> int:
        """Forget what counts for nothing any more; return how many rows that were."""
        before = self._now() - round(max(ACCOUNT.forget_s, ADDRESS.forget_s) * 1_000)
        gone = 0
        while True:
            old = sa.select(_COLUMNS.name).where(_COLUMNS.tried < before, _COLUMNS.free_at < before).limit(SWEEP_ROWS)
            names = [row[0] for row in await self._database.fetch(old)]
            if names:
                async with self._database.transaction() as transaction:
                    gone += await transaction.change(
                        sa.delete(THROTTLE).where(_COLUMNS.name.in_(names), _COLUMNS.tried < before)
                    )
            if len(names) < SWEEP_ROWS:
                return gone

    async def _lock(self, transaction: Transaction, key: Key) -> _Row:
        await transaction.execute(_TAKE[transaction.dialect.name], {"name": key.name})
        row = _Row(*(await transaction.execute(_READ, {"of": key.name}))[0])
        is_old = row.tried + key.limit.forget_s * 1_000 < self._now()
        return _Row(0, 0, 0, 0) if is_old else row

    def _now(self) -> int:
        return round(self._clock() * 1_000)


@dataclass(frozen=True, slots=True)
class _Row:
    failures: int
    tried: int
    free_at: int
    told: int


async def _write(transaction: Transaction, key: Key, row: _Row) -> None:
    values = {"of": key.name, "count": row.failures, "at": row.tried, "open": row.free_at, "say": row.told}
    await transaction.execute(_WRITE, values)
