"""Drafts of module files in their table: one for an administrator and a file, gone when it is published or forgotten."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import ConstraintViolated
from storage.own_tables import MODULE_DRAFT
from storage.transaction import Transaction

AGE_S = 180 * 86_400  # since it was touched
TRIES = 2  # two windows may begin the same draft at once

_COLUMNS = MODULE_DRAFT.c


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose draft it is; an id never means anything without its kind."""

    kind: str
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class ModuleDraftRow:
    """A draft as it is kept. `basis` is the digest of the file that it started from."""

    file: str
    owner: Owner
    basis: str
    source: str
    changed: datetime


async def module_drafts(database: Database, file: str | None = None) -> tuple[ModuleDraftRow, ...]:
    """Return the drafts of everybody, the newest first; of one file where it is named."""
    columns = (
        _COLUMNS.file, _COLUMNS.owner_kind, _COLUMNS.owner_id, _COLUMNS.owner_login, _COLUMNS.basis, _COLUMNS.source, _COLUMNS.changed,
    )  # fmt: skip
    query = sa.select(*columns).order_by(_COLUMNS.changed.desc(), _COLUMNS.id.desc())
    rows = await database.fetch(query if file is None else query.where(_COLUMNS.file == file))
    return tuple(
        ModuleDraftRow(name, Owner(kind, number, login), basis, source, datetime.fromtimestamp(changed, UTC))
        for name, kind, number, login, basis, source, changed in rows
    )


async def write_module_draft(
    database: Database, owner: Owner, file: str, *, basis: str, source: str, most: int
) -> bool:
    """Keep a draft in the place of the one that he had of the file; false where he has as many as he may have."""
    values = {"basis": basis, "source": source, "owner_login": owner.login, "changed": int(time.time())}
    for attempt in range(TRIES):
        try:
            async with database.transaction() as transaction:
                return await _write(transaction, owner, file, values, most)
        except ConstraintViolated:
            if attempt == TRIES - 1:
                raise
    return False


async def remove_module_drafts(database: Database, owner: Owner, files: Collection[str]) -> int:
    """Remove somebody's drafts of files, and return how many there were."""
    async with database.transaction() as transaction:
        gone = sa.delete(MODULE_DRAFT).where(*_of(owner), _COLUMNS.file.in_(files))
        return await transaction.change(gone)


async def sweep(database: Database, age_s: float) -> int:
    """Remove drafts that nobody touched for so long, and return how many there were."""
    async with database.transaction() as transaction:
        return await transaction.change(sa.delete(MODULE_DRAFT).where(_COLUMNS.changed <= int(time.time() - age_s)))


async def _write(transaction: Transaction, owner: Owner, file: str, values: dict[str, Any], most: int) -> bool:
    found = await transaction.execute(sa.select(_COLUMNS.id).where(*_of(owner), _COLUMNS.file == file))
    if found:
        await transaction.change(sa.update(MODULE_DRAFT).where(_COLUMNS.id == found[0][0]).values(**values))
        return True
    count = await transaction.execute(sa.select(sa.func.count()).select_from(MODULE_DRAFT).where(*_of(owner)))
    if count[0][0] >= most:
        return False
    row = {"owner_kind": owner.kind, "owner_id": owner.id, "file": file, "created": values["changed"], **values}
    await transaction.execute(sa.insert(MODULE_DRAFT).inline(), row)
    return True


def _of(owner: Owner) -> tuple[Any, ...]:
    return _COLUMNS.owner_kind == owner.kind, _COLUMNS.owner_id == owner.id
