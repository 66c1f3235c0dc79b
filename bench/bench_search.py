"""Searching tickets by words of their articles: how fast texts get into the full-text index, and the newest 50 that have a word.

Articles have 80 words of a vocabulary whose frequencies fall off as those of languages do; of two words it is known how many
articles have them. LAMBDESK_BENCH_TICKETS says how many tickets there are, with three articles each; a million take hours, most
of them for SQLite's index.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.run import Figure
from identity.principals import Agent
from identity.rights import RightsReader
from resolvers.context import OwnFeed
from resolvers.text_index import TextIndex
from storage.bulk import bulk_writer
from storage.columns import WallClock
from storage.engine import Database
from storage.otrs import layout_tables
from storage.values import wall_clock
from tests.databases import DIALECTS, fresh_url
from tests.desk.api import Api, open_api

TICKETS = int(os.environ.get("LAMBDESK_BENCH_TICKETS", "100000"))
FEW_TICKETS = 10_000
ARTICLES = 3  # of a ticket
FREQUENT, RARE = "drucker", "plotter"  # in one of a hundred and in one of ten thousand articles
TIMES = 9
NEWEST = """query ($s: String!) {
  tickets(search: $s, orderBy: [{createdAt: DESC}], first: 50) { nodes { number title queue { name } state { name } } }
}"""
MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database has it
CHUNK = 1_000


def run(quick: bool) -> dict[str, Figure]:
    """Fill each database, build its index, and search."""
    tickets = FEW_TICKETS if quick else TICKETS
    figures: dict[str, Figure] = {}
    for dialect in DIALECTS:
        with fresh_url(dialect) as url, tempfile.TemporaryDirectory() as folder:
            figures |= asyncio.run(_measure(url, Path(folder), dialect, tickets))
    return figures


async def _measure(url: str, folder: Path, dialect: str, tickets: int) -> dict[str, Figure]:
    async with open_api(url, folder) as api:
        await _fill(url, tickets)
        if dialect == "postgresql":
            await api.database.fetch("ANALYZE")
        index = TextIndex(api.database, OwnFeed(api.database))
        started = time.perf_counter()
        while await index.step(api.snapshot):
            pass
        built = tickets * (ARTICLES + 1) / (time.perf_counter() - started)
        if dialect == "postgresql":
            await api.database.fetch("ANALYZE")
        api.texts = index
        api.rights = await RightsReader(api.database, lambda: "permission_groups").of(Agent(1, "root@localhost"))
        figures: dict[str, Figure] = {f"{dialect}, texts into the index": {"value": built, "unit": "rows/s"}}
        for name, words in (("1 %", FREQUENT), ("0.01 %", RARE), ("both", f"{FREQUENT} {RARE}")):
            taken = await _search(api, words)
            figures[f"{dialect}, newest 50 with a word in {name} of articles"] = {"value": taken * 1000, "unit": "ms"}
        return figures


async def _search(api: Api, words: str) -> float:
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        found = await api.data(NEWEST, s=words)
        taken.append(time.perf_counter() - started)
        assert found["tickets"]["nodes"] or " " in words
    return median(taken)


async def _fill(url: str, tickets: int) -> None:
    database = Database(url, statement_timeout_s=600)
    tables = layout_tables("znuny65", database.dialect.name).tables
    names = ["ticket", "article", "article_data_mime"]
    try:
        async with (
            database.transaction(timeout_s=0) as transaction,
            bulk_writer(transaction, [tables[name] for name in names], tickets) as write,
        ):
            moment = wall_clock(MOMENT, database.dialect.name, database.zone)
            for start in range(2, tickets + 2, CHUNK):  # the first ticket is there
                for name, rows in _made(range(start, min(start + CHUNK, tickets + 2))):
                    columns = tables[name].columns
                    made = [tuple(row.get(column.name, _usual(column, moment)) for column in columns) for row in rows]
                    await write(name, [column.name for column in columns], made)
    finally:
        await database.close()


def _made(numbers: range) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    chance = random.Random(numbers[0])
    articles = [(number * ARTICLES + place, number) for number in numbers for place in range(ARTICLES)]
    yield (
        "ticket",
        [{"id": number, "tn": str(10**9 + number), "title": _text(chance, 4), "queue_id": 2} for number in numbers],
    )
    yield "article", [{"id": article, "ticket_id": ticket} for article, ticket in articles]
    yield (
        "article_data_mime",
        [
            {"id": article, "article_id": article, "a_subject": _text(chance, 4), "a_body": _body(chance)}
            for article, _ in articles
        ],
    )


def _vocabulary() -> tuple[list[str], list[float]]:
    chance = random.Random(1)
    letters = "eeeeeetttttaaaaooooiiiinnnnssssrrrrhhhldducmfwygpbvk"
    words = sorted({"".join(chance.choices(letters, k=chance.randint(3, 11))) for _ in range(60_000)})
    chance.shuffle(words)
    return words, list(accumulate(1 / (place + 10) for place in range(len(words))))


_WORDS, _WEIGHTS = _vocabulary()


def _text(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, cum_weights=_WEIGHTS, k=count))


def _body(chance: random.Random) -> str:
    drawn = chance.random()
    return _text(chance, 80) + (f" {FREQUENT}" if drawn < 0.01 else "") + (f" {RARE}" if 0.0099 < drawn < 0.01 else "")


def _usual(column: sa.Column[Any], moment: datetime | str) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, WallClock):
        return moment
    return "" if isinstance(column.type, sa.String) else 1
