"""What the SQL of lambdas may say: one SELECT. Everything else is refused by its syntax, before a database hears of it.

(M1) and the like are lines of the list of bad inputs.
"""

import logging
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.sql_parse import parse
from resolvers.sql_syntax import Call, Item, Name, Number, Parameter, Query, RefusedSql, Sort, Source, Text
from resolvers.sql_words import read_words

ONE_SELECT = "db.query and db.queryRow take one SELECT."
ONE_STATEMENT = "Only one statement is allowed: there is a `;` inside."
UNREADABLE = "The SQL cannot be read as one SELECT."
NO_STAR = "Name the columns: `*` is not allowed."
NO_SCHEMA = "Tables are named without a schema or database before them."
NO_COMMENT = "Comments are not allowed in the SQL of lambdas."
JOINS = "Tables are joined by JOIN … ON or LEFT JOIN … ON."
PLAIN = "A quoted name has only letters of English, digits and `_`; texts stand between single quotes."
DEEP = "The SQL is nested more than 12 deep."
SPANS = "An INTERVAL is a whole number of seconds, minutes, hours, days or weeks, of at most 100 years."


def refused(what: str) -> str:
    return f"{what} is not allowed in the SQL of lambdas."


def function(name: str) -> str:
    return refused(f"The function `{name}`")


