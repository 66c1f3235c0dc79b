"""Tokens for machines: made by a person, shown once, stored hashed, good for named modules and operations until a day."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from identity.accounts import read_standing
from identity.errors import NotSignedIn
from identity.keys import Keys, digest, make_token
from identity.memory import Memory
from identity.principals import Kind, Person, Scope, Token
from schema.spec import Operation
from storage.engine import Database
from storage.errors import StorageError
from storage.own_tables import API_TOKEN

PREFIX = "ldk_"
LONGEST_S = 366 * 86_400
NAME_LETTERS = 100
TOUCH_S = 3_600  # how exactly a list tells when a token was last used

_COLUMNS = API_TOKEN.c


class BadToken(ValueError):
    """A token that is asked for with what it cannot have: `about` is `name`, `expires`, `modules` or `operations`."""

    def __init__(self, about: str, message: str) -> None:
        self.about = about
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as its owner sees it in a list; times are seconds since 1970."""

    id: int
    name: str
    scope: Scope
    created: int
    expires: int
    seen: int | None


class ApiTokens:
    """Tokens in `lambdesk_api_token`.

    `clock` gives seconds since 1970; `monotonic` seconds that never go back, by which answers are remembered for up to a
    second.
    """

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._known: Memory[str, tuple[Token, int] | None] = Memory(monotonic)

    async def create(self, owner: Person, name: str, scope: Scope, expires: float) -> tuple[ApiToken, str]:
        """Make a token; return it with its secret, which cannot be shown again. `expires` is in seconds since 1970.

        Raises `BadToken`. That the modules of the scope exist is for the caller to check.
        """
        now = self._clock()
        if not 0 < len(name.strip()) <= NAME_LETTERS or not name.isprintable():
            raise BadToken("name", f"A token has a name of 1 to {NAME_LETTERS} letters.")
        if not now < expires <= now + LONGEST_S:
            raise BadToken("expires", f"A token ends within {LONGEST_S // 86_400} days from now.")
        for about, chosen in (("modules", scope.modules), ("operations", scope.operations)):
            if chosen == frozenset():
                raise BadToken(about, "A token is for one module and one operation at least.")
        secret = make_token(PREFIX)
        values = {
            "digest": digest(secret),
            "name": name.strip(),
            "owner_kind": str(owner.kind),
            "owner_id": owner.id,
            "scope": _write_scope(scope),
            "created": int(now),
            "expires": int(expires),
        }
        async with self._database.transaction() as transaction:
            number = await transaction.insert(API_TOKEN, [values])
        return ApiToken(number, name.strip(), scope, int(now), int(expires), None), secret

    async def check(self, secret: str) -> Token:
        """Return the token whose secret this is. Raises `NotSignedIn` when it does not count, or its owner's account does not."""
        name = digest(secret)
        found = await self._known.get(name, lambda: self._read(name))
        if found is None or found[1] <= self._clock():
            raise NotSignedIn
        return found[0]

    async def by_id(self, token_id: int) -> Token | None:
        """Return a token by its number, for what is done in its name later; None where it does not count any more."""
        found = await self._find(_COLUMNS.id == token_id)
        return None if found is None else found[0]

    async def list_of(self, owner: Person) -> list[ApiToken]:
        """Return the tokens of a person that count, the newest first."""
        columns = (_COLUMNS.id, _COLUMNS.name, _COLUMNS.scope, _COLUMNS.created, _COLUMNS.expires, _COLUMNS.seen)
        rows = await self._database.fetch(
            sa.select(*columns)
            .where(*_owned(owner), _COLUMNS.revoked.is_(None), _COLUMNS.expires > int(self._clock()))
            .order_by(_COLUMNS.id.desc())
        )
        return [ApiToken(row[0], row[1], _read_scope(row[2]), *row[3:]) for row in rows]

    async def revoke(self, owner: Person, token_id: int) -> bool:
        """Revoke a person's token; answer whether it counted. A stranger's is answered like one that does not exist."""
        change = sa.update(API_TOKEN).where(_COLUMNS.id == token_id, *_owned(owner), _COLUMNS.revoked.is_(None))
        async with self._database.transaction() as transaction:
            count = await transaction.change(change.values(revoked=int(self._clock())))
        self._known.forget_all()  # kept by secret, which is not known here
        return count == 1

    async def _read(self, name: str) -> tuple[Token, int] | None:
        found = await self._find(_COLUMNS.digest == name)
        if found is None:
            return None
        token, expires, seen = found
        now = self._clock()
        if seen is None or now >= seen + TOUCH_S:
            await self._touch(token.id, now)
        return token, expires

    async def _find(self, which: sa.ColumnElement[bool]) -> tuple[Token, int, int | None] | None:
        """Read a token that counts, with when it ends and when it was used."""
        columns = (_COLUMNS.id, _COLUMNS.name, _COLUMNS.owner_kind, _COLUMNS.owner_id, _COLUMNS.scope)
        question = sa.select(*columns, _COLUMNS.expires, _COLUMNS.seen).where(which, _COLUMNS.revoked.is_(None))
        rows = await self._database.fetch(question)
        if not rows or rows[0][5] <= self._clock():
            return None
        number, label, kind, owner_id, scope, expires, seen = rows[0]
        standing = await read_standing(self._database.fetch_kept, self._keys.account, Kind(kind), owner_id)
        if standing is None or not standing.is_valid:
            return None
        return Token(number, label, standing.person, _read_scope(scope)), expires, seen

    async def _touch(self, number: int, now: float) -> None:
        with suppress(StorageError):  # a full or busy database keeps nobody out who only reads
            async with self._database.transaction() as transaction:
                await transaction.change(sa.update(API_TOKEN).where(_COLUMNS.id == number).values(seen=int(now)))


def _owned(owner: Person) -> tuple[Any, ...]:
    return _COLUMNS.owner_kind == str(owner.kind), _COLUMNS.owner_id == owner.id


def _write_scope(scope: Scope) -> str:
    modules = None if scope.modules is None else sorted(scope.modules)
    operations = None if scope.operations is None else sorted(str(operation) for operation in scope.operations)
    return json.dumps({"modules": modules, "operations": operations})


def _read_scope(text: Any) -> Scope:
    found = json.loads(text)
    modules, operations = found["modules"], found["operations"]
    return Scope(
        None if modules is None else frozenset(modules),
        None if operations is None else frozenset(Operation(operation) for operation in operations),
    )
