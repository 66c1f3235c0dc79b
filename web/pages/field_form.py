"""The form of a field: what stands in a file as texts of inputs, and back, without losing what the form does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from schema.rewriting import LAMBDAS
from schema.yaml_text import Written

FIELDS = "fields"
COMPUTED = "lambda:"  # before the types of fields that a lambda makes
WITH_OPTIONS = frozenset({"select", "radio", "multiselect"})
TICKS = ("required", "unique", "searchable", "readonly", "show_in_list")
NOT_IN_FORM = "not_in_form"  # the one that is on where nothing is said
LIMITS = ("min", "max", "min_length", "max_length")
WHO = ("", "group", "role", "nobody")  # may see or write; nothing said: everybody who may do so with the row
NAMES = (
    "name", "type", "label_en", "label_de", "help", "column", "options", "to", "pattern", "message", *LIMITS,
    "see", "see_name", "write", "write_name", "customer", *TICKS, NOT_IN_FORM,
)  # fmt: skip
FIRST_CODE = "return null;"
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}[.,]\d{1,9}", re.ASCII)

Typed = Mapping[str, str]
Item = Mapping[str, Any]


def section_of(typed: Typed) -> str:
    """Return the section of the file that a form is about."""
    return LAMBDAS if typed["type"].startswith(COMPUTED) else FIELDS


def item_of(typed: Typed, before: Item | None = None) -> dict[str, Written]:
    """Return the item that a form makes. What it shows as it was, and what it has no input for, stays as it was."""
    before = before or {}
    shown = typed_of(before, section_of(typed)) if before else {}
    is_computed = section_of(typed) == LAMBDAS
    made = _made(typed, is_computed)
    found: dict[str, Written] = {}
    for key in dict.fromkeys([*_KEYS, *before]):
        inputs = _KEYS.get(key)
        is_known = inputs is not None and not (is_computed and key not in _OF_COMPUTED)
        if not is_known or (before and all(typed[name] == shown[name] for name in inputs or ())):
            found |= {key: before[key]} if key in before else {}
        elif key in made:
            found[key] = _merged(key, made[key], before.get(key))
    if is_computed and not {"lambda", "sql"} & set(found):
        found["lambda"] = FIRST_CODE
    return found


# What of an item which inputs are about. The order is the one in which new items are written.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "type": ("type",),
    "column": ("column",),
    "label": ("label_en", "label_de"),
    "help": ("help",),
    "to": ("to", "type"),
    "options": ("options", "type"),
    **{name: (name,) for name in TICKS},
    "show_in_form": (NOT_IN_FORM,),
    "validation": ("pattern", "message", *LIMITS),
}
_OF_COMPUTED = frozenset({"name", "type", "label", "help", "show_in_list"})


def _made(typed: Typed, is_computed: bool) -> dict[str, Written]:
    kind = typed["type"].removeprefix(COMPUTED)
    made: dict[str, Written] = {"name": typed["name"], "type": kind}
    label = {language: typed[f"label_{language}"] for language in ("en", "de") if typed[f"label_{language}"]}
    made |= {"label": label["en"] if set(label) == {"en"} else label} if label else {}
    made |= {"help": typed["help"]} if typed["help"] else {}
    ticks: tuple[str, ...] = ("show_in_list",) if is_computed else TICKS
    made |= {name: True for name in ticks if typed[name]}
    if is_computed:
        return made
    made |= {"column": typed["column"]} if typed["column"] else {}
    made |= {"to": typed["to"]} if kind == "reference" and typed["to"] else {}
    made |= {"options": options_of(typed["options"])} if kind in WITH_OPTIONS else {}
    made |= {"show_in_form": False} if typed[NOT_IN_FORM] else {}
    validation = _validation(typed)
    return made | ({"validation": validation} if validation else {})


def _validation(typed: Typed) -> Written:
    found: dict[str, Written] = {name: typed[name] for name in ("pattern", "message") if typed[name]}
    found |= {name: number for name in LIMITS if (number := number_of(typed[name])) is not None}
    return found["pattern"] if set(found) == {"pattern"} else found


def number_of(text: str) -> int | float | None:
    """Read a limit; None for what is no number."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def wrong_limits(typed: Typed) -> Sequence[str]:
    """Name the limits that are no numbers."""
    return [name for name in LIMITS if typed[name].strip() and number_of(typed[name]) is None]