REFUSED = {
    # writing, and changing what a session may do (M1)
    "": ONE_SELECT,
    "DELETE FROM ticket": ONE_SELECT,
    "BEGIN READ WRITE; DELETE FROM ticket": ONE_STATEMENT,
    "COMMIT": ONE_SELECT,
    "SET ROLE postgres": ONE_SELECT,
    "SET statement_timeout=0": ONE_SELECT,
    "SELECT 1; SET statement_timeout=0": ONE_STATEMENT,
    "SELECT id FROM ticket; DROP TABLE ticket": ONE_STATEMENT,
    "WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x": refused("DELETE"),
    "SELECT id INTO x FROM ticket": refused("SELECT with into"),
    "SELECT id FROM ticket INTO OUTFILE '/tmp/x'": UNREADABLE,
    "SELECT id FROM ticket FOR UPDATE": refused("SELECT with locks"),
    "SELECT id FROM ticket LOCK IN SHARE MODE": refused("SELECT with locks"),
    "SELECT nextval('x')": function("nextval"),
    "EXPLAIN SELECT 1": ONE_SELECT,
    # what reaches out of the database (M2)
    "ATTACH 'x' AS y": ONE_SELECT,
    "VACUUM INTO 'x'": ONE_SELECT,
    "PRAGMA query_only": ONE_SELECT,
    "SELECT load_extension('x')": function("load_extension"),
    "SELECT LOAD_FILE('/etc/passwd')": function("load_file"),
    "SELECT pg_sleep(9)": function("pg_sleep"),
    "SELECT BENCHMARK(1, 2)": function("benchmark"),
    "SELECT version()": refused("CURRENT VERSION"),
    "SELECT CURRENT_USER": refused("CURRENT USER"),
    # everything at once, and the databases' own tables (M6)
    "SELECT * FROM ticket": NO_STAR,
    "SELECT t.* FROM ticket t": NO_STAR,
    "SELECT COUNT(*), * FROM ticket": NO_STAR,
    "SELECT table_name FROM information_schema.tables": NO_SCHEMA,
    "SELECT user FROM mysql.user": NO_SCHEMA,
    # rows without end (M7)
    "SELECT a FROM x, y": JOINS,
    "SELECT a FROM x CROSS JOIN y": JOINS,
    "SELECT a FROM x NATURAL JOIN y": refused("JOIN with method"),
    "SELECT a FROM x JOIN y USING (a)": refused("JOIN with using"),
    "SELECT a FROM x RIGHT JOIN y ON x.a = y.a": JOINS,
    "SELECT a FROM x JOIN LATERAL (SELECT 1 AS b) AS y ON 1 = 1": refused("LATERAL"),
    "WITH RECURSIVE x AS (SELECT 1 AS a) SELECT a FROM x": refused("WITH RECURSIVE"),
    "SELECT a FROM generate_series(1, 1000000)": refused("EXPLODING GENERATE SERIES"),
    "SELECT a FROM x UNION SELECT a FROM y": refused("UNION, INTERSECT and EXCEPT").replace(" is ", " are "),
    # in which order (M8)
    "SELECT a FROM x ORDER BY 1": "ORDER BY takes names of columns, not their numbers.",
    "SELECT a FROM x ORDER BY 1; drop": ONE_STATEMENT,
    'SELECT a FROM x ORDER BY a COLLATE "C"': refused("COLLATE"),
    "SELECT a FROM x ORDER BY a USING <": UNREADABLE,
    # what things are called (M9)
    'SELECT "a b" FROM x': PLAIN,
    'SELECT `a"b` FROM x': PLAIN,
    "SELECT t\u0456cket FROM x": "`\u0456cket FROM x` cannot stand in the SQL of lambdas.",
    f"SELECT {'a' * 65} FROM x": "The name `aaaaaaaaaaaaaaaaaaaa…` is longer than 64 characters.",  # noqa: S608 - the tests' own words
    "SELECT a AS __proto__ FROM x": "`__proto__` is no name for a column: it begins with `__`.",
    "SELECT a AS b, c AS b FROM x": "Two columns of the result are called `b`; name one with AS.",
    "SELECT 1 FROM x AS y JOIN x AS y ON 1 = 1": "Two tables of one SELECT have the same name; give one another with AS.",
    "SELECT s.t.a FROM t": "A column is named alone, or behind the name of its table.",
    # comments and hints, variables, other ways to write texts and numbers
    "SELECT a FROM x -- y": NO_COMMENT,
    "SELECT /*+ hint */ a FROM x": NO_COMMENT,
    "SELECT a FROM x # y": NO_COMMENT,
    "SELECT @@version": "`@@version` cannot stand in the SQL of lambdas.",
    "SELECT :x": "`:x` cannot stand in the SQL of lambdas.",
    "SELECT E'x'": "`E'x'` cannot stand in the SQL of lambdas.",
    "SELECT $$x$$": "`$$x$$` cannot stand in the SQL of lambdas.",
    "SELECT 'a' 'b'": "Two texts stand side by side; write `||` between them.",
    "SELECT 'a": "A quote is not closed, or something is joined to it.",
    "SELECT 1e10": "`1e10` cannot stand in the SQL of lambdas.",
    "SELECT 1234567890123456789": "A number has at most 18 digits, and 6 behind the point.",
    "SELECT a\0 FROM x": "`? FROM x` cannot stand in the SQL of lambdas.",
    "SELECT $1, ?": "Write either `$1` or `?` for parameters, not both.",
    "SELECT $51": "The SQL has more than 50 parameters.",
    # what databases say in different ways, or not at all
    "SELECT SUM(a) OVER () FROM x": refused("WINDOW"),
    "SELECT COUNT(*) FILTER (WHERE a = 1) FROM x": refused("FILTER"),
    "SELECT DISTINCT ON (a) a FROM x": refused("DISTINCT with on"),
    "SELECT a FROM x TABLESAMPLE SYSTEM (1)": refused("TABLE with sample"),
    "SELECT a FROM x WHERE (a, b) = (1, 2)": refused("TUPLE"),
    "SELECT a FROM x WHERE a = ANY(b)": refused("ANY"),
    "SELECT a FROM x WHERE a LIKE 'x' ESCAPE '!'": refused("ESCAPE"),
    "SELECT a FROM x WHERE a IS TRUE": "IS stands before NULL or NOT NULL.",
    "SELECT a FROM x LIMIT 1.5": "LIMIT and OFFSET take a whole number or a parameter.",
    "SELECT a FROM x FETCH FIRST 3 ROWS ONLY": refused("FETCH"),
    "SELECT a::regclass FROM x": "CAST goes to TEXT, INTEGER, FLOAT, DECIMAL, DATE or TIMESTAMP.",
    "SELECT a + INTERVAL '1 month' FROM x": SPANS,
    "SELECT a + INTERVAL '40000 days' FROM x": SPANS,
    "SELECT EXTRACT(EPOCH FROM a) FROM x": "EXTRACT takes YEAR, MONTH, DAY or HOUR.",
    "SELECT a FROM (SELECT 1 AS a)": "A SELECT in FROM needs a name: (SELECT …) AS name.",
    "SELECT COUNT(DISTINCT a, b) FROM x": "COUNT(DISTINCT …) takes one column.",
    "SELECT a FROM x GROUP BY ROLLUP (a)": refused("ROLLUP"),
    # too much
    f"SELECT {'(' * 13}1{')' * 13}": DEEP,
    f"SELECT {'CASE WHEN 1 = 1 THEN ' * 13}1{' END' * 13}": DEEP,
    f"SELECT {'NOT ' * 6}a FROM x": DEEP,  # noqa: S608 - the tests' own words
    f"SELECT {'+'.join('1' * 40)}": "The SQL is nested more than 24 deep.",
    f"SELECT {','.join(f'a{number}' for number in range(201))} FROM x": "A SELECT has at most 200 columns.",  # noqa: S608 - the tests' own words
    f"SELECT a FROM x WHERE a IN ({','.join('1' * 201)})": "A list has at most 200 values.",  # noqa: S608 - the tests' own words
    f"SELECT {'1,' * 800}1": "The SQL has more than 1,500 words and signs.",
    f"SELECT '{'x' * 10_000}'": "The SQL is longer than 10,000 characters.",
    "SELECT a)": "`)` has nothing to close.",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:60])
