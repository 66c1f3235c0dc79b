"""PostgreSQL's dates and times as Python's, where its are wider: before year 1, after 9999, `infinity`, 24:00.

The driver raises on one such value and the whole result is lost. Here it becomes a text that no reader of dates takes,
so that it concerns one value of one row.

Moments that were read lately are kept: a list shows mostly the same rows as before, and a look-up, which Python makes without a
call, takes a fifth of the time of adding up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from storage.remembered import Remembered

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - PostgreSQL's, of timestamps without a zone
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_FIRST_DAY = _EPOCH.toordinal()
_TICK = timedelta(microseconds=1)
_DAY_TICKS = 86_400_000_000

_KEPT = 8_192  # moments of each kind, about 2 MB

Wire = tuple[int, ...]


async def tell_moments(driver: Any) -> None:
    """Tell a connection of asyncpg how to read and write dates and times."""
    for name, (write, read) in _CODECS.items():
        await driver.set_type_codec(name, schema="pg_catalog", encoder=write, decoder=read, format="tuple")


def _reader_from(epoch: datetime) -> Callable[[Wire], datetime | str]:
    """Return what reads the moments so many microseconds after an epoch, by what the driver gives."""

    def read(wire: Wire) -> datetime | str:
        try:
            return epoch + timedelta(0, 0, wire[0])
        except OverflowError:
            return f"timestamp {wire[0]}"

    return Remembered(read, _KEPT).__getitem__


def _read_date(wire: Wire) -> date | str:
    try:
        return date.fromordinal(_FIRST_DAY + wire[0])
    except (ValueError, OverflowError):
        return f"date {wire[0]}"


def _read_time(wire: Wire) -> time | str:
    return (_EPOCH + timedelta(microseconds=wire[0])).time() if wire[0] < _DAY_TICKS else "24:00:00"


def _write_timestamp(value: Any) -> Wire:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return ((moment - _EPOCH) // _TICK,)


def _write_timestamptz(value: Any) -> Wire:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    return ((moment.astimezone(UTC) - _EPOCH_UTC) // _TICK,)


def _write_date(value: date) -> Wire:
    return (value.toordinal() - _FIRST_DAY,)


def _write_time(value: time) -> Wire:
    return ((datetime.combine(_EPOCH, value) - _EPOCH) // _TICK,)


_CODECS: Mapping[str, tuple[Callable[[Any], Wire], Callable[[Wire], Any]]] = {
    "timestamp": (_write_timestamp, _reader_from(_EPOCH)),
    "timestamptz": (_write_timestamptz, _reader_from(_EPOCH_UTC)),
    "date": (_write_date, _read_date),
    "time": (_write_time, _read_time),
}
