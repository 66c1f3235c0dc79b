"""The rule builder: what it writes does in the sandbox what the rules say, and opens again as the same rules."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.counts import count
from tests.lambdas.inside import NOW_MS, Inside
from tests.web.xss import PAYLOADS
from web.pages.rules_code import (  # fmt: skip
    KINDS,
    MOMENT,
    NUMBER,
    OPERATORS,
    TEXT,
    TONES,
    TRUTH,
    Condition,
    Result,
    Rule,
    RuleSet,
    code_of_rules,
    literal,
    rules_of_code,
)

HOUR_MS = 3_600_000
FIELDS = {"name": TEXT, "queue.name": TEXT, "seats": NUMBER, "size": NUMBER, "open": TRUTH, "made": MOMENT}
HOSTILE = (
    '"); while (true) {} ("', "*/ return 1; /*", "${1}", "`", "\\", '\\"', "</script>", "\u2028", "\u2029", "\x00", "\ud800", "'; throw 1; '",
    "__proto__", "*\\/", "\n", "// x", "#{x}", "\U000e0001", "ﬁ", "İ", "ς Σ", *PAYLOADS[::40],
)  # fmt: skip
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20), st.sampled_from(["red", "Red", "a", ""]))
whole = texts.map(lambda text: text.encode("utf-8", "replace").decode())  # what a row can hold
numbers = st.one_of(st.integers(-5, 5), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-1e6, 1e6))
tones = st.sampled_from(TONES)


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    """The sandbox's own isolate and language, in this process."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    made = Inside()
    yield made
    made.close()


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(sorted(FIELDS)))
    about = FIELDS[field]
    operator = draw(st.sampled_from(sorted(name for name, item in OPERATORS.items() if about in item.about)))
    takes = OPERATORS[operator].takes
    return Condition(field, about, operator, draw({TEXT: texts, NUMBER: numbers, "": st.none()}[takes]))


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    kind = draw(st.sampled_from(KINDS))
    value = {"badge": texts, "string": texts, "int": st.integers(-(2**31), 2**31 - 1), "float": numbers}[kind]
    result = st.builds(Result, value, tones if kind == "badge" else st.just(""))
    rule = st.builds(Rule, st.booleans(), st.lists(conditions(), min_size=1, max_size=3).map(tuple), result)
    rules = draw(st.lists(rule, min_size=1, max_size=4).map(tuple))
    return RuleSet(kind, rules, draw(st.none() | result))


def moment(hours: float) -> str:
    return datetime.fromtimestamp((NOW_MS - hours * HOUR_MS) / 1000, UTC).isoformat()


ROWS = st.fixed_dictionaries(
    {
        "name": st.none() | whole,
        "queue": st.none() | st.fixed_dictionaries({"name": st.none() | whole}),
        "seats": st.none() | numbers,
        "size": st.none() | st.sampled_from(["12.50", "0", "-3"]),  # decimals cross as texts
        "open": st.sampled_from([None, True, False]),
        "made": st.none() | st.integers(-100, 100).map(moment),
    }
)


def meant(rules: RuleSet, row: dict[str, Any]) -> Any:
    """Say what rules mean, in Python."""
    for rule in rules.rules:
        if (all if rule.every else any)(holds(item, row) for item in rule.conditions):
            return told(rules.kind, rule.result)
    return None if rules.otherwise is None else told(rules.kind, rules.otherwise)


def told(kind: str, result: Result) -> Any:
    return {"text": seen(result.value), "tone": result.tone} if kind == "badge" else seen(result.value)


