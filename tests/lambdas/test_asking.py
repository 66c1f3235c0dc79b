"""Suspend and replay: a call for data looks synchronous, and a row runs again when the answers are there."""

from typing import Any

import pytest

from lambdas.contract import Answer, Batch, Job, Power, Question, Script
from lambdas.errors import FailureCode
from lambdas.limits import QUESTION_LIMIT_BYTES, QUESTIONS_LIMIT
from tests.lambdas.inside import ALL, ME, NOW_MS, Inside, job_of


def echo(question: Question) -> Answer:
    return Answer([question.verb, *question.args])


@pytest.mark.parametrize(
    ("call", "question"),
    [
        ("gql('{ a }')", Question("gql", ("{ a }", None))),
        ("gql('{ a }', {x: [1, undefined]})", Question("gql", ("{ a }", {"x": [1, None]}))),
        ("db.query('SELECT 1', 1, 'b', true, null)", Question("query", ("SELECT 1", 1, "b", True, None))),
        ("db.queryRow('SELECT 1')", Question("queryRow", ("SELECT 1",))),
        ("http.get('https://x/y')", Question("http", ("GET", "https://x/y", None, None))),
        (
            "http.get('https://x', {headers: {A: 'b'}})",
            Question("http", ("GET", "https://x", None, {"headers": {"A": "b"}})),
        ),
        ("http.post('https://x', {a: 1})", Question("http", ("POST", "https://x", {"a": 1}, None))),
        ("secret('token')", Question("secret", ("token",))),
    ],
)
def test_a_call_for_data_becomes_a_question_and_its_answer_the_value(
    inside: Inside, call: str, question: Question
) -> None:
    outcomes, asked = inside.dialogue(job_of(f"return {call};"), lambda _: Answer({"a": 1, "b": [None, "x"]}))

    assert asked == [(question,)]
    assert outcomes[0, 0].value == {"a": 1, "b": [None, "x"]}
    assert outcomes[0, 0].questions == 1


def test_every_round_asks_for_all_rows_at_once_and_the_same_question_once(inside: Inside) -> None:
    source = "const a = gql('queue', {id: item.queue}); const b = secret('s'); return [item.id, a[2].id, b[1]];"
    rows = [{"id": number, "queue": number % 2} for number in range(5)]

    outcomes, asked = inside.dialogue(job_of(source, rows), echo)

    assert [[question.args for question in questions] for questions in asked] == [
        [("queue", {"id": 0}), ("queue", {"id": 1})],
        [("s",)],
    ]
    assert [outcomes[0, row].value for row in range(5)] == [[row, row % 2, "s"] for row in range(5)]


def test_only_rows_that_wait_run_again_and_the_others_are_done(inside: Inside) -> None:
    job = job_of("if (item.ask) secret('s'); return item.id;", [{"id": 1}, {"id": 2, "ask": True}, {"id": 3}])

    first = inside.round(job)

    assert {place: outcome.value for place, outcome in first.outcomes.items()} == {(0, 0): 1, (0, 2): 3}
    assert first.waiting == ((1,),)
    second = inside.round(job, first.waiting, [(first.questions[0], Answer("x"))])
    assert {place: outcome.value for place, outcome in second.outcomes.items()} == {(0, 1): 2}


def test_a_question_is_the_same_whatever_the_order_of_its_variables(inside: Inside) -> None:
    source = "return [gql('q', {a: 1, b: 2}), gql('q', {b: 2, a: 1})];"

    _, asked = inside.dialogue(job_of(source), echo)

    assert asked == [(Question("gql", ("q", {"a": 1, "b": 2})),)]


