"""Values on their way out: whatever is stored, it is answered or told as unreadable; nothing breaks an answer."""

import json
from datetime import UTC
from typing import Any

import orjson
import pytest

from schema.catalog import ColumnClass
from storage.values import reader

DEEP = "[" * 100 + "]" * 100
ABYSS = "[" * 100_000

YAML: dict[str, Any] = {
    "1: low\n2.5: high": {"1": "low", "2.5": "high"},
    "true: a\nnull: b\nno: c": {"true": "a", "null": "b", "false": "c"},
    "[1, 2]: pair": "[1, 2]: pair",
    "a: !!binary aGVsbG8=": {"a": "aGVsbG8="},
    "!!set {b, a}": ["a", "b"],
    "2026-01-02": "2026-01-02",
    "x: .nan": {"x": None},
    "x: -.inf": {"x": None},
    "99999999999999999999": "99999999999999999999",
    '"\\uD800x"': '"\\uD800x"',
    "!!python/object:os.system x": "!!python/object:os.system x",
    "a: [": "a: [",
    DEEP: DEEP,
}
JSON: dict[str, Any] = {
    '{"a": 18446744073709551616}': {"a": "18446744073709551616"},
    '"\\ud83dx"': "\ufffdx",
    '{"\\udc00": 1}': {"\ufffd": 1},
    "[NaN, -Infinity, 1e999]": [None, None, None],
    DEEP: DEEP,
    ABYSS: ABYSS,
    "9" * 5000: "9" * 5000,
    "broken": "broken",
    '{"ö": [1, 2.5, true, null]}': {"ö": [1, 2.5, True, None]},
}


def read(kind: str, value: Any, column_class: ColumnClass = ColumnClass.TEXT) -> Any:
    convert = reader(kind, column_class, UTC)
    assert convert is not None
    return convert(value)


@pytest.mark.parametrize("stored", YAML, ids=range(len(YAML)))
def test_every_stored_yaml_has_an_answer(stored: str) -> None:
    found = read("yaml", stored)
    assert found == YAML[stored]
    assert orjson.loads(orjson.dumps(found)) == json.loads(json.dumps(found))


@pytest.mark.parametrize("stored", JSON, ids=range(len(JSON)))
def test_every_stored_json_has_an_answer(stored: str) -> None:
    found = read("json", stored)
    assert found == JSON[stored]
    assert orjson.loads(orjson.dumps(found)) == json.loads(json.dumps(found))
    assert read("json", stored.encode(), ColumnClass.BYTES) == found


def test_a_value_of_64_levels_is_answered_as_it_is() -> None:
    stored = "[" * 65 + "]" * 65
    assert json.dumps(read("json", stored)) == stored
    assert read("json", f"[{stored}]") == f"[{stored}]"
