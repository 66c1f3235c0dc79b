"""From read examples of lambdas to their specs, or to the problems with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schema.shapes import plain
from schema.spec import Example
from schema.spot import Entry, Findings, shown

# What `for_all` can make by the name of its type.
GENERATED = ("bool", "date", "datetime", "float", "int", "string")


def make_example(entry: Entry, findings: Findings) -> Example | None:
    """Make an example of its section; None where it has a problem."""
    if entry.says("item") == entry.says("for_all"):
        findings.add(
            entry.spot,
            "bad-example",
            "An example must have either `item` or `for_all`.",
            "For example `{item: {priority: 5}, returns: urgent}`.",
        )
        return None
    needed, alien = ("returns", "holds") if entry.says("item") else (None, "returns")
    if needed and not entry.says(needed):
        findings.add(entry.spot, "missing-key", f"An example with `item` needs `{needed}`.", "Say what must come out.")
        return None
    if entry.says(alien):
        kind = "item" if needed else "for_all"
        findings.add(
            entry.at(alien),
            "bad-example",
            f"An example with `{kind}` has no `{alien}`.",
            "Use `returns` with `item`, and `holds` with `for_all`.",
            at_key=True,
        )
        return None
    if not _is_moment(entry.get("now")):
        findings.add(
            entry.at("now"), "bad-example", f"{shown(entry['now'])} is no moment.", "For example 2026-01-31T12:00:00Z."
        )
        return None
    if not all(_is_generator(name, plain(wanted), entry, findings) for name, wanted in _pairs(entry, "for_all")):
        return None
    return Example(
        entry.spot.place,
        dict(_pairs(entry, "item")),
        plain(entry.get("returns")),
        dict(_pairs(entry, "args")),
        dict(_pairs(entry, "me")),
        entry.get("now"),
        tuple(entry.get("answers") or ()),
        dict(_pairs(entry, "for_all")),
        entry.get("holds"),
    )


def _is_moment(text: str | None) -> bool:
    try:
        return text is None or bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _pairs(entry: Entry, key: str) -> list[tuple[str, Any]]:
    return [(name, plain(value)) for name, value in (entry.get(key) or {}).items()]


def _is_generator(name: str, wanted: Any, entry: Entry, findings: Findings) -> bool:
    """Answer whether values can be made of what `for_all` says of a name."""
    by_list = isinstance(wanted, list) and bool(wanted)
    by_range = isinstance(wanted, dict) and wanted.keys() == {"min", "max"} and _is_range(wanted["min"], wanted["max"])
    if wanted in GENERATED or by_list or by_range:
        return True
    findings.add(
        entry.at("for_all"),
        "bad-example",
        f"No values of `{name}` can be made of {shown(wanted)}.",
        f"Write one of {', '.join(GENERATED)}, a list of values, or {{min: 1, max: 5}}.",
    )
    return False


def _is_range(least: Any, most: Any) -> bool:
    return type(least) is int and type(most) is int and least <= most
