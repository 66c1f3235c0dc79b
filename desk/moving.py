"""What moves with the articles of a merged ticket, and moves back: every mover remembers what it did, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from desk.links import NORMAL, link_ids, ticket_end
from desk.tables import (
    ARTICLE,
    ARTICLE_SEARCH,
    LINK_RELATION,
    MENTION,
    TICKET_HISTORY,
    TICKET_WATCHER,
    TIME_ACCOUNTING,
)
from resolvers.conduct import Work

IDS_AT_ONCE = 500
_ENDS = ("source_object_id", "source_key", "target_object_id", "target_key", "type_id")

Moved = dict[str, Any]


async def move_articles(work: Work, source: int, target: int) -> list[int]:
    """Give a ticket's articles to another one, with their history; return their ids."""
    rows = await work.transaction.execute(sa.select(ARTICLE.c.id).where(ARTICLE.c.ticket_id == source))
    ids = sorted(row[0] for row in rows)
    await _set_ticket(work, ARTICLE, ARTICLE.c.id, ids, (source, target))
    for table in _of_articles(work):
        await _set_ticket(work, table, table.c.article_id, ids, (source, target))
    return ids


async def return_articles(work: Work, ids: Sequence[int], source: int, target: int) -> list[int]:
    """Give articles back that are still where they were moved to; return their ids."""
    rows: list[int] = []
    for part in _parts(ids):
        found = await work.transaction.execute(
            sa.select(ARTICLE.c.id).where(ARTICLE.c.ticket_id == target, ARTICLE.c.id.in_(part))
        )
        rows += [row[0] for row in found]
    await _set_ticket(work, ARTICLE, ARTICLE.c.id, rows, (target, source))
    for table in _of_articles(work):
        await _set_ticket(work, table, table.c.article_id, rows, (target, source))
    return rows


async def move_times(work: Work, source: int, target: int) -> list[int]:
    """Give time entries to another ticket, also those of no article; return their ids."""
    rows = await work.transaction.execute(sa.select(TIME_ACCOUNTING.c.id).where(TIME_ACCOUNTING.c.ticket_id == source))
    ids = sorted(row[0] for row in rows)
    await _set_ticket(work, TIME_ACCOUNTING, TIME_ACCOUNTING.c.id, ids, (source, target))
    return ids


async def return_times(work: Work, ids: Sequence[int], source: int, target: int) -> None:
    """Give time entries back."""
    await _set_ticket(work, TIME_ACCOUNTING, TIME_ACCOUNTING.c.id, ids, (target, source))


async def move_watchers(work: Work, source: int, target: int) -> Moved:
    """Let watchers watch the other ticket; who does so already is remembered with his own row."""
    there = {row["user_id"] for row in await _read(work, TICKET_WATCHER, TICKET_WATCHER.c.ticket_id == target)}
    here = await _read(work, TICKET_WATCHER, TICKET_WATCHER.c.ticket_id == source)
    dropped = [row for row in here if row["user_id"] in there]
    moved = [row["user_id"] for row in here if row["user_id"] not in there]
    if dropped:
        users = [row["user_id"] for row in dropped]
        await work.transaction.execute(
            sa.delete(TICKET_WATCHER).where(TICKET_WATCHER.c.ticket_id == source, TICKET_WATCHER.c.user_id.in_(users))
        )
    await _set_ticket(work, TICKET_WATCHER, TICKET_WATCHER.c.user_id, moved, (source, target))
    return {"moved": moved, "dropped": [_plain(row) for row in dropped]}


async def return_watchers(work: Work, moved: Moved, source: int, target: int) -> None:
    """Let watchers watch what they watched; who stopped meanwhile, or watches the source again, is left alone."""
    now = {row["user_id"] for row in await _read(work, TICKET_WATCHER, TICKET_WATCHER.c.ticket_id == source)}
    back = [user for user in moved["moved"] if user not in now]
    await _set_ticket(work, TICKET_WATCHER, TICKET_WATCHER.c.user_id, back, (target, source))
    rows = [_stored(work, row) for row in moved["dropped"] if row["user_id"] not in now]
    if rows:
        await work.transaction.execute(sa.insert(TICKET_WATCHER), rows)


