"""An SQL expression of a module file means the same in all databases."""

from decimal import Decimal

import sqlalchemy as sa

from schema.expressions import parse, parse_condition
from schema.spec import Expression
from schema.sql_reader import Column
from storage.engine import Database

ROW = "(SELECT 7 AS n, CAST(NULL AS CHAR(20)) AS gap, 'ticket' AS word) AS " + Expression.ALIAS

MEANS: dict[str, object] = {
    "7 / 2": 3.5,
    "n / 0": None,
    "n % 4": 3,
    "mod(n, 0)": None,
    "-n + 2 * 3": -1,
    "'a' || gap": None,
    "'a' || n": "a7",
    "concat('a', gap, n)": "a7",
    "round(2.345, 1)": 2.3,
    "floor(-2.5)": -3,
    "ceil(-2.5)": -2,
    "greatest(1, n, 3)": 7,
    "least(1, nullif(n, 7))": None,
    "if(n > 5, 'big', 'small')": "big",
    "case n when 7 then 'seven' else 'other' end": "seven",
    "coalesce(gap, 'x')": "x",
    "coalesce(n > 1, false)": 1,
    "gap is null": 1,
    "not n": 0,
    "n > 1 or gap = 'x'": 1,
    "(n > 1) = (n > 2)": 1,
    "gap = 'x'": None,
    "n between 5 and 8 and n not in (1, 2)": 1,
    "upper(substr(word, 2, 3))": "ICK",
    "word like 'TICK%'": 1,
    r"word like '%\_%'": 0,
    "cast('12' as int) + 1": 13,
    "cast(n as float) / 2": 3.5,
    "length('äö')": 2,
    r"'a\b:c%d'": r"a\b:c%d",
    "case when n then 1 else 0 end": 1,
}


async def test_an_expression_has_one_meaning(empty_url: str, dialect: str) -> None:
    name = "mysql" if dialect in ("mysql", "mariadb") else dialect
    columns: list[sa.ColumnElement[object]] = [sa.literal_column(parse(text).rendered[name]) for text in MEANS]
    database = Database(empty_url)
    try:
        (row,) = await database.fetch(sa.select(*columns).select_from(sa.text(ROW)))
        condition: sa.ColumnElement[bool] = sa.literal_column(parse_condition("n and word = 'ticket'").rendered[name])
        assert await database.fetch(sa.select(sa.literal_column("1")).select_from(sa.text(ROW)).where(condition)) == [
            (1,)
        ]
    finally:
        await database.close()
    found = {
        text: float(value) if isinstance(value, Decimal) else value for text, value in zip(MEANS, row, strict=True)
    }
    assert found == MEANS


async def test_whole_numbers_are_calculated_with_64_bits(empty_url: str, dialect: str) -> None:
    """A column of 32 bits holds what its product does not; no database refuses the rows for that."""
    name = "mysql" if dialect in ("mysql", "mariadb") else dialect
    wanted = {
        "n * 2": 4_000_000_000,
        "n + n": 4_000_000_000,
        "coalesce(n, 0) * n": 4 * 10**18,
        "-n - n": -4_000_000_000,
        "case when n > 1 then n else 0 end + n": 4_000_000_000,
        "substr('word', small)": "ord",
    }
    terms = {"n": Column("n", whole=True), "small": Column("small", whole=True)}
    columns: list[sa.ColumnElement[object]] = [sa.literal_column(parse(text, terms).rendered[name]) for text in wanted]
    number = "SIGNED" if name == "mysql" else "INTEGER"
    row = f"(SELECT CAST(2000000000 AS {number}) AS n, CAST(2 AS {number}) AS small) AS {Expression.ALIAS}"
    database = Database(empty_url)
    try:
        (found,) = await database.fetch(sa.select(*columns).select_from(sa.text(row)))
    finally:
        await database.close()
    assert dict(zip(wanted, found, strict=True)) == wanted
