"""SQL expressions: what may be said, and that all three databases are told the same."""

import sqlite3

import pytest

from schema.expressions import Beside, parse, parse_condition, parse_select
from schema.spec import Expression
from schema.sql_reader import Column, ExpressionError


def rendered(text: str) -> tuple[str, str, str]:
    found = parse(text)
    return found.rendered["sqlite"], found.rendered["mysql"], found.rendered["postgresql"]


@pytest.mark.parametrize(
    ("text", "sqlite", "mysql", "postgresql"),
    [
        ("a * 60", '(__t__."a" * 60)', "(__t__.`a` * 60)", '(__t__."a" * 60)'),
        (
            "a / 2",
            '(CAST(__t__."a" AS REAL) / NULLIF(2, 0))',
            "((__t__.`a` + 0e0) / NULLIF(2, 0))",
            '(CAST(__t__."a" AS DOUBLE PRECISION) / NULLIF(2, 0))',
        ),
        (
            "a || '-' || b",
            """(CAST((CAST(__t__."a" AS TEXT) || CAST('-' AS TEXT)) AS TEXT) || CAST(__t__."b" AS TEXT))""",
            "CONCAT(CONVERT(CONCAT(CONVERT(__t__.`a` USING utf8mb4), CONVERT('-' USING utf8mb4)) USING utf8mb4), CONVERT(__t__.`b` USING utf8mb4))",
            """(CAST((CAST(__t__."a" AS TEXT) || CAST('-' AS TEXT)) AS TEXT) || CAST(__t__."b" AS TEXT))""",
        ),
        ("a > 1", '(__t__."a" > 1)', "(__t__.`a` > 1)", 'CAST((__t__."a" > 1) AS INTEGER)'),
        (
            "CASE WHEN a THEN 'it''s' ELSE NULL END",
            """CASE WHEN (__t__."a" <> 0) THEN 'it''s' ELSE NULL END""",
            "CASE WHEN (__t__.`a` <> 0) THEN 'it''s' ELSE NULL END",
            """CASE WHEN (__t__."a" <> 0) THEN 'it''s' ELSE NULL END""",
        ),
        (
            "not (a = 1 or b in (1, 2)) and c is not null",
            '((NOT ((__t__."a" = 1) OR (__t__."b" IN (1, 2)))) AND (__t__."c" IS NOT NULL))',
            "((NOT ((__t__.`a` = 1) OR (__t__.`b` IN (1, 2)))) AND (__t__.`c` IS NOT NULL))",
            'CAST(((NOT ((__t__."a" = 1) OR (__t__."b" IN (1, 2)))) AND (__t__."c" IS NOT NULL)) AS INTEGER)',
        ),
        (
            "a like 'x%'",
            """(__t__."a" LIKE 'x%')""",
            "(__t__.`a` LIKE 'x%' ESCAPE '')",
            """CAST((__t__."a" ILIKE 'x%' ESCAPE '') AS INTEGER)""",
        ),
        (r"'a\'", r"'a\'", r"'a\\'", r"'a\'"),
        ("length(`a`)", 'LENGTH(__t__."a")', "CHAR_LENGTH(__t__.`a`)", 'LENGTH(__t__."a")'),
    ],
)
def test_every_database_gets_its_own_text(text: str, sqlite: str, mysql: str, postgresql: str) -> None:
    assert rendered(text) == (sqlite, mysql, postgresql)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("a +", "it ends too early"),
        ("a b", "`b` is misplaced"),
        ("a; DROP TABLE x", "`; DROP TABLE x` cannot be read"),
        ("a -- x", "`-- x` cannot be read"),
        ("a /* x */", "`*` is misplaced"),
        ("?", "`?` cannot be read"),
        ("$1", "`$1` cannot be read"),
        (":a", "`:a` cannot be read"),
        ("@@version", "`@@version` cannot be read"),
        ("users.pw", "`users.` points at another table; an expression has only own columns"),
        ("(select pw from users)", "queries are not allowed inside an expression"),
        ("a in (select pw from users)", "queries are not allowed inside an expression"),
        ("select 1", "queries are not allowed inside an expression"),
        ("sleep(10)", "the function `sleep` is not allowed"),
        ("pg_sleep(10)", "the function `pg_sleep` is not allowed"),
        ("load_extension('x')", "the function `load_extension` is not allowed"),
        ("replace(a)", "`replace` takes 3 values; found 1"),
        ("round(a, 1, 2)", "`round` takes 1 to 2 values; found 3"),
        ("cast(a as blob)", "`CAST` to `blob` is not allowed"),
        ("case end", "`end` is misplaced"),
        ("case when a then 1", "`END` is missing at the end"),
        ("(a, b)", "a list in brackets only stands after `IN`"),
        ("a not b", "`NOT` is misplaced before `b`"),
        ("'open", "`'open` cannot be read"),
        ("1x", "`1x` cannot be read"),
        ("(" * 60 + "a" + ")" * 60, "it is nested more than 25 deep"),
        ("a" + " + a" * 200, "it has more than 300 words and signs"),
        ("x" * 65, "`xxxxxxxxxxxxxxxxxxxx…` is too long for a column"),
        ("a = b = c", "`=` is misplaced"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_only_columns_of_the_table_go_on_and_fields_stand_for_theirs() -> None:
    found = parse("group + a", {"group": Column("group_id"), "a": Column("a")})
    assert (found.columns, found.rendered["postgresql"]) == (("group_id", "a"), '(__t__."group_id" + __t__."a")')
    with pytest.raises(ExpressionError, match="there is no column `pw`"):
        parse("pw", {"a": Column("a")})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7 / 2", 3.5),
        ("7 / 0", None),
        ("n % 4", 3),
        ("-n + 2 * 3", -1),
        ("'a' || NULL", None),
        ("concat('a', NULL, n)", "a7"),
        ("round(2.345, 1)", 2.3),
        ("floor(-2.5)", -3),
        ("ceil(-2.5)", -2),
        ("greatest(1, n, 3)", 7),
        ("if(n > 5, 'big', 'small')", "big"),
        ("case n when 7 then 'seven' else 'other' end", "seven"),
        ("coalesce(gap, 'x')", "x"),
        ("gap is null", 1),
        ("not n", 0),
        ("n between 5 and 8 and n not in (1, 2)", 1),
        ("upper(substr(word, 2, 3))", "ICK"),
        ("year(day)", 2026),
        ("month(day)", 2),
        ("word like 'TICK%'", 1),
        ("cast('12' as int) + 1", 13),
    ],
)
def test_sqlite_computes_what_it_says(text: str, value: object) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (n INTEGER, gap TEXT, word TEXT, day TEXT)")
    connection.execute("INSERT INTO t VALUES (7, NULL, 'ticket', '2026-02-03 04:05:06')")
    sql = parse(text).rendered["sqlite"].replace(Expression.ALIAS, "t")
    assert connection.execute(f"SELECT {sql} FROM t").fetchone() == (value,)  # noqa: S608 - the text under test
    connection.close()


