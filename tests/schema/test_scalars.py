"""Scalars: what is taken in, what is refused with which words, and what is written."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType, parse_value
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import BIG_INT, DATE, DATE_TIME, DECIMAL, DURATION, HTML, JSON, SCALARS, TIME

TAKEN: tuple[tuple[GraphQLScalarType, Any, Any], ...] = (
    (BIG_INT, 7, 7),
    (BIG_INT, "-9223372036854775808", -(2**63)),
    (DECIMAL, "12.50", Decimal("12.50")),
    (DECIMAL, 3, Decimal(3)),
    (DECIMAL, 0.1, Decimal("0.1")),
    (DATE, "2024-02-29", date(2024, 2, 29)),
    (TIME, "14:30", time(14, 30)),
    (TIME, "14:30:05.25", time(14, 30, 5, 250_000)),
    (DATE_TIME, "2026-01-31T14:30:00Z", datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),
    (DATE_TIME, "2026-01-31T14:30:00+02:00", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
    (DATE_TIME, "2026-01-31 14:30", datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),  # no offset: UTC
    (DURATION, "PT1H30M", 5_400),
    (DURATION, "-P1W2DT3S", -(9 * 86_400 + 3)),
    (DURATION, "PT0S", 0),
    (JSON, {"a": [1, None, {"b": "ü"}]}, {"a": [1, None, {"b": "ü"}]}),
    (HTML, "<b>x</b>", "<b>x</b>"),
)

REFUSED: tuple[tuple[GraphQLScalarType, Any, str], ...] = (
    (
        BIG_INT,
        2**63,
        "BigInt cannot be 9223372036854775808: write a whole number between -2^63 and 2^63 - 1, as a number or as a text of digits.",
    ),
    (
        BIG_INT,
        True,
        "BigInt cannot be True: write a whole number between -2^63 and 2^63 - 1, as a number or as a text of digits.",
    ),
    (DECIMAL, "1e5", "Decimal cannot be '1e5': write a number of up to 38 digits, best as a text like \"12.50\"."),
    (DATE, "31.01.2026", "Date cannot be '31.01.2026': write a date like \"2026-01-31\"."),
    (DATE, "2026-02-30", "Date cannot be '2026-02-30': there is no such day."),
    (DATE, 20260131, 'Date cannot be 20260131: write a date like "2026-01-31".'),
    (TIME, "25:00", "Time cannot be '25:00': there is no such time of day."),
    (
        TIME,
        "10:00Z",
        'Time cannot be \'10:00Z\': write a time of day like "14:30" or "14:30:00".',
    ),
    (
        DATE_TIME,
        "yesterday",
        "DateTime cannot be 'yesterday': write a time like \"2026-01-31T14:30:00Z\"; without an offset it is taken as UTC.",
    ),
    (DATE_TIME, "2026-13-01T00:00:00Z", "DateTime cannot be '2026-13-01T00:00:00Z': there is no such time."),
    (
        DURATION,
        "P1M",
        'Duration cannot be \'P1M\': write an ISO 8601 duration in weeks, days, hours, minutes and seconds, like "PT1H30M" or "P2D".',
    ),
    (DURATION, "P99999D", "Duration cannot be 'P99999D': it is longer than 2147483647 seconds."),
    (JSON, [math.inf], "JSON cannot be NaN or infinite: write null."),
    (JSON, [0] * 10_000, "JSON cannot hold more than 10000 values."),
    (HTML, 7, "HTML cannot be 7: write a text."),
)

WRITTEN: tuple[tuple[GraphQLScalarType, Any, Any], ...] = (
    (BIG_INT, 2**53 - 1, 9007199254740991),
    (BIG_INT, 2**53, "9007199254740992"),
    (BIG_INT, Decimal(12), 12),
    (DECIMAL, Decimal("1E+3"), "1000"),
    (DECIMAL, Decimal("12.50"), "12.50"),
    (DATE, datetime(2026, 1, 31, 23, 59), "2026-01-31"),  # noqa: DTZ001 - a driver's value
    (TIME, timedelta(hours=14, minutes=30), "14:30:00"),
    (DATE_TIME, datetime(2026, 1, 31, 14, 30, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:30:00Z"),
    (DATE_TIME, datetime(2026, 1, 31, 14, 30, 0, 500_000), "2026-01-31T14:30:00.500000Z"),  # noqa: DTZ001 - the same
    (DURATION, 0, "PT0S"),
    (DURATION, 93_784, "P1DT2H3M4S"),
    (DURATION, -86_400, "-P1D"),
    (JSON, {"a": 1}, {"a": 1}),
    (HTML, "<p>", "<p>"),
)


@pytest.mark.parametrize(("scalar", "given", "expected"), TAKEN)
def test_it_takes(scalar: GraphQLScalarType, given: Any, expected: Any) -> None:
    found = scalar.coerce_input_value(given)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("scalar", "given", "message"), REFUSED)
def test_it_refuses(scalar: GraphQLScalarType, given: Any, message: str) -> None:
    with pytest.raises(GraphQLError) as caught:
        scalar.coerce_input_value(given)
    assert caught.value.message == message


@pytest.mark.parametrize(("scalar", "given", "expected"), WRITTEN)
def test_it_writes(scalar: GraphQLScalarType, given: Any, expected: Any) -> None:
    assert scalar.coerce_output_value(given) == expected


@pytest.mark.parametrize(
    ("scalar", "literal", "expected"),
    [
        (BIG_INT, "5", 5),
        (BIG_INT, '"5"', 5),
        (DECIMAL, "0.10", Decimal("0.10")),  # not by way of a float
        (DATE, '"2026-01-31"', date(2026, 1, 31)),
        (JSON, '{a: [1, 2.5, "x", null, true, RED]}', {"a": [1, 2.5, "x", None, True, "RED"]}),
    ],
)
def test_it_reads_literals(scalar: GraphQLScalarType, literal: str, expected: Any) -> None:
    assert scalar.coerce_input_literal is not None
    assert scalar.coerce_input_literal(parse_value(literal)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scalar", "literal"), [(DATE, "RED"), (DECIMAL, "{a: 1}"), (BIG_INT, "9" * 5_000), (JSON, "9" * 5_000)]
)
def test_it_refuses_literals(scalar: GraphQLScalarType, literal: str) -> None:
    assert scalar.coerce_input_literal is not None
    with pytest.raises(GraphQLError) as caught:
        scalar.coerce_input_literal(parse_value(literal))  # type: ignore[arg-type]
    assert len(caught.value.message) < 200


def test_json_is_bounded_in_depth() -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    with pytest.raises(GraphQLError, match="JSON cannot be nested deeper than 32 levels"):
        JSON.coerce_input_value(deep)


@pytest.mark.parametrize("scalar", [scalar for name, scalar in SCALARS.items() if name not in {"JSON", "HTML"}])
@given(text=st.text(max_size=200))
def test_any_text_is_taken_or_refused_in_a_sentence(scalar: GraphQLScalarType, text: str) -> None:
    message = refusal(scalar, text)
    assert message is None or (message.startswith(f"{scalar.name} cannot be ") and len(message) < 250)


def refusal(scalar: GraphQLScalarType, text: str) -> str | None:
    try:
        scalar.coerce_output_value(scalar.coerce_input_value(text))
    except GraphQLError as error:
        return error.message
    return None


@given(st.integers(-(2**31) + 1, 2**31 - 1))
def test_durations_come_back_as_they_went(seconds: int) -> None:
    assert DURATION.coerce_input_value(DURATION.coerce_output_value(seconds)) == seconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back_as_they_went(moment: datetime) -> None:
    assert DATE_TIME.coerce_input_value(DATE_TIME.coerce_output_value(moment)) == moment
