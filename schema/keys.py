"""Every key that a module file may have, as one table. The check, the JSON Schema and the documentation all walk it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from schema.kinds import ALIASES, COMPUTED_SCALARS, KINDS
from schema.names import NAME
from schema.shapes import (
    LAMBDA_LIMIT_BYTES,
    Anything,
    CaptionShape,
    Choice,
    Flag,
    Key,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Raw,
    Scalar,
    Section,
    Shape,
    Text,
    Word,
    shape_of_names,
)
from schema.spot import Entry, Findings, Spot, shown
from schema.tree import Map, Seq

# Badges and options may carry one of these; the pages have a class for each.
TONES = ("gray", "red", "orange", "amber", "yellow", "green", "teal", "blue", "indigo", "purple", "pink")

OPERATIONS = ("view", "create", "update", "delete", "upsert", "bulk")
HOOKS = ("before_create", "before_update", "before_delete", "after_create", "after_update", "after_delete")
PERMISSION_KEYS = ("ro", "move_into", "create", "note", "owner", "priority", "rw")
FILTER_TYPES = ("text", "select", "multi_select", "checkbox", "date", "date_range", "number_range")

NAMES = Word(
    NAME,
    "a name of a-z, 0-9 and _, a letter first, at most 63 characters",
    "bad-name",
    "For example `customer_number`.",
)
COLUMN = Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}"), "a column name of letters, digits and _", "bad-column-name")
TABLE = Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}"), "a table name of letters, digits and _", "bad-table-name")
CAPTION = CaptionShape()
TEXT = Text()
FLAG = Flag()
WHOLE = Number(whole=True)
CODE = Text(limit=LAMBDA_LIMIT_BYTES, may_be_empty=False)
KIND = Choice(tuple(KINDS), {**ALIASES, "files": "file", "multi_select": "multiselect"}, "unknown-type")


def _option_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`options: [low, high]`: value and label are the same."""
    if isinstance(value, (Seq, bool)):
        findings.add(spot, "bad-type", f"An option must be a mapping or a text; found {shown(value)}.")
        return Entry(spot)
    made = Entry(spot)
    made["value"] = value
    return made


def _reference_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`validation: "^x$"`: a pattern alone."""
    made = Entry(spot)
    if isinstance(value, str):
        made["pattern"] = value
    else:
        findings.add(spot, "bad-type", f"`validation` must be a pattern or a mapping; found {shown(value)}.")
    return made


def _argument_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`args: {locale: string}`: the type alone; `string!` must be given."""
    made = Entry(spot)
    word = value.removesuffix("!") if isinstance(value, str) else value
    kind = KIND.read(word, spot, findings)
    if isinstance(kind, str):
        made["type"] = kind
        made["required"] = isinstance(value, str) and value.endswith("!")
    return made


