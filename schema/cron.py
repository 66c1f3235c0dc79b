"""Cron lines: what is wrong with one, and when it comes next."""

from __future__ import annotations

from datetime import datetime

_PARTS = ("minute", "hour", "day", "month", "weekday")
_RANGES = ("0-59", "0-23", "1-31", "1-12", "0-7")
# How cronsim names the parts in what it says.
_NAMES = {"minute": 0, "hour": 1, "day-of-month": 2, "month": 3, "day-of-week": 4}
_LETTERS = 200
_DAY, _MONTH = 2, 3


def cron_error(text: str) -> str | None:
    """Return what is wrong with a cron line, or None."""
    parts = text.split()
    if len(text) > _LETTERS:
        return f"it has {len(text)} letters; {_LETTERS} are allowed"
    if len(parts) != len(_PARTS):
        return f"it has {len(parts)} parts instead of {len(_PARTS)}"
    said = _refusal(parts)
    if said is None:
        return None
    place = _NAMES.get(said.removeprefix("Bad "), 0)
    if place == _DAY and _refusal([*parts[:_MONTH], "*", parts[-1]]) is None:
        return f"there is no day `{parts[_DAY]}` in the month `{parts[_MONTH]}`"
    return f"`{parts[place]}` is no {_PARTS[place]} ({_RANGES[place]})"


def next_time(text: str, after: datetime) -> datetime | None:
    """Return when a cron line comes next after a moment with a time zone, in which it is meant; None if it never does.

    Where clocks change, an hour that is left out is made up for at its end, and one that comes twice counts once for lines
    with a fixed hour, as Debian's cron does it.
    """
    from cronsim import CronSim  # noqa: PLC0415 - few sites have schedules

    try:
        return next(CronSim(text, after))
    except StopIteration:  # not within fifty years
        return None


def _refusal(parts: list[str]) -> str | None:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - few sites have schedules

    try:
        CronSim(" ".join(parts), datetime(2000, 1, 1))  # noqa: DTZ001 - the line alone is looked at
    except CronSimError as error:
        return str(error)
    return None
