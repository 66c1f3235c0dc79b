"""A lambda's value is of the type that its field declares, or an error that says why not."""

import contextlib
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.errors import WrongValue
from lambdas.results import KINDS, check_value
from lambdas.tones import TONES
from schema.key_words import TONES as OPTION_TONES
from schema.kinds import COMPUTED_SCALARS
from tests.lambdas.inside import Inside

MOMENT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

FITTING = [
    ("string", "a", "a"),
    ("string", "", ""),
    ("string", 5, "5"),
    ("string", 5.0, "5"),
    ("string", 1.5, "1.5"),
    ("string", 1e300, "1e+300"),
    ("int", 3, 3),
    ("int", 3.0, 3),
    ("int", -(2**31), -(2**31)),
    ("float", 3, 3.0),
    ("float", 1.5, 1.5),
    ("bool", True, True),
    ("bool", False, False),
    ("datetime", "2026-01-31T12:00:00Z", MOMENT),
    ("datetime", "2026-01-31t12:00z", MOMENT),
    ("datetime", "2026-01-31 12:00", MOMENT),
    ("datetime", "2026-01-31T13:00:00+01:00", MOMENT),
    ("datetime", "2026-01-31T12:00:00.123456789Z", MOMENT.replace(microsecond=123456)),
    ("datetime", "2026-01-31T12:00:00.5Z", MOMENT.replace(microsecond=500000)),
    ("datetime", "2026-01-31", MOMENT.replace(hour=0)),
    ("datetime", MOMENT.timestamp() * 1000, MOMENT),
    ("datetime", -1, datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ("json", {"a": [1, None]}, {"a": [1, None]}),
    ("html", "<b>a</b><script>x</script>", "<b>a</b>"),
    ("html", 5, "5"),
    ("badge", "new", {"text": "new", "tone": "gray"}),
    ("badge", 5, {"text": "5", "tone": "gray"}),
    ("badge", {"text": "new"}, {"text": "new", "tone": "gray"}),
    ("badge", {"text": "new", "tone": None}, {"text": "new", "tone": "gray"}),
    ("badge", {"text": 3, "tone": "red"}, {"text": "3", "tone": "red"}),
]


@pytest.mark.parametrize(("kind", "value", "made"), FITTING)
def test_a_fitting_value_becomes_one_of_the_type(kind: str, value: Any, made: Any) -> None:
    found = check_value(kind, value)

    assert (found, type(found)) == (made, type(made))


_DATE = "a datetime is a Date, a text such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
_BADGE = "a badge is a text, or an object with `text` and `tone`"

WRONG = [
    ("string", True, "The lambda returned true; a string is a text or a number."),
    ("string", {}, "The lambda returned an object; a string is a text or a number."),
    ("string", [], "The lambda returned a list; a string is a text or a number."),
    ("int", 3.5, "The lambda returned 3.5; an int is a whole number."),
    ("int", "3", "The lambda returned “3”; an int is a whole number."),
    ("int", True, "The lambda returned true; an int is a whole number."),
    ("int", "x" * 99, f"The lambda returned “{'x' * 40}…”; an int is a whole number."),
    (
        "int",
        2**31,
        "The lambda returned 2147483648; an int has 32 bits; declare a float, or a string for long numbers.",
    ),
    ("int", 1e300, "The lambda returned 1e+300; an int has 32 bits; declare a float, or a string for long numbers."),
    ("float", "1.5", "The lambda returned “1.5”; a float is a number."),
    ("float", False, "The lambda returned false; a float is a number."),
    ("float", math.nan, "The lambda returned nan; a float is a number."),
    ("float", 10**400, f"The lambda returned 1{'0' * 39}; a float is a number."),
    ("bool", 1, "The lambda returned 1; a bool is true or false."),
    ("bool", "true", "The lambda returned “true”; a bool is true or false."),
    ("datetime", "soon", f"The lambda returned “soon”; {_DATE}."),
    ("datetime", "2026-13-01", f"The lambda returned “2026-13-01”; {_DATE}."),
    ("datetime", "2026-01-31T25:00", f"The lambda returned “2026-01-31T25:00”; {_DATE}."),
    ("datetime", "0001-01-01T00:00+14:00", f"The lambda returned “0001-01-01T00:00+14:00”; {_DATE}."),
    ("datetime", "+012026-01-01T00:00:00Z", f"The lambda returned “+012026-01-01T00:00:00Z”; {_DATE}."),
    ("datetime", 1e17, f"The lambda returned 1e+17; {_DATE}."),
    ("datetime", True, f"The lambda returned true; {_DATE}."),
    ("html", {}, "The lambda returned an object; html is a text."),
    ("badge", True, f"The lambda returned true; {_BADGE}."),
    ("badge", {"tone": "red"}, f"The lambda returned an object; {_BADGE}."),
    ("badge", {"text": "a", "tone": "red", "more": 1}, f"The lambda returned an object; {_BADGE}."),
    ("badge", {"text": []}, f"The lambda returned an object; {_BADGE}."),
    ("badge", {"text": "a", "tone": "mauve"}, f"The lambda returned “mauve”; tones of badges are {', '.join(TONES)}."),
    ("badge", {"text": "a", "tone": []}, f"The lambda returned a list; tones of badges are {', '.join(TONES)}."),
]


@pytest.mark.parametrize(("kind", "value", "message"), WRONG)
def test_another_value_is_told_with_what_is_wanted(kind: str, value: Any, message: str) -> None:
    with pytest.raises(WrongValue) as caught:
        check_value(kind, value)

    assert str(caught.value) == message


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_null_is_null_for_every_type(kind: str) -> None:
    assert check_value(kind, None) is None


def test_the_types_are_those_that_module_files_may_declare() -> None:
    assert COMPUTED_SCALARS.keys() == KINDS


def test_the_tones_are_those_that_module_files_may_give_to_options() -> None:
    assert TONES == OPTION_TONES


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes().map(datetime.isoformat)
    | st.sampled_from(TONES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["text", "tone"]), inner, max_size=3)
    ),
)
PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "int": int,
    "float": float,
    "bool": bool,
    "datetime": datetime,
    "json": (dict, list, str, int, float, bool),
    "html": str,
    "badge": dict,
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(value=ANYTHING)
def test_any_value_becomes_one_of_the_type_or_an_error(kind: str, value: Any) -> None:
    with contextlib.suppress(WrongValue):
        found = check_value(kind, value)
        assert found is None if value is None else isinstance(found, PYTHON_TYPES[kind])
        assert kind != "badge" or value is None or (found["tone"] in TONES and isinstance(found["text"], str))
        assert kind != "datetime" or value is None or found.tzinfo is UTC


