"""What crosses the wall is sized before it is sent and read by a server that believes nothing."""

import subprocess
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contract import Answer, Batch, Deed, Job, Outcome, Power, Question, Rejection, Script
from lambdas.errors import BadFrame, FailureCode, JobRefused
from lambdas.frames import encode_job, encode_scripts, split_frame
from lambdas.limits import (
    ANSWER_LIMIT_BYTES,
    FRAME_LIMIT_BYTES,
    NESTING_LIMIT,
    ROWS_LIMIT,
    SOURCE_LIMIT_BYTES,
    Limits,
)
from lambdas.replies import Round, decode_failures, decode_round
from tests.lambdas.inside import ALL, ME, job_of

BIG = Limits(input_bytes=FRAME_LIMIT_BYTES * 2)


def refusal(job: Job, answers: Any = ()) -> tuple[FailureCode, str]:
    with pytest.raises(JobRefused) as caught:
        encode_job(job, None, answers)
    return caught.value.code, str(caught.value)


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def test_a_job_has_a_size() -> None:
    rows = [{"a": "x" * 1000}] * 260

    assert encode_job(job_of("", rows[:250]))
    assert refusal(job_of("", rows)) == (FailureCode.INPUT, "The rows are larger than 262144 bytes.")
    assert refusal(job_of("", [{}], me={"login": "x" * 300_000}))[0] is FailureCode.INPUT
    assert refusal(job_of("", [{}], args={"a": "x" * 300_000}))[0] is FailureCode.INPUT
    assert refusal(job_of("", [{}], befores=[{"a": "x" * 300_000}]))[0] is FailureCode.INPUT
    assert encode_job(job_of("", rows, limits=BIG))


def test_a_frame_has_a_size_whatever_the_limits_say() -> None:
    assert refusal(job_of("", [{"a": "x" * FRAME_LIMIT_BYTES}], limits=BIG))[0] is FailureCode.INPUT
    answers = [(Question("secret", (str(number),)), Answer("x" * 200_000)) for number in range(30)]
    assert refusal(job_of(""), answers)[0] is FailureCode.INPUT


def test_a_job_has_2000_rows_at_most() -> None:
    assert encode_job(job_of("", [{}] * ROWS_LIMIT))
    assert refusal(job_of("", [{}] * (ROWS_LIMIT + 1))) == (FailureCode.LIMIT, "A job may have 2000 rows.")


def test_a_source_has_a_size() -> None:
    job = job_of("x" * (SOURCE_LIMIT_BYTES + 1))

    assert refusal(job) == (FailureCode.INPUT, "Lambda `probe` is longer than 65536 bytes.")
    with pytest.raises(JobRefused):
        encode_scripts("room", [batch.script for batch in job.batches])


@pytest.mark.parametrize("rows", [1, 100, ROWS_LIMIT])
def test_an_item_is_nested_64_levels_at_most(rows: int) -> None:
    flat = [{"a": 1}] * (rows - 1)

    assert encode_job(job_of("", [*flat, nested(NESTING_LIMIT)], limits=BIG))
    for deep in (NESTING_LIMIT + 1, 300, 3_000):
        assert refusal(job_of("", [*flat, nested(deep)], limits=BIG)) == (
            FailureCode.INPUT,
            "What lambda `probe` is given is nested deeper than 64 levels.",
        )


@pytest.mark.parametrize("value", [object(), b"x", {1}, 1 + 2j, {1: 2}, "\ud800", Script("a", "b")])
def test_what_is_no_json_is_not_sent(value: Any) -> None:
    code, message = refusal(job_of("", [{"a": value}]))

    assert code is FailureCode.INPUT
    assert message.startswith("What lambda `probe` is given is no JSON: ")


def test_no_value_can_change_what_an_item_is() -> None:
    for shape in ([((), ("__proto__",))], [(("__proto__",), ("a",))]):
        assert refusal(job_of("", [[1]], shape=shape)) == (FailureCode.INPUT, "No value can be named `__proto__`.")


def test_an_answer_that_is_too_large_is_told_as_an_error() -> None:
    question = Question("gql", ("q", None))

    body = orjson.loads(split_frame(encode_job(job_of(""), None, [(question, Answer("x" * ANSWER_LIMIT_BYTES))]))[1])

    assert body["answers"] == [[["gql", ["q", None]], {"error": "The answer is larger than 262144 bytes."}]]


def test_an_answer_that_is_no_json_is_told_as_an_error() -> None:
    body = orjson.loads(split_frame(encode_job(job_of(""), None, [(Question("secret", ("s",)), Answer({1, 2}))]))[1])

    assert body["answers"][0][1]["error"].startswith("An answer is no JSON: ")


