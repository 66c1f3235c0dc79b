"""What the demo's tickets come to be, before one is written: when each came, its state, its number and its length."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from random import Random

NEW, CLOSED, UNSUCCESSFUL, OPEN, REMOVED, REMINDER, AUTO_GOOD, AUTO_BAD, MERGED = range(1, 10)
ENDED = frozenset({CLOSED, UNSUCCESSFUL, REMOVED, MERGED})
WAITING = frozenset({REMINDER, AUTO_GOOD, AUTO_BAD})
STATE_NAMES = (
    "", "new", "closed successful", "closed unsuccessful", "open", "removed", "pending reminder", "pending auto close+",
    "pending auto close-", "merged",
)  # fmt: skip
ARTICLES_A_TICKET = 3
SYSTEM_ID = "10"

_OPEN_SHARE = 0.03
_OPEN_SMALL = (300, 0.15)  # a small desk has more open than that share: so many, or this share
_OPEN_STATES = ((NEW, OPEN, REMINDER, AUTO_GOOD, AUTO_BAD), (20, 48, 18, 8, 6))
_ENDED_STATES = ((CLOSED, UNSUCCESSFUL, REMOVED, MERGED), (82, 13, 2, 3))
_LONELY = frozenset({NEW, REMOVED, MERGED})  # a single article
_LENGTHS = {True: ((2, 3, 4, 5, 6), (26, 40, 20, 9, 5)), False: ((2, 3, 4, 5), (30, 35, 25, 10))}  # by: has ended
_LENGTH_LIMITS = (2, 9)
_EVERY = 20  # from so many tickets on, every state and every priority is there

_YEAR_DAYS = 365
_WEEKEND_WEIGHT = 0.15
_HOURS = (time(7), time(19))  # of a day's new tickets, UTC
_LATEST = timedelta(minutes=10)  # before now


@dataclass(frozen=True, slots=True)
class Plan:
    """The state and the number of articles of every ticket, oldest first; a byte each."""

    states: bytearray
    lengths: bytearray


@dataclass(frozen=True, slots=True)
class First:
    """The first free ids, and the ids of the history types."""

    ticket: int
    article: int
    mime: int
    history: int
    history_types: dict[str, int]


def plan_tickets(number: int, random: Random) -> Plan:
    """Decide states and lengths: few are open and most of these are new; three articles a ticket in all."""
    states = _states(number, random)
    lengths = bytearray(1 if state in _LONELY else random.choices(*_LENGTHS[state in ENDED])[0] for state in states)
    _balance(states, lengths)
    return Plan(states, lengths)


def _states(number: int, random: Random) -> bytearray:
    small, share = _OPEN_SMALL
    wanted = max(_OPEN_SHARE * number, min(small, share * number))
    recent = int(wanted)  # four fifths of the open ones are among as many of the newest
    older = 0.2 * wanted / max(1, number - recent)
    chances = (0.8 if place >= number - recent else older for place in range(number))
    states = bytearray(
        random.choices(*(_OPEN_STATES if random.random() < chance else _ENDED_STATES))[0] for chance in chances
    )
    if number >= _EVERY:
        for state in range(1, 10):
            states[number - 2 * state] = state
    return states


def forced_priority(place: int, number: int) -> int:
    """Return the priority that a ticket has so that every one is used, or 0."""
    left = number - place
    return left if number >= _EVERY and left <= 5 else 0  # noqa: PLR2004 - five priorities


def _balance(states: bytearray, lengths: bytearray) -> None:
    """Lengthen or shorten threads of closed tickets, one article at a time, until the sum is right."""
    missing = ARTICLES_A_TICKET * len(states) - sum(lengths)
    shortest, longest = _LENGTH_LIMITS
    while missing:
        before = missing
        step = 1 if missing > 0 else -1
        for place, state in enumerate(states):
            if not missing:
                return
            if state in {CLOSED, UNSUCCESSFUL} and shortest <= lengths[place] + step <= longest:
                lengths[place] += step
                missing -= step
        if missing == before:  # too few tickets that could carry more
            return


def make_calendar(now: datetime) -> Callable[[float], float]:
    """Return a function from a share of the year (0 to 1) to seconds since 1970, in which people work by day."""
    ends = now - _LATEST
    windows: list[tuple[float, float, float]] = []
    for back in range(_YEAR_DAYS, -1, -1):
        day = (now - timedelta(days=back)).astimezone(UTC).date()
        start, stop = (datetime.combine(day, hour, UTC) for hour in _HOURS)
        stop = min(stop, ends)
        if start < stop:
            weight = _WEEKEND_WEIGHT if day.weekday() >= 5 else 1.0  # noqa: PLR2004 - Saturday
            windows.append((start.timestamp(), stop.timestamp(), weight * (stop - start).total_seconds()))
    sums = list(accumulate(weight for _, _, weight in windows))

    def moment(share: float) -> float:
        place = min(bisect_left(sums, share * sums[-1]), len(sums) - 1)
        start, stop, weight = windows[place]
        before = sums[place] - weight
        return start + (stop - start) * (share * sums[-1] - before) / weight

    return moment


def checksum_number(day: str, counter: int, system_id: str = SYSTEM_ID) -> str:
    """Make a ticket number in OTRS's DateChecksum form; `day` is YYYYMMDD."""
    digits = f"{day}{system_id}{counter:05d}"
    check = 10 - sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits)) % 10
    return digits + ("1" if check == 10 else str(check))  # noqa: PLR2004 - OTRS writes ten as one
