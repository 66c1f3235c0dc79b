"""What a filter means, said in plain Python over the sample rows: the judge of the SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from storage.dialects import fold
from tests.resolvers.world import ROWS, by_id

Row = Mapping[str, Any]


def _dynamic(field_id: int, object_id: int) -> list[Row]:
    return [r for r in ROWS["dynamic_field_value"] if (r["field_id"], r["object_id"]) == (field_id, object_id)]


def _first(field_id: int, object_id: int, column: str) -> Any:
    found = _dynamic(field_id, object_id)
    return found[0][column] if found else None


def _customer_object(row: Row) -> int:
    names = ROWS["dynamic_field_obj_id_name"]
    return next((r["object_id"] for r in names if r["object_name"] == row["login"]), 0)


def _texts(field_id: int, object_id: int) -> list[str]:
    return [row["value_text"] for row in _dynamic(field_id, object_id)]


def _epoch(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _bool(value: Any) -> bool | None:
    return None if value is None else bool(value)


LABELS = {None: [], "": [], "[]": [], '["a","b"]': ["a", "b"], "a, c": ["a", "c"], '["A"]': ["A"]}
FOLLOW_UP = {1: "POSSIBLE", 2: "REJECT", 3: "NEW_TICKET"}
URGENCY = {None: None, "low": "LOW", "high": "HIGH"}
VALIDITY = {1: "VALID", 2: "INVALID", 3: "INVALID_TEMPORARILY"}

# module → field → its value in the API, as Python compares it
VALUES: Mapping[str, Mapping[str, Callable[[Row], Any]]] = {
    "ticket": {
        "databaseId": lambda row: row["id"],
        "number": lambda row: row["tn"],
        "title": lambda row: row["title"],
        "body": lambda row: row["body"],
        "customerUserLogin": lambda row: row["customer_user_id"],
        "pendingUntil": lambda row: _epoch(row["until_time"]),
        "effort": lambda row: row["effort"],
        "price": lambda row: row["price"],
        "ratio": lambda row: row["ratio"],
        "hot": lambda row: _bool(row["hot"]),
        "due": lambda row: row["due"],
        "startAt": lambda row: row["start_at"],
        "urgency": lambda row: URGENCY.get(row["urgency"], "UNKNOWN"),
        "labels": lambda row: LABELS[row["labels"]],
        "seen": lambda row: row["seen"],
        "createdAt": lambda row: row["create_time"],
        "contract": lambda row: (by_id("lambdesk_ext_ticket", row["id"]) or {}).get("contract"),
        "colour": lambda row: _first(11, row["id"], "value_text"),
        "areas": lambda row: _texts(12, row["id"]),
        "urgent": lambda row: _bool(_first(13, row["id"], "value_int")),
        "visit": lambda row: (
            (_first(14, row["id"], "value_date") or None) and _first(14, row["id"], "value_date").date()
        ),
        "answeredAt": lambda row: _first(15, row["id"], "value_date"),
    },
    "queue": {
        "databaseId": lambda row: row["id"],
        "name": lambda row: row["name"],
        "comment": lambda row: row["comments"],
        "unlockTimeout": lambda row: row["unlock_timeout"],
        "unlockSeconds": lambda row: None if row["unlock_timeout"] is None else row["unlock_timeout"] * 60,
        "followUp": lambda row: FOLLOW_UP.get(row["follow_up_id"], "UNKNOWN"),
        "validity": lambda row: VALIDITY[row["valid_id"]],
    },
    "permission_groups": {"databaseId": lambda row: row["id"], "name": lambda row: row["name"]},
    "customer_user": {
        "login": lambda row: row["login"],
        "nickname": lambda row: _first(21, _customer_object(row), "value_text"),
        "hobbies": lambda row: _texts(22, _customer_object(row)),
    },
    "service": {"databaseId": lambda row: row["id"], "name": lambda row: row["name"]},
    "ticket_watcher": {"userLogin": lambda row: row["user_login"]},
}


def _customer(row: Row) -> Row | None:
    return next((r for r in ROWS["customer_user"] if r["login"] == row["customer_user_id"]), None)


ONES: Mapping[str, Mapping[str, tuple[str, Callable[[Row], Row | None]]]] = {
    "ticket": {
        "queue": ("queue", lambda row: by_id("queue", row["queue_id"])),
        "parent": ("ticket", lambda row: by_id("ticket", row["parent_id"])),
        "customerUser": ("customer_user", _customer),
    },
    "queue": {
        "group": ("permission_groups", lambda row: by_id("permission_groups", row["group_id"])),
        "oldestTicket": ("ticket", lambda row: next((r for r in ROWS["ticket"] if r["queue_id"] == row["id"]), None)),
    },
    "ticket_watcher": {"ticket": ("ticket", lambda row: by_id("ticket", row["ticket_id"]))},
}


def _services(row: Row) -> list[Row]:
    ids = {link["service_id"] for link in ROWS["ticket_service"] if link["ticket_id"] == row["id"]}
    return [service for service in ROWS["service"] if service["id"] in ids]


def _linked(row: Row) -> list[Row]:
    links = [link for link in ROWS["link_relation"] if link["source_key"] == str(row["id"]) and link["type_id"] == 1]
    return [found for found in ROWS["ticket"] if any(link["target_key"] == str(found["id"]) for link in links)]


MANIES: Mapping[str, Mapping[str, tuple[str, Callable[[Row], list[Row]]]]] = {
    "ticket": {
        "children": ("ticket", lambda row: [r for r in ROWS["ticket"] if r["parent_id"] == row["id"]]),
        "services": ("service", _services),
        "linked": ("ticket", _linked),
        "watchers": (
            "ticket_watcher",
            lambda row: [r for r in ROWS["ticket_watcher"] if r["ticket_id"] == row["id"]],
        ),
    },
    "queue": {"tickets": ("ticket", lambda row: [r for r in ROWS["ticket"] if r["queue_id"] == row["id"]])},
    "permission_groups": {"queues": ("queue", lambda row: [r for r in ROWS["queue"] if r["group_id"] == row["id"]])},
    "customer_user": {
        "tickets": ("ticket", lambda row: [r for r in ROWS["ticket"] if r["customer_user_id"] == row["login"]])
    },
}

_SECONDS = {"PT0S": 0, "PT1M30S": 90, "PT1H": 3600, "PT2S": 2}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "pendingUntil": datetime.fromisoformat,
    "createdAt": datetime.fromisoformat,
    "answeredAt": datetime.fromisoformat,
    "due": date.fromisoformat,
    "visit": date.fromisoformat,
    "startAt": time.fromisoformat,
    "price": Decimal,
    "effort": _SECONDS.__getitem__,
    "seen": int,
}


def holds(table: str, row: Row, given: Mapping[str, Any]) -> bool:
    """Answer whether a row satisfies a filter, both as a client writes it."""
    return all(_member(table, row, name, value) for name, value in given.items())


def _member(table: str, row: Row, name: str, value: Any) -> bool:
    if name == "and":
        return all(holds(table, row, part) for part in value)
    if name == "or":
        return any(holds(table, row, part) for part in value)
    if name == "not":
        return not holds(table, row, value)
    if name in ONES.get(table, {}):
        target, find = ONES[table][name]
        found = find(row)
        return found is not None and holds(target, found, value)
    if name in MANIES.get(table, {}):
        target, find_all = MANIES[table][name]
        rows = find_all(row)
        return all(_quantified(target, rows, quantifier, part) for quantifier, part in value.items())
    stored = VALUES[table][name](row)
    return all(_operator(stored, operator, operand, _READ.get(name, _same)) for operator, operand in value.items())


def _quantified(target: str, rows: list[Row], quantifier: str, part: Mapping[str, Any]) -> bool:
    held = [holds(target, row, part) for row in rows]
    return {"some": any(held), "none": not any(held), "every": all(held)}[quantifier]


def _same(value: Any) -> Any:
    return value


def _operator(stored: Any, operator: str, operand: Any, read: Callable[[Any], Any]) -> bool:
    if operator in _NEGATED:
        return not _operator(stored, _NEGATED[operator], operand, read)
    if operator == "isNull":
        return (stored is None) is operand
    if operator == "isEmpty":
        return (not stored) is operand
    if stored is None:
        return False
    wanted = [read(item) for item in operand] if isinstance(operand, list) else read(operand)
    return bool(_TESTS[operator](stored, wanted))


_NEGATED = {"ne": "eq", "notIn": "in"}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda stored, wanted: stored == wanted,
    "in": lambda stored, wanted: stored in wanted,
    "lt": lambda stored, wanted: stored < wanted,
    "lte": lambda stored, wanted: stored <= wanted,
    "gt": lambda stored, wanted: stored > wanted,
    "gte": lambda stored, wanted: stored >= wanted,
    "contains": lambda stored, wanted: fold(wanted) in fold(stored),
    "startsWith": lambda stored, wanted: fold(stored).startswith(fold(wanted)),
    "endsWith": lambda stored, wanted: fold(stored).endswith(fold(wanted)),
    "has": lambda stored, wanted: wanted in stored,
    "hasSome": lambda stored, wanted: any(item in stored for item in wanted),
    "hasEvery": lambda stored, wanted: all(item in stored for item in wanted),
}
