"""What editors and readers are told of helpers is what there is."""

import itertools
import re
from pathlib import Path

from lambdas import limits
from lambdas.language import PRELUDE
from tests.lambdas.inside import Inside

HOUSE = Path(__file__).parent.parent.parent
DECLARED = (HOUSE / "lambdas" / "lambda.d.ts").read_text(encoding="utf-8")
TOLD = (HOUSE / "docs" / "lambdas.md").read_text(encoding="utf-8")

# Of the engine itself; everything else that code finds is a helper of ours.
OF_THE_ENGINE = """
    Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError
    EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array
    Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float32Array Float64Array Float16Array
    DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect decodeURI decodeURIComponent encodeURI encodeURIComponent escape
    unescape eval isFinite isNaN SuppressedError DisposableStack AsyncDisposableStack
""".split()  # noqa: SIM905 - a table
PARAMETERS = ["item", "args", "me", "now", "before"]


def helpers(inside: Inside) -> list[str]:
    names: list[str] = inside.value("return Object.getOwnPropertyNames(globalThis);")
    return [name for name in names if name not in OF_THE_ENGINE]


def methods(inside: Inside) -> list[str]:
    found: list[str] = inside.value(
        "return [['db', db], ['http', http]].flatMap(([name, part]) => Object.keys(part).map((key) => `${name}.${key}`));"
    )
    return found


def test_every_helper_is_declared_for_editors_and_nothing_else(inside: Inside) -> None:
    declared = re.findall(r"^declare (?:function|const) (\w+)", DECLARED, flags=re.MULTILINE)

    assert sorted(set(declared)) == sorted([*helpers(inside), *PARAMETERS])
    for method in methods(inside):
        assert re.search(rf"^  {method.partition('.')[2]}\(", DECLARED, flags=re.MULTILINE), method


def test_every_helper_is_in_the_documentation(inside: Inside) -> None:
    section = TOLD.partition("## Helpers")[2]

    for name in [*(name for name in helpers(inside) if name not in ("db", "http")), *methods(inside)]:
        assert re.search(rf"`(?:console\.)?{re.escape(name)}\b", section), name


def test_every_declaration_says_what_it_is_for() -> None:
    lines = DECLARED.splitlines()

    assert [line for above, line in itertools.pairwise(lines) if line.startswith("declare") and "*/" not in above] == []


def test_tones_and_styles_are_declared_as_they_are(inside: Inside) -> None:
    tones = re.findall(r'"(\w+)"', DECLARED.partition("type Tone =")[2].partition(";")[0])
    styles = re.findall(r'"(\w+)"', DECLARED.partition("style?:")[2].partition(",")[0])

    for tone in tones:
        inside.value("return badge('a', args.tone);", args={"tone": tone})
    for style in styles:
        inside.value("return formatDate(now, args.style);", args={"style": style})
    assert len(tones) == PRELUDE.partition("const TONES = [")[2].partition("]")[0].count('"') / 2


def test_limits_are_those_that_the_prelude_knows() -> None:
    for name, value in (
        ("QUESTIONS_LIMIT", limits.QUESTIONS_LIMIT),
        ("QUESTION_LIMIT_BYTES", limits.QUESTION_LIMIT_BYTES),
        ("DEEDS_LIMIT", limits.DEEDS_LIMIT),
        ("NESTING", limits.NESTING_LIMIT),
    ):
        assert re.search(rf"^const {name} = {value};", PRELUDE, flags=re.MULTILINE), name