@pytest.mark.parametrize(
    "value", ["1e21", "-0", "1e-7", "123456789012345680000", "'\\ud800'", "'\\u2028\"\\\\'", "2 ** 60"]
)
def test_a_question_is_known_again_when_its_answer_comes(inside: Inside, value: str) -> None:
    outcomes, asked = inside.dialogue(job_of(f"return gql('q', {{a: {value}}}) && 'answered';"), echo)

    assert (outcomes[0, 0].value, len(asked)) == ("answered", 1)


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ("{b: 'x', a: -0}", {"a": 0, "b": "x"}),
        ("{10: 1, 9: 2, a: 3}", {"9": 2, "10": 1, "a": 3}),
        ("{'a-b': 1, 'a\\ud800': 2, ä: 3}", {"a-b": 1, "a\ufffd": 2, "ä": 3}),
        ('JSON.parse(\'{"__proto__": 1, "then": 2}\')', {"__proto__": 1, "then": 2}),
        ("{a: 5n, b: true, c: undefined, d: null}", {"a": "5", "b": True, "c": None, "d": None}),
        ("{a: new Date(0), b: [1, {c: 2}]}", {"a": "1970-01-01T00:00:00.000Z", "b": [1, {"c": 2}]}),
        ("new Map([['a', 1]])", {"a": 1}),
        ("{toJSON() { return 1; }, ...{}}", None),
        ("Object.fromEntries(Array.from({length: 30}, (_, n) => ['v' + n, n]))", {f"v{n}": n for n in range(30)}),
        ("{a: 'é'.repeat(2500), b: 'x'}", {"a": "é" * 2500, "b": "x"}),
        ("{get a() { return log.length; }, b: 1}", {"a": 0, "b": 1}),
    ],
)
def test_a_question_is_known_again_whatever_its_variables_are(
    inside: Inside, variables: str, asked: dict[str, Any] | None
) -> None:
    source = f"return [gql('q', {variables}), gql('q', {variables})].length;"

    outcomes, rounds = inside.dialogue(job_of(source), echo)

    if asked is None:  # a function is no value
        assert (outcomes[0, 0].failure is not None, rounds) == (True, [])
        return
    assert rounds == [(Question("gql", ("q", asked)),)]
    assert (outcomes[0, 0].value, outcomes[0, 0].questions) == (2, 1)


def test_two_texts_in_turns_are_not_taken_for_each_other(inside: Inside) -> None:
    source = "return ['a', 'b', 'a'].map((text) => { try { return gql(text, {v: item.id})[1]; } catch { return 0; } });"

    outcomes, asked = inside.dialogue(job_of(source, [{"id": 1}, {"id": 2}]), echo)

    assert [outcomes[0, row].value for row in range(2)] == [["a", "b", "a"]] * 2
    assert {(question.args[0], question.args[1]["v"]) for found in asked for question in found} == {
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("b", 2),
    }


def test_a_lambda_cannot_hide_that_it_waits(inside: Inside) -> None:
    source = "try { return gql('q')[1]; } catch (error) { return 'caught'; } finally { log('again'); }"

    outcomes, asked = inside.dialogue(job_of(source), echo)

    assert (outcomes[0, 0].value, outcomes[0, 0].log, len(asked)) == ("q", ("again",), 1)


def test_what_a_lambda_did_before_it_waited_counts_once(inside: Inside) -> None:
    source = "create('room', {n: 1}); set('a', 1); reject('no'); log('x'); secret('s'); return 1;"

    outcomes, _ = inside.dialogue(job_of(source), echo)

    outcome = outcomes[0, 0]
    assert (len(outcome.deeds), len(outcome.values), len(outcome.rejections), outcome.log) == (1, 1, 1, ("x",))


def test_an_error_is_thrown_with_its_text_and_can_be_caught(inside: Inside) -> None:
    def refuse(_: Question) -> Answer:
        return Answer(error="There is no such field.")

    caught, _ = inside.dialogue(job_of("try { gql('q'); } catch (error) { return error.message; }"), refuse)
    thrown, _ = inside.dialogue(job_of("let a;\nreturn gql('q');", line=40), refuse)

    assert caught[0, 0].value == "There is no such field."
    failure = thrown[0, 0].failure
    assert failure is not None
    assert (failure.message, failure.line, failure.column) == ("Error: There is no such field.", 41, 8)


def test_each_row_gets_a_copy_of_an_answer(inside: Inside) -> None:
    source = "const a = gql('q'); const b = gql('q'); a.list.push(item.id); return [a.list, b.list];"

    outcomes, _ = inside.dialogue(job_of(source, [{"id": 1}, {"id": 2}]), lambda _: Answer({"list": []}))

    assert [outcomes[0, row].value for row in (0, 1)] == [[[1], []], [[2], []]]


def test_a_replay_takes_the_same_path(inside: Inside) -> None:
    source = "const a = [Math.random(), uuid(), Date.now()]; const b = gql('q', {a}); return b[2].a;"

    outcomes, asked = inside.dialogue(job_of(source, [{}, {}]), echo)

    assert len(asked) == 1
    assert outcomes[0, 0].value != outcomes[0, 1].value


