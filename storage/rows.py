"""The first rows of a new database: `rows.yaml` and `notifications.yaml` completed with what every row has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from storage.values import wall_clock

Row = dict[str, Any]

_HERE = Path(__file__).parent
_ADMIN = 1  # root@localhost
_QUEUE = {"group_id": 1, "system_address_id": 1, "salutation_id": 1, "signature_id": 1, "follow_up_id": 1}
_DEFAULTS: dict[str, Row] = {
    "queue": {**_QUEUE, "follow_up_lock": 0, "unlock_timeout": 0},
    "auto_response": {"system_address_id": 1, "content_type": "text/plain"},
}
_EVERYONE = (("VisibleForAgent", "1"), ("SendOnOutOfOffice", "1"), ("Transports", "Email"))


def first_rows(tables: Mapping[str, sa.Table], dialect: str, now: datetime) -> Iterator[tuple[sa.Table, list[Row]]]:
    """Yield every table that starts with rows, in an order in which keys exist before they are referred to.

    `now` is the wall clock of the database. Columns that a layout lacks are left out; the group table goes by the name
    that it has there.
    """
    written = yaml.safe_load((_HERE / "rows.yaml").read_text(encoding="utf-8"))
    written.update(_notifications())
    moment = wall_clock(now, dialect, now.tzinfo)  # type: ignore[arg-type] # a naive moment needs no zone
    for name, rows in written.items():
        table = tables["groups" if name == "permission_groups" and name not in tables else name]
        numbered = (_numbered(number, row) for number, row in enumerate(rows, start=1))
        yield table, [_complete(table, _DEFAULTS.get(name, {}) | row, moment, now) for row in numbered]


def complete_row(table: sa.Table, row: Row, moment: Any, author: int = _ADMIN) -> Row:
    """Add the audit columns and the validity that the table has and the row lacks; drop what the table lacks."""
    added: Row = {
        "valid_id": 1,
        "create_time": moment,
        "create_by": author,
        "change_time": moment,
        "change_by": author,
    }
    return {name: value for name, value in {**added, **row}.items() if name in table.c}


def _numbered(number: int, row: Any) -> Row:
    return {"id": number, "name": row} if isinstance(row, str) else dict(row)


def _complete(table: sa.Table, row: Row, moment: Any, now: datetime) -> Row:
    if row.get("incoming_time") == "now":
        row["incoming_time"] = int(now.timestamp())
    return complete_row(table, row, moment)


def _notifications() -> dict[str, list[Row]]:
    events: list[Row] = []
    messages: list[Row] = []
    items: list[Row] = []
    for number, written in enumerate(yaml.safe_load((_HERE / "notifications.yaml").read_text(encoding="utf-8")), 1):
        events.append({"id": number, "name": written["name"], "comments": ""})
        messages += [
            {"notification_id": number, "language": language, "content_type": "text/plain", **written[language]}
            for language in ("en", "de")
        ]
        pairs = [("Events", event) for event in written["events"]]
        pairs += [("Recipients", recipient) for recipient in written["recipients"]]
        pairs += [("LockID", str(written["lock"]))] if "lock" in written else []
        items += [
            {"notification_id": number, "event_key": key, "event_value": value} for key, value in (*pairs, *_EVERYONE)
        ]
    numbered = [{"id": number, **message} for number, message in enumerate(messages, start=1)]
    return {
        "notification_event": events,
        "notification_event_message": numbered,
        "notification_event_item": items,
    }
