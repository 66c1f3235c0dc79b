"""Cron lines are judged when the file loads, and mean what Debian's cron means by them."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from schema.cron import cron_error, next_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("* * * *", "it has 4 parts instead of 5"),
        ("0 0 * * * *", "it has 6 parts instead of 5"),
        ("@daily", "it has 1 parts instead of 5"),
        ("", "it has 0 parts instead of 5"),
        ("61 * * * *", "`61` is no minute (0-59)"),
        ("0 24 * * *", "`24` is no hour (0-23)"),
        ("0 0 0 * *", "`0` is no day (1-31)"),
        ("0 0 1 MAY-JAN *", "`MAY-JAN` is no month (1-12)"),
        ("0 0 * * 8", "`8` is no weekday (0-7)"),
        ("5-3 * * * *", "`5-3` is no minute (0-59)"),
        ("*/0 * * * *", "`*/0` is no minute (0-59)"),
        ("0 0 30 2 *", "there is no day `30` in the month `2`"),
        ("0 0 31 4,6 *", "there is no day `31` in the month `4,6`"),
        ("9" * 6_000 + " * * * *", "it has 6008 letters; 200 are allowed"),
    ],
)  # fmt: skip
def test_a_line_that_means_nothing_is_told_by_its_part(line: str, wrong: str) -> None:
    assert cron_error(line) == wrong


PIECES = (
    "*",
    "*/7",
    "0",
    "1-5",
    "29",
    "30",
    "31",
    "2",
    "2,4",
    "23",
    "L",
    "LW",
    "L/2",
    "MON",
    "FEB",
    "5#5",
    "1L",
    "²",
    "",
    "5/2",
)


@given(some.lists(some.sampled_from(PIECES), min_size=5, max_size=5).map(" ".join))
def test_every_line_is_either_wrong_or_comes_at_moments_that_grow(line: str) -> None:
    if cron_error(line) is not None:
        return
    moments = [datetime(2026, 1, 1, tzinfo=BERLIN)]
    while len(moments) < 4 and (found := next_time(line, moments[-1])) is not None:
        moments.append(found)
    assert all(before.timestamp() < after.timestamp() for before, after in pairwise(moments))
    assert len(moments) > 1, "a line that never comes is wrong"


@pytest.mark.parametrize(
    ("line", "after", "times"),
    [
        ("*/20 9 * * 1-5", "2026-06-05 09:30", ["06-05 09:40", "06-08 09:00", "06-08 09:20"]),
        ("0 6 1 * *", "2026-06-01 06:00", ["07-01 06:00", "08-01 06:00", "09-01 06:00"]),
        ("30 2 * * *", "2026-03-28 12:00", ["03-29 03:00", "03-30 02:30", "03-31 02:30"]),  # there is no half past two
        ("30 2 * * *", "2026-10-24 12:00", ["10-25 02:30", "10-26 02:30", "10-27 02:30"]),  # there are two
        ("0 0 L * *", "2026-01-31", ["02-28 00:00", "03-31 00:00", "04-30 00:00"]),
        ("0 7 * * MON#1", "2026-06-01 08:00", ["07-06 07:00", "08-03 07:00", "09-07 07:00"]),
    ],
)
def test_a_line_comes_by_the_clock_of_its_time_zone(line: str, after: str, times: list[str]) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=BERLIN)
    found: list[str] = []
    while len(found) < len(times):
        moment = next_time(line, moment) or moment
        found.append(moment.strftime("%m-%d %H:%M"))
    assert found == times
