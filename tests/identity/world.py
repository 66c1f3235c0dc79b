"""Accounts as OTRS makes them, and everything of the room put together over one database and one clock."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import sqlalchemy as sa

from identity.access_tokens import AccessTokens
from identity.accounts import Standing, read_standing
from identity.api_tokens import ApiTokens
from identity.argon import Argon
from identity.callers import Callers
from identity.hashing import Hashing
from identity.keys import Keys, derive_keys
from identity.principals import Kind
from identity.providers import DatabaseProvider
from identity.refresh import RefreshTokens
from identity.sessions import Sessions
from identity.sign_in import SignIn, Timing
from storage.engine import Database
from storage.own_tables import SIGN_IN

SECRET = b"the secret of a test's server, of 32 bytes or more"
CHEAP = Argon(memory_kib=64, passes=1)
_numbers = count(1)
# An agent gets another role, or a right on a group.
ROLE = (
    "INSERT INTO role_user (user_id, role_id, create_time, create_by, change_time, change_by) "
    "VALUES (:id, 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)"
)
GROUP = (
    "INSERT INTO group_user (user_id, group_id, permission_key, create_time, create_by, change_time, change_by) "
    "VALUES (:id, 1, 'ro', CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)"
)


@dataclass
class Clock:
    """A clock that stands still until a test turns it: seconds since 1970, which also never go back."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Desk:
    """One server's part of the room."""

    database: Database
    clock: Clock
    keys: Keys = field(default_factory=lambda: derive_keys(SECRET))

    @cached_property
    def hashing(self) -> Hashing:
        return Hashing()

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.database, self.keys, clock=self.clock, monotonic=self.clock)

    @cached_property
    def refresh(self) -> RefreshTokens:
        return RefreshTokens(self.database, self.keys, self.sessions.forget, clock=self.clock)

    @cached_property
    def access(self) -> AccessTokens:
        return AccessTokens(self.keys, issuer="https://desk.example", audience="lambdesk", clock=self.clock)

    @cached_property
    def api_tokens(self) -> ApiTokens:
        return ApiTokens(self.database, self.keys, clock=self.clock, monotonic=self.clock)

    @cached_property
    def callers(self) -> Callers:
        return Callers(self.sessions, self.access, self.api_tokens)

    @cached_property
    def sign_in(self) -> SignIn:
        timing = Timing(self.clock, self.clock, self.clock.sleep)
        return SignIn(self.database, self.keys, [self.provider()], timing=timing)

    def provider(self, *, plain: bool = False, argon: Argon = CHEAP) -> DatabaseProvider:
        return DatabaseProvider(self.database, self.keys, self.hashing, plain=plain, argon=argon, clock=self.clock)

    async def agent(self, stored: str = "", login: str | None = None, valid: int = 1) -> Standing:
        """Make an agent; `stored` is the text of its column `pw`."""
        name = login or f"agent{next(_numbers)}"
        await self.write(
            "INSERT INTO users (login, pw, first_name, last_name, valid_id, create_time, create_by, change_time, change_by) "
            "VALUES (:login, :pw, 'Ada', 'Ames', :valid, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)",
            login=name,
            pw=stored,
            valid=valid,
        )
        return await self.stand(Kind.AGENT, "users", name)

    async def customer(self, stored: str | None = "", login: str | None = None, company: str = "acme") -> Standing:
        """Make a customer."""
        name = login or f"customer{next(_numbers)}"
        await self.write(
            "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, "
            "create_time, create_by, change_time, change_by) VALUES (:login, 'c@example.org', :company, :pw, "
            "'Cleo', 'Cole', 1, CURRENT_TIMESTAMP, 1, CURRENT_TIMESTAMP, 1)",
            login=name,
            company=company,
            pw=stored,
        )
        return await self.stand(Kind.CUSTOMER, "customer_user", name)

    async def stand(self, kind: Kind, table: str, login: str) -> Standing:
        rows = await self.database.fetch(
            sa.select(sa.column("id")).select_from(sa.table(table)).where(sa.column("login") == login)
        )
        standing = await read_standing(self.database.fetch_kept, self.keys.account, kind, rows[0][0])
        assert standing is not None
        return standing

    async def write(self, text: str, **values: Any) -> None:
        """Change rows as an OTRS on the same database would: behind our back."""
        async with self.database.transaction() as transaction:
            await transaction.execute(sa.text(text), values)

    async def audit(self, *columns: str) -> list[tuple[Any, ...]]:
        """Read the audit of sign-ins, oldest first."""
        return await self.database.fetch(sa.select(*(SIGN_IN.c[name] for name in columns)).order_by(SIGN_IN.c.id))
