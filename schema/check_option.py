"""The options of a field: their enum names, and the values that are stored for them."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import UNKNOWN, Kind
from schema.names import COUNTED, enum_value, has_latin, option_name
from schema.problems import Level
from schema.spec import Caption, Option
from schema.spot import Entry, Findings, shown

WITH_OPTIONS = ("select", "radio", "multiselect")
# A multiselect keeps its values in one text, with this between them.
SEPARATOR = ","


def make_options(entry: Entry, kind: Kind, findings: Findings) -> tuple[Option, ...]:
    """Make the options of a field: named, told apart, and none where its kind has none."""
    read = entry.get("options") or []
    if kind.name not in WITH_OPTIONS:
        if read:
            findings.add(
                entry.at("options"),
                "no-effect",
                f"`options` have no effect on a field of type {kind.name}.",
                "Use `type: select`, or leave them out.",
                Level.INFO,
                at_key=True,
            )
        return ()
    if not read:
        if not entry.says("options") or entry.holder is None or not entry.holder.get("options"):
            findings.add(
                entry.at("options", "type"),
                "missing-key",
                f"Field `{entry['name']}` is a {kind.name} and has no options.",
                "Add `options: [{value: ..., label: ...}]`.",
            )
        return ()
    made = [(option, item) for number, item in enumerate(read, 1) if (option := _option(item, number, findings))]
    if kind.name == "multiselect":
        _check_parts(made, entry, findings)
    return _distinct(made, entry, findings)


def _option(item: Entry, number: int, findings: Findings) -> Option | None:
    value = item.get("value")
    if value is None:
        return None
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, float):
        value = str(value)
    label = item.get("label", Caption(str(value)))
    name = item.get("name") or _option_name(label.text, str(value), number, item, findings)
    if name.startswith("__") or name in ("TRUE", "FALSE", "NULL"):
        findings.add(
            item.at("name", "label"),
            "reserved-name",
            f"The enum value `{name}` is reserved.",
            "Give the option another `name`.",
        )
        return None
    if name == UNKNOWN:
        findings.add(
            item.at("name", "label"),
            "reserved-name",
            f"The enum value `{UNKNOWN}` is kept for stored values that are no option.",
            "Give the option another `name`.",
        )
        return None
    return Option(name, value, label, item.get("tone"), item.get("group"))


def _option_name(label: str, value: str, number: int, item: Entry, findings: Findings) -> str:
    """Name an option that has no `name`; what could only be counted is said, since a number tells a client nothing."""
    if not value and not has_latin(label):
        return enum_value(value)
    name = option_name(label, value, number)
    if not has_latin(label) and name.startswith(COUNTED):
        findings.add(
            item.at("label", "value"),
            "bad-name",
            f"No enum value can be made of the label {shown(label)}; it is called `{name}`.",
            "Give the option a `name`.",
            Level.WARNING,
        )
    return name


def _check_parts(made: list[tuple[Option, Entry]], entry: Entry, findings: Findings) -> None:
    """Refuse values that could not be told apart again where several of them are kept in one text."""
    for option, item in made:
        value = str(option.value)
        if SEPARATOR in value or value != value.strip():
            findings.add(
                item.at("value"),
                "bad-option",
                f"Option `{option.name}` of field `{entry['name']}` stores `{value}`, which a list of options cannot hold.",
                f"Values of a multiselect have no `{SEPARATOR}` and no spaces around them.",
            )


def _distinct(made: list[tuple[Option, Entry]], entry: Entry, findings: Findings) -> tuple[Option, ...]:
    """Refuse two options of one name or value; bring mixed values to texts."""
    if len({type(option.value) for option, _ in made}) > 1:
        made = [(replace(option, value=str(option.value)), item) for option, item in made]
    names: dict[str, Entry] = {}
    values: dict[str, Entry] = {}
    for option, item in made:
        for seen, word, key in ((names, option.name, "name"), (values, str(option.value), "value")):
            if word in seen:
                first = seen[word].spot.place
                findings.add(
                    item.at(key, "label"),
                    "duplicate-option",
                    f"Two options of field `{entry['name']}` have the {'enum ' if key == 'name' else ''}{key} `{word}`; the first is in line {first.line}, column {first.column}.",
                    "Give each a `name` of its own." if key == "name" else "Keep one of them.",
                )
            seen.setdefault(word, item)
    return tuple(option for option, _ in made)
