"""What a lambda says should happen: values, rejections, operations, lines of its log."""

import pytest

from lambdas.contract import Deed, Power, Rejection
from lambdas.errors import FailureCode
from lambdas.limits import DEEDS_LIMIT, Limits
from tests.lambdas.inside import Inside


def test_operations_are_told_in_their_order(inside: Inside) -> None:
    outcome = inside.outcome(
        "create('room', {name: 'x', at: new Date(0)}); update('room', 3, {}); remove('room', 'a'); note(7, 'done'); return 1;"
    )

    assert outcome.deeds == (
        Deed("create", ("room", {"name": "x", "at": "1970-01-01T00:00:00.000Z"})),
        Deed("update", ("room", 3, {})),
        Deed("remove", ("room", "a")),
        Deed("note", (7, "done")),
    )
    assert outcome.value == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("create(1, {})", "create: the module must be a string."),
        ("create('m')", "create: the values must be an object."),
        ("update('m', null, {})", "update: the key must be a text or a number."),
        ("update('m', 1, [])", "update: the values must be an object."),
        ("remove('m', true)", "remove: the key must be a text or a number."),
        ("note({}, 'x')", "note: the ticket must be a text or a number."),
        ("create('m', {a: NaN})", "NaN cannot be a value."),
        ("set(1, 2)", "set: the field must be a string."),
    ],
)
def test_an_operation_must_be_one(inside: Inside, call: str, message: str) -> None:
    assert inside.said(f"{call}; return 1;").removeprefix("TypeError: ") == message


def test_values_and_rejections_are_told(inside: Inside) -> None:
    outcome = inside.outcome(
        "set('a', 1); set('b', {c: [null]}); set('a', 2); set('__proto__', 3); reject('comment', 'say why'); reject('no');"
    )

    assert outcome.values == {"a": 2, "b": {"c": [None]}, "__proto__": 3}
    assert outcome.rejections == (Rejection("comment", "say why"), Rejection(None, "no"))


def test_of_a_lambda_that_fails_nothing_counts_but_its_log(inside: Inside) -> None:
    outcome = inside.outcome("log('here'); create('m', {}); set('a', 1); reject('no'); throw new Error('x');")

    assert outcome.failure is not None
    assert (outcome.log, outcome.deeds, outcome.values, outcome.rejections) == (("here",), (), {}, ())


@pytest.mark.parametrize(
    ("call", "power", "message"),
    [
        (
            "create('m', {})",
            Power.WRITE,
            "create, update, remove and note are for actions, schedules and hooks after a write.",
        ),
        (
            "update('m', 1, {})",
            Power.WRITE,
            "create, update, remove and note are for actions, schedules and hooks after a write.",
        ),
        (
            "remove('m', 1)",
            Power.WRITE,
            "create, update, remove and note are for actions, schedules and hooks after a write.",
        ),
        (
            "note(1, 'x')",
            Power.WRITE,
            "create, update, remove and note are for actions, schedules and hooks after a write.",
        ),
        ("set('a', 1)", Power.SET, "set is for hooks before a write."),
        ("reject('x')", Power.REJECT, "reject is for actions and hooks before a write."),
    ],
)
def test_an_operation_needs_its_power(inside: Inside, call: str, power: Power, message: str) -> None:
    others = frozenset(Power) - {power}

    assert inside.said(f"{call};", powers=others) == f"Error: {message}"
    assert inside.outcome(f"{call};", powers=frozenset({power})).failure is None


def test_a_lambda_may_ask_for_a_hundred_operations(inside: Inside) -> None:
    source = "for (let i = 0; i < item.n; i++) try { remove('m', i); } catch {} return 1;"

    assert len(inside.outcome(source, {"n": DEEDS_LIMIT}).deeds) == DEEDS_LIMIT
    failure = inside.failure(source, {"n": DEEDS_LIMIT + 1})
    assert (failure.code, failure.message) == (FailureCode.LIMIT, "A lambda may ask for 100 operations.")


def test_what_an_operation_is_given_has_a_size(inside: Inside) -> None:
    failure = inside.failure("try { create('m', {a: 'x'.repeat(70000)}); } catch {} return 1;")

    assert failure.code is FailureCode.OUTPUT
    assert failure.message == "What create is given is larger than 65536 bytes."


def test_a_log_shows_values_as_people_write_them(inside: Inside) -> None:
    outcome = inside.outcome(
        "log('a', 1, true, null, undefined, NaN, [1, {b: 2}], new Date(0), new Map([['k', 1]]), 10n, new Error('no'), () => 1);"
        " console.warn('w'); console.log();"
    )

    assert outcome.log == (
        'a 1 true null undefined NaN [1,{"b":2}] "1970-01-01T00:00:00.000Z" {"k":1} "10" Error: no () => 1',
        "w",
        "",
    )


def test_a_log_is_cut_at_its_size_with_a_mark(inside: Inside) -> None:
    ascii_log = inside.outcome("log('x'.repeat(2000)); log('more'); return 1;").log
    wide_log = inside.outcome("log('€'.repeat(2000)); log('more');").log
    many = inside.outcome("for (let i = 0; i < 100000; i++) log('line ' + i);").log

    assert ascii_log == ("x" * 1021 + "…",)
    assert wide_log == ("€" * 340 + "…",)
    for log in (ascii_log, wide_log, many):
        assert sum(len(line.encode()) for line in log) <= Limits().log_bytes


def test_what_cannot_be_shown_does_not_stop_a_log(inside: Inside) -> None:
    source = (
        "const a = []; a.push(a); log(a, 'x'.repeat(20).split(''), {get b() { throw new Error('no'); }}); return 1;"
    )

    assert inside.outcome(source).log == (
        (
            "(The value is nested deeper than 64 levels, or in a circle.) "
            '["x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x","x"] (Error: no)'
        ),
    )


def test_a_message_is_cut(inside: Inside) -> None:
    outcome = inside.outcome("reject('f', 'x'.repeat(5000));")

    assert [len(rejection.message) for rejection in outcome.rejections] == [500]
    assert len(inside.said("throw new Error('x'.repeat(5000));")) == 500