def _merged(key: str, made: Written, before: Any) -> Written:
    """Keep of a value what its inputs do not show: labels in other languages, tones of options, other limits."""
    if key in ("label", "help") and isinstance(before, Mapping):
        given = made if isinstance(made, Mapping) else {"en": made}
        return {**{name: text for name, text in before.items() if name not in ("en", "de")}, **given}
    if key == "validation" and isinstance(before, Mapping) and isinstance(made, Mapping):
        known = ("pattern", "message", *LIMITS)
        return {**{name: value for name, value in before.items() if name not in known}, **made}
    if key == "options" and isinstance(before, list) and isinstance(made, list):
        return [_option(item, before) for item in made]
    return made


def _option(made: Written, before: Sequence[Any]) -> Written:
    if not isinstance(made, Mapping):
        return made
    old = next((item for item in before if isinstance(item, Mapping) and str(item.get("value")) == made["value"]), None)
    if old is None:
        return made
    label = old.get("label") if _text(old.get("label")) == made["label"] else made["label"]
    return {**old, "label": label}


def options_of(text: str) -> list[Written]:
    """Read options, one a line: `VALUE = label`, or a value alone."""
    made: list[Written] = []
    for line in text.splitlines():
        value, _, label = (part.strip() for part in line.partition("="))
        if value:
            made.append({"value": value, "label": label or value})
    return made


def typed_of(item: Item, section: str) -> dict[str, str]:
    """Return an item as its form shows it."""
    found = dict.fromkeys(NAMES, "")
    found |= {name: _text(item.get(name)) for name in ("name", "column", "help", "to")}
    found["type"] = f"{COMPUTED if section == LAMBDAS else ''}{_text(item.get('type')) or 'string'}"
    label = item.get("label")
    found["label_en"] = _text(label)
    found["label_de"] = _text(label.get("de")) if isinstance(label, Mapping) else ""
    found |= {name: "1" for name in TICKS if item.get(name) is True}
    found[NOT_IN_FORM] = "1" if item.get("show_in_form") is False else ""
    options = item.get("options")
    found["options"] = "\n".join(map(_line, options)) if isinstance(options, list) else ""
    validation = item.get("validation")
    if isinstance(validation, Mapping):
        found |= {name: _text(validation.get(name)) for name in ("pattern", "message", *LIMITS)}
    elif validation is not None:
        found["pattern"] = _text(validation)
    return found


def _line(option: Any) -> str:
    if not isinstance(option, Mapping):
        return _text(option)
    value, label = _text(option.get("value")), _text(option.get("label"))
    return f"{value} = {label}" if label and label != value else value


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("en")
    return "" if value is None else str(value)


# --- who sees and writes it ---

_YES_NO: Mapping[str, bool] = {"yes": True, "no": False}


def rule_of(typed: Typed, before: Item | None) -> dict[str, Written] | None:
    """Return the rule of a field that a form makes; None where nobody is kept out. What the form cannot show stays."""
    before = dict(before or {})
    shown = typed_rule(before)
    made: dict[str, Written] = {}
    made |= _audience(before, "agent", "see", typed, shown)
    if typed["customer"] == shown["customer"]:
        made |= {"customer": before["customer"]} if "customer" in before else {}
    elif typed["customer"]:
        made["customer"] = typed["customer"] == "yes"
    old = before.get("write")
    old = dict(old) if isinstance(old, Mapping) else {}
    write = {
        **{key: value for key, value in old.items() if key != "agent"},
        **_audience(old, "agent", "write", typed, shown),
    }
    return (made | ({"write": write} if write else {})) or None


def _audience(before: Item, key: str, name: str, typed: Typed, shown: Typed) -> dict[str, Written]:
    names = (name, f"{name}_name")
    if all(typed[item] == shown[item] for item in names):
        return {key: before[key]} if key in before else {}
    said: dict[str, Written] = {"nobody": False, "group": {"group": typed[names[1]]}, "role": {"role": typed[names[1]]}}
    return {key: said[typed[name]]} if typed[name] in said else {}


def typed_rule(rule: Item | None) -> dict[str, str]:
    """Return a rule as its form shows it."""
    rule = rule or {}
    write = rule.get("write")
    found = {"customer": next((text for text, said in _YES_NO.items() if rule.get("customer") is said), "")}
    for name, said in (
        ("see", rule.get("agent")),
        ("write", write.get("agent") if isinstance(write, Mapping) else None),
    ):
        found |= {name: "", f"{name}_name": ""}
        if said is False:
            found[name] = "nobody"
        elif isinstance(said, Mapping):
            kind = next((key for key in ("group", "role") if key in said), "")
            found |= {name: kind, f"{name}_name": _text(said.get(kind))}
    return found
