"""Secrets for lambdas: kept sealed, given to lambdas of the modules that may have them, and shown to nobody."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from identity.principals import Principal
from identity.seals import SealBroken, seal, unseal
from storage import changes, retry
from storage.changes import NewChange, make_key
from storage.engine import Database
from storage.locks import hold
from storage.own_tables import SECRET
from storage.transaction import Transaction

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
SHORTEST = 8  # what is shorter would be hidden in every log line that happens to hold it
LONGEST_BYTES = 8 * 1024
PATIENCE_S = 5.0
CREATED, UPDATED, DELETED = 1, 2, 3  # as the ledger of changes has it

_C = SECRET.c
_NOTHING: Mapping[str, Any] = {}


class BadSecret(ValueError):
    """A secret that cannot be kept; `key` names the message that says why."""

    def __init__(self, field: str, key: str, **params: int) -> None:
        self.field = field
        self.key = key
        self.params: Mapping[str, int] = params
        super().__init__(key)


@dataclass(frozen=True, slots=True)
class SecretHead:
    """What may be seen of a secret. `modules` are those whose lambdas may ask for it; None is all."""

    name: str
    modules: tuple[str, ...] | None
    changed: datetime
    changed_by: str


class Secrets:
    """The secrets of one database, sealed with this server's key."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    async def heads(self) -> list[SecretHead]:
        """List what there is, by name."""
        columns = (_C.name, _C.modules, _C.changed, _C.changed_by_login)
        rows = await self._database.fetch(sa.select(*columns).order_by(_C.name))
        return [SecretHead(row[0], _modules(row[1]), datetime.fromtimestamp(row[2], UTC), row[3]) for row in rows]

    async def put(self, name: str, value: str, modules: Collection[str] | None, by: Principal, request: str) -> bool:
        """Keep a secret in place of the one with this name; answer whether it is a new one. Raises `BadSecret`."""
        check_name(name)
        _check_value(value)
        sealed = await asyncio.to_thread(seal, value, self._key)
        given = None if modules is None else sorted(set(modules))
        columns = {
            "value": sealed,
            "modules": json.dumps(given),
            "changed": int(time.time()),
            "changed_by_kind": str(by.kind),
            "changed_by_id": by.id,
            "changed_by_login": by.login,
        }

        async def work(transaction: Transaction) -> bool:
            await hold(transaction, "secrets")
            known = await transaction.execute(sa.select(_C.modules).where(_C.name == name))
            await transaction.execute(sa.delete(SECRET).where(_C.name == name))
            await transaction.execute(sa.insert(SECRET).inline(), {"name": name, **columns})
            before = json.loads(known[0][0]) if known else given
            fields = {"modules": [before, given]} if before != given else {}
            await _note(transaction, name, UPDATED if known else CREATED, by, request, fields=fields)
            return not known

        return await retry.run(self._database, work, deadline=time.monotonic() + PATIENCE_S)

    async def remove(self, name: str, by: Principal, request: str) -> bool:
        """Forget a secret; answer whether there was one."""
        async with self._database.transaction() as transaction:
            found = bool(await transaction.change(sa.delete(SECRET).where(_C.name == name)))
            if found:
                await _note(transaction, name, DELETED, by, request)
        return found

    async def reveal(self, module: str, names: Sequence[str]) -> dict[str, str]:
        """Return the secrets that lambdas of a module may have, of those named. One of another server's key is none."""
        wanted = [name for name in set(names) if NAME.fullmatch(name)]
        if not wanted:
            return {}
        rows = await self._database.fetch(sa.select(_C.name, _C.value, _C.modules).where(_C.name.in_(wanted)))
        may = {row[0]: row[1] for row in rows if (allowed := _modules(row[2])) is None or module in allowed}
        return await asyncio.to_thread(self._open, may) if may else {}

    def _open(self, sealed: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for name, text in sealed.items():
            try:
                found[name] = unseal(text, self._key)
            except SealBroken:
                continue
        return found


def check_name(name: str) -> None:
    """Refuse what is no name of a secret. Raises `BadSecret`."""
    if not NAME.fullmatch(name):
        raise BadSecret("name", "secret-name")


def _check_value(value: str) -> None:
    size = len(value.encode("utf-8", "surrogatepass"))
    is_text = "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if len(value) < SHORTEST or size > LONGEST_BYTES or not is_text:
        raise BadSecret("value", "secret-size", shortest=SHORTEST, limit=LONGEST_BYTES)


def _modules(text: str) -> tuple[str, ...] | None:
    found = json.loads(text)
    return None if found is None else tuple(found)


async def _note(
    transaction: Transaction, name: str, kind: int, by: Principal, request: str, *, fields: Mapping[str, Any] = _NOTHING
) -> None:
    """Note in the ledger who did it; of the value nothing is told, not even that it is another one."""
    change = NewChange(SECRET.name, make_key((name,)), kind, str(by.kind), by.id, by.login, request, fields)
    await changes.append(transaction, [change])