async def move_links(work: Work, source: int, target: int) -> Moved:
    """Let links lead to the other ticket; those that would be doubled or lead to itself are dropped and remembered."""
    end, other = ticket_end(source), ticket_end(target)
    normal = await link_ids(work, end, other, NORMAL)
    kind = normal.source_object
    there = {_key(row, normal.type) for row in await _read(work, LINK_RELATION, _touches(kind, other.key))}
    moved, dropped = [], []
    for row in await _read(work, LINK_RELATION, _touches(kind, end.key)):
        new = _redirected(row, kind, end.key, other.key)
        itself = (new["source_object_id"], new["source_key"]) == (new["target_object_id"], new["target_key"])
        if itself or _key(new, normal.type) in there:
            await work.transaction.execute(sa.delete(LINK_RELATION).where(_same(row)))
            dropped.append(row)
        else:
            there.add(_key(new, normal.type))
            await _rewrite(work, row, new)
            moved.append([row, new])
    return {
        "moved": [[_plain(old), _plain(new)] for old, new in moved],
        "dropped": [_plain(row) for row in dropped],
    }


async def return_links(work: Work, moved: Moved) -> None:
    """Let links lead where they led; what was taken away meanwhile stays away."""
    for old, new in moved["moved"]:
        if await _read(work, LINK_RELATION, _same(new)) and not await _read(work, LINK_RELATION, _same(old)):
            await _rewrite(work, new, old)
    for row in moved["dropped"]:
        if not await _read(work, LINK_RELATION, _same(row)):
            await work.transaction.execute(sa.insert(LINK_RELATION), _stored(work, row))


# --- inside ---


def _of_articles(work: Work) -> Iterator[sa.TableClause]:
    """Name the tables whose rows go with an article and name its ticket too; an OTRS 6 has no mentions."""
    tables = work.context.snapshot.catalog.tables
    return (table for table in (TICKET_HISTORY, ARTICLE_SEARCH, MENTION) if table.name in tables)


async def _set_ticket(
    work: Work, table: sa.TableClause, column: sa.ColumnElement[Any], ids: Sequence[int], ends: tuple[int, int]
) -> None:
    old, new = ends
    for part in _parts(ids):
        await work.transaction.execute(
            sa.update(table).where(table.c.ticket_id == old, column.in_(part)).values(ticket_id=new)
        )


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))


async def _read(work: Work, table: sa.TableClause, where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = list(table.c)
    rows = await work.transaction.execute(sa.select(*columns).where(where))
    return [dict(zip((column.name for column in columns), row, strict=True)) for row in rows]


def _touches(kind: int, key: str) -> sa.ColumnElement[bool]:
    columns = LINK_RELATION.c
    return sa.or_(
        sa.and_(columns.source_object_id == kind, columns.source_key == key),
        sa.and_(columns.target_object_id == kind, columns.target_key == key),
    )


def _redirected(row: Moved, kind: int, old: str, new: str) -> Moved:
    """Return a link with one ticket put in the other's place."""
    changed = {
        f"{side}_key": new
        for side in ("source", "target")
        if (row[f"{side}_object_id"], row[f"{side}_key"]) == (kind, old)
    }
    return {**row, **changed}


def _key(row: Moved, normal: int) -> tuple[Any, ...]:
    """Return what makes a link itself; one of the normal type is the same both ways round."""
    ends = [(row["source_object_id"], row["source_key"]), (row["target_object_id"], row["target_key"])]
    return (row["type_id"], *(sorted(ends) if row["type_id"] == normal else ends))


def _same(row: Moved) -> sa.ColumnElement[bool]:
    return sa.and_(*(LINK_RELATION.c[name] == row[name] for name in _ENDS))


async def _rewrite(work: Work, old: Moved, new: Moved) -> None:
    await work.transaction.execute(
        sa.update(LINK_RELATION).where(_same(old)).values(source_key=new["source_key"], target_key=new["target_key"])
    )


def _plain(row: Moved) -> Moved:
    """Return a row as JSON has it."""
    return {name: str(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _stored(work: Work, row: Moved) -> Moved:
    """Return a row as it was stored; SQLite's moments are texts."""
    if work.transaction.dialect.name == "sqlite":
        return row
    return {name: datetime.fromisoformat(value) if name.endswith("_time") else value for name, value in row.items()}
