"""Where code calls a helper is found without running it, whatever else looks like a call."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.check_sql import check_sql
from schema.javascript import find_calls
from schema.problems import Place, render
from schema.spec import Code

HELPERS = {"db": frozenset({"query", "queryRow"})}

CALLS = {
    "db.query('SELECT 1')": [(1, 1)],
    "return db.queryRow(sql, item.id);": [(1, 8)],
    "a;\n  db . query (x)": [(2, 3)],
    "db?.query?.('x')": [(1, 1)],
    "db /* the database */ .\n query('x')": [(1, 1)],
    "[db.query('a'), db.query('b')]": [(1, 2), (1, 17)],
    "`rows: ${db.query('x').length} of ${ {a: db.queryRow('y')}.a }`": [(1, 10), (1, 42)],
    "'it\\'s' + db.query('x')": [(1, 11)],
    "x = a / b; y = db.query('x') / 2": [(1, 16)],
    "if (/['\"]/.test(x)) db.query('y')": [(1, 21)],
    "return /db.query(/ + db.query('y')": [(1, 22)],
    "x = (1) /2/ db.query('y')": [(1, 13)],
}
NO_CALLS = [
    "",
    "// db.query('x')",
    "/* db.query('x')\n db.queryRow('y') */",
    "'db.query(1)'",
    '"db.query(1)"',
    "`db.query(1)`",
    "`${'db.query(1)'} db.query(2)`",
    "x = /db.query(1)/",
    "item.db.query(1)",
    "mydb.query(1)",
    "db.query",
    "db.queries(1)",
    "db.insert(1)",
    "'unclosed db.query(1)",
    "`unclosed db.query(1)",
    "/* unclosed db.query(1)",
]


@pytest.mark.parametrize("source", CALLS)
def test_a_call_is_found_where_it_stands(source: str) -> None:
    assert [(call.line, call.column) for call in find_calls(source, HELPERS)] == CALLS[source]


@pytest.mark.parametrize("source", NO_CALLS)
def test_what_is_no_call_is_not_found(source: str) -> None:
    assert list(find_calls(source, HELPERS)) == []


SCRAPS = st.sampled_from(
    ["db.query(", "'", '"', "`", "${", "}", "{", "/", "//", "/*", "*/", "\\", "\n", "[", "]", "a", " "]
)


@given(st.one_of(st.lists(SCRAPS, max_size=40).map("".join), st.text(alphabet=string.printable, max_size=80)))
def test_whatever_is_written_is_read_to_its_end(source: str) -> None:
    for call in find_calls(source, HELPERS):
        line = source.split("\n")[call.line - 1]
        assert line[call.column - 1 :].startswith("db")


def test_a_lambda_that_asks_in_sql_is_told_with_its_place() -> None:
    source = "var rows = 0;\nreturn db.queryRow('SELECT COUNT(*) FROM ticket').count;"
    (problem,) = check_sql([("queue.size", Code(source, Place("site/queue.yaml", 12, 7)))], "LAMBDESK_LAMBDA_SQL")

    assert render(problem) == (
        "site/queue.yaml:13:14: warning: Lambda `queue.size` calls db.queryRow(), which has no answer here: "
        "SQL in lambdas is off.  [sql-off]\n"
        "  13 |       return db.queryRow('SELECT COUNT(*) FROM ticket').count;\n"
        "     |              ^\n"
        "  hint: Set LAMBDESK_LAMBDA_SQL=1, or ask with gql()."
    )
