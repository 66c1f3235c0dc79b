"""Rules as JavaScript: `when … then …`, in an order, and the way back from the code to the rules.

What somebody typed stands in the code as JSON alone, so that it is a value wherever it comes to stand. The rules themselves are
kept in a comment at the end; they are believed only if the same code comes of them again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float | None

TONES = ("gray", "red", "orange", "amber", "yellow", "green", "teal", "blue", "indigo", "purple", "pink")
KINDS = ("badge", "string", "int", "float")
RULES, CONDITIONS, LETTERS = 20, 5, 200  # at most
LARGEST = 2**53 - 1
TEXT, NUMBER, TRUTH, MOMENT = "text", "number", "truth", "moment"
HOURS_A_DAY = 24
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_KEPT = re.compile(r"\n/\* rules 1 (\{.*\}) \*/\Z")
_HEAD = "// Made of rules. The page of rules opens it again as long as nobody changes the code by hand.\n"
_HELPERS: Mapping[str, str] = {
    "empty": 'const empty = (value) => value === null || value === undefined || value === "";',
    "text": 'const text = (value) => (empty(value) ? "" : String(value));',
    "number": "const number = (value) => (empty(value) ? NaN : Number(value));",
    "hours": "const hours = (value) => (empty(value) ? NaN : (now - new Date(value)) / 3600000);",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, how it is looked at, and what it is compared with. `about` says what kind of value the field has."""

    field: str
    about: str
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Result:
    """What comes of a rule; of a badge with its tone."""

    value: Value
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions of which every one must hold, or any, and what comes of it."""

    every: bool
    conditions: tuple[Condition, ...]
    result: Result


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in their order. The first that fits counts; where none does, `otherwise`, or nothing."""

    kind: str
    rules: tuple[Rule, ...]
    otherwise: Result | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return tuple(dict.fromkeys(item.field for rule in self.rules for item in rule.conditions))


@dataclass(frozen=True, slots=True)
class Operator:
    """How values are looked at: of which kind they are, and the JavaScript of it. `takes` is the kind of what is typed, if anything is."""

    about: frozenset[str]
    write: Callable[[str, str], str]
    takes: str = ""
    uses: tuple[str, ...] = ()


def _compare(sign: str) -> Operator:
    return Operator(
        frozenset({NUMBER}), lambda item, value: f"number({item}) {sign} {value}", NUMBER, ("empty", "number")
    )


def _age(sign: str, unit: str = "") -> Operator:
    return Operator(
        frozenset({MOMENT}), lambda item, value: f"hours({item}) {sign} {value}{unit}", NUMBER, ("empty", "hours")
    )


def _within(method: str) -> Operator:
    def write(item: str, value: str) -> str:
        return f"text({item}).toLowerCase().{method}({value}.toLowerCase())"

    return Operator(frozenset({TEXT}), write, TEXT, ("empty", "text"))


_ANY = frozenset({TEXT, NUMBER, TRUTH, MOMENT})
_DAYS = f" * {HOURS_A_DAY}"
# By name in forms and in what is kept: new ones may come, none may change its meaning.
OPERATORS: Mapping[str, Operator] = {
    "is": Operator(frozenset({TEXT}), lambda item, value: f"text({item}) === {value}", TEXT, ("empty", "text")),
    "is-not": Operator(frozenset({TEXT}), lambda item, value: f"text({item}) !== {value}", TEXT, ("empty", "text")),
    "contains": _within("includes"),
    "starts": _within("startsWith"),
    "equals": _compare("==="),
    "differs": _compare("!=="),
    "greater": _compare(">"),
    "at-least": _compare(">="),
    "less": _compare("<"),
    "at-most": _compare("<="),
    "older-hours": _age(">"),
    "older-days": _age(">", _DAYS),
    "newer-hours": _age("<"),
    "newer-days": _age("<", _DAYS),
    "yes": Operator(frozenset({TRUTH}), lambda item, _: f"{item} === true"),
    "no": Operator(frozenset({TRUTH}), lambda item, _: f"{item} === false"),
    "empty": Operator(_ANY, lambda item, _: f"empty({item})", uses=("empty",)),
    "not-empty": Operator(_ANY, lambda item, _: f"!empty({item})", uses=("empty",)),
}