def test_only_rows_that_wait_are_sent_again() -> None:
    job = job_of("", [{"n": 0}, {"n": 1}, {"n": 2}], befores=[{"b": 0}, {"b": 1}, {"b": 2}])

    batch = orjson.loads(split_frame(encode_job(job, [[2, 0]]))[1])["batches"][0]

    assert (batch["rows"], batch["befores"], batch["indexes"]) == ([{"n": 2}, {"n": 0}], [{"b": 2}, {"b": 0}], [2, 0])


def test_a_source_that_several_lambdas_have_is_sent_once() -> None:
    job = Job("room", [Batch(Script(name, "return 1;"), [{}]) for name in "abc"], ME, 0, 1)

    assert len(split_frame(encode_job(job))[0]["scripts"]) == 1


# --- what comes back ---

GOOD_HEAD = b'{"broken":{}}\n'


def read(rows: Any, *, questions: Any = (), powers: frozenset[Power] = ALL, count: int = 1) -> Round:
    body = orjson.dumps({"batches": [rows], "questions": list(questions)})
    return decode_round(GOOD_HEAD + body, job_of("let a;\nlet b;", [{}] * count, powers=powers, line=10))


def test_all_parts_of_an_outcome_are_read() -> None:
    parts = {
        "log": ["x"],
        "asked": 2,
        "set": {"a": [1]},
        "reject": [[None, "no"], ["f", "bad"]],
        "deeds": [["create", ["m", {}]], ["note", [1, "x"]]],
    }

    assert read([[{"v": 1}, parts]]).outcomes[0, 0] == Outcome(
        value={"v": 1},
        log=("x",),
        values={"a": [1]},
        rejections=(Rejection(None, "no"), Rejection("f", "bad")),
        deeds=(Deed("create", ("m", {})), Deed("note", (1, "x"))),
        questions=2,
    )


def test_a_place_that_the_lambda_does_not_have_is_none() -> None:
    def place(line: int) -> tuple[int | None, int | None]:
        failure = read([[None, {"fail": ["LAMBDA_FAILED", "m", line, 5]}]]).outcomes[0, 0].failure
        assert failure is not None
        return failure.line, failure.column

    assert [place(1), place(2), place(0), place(3)] == [(10, 5), (11, 5), (None, None), (None, None)]


DEEP = nested(NESTING_LIMIT + 1)

WRONG_ROWS: list[Any] = [
    None,
    {},
    "x",
    [],
    [1],
    [True],
    [False],
    [None],
    ["x"],
    [[]],
    [[1, {}, {}]],
    [[1, []]],
    [[1, {"other": 1}]],
    [[1], [2]],
    [[DEEP]],
    [[1, {"log": "x"}]],
    [[1, {"log": [1]}]],
    [[1, {"asked": -1}]],
    [[1, {"asked": 21}]],
    [[1, {"asked": 1.0}]],
    [[1, {"asked": True}]],
    [[1, {"set": []}]],
    [[1, {"set": {"a": DEEP}}]],
    [[1, {"reject": {}}]],
    [[1, {"reject": [["a"]]}]],
    [[1, {"reject": [[1, "m"]]}]],
    [[1, {"reject": [["a", 1]]}]],
    [[1, {"reject": [["a", "m"]] * 101}]],
    [[1, {"deeds": [["drop", []]]}]],
    [[1, {"deeds": [["create", ["m"]]]}]],
    [[1, {"deeds": [["create", ["m", []]]]}]],
    [[1, {"deeds": [["create", ["m", DEEP]]]}]],
    [[1, {"deeds": [["remove", ["m", True]]]}]],
    [[1, {"deeds": [["remove", ["m", None]]]}]],
    [[1, {"deeds": [[["remove"], ["m", 1]]]}]],
    [[1, {"deeds": [["remove", ["m", 1]]] * 101}]],
    [[1, {"fail": "x"}]],
    [[1, {"fail": ["LAMBDA_FAILED", "m", 1]}]],
    [[1, {"fail": ["LAMBDA_TIMEOUT", "m", 1, 1]}]],  # only the server can say so
    [[1, {"fail": ["other", "m", 1, 1]}]],
    [[1, {"fail": [["LAMBDA_FAILED"], "m", 1, 1]}]],
    [[1, {"fail": ["LAMBDA_FAILED", 1, 1, 1]}]],
    [[1, {"fail": ["LAMBDA_FAILED", "m" * 1001, 1, 1]}]],
    [[1, {"fail": ["LAMBDA_FAILED", "m", "1", 1]}]],
    [[1, {"fail": ["LAMBDA_FAILED", "m", -1, 1]}]],
    [[1, {"fail": ["LAMBDA_FAILED", "m", True, 1]}]],
    [0],  # a row that waits for nothing
]


@pytest.mark.parametrize("rows", WRONG_ROWS)
def test_a_row_of_a_wrong_shape_is_refused(rows: Any) -> None:
    with pytest.raises(BadFrame):
        read(rows)