def test_a_column_of_a_side_table_is_fetched_by_the_key() -> None:
    found = parse("upper(contract) || '/' || n", {"contract": Beside("no", "ext", ("a", "b")), "n": Column("n")})
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT, n INTEGER)")
    connection.execute("CREATE TABLE ext (a INTEGER, b TEXT, no TEXT)")
    connection.execute("INSERT INTO t VALUES (1, 'x', 7), (1, 'y', 8)")
    connection.execute("INSERT INTO ext VALUES (1, 'x', 'k-1'), (2, 'y', 'k-2')")
    sql = found.rendered["sqlite"].replace(Expression.ALIAS, "t")
    assert connection.execute(f"SELECT {sql} FROM t ORDER BY n").fetchall() == [("K-1/7",), (None,)]  # noqa: S608 - the text under test
    connection.close()
    assert (
        "(SELECT lambdesk_beside.`no` FROM `ext` lambdesk_beside"
        " WHERE lambdesk_beside.`a` = __t__.`a` AND lambdesk_beside.`b` = __t__.`b`)"
    ) in found.rendered["mysql"]


def test_a_filters_query_is_one_plain_select() -> None:
    found = parse_select("SELECT id, name FROM groups WHERE valid_id = 1 ORDER BY name;")
    assert (found.table, found.value, found.label, found.order) == ("groups", "id", "name", "name")
    assert found.condition is not None
    assert found.condition.rendered["mysql"] == "(__t__.`valid_id` = 1)"
    assert parse_select("select distinct navigation, navigation from sysconfig_default").condition is None
    assert parse_condition("valid_id").rendered["postgresql"] == '(__t__."valid_id" <> 0)'


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id, name, pw FROM users",
        "SELECT * FROM users",
        "SELECT id FROM a, b",
        "SELECT id FROM a JOIN b",
        "SELECT id FROM a UNION SELECT pw FROM users",
        "SELECT lower(name) FROM a",
        "SELECT id FROM a; DROP TABLE a",
        "SELECT id FROM a WHERE id IN (SELECT id FROM b)",
    ],
)
def test_any_other_query_of_a_filter_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_select(text)
