"""Saved views in their table: whose they are, what they show, one name each for an owner and a module."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.own_tables import SAVED_VIEW


@dataclass(frozen=True, slots=True)
class ViewOwner:
    """Whose view it is; an id never means anything without its kind."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class NewView:
    """A view as it is to be kept. `settings` is JSON."""

    module: str
    name: str
    owner: ViewOwner
    shared: bool
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredView:
    """A view as it is kept."""

    id: int
    module: str
    name: str
    owner: ViewOwner
    shared: bool
    settings: Mapping[str, Any]
    created: datetime
    changed: datetime


async def own_views(database: Database, module: str, owner: ViewOwner) -> tuple[StoredView, ...]:
    """Return the views of an owner for a module, by name."""
    return await _read(database, SAVED_VIEW.c.module == module, _is_of(owner))


async def shared_views(database: Database, module: str, kinds: frozenset[str]) -> tuple[StoredView, ...]:
    """Return what owners of these kinds share for a module, by name."""
    columns = SAVED_VIEW.c
    return await _read(database, columns.module == module, columns.shared == 1, columns.owner_kind.in_(kinds))


async def read_view(database: Database, id_: int) -> StoredView | None:
    """Return a view, whosever it is."""
    found = await _read(database, SAVED_VIEW.c.id == id_)
    return found[0] if found else None


async def add_view(database: Database, view: NewView) -> int:
    """Keep a new view and return its id. Raises `ConstraintViolated` when the owner has one of this name."""
    now = int(time.time())
    columns = SAVED_VIEW.c
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(SAVED_VIEW).inline(), {**_values(view, now), "created": now})
        named = sa.select(columns.id).where(
            columns.module == view.module, columns.name == view.name, _is_of(view.owner)
        )
        return int((await transaction.execute(named))[0][0])


async def change_view(database: Database, id_: int, view: NewView) -> bool:
    """Change an owner's view; false when it is gone. Raises `ConstraintViolated` as `add_view` does."""
    values = _values(view, int(time.time()))
    async with database.transaction() as transaction:
        statement = sa.update(SAVED_VIEW).where(SAVED_VIEW.c.id == id_, _is_of(view.owner)).values(values)
        return await transaction.change(statement) > 0


async def remove_view(database: Database, id_: int, owner: ViewOwner) -> bool:
    """Remove an owner's view; false when it is gone."""
    async with database.transaction() as transaction:
        return await transaction.change(sa.delete(SAVED_VIEW).where(SAVED_VIEW.c.id == id_, _is_of(owner))) > 0


def _is_of(owner: ViewOwner) -> sa.ColumnElement[bool]:
    return sa.and_(SAVED_VIEW.c.owner_kind == owner.kind, SAVED_VIEW.c.owner_id == owner.id)


def _values(view: NewView, now: int) -> dict[str, Any]:
    return {
        "module": view.module,
        "name": view.name,
        "owner_kind": view.owner.kind,
        "owner_id": view.owner.id,
        "shared": int(view.shared),
        "settings": json.dumps(view.settings, ensure_ascii=False),
        "changed": now,
    }


async def _read(database: Database, *where: sa.ColumnElement[bool]) -> tuple[StoredView, ...]:
    columns = SAVED_VIEW.c
    query = sa.select(
        columns.id,
        columns.module,
        columns.name,
        columns.owner_kind,
        columns.owner_id,
        columns.shared,
        columns.settings,
        columns.created,
        columns.changed,
    )
    rows = await database.fetch(query.where(*where).order_by(columns.name, columns.id))
    return tuple(
        StoredView(
            row[0],
            row[1],
            row[2],
            ViewOwner(row[3], row[4]),
            bool(row[5]),
            json.loads(row[6]),
            datetime.fromtimestamp(row[7], UTC),
            datetime.fromtimestamp(row[8], UTC),
        )
        for row in rows
    )
