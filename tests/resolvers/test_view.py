"""The code that writes answers can do nothing but that: what else stands in it is never evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.view import evaluate
from resolvers.writers import Unplain


def shout(value: Any) -> str:
    return str(value).upper()


NAMES: dict[str, Any] = {"f1": shout, "str": str}


def test_positions_constants_and_given_functions_are_evaluated() -> None:
    view = evaluate("lambda r, looks: {'a': f1(r[0]), 'b': (v1 if (v1 := r[1]).__class__ is str else None)}", NAMES)
    assert view(("x", "y"), ()) == {"a": "X", "b": "y"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "open('/etc/passwd')", "lambda r, looks: ().__class__.__bases__[0].__subclasses__()", "f1.__globals__",
        "lambda r, looks: r.__dict__", "[x for x in ()]", "lambda r, looks: exec", "f'{f1}'", "lambda r, looks: (yield)", "f1(*r)", "(lambda: f1)()",
        "lambda r, looks: {**r}", "'a'.format(f1)", "lambda r, looks: r[0].join(r)", "1 if f1 else 2 ** 9", "r @ r", "not r", "{1, 2}", "v1 or f1",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Unplain):
        evaluate(text, NAMES)


def test_there_are_no_builtins() -> None:
    assert evaluate("lambda r, looks: r[0]", NAMES).__globals__["__builtins__"] == {}
