"""The keys of a field and of what stands inside one."""

from __future__ import annotations

import re
from typing import Any

from schema.key_words import CAPTION, COLUMN, FLAG, KIND, NAMES, TABLE, TEXT, TONES, WHOLE
from schema.sections import Key, Section
from schema.shapes import Choice, ListOf, MapOf, Number, OneOf, Raw, Scalar, Shape, Word
from schema.spot import Entry, Findings, Spot, shown
from schema.tree import Seq


def option_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`options: [low, high]`: value and label are the same."""
    if isinstance(value, (Seq, bool)):
        findings.add(spot, "bad-type", f"An option must be a mapping or a text; found {shown(value)}.")
        return Entry(spot)
    made = Entry(spot)
    made["value"] = value
    return made


def pattern_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """Read `validation: "^x$"`, a pattern alone."""
    made = Entry(spot)
    if isinstance(value, str):
        made["pattern"] = value
    else:
        findings.add(spot, "bad-type", f"`validation` must be a pattern or a mapping; found {shown(value)}.")
    return made


def _default_read() -> Shape:
    return Raw({"description": "A value, or `{lambda: ...}` that makes one."})


OPTION = Section(
    "An option",
    (
        Key(
            "name",
            Word(re.compile(r"[A-Z_][A-Z0-9_]{0,99}"), "an enum name such as NEW_TICKET", "bad-name"),
            "The GraphQL enum value; made from the label when left out.",
        ),
        Key("value", Scalar(), "What is stored.", nullable=False),
        Key("label", CAPTION, "What people see."),
        Key("tone", Choice(TONES, code="bad-value"), "Colour of the badge."),
        Key("group", CAPTION, "Heading under which the option stands in a picker."),
        Key("deprecated", TEXT, "Why it should no longer be chosen."),
    ),
    required=("value",),
    short=option_short,
    short_schema={"type": ["string", "number"]},
    ref="option",
)

VALIDATION = Section(
    "`validation` of a field",
    (
        Key("pattern", TEXT, "RE2 pattern that a value must match."),
        Key("message", CAPTION, "What people read when it does not."),
        Key("min", Number(), "Smallest value."),
        Key("max", Number(), "Largest value."),
        Key("min_length", Number(0, whole=True), "Fewest characters."),
        Key("max_length", Number(0, whole=True), "Most characters."),
    ),
    short=pattern_short,
    short_schema={"type": "string"},
    ref="validation",
)

LOOKUP = Section(
    "`lookup`",
    (
        Key("table", TABLE, "Table that holds the rows to choose from."),
        Key("value_column", COLUMN, "Column that is stored here."),
        Key("display_column", COLUMN, "Column that people see."),
        Key("condition", TEXT, "SQL condition on the rows to choose from."),
    ),
    required=("table",),
)

_BOUND = OneOf((((int, float), Number()), ((str,), TEXT)), "a number or a date")

_FIELD_KEYS = (
    Key("name", NAMES, "Name in the API (camelCased) and in lambdas.", nullable=False),
    Key("column", COLUMN, "Column of the table; default: the name.", alias="db_column"),
    Key("type", KIND, "Kind of the field."),
    Key("label", CAPTION, "What people see."),
    Key("help", CAPTION, "Shown under the input and in the API's documentation."),
    Key("required", FLAG, "A value must be given."),
    Key("unique", FLAG, "No two rows have the same value; `by:` takes it as a key."),
    Key("searchable", FLAG, "`search:` looks into it."),
    Key("sortable", FLAG, "Lists can be ordered by it."),
    Key("filterable", FLAG, "Lists can be filtered by it."),
    Key("readonly", FLAG, "Cannot be written through API and forms."),
    Key("optional", FLAG, "Absent without a problem where the table has no such column."),
    Key("hidden", FLAG, "Not part of the API of this site."),
    Key("validation", VALIDATION, "A pattern, or `{pattern, message, min, max, min_length, max_length}`."),
    Key("default", _default_read(), "A value, or `{lambda: ...}`."),
    Key("show_in_list", FLAG, "A column of the list."),
    Key("show_in_form", FLAG, "An input of the form."),
    Key("options", ListOf(OPTION), "Choices of select, radio and multiselect."),
    Key("to", NAMES, "Module that a reference points at."),
    Key("by", COLUMN, "Field of that module which the stored value equals; default: its key."),
    Key("deprecated", TEXT, "Why it is being phased out, and what to use instead."),
    Key("lookup_table", TABLE, "GOTRS: table that a reference points at.", gotrs=True),
    Key("lookup_key", COLUMN, "GOTRS: column of that table which is stored here.", gotrs=True),
    Key("lookup_display", COLUMN, "GOTRS: column of that table which people see.", gotrs=True),
    Key("lookup_condition", TEXT, "GOTRS: SQL condition on the rows to choose from.", gotrs=True),
    Key("lookup", LOOKUP, "GOTRS: the lookup keys as one mapping.", gotrs=True),
    Key(
        "display_as",
        Word(re.compile(r"[a-z][a-z0-9_-]{0,40}"), "a word such as chip or link"),
        "How lists show the value: chip, badge, link, code, image; else as its kind does.",
    ),
    Key("display_map", MapOf(CAPTION), "Stored value → what lists show."),
    Key("list_class", TEXT, "Style classes of the list's cell, from the allowed list."),
    Key("list_position", WHOLE, "Place among the list's columns."),
    Key("rows", Number(1, 100, whole=True), "Height of the text area."),
    Key("min", _BOUND, "Smallest value of the input."),
    Key("max", _BOUND, "Largest value of the input."),
    Key("step", Number(0), "Step of the input."),
    Key("pattern", TEXT, "RE2 pattern that a value must match."),
    Key("accept", TEXT, "File types of an upload."),
    Key("name_column", COLUMN, "Of a file whose bytes are in `column`: the column of its name."),
    Key("type_column", COLUMN, "Of such a file: the column of its content type."),
    Key("size_column", COLUMN, "Of such a file: the column of its size in bytes."),
    Key("multiple", FLAG, "Several options can be chosen."),
    Key("placeholder", CAPTION, "Shown in the empty input."),
    Key("virtual", FLAG, "An input of the form without a column; hooks see it."),
    Key("widget", TEXT, "Another input than the kind's own."),
    Key("truncate", Number(1, 10_000, whole=True), "Characters that lists show."),
    Key("format", TEXT, "", idle=True),
    Key("synthetic", FLAG, "", idle=True),
)

FIELD = Section("A field", _FIELD_KEYS, required=("name",), ref="field")
FIELD_PATCH = Section("A patch of a field", tuple(key for key in _FIELD_KEYS if key.name != "name"), ref="field_patch")
