"""Dynamic fields in the history of a ticket: OTRS tells every change of one, with the value before it."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Any

from desk.history import NAME_LIMIT, Event, parts
from resolvers.conduct import RowChange

_CUT = "[...]"


def field_events(change: RowChange, zone: tzinfo) -> list[Event]:
    """Say which dynamic fields a change gave another value. Moments are told in the database's zone."""
    return [
        field_event(item.dynamic.name, *(_text(value, zone) for value in reversed(change.fields[item.name])))
        for item in change.module.fields
        if item.dynamic is not None and item.name in change.fields
    ]


def field_event(name: str, value: str, old: str) -> Event:
    """Say that a dynamic field has another value; long values are cut, so that every part stays to be seen."""
    room = (NAME_LIMIT - len(parts("FieldName", name, "Value", "", "OldValue", ""))) // 2
    new, before = (text if len(text) <= room else text[: max(room - len(_CUT), 0)] + _CUT for text in (value, old))
    return Event("TicketDynamicFieldUpdate", parts("FieldName", name, "Value", new, "OldValue", before))


def _text(value: Any, zone: tzinfo) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return f"{value} 00:00:00" if isinstance(value, date) else str(value)
