"""What people type into an input is a value of the API, what the API says stands in the input, and the two belong together."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import write_duration
from web.pages.cells import Reader, relative
from web.pages.inputs import digest
from web.pages.texts import Texts
from web.pages.values import Unreadable, read_value, write_value

ZONE = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(-2_208_000_000, 7_258_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("int", " 12 ", 12), ("int", "-3", -3), ("bigint", "9007199254740993", "9007199254740993"), ("float", "1.5", 1.5),
        ("decimal", "0.10", "0.10"), ("bool", "1", True), ("bool", "0", False), ("datetime", "2026-07-01T12:00", "2026-07-01T10:00:00Z"),
        ("datetime", "2026-01-01T12:00:30", "2026-01-01T11:00:30Z"), ("epoch", "2026-01-01", "2025-12-31T23:00:00Z"),
        ("datetime", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"), ("duration", "1h 30m", "PT1H30M"), ("duration", "2D", "P2D"),
        ("duration", "90s", "PT90S"), ("duration", "pt5m", "PT5M"), ("duration", "-1d 2h", "-P1DT2H"), ("json", '{"a": [1, null]}', {"a": [1, None]}),
        ("yaml", "3", 3), ("string", " x ", " x "), ("date", "2026-01-31", "2026-01-31"),
    ],
)  # fmt: skip
def test_a_text_is_read_by_its_kind(kind: str, typed: str, value: Any) -> None:
    assert read_value(kind, typed, ZONE) == value


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("int", "1.5", "bad-whole"), ("int", "", "bad-whole"), ("int", "٣", "bad-whole"), ("int", "1" * 41, "bad-whole"), ("bigint", "x", "bad-whole"),
        ("float", "nan", "bad-number"), ("float", "1e999", "bad-number"), ("decimal", "1,5", "bad-number"), ("datetime", "2026-02-30T00:00", "bad-moment"),
        ("datetime", "tomorrow", "bad-moment"), ("datetime", "0001-01-01T00:00", "bad-moment"), ("duration", "", "bad-length"), ("duration", "P", "bad-length"),
        ("duration", "PT", "bad-length"), ("duration", "5", "bad-length"), ("json", "{", "bad-json"), ("json", "[" * 100_000, "bad-json"),
    ],
)  # fmt: skip
def test_what_is_no_value_of_its_kind_is_told(kind: str, typed: str, why: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_value(kind, typed, ZONE)

    assert refused.value.key == why


@given(st.integers(-10_000_000, 10_000_000))
def test_a_length_stays_what_it_is(seconds: int) -> None:
    told = write_duration(seconds)

    assert read_value("duration", write_value("duration", told, ZONE), ZONE) == told


@given(MOMENTS)
def test_a_moment_stays_what_it_is_but_for_the_hour_that_comes_twice(moment: datetime) -> None:
    told = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    again = datetime.fromisoformat(read_value("datetime", write_value("datetime", told, ZONE), ZONE))

    assert abs((again - moment).total_seconds()) in {0, 3600}


@given(st.text(max_size=50))
def test_the_ends_of_lines_are_no_change(text: str) -> None:
    assert digest([text.replace("\r\n", "\n").replace("\r", "\n")]) == digest([text])


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (-5, "just now", "gerade eben"), (-60, "1 minute ago", "vor 1 Minute"), (-7_199, "1 hour ago", "vor 1 Stunde"), (-7_200, "2 hours ago", "vor 2 Stunden"),
        (-86_400, "yesterday", "gestern"), (-30 * 86_400, "30 days ago", "vor 30 Tagen"), (3 * 3_600, "in 3 hours", "in 3 Stunden"),
        (86_400, "tomorrow", "morgen"), (-40 * 86_400, "2026-04-22", "2026-04-22"),
    ],
)  # fmt: skip
def test_moments_are_told_as_people_tell_them(seconds: int, english: str, german: str) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    moment = datetime.fromtimestamp(now.timestamp() + seconds, UTC)

    for language, said in (("en", english), ("de", german)):
        assert relative(moment, Reader(Texts(language), ZoneInfo("UTC"), now)) == said
