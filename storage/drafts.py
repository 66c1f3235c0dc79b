"""What people have begun to write, in its table: one draft for a person and a form, gone when nobody touched it for long."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import ConstraintViolated
from storage.own_tables import DRAFT
from storage.transaction import Transaction

AGE_S = 30 * 86_400  # since it was touched
TRIES = 2  # two windows may begin the same draft at once

_COLUMNS = DRAFT.c


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose drafts they are; an id never means anything without its kind."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft as it is kept."""

    id: int
    place: str
    content: Mapping[str, Any]
    created: datetime
    changed: datetime


async def read_drafts(database: Database, writer: Writer, place: str | None = None) -> tuple[StoredDraft, ...]:
    """Return somebody's drafts, the newest first; of one form where a `place` is given."""
    where = [*_of(writer), _COLUMNS.changed > int(time.time()) - AGE_S]
    if place is not None:
        where.append(_COLUMNS.place == place)
    columns = (_COLUMNS.id, _COLUMNS.place, _COLUMNS.content, _COLUMNS.created, _COLUMNS.changed)
    rows = await database.fetch(sa.select(*columns).where(*where).order_by(_COLUMNS.changed.desc(), _COLUMNS.id.desc()))
    return tuple(
        StoredDraft(number, name, json.loads(content), _moment(created), _moment(changed))
        for number, name, content, created, changed in rows
    )


async def write_draft(database: Database, writer: Writer, place: str, content: Mapping[str, Any], most: int) -> bool:
    """Keep a draft in the place of the one that the form had; false where somebody has as many as he may have."""
    values = {"content": json.dumps(content, ensure_ascii=False), "changed": int(time.time())}
    for attempt in range(TRIES):
        try:
            async with database.transaction() as transaction:
                return await _write(transaction, writer, place, values, most)
        except ConstraintViolated:
            if attempt == TRIES - 1:
                raise
    return False


async def remove_draft(database: Database, writer: Writer, place: str) -> bool:
    """Remove somebody's draft; false where there was none."""
    async with database.transaction() as transaction:
        return await transaction.change(sa.delete(DRAFT).where(*_of(writer), _COLUMNS.place == place)) > 0


async def sweep(database: Database, age_s: float) -> int:
    """Remove drafts that nobody touched for so long, and return how many there were."""
    async with database.transaction() as transaction:
        return await transaction.change(sa.delete(DRAFT).where(_COLUMNS.changed <= int(time.time() - age_s)))


async def _write(transaction: Transaction, writer: Writer, place: str, values: Mapping[str, Any], most: int) -> bool:
    known = sa.select(_COLUMNS.id).where(*_of(writer), _COLUMNS.place == place)
    found = await transaction.execute(known)
    if found:
        await transaction.change(sa.update(DRAFT).where(_COLUMNS.id == found[0][0]).values(**values))
        return True
    count = await transaction.execute(sa.select(sa.func.count()).select_from(DRAFT).where(*_of(writer)))
    if count[0][0] >= most:
        return False
    row = {"owner_kind": writer.kind, "owner_id": writer.id, "place": place, "created": values["changed"], **values}
    await transaction.execute(sa.insert(DRAFT).inline(), row)
    return True


def _of(writer: Writer) -> tuple[Any, ...]:
    return _COLUMNS.owner_kind == writer.kind, _COLUMNS.owner_id == writer.id


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