WRONG_QUESTIONS: list[Any] = [
    1,
    [],
    ["gql"],
    ["other", []],
    [["gql"], []],
    ["gql", "q"],
    ["gql", ["q"]],
    ["gql", ["q", []]],
    ["gql", [1, None]],
    ["gql", ["q", None, None]],
    ["query", []],
    ["queryRow", [None]],
    ["http", ["GET", "u"]],
    ["http", ["GET", 1, None, None]],
    ["http", ["GET", "u", None, []]],
    ["secret", []],
    ["secret", [1]],
    ["secret", ["a", "b"]],
    ["gql", ["q", DEEP]],
]


@pytest.mark.parametrize("question", WRONG_QUESTIONS)
def test_a_question_of_a_wrong_shape_is_refused(question: Any) -> None:
    with pytest.raises(BadFrame):
        read([0], questions=[question])


@pytest.mark.parametrize(
    ("part", "value", "power"),
    [
        ("set", {"a": 1}, Power.SET),
        ("reject", [["a", "m"]], Power.REJECT),
        ("deeds", [["remove", ["m", 1]]], Power.WRITE),
    ],
)
def test_what_a_lambda_has_no_power_for_is_refused(part: str, value: Any, power: Power) -> None:
    read([[1, {part: value}]], powers=frozenset({power}))
    with pytest.raises(BadFrame):
        read([[1, {part: value}]], powers=ALL - {power})


@pytest.mark.parametrize(
    ("question", "power"),
    [
        (["gql", ["q", None]], Power.GQL),
        (["query", ["s", 1, None]], Power.SQL),
        (["queryRow", ["s"]], Power.SQL),
        (["http", ["GET", "u", None, {}]], Power.HTTP),
        (["secret", ["s"]], Power.SECRET),
    ],
)
def test_a_question_that_nobody_may_ask_is_refused(question: Any, power: Power) -> None:
    assert read([0], questions=[question], powers=frozenset({power})).questions == (
        Question(question[0], tuple(question[1])),
    )
    with pytest.raises(BadFrame):
        read([0], questions=[question], powers=ALL - {power})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\n",
        b"{}\n{}",
        b"[]\n{}",
        b'{"broken":[]}\n{}',
        b'{"broken":{}}\n',
        b'{"broken":{}}\n[]',
        b'{"broken":{}}\n{"batches":[],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[[1]]]}',
        b'{"broken":{}}\n{"batches":[[[1]]],"questions":[],"more":1}',
        b'{"broken":{}}\n{"batches":[[[1]],[]],"questions":[]}',
        b'{"broken":{}}\n{"batches":{},"questions":[]}',
        b'{"broken":{}}\n{"batches":[null],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[[NaN]]],"questions":[]}',
        b'{"broken":{"other":["m",1,1]}}\n{"batches":[[[1]]],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[["\\ud800"]]],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[["\xff"]]],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[[1234567890123456' + b"[" * 900 + b"]" * 900 + b']]],"questions":[]}',
        b'{"broken":{}}\n{"batches":[[[' + b"[" * 100_000,
        b'{"broken":{}}\n' + b" " * FRAME_LIMIT_BYTES,
    ],
)
def test_an_answer_of_a_wrong_shape_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_round(data, job_of("", [{}]))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["fail", "log", "set", "deeds", "batches", "questions"]), inner, max_size=3)))  # fmt: skip
def test_any_answer_is_read_or_refused(told: Any) -> None:
    for body in (
        told,
        {"batches": told, "questions": []},
        {"batches": [told], "questions": told},
        {"batches": [[told]], "questions": []},
    ):
        try:
            found = decode_round(GOOD_HEAD + orjson.dumps(body, default=str), job_of("", [{}]))
        except (BadFrame, TypeError) as error:
            assert isinstance(error, BadFrame) or "Integer exceeds" in str(error)  # noqa: PT017
        else:
            assert isinstance(found, Round)


def test_what_a_worker_says_of_scripts_is_read_with_the_lines_of_each() -> None:
    scripts = [Script("a", "x\nx", 5), Script("b", "x\nx", 9), Script("c", "y")]
    frame = encode_scripts("room", scripts)
    key = split_frame(frame)[0]["scripts"][0][0]

    failures = decode_failures(orjson.dumps({"broken": {key: ["SyntaxError: no", 2, 3]}}) + b"\n", scripts)

    assert [failure and (failure.message, failure.line, failure.column) for failure in failures] == [
        ("SyntaxError: no", 6, 3),
        ("SyntaxError: no", 10, 3),
        None,
    ]
    with pytest.raises(BadFrame):
        decode_failures(orjson.dumps({"broken": {key: ["m", 2]}}) + b"\n", scripts)


def test_the_server_reads_and_writes_frames_without_v8() -> None:
    code = "import sys, lambdas.frames, lambdas.replies, lambdas.results; sys.exit('py_mini_racer' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
