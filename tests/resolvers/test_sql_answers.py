"""What `db.query` and `db.queryRow` answer, the same on every database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.contract import Answer, Question
from resolvers.lambda_caller import Moment
from resolvers.sql_answers import QUERY, QUERY_ROW, QUESTIONS_AT_ONCE, answer
from storage.engine import Database
from tests.resolvers.world import ROWS, World

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
TICKETS = ROWS["ticket"]

# SQL, the values of its parameters, and the rows that it gives.
GIVES: list[tuple[str, tuple[Any, ...], list[tuple[Any, ...]]]] = [
    # parameters, in both notations; a number may come as its digits
    ("SELECT id FROM ticket WHERE id = $1", (5,), [(5,)]),
    ("SELECT id FROM ticket WHERE id = ?", ("5",), [(5,)]),
    ("SELECT id FROM ticket WHERE id IN ($2, $1) ORDER BY id", (3, "4"), [(3,), (4,)]),
    ("SELECT id FROM ticket WHERE id BETWEEN ? AND ? ORDER BY id", (3, 5.0), [(3,), (4,), (5,)]),
    ("SELECT id FROM ticket WHERE title = '$1' OR id = $1 ORDER BY id", (2,), [(2,)]),
    ("SELECT id FROM ticket WHERE id = $1", (None,), []),
    ("SELECT id FROM ticket WHERE tn = 20260005", (), [(5,)]),
    ("SELECT id FROM ticket WHERE id > 2.5 ORDER BY id LIMIT 1", (), [(3,)]),
    ("SELECT $1 AS a, $2 AS b, COALESCE($3, 7) AS c", ("x", 2, None), [("x", "2", 7)]),
    # texts are compared exactly, and LIKE ignores case
    ("SELECT id FROM ticket WHERE title = $1 ORDER BY id LIMIT 3", ("a",), [(2,), (15,), (22,)]),
    ("SELECT id FROM ticket WHERE title = 'A' ORDER BY id LIMIT 3", (), [(6,), (8,), (20,)]),
    ("SELECT id FROM ticket WHERE title LIKE $1 ORDER BY id LIMIT 3", ("ärger%",), [(13,), (26,), (31,)]),
    ("SELECT id FROM ticket WHERE title LIKE '%IM ' || $1 ORDER BY id LIMIT 2", ("BÜRO",), [(13,), (48,)]),
    ("SELECT id FROM ticket WHERE title = '100% sure_thing' ORDER BY id LIMIT 1", (), [(14,)]),
    (r"SELECT id FROM ticket WHERE title LIKE '100\% sure\_thing'", (), []),
    ("SELECT body, LENGTH(body) AS n FROM ticket WHERE LOWER(body) = 'οδοσ' LIMIT 1", (), [("ΟΔΟΣ", 4)]),
    (
        (
            "SELECT customer_user_id AS c, COUNT(*) AS n FROM ticket WHERE customer_user_id IN ('anna', $1)"
            " GROUP BY customer_user_id ORDER BY c"
        ),
        ("bert",),
        [("anna", 9), ("bert", 8)],
    ),
    (
        "SELECT id FROM customer_user WHERE login IN (SELECT customer_user_id FROM ticket) ORDER BY id",
        (),
        [(1,), (2,), (3,)],
    ),
    # truth is 1 and 0
    ("SELECT id FROM ticket WHERE hot = TRUE ORDER BY id LIMIT 3", (), [(1,), (5,), (6,)]),
    ("SELECT id FROM ticket WHERE hot = $1 ORDER BY id LIMIT 3", (True,), [(1,), (5,), (6,)]),
    ("SELECT id FROM ticket WHERE NOT hot ORDER BY id LIMIT 3", (), [(12,), (14,), (15,)]),
    (
        "SELECT id = 1 AS a, id <> 1 AS b, hot IS NULL AS c, title LIKE 'x' AS d FROM ticket WHERE id = 1",
        (),
        [(1, 0, 0, 0)],
    ),
    # dates and moments: as the database's wall clock where they are written, in UTC where they are answered
    ("SELECT id, due FROM ticket WHERE due = '2026-03-01' ORDER BY id LIMIT 1", (), [(1, "2026-03-01")]),
    (
        "SELECT id, due FROM ticket WHERE due < $1 ORDER BY id LIMIT 1",
        ("2026-03-01T00:00:00.000Z",),
        [(10, "2026-02-28")],
    ),
    (
        "SELECT id, create_time FROM ticket WHERE create_time > $1 ORDER BY create_time DESC, id LIMIT 1",
        ("2026-02-01T13:00:00+01:00",),
        [(34, "2026-02-28T11:59:59Z")],
    ),
    (
        "SELECT DATE(create_time) AS d, COUNT(*) AS n FROM ticket GROUP BY d ORDER BY d DESC LIMIT 2",
        (),
        [("2026-02-28", 2), ("2026-02-27", 1)],
    ),
    (
        (
            "SELECT YEAR(create_time) AS y, EXTRACT(MONTH FROM create_time) AS m, DAY(create_time) AS d, HOUR(create_time) AS h"
            " FROM ticket WHERE id = 1"
        ),
        (),
        [(2026, 2, 12, 11)],
    ),
    (
        "SELECT create_time + INTERVAL '1 day' AS a, create_time - INTERVAL 2 HOUR AS b FROM ticket WHERE id = 1",
        (),
        [("2026-02-13T11:59:59Z", "2026-02-12T09:59:59Z")],
    ),
    (
        "SELECT NOW() AS a, CURRENT_DATE AS b, NOW() - INTERVAL '7 days' AS c, CURDATE() - INTERVAL '1 day' AS d",
        (),
        [("2026-03-01T12:30:15Z", "2026-03-01", "2026-02-22T12:30:15Z", "2026-02-28T00:00:00Z")],
    ),
    (
        "SELECT COUNT(*) AS n FROM ticket WHERE create_time >= NOW() - INTERVAL '7 days' AND create_time < CURRENT_DATE",
        (),
        [(9,)],
    ),
    # numbers: divided as numbers, nothing by 0, whole ones beyond JavaScript's as texts
    ("SELECT 7 / 2 AS a, 1 / 0 AS b, 2 * 3 AS c, 5 % 0 AS d, 7 % 4 AS e, -(2) AS f", (), [(3.5, None, 6, None, 3, -2)]),
    (
        "SELECT ROUND(2.345, 2) AS a, ROUND(7) AS b, FLOOR(-1.5) AS c, CEIL(-1.5) AS d, ABS(-2) AS e",
        (),
        [(2.35, 7, -2, -1, 2)],
    ),
    (
        "SELECT SUM(price) AS a, AVG(price) AS b, MIN(price) AS c, COUNT(price) AS d FROM ticket",
        (),
        [(301.02, 7.16714285714286, -5, 42)],
    ),
    ("SELECT SUM(ratio) AS a, AVG(ratio) AS b FROM ticket", (), [(-31.75, -0.675531914893617)]),
    ("SELECT id FROM ticket WHERE price = 0.1 ORDER BY id LIMIT 1", (), [(1,)]),
    ("SELECT id FROM ticket WHERE price = $1 ORDER BY id LIMIT 1", ("19.99",), [(6,)]),
    ("SELECT seen FROM ticket WHERE seen > 1 LIMIT 1", (), [("9007199254740993",)]),
    (
        "SELECT effort / 60 AS a, effort * 2 AS b, effort % 7 AS c, -effort AS d FROM ticket WHERE effort = 90 LIMIT 1",
        (),
        [(1.5, 180, 6, -90)],
    ),
    # texts into numbers: what is no number is null
    (
        "SELECT CAST('12' AS INTEGER) AS a, CAST('12x' AS INT) AS b, '-7'::int AS c, CAST('' AS INT) AS d, CAST(-1.7 AS INT) AS e",
        (),
        [(12, None, -7, None, -1)],
    ),
    (
        (
            "SELECT CONCAT('a', NULL, 1) AS a, 'a' || 'b' AS b, 'a' || NULL AS c, SUBSTR('straße', 4, 2) AS d, UPPER('abc') AS e,"
            " TRIM('  x ') AS f, REPLACE('Aa', 'a', 'b') AS g, id::text AS h FROM ticket WHERE id = 1"
        ),
        (),
        [("a1", "ab", None, "aß", "ABC", "x", "Ab", "1")],
    ),
    (
        "SELECT COALESCE(NULL, 'x') AS a, NULLIF('a', 'A') AS b, NULLIF('a', 'a') AS c, GREATEST(1, 2.5) AS d, LEAST('b', NULL) AS e",
        (),
        [("x", "a", None, 2.5, None)],
    ),
    (
        "SELECT IF(id = 1, 'one', 'other') AS a, CASE id WHEN 2 THEN 'two' END AS b FROM ticket WHERE id < 3 ORDER BY id",
        (),
        [("one", None), ("other", "two")],
    ),
    # several tables, and queries in queries
    (
        "SELECT t.tn, c.email FROM ticket t JOIN customer_user c ON c.login = t.customer_user_id ORDER BY t.id LIMIT 1",
        (),
        [("20260003", "anna@example.com")],
    ),
    (
        (
            "SELECT q.name, COUNT(t.id) AS n FROM queue q LEFT JOIN ticket t ON t.queue_id = q.id AND t.hot = 1"
            " GROUP BY q.name ORDER BY n DESC, q.name LIMIT 2"
        ),
        (),
        [("Queue 2", 6), ("Queue 1", 4)],
    ),
    (
        (
            "SELECT q.id, (SELECT t.id FROM ticket t WHERE t.queue_id = q.id ORDER BY t.create_time DESC LIMIT 1) AS newest"
            " FROM queue q ORDER BY q.id LIMIT 2"
        ),
        (),
        [(1, 30), (2, 26)],
    ),
    (
        (
            "WITH busy AS (SELECT queue_id, COUNT(*) AS n FROM ticket GROUP BY queue_id HAVING COUNT(*) > $1)"
            " SELECT q.name, b.n FROM queue q JOIN busy b ON b.queue_id = q.id ORDER BY b.n DESC, q.name LIMIT 2"
        ),
        (7,),
        [("Queue 1", 14), ("Queue 2", 13)],
    ),
    (
        "SELECT id FROM queue WHERE EXISTS (SELECT 1 FROM ticket WHERE ticket.queue_id = queue.id AND price > 10) ORDER BY id LIMIT 2",
        (),
        [(1,), (2,)],
    ),
    (
        (
            "SELECT CASE WHEN price > $1 THEN 'dear' WHEN price IS NULL THEN NULL ELSE 'cheap' END AS p, COUNT(*) AS n"
            " FROM ticket GROUP BY p ORDER BY p"
        ),
        (10,),
        [("cheap", 24), ("dear", 18), (None, 18)],
    ),
    ("SELECT DISTINCT queue_id FROM ticket WHERE queue_id > 4 ORDER BY queue_id", (), [(5,), (6,)]),
    # nulls stand where PostgreSQL puts them
    ("SELECT id FROM ticket ORDER BY effort DESC, id LIMIT 2", (), [(1,), (2,)]),
    ("SELECT id FROM ticket ORDER BY effort DESC NULLS LAST, id LIMIT 2", (), [(7,), (8,)]),
    ("SELECT id FROM ticket ORDER BY effort, id LIMIT 2", (), [(3,), (4,)]),
    ("SELECT id FROM ticket ORDER BY id LIMIT $1 OFFSET $2", (2, 3), [(4,), (5,)]),
    ("SELECT COUNT(*) AS n FROM ticket HAVING COUNT(*) > 100", (), []),
    ("SELECT meta FROM ticket WHERE meta IS NOT NULL ORDER BY id LIMIT 1", (), [('{"a": 1}',)]),
]

REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("SELECT pw FROM customer_user", (), "There is no column `pw` that may be read here."),
    ("SELECT contract FROM ticket", (), "There is no column `contract` that may be read here."),
    ("SELECT start_at FROM ticket", (), "There is no column `start_at` that may be read here."),
    ("SELECT t.nothing FROM ticket t", (), "There is no column `nothing` of `t` that may be read here."),
    ("SELECT x.id FROM ticket t", (), "There is no column `id` of `x` that may be read here."),
    ("SELECT id FROM dynamic_field_value", (), "There is no table `dynamic_field_value` that may be read here."),
    ("SELECT id FROM pg_class", (), "There is no table `pg_class` that may be read here."),
    ("SELECT id FROM sqlite_master", (), "There is no table `sqlite_master` that may be read here."),
    (
        "SELECT id FROM ticket t JOIN queue q ON q.id = t.queue_id",
        (),
        "`id` is a column of several tables; write one of their names before it.",
    ),
    (
        "SELECT a.id FROM ticket a JOIN queue b ON b.id = c.queue_id JOIN ticket c ON c.id = a.id",
        (),
        "There is no column `queue_id` of `c` that may be read here.",
    ),
    ("SELECT id FROM ticket WHERE id = 'x'", (), "A whole number is wanted where a text stands."),
    ("SELECT id FROM ticket WHERE id = $1", ("x",), "Parameter 1 must be a whole number."),
    ("SELECT id FROM ticket WHERE id = $1", (2.5,), "Parameter 1 must be a whole number."),
    ("SELECT id FROM ticket WHERE price = $1", (1e-12,), "Parameter 1 must be a number."),
    ("SELECT id FROM ticket WHERE title = $1", ("\0",), "Parameter 1 must be a text."),
    ("SELECT id FROM ticket WHERE create_time > $1", ("yesterday",), "Parameter 1 must be a date and time."),
    ("SELECT id FROM ticket WHERE create_time > 'yesterday'", (), "A date and time is wanted where a text stands."),
    ("SELECT id FROM ticket WHERE due = 5", (), "A date is wanted where a number stands."),
    (
        "SELECT id FROM ticket WHERE title = id",
        (),
        "A text and a whole number cannot be compared or mixed; CAST one of them.",
    ),
    (
        "SELECT id FROM ticket WHERE create_time > due",
        (),
        "A date and a date and time cannot be compared or mixed; CAST one of them.",
    ),
    ("SELECT id FROM ticket WHERE title", (), "A condition is wanted where a text stands."),
    ("SELECT id + title AS x FROM ticket", (), "A number is wanted where a text stands."),
    (
        "SELECT CONCAT(price) AS x FROM ticket",
        (),
        "A number cannot become a text: databases write it in different ways.",
    ),
    ("SELECT UPPER(id) AS x FROM ticket", (), "A text is wanted where a whole number stands; CAST it to TEXT."),
    ("SELECT id % 1.5 AS x FROM ticket", (), "A whole number is wanted where a number stands."),
    (
        "SELECT REPLACE(title, 'a', body) AS x FROM ticket",
        (),
        "REPLACE puts in texts or parameters of at most 100 characters.",
    ),
    (
        "SELECT REPLACE(title, 'a', $1) AS x FROM ticket",
        ("x" * 101,),
        "Parameter 1 must be a text of at most 100 characters.",
    ),
    ("SELECT SUBSTR(title, 0) AS x FROM ticket", (), "The first letter of a text has the number 1."),
    ("SELECT SUBSTR(title, id) AS x FROM ticket", (), "A place in a text or its length is written as a whole number."),
    ("SELECT LOWER(title, title) AS x FROM ticket", (), "The SQL cannot be read as one SELECT."),
    ("SELECT INTERVAL '1 day' AS x", (), "An INTERVAL only stands beside a date and time."),
    (
        "SELECT id FROM ticket WHERE id = $2",
        (1,),
        "The SQL has a parameter for which no value is given: it was given 1.",
    ),
    ("SELECT id FROM ticket LIMIT $1", (-1,), "LIMIT and OFFSET take whole numbers from 0 to 1,000,000."),
    (
        "SELECT id FROM ticket WHERE title LIKE body",
        (),
        "A pattern of LIKE is made of texts and parameters, not of columns.",
    ),
    (
        "SELECT title, COUNT(*) AS n FROM ticket",
        (),
        "`title` must stand in GROUP BY, or in a COUNT, SUM, MIN, MAX or AVG.",
    ),
    (
        "SELECT queue_id FROM ticket GROUP BY queue_id ORDER BY title",
        (),
        "`title` must stand in GROUP BY, or in a COUNT, SUM, MIN, MAX or AVG.",
    ),
    (
        "SELECT queue_id, (SELECT MAX(q.id) FROM queue q WHERE q.name = ticket.title) AS x FROM ticket GROUP BY queue_id",
        (),
        "`title` must stand in GROUP BY, or in a COUNT, SUM, MIN, MAX or AVG.",
    ),
    (
        "SELECT id FROM ticket WHERE COUNT(*) > 1",
        (),
        "COUNT, SUM, MIN, MAX and AVG do not stand in WHERE; HAVING takes them.",
    ),
    ("SELECT SUM(MAX(id)) AS x FROM ticket", (), "`max` cannot stand inside another function over rows."),
    (
        "SELECT id FROM ticket GROUP BY 1",
        (),
        "GROUP BY takes columns, and what the SELECT gives a name; not their numbers.",
    ),
    (
        "SELECT id FROM ticket ORDER BY CASE WHEN id = 1 THEN 2 END",
        (),
        "ORDER BY takes columns, and what the SELECT gives a name.",
    ),
    ("SELECT DISTINCT id FROM ticket ORDER BY title", (), "ORDER BY takes columns, and what the SELECT gives a name."),
    (
        "SELECT id FROM ticket WHERE id IN (SELECT id, tn FROM ticket)",
        (),
        "A SELECT inside an expression gives one column.",
    ),
    ("SELECT id FROM ticket WHERE id IN (SELECT id FROM ticket LIMIT 1)", (), "A SELECT after IN has no LIMIT."),
    (
        "SELECT x.a FROM ticket t JOIN (SELECT t.id AS a) AS x ON x.a = t.id",
        (),
        "There is no column `id` of `t` that may be read here.",
    ),
    (f"SELECT {'id * ' * 11}1 AS x FROM ticket", (), "The SQL multiplies and divides more than 10 times."),  # noqa: S608 - the tests' own words
    (
        " JOIN ".join(["SELECT 1 AS x FROM ticket t0", *(f"ticket t{n} ON t{n}.id = 1" for n in range(1, 13))]),
        (),
        "The SQL has more than 12 tables.",
    ),
    ("SELECT id FROM ticket", ({"$ne": 1},), "Parameter 1 must be a text, a number, true, false or null."),
    ("SELECT id FROM ticket", ([1],), "Parameter 1 must be a text, a number, true, false or null."),
]


async def ask(world: World, *questions: tuple[Any, ...], verb: str = QUERY) -> list[Answer]:
    context = world.context(moment=Moment(NOW.timestamp() * 1000))
    return await answer(context, [Question(verb, question) for question in questions])


async def rows(world: World, text: str, *values: Any) -> list[tuple[Any, ...]]:
    (found,) = await ask(world, (text, *values))
    assert found.error is None, found.error
    return [tuple(row.values()) for row in found.value]


async def refusal(world: World, text: str, *values: Any) -> str | None:
    world.seen.clear()
    (found,) = await ask(world, (text, *values))
    assert found.value is None
    return found.error


@pytest.mark.parametrize(
    ("text", "values", "expected"), GIVES, ids=lambda item: str(item)[:70] if isinstance(item, str) else ""
)
async def test_it_gives(world: World, text: str, values: Sequence[Any], expected: list[tuple[Any, ...]]) -> None:
    assert await rows(world, text, *values) == expected


@pytest.mark.parametrize(
    ("text", "values", "expected"), REFUSED, ids=lambda item: str(item)[:70] if isinstance(item, str) else ""
)
async def test_it_is_refused_before_any_statement(
    world: World, text: str, values: Sequence[Any], expected: str
) -> None:
    assert await refusal(world, text, *values) == f"SQL_REFUSED: {expected}"
    assert world.seen == []


# --- rows and values ---


async def test_rows_carry_their_values_under_the_names_of_the_columns(world: World) -> None:
    (found,) = await ask(world, ("SELECT id, tn AS ticketNumber, COUNT(*) FROM ticket WHERE id = 1 GROUP BY id, tn",))
    assert found.value == [{"id": 1, "ticketNumber": "20260001", "count": 1}]


async def test_query_row_gives_the_first_row_or_null(world: World) -> None:
    found = await ask(
        world,
        ("SELECT id FROM ticket ORDER BY id DESC",),
        ("SELECT id FROM ticket WHERE id > 60",),
        ("SELECT COUNT(*) FROM ticket WHERE queue_id = $1", 99),
        verb=QUERY_ROW,
    )
    assert [one.value for one in found] == [{"id": 60}, None, {"count": 0}]


async def test_a_table_may_be_named_in_any_letters_and_as_any_file_names_it(world: World) -> None:
    assert await rows(world, "SELECT COUNT(*) FROM TICKET") == [(60,)]
    assert await rows(world, 'SELECT COUNT(*) FROM "ticket"') == [(60,)]
    assert await rows(world, "SELECT COUNT(*) FROM `groups`") == [(3,)]
    assert await rows(world, "SELECT COUNT(*) FROM permission_groups") == [(3,)]


# --- many questions ---


async def test_questions_with_one_text_are_one_statement(world: World) -> None:
    text = "SELECT COUNT(*) AS n FROM ticket WHERE queue_id = $1"
    found = await ask(world, *((text, number) for number in range(QUESTIONS_AT_ONCE)), verb=QUERY_ROW)

    assert [one.value["n"] for one in found] == [
        sum(row["queue_id"] == number for row in TICKETS) for number in range(QUESTIONS_AT_ONCE)
    ]
    assert len(world.seen) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 8, 33, 51])
async def test_however_many_questions_there_are_each_has_its_own_answer(world: World, number: int) -> None:
    text = "SELECT id, title FROM ticket WHERE queue_id = $1 AND (title LIKE $2 OR effort = $3) ORDER BY title DESC, id LIMIT 2"
    asked = [(text, 1 + place % 6, ("%a%", "%o%")[place % 2], (0, 90, 3600)[place % 3]) for place in range(number)]
    together = await ask(world, *asked)
    alone = [(await ask(world, one))[0] for one in asked]
    assert together == alone


async def test_questions_of_different_texts_and_mistaken_ones_do_not_disturb_each_other(world: World) -> None:
    found = await ask(
        world,
        ("SELECT id FROM ticket WHERE id = $1", 1),
        ("SELECT nothing FROM ticket",),
        ("SELECT name FROM queue WHERE id = $1", 2),
        ("SELECT id FROM ticket WHERE id = $1", "x"),
        ("SELECT id FROM ticket WHERE id = $1", 3),
        (5,),
    )
    assert [one.value for one in found] == [[{"id": 1}], None, [{"name": "Queue 2"}], None, [{"id": 3}], None]
    assert found[5].error == "SQL_REFUSED: db.query and db.queryRow take a text of SQL, and values for its parameters."


async def test_statements_are_made_once_for_all_values(world: World) -> None:
    from resolvers.sql_forms import forms_of  # noqa: PLC0415 - loaded as the answers load it

    form = forms_of(world.context()).form(
        "SELECT id FROM ticket WHERE id > $1 AND create_time < NOW() AND title LIKE $2"
    )
    assert form.template is not None


# --- limits ---


async def test_more_rows_than_may_be_are_an_error_and_not_a_part_of_them(world: World) -> None:
    found = await ask(
        world,
        ("SELECT a.id FROM ticket a JOIN ticket b ON 1 = 1",),
        ("SELECT a.id FROM ticket a JOIN ticket b ON 1 = 1 LIMIT 1000",),
        ("SELECT a.id FROM ticket a JOIN ticket b ON 1 = 1 LIMIT 5000",),
    )
    assert found[0].error == found[2].error == "SQL_LIMIT: The answer has more than 1,000 rows; write a LIMIT."
    assert len(found[1].value) == 1_000


async def test_a_text_that_is_too_long_is_an_error(world: World) -> None:
    text = "SELECT CONCAT($1, $1, $1, $1) AS x"
    whole, longer = await ask(world, (text, "a" * 5_000), (text, "a" * 5_001))
    assert whole.value == [{"x": "a" * 20_000}]
    assert longer.error == "SQL_LIMIT: A text has more than 20,000 characters; cut it with SUBSTR."


async def test_texts_that_are_put_together_again_and_again_stay_bounded(world: World) -> None:
    twice = "SELECT CONCAT(a, a, a) AS a FROM"
    text = f"SELECT LENGTH(a) AS n FROM ({twice} ({twice} (SELECT $1 || $1 AS a) AS x) AS y) AS z"  # noqa: S608 - the tests' own words
    assert await rows(world, text, "é" * 10) == [(180,)]
    assert await rows(world, text, "é" * 16_000) == [(60_003,)]
    assert await rows(
        world, "SELECT LENGTH(REPLACE(x.a, 'a', $2)) AS n FROM (SELECT $1 AS a) AS x", "a" * 9, "b" * 100
    ) == [(900,)]


async def test_values_belong_into_parameters_and_not_into_ever_new_texts(world: World) -> None:
    texts = [f"SELECT id FROM ticket WHERE id = {number}" for number in range(1, 22)]  # noqa: S608 - the tests' own words
    *found, last = await ask(world, *((text,) for text in texts))
    assert [one.value for one in found] == [[{"id": number}] for number in range(1, 21)]
    assert last.error == ("SQL_LIMIT: More than 20 different texts of SQL at once; give what differs as parameters.")


async def test_a_pattern_has_few_wildcards(world: World) -> None:
    """The pattern cap (M10)."""
    text = "SELECT id FROM ticket WHERE title LIKE $1"
    message = "SQL_REFUSED: A pattern of LIKE has at most 200 characters, and 10 of them are `%` or `_`."
    assert await refusal(world, text, "%" * 50_000) == message
    assert await refusal(world, text, "%a" * 11) == message
    assert await refusal(world, text, "a" * 201) == message
    assert await refusal(world, "SELECT id FROM ticket WHERE title LIKE CONCAT('%', $1, '%')", "_" * 9) == message
    assert world.seen == []


async def test_joins_without_end_are_stopped(world: World) -> None:
    """The statement timeout (M7): 60 tickets, six times with each other."""
    joins = " ".join(f"JOIN ticket t{number} ON t{number}.id <> t0.id + {number}" for number in range(1, 6))
    slow = Database(world.database._url, statement_timeout_s=0.3)
    try:
        stopped, counted = World(slow, world.snapshot), World(slow, world.snapshot)
        (found,) = await ask(stopped, (f"SELECT COUNT(*) FROM ticket t0 {joins}",))  # noqa: S608 - the tests' own words
        assert found.error == "SQL_TIMEOUT: The SQL took too long and was stopped."
        assert await rows(counted, "SELECT COUNT(*) FROM ticket") == [(60,)]
    finally:
        await slow.close()


async def test_what_lambdas_read_together_has_a_limit(world: World) -> None:
    context = world.context(cost_limit=100)
    question = Question(QUERY, ("SELECT id FROM ticket",))
    first, second = [(await answer(context, [question]))[0] for _ in range(2)]
    assert len(first.value) == 60
    assert second.error == (
        "SQL_LIMIT: The lambdas of this operation ask for more than a cost of 100 (rows times fields)."
    )
