"""The JSON Schema that editors use, and the table of problem codes: both say what the check does."""

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest

from schema.jsonschema import FILE, module_schema, module_schema_text
from schema.keys import DOCUMENT, sections
from schema.problem_codes import CODES
from schema.source import read
from tests.schema.catalogs import MODULES

LAMBDA_CHECK = Path(__file__).parents[2] / "resolvers" / "lambda_check.py"
ROOM = Path(__file__).parents[2] / "schema"
FILES = Path(__file__).parent / "files"
VALIDATOR = jsonschema.Draft202012Validator(module_schema())


def test_the_committed_schema_is_what_the_keys_say() -> None:
    """`python -m schema.jsonschema` writes it anew."""
    assert FILE.read_text() == module_schema_text()
    jsonschema.Draft202012Validator.check_schema(module_schema())


@pytest.mark.parametrize("path", [*MODULES, FILES / "good" / "gotrs_queue.yaml"], ids=lambda path: path.stem)
def test_what_the_check_takes_the_schema_takes(path: Path) -> None:
    document = json.loads(json.dumps(read(path.name, path.read_bytes()).document))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize("name", ["keys", "names"])
def test_what_the_check_refuses_for_its_form_the_schema_refuses(name: str) -> None:
    document = json.loads(json.dumps(read(name, (FILES / "bad" / f"{name}.yaml").read_bytes()).document))
    assert not VALIDATOR.is_valid(document)


def test_every_key_says_what_it_is_for() -> None:
    silent = [
        f"{section.what}: {key.name}"
        for section in sections()
        for key in section.keys
        if not key.about and not key.idle
    ]
    assert silent == []
    assert len(list(sections(DOCUMENT))) > 20


def codes_in(path: Path) -> set[str]:
    """Every code that a file gives to a problem: a text in kebab-case where a call takes its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"Problem", "note", "add", "drop", "_stop", "_wrong", "_left_out", "Word", "Choice"}:
                found |= {
                    argument.value
                    for argument in [*node.args[:3], *(word.value for word in node.keywords if word.arg == "code")]
                    if isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|tag|alias", argument.value)
                }
    return found


def test_every_code_is_in_the_table_and_every_code_in_the_table_is_used() -> None:
    finders = [path for path in (*ROOM.glob("*.py"), LAMBDA_CHECK) if path.name != "problem_codes.py"]
    used = set().union(*map(codes_in, finders))
    texts = "".join(path.read_text() for path in finders)
    assert used - set(CODES) == set()
    assert {code for code in CODES if f'"{code}"' not in texts} == set()
