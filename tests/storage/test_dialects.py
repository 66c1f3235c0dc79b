"""Comparing, folding and ordering mean the same on all three databases."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from schema.catalog import ColumnClass
from storage.columns import LongText, WallClock
from storage.dialects import fold
from storage.engine import Database
from tests.databases import DIALECTS, fresh_url

WORDS = {
    1: "café", 2: "Café", 3: "CAFÉ", 4: "cafe", 5: "cafe ", 6: "straße", 7: "STRASSE", 8: "Straße", 9: "İstanbul",
    10: "istanbul", 11: "Istanbul", 12: "ΣΟΦΟΣ", 13: "σοφος", 14: "σοφοσ", 15: "Привет", 16: "ПРИВЕТ", 17: "50%", 18: "50 %",
    19: "a_b", 20: "axb", 21: "a!b", 22: "a\\b", 23: "it's", 24: "", 25: None, 26: "日本語",
}  # fmt: skip
WORD = sa.table(
    "word", sa.column("id"), sa.column("text"), sa.column("long"), sa.column("seconds"), sa.column("moment")
)
ROWS = sa.Table(
    "word",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String(200), index=True),
    sa.Column("long", LongText()),
    sa.Column("seconds", sa.BigInteger),
    sa.Column("moment", WallClock()),
    mysql_charset="utf8mb4",
    mysql_collate="utf8mb4_unicode_520_ci",
)


async def build(url: str) -> None:
    database = Database(url)
    async with database.transaction(timeout_s=0) as transaction:
        await transaction.execute(sa.schema.CreateTable(ROWS))
        rows = [{"id": number, "text": text, "long": text} for number, text in WORDS.items()]
        await transaction.execute(sa.insert(ROWS).inline(), rows)
        await transaction.execute(
            "UPDATE word SET seconds = 1767225599, moment = '2025-12-31 23:59:59' WHERE id = 1"  # the last of a year
        )
        await transaction.execute("UPDATE word SET seconds = 0 WHERE id = 2")
    await database.close()


@pytest.fixture(scope="module", params=DIALECTS)
def words_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param, installed=False) as url:
        asyncio.run(build(url))
        yield url


@pytest.fixture
async def words(words_url: str) -> AsyncIterator[Database]:
    database = Database(words_url)
    await database.fetch("SELECT 1")  # what it learns of the server
    yield database
    await database.close()


def long_class(database: Database) -> ColumnClass:
    return ColumnClass.BYTES if database.dialect.name == "mysql" else ColumnClass.TEXT


async def ids(database: Database, condition: sa.ColumnElement[bool]) -> list[int]:
    return [row[0] for row in await database.fetch(sa.select(WORD.c.id).where(condition).order_by(WORD.c.id))]


@pytest.mark.parametrize("number", [number for number, text in WORDS.items() if text is not None])
async def test_equals_is_exact(words: Database, number: int) -> None:
    """Case, accents and spaces at the end count, whatever the collation of the column says."""
    for column, column_class in ((WORD.c.text, ColumnClass.STRING), (WORD.c.long, long_class(words))):
        assert await ids(words, words.dialect.equals(column, WORDS[number], column_class)) == [number]
        assert await ids(words, words.dialect.is_in(column, [WORDS[number], "none"], column_class)) == [number]


async def test_nothing_is_in_no_values(words: Database) -> None:
    assert await ids(words, words.dialect.is_in(WORD.c.text, [], ColumnClass.STRING)) == []


CONTAINS = {
    "CAFÉ": [1, 2, 3],
    "straße": [6, 8],  # ß has no single capital letter: STRASSE is another word
    "ISTANBUL": [9, 10, 11],
    "İSTANBUL": [9, 10, 11],
    "σοφος": [12, 13, 14],
    "ΟΦΟ": [12, 13, 14],
    "привет": [15, 16],
    "%": [17, 18],
    "a_b": [19],
    "!": [21],
    "\\": [22],
    "IT'S": [23],
    "本": [26],
}


@pytest.mark.parametrize("text", CONTAINS)
async def test_contains_ignores_case_of_every_letter(words: Database, text: str) -> None:
    for column, column_class in ((WORD.c.text, ColumnClass.STRING), (WORD.c.long, long_class(words))):
        assert await ids(words, words.dialect.contains(column, text, column_class)) == CONTAINS[text]


async def test_beginnings_and_ends(words: Database) -> None:
    assert await ids(words, words.dialect.starts_with(WORD.c.text, "STRA")) == [6, 7, 8]
    assert await ids(words, words.dialect.ends_with(WORD.c.text, "E ")) == [5]


@pytest.mark.parametrize("number", [number for number, text in WORDS.items() if text is not None])
async def test_the_database_folds_as_we_do(words: Database, number: int) -> None:
    rows = await words.fetch(sa.select(words.dialect.fold(WORD.c.text)).where(WORD.c.id == number))
    assert rows == [(fold(WORDS[number] or ""),)]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("ASC", [None, 1, 2]),
        ("DESC", [None, 2, 1]),
        ("ASC_NULLS_LAST", [1, 2, None]),
        ("DESC_NULLS_LAST", [2, 1, None]),
    ],
)
async def test_nulls_come_first_unless_they_are_wanted_last(
    words: Database, direction: str, expected: list[int | None]
) -> None:
    number = sa.case((WORD.c.id == 25, sa.null()), else_=WORD.c.id)
    question = sa.select(number).where(WORD.c.id.in_([1, 2, 25])).order_by(*words.dialect.order(number, direction))
    assert [row[0] for row in await words.fetch(question)] == expected


@pytest.mark.parametrize(
    ("column", "column_class"), [("seconds", ColumnClass.BIGINT), ("moment", ColumnClass.DATETIME)]
)
async def test_days_and_months_are_texts_of_the_calendar(
    words: Database, column: str, column_class: ColumnClass
) -> None:
    """Seconds since 1970 are cut in UTC, whatever zone the server lives in; second 0 is no time at all."""
    cut = (words.dialect.day(WORD.c[column], column_class), words.dialect.month(WORD.c[column], column_class))
    rows = await words.fetch(sa.select(*cut).where(WORD.c.id.in_([1, 2])).order_by(WORD.c.id))
    assert rows == [("2025-12-31", "2025-12-01"), (None, None)]


async def test_not_holds_for_what_is_unknown(words: Database) -> None:
    unequal = words.dialect.is_not_true(words.dialect.equals(WORD.c.text, "café", ColumnClass.STRING))
    found = await ids(words, sa.and_(unequal, WORD.c.id.in_([1, 2, 25])))
    assert found == [2, 25]


async def test_what_is_hidden_from_indexes_finds_the_same_rows(words: Database) -> None:
    number, seconds = WORD.c.id, WORD.c.seconds
    either = sa.or_(number < 3, seconds > 0)
    for condition in (either, sa.not_(either)):
        whole = await words.fetch(sa.select(number).where(condition).order_by(number))
        tested = await words.fetch(sa.select(number).where(words.dialect.tested(condition)).order_by(number))
        assert tested == whole
    flagged = await words.fetch(sa.select(number).where(words.dialect.flag(seconds) == sa.literal_column("0")))
    assert flagged == [(2,)]


async def test_sqlite_looks_no_row_up_by_a_part_of_what_is_only_tested(words: Database) -> None:
    either = sa.or_(WORD.c.id == 3, WORD.c.id > 20)
    if words.dialect.name != "sqlite":
        assert words.dialect.tested(either) is either
        return
    for condition, expected in ((either, True), (words.dialect.tested(either), False)):
        made = sa.select(WORD.c.id).where(condition).compile(compile_kwargs={"literal_binds": True})
        plan = " ".join(str(row[-1]) for row in await words.fetch(f"EXPLAIN QUERY PLAN {made}"))
        assert ("MULTI-INDEX OR" in plan) is expected
