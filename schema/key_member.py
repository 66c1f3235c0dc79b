"""The keys of relations, computed fields, hooks, actions, schedules and filters."""

from __future__ import annotations

import re
from typing import Any

from schema.key_field import option_short
from schema.key_words import CAPTION, CODE, COLUMN, FILTER_TYPES, FLAG, HOOKS, KIND, NAMES, TABLE, TEXT, WHOLE
from schema.kinds import COMPUTED_SCALARS
from schema.names import NAME
from schema.sections import Key, Section
from schema.shapes import Anything, Choice, ListOf, MapOf, OneOf, Scalar, Text, Word
from schema.spot import Entry, Findings, Spot
from schema.tree import Map


def _argument_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`args: {locale: string}`: the type alone; `string!` must be given."""
    made = Entry(spot)
    word = value.removesuffix("!") if isinstance(value, str) else value
    kind = KIND.read(word, spot, findings)
    if isinstance(kind, str):
        made["type"] = kind
        made["required"] = isinstance(value, str) and value.endswith("!")
    return made


RELATION_END = OneOf((((str,), COLUMN), ((Map,), MapOf(COLUMN))), "a column name, or `{column: field}`")

RELATION = Section(
    "A relation",
    (
        Key("name", NAMES, "Name in the API.", nullable=False),
        Key("to", NAMES, "Module at the other end.", nullable=False),
        Key("by", COLUMN, "Has many: the target's field that points here."),
        Key("through", TABLE, "Many to many: the table between."),
        Key(
            "here",
            RELATION_END,
            "Column of the table between that points here; `{column: field}` for another field than the key.",
        ),
        Key(
            "there", RELATION_END, "Column of the table between that points at the target; `{column: field}` likewise."
        ),
        Key("where", MapOf(Scalar()), "Fixed values of columns of the table between."),
        Key("label", CAPTION, "What people see."),
        Key("description", CAPTION, "The API's documentation."),
        Key("deprecated", TEXT, "Why it is being phased out."),
    ),
    required=("name", "to"),
    ref="relation",
)

ARGUMENT = Section(
    "An argument",
    (
        Key("type", KIND, "Kind of the argument."),
        Key("required", FLAG, "Must be given."),
        Key("default", Anything(), "Value where none is given."),
        Key("label", CAPTION, "What people see."),
    ),
    required=("type",),
    short=_argument_short,
    short_schema={"type": "string"},
    ref="argument",
)

EXAMPLE = Section(
    "An example",
    (
        Key("item", MapOf(Anything()), "The row that the lambda sees.", nullable=False),
        Key("args", MapOf(Anything()), "Its arguments."),
        Key("returns", Anything(), "What it must return."),
        Key(
            "me",
            MapOf(Anything()),
            "What it knows of who is calling, where that is not what examples have by themselves.",
        ),
        Key("now", TEXT, "The moment, such as 2026-01-31T12:00:00Z."),
        Key("answers", ListOf(Anything(), limit=20), "The answers of what it asks, in their order."),
        Key(
            "for_all",
            MapOf(Anything()),
            "Generated rows instead of `item`: for each name a type, a list of values, or {min, max} of numbers.",
            nullable=False,
        ),
        Key("holds", CODE, "JavaScript over `item` and `result` that is true for every generated row.", nullable=False),
    ),
    ref="example",
)

COMPUTED = Section(
    "A computed field",
    (
        Key("name", NAMES, "Name in the API.", nullable=False),
        Key(
            "type",
            Choice(
                tuple(COMPUTED_SCALARS),
                {"integer": "int", "number": "int", "boolean": "bool", "text": "string"},
                "unknown-type",
            ),
            "What it returns; html for files in the GOTRS style, else string.",
        ),
        Key("label", CAPTION, "What people see."),
        Key("help", CAPTION, "The API's documentation."),
        Key(
            "needs",
            ListOf(
                Word(
                    re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,5}", re.ASCII),
                    "a field, a column, or a path such as group.name",
                    "bad-name",
                )
            ),
            "What `item` carries; default: all own readable columns.",
        ),
        Key("args", MapOf(ARGUMENT, NAME), "Arguments of the GraphQL field."),
        Key("lambda", CODE, "JavaScript: the body of a function of item, args, me, now."),
        Key("sql", Text(limit=4000, may_be_empty=False), "SQL expression over own columns; filters and sorts."),
        Key(
            "examples",
            ListOf(EXAMPLE, limit=50),
            "Run when the file loads; a failing example keeps the old version live.",
        ),
        Key("deprecated", TEXT, "Why it is being phased out."),
        Key("show_in_list", FLAG, "A column of the list."),
        Key("show_in_form", FLAG, "Shown in the form."),
        Key("list_position", WHOLE, "Place among the list's columns."),
        Key("list_class", TEXT, "Style classes of the list's cell."),
    ),
    required=("name",),
    ref="computed_field",
)

HOOK = Section(
    "A hook",
    (
        Key(
            "on",
            ListOf(Choice(HOOKS), lone=True, limit=len(HOOKS)),
            "When it runs: one event, or a list of them.",
            nullable=False,
        ),
        Key("lambda", CODE, "JavaScript.", nullable=False),
    ),
    required=("on", "lambda"),
    ref="hook",
)

ACTION = Section(
    "An action",
    (
        Key("name", NAMES, "Name of the mutation.", nullable=False),
        Key("label", CAPTION, "Text of the button."),
        Key("confirm", CAPTION, "Question before it runs."),
        Key("args", MapOf(ARGUMENT, NAME), "Inputs of the mutation."),
        Key("lambda", CODE, "JavaScript.", nullable=False),
        Key("deprecated", TEXT, "Why it is being phased out."),
    ),
    required=("name", "lambda"),
    ref="action",
)

SCHEDULE = Section(
    "A schedule",
    (
        Key("name", NAMES, "Name in logs.", nullable=False),
        Key("cron", TEXT, "Minute, hour, day, month, weekday.", nullable=False),
        Key("lambda", CODE, "JavaScript.", nullable=False),
        Key("as", Text(limit=200, may_be_empty=False), "Login of the principal as whom it runs; default: system."),
    ),
    required=("name", "cron", "lambda"),
    ref="schedule",
)

FILTER_OPTION = Section(
    "An option of a filter",
    (Key("value", Scalar(), "Value to filter by.", nullable=False), Key("label", CAPTION, "What people see.")),
    required=("value",),
    short=option_short,
    short_schema={"type": ["string", "number"]},
)

FILTER = Section(
    "A filter",
    (
        Key("field", COLUMN, "Field that the list is filtered by.", nullable=False),
        Key(
            "type",
            Choice(
                FILTER_TYPES,
                {
                    "daterange": "date_range",
                    "number": "number_range",
                    "boolean": "checkbox",
                    "multiselect": "multi_select",
                    "string": "text",
                    "search": "text",
                    "bool": "checkbox",
                    "range": "number_range",
                    "datetime": "date_range",
                },
            ),
            "Kind of the input; default: by the field's kind.",
        ),
        Key("label", CAPTION, "What people see."),
        Key("source", Choice(("options", "database")), "Where the choices come from.", gotrs=True),
        Key(
            "query", TEXT, "One SELECT of a value and a caption, or a condition on `lookup_table`; checked.", gotrs=True
        ),
        Key("lookup_table", TABLE, "Table with the choices.", gotrs=True),
        Key("lookup_key", COLUMN, "Column with the value.", gotrs=True),
        Key("lookup_display", COLUMN, "Column with the caption.", gotrs=True),
        Key("options", ListOf(FILTER_OPTION), "The choices."),
    ),
    required=("field",),
    ref="filter",
)