def test_f11_a_row_asks_twenty_questions_at_most(inside: Inside) -> None:
    source = "let n = 0; for (let i = 0; i < item.n; i++) { try { gql('q', {i}); n++; } catch {} } return n;"

    def run(number: int) -> Any:
        job = job_of(source, [{"n": number}])
        found = inside.round(job)
        answered = [(question, Answer(1)) for question in found.questions]
        return found, inside.round(job, None, answered).outcomes.get((0, 0))

    _, outcome = run(QUESTIONS_LIMIT)
    assert (outcome.value, outcome.questions) == (QUESTIONS_LIMIT, QUESTIONS_LIMIT)
    found, _ = run(10_000)
    assert len(found.questions) <= QUESTIONS_LIMIT
    failure = found.outcomes[0, 0].failure
    assert (failure.code, failure.message, failure.line) == (
        FailureCode.LIMIT,
        "A lambda may ask 20 questions a row.",
        1,
    )


def test_a_question_has_a_size(inside: Inside) -> None:
    source = f"try {{ gql('x'.repeat({QUESTION_LIMIT_BYTES})); }} catch {{}} return 1;"

    failure = inside.failure(source)

    assert (failure.code, failure.message) == (FailureCode.OUTPUT, "A question is larger than 16384 bytes.")


def test_the_questions_of_a_job_have_a_size_together(inside: Inside) -> None:
    """So that 2,000 rows cannot make the worker's answer larger than may cross."""
    source = "gql('x'.repeat(16000), {id: item.id});"

    found = inside.round(job_of(source, [{"id": number} for number in range(400)]))

    assert any(found.waiting)
    assert {outcome.failure.code for outcome in found.outcomes.values() if outcome.failure} == {FailureCode.LIMIT}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("gql('q')", "Error: gql is not available here."),
        ("db.query('q')", "Error: db is not available here: the operator has to allow it."),
        ("db.queryRow('q')", "Error: db is not available here: the operator has to allow it."),
        ("http.get('u')", "Error: http is for actions, schedules and hooks after a write."),
        ("http.post('u')", "Error: http is for actions, schedules and hooks after a write."),
        ("secret('n')", "Error: secret is for actions, schedules and hooks after a write."),
    ],
)
def test_a_helper_needs_its_power(inside: Inside, call: str, message: str) -> None:
    assert inside.said(f"return {call};", powers=frozenset()) == message


def test_powers_are_those_of_each_lambda_of_a_job(inside: Inside) -> None:
    scripts = [Script("a", "return secret('s');", powers=ALL), Script("b", "return secret('s');")]
    job = Job("room", [Batch(script, [{}]) for script in scripts], ME, NOW_MS, 1)

    found = inside.round(job)

    assert found.waiting == ((0,), ())
    assert found.outcomes[1, 0].failure is not None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("gql(1)", "gql: the query must be a string."),
        ("gql('q', [1])", "gql: the variables must be an object."),
        ("gql('q', {a: () => 1})", "A function cannot be a value."),
        ("db.query({})", "db.query: the statement must be a string."),
        ("http.get('u', 'o')", "http.get: the options must be an object."),
        ("secret()", "secret: the name must be a string."),
    ],
)
def test_a_question_must_be_one(inside: Inside, call: str, message: str) -> None:
    assert inside.said(f"return {call};").removeprefix("TypeError: ") == message


@pytest.mark.parametrize(
    ("answer", "source", "value"),
    [
        (None, "row", None),
        ({"a": 1, "b": 2}, "row", {"a": 1, "b": 2}),
        ({"n": 3}, "[row, row.n, row + 1, row > 2, row == 3, `${row}`, parseInt(row)]", [3, 3, 4, True, True, "3", 3]),
        ({"n": 3}, "row && row.n !== undefined ? 'yes' : 'no'", "yes"),
        ({"name": "Raw"}, "[row, row.name, row + '!', row.toUpperCase()]", ["Raw", "Raw", "Raw!", "RAW"]),
        ({"n": None}, "row.n", None),
        ({"length": "x"}, "row", {"length": "x"}),
        ({"constructor": 5}, "[row, row.constructor]", [5, 5]),
    ],
)
def test_a_row_of_a_single_column_is_its_value_too(inside: Inside, answer: Any, source: str, value: Any) -> None:
    job = job_of(f"const row = db.queryRow('SELECT 1'); return {source};")
    outcomes, _ = inside.dialogue(job, lambda _: Answer(answer))

    assert outcomes[0, 0].value == value


def test_helpers_work_only_while_a_lambda_runs(inside: Inside) -> None:
    """What a promise does later belongs to no row."""
    source = "Promise.resolve().then(() => { try { secret('s'); log('later'); } catch {} }); return 1;"

    found = [inside.round(job_of(source)) for _ in range(2)]

    assert [(one.outcomes[0, 0].value, one.outcomes[0, 0].log, one.questions) for one in found] == [(1, (), ())] * 2
    assert Power.SECRET in ALL
