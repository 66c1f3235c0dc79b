"""PostgreSQL's dates and times as Python's, where its are wider: before year 1, after 9999, `infinity`, 24:00.

The driver raises on one such value and the whole result is lost. Here it becomes a text that no reader of dates takes,
so that it concerns one value of one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - PostgreSQL's, of timestamps without a zone
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_FIRST_DAY = _EPOCH.toordinal()
_TICK = timedelta(microseconds=1)
_DAY_TICKS = 86_400_000_000

Wire = tuple[int, ...]


async def tell_moments(driver: Any) -> None:
    """Tell a connection of asyncpg how to read and write dates and times."""
    for name, (write, read) in _CODECS.items():
        await driver.set_type_codec(name, schema="pg_catalog", encoder=write, decoder=read, format="tuple")


def _read_timestamp(wire: Wire) -> datetime | str:
    try:
        return _EPOCH + timedelta(0, 0, wire[0])  # without the name, which takes a third of the time
    except OverflowError:
        return f"timestamp {wire[0]}"


def _read_timestamptz(wire: Wire) -> datetime | str:
    try:
        return _EPOCH_UTC + timedelta(0, 0, wire[0])
    except OverflowError:
        return f"timestamp {wire[0]}"


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
    "timestamp": (_write_timestamp, _read_timestamp),
    "timestamptz": (_write_timestamptz, _read_timestamptz),
    "date": (_write_date, _read_date),
    "time": (_write_time, _read_time),
}