CODE = [
    "undefined", "1", "-0", "0.1 + 0.2", "2 ** 60", "10n ** 30n", "'a'", "'\\ud800'", "true", "[]", "{}", "new Date()", "new Date(1e15)",
    "new Map()", "new Set([1])", "badge('a', 'red')", "link('a', '/')", "html`<b>`", "uuid()", "ago(now)", "formatDate(now)", "now", "me",
    "new Float64Array([1.5])", "[undefined]", "new String('a')", "Number.MAX_VALUE", "Number.MIN_VALUE", "/a/", "new Error('x')",
    "Symbol()", "NaN", "() => 1", "Promise.resolve()",
]  # fmt: skip


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_any_result_of_javascript_becomes_a_value_of_the_type_or_an_error(inside: Inside, code: str, kind: str) -> None:
    outcome = inside.outcome(f"return ({code});")

    if outcome.failure is None and outcome.value is not None:
        with contextlib.suppress(WrongValue):
            assert isinstance(check_value(kind, outcome.value), PYTHON_TYPES[kind])
    else:
        assert outcome.failure is not None or code == "undefined"


@pytest.mark.parametrize(
    ("kind", "code", "made"),
    [
        ("datetime", "new Date(Date.UTC(2026, 0, 31, 12))", MOMENT),
        ("datetime", "+new Date(Date.UTC(2026, 0, 31, 12))", MOMENT),
        ("badge", "badge('a', 'red')", {"text": "a", "tone": "red"}),
        ("html", "html`<b>${'<'}</b>${link('a', '/x')}`", '<b>&lt;</b><a href="/x" rel="noopener">a</a>'),
        ("float", "2 ** 60", 2.0**60),
        ("int", "6 / 2", 3),
        ("string", "5n ** 30n", str(5**30)),
    ],
)
def test_what_helpers_return_is_of_the_type_that_they_are_for(inside: Inside, kind: str, code: str, made: Any) -> None:
    assert check_value(kind, inside.value(f"return {code};")) == made
