"""Signing in with login and password: throttled, answered alike whatever was wrong, and noted in the audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from identity.accounts import Standing, account_key
from identity.audit import Attempt, Outcome, note
from identity.errors import SignInRefused, Throttled
from identity.keys import Keys
from identity.principals import Kind
from identity.providers import Provider
from identity.throttle import ACCOUNT, ADDRESS, Limit, Throttle, account_limit, address_limit
from storage.engine import Database

REFUSAL_S = 1.0  # a refusal takes as long as the slowest of OTRS's usual hashes would, whichever an account has


@dataclass(frozen=True, slots=True)
class Limits:
    """How many attempts are free for one account, and from one address."""

    account: Limit = ACCOUNT
    address: Limit = ADDRESS


@dataclass(frozen=True, slots=True)
class Timing:
    """Clocks, which tests turn: seconds since 1970, seconds that never go back, and a pause."""

    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)


class SignIn:
    """The door for people. Providers are asked in their order; the first that says yes lets in."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        providers: Sequence[Provider],
        *,
        limits: Limits = Limits(),
        timing: Timing = Timing(),
    ) -> None:
        self._database = database
        self._keys = keys
        self._providers = providers
        self._limits = limits
        self._timing = timing
        self._throttle = Throttle(database, timing.clock)

    async def check(self, kind: Kind, login: str, password: str, address: str) -> Standing:
        """Check login and password of an agent or a customer, and return the account to start a session for.

        `address` is the client's IP address, as text. Raises `SignInRefused` after `REFUSAL_S` for whatever is wrong,
        `Throttled` at once, and `StorageError` while the database is away.
        """
        started = self._timing.monotonic()
        name = account_key(self._keys.account, kind, login)
        keys = account_limit(name, self._limits.account), address_limit(address, self._limits.address)
        wait = await self._throttle.take(keys)
        if wait is not None:
            if wait.is_first:
                await self._note(Attempt(Outcome.THROTTLED, kind, name, None, address))
            raise Throttled(wait.seconds)
        meant: Standing | None = None
        for provider in self._providers:
            checked = await provider.check(kind, login, password)
            meant = meant or checked.standing
            if checked.is_right and checked.standing is not None:
                await self._throttle.forgive(*keys)
                await self._note(Attempt(Outcome.OK, kind, name, checked.standing.person, address))
                return checked.standing
        await self._note(Attempt(Outcome.REFUSED, kind, name, meant.person if meant else None, address))
        await self._timing.sleep(max(started + REFUSAL_S - self._timing.monotonic(), 0.0))
        raise SignInRefused

    async def _note(self, attempt: Attempt) -> None:
        async with self._database.transaction() as transaction:
            await note(transaction, attempt, self._timing.clock())
