"""Demo data: a desk that has been at work for a year, the same one for the same moment, of any size.

All of it comes in one transaction: a database has the whole demo or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from storage.bulk import bulk_writer
from storage.demo_columns import COLUMNS
from storage.demo_desk import desk_rows, make_desk, read_plan
from storage.demo_plan import First
from storage.demo_tickets import LINK_OBJECT_TICKET, Writer
from storage.engine import Database
from storage.errors import ConstraintViolated
from storage.install import continue_counting
from storage.otrs import layout_tables
from storage.own import read_meta
from storage.own_tables import META
from storage.rows import complete_row
from storage.transaction import Transaction
from storage.values import wall_clock

UNUSABLE_PASSWORD = "!"  # noqa: S105 - what no password ever hashes to

Progress = Callable[[int, int], None]


async def fill(
    database: Database,
    *,
    tickets: int = 2_000,
    now: datetime | None = None,
    progress: Progress | None = None,
    password_hash: str = UNUSABLE_PASSWORD,
) -> bool:
    """Fill a new installation with demo data; do nothing and return False where it is in use, adopted, or has them.

    `password_hash` goes to every agent and customer of the demo. `progress` is told how many tickets of how many are
    written.
    """
    try:
        async with database.transaction(timeout_s=0) as transaction:
            if not await _is_new(transaction):
                return False
            # The first statement of all, and a primary key: of two who fill at once, one waits here and then fails.
            await transaction.execute(sa.insert(META), {"name": "demo", "value": str(tickets)})
            await write_demo(
                transaction,
                "znuny65",
                tickets=tickets,
                now=now or datetime.now(UTC),
                zone=database.zone,
                progress=progress,
                password_hash=password_hash,
            )
    except ConstraintViolated as error:
        if error.kind == "unique" and (await _meta(database)).get("demo"):
            return False
        raise
    return True


async def write_demo(
    transaction: Transaction,
    layout: str,
    *,
    tickets: int,
    now: datetime,
    zone: tzinfo,
    progress: Progress | None = None,
    password_hash: str = UNUSABLE_PASSWORD,
) -> None:
    """Write the demo's rows into the tables of a layout, after its first rows."""
    dialect = transaction.dialect.name
    tables = layout_tables(layout, dialect).tables

    def clock(seconds: float) -> Any:
        return wall_clock(datetime.fromtimestamp(int(seconds), zone).replace(tzinfo=None), dialect, zone)

    plan = read_plan()
    desk = make_desk(plan)
    rows = desk_rows(plan, desk, now.astimezone(UTC), clock, password_hash)
    await _write_desk(transaction, tables, rows, clock(now.timestamp()))
    first = await _first_ids(transaction)
    writer = Writer(desk, tickets, now, zone=zone, clock=clock, first=first)
    async with bulk_writer(transaction, [tables[name] for name in COLUMNS], tickets) as write:
        for done, batch in writer.batches():
            for name in COLUMNS:
                if batch.get(name):
                    await write(name, COLUMNS[name], batch[name])
            if progress:
                progress(done, tickets)
    for name in (*rows, *COLUMNS, "link_object"):
        await continue_counting(transaction, _table(tables, name))


async def _is_new(transaction: Transaction) -> bool:
    """Whether Lambdesk made this database and nobody has used it yet."""
    meta = await read_meta(transaction)
    if meta.get("origin") != "created" or "demo" in meta:
        return False
    used = "SELECT (SELECT count(*) FROM ticket) + (SELECT count(*) FROM customer_user) + (SELECT count(*) FROM users)"
    return await transaction.execute(used) == [(2,)]  # the welcome ticket and the administrator


async def _meta(database: Database) -> dict[str, str]:
    return {row[0]: row[1] for row in await database.fetch(sa.select(META.c.name, META.c.value))}


async def _write_desk(
    transaction: Transaction, tables: Mapping[str, sa.Table], rows: dict[str, list[dict[str, Any]]], moment: Any
) -> None:
    link_object = {"id": LINK_OBJECT_TICKET, "name": "Ticket"}
    for name, values in (*rows.items(), ("link_object", [link_object])):
        table = _table(tables, name)
        await transaction.execute(sa.insert(table).inline(), [complete_row(table, row, moment) for row in values])


def _table(tables: Mapping[str, sa.Table], name: str) -> sa.Table:
    return tables["groups" if name == "permission_groups" and name not in tables else name]


async def _first_ids(transaction: Transaction) -> First:
    numbers = await transaction.execute(
        "SELECT (SELECT max(id) FROM ticket), (SELECT max(id) FROM article), (SELECT max(id) FROM article_data_mime), "
        "(SELECT max(id) FROM ticket_history)"
    )
    types = await transaction.execute("SELECT name, id FROM ticket_history_type")
    ticket, article, mime, history = (number + 1 for number in numbers[0])
    return First(ticket, article, mime, history, {name: number for name, number in types})  # noqa: C416 - pairs
