"""The form of rules: what can be asked of a module's fields, and from what was typed to rules, or to what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.snapshot import Snapshot
from schema.spec import Field, Module
from web.pages.form_body import Form
from web.pages.rules_code import (
    CONDITIONS,
    LARGEST,
    LETTERS,
    MOMENT,
    NUMBER,
    OPERATORS,
    RULES,
    TEXT,
    TONES,
    TRUTH,
    Condition,
    Result,
    Rule,
    RuleSet,
    Value,
)

SLOTS = 3  # conditions that a rule is offered
_TEXTS = frozenset({"string", "text", "markdown", "email", "url", "phone", "color", "time"})
_NUMBERS = frozenset({"int", "bigint", "float", "decimal", "duration", "range", "validity"})
_MOMENTS = frozenset({"datetime", "date", "epoch"})
_CHOICES = frozenset({"select", "radio"})
_WHOLE = re.compile(r"[+-]?\d{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Askable:
    """A value that rules can look at: what a lambda needs for it, what people call it, and of which kind it is."""

    need: str
    label: str
    about: str


@dataclass(slots=True)
class Typed:
    """A form as it was typed, for its inputs, and what is wrong with it by rule; 0 stands for the whole."""

    kind: str = "badge"
    rules: list[dict[str, Any]] = field(default_factory=list)
    otherwise: dict[str, str] = field(default_factory=lambda: {"text": "", "tone": "green"})
    wrong: dict[int, list[str]] = field(default_factory=dict)


def askable(snapshot: Snapshot, module: Module, language: str) -> list[Askable]:
    """Return what rules may look at: fields of their own rows, and the names of rows that these refer to."""
    found = []
    for item in module.shown_fields:
        if not item.is_readable or item.dynamic is not None:
            continue
        label = item.label.in_language(language)
        target = snapshot.modules.get(item.to) if item.to else None
        if target is not None:
            name = next((other for other in target.shown_fields if other.name in ("name", "login", "title")), None)
            if name is not None and name.is_readable and name.kind in _TEXTS:
                found.append(Askable(f"{item.name}.{name.name}", label, TEXT))
        elif about := about_of(item):
            found.append(Askable(item.name, label, about))
    return found


def about_of(item: Field) -> str:
    """Say of which kind a field's values are for a lambda; nothing where rules cannot look at them."""
    if item.kind in _CHOICES:
        return NUMBER if item.options and all(isinstance(option.value, int) for option in item.options) else TEXT
    kinds = {TEXT: _TEXTS, NUMBER: _NUMBERS, MOMENT: _MOMENTS, TRUTH: frozenset({"bool"})}
    return next((about for about, names in kinds.items() if item.kind in names), "")


def typed_of(form: Form) -> Typed:
    """Read what was typed as it is."""
    count = int(form.one("rules")) if form.one("rules").isdecimal() and len(form.one("rules")) < 3 else 1  # noqa: PLR2004 - two digits
    rules = [
        {
            "every": form.one(f"r{place}.every", "1") == "1",
            "text": form.one(f"r{place}.text"),
            "tone": form.one(f"r{place}.tone", "gray"),
            "conditions": [
                {name: form.one(f"r{place}.c{slot}.{name}") for name in ("field", "op", "value")}
                for slot in range(CONDITIONS)
                if f"r{place}.c{slot}.field" in form
            ],
        }
        for place in range(min(count, RULES))
    ]
    otherwise = {"text": form.one("else.text"), "tone": form.one("else.tone", "gray")}
    return Typed(form.one("kind", "badge"), rules, otherwise)


def typed_from(rules: RuleSet) -> Typed:
    """Return rules as somebody would type them."""
    found = [
        {
            "every": rule.every,
            "text": shown(rule.result.value),
            "tone": rule.result.tone,
            "conditions": [
                {"field": item.field, "op": item.operator, "value": shown(item.value)} for item in rule.conditions
            ],
        }
        for rule in rules.rules
    ]
    last = rules.otherwise
    otherwise = {"text": shown(last.value), "tone": last.tone or "gray"} if last else {"text": "", "tone": "gray"}
    return Typed(rules.kind, found, otherwise)


def shown(value: Value) -> str:
    """Write a value as one types it."""
    return "" if value is None else str(value)


