"""What goes into a lambda and what comes out: JSON, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contract import Batch, Job, Script
from lambdas.errors import FailureCode
from lambdas.limits import FRAME_LIMIT_BYTES, NESTING_LIMIT, ROWS_LIMIT, Limits
from tests.lambdas.inside import ME, NOW_MS, Inside, job_of

EXACT = 2**53 - 1
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-EXACT, EXACT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
NAMES = st.text() | st.sampled_from(["__proto__", "constructor", "toString", "then", "length", "0", "-1"])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5))


@given(JSON)
def test_any_json_goes_in_and_comes_out_unchanged(inside: Inside, value: Any) -> None:
    assert inside.value("return item.value;", {"value": value}) == value


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_any_row_is_an_item(inside: Inside, row: dict[str, Any]) -> None:
    assert inside.value("return item;", row) == row


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_values_may_be_nested_as_deep_as_the_limit(inside: Inside) -> None:
    deep = nested(NESTING_LIMIT - 1)

    assert inside.value("return item;", {"a": deep}) == {"a": deep}
    assert inside.said("return [item];", {"a": deep}) == ("The value is nested deeper than 64 levels, or in a circle.")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("undefined", None),
        ("[undefined, , null]", [None, None, None]),
        ("{a: undefined}", {"a": None}),
        ("10n ** 20n", "100000000000000000000"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("new (class extends Date {})(0)", "1970-01-01T00:00:00.000Z"),
        ("new Map([['a', 1], [2, new Map()]])", {"a": 1, "2": {}}),
        ("new Set([1, 'a', new Set()])", [1, "a", []]),
        ("new String('a')", "a"),
        ("new Number(1)", 1),
        ("new Boolean(false)", False),
        ("new Uint8Array([1, 2])", [1, 2]),
        ("new BigInt64Array(1)", ["0"]),
        ("new DataView(new ArrayBuffer(1))", {}),
        ("Object.create({inherited: 1}, {own: {value: 1, enumerable: true}, hidden: {value: 1}})", {"own": 1}),
        ("Object.create(null)", {}),
        ("new (class { a = 1; #b = 2; c() {} })()", {"a": 1}),
        ("{get a() { return 1; }, [Symbol('s')]: 2, toJSON: 3}", {"a": 1, "toJSON": 3}),
        ("JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
        ("'\\ud800 \\u2028'", "� \u2028"),
        ("{'\\udfff': 1}", {"�": 1}),
        ("-0", 0),
        ("1e300", 1e300),
        ("new Proxy([1, 2], {})", [1, 2]),
        (
            "new Proxy({a: 1}, {ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({configurable: true, enumerable: true})})",
            {"a": 1},
        ),
        ("arguments.length", 5),
        ("(function () { return arguments; })(1, 2)", {"0": 1, "1": 2}),
        ("/a/g", {}),
        ("new Error('x')", {}),
    ],
)
def test_what_json_does_not_know_becomes_what_is_nearest(inside: Inside, code: str, value: Any) -> None:
    assert inside.value(f"return ({code});") == value


CIRCLE = "The value is nested deeper than 64 levels, or in a circle."
PROMISED = "The lambda returned a promise; lambdas are synchronous."


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NaN", "NaN cannot be a value."),
        ("[-Infinity]", "-Infinity cannot be a value."),
        ("new Date(NaN)", "An invalid date cannot be a value."),
        ("() => 1", "A function cannot be a value."),
        ("{a: [class {}]}", "A function cannot be a value."),
        ("Symbol('s')", "A symbol cannot be a value."),
        ("new Map([[{}, 1]])", "The keys of a Map must be texts or numbers."),
        ("(() => { const a = {}; a.a = a; return a; })()", CIRCLE),
        ("(() => { const a = []; a.push(a, a); return a; })()", CIRCLE),
        ("Promise.resolve(1)", PROMISED),
        ("[new Promise(() => {})]", PROMISED),
        ("(async () => 1)()", PROMISED),
        ("{then() {}}", PROMISED),
        ("{a: {then() {}}}", PROMISED),
        ("new (class { then() {} })()", PROMISED),
        ("import('x')", PROMISED),
        ("{get a() { throw new Error('no'); }}", "Error: no"),
        ("{get a() { throw null; }}", "null"),
        ("new Proxy({}, {ownKeys() { throw 'trap'; }})", "trap"),
        ("new Proxy({}, {getPrototypeOf() { throw new RangeError('trap'); }})", "RangeError: trap"),
        ("Object.setPrototypeOf({}, Date.prototype)", "TypeError: this is not a Date object."),
        (
            "(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()",
            "TypeError: Cannot perform 'get' on a proxy that has been revoked",
        ),
    ],
)
def test_f12_what_is_no_value_is_told_at_once(inside: Inside, code: str, message: str) -> None:
    failure = inside.failure(f"return ({code});")

    assert (failure.code, failure.message) == (FailureCode.FAILED, message)


@pytest.mark.parametrize(
    "code",
    [
        "{get a() { return (function f() { return f(); })(); }}",
        "{get a() { return this.a; }}",
        "new Proxy({}, {get(target, key, self) { return self[key]; }, ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({configurable: true, enumerable: true})})",
    ],
)
def test_f26_a_stack_that_overflows_while_a_value_is_read_is_an_error(inside: Inside, code: str) -> None:
    assert inside.said(f"return ({code});") == "RangeError: Maximum call stack size exceeded"
    assert inside.value("return 1;") == 1


def test_f26_an_overflow_inside_a_helper_leaves_the_row_in_order(inside: Inside) -> None:
    """Deep down, where the stack ends, helpers may break off anywhere."""
    source = """
        const calls = [() => log('x'), () => create('m', {a: [1]}), () => gql('q', {a: [1]}), () => set('a', {b: 1}), () => html`${1}`];
        function down(call) { try { down(call); } catch {} call(); }
        for (const call of calls) { try { down(call); } catch {} }
        return 1;
    """
    for _ in range(3):
        found = inside.round(job_of(source, [{}, {}]))
        assert len(found.outcomes) + len(found.waiting[0]) == 2
    assert inside.value("return [Math.random() > 0, html`<b>`, formatDate(null)];") == [True, "<b>", "-"]


@pytest.mark.parametrize(
    "thrown", ["1", "'text'", "null", "undefined", "{message: 'text'}", "Symbol('s')", "[]", "() => 1", "10n"]
)
def test_anything_may_be_thrown(inside: Inside, thrown: str) -> None:
    failure = inside.failure(f"throw {thrown};")

    assert failure.code is FailureCode.FAILED
    assert failure.line is None


@pytest.mark.parametrize(
    "thrown",
    [
        "{get message() { throw 1; }, toString() { throw 2; }}",
        "Object.create(null)",
        "new Proxy(new Error('x'), {get() { throw 1; }})",
        "Object.defineProperty(new Error('x'), 'message', {get: () => ({toString() { throw 1; }})})",
        "Object.defineProperty(new Error('x'), 'stack', {get() { throw 1; }})",
        "{message: 'm', name: {toString() { throw 1; }}}",
        "(() => { let n = 0; return {get message() { return n++ ? Symbol() : 'once'; }}; })()",
    ],
)
def test_what_is_thrown_cannot_break_what_tells_it(inside: Inside, thrown: str) -> None:
    outcomes = inside.outcomes(f"if (item.bad) throw {thrown}; return 1;", [{"bad": True}, {}])

    assert outcomes[0].failure is not None
    assert outcomes[0].failure.code is FailureCode.FAILED
    assert outcomes[1].value == 1


def test_f8_a_value_has_a_size_before_it_crosses(inside: Inside) -> None:
    limit = Limits().output_bytes

    assert inside.value("return 'x'.repeat(item.n);", {"n": limit - 2}) == "x" * (limit - 2)
    for code in (
        f"'x'.repeat({limit - 1})",
        "'x'.repeat(30000000)",
        f"'€'.repeat({limit // 3})",
        "new Array(4294967295)",
        "Array.from({length: 50000}, () => 1)",
        "new Uint8Array(5000000)",
        "(() => { const a = ['x'.repeat(100)]; for (let i = 0; i < 40; i++) a.push(a.slice()); return a; })()",
        "new Proxy([], {get: (list, key) => key === 'length' ? 2 ** 53 : 1})",
        "'\\u0001'.repeat(20000)",  # six bytes each
    ):
        failure = inside.failure(f"return ({code});")
        assert (failure.code, failure.message) == (FailureCode.OUTPUT, f"The value is larger than {limit} bytes."), code


def test_f8_the_values_of_a_job_have_a_size_together(inside: Inside) -> None:
    rows: list[Any] = [{}] * ROWS_LIMIT

    outcomes = inside.outcomes("log('x'.repeat(900)); return 'x'.repeat(60000);", rows)

    whole = [outcome for outcome in outcomes if outcome.failure is None]
    assert 50 < len(whole) < FRAME_LIMIT_BYTES / 60_000
    assert {outcome.failure.code for outcome in outcomes if outcome.failure} == {FailureCode.OUTPUT}


def test_limits_are_those_of_the_job(inside: Inside) -> None:
    assert inside.value("return 'x'.repeat(8);", limits=Limits(output_bytes=10)) == "x" * 8
    assert inside.failure("return 'x'.repeat(9);", limits=Limits(output_bytes=10)).code is FailureCode.OUTPUT


def test_a_lambda_is_given_item_args_me_now_and_before(inside: Inside) -> None:
    source = "return [item, args, me, now, before];"

    assert inside.value(source, {"a": 1}, args={"x": [1]}, befores=[{"a": 0}]) == [
        {"a": 1},
        {"x": [1]},
        ME,
        "2026-03-01T12:00:00.000Z",
        {"a": 0},
    ]
    assert inside.value("return before;") is None


def test_values_of_a_shape_stand_under_all_their_names_and_inside_references(inside: Inside) -> None:
    shape = [
        ((), ("queue_id", "queueId", "queue")),
        (("queue",), ("name",)),
        (("queue", "group"), ("name", "title")),
        ((), ("id",)),
    ]

    assert inside.outcomes("return item;", [[4, "Raw", "users", 1], [5, None, "x", 2]], shape=shape)[0].value == {
        "queue_id": 4,
        "queueId": 4,
        "queue": {"name": "Raw", "group": {"name": "users", "title": "users"}},
        "id": 1,
    }


def test_whole_numbers_beyond_what_javascript_holds_are_texts(inside: Inside) -> None:
    item = {"a": 2**53 - 1, "b": 2**53, "c": [-(2**63), {"d": 10**30}]}

    assert inside.value("return item;", item) == {
        "a": 2**53 - 1,
        "b": "9007199254740992",
        "c": ["-9223372036854775808", {"d": "1000000000000000000000000000000"}],
    }


def test_a_job_has_several_lambdas(inside: Inside) -> None:
    scripts = [
        Script("a", "return item.n + 1;"),
        Script("b", "return item.n + ;", 7),
        Script("c", "return item.n * 2;"),
    ]
    job = Job("room", [Batch(script, [{"n": 5}, {"n": 6}]) for script in scripts], ME, NOW_MS, 1)

    found = inside.round(job).outcomes

    assert [found[0, 0].value, found[0, 1].value, found[2, 0].value, found[2, 1].value] == [6, 7, 10, 12]
    assert {(failure.line, failure.message) for row in (0, 1) if (failure := found[1, row].failure)} == {
        (7, "SyntaxError: Unexpected token ';'")
    }


def test_a_job_without_rows_has_no_outcomes(inside: Inside) -> None:
    assert inside.outcomes("return 1;", []) == []
