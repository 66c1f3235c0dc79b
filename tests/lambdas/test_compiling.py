"""A source is the body of a function, and what is wrong with it is told with its place in the file."""

import pytest

from lambdas.contract import Failure, Script
from lambdas.errors import FailureCode
from lambdas.frames import encode_scripts, join_frame
from lambdas.language import FUNCTIONS_KEPT
from lambdas.limits import SOURCE_LIMIT_BYTES
from lambdas.replies import decode_failures
from tests.lambdas.inside import Inside


def compiled(inside: Inside, *sources: str, line: int = 1) -> list[Failure | None]:
    scripts = [Script("probe", source, line) for source in sources]
    return decode_failures(inside.isolate.answer(encode_scripts("room", scripts)), scripts)


def why(inside: Inside, source: str, line: int = 1) -> tuple[str, int | None, int | None]:
    failure = compiled(inside, source, line=line)[0]
    assert failure is not None
    assert failure.code is FailureCode.FAILED
    return failure.message.removeprefix("SyntaxError: "), failure.line, failure.column


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("return 1 +;", ("Unexpected token ';'", 1, 11)),
        ("let a = 1;\n  let b = ä ö;", ("Unexpected identifier 'ö'", 2, 13)),
        ("await fetch();", ("await is only valid in async functions and the top level bodies of modules", 1, 1)),
        ("import fs from 'fs';", ("Cannot use import statement outside a module", 1, 1)),
        ("\n\nexport default 1;", ("Unexpected token 'export'", 3, 1)),
        ("let item = 1;", ("Identifier 'item' has already been declared", 1, 5)),
        ("'use strict'; with (a) {}", ("Strict mode code may not include a with statement", 1, 15)),
        ("return `", ("The source ends too early", 1, 9)),
        ("/* never closed", ("Invalid or unexpected token", 1, 1)),
        ("\nif (a) {", ("The source ends too early", 2, 9)),
        ("return new.target;", ("new.target expression is not allowed here", 1, 12)),
        ("super.x();", ("'super' keyword unexpected here", 1, 1)),
        ("break;", ("Illegal break statement", 1, 1)),
        ("return /(/;", ("Invalid regular expression: /(/: Unterminated group", 1, 8)),
        ("#!node", ("Invalid or unexpected token", 1, 1)),
    ],
)
def test_f22_a_source_that_does_not_compile_is_told_with_line_and_column(
    inside: Inside, source: str, reason: tuple[str, int, int]
) -> None:
    assert why(inside, source) == reason


def test_lines_are_those_of_the_file(inside: Inside) -> None:
    assert why(inside, "let a;\nreturn 1 +;", line=40) == ("Unexpected token ';'", 41, 11)
    failure = inside.failure("let a;\n\n  item.a.b;\nreturn 1;", line=40)
    assert (failure.message, failure.line, failure.column) == (
        "TypeError: Cannot read properties of undefined (reading 'b')",
        42,
        10,
    )


def test_the_place_is_in_the_lambda_also_where_a_helper_throws(inside: Inside) -> None:
    failure = inside.failure("const call = () =>\n  badge('a', 'mauve');\nreturn call();")

    assert (failure.line, failure.column) == (2, 3)


@pytest.mark.parametrize(
    "comment", ["//# sourceURL=x", "//@ sourceURL=x", "/*# sourceURL=x */", "//# sourceMappingURL=x"]
)
def test_a_name_in_the_source_does_not_hide_the_place(inside: Inside, comment: str) -> None:
    assert inside.failure(f"{comment}\nthrow new Error('x');\n{comment}").line == 2


def test_f22_a_line_of_64_kb_is_read(inside: Inside) -> None:
    long = "a" * (SOURCE_LIMIT_BYTES - 20)

    assert why(inside, f"{long} {long[:5]};") == (f"Unexpected identifier '{'a' * 5}'", 1, len(long) + 2)
    assert compiled(inside, f"/*{long}*/ return 1;") == [None]


@pytest.mark.parametrize(
    "source",
    [
        "}), globalThis.bad(), (function () {",
        "}); bad(); (function () {",
        "}); let left; (function () {",
        "}); let left; (() => {",
        "}); var left; (() => {",
        "}, bad(), function () {",
        "}, bad(), () => {",
        "}, x() {",
        "}, [bad()]: () => {",
        "}, ...bad(), () => {",
        "} * bad(); {",
        "}[bad()] = function () {",
        "}) / (() => {",
        "}}); bad(); ({m() {",
        "}}); bad(); ({m() {{",
        "}\n}); bad(); (() => { {",
        "}, get x() {",
        "} + function () {",
        "}; bad(); {",
        "})\n--> x\n(() => {",
        "}/*\n*/, x() {//",
        "}`${bad()}`; {",
    ],
)
def test_a_body_cannot_end_the_function_and_go_on_outside(inside: Inside, source: str) -> None:
    assert compiled(inside, source)[0] is not None
    assert inside.value("return [typeof left, typeof bad];") == ["undefined", "undefined"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "return 1;",
        "// only a comment",
        "return 1 // no line end",
        "<!-- an old comment\nreturn 1;",
        "return `}` + '}' + /}/.source; // }",
        "function f() {} class A {} return (() => ({}))();",
        "async function f() { await 1; } return 1;",
        "return arguments.length;",
        "return 1;\r\n// lines of Windows\r\n",
        "return '\u2028\u2029\0';",
        "yield = 1; await = 2; let = 3;",
    ],
)
def test_any_body_of_a_function_is_taken(inside: Inside, source: str) -> None:
    assert compiled(inside, source) == [None]
    assert inside.outcome(source).failure is None


def test_a_source_is_compiled_once_however_many_lambdas_have_it(inside: Inside) -> None:
    before = len(inside.isolate._known)

    assert compiled(inside, "return 'shared';", "return 'shared';", "return 'other';") == [None] * 3
    assert compiled(inside, "return 'shared';") == [None]
    assert len(inside.isolate._known) == before + 2


def test_few_functions_are_kept_and_old_ones_made_again(inside: Inside) -> None:
    for number in range(FUNCTIONS_KEPT + 5):
        assert inside.isolate.define(Script("probe", f"return {number};")) is None

    assert len(inside.isolate._known) == FUNCTIONS_KEPT
    assert inside.value("return 0;") == 0


def test_a_job_whose_function_is_not_there_runs_nothing(inside: Inside) -> None:
    head = join_frame({"module": "room", "scripts": []}, b"")
    body = b'{"now":0,"seed":"1","me":{},"texts":{},"outputBytes":9,"logBytes":9,"room":999,"answers":[],"batches":[{"key":"x","rows":[{}]}]}'

    assert inside.isolate.answer(head + body).endswith(b'\n{"batches":[null],"questions":[]}')


def test_what_jobs_leave_behind_is_collected_when_there_is_time(inside: Inside) -> None:
    for _ in range(10):
        inside.value("return item.text.length;", {"text": "x" * 200_000})
    littered = inside.isolate.heap_bytes()

    inside.isolate.tidy()

    assert inside.isolate.heap_bytes() < littered - 1_000_000
    assert inside.value("return 1;") == 1


def test_a_lambda_of_windows_lines_tells_its_lines(inside: Inside) -> None:
    assert inside.failure("let a;\r\nlet b;\r\nthrow new Error('x');").line == 3