def seen(value: Any) -> Any:
    """What is half a character does not leave the sandbox."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def holds(item: Condition, row: dict[str, Any]) -> bool:
    value: Any = row
    for name in item.field.split("."):
        value = value.get(name) if value is not None else None
    is_empty = value in (None, "")
    wanted = item.value
    if item.operator in ("empty", "not-empty"):
        return is_empty is (item.operator == "empty")
    if item.about == TRUTH:
        return value is (item.operator == "yes")
    if item.about == TEXT:
        text = value or ""
        return {
            "is": text == wanted,
            "is-not": text != wanted,
            "contains": str(wanted).lower() in text.lower(),
            "starts": text.lower().startswith(str(wanted).lower()),
        }[item.operator]
    if item.about == MOMENT:
        if is_empty:
            return False
        hours = (NOW_MS - datetime.fromisoformat(value).timestamp() * 1000) / HOUR_MS
        limit = float(wanted or 0) * (24 if item.operator.endswith("days") else 1)
        return hours > limit if item.operator.startswith("older") else hours < limit
    if is_empty:
        return item.operator == "differs"
    number, other = float(value), float(wanted or 0)
    return {
        "equals": number == other,
        "differs": number != other,
        "greater": number > other,
        "at-least": number >= other,
        "less": number < other,
        "at-most": number <= other,
    }[item.operator]


@settings(max_examples=count(400, 20_000), deadline=None)
@given(rules=rule_sets(), rows=st.lists(ROWS, min_size=1, max_size=4))
@example(
    rules=RuleSet(
        "string", (Rule(True, (Condition("name", TEXT, "is", '"); throw 1; ("'),), Result("*/ throw 1; /*")),)
    ),
    rows=[{"name": '"); throw 1; ("', "queue": None, "seats": 1, "size": None, "open": None, "made": None}],
)
def test_the_code_does_what_the_rules_say_whatever_was_typed(
    inside: Inside, rules: RuleSet, rows: list[dict[str, Any]]
) -> None:
    code = code_of_rules(rules)
    for row in rows:
        assert inside.value(code, row) == meant(rules, row), code


@settings(max_examples=count(300, 10_000), deadline=None)
@given(rules=rule_sets())
def test_the_rules_come_back_from_their_code(rules: RuleSet) -> None:
    code = code_of_rules(rules)
    assert rules_of_code(code) == rules
    assert rules_of_code(f"{code}\n") == rules
    assert all(char.isprintable() or char == "\n" for char in code), "nothing hides in it"


@settings(max_examples=count(200, 5_000), deadline=None)
@given(rules=rule_sets(), data=st.data())
def test_code_that_somebody_changed_is_code_alone(rules: RuleSet, data: st.DataObject) -> None:
    code = code_of_rules(rules)
    place = data.draw(st.integers(0, len(code) - 1))
    letter = data.draw(st.sampled_from('a";1 /*{}'))
    changed = code[:place] + letter + code[place + 1 :]
    found = rules_of_code(changed)
    assert found is None or (changed == code and found == rules)


def test_the_code_is_one_to_read() -> None:
    urgent = Rule(
        True,
        (Condition("priority", NUMBER, "at-least", 4), Condition("created_at", MOMENT, "older-days", 2)),
        Result("Urgent", "red"),
    )
    vip = Rule(False, (Condition("queue.name", TEXT, "contains", "VIP"),), Result("VIP", "purple"))
    code = code_of_rules(RuleSet("badge", (urgent, vip), Result("Normal", "green")))
    assert code.splitlines()[1:-1] == [
        'const empty = (value) => value === null || value === undefined || value === "";',
        'const text = (value) => (empty(value) ? "" : String(value));',
        "const number = (value) => (empty(value) ? NaN : Number(value));",
        "const hours = (value) => (empty(value) ? NaN : (now - new Date(value)) / 3600000);",
        'if (number(item.priority) >= 4 && hours(item.created_at) > 2 * 24) return badge("Urgent", "red");',
        'if (text(item.queue?.name).toLowerCase().includes("VIP".toLowerCase())) return badge("VIP", "purple");',
        'return badge("Normal", "green");',
    ]


GOOD = RuleSet("badge", (Rule(True, (Condition("name", TEXT, "is", "x"),), Result("y", "red")),))


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, kind="html"),
        replace(GOOD, rules=()),
        replace(GOOD, rules=GOOD.rules * 21),
        replace(GOOD, otherwise=Result("y", "mauve")),
        replace(GOOD, otherwise=Result(1, "red")),
        replace(GOOD, kind="int", rules=(replace(GOOD.rules[0], result=Result(1.5)),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=()),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=(Condition("name", TEXT, "greater", 1),)),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=(Condition("a);x(", TEXT, "is", "x"),)),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=(Condition("n", NUMBER, "greater", float("nan")),)),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=(Condition("n", NUMBER, "greater", float("inf")),)),)),
        replace(GOOD, rules=(replace(GOOD.rules[0], conditions=(Condition("n", TEXT, "is", "x" * 201),)),)),
    ],
)
def test_what_are_no_rules_makes_no_code(bad: RuleSet) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        code_of_rules(bad)


@pytest.mark.parametrize(
    "code",
    ["", "return 1;", "/* rules 1 {} */", "x\n/* rules 1 {} */", "x\n/* rules 1 [] */", 'x\n/* rules 1 {"kind": 1, "rules": {}, "otherwise": 3} */', "x\n/* rules 1 {" + "[" * 5000 + "} */"],
)  # fmt: skip
def test_other_code_has_no_rules(code: str) -> None:
    assert rules_of_code(code) is None


def test_a_literal_is_json_and_shows_everything() -> None:
    assert literal("a\u2028\x00*/ä\U000e0001") == '"a\\u2028\\u0000*/ä\\udb40\\udc01"'
