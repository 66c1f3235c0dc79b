from typing import Any

import pytest

from tests.lambdas.inside import ME, NOW_MS, Inside

MOMENT = "2024-05-01T22:30:00Z"
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("locale", "style", "shown"),
    [
        ("en", "medium", "May 1, 2024, 10:30 PM"),
        ("en", "short", "5/1/24, 10:30 PM"),
        ("en", "long", "May 1, 2024 at 10:30 PM"),
        ("en", "date", "May 1, 2024"),
        ("en", "time", "10:30 PM"),
        ("en", "iso", "2024-05-01T22:30:00.000Z"),
        ("de", "medium", "01.05.2024, 22:30"),
        ("de_AT", "date", "01.05.2024"),
        ("de", "iso", "2024-05-01T22:30:00.000Z"),
        ("nonsense!", "date", "May 1, 2024"),
        (None, "date", "May 1, 2024"),
    ],
)
def test_a_date_is_shown_in_the_callers_language(inside: Inside, locale: str | None, style: str, shown: str) -> None:
    me = {**ME, "locale": locale}

    assert inside.value("return formatDate(item.at, item.style);", {"at": MOMENT, "style": style}, me=me) == shown


def test_medium_is_the_style_where_nothing_is_said(inside: Inside) -> None:
    assert inside.value("return formatDate(item.at);", {"at": MOMENT}) == "May 1, 2024, 10:30 PM"


def test_a_date_is_shown_in_a_zone(inside: Inside) -> None:
    source = "return formatDate(item.at, 'medium', 'Europe/Berlin');"

    assert inside.value(source, {"at": MOMENT}) == "May 2, 2024, 12:30 AM"


@pytest.mark.parametrize("code", ["'2024-05-01 22:30:00'", "1714602600000", "new Date('2024-05-01T22:30:00')"])
def test_a_date_may_be_a_text_a_number_or_a_date_and_is_in_utc_without_a_zone(inside: Inside, code: str) -> None:
    assert inside.value(f"return formatDate({code}, 'iso');") == "2024-05-01T22:30:00.000Z"


def test_no_date_is_a_dash_and_what_is_none_stays(inside: Inside) -> None:
    source = "return [formatDate(null), formatDate(undefined), formatDate(''), formatDate('soon'), formatDate(NaN)];"

    assert inside.value(source) == ["-", "-", "-", "soon", "NaN"]


def test_an_unknown_style_is_refused(inside: Inside) -> None:
    assert inside.said("return formatDate(now, 'toString');") == (
        "TypeError: formatDate: styles are short, medium, long, date, time, iso."
    )


def test_a_zone_that_changes_its_mind_does_not_change_what_others_see(inside: Inside) -> None:
    source = """
        let asked = 0;
        const zone = {toString: () => (asked++ ? 'Asia/Tokyo' : 'Etc/GMT')};
        try { formatDate(item.at, 'long', zone); } catch {}
        return formatDate(item.at, 'long', 'Etc/GMT');
    """
    assert inside.value(source, {"at": MOMENT}) == "May 1, 2024 at 10:30 PM"


@pytest.mark.parametrize(
    ("distance_ms", "english", "german"),
    [
        (0, "now", "jetzt"),
        (-59_000, "now", "jetzt"),
        (-60_000, "1 minute ago", "vor 1 Minute"),
        (-3 * HOUR_MS, "3 hours ago", "vor 3 Stunden"),
        (-47 * HOUR_MS, "1 day ago", "vor 1 Tag"),
        (5 * 24 * HOUR_MS, "in 5 days", "in 5 Tagen"),
        (-65 * 24 * HOUR_MS, "2 months ago", "vor 2 Monaten"),
        (-800 * 24 * HOUR_MS, "2 years ago", "vor 2 Jahren"),
    ],
)
def test_ago_says_how_far_a_date_is(inside: Inside, distance_ms: int, english: str, german: str) -> None:
    item = {"at": NOW_MS + distance_ms}

    assert inside.value("return ago(item.at);", item) == english
    assert inside.value("return ago(item.at);", item, me={**ME, "locale": "de"}) == german


def test_ago_needs_a_date(inside: Inside) -> None:
    assert inside.said("return ago('soon');") == "TypeError: ago: soon is no date."


WEDNESDAY, FRIDAY, MONDAY = "2024-05-01", "2024-05-03", "2024-05-06"


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (f"{WEDNESDAY}T09:00Z", f"{WEDNESDAY}T10:30Z", 1.5),
        (f"{WEDNESDAY}T00:00Z", f"{WEDNESDAY}T23:59Z", 10),
        (f"{FRIDAY}T17:00Z", f"{MONDAY}T09:00Z", 2),
        ("2024-05-04T09:00Z", "2024-05-05T18:00Z", 0),  # a weekend
        (f"{WEDNESDAY}T10:00Z", f"{WEDNESDAY}T10:00Z", 0),
        (f"{MONDAY}T09:00Z", f"{FRIDAY}T17:00Z", -2),
        ("2024-01-01T00:00Z", "2025-01-01T00:00Z", 262 * 10),
    ],
)
def test_business_hours_are_weekdays_from_eight_to_six(inside: Inside, start: str, end: str, hours: float) -> None:
    assert inside.value("return businessHours(item.a, item.b);", {"a": start, "b": end}) == hours


CALENDARS: list[tuple[dict[str, Any], str, str, float]] = [
    ({"days": {"Wed": [8.5, 12]}}, f"{WEDNESDAY}T00:00Z", f"{FRIDAY}T00:00Z", 3.5),
    ({"days": {"Wed": [[8, 12], [13, 17]]}}, f"{WEDNESDAY}T11:00Z", f"{WEDNESDAY}T14:00Z", 2),
    ({"holidays": [WEDNESDAY]}, f"{WEDNESDAY}T00:00Z", "2024-05-02T10:00Z", 2),
    ({"holidays": ["05-01"]}, f"{WEDNESDAY}T00:00Z", "2024-05-02T00:00Z", 0),
    ({"zone": "America/New_York"}, f"{WEDNESDAY}T00:00Z", f"{WEDNESDAY}T13:00Z", 1),
    # The clocks of Berlin go forward in the night to 31 March 2024; a day that is open all round has 23 hours.
    ({"zone": "Europe/Berlin", "days": {"Sun": [0, 24]}}, "2024-03-30T12:00Z", "2024-04-01T12:00Z", 23),
    ({"zone": "Europe/Berlin", "days": {"Sun": [0, 24]}}, "2024-10-26T12:00Z", "2024-10-28T12:00Z", 25),
]


@pytest.mark.parametrize(("calendar", "start", "end", "hours"), CALENDARS)
def test_business_hours_follow_a_calendar(
    inside: Inside, calendar: dict[str, Any], start: str, end: str, hours: float
) -> None:
    source = "return businessHours(item.a, item.b, item.calendar);"

    assert inside.value(source, {"a": start, "b": end, "calendar": calendar}) == hours


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("businessHours('soon', now)", "TypeError: businessHours: soon is no date."),
        ("businessHours(0, now)", "RangeError: businessHours: the dates are more than ten years apart."),
        (
            "businessHours(now - 1, now, {days: {Mon: [18, 8]}})",
            "TypeError: businessHours: the hours of a day are written as [8, 18].",
        ),
    ],
)
def test_business_hours_say_what_is_wrong(inside: Inside, code: str, message: str) -> None:
    assert inside.said(f"return {code};") == message
