"""Filters on several values find exactly what is read, and UNKNOWN finds what is none of the options."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from schema.build import build_schema
from schema.catalog import ColumnClass
from schema.problems import Place
from schema.snapshot import Snapshot
from schema.spec import Audience, Caption, Option
from storage.engine import Database
from tests.databases import DIALECTS, fresh_url
from tests.resolvers.world import World, build, catalog, modules

PLACE = Place("modules/sample.yaml")
OPTIONS = tuple(
    Option(name, value, Caption(name))
    for name, value in (("XX", "x"), ("BIG_Y", "Y"), ("UML", "ä, ö"), ("SEVEN", 7), ("PERCENT", "a_%"))
)
NAMES = [*(option.name for option in OPTIONS), "UNKNOWN"]
STORED: tuple[str | None, ...] = (
    None, "", "[]", '["x"]', '["X"]', '["xx"]', '["x","x"]', '["x", "Y"]', '["Y","odd"]', "x", "X", "x,Y", "x, odd", "xx",
    '["ä, ö"]', json.dumps(["ä, ö"]), '["Ä, ö","x"]', "[7]", '["7"]', "[77, 7]", "7", "a_%", "abc", '["a_%"]', "[", "x,x,odd", "ä",
)  # fmt: skip


def snapshot(dialect: str) -> Snapshot:
    made = modules(dialect)
    ticket = made["ticket"]
    fields = tuple(replace(f, options=OPTIONS) if f.name in ("labels", "areas") else f for f in ticket.fields)
    made["ticket"] = replace(ticket, fields=fields)
    schemas = {audience: build_schema(made, audience) for audience in Audience}
    return Snapshot(version="v1", number=1, modules=made, status=(), schemas=schemas, catalog=catalog(dialect))


async def make(url: str) -> None:
    database = Database(url)
    await build(database)
    ticket = sa.table("ticket", sa.column("id"), sa.column("labels"))
    values = sa.table("dynamic_field_value", sa.column("field_id"), sa.column("value_text"))
    async with database.transaction() as transaction:
        await transaction.execute(sa.delete(ticket).where(ticket.c.id > len(STORED)))
        for number, text in enumerate(STORED, 1):
            await transaction.execute(sa.update(ticket).where(ticket.c.id == number).values(labels=text))
        for old, new in (("north", "x"), ("North", "X"), ("south", "Y")):
            same = database.dialect.equals(values.c.value_text, old, ColumnClass.TEXT)
            await transaction.execute(sa.update(values).where(same).values(value_text=new))
    await database.close()


@pytest.fixture(scope="module", params=DIALECTS)
def desk_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param, installed=False) as url:
        asyncio.run(make(url))
        yield url


@pytest.fixture
async def desk(desk_url: str) -> AsyncIterator[World]:
    database = Database(desk_url)
    await database.fetch("SELECT 1")
    yield World(database, snapshot(database.dialect.name))
    await database.close()


async def found(desk: World, given: dict[str, Any] | None) -> list[dict[str, Any]]:
    text = "query($f: TicketFilter) {tickets(first: 500, filter: $f) {nodes {databaseId labels areas}}}"
    rows: list[dict[str, Any]] = (await desk.data(text, {"f": given}))["tickets"]["nodes"]
    return [{**row, "labels": row["labels"] or [], "areas": row["areas"] or []} for row in rows]


@pytest.mark.parametrize("name", ["labels", "areas"])
async def test_what_is_found_is_what_is_read(desk: World, name: str) -> None:
    rows = await found(desk, None)
    assert any("UNKNOWN" in row[name] for row in rows)
    for option in NAMES:
        wanted = [row["databaseId"] for row in rows if option in row[name]]
        assert [row["databaseId"] for row in await found(desk, {name: {"has": option}})] == wanted, option
    pair = ["XX", "UNKNOWN"]
    every = [row["databaseId"] for row in rows if set(pair) <= set(row[name])]
    assert [row["databaseId"] for row in await found(desk, {name: {"hasEvery": pair}})] == every
    some = [row["databaseId"] for row in rows if set(pair) & set(row[name])]
    assert [row["databaseId"] for row in await found(desk, {name: {"hasSome": pair}})] == some