def _rule_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`view: true`."""
    made = Entry(spot)
    if isinstance(value, bool):
        made["allow"] = value
    else:
        findings.add(
            spot,
            "bad-rule",
            f"`{spot.key}` must be true, false, `{{group: ...}}` or `{{role: ...}}`; found {shown(value)}.",
            "For example `view: {group: users}`.",
        )
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
    short=_option_short,
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
    short=_reference_short,
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
        Choice(("text", "chip", "badge", "link", "code", "image", "color", "date", "datetime", "bool")),
        "How lists show the value.",
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
        Key("returns", Anything(), "What it must return.", nullable=False),
    ),
    required=("item", "returns"),
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
        Key("on", Choice(HOOKS), "When it runs.", nullable=False),
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
    short=_option_short,
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

FEATURES = Section(
    "`features`",
    (
        Key("soft_delete", FLAG, "Deleting sets the row invalid."),
        Key("search", FLAG, "The list has a search field."),
        Key("import_csv", FLAG, "Rows can be imported."),
        Key("export_csv", FLAG, "Rows can be exported."),
        Key("status_toggle", FLAG, "Validity can be switched in the list."),
        Key("color_picker", FLAG, "", idle=True),
        Key("password_reset", FLAG, "", idle=True),
        Key("group_assignment", FLAG, "", idle=True),
        Key("filters", FLAG, "", idle=True),
    ),
    ref="features",
)

RULE = Section(
    "A rule",
    (
        Key("group", Text(limit=200, may_be_empty=False), "Members of this group may.", nullable=False),
        Key(
            "key",
            Choice(PERMISSION_KEYS),
            "With this permission key; default: ro to view, rw to write.",
            nullable=False,
        ),
        Key("role", Text(limit=200, may_be_empty=False), "Holders of this role may.", nullable=False),
    ),
    short=_rule_short,
    short_schema={"type": "boolean"},
    ref="rule",
)

AUDIENCE = Section(
    "Rules of an audience",
    (
        Key("view", RULE, "Who may read.", nullable=False),
        Key("create", RULE, "Who may create.", nullable=False),
        Key("update", RULE, "Who may change.", nullable=False),
        Key("delete", RULE, "Who may delete.", nullable=False),
        Key(
            "rows",
            Raw({"type": "object"}),
            "Filter in the API's grammar: which rows. $me.id, $me.groups.KEY, $now.",
            nullable=False,
        ),
    ),
    ref="audience",
)

FIELD_RULES = Section(
    "Rules of a field",
    (
        Key("agent", RULE, "Which agents see and use it.", nullable=False),
        Key("customer", RULE, "Which customers see and use it.", nullable=False),
    ),
    ref="field_rules",
)

ACCESS = Section(
    "`access`",
    (
        Key("agent", AUDIENCE, "Rules for agents; default: group admin.", nullable=False),
        Key("customer", AUDIENCE, "Rules for customers; default: nothing.", nullable=False),
        Key("fields", MapOf(FIELD_RULES), "Rules of single fields.", nullable=False),
    ),
    ref="access",
)

FIELD_PATTERN = Section(
    "A field pattern",
    (
        Key("field", COLUMN, "Field that it holds for."),
        Key("pattern", TEXT, "RE2 pattern.", nullable=False),
        Key("message", CAPTION, "What people read when it does not match."),
    ),
    required=("pattern",),
    short=_reference_short,
    short_schema={"type": "string"},
)

CUSTOM_RULE = Section(
    "A custom rule",
    (
        Key("name", TEXT, "Name of the rule."),
        Key("field", COLUMN, "Field that it holds for."),
        Key("pattern", TEXT, "RE2 pattern that the field must match."),
        Key("lambda", CODE, "JavaScript that returns false (or calls reject) when the row is wrong.", alias="rule"),
        Key("message", CAPTION, "What people read."),
    ),
)

MODULE_VALIDATION = Section(
    "`validation`",
    (
        Key("unique_fields", shape_of_names("field"), "Fields whose values are unique."),
        Key("required_fields", shape_of_names("field"), "Fields that must be given."),
        Key(
            "field_patterns",
            OneOf((((Seq,), ListOf(FIELD_PATTERN)), ((Map,), MapOf(FIELD_PATTERN))), "a list or a mapping"),
            "Patterns of fields.",
        ),
        Key("custom_rules", ListOf(CUSTOM_RULE), "Rules as patterns or lambdas."),
    ),
    ref="module_validation",
)

FORM_SECTION = Section(
    "A form section",
    (
        Key("title", CAPTION, "Heading."),
        Key("fields", shape_of_names("field"), "Its inputs."),
        Key("type", TEXT, "", idle=True),
    ),
)

UI_ACTION = Section(
    "An action of `ui`",
    (
        Key("name", CAPTION, "Text of the button.", nullable=False),
        Key("action", NAMES, "Declared action that it runs."),
        Key("icon", TEXT, "Icon of the button."),
        Key("endpoint", TEXT, "Address that it opens, with {id}."),
        Key("confirm", CAPTION, "Question before it runs."),
        Key("modal", FLAG, "Opens in a dialog."),
    ),
    required=("name",),
)

UI = Section(
    "`ui`",
    (
        Key("list_columns", shape_of_names("field"), "Columns of the list, in order."),
        Key("form_sections", ListOf(FORM_SECTION), "Sections of the form."),
        Key("actions", ListOf(UI_ACTION), "More buttons."),
        Key("default_sort", COLUMN, "Field that lists are ordered by."),
        Key("default_sort_dir", Choice(("asc", "desc")), "Direction of that order."),
        Key("page_size", Number(1, 500, whole=True), "Rows of a page."),
    ),
    ref="ui",
)

LAMBDA_CONFIG = Section(
    "`lambda_config`",
    (
        Key("timeout_ms", Number(1, 5000, whole=True), "Time for one job."),
        Key("memory_limit_mb", Number(1, 256, whole=True), "Heap for one job."),
    ),
)

_OPERATIONS = ListOf(
    Choice(OPERATIONS, {"read": "view", "list": "view", "edit": "update"}, idle=("reset_password", "manage_groups")),
    lone=True,
)

HEADER = Section(
    "`module`",
    (
        Key("name", NAMES, "Name of the module; the API's names come from it.", nullable=False),
        Key("extend", NAMES, "Module of a lower layer that this file adds to.", nullable=False),
        Key("replace", FLAG, "This file stands in for the lower layer's module."),
        Key("plural_name", NAMES, "Name of the list; default: the English plural."),
        Key("singular", CAPTION, "What people call one."),
        Key("plural", CAPTION, "What people call many."),
        Key("table", ListOf(TABLE, lone=True, limit=10), "SQL table; the first that exists, when a list."),
        Key("description", CAPTION, "What it is for."),
        Key("notice", CAPTION, "Shown above its pages and in the API's documentation."),
        Key("section", CAPTION, "Section of the menu."),
        Key("icon", Word(re.compile(r"[a-z0-9][a-z0-9 -]{0,60}"), "an icon's name", "bad-value"), "Icon in the menu."),
        Key(
            "key", ListOf(COLUMN, lone=True, limit=10), "Key column or columns; `none` where rows cannot be told apart."
        ),
        Key("optional", FLAG, "Absent without a problem where the database has no such table."),
        Key("operations", _OPERATIONS, "What the API offers.", alias="permissions"),
        Key("read_only", FLAG, "GOTRS: only view.", gotrs=True),
        Key("default_sort", COLUMN, "GOTRS: field that lists are ordered by.", gotrs=True),
        Key("default_sort_dir", Choice(("asc", "desc")), "GOTRS: direction of that order.", gotrs=True),
        Key("page_size", Number(1, 500, whole=True), "GOTRS: rows of a page.", gotrs=True),
        Key("route_prefix", TEXT, "Addresses follow from the module's name.", idle=True, gotrs=True),
    ),
    ref="header",
)

DOCUMENT = Section(
    "A module file",
    (
        Key("module", HEADER, "What the module is.", nullable=False),
        Key("fields", ListOf(FIELD, limit=200), "Columns of the table."),
        Key("relations", ListOf(RELATION, limit=200), "The other direction, and many-to-many."),
        Key("computed_fields", ListOf(COMPUTED, limit=200), "Fields made by a lambda or an SQL expression."),
        Key("hooks", ListOf(HOOK, limit=100), "Lambdas around writes."),
        Key("actions", ListOf(ACTION, limit=100), "Mutations with a button."),
        Key("schedules", ListOf(SCHEDULE, limit=100), "Lambdas by the clock."),
        Key("filters", ListOf(FILTER, limit=100), "Filters of the list."),
        Key("features", FEATURES, "Switches."),
        Key("operations", _OPERATIONS, "What the API offers.", alias="permissions"),
        Key("access", ACCESS, "Who may what; default: administrators only."),
        Key("validation", MODULE_VALIDATION, "GOTRS's place for what fields say themselves."),
        Key("ui", UI, "Lists and forms."),
        Key("lambda_config", LAMBDA_CONFIG, "Limits of the module's lambdas."),
        Key("hide", shape_of_names("field"), "Fields that this site does not show."),
        Key("fields_patch", MapOf(FIELD_PATCH), "Changes of fields of the lower layer: `{title: {label: Subject}}`."),
    ),
    required=("module",),
)


def sections(section: Section = DOCUMENT) -> Iterator[Section]:
    """Walk every section that another refers to, each once."""
    seen: set[int] = set()
    queue: list[Any] = [section]
    while queue:
        shape = queue.pop()
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, Section):
            yield shape
            queue += [key.shape for key in shape.keys]
        elif isinstance(shape, (ListOf, MapOf)):
            queue.append(shape.item)
        elif isinstance(shape, OneOf):
            queue += [choice for _, choice in shape.choices]