def edited(typed: Typed, deed: str) -> bool:
    """Do to the rules what a button says: one more, one away, one up or down. Return whether there was such a button."""
    name, _, number = deed.partition("-")
    place = int(number) if number.isdecimal() and len(number) < 3 else -1  # noqa: PLR2004 - two digits
    if name == "more":
        typed.rules.append(_blank())
        del typed.rules[RULES:]
        return True
    if name not in ("drop", "up", "down") or not 0 <= place < len(typed.rules):
        return False
    rule = typed.rules.pop(place)
    if name != "drop":
        typed.rules.insert(max(0, place - 1) if name == "up" else place + 1, rule)
    typed.rules = typed.rules or [_blank()]
    return True


def _blank() -> dict[str, Any]:
    return {"every": True, "text": "", "tone": "gray", "conditions": []}


def padded(typed: Typed) -> Typed:
    """Give each rule room for more conditions."""
    typed.rules = typed.rules or [_blank()]
    for rule in typed.rules:
        used = [item for item in rule["conditions"] if item["field"]]
        room = min(CONDITIONS, max(SLOTS, len(used) + 1)) - len(used)
        rule["conditions"] = used + [{"field": "", "op": "is", "value": ""} for _ in range(room)]
    return typed


def rules_of(typed: Typed, fields: Sequence[Askable], say: Any) -> RuleSet | None:
    """Make rules of what was typed; what is wrong is noted in it, and then there are none."""
    known = {item.need: item for item in fields}
    made = [_rule(typed, place, rule, known, say) for place, rule in enumerate(typed.rules)]
    otherwise = None
    if typed.otherwise["text"].strip():
        otherwise = _result(typed, typed.otherwise, 0, say)
    rules = tuple(rule for rule in made if rule is not None)
    if not rules and not typed.wrong:
        typed.wrong.setdefault(0, []).append(say("rules-none"))
    return None if typed.wrong else RuleSet(typed.kind, rules, otherwise)


def _rule(typed: Typed, place: int, rule: Mapping[str, Any], known: Mapping[str, Askable], say: Any) -> Rule | None:
    conditions = [item for item in rule["conditions"] if item["field"]]
    if not conditions and not rule["text"].strip():
        return None  # nobody has touched it
    number = place + 1
    found = [_condition(typed, number, item, known, say) for item in conditions]
    if not conditions:
        typed.wrong.setdefault(number, []).append(say("rules-no-condition"))
    result = _result(typed, rule, number, say)
    good = [item for item in found if item is not None]
    return Rule(bool(rule["every"]), tuple(good), result) if result is not None and good else None


def _condition(
    typed: Typed, number: int, item: Mapping[str, str], known: Mapping[str, Askable], say: Any
) -> Condition | None:
    asked, operator = known.get(item["field"]), OPERATORS.get(item["op"])
    wrong = typed.wrong.setdefault(number, [])
    if asked is None or operator is None:
        wrong.append(say("rules-unknown-field", field=item["field"][:60]))
    elif asked.about not in operator.about:
        wrong.append(say("rules-does-not-fit", field=asked.label, op=say(f"rule-{item['op']}")))
    elif operator.takes == NUMBER and number_of(item["value"]) is None:
        wrong.append(say("rules-no-number", value=item["value"][:60]))
    elif len(item["value"]) > LETTERS:
        wrong.append(say("rules-too-long", limit=LETTERS))
    else:
        value: Value = {TEXT: item["value"], NUMBER: number_of(item["value"])}.get(operator.takes)
        _settle(typed, number)
        return Condition(asked.need, asked.about, item["op"], value)
    return None


def _settle(typed: Typed, number: int) -> None:
    if not typed.wrong.get(number):
        typed.wrong.pop(number, None)


def _result(typed: Typed, given: Mapping[str, Any], number: int, say: Any) -> Result | None:
    text = str(given["text"])
    if typed.kind in ("int", "float"):
        value = number_of(text)
        if value is None or (typed.kind == "int" and not isinstance(value, int)):
            typed.wrong.setdefault(number, []).append(say("rules-no-number", value=text[:60]))
            return None
        return Result(value)
    if len(text) > LETTERS:
        typed.wrong.setdefault(number, []).append(say("rules-too-long", limit=LETTERS))
        return None
    tone = given["tone"] if given["tone"] in TONES else "gray"
    return Result(text, tone if typed.kind == "badge" else "")


def number_of(text: str) -> int | float | None:
    """Read a number as people write it, with a comma or a point; None for anything else."""
    text = text.strip().replace(",", ".")
    if _WHOLE.fullmatch(text):
        whole = int(text)
        return whole if abs(whole) <= LARGEST else None
    try:
        value = float(text) if text.isascii() and "_" not in text and len(text) <= 30 else math.nan  # noqa: PLR2004 - nobody types more
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= LARGEST else None
