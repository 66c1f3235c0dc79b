"""The module file as JSON Schema, made of the table of keys, so that editors complete and check what we do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schema.keys import DOCUMENT, sections

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = Path(__file__).parent / "module.schema.json"

_CAPTION = {
    "description": "A text, one text a language, or a translation key: `Queue`, `{en: Queue, de: Queue}`, `@key|Queue`.",
    "anyOf": [
        {"type": ["string", "number"]},
        {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    ],
}


def module_schema() -> dict[str, Any]:
    """Return the JSON Schema of a module file."""
    parts = {section.ref: section.definition() for section in sections() if section.ref}
    return {
        "$schema": DIALECT,
        "$id": "/schema/module.json",
        "title": "Lambdesk module",
        "description": "One module a file: a table, its fields, rules and pages.",
        **DOCUMENT.definition(),
        "$defs": {"caption": _CAPTION, **dict(sorted(parts.items()))},
    }


def module_schema_text() -> str:
    """Return the JSON Schema as it is committed and served."""
    return json.dumps(module_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":  # `python -m schema.jsonschema` writes the committed file anew
    FILE.write_text(module_schema_text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
