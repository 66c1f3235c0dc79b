"""What ticket numbers look like: a counter becomes a number, and a number that is there tells its counter."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from desk.settings import NumberSettings

RANDOM_DIGITS = 10
_CHECKSUM_DIGITS = 5  # of the counter, whatever the settings say


@dataclass(frozen=True, slots=True)
class NumberForm:
    """One of OTRS's generators.

    `counts_days` says that its counter begins anew every day. `prefix` is what all numbers of a day begin with;
    `write` makes the rest from the counter, `read` finds the counter in a rest of digits.
    """

    counts_days: bool
    prefix: Callable[[NumberSettings, date], str]
    write: Callable[[NumberSettings, str, int], str]
    read: Callable[[str], int]


def write_number(settings: NumberSettings, day: date, counter: int) -> str:
    """Make the number of a counter that was given out on a day (of the database's zone)."""
    form = FORMS[settings.generator]
    prefix = form.prefix(settings, day)
    return prefix + form.write(settings, prefix, counter)


def random_number(settings: NumberSettings) -> str:
    """Make a number of the Random generator."""
    return settings.system_id + "".join(secrets.choice("0123456789") for _ in range(RANDOM_DIGITS))


def check_digit(digits: str) -> int:
    """Return the last digit of a DateChecksum number: digits count once and twice in turn, and 10 becomes 1."""
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    digit = 10 - total % 10
    return 1 if digit == 10 else digit  # noqa: PLR2004 - two digits would be none


def _with_day(settings: NumberSettings, day: date) -> str:
    return f"{day:%Y%m%d}{settings.system_id}"


def _without_day(settings: NumberSettings, day: date) -> str:  # noqa: ARG001 - the forms share one signature
    return settings.system_id


def _padded(settings: NumberSettings, prefix: str, counter: int) -> str:  # noqa: ARG001 - the same
    return str(counter).zfill(settings.min_counter_size)


def _of_date(settings: NumberSettings, prefix: str, counter: int) -> str:
    return _padded(settings, prefix, counter) if settings.pads_date else str(counter)


def _checked(settings: NumberSettings, prefix: str, counter: int) -> str:  # noqa: ARG001 - the same
    rest = str(counter).zfill(_CHECKSUM_DIGITS)
    return f"{rest}{check_digit(prefix + rest)}"


FORMS = {
    "AutoIncrement": NumberForm(counts_days=False, prefix=_without_day, write=_padded, read=int),
    "Date": NumberForm(counts_days=True, prefix=_with_day, write=_of_date, read=int),
    "DateChecksum": NumberForm(
        counts_days=True, prefix=_with_day, write=_checked, read=lambda rest: int(rest[:-1] or "0")
    ),
}