def literal(value: Value) -> str:
    """Write a value as JSON, with everything that cannot be seen escaped."""
    return "".join(
        char if char.isprintable() else json.dumps(char)[1:-1] for char in json.dumps(value, ensure_ascii=False)
    )


def code_of_rules(rules: RuleSet) -> str:
    """Return the code of rules. Raises `ValueError` for what are none."""
    _check(rules)
    used = {name for rule in rules.rules for item in rule.conditions for name in OPERATORS[item.operator].uses}
    lines = [text for name, text in _HELPERS.items() if name in used]
    for rule in rules.rules:
        conditions = (" && " if rule.every else " || ").join(map(_condition, rule.conditions))
        lines.append(f"if ({conditions}) return {_result(rules.kind, rule.result)};")
    lines.append(f"return {_result(rules.kind, rules.otherwise)};")
    kept = "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in _packed(rules))
    kept = kept.replace("*/", "*\\/")
    return f"{_HEAD}{chr(10).join(lines)}\n/* rules 1 {kept} */"


def rules_of_code(code: str) -> RuleSet | None:
    """Return the rules that code was made of; None for any other code, also for one that was changed afterwards."""
    code = code.strip("\n")
    kept = _KEPT.search(code)
    if kept is None:
        return None
    try:
        rules = _unpacked(json.loads(kept[1]))
        return rules if code_of_rules(rules) == code else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _condition(item: Condition) -> str:
    return OPERATORS[item.operator].write("item." + item.field.replace(".", "?."), literal(item.value))


def _result(kind: str, result: Result | None) -> str:
    if result is None:
        return "null"
    return f"badge({literal(result.value)}, {literal(result.tone)})" if kind == "badge" else literal(result.value)


# --- what is kept ---


def _packed(rules: RuleSet) -> str:
    found = {
        "kind": rules.kind,
        "rules": [
            {
                "every": rule.every,
                "if": [[item.field, item.about, item.operator, item.value] for item in rule.conditions],
                "then": [rule.result.value, rule.result.tone],
            }
            for rule in rules.rules
        ],
        "otherwise": None if rules.otherwise is None else [rules.otherwise.value, rules.otherwise.tone],
    }
    return json.dumps(found, ensure_ascii=False)


def _unpacked(data: Mapping[str, Any]) -> RuleSet:
    otherwise = data["otherwise"]
    made = tuple(
        Rule(rule["every"], tuple(Condition(*item) for item in rule["if"]), Result(*rule["then"]))
        for rule in data["rules"]
    )
    return RuleSet(data["kind"], made, None if otherwise is None else Result(*otherwise))


def _check(rules: RuleSet) -> None:
    """Refuse what is no set of rules, wherever it comes from. Raises `ValueError`."""
    results = [rule.result for rule in rules.rules] + ([rules.otherwise] if rules.otherwise else [])
    if rules.kind not in KINDS or not 0 < len(rules.rules) <= RULES:
        raise ValueError("rules")
    if not all(_fits(rules.kind, result) for result in results):
        raise ValueError("result")
    for rule in rules.rules:
        if not isinstance(rule.every, bool) or not 0 < len(rule.conditions) <= CONDITIONS:
            raise ValueError("conditions")
        for item in rule.conditions:
            _check_condition(item)


def _check_condition(item: Condition) -> None:
    operator = OPERATORS.get(item.operator)
    if operator is None or item.about not in operator.about:
        raise ValueError("operator")
    if not all(map(_NAME.fullmatch, item.field.split("."))):
        raise ValueError("field")
    if not is_value(item.value, operator.takes):
        raise ValueError("value")


def _fits(kind: str, result: Result) -> bool:
    if kind == "badge":
        return result.tone in TONES and is_value(result.value, TEXT)
    if result.tone:
        return False
    if kind == "int":
        return isinstance(result.value, int) and is_value(result.value, NUMBER)
    return is_value(result.value, NUMBER if kind == "float" else TEXT)


def is_value(value: Value, about: str) -> bool:
    """Whether a value is of this kind; of none where nothing is taken."""
    if about == TEXT:
        return isinstance(value, str) and len(value) <= LETTERS
    if about == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST
    return value is None
