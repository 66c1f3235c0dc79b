"""Many statements of one text as one: the same rows in the same order as each alone, told apart by their number."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.direct import Ready
from storage.engine import Database
from storage.union import BRANCHES_LIMIT, can_unite, unite
from tests.databases import DIALECTS, fresh_url

PLACE = {"sqlite": "?", "mysql": "%s", "postgresql": "$1::INTEGER"}
# `:1` is the place of the one value.
STATEMENTS = (
    "SELECT t.id, t.name FROM numbers AS t WHERE t.id <= :1 ORDER BY t.name DESC LIMIT 3",
    "SELECT t.id, t.name FROM numbers AS t WHERE t.id <= :1 ORDER BY t.name DESC",
    "SELECT count(*), count(*) FROM numbers AS t WHERE t.id < :1",
    "SELECT g.name, count(*) FROM (SELECT t.name AS name FROM numbers AS t WHERE t.id < :1) AS g GROUP BY g.name ORDER BY g.name DESC",
    "SELECT p.id FROM (SELECT t.id AS id, row_number() OVER (ORDER BY t.name DESC) AS n FROM numbers AS t WHERE t.id < :1) AS p WHERE p.n < 4 ORDER BY p.n",
    "SELECT t.id, 'it''s $1, %%, ?' AS \"$1\" FROM numbers AS t WHERE t.id = :1",
)


@pytest.fixture(params=DIALECTS)
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    with fresh_url(request.param, installed=False) as url:
        found = Database(url)
        async with found.transaction() as transaction:
            await transaction.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, name VARCHAR(20))")
            for number in range(1, 60):
                row = f"({number}, 'name {number % 7} {number}')"
                await transaction.execute(f"INSERT INTO numbers VALUES {row}")  # noqa: S608 - numbers of this test
        yield found
        await found.close()


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_each_branch_has_the_rows_of_its_own_statement_in_their_order(database: Database, statement: str) -> None:
    dialect = database.dialect.name
    text = statement.replace(":1", PLACE[dialect]).replace("%%", "%%" if dialect == "mysql" else "%")
    for values in ((40, 3, 1, 40), (7,), tuple(range(1, 49))):
        alone = [await database.fetch(Ready(text, (value,), shows=True)) for value in values]
        united = unite(text, [(value,) for value in values], dialect)
        assert united is not None
        found: list[list[tuple[object, ...]]] = [[] for _ in values]
        for number, *row in await database.fetch(united):
            found[number].append(tuple(row))
        assert found == [[tuple(row) for row in rows] for rows in alone]


async def test_as_many_branches_as_are_allowed_are_taken_by_every_database(database: Database) -> None:
    text = STATEMENTS[-1].replace(":1", PLACE[database.dialect.name])
    for last in (5, 6):
        branches = [(5,)] * (BRANCHES_LIMIT - 1) + [(last,)]
        united = unite(text, branches, database.dialect.name)
        assert united is not None
        rows = await database.fetch(united)
        assert sorted((number, key) for number, key, _ in rows) == [(n, key) for n, (key,) in enumerate(branches)]


def test_what_is_no_plain_statement_or_too_many_are_not_united() -> None:
    assert can_unite("SELECT 1", 3, 20)
    assert not can_unite("SELECT 1", 3, BRANCHES_LIMIT + 1)
    assert not can_unite("SELECT 1", 200, 200)
    assert not can_unite("SELECT DISTINCT t.id FROM t", 0, 2)
    assert not can_unite("WITH t AS (SELECT 1) SELECT * FROM t", 0, 2)


@pytest.mark.parametrize("type_", ["VARCHAR", "CHARACTER VARYING(50)"])  # the second is none that rows of values have
async def test_branches_that_differ_in_texts_and_share_the_rest_are_told_apart(database: Database, type_: str) -> None:
    marks = {
        "sqlite": ("?",) * 4,
        "mysql": ("%s",) * 4,
        "postgresql": ("$1::CHARACTER VARYING(50)", "$2::INTEGER", f"$3::{type_}", "$4::INTEGER"),
    }
    other, low, name, high = marks[database.dialect.name]
    where = f"t.name <> {other} AND t.id > {low} AND t.name <> {name} AND t.id < {high}"
    text = f"SELECT t.id FROM numbers AS t WHERE {where} ORDER BY t.id DESC LIMIT 2"  # noqa: S608 - marks
    branches = [("x", 3, "name 2 9", high) for high in (10, 11, 12, 5)] + [("x", 3, "it's $1", 10)]
    united = unite(text, branches, database.dialect.name)
    assert united is not None
    found: dict[int, list[int]] = {}
    for number, key in await database.fetch(united):
        found.setdefault(number, []).append(key)
    assert found == {0: [8, 7], 1: [10, 8], 2: [11, 10], 3: [4], 4: [9, 8]}