def test_it_is_refused(text: str) -> None:
    with pytest.raises(RefusedSql) as error:
        parse(text)
    assert str(error.value) == REFUSED[text]


def test_a_select_is_read_into_a_tree_of_our_own() -> None:
    found = parse(
        "SELECT t.name, COUNT(*) FROM Ticket t WHERE t.queue_id = $2 AND title <> 'it''s $1' GROUP BY t.name ORDER BY count DESC LIMIT ?".replace(
            "?", "3"
        )
    )

    assert found == Query(
        items=(Item("name", Name("name", "t")), Item("count", Call("count", ()))),
        sources=(Source("t", "ticket"),),
        where=Call(
            "and",
            (
                Call("=", (Name("queue_id", "t"), Parameter(1))),
                Call("<>", (Name("title"), Text("it's $1"))),
            ),
        ),
        groups=(Name("name", "t"),),
        order=(Sort(Name("count"), "DESC"),),
        limit=Number("3"),
    )


def test_nothing_between_quotes_reaches_the_parser() -> None:
    words = read_words("""SELECT 'x''; -- /* $1 ?' AS "a", `b` FROM t WHERE c = ? AND d = ?""")

    assert words.sql == """SELECT 'k1' AS "a" , "b" FROM t WHERE c = :p1 AND d = :p2"""
    assert words.texts == {"k1": "x'; -- /* $1 ?"}


def test_a_semicolon_at_the_end_is_nothing() -> None:
    assert parse("SELECT a FROM x ;\n") == parse("SELECT a FROM x")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("COUNT(*)", "count"),
        ("t.Title", "title"),
        ("CAST(a AS TEXT)", "a"),
        ("LOWER(a)", "lower"),
        ("CASE WHEN a = 1 THEN 2 END", "case"),
        ("a + 1", "column1"),
        ("'x'", "column1"),
        ("a AS ticketCount", "ticketCount"),
    ],
)
def test_a_column_without_a_name_is_called_as_postgresql_calls_it(written: str, name: str) -> None:
    assert parse(f"SELECT {written} FROM t").items[0].name == name  # noqa: S608 - the tests' own words


def test_the_parser_is_loaded_only_for_those_who_ask_in_sql() -> None:
    code = "import sys, web.app, resolvers.sql_answers; print('sqlglot' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


SCRAPS = [
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "(",
        ")",
        ",",
        "*",
        "a",
        "t",
        "1",
        "'x'",
        "$1",
        "=",
        "AND",
        "NOT",
        "IN",
        "LIKE",
        "NULL",
    ),
    *(
        "GROUP BY",
        "ORDER BY",
        "JOIN",
        "ON",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "AS",
        "WITH",
        "UNION",
        "LIMIT",
        "COUNT",
        "CAST",
    ),
    *(
        ";",
        "--",
        "/*",
        '"',
        "`",
        "::",
        "||",
        "INTERVAL",
        "DISTINCT",
        "EXISTS",
        "OVER",
        "DELETE",
        "SET",
        "INTO",
        "\\",
        "é",
    ),
]
anything = st.one_of(
    st.lists(st.sampled_from(SCRAPS), max_size=30).map(lambda words: " ".join(["SELECT", *words])),
    st.text(alphabet=string.printable + "é\0", max_size=80).map(lambda text: f"SELECT {text}"),
)


class Listener(logging.Handler):
    """Keeps what the parser logs: it would be the author's words."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@given(anything)
def test_whatever_is_written_is_read_or_refused_and_never_logged(text: str) -> None:
    listener = Listener()
    logging.getLogger("sqlglot").addHandler(listener)
    try:
        assert isinstance(parse(text), Query)
    except RefusedSql:
        pass
    finally:
        logging.getLogger("sqlglot").removeHandler(listener)
    assert listener.lines == []
